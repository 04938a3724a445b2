"""A flood of events on one account, and how long another account's repair waits, by SQS's rules as a simulation.

The embedded queue is not fair, so it cannot show this. Sources:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import cycle

from msgspec import Struct, field

from bench.figures import Figure
from tests.template.cfn import HUB

_GROUP = "Flood: ten minutes of events on one account, another one each 7 s on a second account (simulated)"
_SECONDS, _EVERY = 600, 7
_RECENT = 60.0
"""Over how many seconds a share of processing time is taken; AWS says "recent"."""
LOADS = {
    "5 events a second, runs of 1 s": (5, (1.0,)),
    "15 events a second, runs of 1 s": (15, (1.0,)),
    "15 events a second, runs of 2 s": (15, (2.0,)),
    "15 events a second, runs of 0.5 to 5 s": (15, (0.5, 1.0, 5.0, 0.7, 2.0)),
}
"""Events a second and the seconds of runs; 15 stands for IAM's own rate, which AWS does not publish."""


def flood() -> Iterator[Figure]:
    """The longest wait with the queue of the template, and with a FIFO queue whose batches have ten."""
    mapping = HUB.properties("ReconcileFunction")["Events"]["Jobs"]["Properties"]
    workers, batch = mapping["ScalingConfig"]["MaximumConcurrency"], mapping["BatchSize"]
    for name, (rate, runs) in LOADS.items():
        waited = longest_wait(rate, runs, workers=workers, batch=batch)
        yield Figure(_GROUP, f"{name}: the other account waits", waited * 1000, "ms", 2000)
        instead = longest_wait(rate, runs, workers=workers, batch=10, is_fair=False)
        yield Figure(_GROUP, f"{name}: in a FIFO queue, ten a batch", instead * 1000, "ms")


def longest_wait(rate: int, runs: Sequence[float], *, workers: int, batch: int, is_fair: bool = True) -> float:
    """How many seconds the quiet account's events wait at most for their runs to begin.

    No two events are about one target, so that no lease and no FIFO group by target keeps any back.
    """
    flooded = deque(number / rate for number in range(rate * _SECONDS))
    quiet = deque(at + 0.3 for at in range(_EVERY, _SECONDS, _EVERY))
    queue, lengths = _Queue({"flooded": flooded, "quiet": quiet}, is_fair), cycle(runs)
    free = [0.0] * workers
    longest = 0.0
    while quiet:
        now = max(heappop(free), queue.earliest())
        for group, at in queue.receive(now, batch):
            if group == "quiet":
                longest = max(longest, now - at)
            begins, now = now, now + next(lengths)
            queue.work.append((group, begins, now))
        heappush(free, now)
    return longest


class _Queue(Struct):
    """Messages by group, oldest first. `work`: from when till when messages of a group were in flight."""

    waiting: Mapping[str, deque[float]]
    is_fair: bool
    work: deque[tuple[str, float, float]] = field(default_factory=deque)

    def earliest(self) -> float:
        return min(times[0] for times in self.waiting.values() if times)

    def receive(self, now: float, most: int) -> list[tuple[str, float]]:
        """Messages that were sent by now: those of quiet groups first, the oldest; else of the least in flight."""
        taken: list[tuple[str, float]] = []
        order = self._order(now)
        while len(taken) < most:
            ready = [group for group, times in self.waiting.items() if times and times[0] <= now]
            if not ready:
                break
            group = min(ready, key=lambda group: (order.get(group, 0), self.waiting[group][0]))
            taken.append((group, self.waiting[group].popleft()))
        return taken

    def _order(self, now: float) -> Mapping[str, int]:
        """By noisy group, how many of its messages are in flight.

        Noisy: more than a tenth of what is in flight and 30 at least, or more than a tenth of recent processing time.
        """
        if not self.is_fair:
            return {}
        while self.work and self.work[0][2] < now - _RECENT:
            self.work.popleft()
        in_flight, spent = Counter[str](), defaultdict[str, float](float)
        for group, begins, ends in self.work:
            in_flight[group] += begins <= now < ends
            spent[group] += min(now, ends) - max(begins, now - _RECENT)
        most, recent = in_flight.total() / 10, sum(spent.values()) / 10
        return {
            group: max(in_flight[group], 1)
            for group in spent
            if in_flight[group] > max(most, 29) or spent[group] > recent
        }
