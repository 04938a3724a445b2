"""Reports calls that change no document and may do harm: credentials, sessions, images, ecr-warden's own things."""

from msgspec import Struct

from ecr_warden.core.alert import AlertBus
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import ReportCall, ReportOwnChange
from ecr_warden.core.target import RoleTarget
from ecr_warden.repair.alerts import HarmfulCall, OwnChanged
from ecr_warden.state.accepted import AcceptedSpecs


class ReportCalls(Struct, frozen=True):
    """The use case over its ports."""

    specs: AcceptedSpecs
    alerts: AlertBus

    def report(self, job: ReportCall) -> str:
        """Announce the call if it concerns the spec; returns what was done, for the log."""
        accepted = self.specs.accepted()
        if accepted is None or not _concerns(job, accepted):
            return "not reported"
        self.alerts.publish(HarmfulCall(job.cause, job.target, job.account, job.region))
        return "reported"


def _concerns(job: ReportCall, accepted: CompiledSpec) -> bool:
    """What it is on is the spec's, or a role that only its account is: a role of the spec is repaired."""
    is_ours = job.place in accepted.accounts
    match job.target:
        case None:
            return is_ours
        case RoleTarget() as role:
            return is_ours and accepted.spec_of(role) is None
        case target:
            return accepted.spec_of(target) is not None


def report_own_change(job: ReportOwnChange, alerts: AlertBus) -> str:
    """Announce that somebody changed one of ecr-warden's own resources; returns what was done, for the log."""
    alerts.publish(OwnChanged(job.cause, job.account, job.thing))
    return "reported"
