"""Reports calls that change no document of the spec and may do as much harm: credentials, and the life of images."""

from msgspec import Struct

from ecr_warden.model.alert import HarmfulCall
from ecr_warden.model.job import ReportCall
from ecr_warden.ports.alerts import AlertBus
from ecr_warden.ports.store import Specs


class ReportCalls(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    alerts: AlertBus

    def __call__(self, job: ReportCall) -> str:
        """Announce the call unless the spec does not name its target; returns what was done, for the log."""
        accepted = self.specs.accepted()
        if accepted is None or accepted.spec_of(job.target) is None:
            return "not in the spec"
        self.alerts.publish(HarmfulCall(job.cause, job.target))
        return "reported"
