"""Files that a verb writes: never over another one, unless that was asked for."""

import os
from pathlib import Path

from ecr_warden.policy.printable import cut

from ecr_warden_cli.context import Failure

_NAME_SHOWN = 300


class OutputExists(Failure):
    """The file to write exists."""

    code = "output-exists"


class OutputUnwritable(Failure):
    """The file cannot be written."""

    code = "output-unwritable"


def check_output(path: str, *, force: bool = False) -> None:
    """Raises OutputExists, so that nobody waits for what cannot be written."""
    if not force and Path(path).exists():
        raise _exists(path)


def write_output(path: str, text: str, *, force: bool = False, mode: int = 0o666) -> None:
    """Write a file, which is new unless `force` is given; `mode`: the permissions of a new one. Raises Failure."""
    how = os.O_TRUNC if force else os.O_EXCL
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | how, mode), "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError as error:
        raise _exists(path) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"{cut(path, _NAME_SHOWN)} cannot be written: {reason}"
        raise OutputUnwritable(message, remedy="give another path") from error


def _exists(path: str) -> OutputExists:
    return OutputExists(
        f"{cut(path, _NAME_SHOWN)} exists, and nothing is overwritten", remedy="give the path of a new file"
    )
