"""The command `ecr-warden`: from argv to an exit code."""

import io
import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ecr_warden.aws.system import SystemClock
from ecr_warden_cli.terminal.console import INTERRUPTED, Console, Exit
from ecr_warden_cli.terminal.context import Context, Failure
from ecr_warden_cli.terminal.folding import width_of
from ecr_warden_cli.verbs.arguments import parse_arguments
from iam_access.errors import NamedError

if TYPE_CHECKING:
    from ecr_warden_cli.deployment.sessions import DeploymentAws

READER_GONE = 141  # as shells report SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command on the process's own streams and credentials."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    console = Console(sys.stdout, sys.stderr, os.environ, width_of(sys.stdout, os.environ))
    context = Context(sys.stdin.buffer, console, SystemClock(), _aws, time.sleep)
    try:
        code = run(sys.argv[1:] if argv is None else argv, context)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return READER_GONE
    except OSError as error:  # errors of input files are handled elsewhere
        _drop_output()
        console.error(f"the output cannot be written: {error.strerror or error}")
        return Exit.ERROR
    return code


def _open_closed_streams() -> None:
    """Replace a standard stream that the parent process closed with /dev/null."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 - open as long as the process
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123


def _drop_output() -> None:
    """Python flushes stdout at exit, which would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(argv: Sequence[str], context: Context) -> int:
    """Run one verb; every expected failure becomes a line on stderr."""
    wants_json = "--json" in argv
    try:
        arguments = parse_arguments(argv)
        code: int = arguments.run(arguments, context)
    except NamedError as error:
        _say(error, context.console, wants_json=wants_json)
        return Exit.ERROR
    except KeyboardInterrupt as interrupt:
        context.console.error(str(interrupt) or "interrupted; this command has written no policy")
        return INTERRUPTED
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)
    return code


def _say(error: NamedError, console: Console, *, wants_json: bool) -> None:
    console.notes(error.lines if isinstance(error, Failure) else ())
    console.error(str(error))
    if wants_json:
        console.answer(_error_to_json(error))


def _error_to_json(error: NamedError) -> dict[str, Any]:
    details = error.details if isinstance(error, Failure) else {}
    return {"error": {"code": error.code, "message": error.message, "remedy": error.remedy}, **details}


def _aws() -> "DeploymentAws":
    """Loaded on demand, so that validate and render do not load boto3."""
    from ecr_warden_cli.verbs import aws  # noqa: PLC0415

    return aws
