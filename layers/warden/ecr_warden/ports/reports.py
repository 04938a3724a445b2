"""Where the report of the day is kept."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ecr_warden.report.report import Report


class Reports(Protocol):
    """The last report: it says who has which access, so whoever may read the estate may read it, and nobody else."""

    def last(self) -> "Report | None":
        """The last report; None before the first, and for one that this version cannot read. Raises PortError."""
        ...

    def keep(self, report: "Report") -> None:
        """Replace the last report; raises PortError."""
        ...
