"""Waiting where AWS asks to slow down.

botocore's few attempts are meant for one call among few. A scan makes hundreds, and GetAccountAuthorizationDetails of
large accounts is throttled through all of them: aws-samples/bulk-policy-migrator #19.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ecr_warden.adapters.aws.deadline import MEMBER_RESERVE, Deadline
from ecr_warden.ports.errors import Throttled

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try of a call that was throttled; botocore's own attempts come on top."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Tries a call again while AWS asks to slow down and there is time to."""

    deadline: Deadline = field(default_factory=Deadline)
    sleep: Callable[[float], None] = time.sleep

    def __call__[T](self, call: Callable[[], T]) -> T:
        """The call's answer; raises what it raises, Throttled after the last try or where the next came too late."""
        for pause in PAUSES:
            try:
                return call()
            except Throttled:
                if self.deadline.is_within(MEMBER_RESERVE + pause):
                    raise
                self.sleep(pause)
        return call()
