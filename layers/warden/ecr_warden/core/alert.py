"""What all alerts have in common, and where they are published."""

from typing import TYPE_CHECKING, Protocol

from ecr_warden.core.job import Cause
from ecr_warden.core.value import Value

if TYPE_CHECKING:
    from ecr_warden.notify.alert import Alert


class _Alert(Value, frozen=True, tag_field="kind"):
    cause: Cause


class AlertBus(Protocol):
    """Where runs, specs and commands publish their alerts; anybody may subscribe."""

    def publish(self, alert: "Alert") -> None:
        """Publish it; raises PortError."""
        ...
