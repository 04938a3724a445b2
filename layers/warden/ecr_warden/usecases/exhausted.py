"""A job that reached its last attempt, whatever ended it: people hear of it, and the job is kept.

A run whose process was killed can report nothing itself, so this rests on the queue alone.
"""

from dataclasses import dataclass

from ecr_warden.model.alert import JobFailed
from ecr_warden.model.codec.base import CodecError
from ecr_warden.model.codec.jobs import job_from_text
from ecr_warden.model.job import Cause, CauseKind
from ecr_warden.ports.alerts import DeadLetters
from ecr_warden.ports.errors import PortError
from ecr_warden.usecases.alert import SendAlerts


@dataclass(frozen=True, slots=True)
class ReportExhausted:
    """The use case over its ports. Delivery is at least once."""

    send_alerts: SendAlerts
    dead_letters: DeadLetters

    def __call__(self, body: str, *, group: str, message_id: str) -> None:
        """Report the job that is the body of a message, then keep it; raises PortError."""
        failed = _failed(body, message_id)
        try:
            self.send_alerts.announce(failed)
        except PortError:
            # It may be what ended the job, too: a message for each job is better than none at all.
            self.send_alerts.at_once(failed)
        self.dead_letters.keep(body, group=group, message_id=message_id)


def _failed(body: str, message_id: str) -> JobFailed:
    try:
        job = job_from_text(body)
    except CodecError as error:
        return JobFailed(Cause(CauseKind.EVENT, message_id), None, str(error))
    return JobFailed(job.cause, job)
