"""A function's code and layers are unpacked once: ministack unpacks a thousand files whenever it starts a process.

That was half of its work while the product ran, and held up every other call.
"""

import zipfile
from hashlib import sha256
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

from local.aws.emulator.modules import BridgeBroken, lambda_runtime

_UNPACKING = Lock()


class _Shared(zipfile.ZipFile):
    """A zip whose content is linked to where it lies unpacked, in the current directory; nothing writes into it."""

    def namelist(self) -> list[str]:
        """The files and folders at the top, which are all that is made."""
        return sorted({name.partition("/")[0] for name in super().namelist()})

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        content = Path(str(self.filename)).read_bytes()
        folder = Path.cwd() / f"unpacked-{sha256(content).hexdigest()}"
        with _UNPACKING:
            if not folder.exists():
                super().extractall(folder, members or super().namelist(), pwd)
        for name in self.namelist():
            (Path(path) / name).symlink_to(folder / name)


def install() -> None:
    """Give the module that starts processes another reader of zips."""
    if getattr(lambda_runtime, "zipfile", None) is not zipfile:
        raise BridgeBroken(f"{lambda_runtime.__name__} does not unpack by zipfile")
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": _Shared})
