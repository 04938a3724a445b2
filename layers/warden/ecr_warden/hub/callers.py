"""The hub apart from its store: clock, job queue, stop switch, event sources, commands."""

from typing import TYPE_CHECKING, Protocol

from ecr_warden.core.job import Actor

if TYPE_CHECKING:
    pass


class Callers(Protocol):
    """Authenticates the callers of commands."""

    def authenticate(self, proof: object, request: str, hub: str) -> Actor:
        """The principal that recently signed exactly this request for this hub; raises CallerUnauthenticated."""
        ...
