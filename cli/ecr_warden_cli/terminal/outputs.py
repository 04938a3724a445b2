"""Files that a verb writes: never over another one, unless that was asked for or the file is what it edits."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ecr_warden_cli.terminal.context import Failure
from iam_access.text.printable import cut

_NAME_SHOWN = 300
_PERMISSIONS = "check the permissions of the file and of its directory (ls -l)"


def check_output(path: str, *, force: bool | None = None, what: str = "file") -> None:
    """Raises Failure before anybody waits for what cannot be written; `force`: None without --force."""
    if not path:
        raise Failure(
            f"the name of the {what} is empty", code="output-unwritable", remedy=f"give the path of a new {what}"
        )
    if not force and Path(path).exists():
        raise _exists(path, force, what)
    try:
        Path(path).parent.stat()
    except (OSError, ValueError) as error:
        raise _unwritable(path, error, "give another path") from error


def is_same_file(path: str, other: str) -> bool:
    """Whether both exist and are one file, whatever their names are."""
    try:
        return Path(path).samefile(other)
    except (OSError, ValueError):
        return False


def write_output(path: str, text: str, *, force: bool | None = None, mode: int = 0o666) -> None:
    """Write a file, which is new unless `force` is given. Raises Failure.

    `mode`: its permissions, of which a new file has those that the umask leaves.
    """
    how = os.O_TRUNC if force else os.O_EXCL
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | how, mode)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            if force and Path(path).is_file():  # and no device, which belongs to everybody
                os.fchmod(file.fileno(), mode)
            try:
                file.write(text)
                file.flush()
            except OSError:  # such as a full disk: no part of a new file stays
                if not force:
                    Path(path).unlink(missing_ok=True)
                raise
    except FileExistsError as error:
        raise _exists(path, force) from error
    except (OSError, ValueError) as error:
        raise _unwritable(path, error, "give another path") from error


def write_folder(path: str, files: Mapping[str, str]) -> None:
    """Write files by their names, in this order, into a new folder, for their owner alone. Raises Failure."""
    try:
        Path(path).mkdir(mode=0o700)
    except FileExistsError as error:
        raise _exists(path, None, "folder") from error
    except (OSError, ValueError) as error:
        raise _unwritable(path, error, "give another path") from error
    for name, text in files.items():
        write_output(f"{path}/{name}", text, mode=0o600)


def replace_file(path: str, before: bytes, after: bytes) -> None:
    """Replace a file's content at once, or not at all; its permissions stay. Raises Failure, also if it has changed."""
    try:
        file = Path(path).resolve()
        handle, name = tempfile.mkstemp(prefix=f".{file.name[:100]}.", dir=file.parent)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error, _PERMISSIONS) from error
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as content:
            content.write(after)
            content.flush()
            os.fsync(content.fileno())
        new.chmod(file.stat().st_mode & 0o7777)
        unchanged = file.read_bytes() == before
        if unchanged:
            new.replace(file)
    except OSError as error:
        raise _unwritable(path, error, _PERMISSIONS) from error
    finally:
        new.unlink(missing_ok=True)
    if not unchanged:
        raise Failure(
            f"{cut(path, _NAME_SHOWN)} was changed meanwhile", code="file-changed", remedy="repeat the command"
        )


def _unwritable(path: str, error: OSError | ValueError, remedy: str) -> Failure:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Failure(f"{cut(path, _NAME_SHOWN)} cannot be written: {reason}", code="output-unwritable", remedy=remedy)


def _exists(path: str, force: bool | None, what: str = "file") -> Failure:
    remedy = f"give the path of a new {what}" + ("" if force is None else ", or add --force to replace this one")
    return Failure(f"{cut(path, _NAME_SHOWN)} exists, and nothing is overwritten", code="output-exists", remedy=remedy)
