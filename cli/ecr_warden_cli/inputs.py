"""What people pass to a verb: files, the spec, times and durations."""

import argparse
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from ecr_warden.invisible import invisible
from ecr_warden.spec import Invalid, Loaded, Problem, Valid, load_spec
from ecr_warden.spec.parse import MAX_BYTES

from ecr_warden_cli.console import Console, cut
from ecr_warden_cli.context import Context, Failure

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


_REMEDY = "give the path of the desired-state file, or - to read it from stdin"


class SpecUnreadable(Failure):
    """The file could not be read."""

    code = "spec-unreadable"


class SpecInvalid(Failure):
    """The file was read and is not a spec; `lines` are its problems as people read them."""

    code = "spec-invalid"

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{file} is not valid", remedy="see the problems above")
        self.problems = problems
        self.lines = tuple(problem.at(file) for problem in problems)


def add_spec(parser: argparse.ArgumentParser) -> None:
    """Declare the argument."""
    parser.add_argument("spec", metavar="SPEC", help="the desired-state file (YAML or JSON), or - for stdin")


def load(path: str, context: Context) -> Loaded:
    """Read and check the file; raises SpecUnreadable."""
    return load_spec(_read(path, context.stdin), now=context.clock.now())


def load_compiled(path: str, context: Context) -> Valid:
    """The documents that the file stands for; raises SpecUnreadable, SpecInvalid.

    The version is made of the file's bytes: the same file has the same one, wherever it is.
    """
    data = _read(path, context.stdin)
    match load_spec(data, version=f"sha256:{hashlib.sha256(data).hexdigest()}", now=context.clock.now()):
        case Invalid(problems):
            raise SpecInvalid(name_of(path), problems)
        case Valid() as loaded:
            return loaded


def _read(path: str, stdin: BinaryIO) -> bytes:
    return read_file(path, stdin, MAX_BYTES, failure=SpecUnreadable, remedy=_REMEDY)


_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def duration(text: str) -> timedelta | None:
    """`90s`, `30m`, `2h`, `3d`; None for any other text and for nothing."""
    found = _DURATION.fullmatch(text)
    return (int(found[1]) * _UNITS[found[2]] or None) if found else None


def moment(text: str) -> datetime:
    """A time with its zone; raises ArgumentTypeError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!a:.40} is no time such as 2026-11-27T18:00:00Z") from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!a:.40} has no zone: write Z or +01:00 behind it")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise argparse.ArgumentTypeError(f"{text!a:.40} is no time of this calendar") from error


def moment_or_duration(text: str) -> datetime | timedelta:
    """Either; raises ArgumentTypeError."""
    ago = duration(text)
    if ago is not None:
        return ago
    if text[:1].isdigit() and len(text) > 8:
        return moment(text)
    raise argparse.ArgumentTypeError(f"{text!a:.40} is neither a duration such as 2h or 3d nor a time with its zone")


def before(at: datetime, ago: timedelta) -> datetime:
    """So long before a time, or the calendar's beginning."""
    try:
        return at - ago
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def shown(at: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
