"""What a verb gets besides its arguments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from ecr_warden.errors import WardenError
from ecr_warden.ports.clock import Clock
from ecr_warden.ports.documents import Documents
from ecr_warden.spec.spec import Account

from ecr_warden_cli.console import Console

type OpenDocuments = Callable[[Sequence[Account], Mapping[str, str]], Documents]
"""(the spec's accounts, account id -> profile) to the live documents; raises Failure when no account can be read."""


class Failure(WardenError):
    """The verb cannot do what it was asked; said in one line, exit code 1."""

    code = "failure"


class UsageError(Failure):
    """The command was called in a way that it does not understand."""

    code = "usage"


class Hub(Protocol):
    """The deployed hub: the texts of requests in, JSON out."""

    def answer(self, request: str) -> dict[str, Any]:
        """Ask; raises Failure."""
        ...

    def control(self, request: str) -> dict[str, Any]:
        """Command, in the name of whoever runs this; raises Failure."""
        ...


type OpenHub = Callable[[str | None, str | None], Hub]
"""(the hub's region, a profile in its account) to the hub, None for the defaults; raises Failure."""


@dataclass(frozen=True, slots=True)
class Context:
    """The world of one run; tests bring their own."""

    stdin: BinaryIO
    console: Console
    clock: Clock
    open_documents: OpenDocuments
    open_hub: OpenHub
    sleep: Callable[[float], None]
