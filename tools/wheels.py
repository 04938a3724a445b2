"""Builds the two wheels from this checkout: `python tools/wheels.py RELEASE INTO`.

RELEASE is the folder that tools/release.py wrote; the command's wheel carries it, and the pages that its answers name.
The same sources give the same bytes, as there.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SOURCES = ("pyproject.toml", "README.md", "LICENSE", "cli", "layers")
_BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
# Zip has no earlier time: 1980-01-01.
_EARLIEST = "315532800"


def main(release: Path, into: Path) -> None:
    """Replace the folder by the wheels."""
    release, into = release.resolve(), into.resolve()
    shutil.rmtree(into, ignore_errors=True)
    # What is written has the same mode for everybody.
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        command = Path(folder)
        for name in _SOURCES:
            _copy(ROOT / name, command / name)
        _copy(release, command / "cli" / "ecr_warden_cli" / "release")
        _copy(ROOT / "docs", command / "cli" / "ecr_warden_cli" / "docs")
        library = command / "layers" / "access"
        _copy(ROOT / "LICENSE", library / "LICENSE")
        for project in (library, command):
            built = subprocess.run(
                [sys.executable, "-c", _BUILD, str(into)],
                cwd=project,
                env={**os.environ, "SOURCE_DATE_EPOCH": _EARLIEST},
                capture_output=True,
                text=True,
                check=False,
            )
            if built.returncode:
                raise SystemExit(built.stdout + built.stderr)


def _copy(source: Path, target: Path) -> None:
    """A file, or a folder without what earlier builds left in it; without modes."""
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
        shutil.copytree(source, target, ignore=ignored, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
