"""Reports calls that change no document of the spec and may do harm: credentials, images, ecr-warden's own things."""

from msgspec import Struct

from ecr_warden.core.alert import AlertBus
from ecr_warden.core.job import ReportCall, ReportOwnChange
from ecr_warden.repair.alerts import HarmfulCall, OwnChanged
from ecr_warden.state.accepted import AcceptedSpecs


class ReportCalls(Struct, frozen=True):
    """The use case over its ports."""

    specs: AcceptedSpecs
    alerts: AlertBus

    def report(self, job: ReportCall) -> str:
        """Announce the call unless the spec does not name its target; returns what was done, for the log."""
        accepted = self.specs.accepted()
        if accepted is None:
            return "not in the spec"
        is_named = job.account in accepted.accounts if job.target is None else accepted.spec_of(job.target) is not None
        if not is_named:
            return "not in the spec"
        self.alerts.publish(HarmfulCall(job.cause, job.target, job.account, job.region))
        return "reported"


def report_own_change(job: ReportOwnChange, alerts: AlertBus) -> str:
    """Announce that somebody changed one of ecr-warden's own resources; returns what was done, for the log."""
    alerts.publish(OwnChanged(job.cause, job.account, job.thing))
    return "reported"
