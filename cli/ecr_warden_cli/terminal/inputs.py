"""What people pass to a verb: files, the spec, numbers and names."""

import argparse
import hashlib
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import replace
from pathlib import Path
from typing import Any, BinaryIO

from ecr_warden.access_spec import Code, Invalid, Problem, Valid, load_spec
from ecr_warden.access_spec.nodes import MapNode
from ecr_warden.access_spec.parse import parse_text
from ecr_warden.access_spec.problems import ProblemReport
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES
from ecr_warden_cli.terminal.context import Context, Failure, argument
from iam_access.text import strict_json
from iam_access.text.printable import cut, invisible

# Somebody may pass a whole document where its name belongs.
_NAME_SHOWN = 300
HUB_REGION = "default: ECR_WARDEN_HUB_REGION, that of ecr-warden.yaml here, or that of the profile"
HUB_PROFILE = "default: ECR_WARDEN_HUB_PROFILE, or the default credentials"
DEFAULT_SPEC = "access.yaml"
"""The spec's file where none is named."""
DEPLOYMENT_FILE = "ecr-warden.yaml"
"""The deployment's."""
EXAMPLE = Path(__file__).parents[1] / "example"
"""A spec, `access.yaml`, and a snapshot, `estate.json`, that come with the command."""
BY_HAND = "retype it by hand; it was probably copied from a web page or chat"
_SPEC_REMEDY = "give the path of the spec, or - to read it from stdin"


def name_of(path: str) -> str:
    """The file's name in messages."""
    return "<stdin>" if path == "-" else cut(path.removeprefix(f"{EXAMPLE.parent}/"), _NAME_SHOWN)


def read_file(path: str, stdin: BinaryIO, limit: int, *, code: str, remedy: str) -> bytes:
    """The content, at most one byte over the limit, so that the caller can refuse a larger file.

    Raises Failure with this code.
    """
    with open_file(path, stdin, code=code, remedy=remedy) as file:
        return file.read(limit + 1)


def read_json(path: str, stdin: BinaryIO, limit: int, *, code: str, remedy: str) -> Any:
    """The value in a JSON file of at most so many bytes, in which no key comes twice; raises Failure with this code."""
    data, name = read_file(path, stdin, limit, code=code, remedy=remedy).removeprefix(BOM_UTF8), name_of(path)
    if len(data) > limit:
        raise Failure(f"{name} has more than {limit} bytes", code=code, remedy=remedy)
    try:
        return strict_json.load(data, limit)
    except strict_json.DocumentError as error:
        raise Failure(f"{name}: {error.message}", code=code, remedy=remedy) from error


@contextmanager
def open_file(path: str, stdin: BinaryIO, *, code: str, remedy: str) -> Iterator[BinaryIO]:
    """The open file; errors of opening and reading it are raised as a Failure with this code."""
    if not path:
        raise Failure("the name of the file is empty", remedy=remedy, code=code)
    try:
        if path == "-":
            yield stdin
        else:
            with Path(path).open("rb") as file:
                yield file
    except FileNotFoundError as error:
        message = f"there is no file {name_of(path)}"
        if unseen := invisible(path):
            raise Failure(
                f"{message}: the name contains an invisible character, {unseen}", remedy=BY_HAND, code=code
            ) from error
        if path.startswith("s3://"):
            remedy = f"the command reads local files only; use aws s3 cp {name_of(path)} - | ecr-warden ... -"
        raise Failure(message, remedy=remedy, code=code) from error
    except IsADirectoryError as error:
        raise Failure(f"{name_of(path)} is a directory", remedy=remedy, code=code) from error
    except PermissionError as error:
        raise Failure(f"you may not read {name_of(path)}", remedy="check its permissions (ls -l)", code=code) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Failure(f"{name_of(path)} cannot be read: {reason}", remedy=remedy, code=code) from error


def problem_to_json(problem: Problem) -> dict[str, Any]:
    """A problem as every answer in JSON shows it."""
    return {
        "code": problem.code,
        "severity": "error" if problem.is_error else "warning",
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "remedy": problem.remedy,
    }


