"""Reports a credential of a user whom the spec names: who has it can what the user can, and no policy shows it."""

from msgspec import Struct

from ecr_warden.model.alert import CredentialMade
from ecr_warden.model.job import ReportCredential
from ecr_warden.ports.alerts import AlertBus
from ecr_warden.ports.store import Specs


class ReportCredentials(Struct, frozen=True):
    """The use case over its ports."""

    specs: Specs
    alerts: AlertBus

    def __call__(self, job: ReportCredential) -> str:
        """Announce the credential unless the spec does not name its user; returns what was done, for the log."""
        accepted = self.specs.accepted()
        if accepted is None or accepted.spec_of(job.target) is None:
            return "not in the spec"
        self.alerts.publish(CredentialMade(job.cause, job.target))
        return "reported"
