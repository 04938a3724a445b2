"""What brings the hub its events."""

from collections.abc import Sequence
from typing import Protocol

from ecr_warden.model.wire import Wire


class Wiring(Protocol):
    """The hub's own rules and notification, as far as the hub can see: those of the members are out of its sight."""

    def wires(self) -> Sequence[Wire]:
        """Each as it is now; what cannot be read says so, nothing is raised."""
        ...