class SpecInvalid(Failure, code="spec-invalid"):
    """The spec has errors; `lines` are its problems as people read them."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{file} is not valid", remedy="see the problems above")
        self.file = file
        self.problems = problems
        self.lines = tuple(problem.at(file) for problem in problems)
        self.details = {"problems": list(map(problem_to_json, problems))}


A_SPEC, A_DEPLOYMENT, _A_SNAPSHOT = "a spec", "a deployment", "a snapshot"
_TAKEN_BY = {
    A_SPEC: "validate, diff and apply take it",
    A_DEPLOYMENT: "deploy, doctor and remove take it",
    _A_SNAPSHOT: "--snapshot takes it",
}
_OF_SPEC = dict.fromkeys(("teams", "repositories", "documents", "settings"), A_SPEC)
_FIELDS = {"hub": A_DEPLOYMENT, "takenAt": _A_SNAPSHOT, **_OF_SPEC}
"""What a file is by a field at its top."""


def check_kind(data: bytes, path: str, wanted: str) -> None:
    """Raises Failure if the text, which is not valid, is clearly of another kind than the one that is wanted."""
    tree = parse_text(data, ProblemReport())
    fields = [key.text for key, _ in tree.entries] if isinstance(tree, MapNode) else []
    kinds = {_FIELDS[field] for field in fields if field in _FIELDS}
    if len(kinds) == 1 and wanted not in kinds:
        [kind] = kinds
        raise Failure(
            f"{name_of(path)} is {kind} and not {wanted}",
            code="other-file",
            remedy=f"{_TAKEN_BY[kind]}; give {wanted}, such as {DEFAULT_SPEC if wanted == A_SPEC else DEPLOYMENT_FILE}",
        )


SPEC = argument("spec", metavar="SPEC", help="the spec (YAML or JSON), or - for stdin")


def load_compiled(path: str, context: Context, *, remedy: str = _SPEC_REMEDY, accepted: bool = False) -> Valid:
    """Read and compile a spec; raises Failure. Its version is the SHA-256 of its bytes."""
    return load_bytes(read_spec(path, context.stdin, remedy=remedy), path, context, accepted=accepted)


def load_bytes(data: bytes, path: str, context: Context, *, accepted: bool = False) -> Valid:
    """Compile the text of a spec, which was read from `path`; raises SpecInvalid.

    `accepted`: it is in force or was, or is asked about as if it were, so what a new version must not say is a note.
    """
    version = f"sha256:{hashlib.sha256(data).hexdigest()}"
    with context.console.doing("checking the spec"):
        loaded = load_spec(data, version=version, now=context.clock.now(), accepted=accepted)
    match loaded:
        case Invalid(problems):
            check_kind(data, path, A_SPEC)
            raise SpecInvalid(name_of(path), problems)
        case Valid():
            for warning in loaded.warnings:
                if warning.code == Code.ONCE_VALID.code:
                    context.console.note(warning.at(name_of(path)))
            context.console.aliases.update(loaded.compiled.aliases)
            return replace(loaded, text=data.decode("utf-8-sig"))


def read_spec(path: str, stdin: BinaryIO, *, remedy: str = _SPEC_REMEDY) -> bytes:
    """The text of a spec; raises Failure."""
    return read_file(path, stdin, MAX_SPEC_BYTES, code="spec-unreadable", remedy=remedy)


def matching(pattern: str, otherwise: str) -> Callable[[str], str]:
    """To parse text that matches; `otherwise`: what any other text is, such as `is not a run ID`."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            # A webhook's URL is a secret.
            raise argparse.ArgumentTypeError(f"{re.sub('(?s)://.*', '://...', text)!a:.40} {otherwise}")
        return text

    return parse


def within(least: int, most: int) -> Callable[[str], int]:
    """To parse a whole number in a range."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!a:.40} is not a number from {least} to {most}")

    return parse
