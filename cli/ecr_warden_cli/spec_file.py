"""The argument SPEC: a path, or `-` for stdin."""

import argparse
import hashlib
from dataclasses import dataclass
from typing import BinaryIO

from ecr_warden.model.desired import CompiledSpec
from ecr_warden.spec import Invalid, Loaded, Problem, Spec, Valid, compile_spec, load_spec
from ecr_warden.spec.parse import MAX_BYTES

from ecr_warden_cli.context import Context, Failure
from ecr_warden_cli.files import name_of, read_file

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


@dataclass(frozen=True, slots=True)
class Compiled:
    """A valid spec, and the documents that it stands for."""

    spec: Spec
    compiled: CompiledSpec


def add_spec(parser: argparse.ArgumentParser) -> None:
    """Declare the argument."""
    parser.add_argument("spec", metavar="SPEC", help="the desired-state file (YAML or JSON), or - for stdin")


def load(path: str, context: Context) -> Loaded:
    """Read and check the file; raises SpecUnreadable."""
    return load_spec(_read(path, context.stdin), now=context.clock.now())


def load_compiled(path: str, context: Context) -> Compiled:
    """The documents that the file stands for; raises SpecUnreadable, SpecInvalid.

    The version is made of the file's bytes: the same file has the same one, wherever it is.
    """
    data = _read(path, context.stdin)
    match load_spec(data, now=context.clock.now()):
        case Invalid(problems):
            raise SpecInvalid(name_of(path), problems)
        case Valid(spec):
            version = f"sha256:{hashlib.sha256(data).hexdigest()}"
            return Compiled(spec, compile_spec(spec, version=version))


def _read(path: str, stdin: BinaryIO) -> bytes:
    return read_file(path, stdin, MAX_BYTES, failure=SpecUnreadable, remedy=_REMEDY)
