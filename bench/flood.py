"""A flood of events on one account, and how long another account's repair waits, by SQS's rules as a simulation.

The embedded queue works one batch at a time, so it cannot show this. Sources:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
"""

from collections import deque
from collections.abc import Iterator

from bench.figures import Figure
from tests.template.cfn import HUB

_GROUP = "Flood: ten minutes of events on one account, another one each 7 s on a second account (simulated)"
_SECONDS, _EVERY, _RUN = 600, 7, 1.0
RATES = (5, 15)
"""Events a second; 15 stands for IAM's own rate, which AWS does not publish."""


def flood() -> Iterator[Figure]:
    """The longest wait with the queue of the template, and with a fair queue by account with batches of one."""
    mapping = HUB.properties("ReconcileFunction")["Events"]["Jobs"]["Properties"]
    workers, batch = mapping["ScalingConfig"]["MaximumConcurrency"], mapping["BatchSize"]
    for rate in RATES:
        for name, size, fair in (("queue of the template", batch, False), ("fair queue", 1, True)):
            waited = longest_wait(rate, workers=workers, batch=size, fair=fair)
            yield Figure(_GROUP, f"{rate} events a second, {name}: the other account waits", waited * 1000, "ms")


def longest_wait(rate: int, *, workers: int, batch: int, fair: bool) -> float:
    """How many seconds the second account's events wait at most for their runs, of a second each, to begin.

    No two events are about one target, so that groups by target keep none back. `fair`: messages of an account with
    more than a tenth of what is in flight come after those of others.
    """
    many = deque(number / rate for number in range(rate * _SECONDS))
    few = deque(at + 0.3 for at in range(_EVERY, _SECONDS, _EVERY))
    free = [0.0] * workers
    longest = 0.0
    while few:
        now = min(free)
        begun = max(now, min(one[0] for one in (many, few) if one))
        taken = 0
        while taken < batch:
            ready = [one for one in (few, many) if one and one[0] <= begun]
            if not ready:
                break
            first = ready[0] if fair else min(ready, key=lambda one: one[0])
            sent = first.popleft()
            if first is few:
                longest = max(longest, begun + taken * _RUN - sent)
            taken += 1
        free[free.index(now)] = begun + taken * _RUN
    return longest
