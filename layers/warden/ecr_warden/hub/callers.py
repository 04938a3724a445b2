"""Who sends a command."""

from typing import Protocol

from ecr_warden.core.job import Actor


class Callers(Protocol):
    """Authenticates the callers of commands."""

    def authenticate(self, proof: object, request: str, hub: str) -> Actor:
        """The principal that recently signed exactly this request for this hub; raises CallerUnauthenticated."""
