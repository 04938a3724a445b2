"""The function `control`."""

from functools import cached_property

from ecr_warden.bootstrap.incidents import IncidentAdapters
from ecr_warden.bootstrap.specs import SpecAdapters
from ecr_warden.hub.aws_callers import StsCallers
from ecr_warden.hub.commands import Commands


class ControlAdapters(SpecAdapters, IncidentAdapters):
    """All that it is made of."""

    @cached_property
    def callers(self) -> StsCallers:
        """Who proves by a signature who they are."""
        return StsCallers(
            self.client("sts"),
            self.environment.required("AWS_REGION"),
            self.environment.required("WARDEN_HUB_ACCOUNT"),
            self.clock,
        )


def commands(on: ControlAdapters) -> Commands:
    """Its use case."""
    return Commands(
        specs=on.specs,
        state=on.state,
        command_records=on.command_records,
        jobs=on.jobs,
        alerts=on.alerts,
        callers=on.callers,
        log=on.log,
        holds=on.holds,
        incidents=on.incident_records,
        clock=on.clock,
    )
