"""Files that the command reads whole: a path, or `-` for stdin."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ecr_warden.invisible import invisible

from ecr_warden_cli.console import Console, cut
from ecr_warden_cli.context import Failure

# The longest name that Linux takes is 4,096; a whole document in the place of its name is not told in full.
_NAME_SHOWN = 300
_BY_HAND = "type it by hand: it was copied from a page or a chat"


def name_of(path: str) -> str:
    """How the file is called in messages."""
    return "<stdin>" if path == "-" else cut(path, _NAME_SHOWN)


def say_awaited(stdin: BinaryIO, console: Console, what: str) -> None:
    """Say what is awaited on stdin if that is a terminal: a command that waits looks like one that hangs."""
    if stdin.isatty():
        console.note(f"reading {what} from the terminal; end with Ctrl-D, or see --help")


def read_file(path: str, stdin: BinaryIO, limit: int, *, failure: type[Failure], remedy: str) -> bytes:
    """At most one byte more than the limit, so that an endless file is told to be too large; raises `failure`."""
    with open_file(path, stdin, failure=failure, remedy=remedy) as file:
        return file.read(limit + 1)


@contextmanager
def open_file(path: str, stdin: BinaryIO, *, failure: type[Failure], remedy: str) -> Iterator[BinaryIO]:
    """The file while it is read; what goes wrong with opening and reading it raises `failure`."""
    try:
        if path == "-":
            yield stdin
        else:
            with Path(path).open("rb") as file:
                yield file
    except FileNotFoundError as error:
        message = f"there is no file {name_of(path)}"
        if unseen := invisible(path):
            raise failure(f"{message}: it holds a character that cannot be seen, {unseen}", remedy=_BY_HAND) from error
        if path.startswith("s3://"):
            remedy = f"it is read from here, not from S3: aws s3 cp {name_of(path)} - | ecr-warden ... -"
        raise failure(message, remedy=remedy) from error
    except IsADirectoryError as error:
        raise failure(f"{name_of(path)} is a directory", remedy=remedy) from error
    except PermissionError as error:
        raise failure(f"{name_of(path)} may not be read by you", remedy="see its permissions (ls -l)") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise failure(f"{name_of(path)} cannot be read: {reason}", remedy=remedy) from error
