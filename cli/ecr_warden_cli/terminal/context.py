"""What a verb is, and what it gets besides its arguments."""

import argparse
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from msgspec import Struct

from ecr_warden.core.clock import Clock
from ecr_warden_cli.terminal.console import Console, Exit
from iam_access.errors import NamedError

if TYPE_CHECKING:  # loaded by the verbs that need them
    from ecr_warden.access_spec.spec import SpecAccount
    from ecr_warden.collect.estate import Reading
    from ecr_warden.state.switch import Position


class Failure(NamedError, code="failure"):
    """The verb failed: one line on stderr, exit code 1.

    `lines`: what is said before it.
    """

    details: Mapping[str, Any] = MappingProxyType({})
    """What its JSON has besides the error."""

    def __init__(self, message: str, *, remedy: str = "", code: str = "", lines: Sequence[str] = ()) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.lines = lines


class UsageError(Failure, code="usage"):
    """The command line is wrong."""


class SwitchMissing(Failure, code="hub-unreachable"):
    """There is no stop switch: somebody deleted it, or no hub is there."""


class Uploaded(Struct, frozen=True):
    """A version of the spec in the hub's bucket, and when it came there."""

    version: str
    at: datetime


class Hub(Protocol):
    """The deployed hub: request texts in, JSON out."""

    def account(self) -> str:
        """The ID of its account; raises Failure."""

    def answer(self, request: str) -> dict[str, Any]:
        """Ask a question; raises Failure."""

    def control(self, request: str, *, of_upload: bool = False) -> dict[str, Any]:
        """Send a command in the caller's name; raises Failure. `of_upload`: by the way of those who may do no more."""

    def spec(self, version: str) -> bytes:
        """A version of the spec, with the caller's rights to its bucket; raises Failure."""

    def uploads(self) -> Iterator[Uploaded]:
        """The versions of the spec that S3 has, newest first, with the caller's rights; raises Failure."""

    def upload(self, data: bytes) -> str:
        """Upload the spec, with the caller's rights to its bucket, and return its version; raises Failure."""

    def switch_writes(self, position: "Position") -> None:
        """Set the stop switch, with the caller's rights to it; raises Failure, SwitchMissing if there is none."""

    def make_switch(self, position: "Position") -> None:
        """Make the stop switch of a hub that is known to be there; one that is there stays as it is. Raises Failure."""


class Caller(Struct, frozen=True):
    """Whose credentials are used, and the region of their profile, None if it has none."""

    arn: str
    account: str
    region: str | None


class NotEntered(Struct, frozen=True):
    """Why an account could not be entered, and the remedy."""

    reason: str
    remedy: str


class Aws(Protocol):
    """AWS with a person's own credentials, which loads the SDK."""

    def read_parts(
        self, accounts: "Sequence[SpecAccount]", profiles: Mapping[str, str], *, all_tags: bool
    ) -> "Iterator[tuple[str, Reading]]":
        """The accounts and their registries, each whole; with `all_tags` another call for each repository.

        `profiles`: by account ID. Raises Failure, if no account can be read.
        """

    def identify(self, profile: str | None) -> Caller:
        """The owner of the credentials of a profile, None: the default ones; raises Failure."""

    def open_hub(self, region: str | None, profile: str | None) -> Hub:
        """The hub in a region of a profile's account, None for the defaults; raises Failure."""


class Context[A: Aws = Aws](Struct, frozen=True):
    """The environment of one run; tests pass their own. A verb that asks more of AWS says so by `A`."""

    stdin: BinaryIO
    console: Console
    clock: Clock
    aws: Callable[[], A]
    """Loaded by the verbs that need it."""
    sleep: Callable[[float], None]


class Argument(Struct, frozen=True):
    """An argument of a verb, with what argparse is to know of it."""

    names: tuple[str, ...]
    settings: Mapping[str, Any]


def argument(*names: str, **settings: Any) -> Argument:
    """An argument, as argparse.ArgumentParser.add_argument takes it."""
    return Argument(names, settings)


class ArgumentGroup(Struct, frozen=True):
    """Arguments under a heading in the verb's help; without one, exactly one of them is to be given."""

    heading: str
    arguments: tuple[Argument, ...]


type Arguments = tuple[Argument | ArgumentGroup, ...]


class Verb(Struct, frozen=True):
    """One verb of the command.

    `description` is for the verb's own help, where the summary is not enough: paragraphs, with an empty line between
    them.
    """

    example: str
    """Lines to paste, in the checkout where they name a file of it."""
    arguments: Arguments
    run: Callable[[argparse.Namespace, Context[Any]], Exit]
    description: str = ""
    json_help: str = "print one JSON object; docs/cli.md describes it"


class Lazy(Struct, frozen=True):
    """A verb by its summary, its module in `verbs`, and its name there: most commands need one verb."""

    summary: str
    module: str
    name: str

    def load(self) -> Verb:
        """Import the verb."""
        verb: Verb = getattr(importlib.import_module(f"ecr_warden_cli.verbs.{self.module}"), self.name)
        return verb
