"""What people ask for through the hub, and who they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ecr_warden.model.job import Actor
from ecr_warden.ports.errors import PortError

if TYPE_CHECKING:  # most runs were asked for by nobody
    from ecr_warden.model.request import Answer, Call


class CallerUnproved(PortError):
    """Who asked is not known, so nothing was done."""

    code = "caller-unproved"


class CallRepeated(PortError):
    """A command with this id was taken before."""

    code = "call-repeated"


class Calls(Protocol):
    """What people asked for through the hub, who they were, and what came of it."""

    def take(self, call: "Call") -> None:
        """Record a command before anything is done about it; raises CallRepeated if its id was taken before."""
        ...

    def answer(self, call_id: str, answer: "Answer") -> None:
        """Record how the run of one of its targets ended, in the place of an earlier answer."""
        ...

    def answers(self, call_id: str) -> "Sequence[Answer]":
        """The answers so far, one a target."""
        ...


class Callers(Protocol):
    """Who asks."""

    def prove(self, proof: object, request: str, hub: str) -> Actor:
        """The principal that signed exactly this request for this hub, not long ago; raises CallerUnproved."""
        ...
