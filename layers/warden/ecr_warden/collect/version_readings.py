"""What is read of the accounts for a verdict on a version of the spec."""

from collections.abc import Callable

from msgspec import Struct

from ecr_warden.collect.survey import Survey
from ecr_warden.core.failures import PortError, RetryLater
from ecr_warden.core.job import FIRST_AND_LAST, Attempt, JudgeVersion, ReadForVersion
from ecr_warden.core.queue import Jobs
from ecr_warden.state.hold import OPEN, Hold
from ecr_warden.state.holds import Holds, Verdicts


class ReadForVersions(Struct, frozen=True):
    """Reads the accounts for a verdict, each part since the version was seen first, and notes which were read.

    It writes nothing but the kept pieces and these notes; one that is killed goes on with the next part.
    """

    holds: Holds
    verdicts: Verdicts
    survey: Survey
    jobs: Jobs
    has_time: Callable[[], bool]

    def read(self, job: ReadForVersion, attempt: Attempt = FIRST_AND_LAST) -> str:
        """Read what was not read yet, and have the version judged; raises RetryLater."""
        hold = self.holds.find(job.request)
        if hold is None or hold.state not in OPEN or hold.asked is None:
            return "nobody asks any more"
        noted = self.verdicts.notes(hold)
        due = [part for part in hold.asked.parts if noted.get(part) != ""]
        for part in due:
            self.verdicts.note(hold, part, self._read(part, hold, attempt))
        self.jobs.enqueue([JudgeVersion(job.cause, job.request, after_reading=True)])
        return f"{len(due)} parts"

    def _read(self, part: str, hold: Hold, attempt: Attempt) -> str:
        """Why a part was not read; empty if it was."""
        if not self.has_time():
            if not attempt.is_last:
                raise RetryLater("there was no time to read all accounts", retryable=True)
            return "there was no time to read it"
        try:
            self.survey.fresh(part, hold.since, attempt)
        except PortError as error:
            if error.retryable and not attempt.is_last:
                raise RetryLater(str(error), retryable=True) from error
            return str(error)
        return ""
