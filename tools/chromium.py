"""Unpacks the Chromium of the browser tests: `python tools/chromium.py FOLDER`, in the environment .venv-browser.

It is the one that npm's @sparticuz/chromium carries for places without root, with its libraries and fonts.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import brotli

PACKAGE, DIGEST = "@sparticuz/chromium@153.0.0", "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
# What is unpacked beside the binary instead of into a folder of its own.
_BESIDE = ("swiftshader",)


def main(folder: Path) -> None:
    """Replace the folder by the unpacked package."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(_package())) as package:
        for entry in package:
            path = Path(entry.name)
            content = package.extractfile(entry) if path.suffix == ".br" else None
            if content is not None:
                _unpack(path.name.removesuffix(".br"), brotli.decompress(content.read()), folder)


def _package() -> bytes:
    """The package as npm downloads it, if it is the known one."""
    npm = str(Path(sys.executable).with_name("npm"))
    with tempfile.TemporaryDirectory() as download:
        command = [
            npm,
            "pack",
            PACKAGE,
            "--ignore-scripts",
            "--loglevel=error",
            "--no-update-notifier",
            "--pack-destination",
            download,
        ]
        # node does not look where pip and uv find the machine's certificates.
        certificates = {"NODE_EXTRA_CA_CERTS": os.environ.get("SSL_CERT_FILE", "")}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=download, env={**certificates, **os.environ})
        data = next(Path(download).glob("*.tgz")).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != DIGEST:
        raise SystemExit(f"{PACKAGE} is another file than it was: sha256 {found}, expected {DIGEST}")
    return data


def _unpack(name: str, data: bytes, folder: Path) -> None:
    if name.endswith(".tar"):
        into = folder if name.removesuffix(".tar") in _BESIDE else folder / name.removesuffix(".tar")
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(into, filter="data")
    else:
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o755)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
