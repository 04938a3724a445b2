"""One tamper, and the evidence of its repair, collected without asking the product."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local.aws.calls import Call
from local.aws.faults import EventLate, Fault
from local.aws.launcher import EmulatedAws
from local.demo import journal, truth
from local.demo.journal import Run
from local.demo.people import Somebody
from local.demo.quiet import Quiet, by_product
from local.demo.report import Report
from local.demo.stage import Stage
from local.demo.tampers import Tamper
from local.demo.truth import Snapshot
from local.testing.waiting import NeverCame

# CloudTrail is late: on AWS seconds to minutes, here long enough to read a tampered document before its repair.
_LATE_MS = 300
_ALWAYS = 1_000_000


@dataclass(slots=True)
class Ring:
    """What tampers and checks share.

    `right`: the documents as they should be; `repairs`: the runs that repaired them.
    """

    stage: Stage
    quiet: Quiet
    report: Report
    right: Snapshot = field(default_factory=dict)
    repairs: list[Run] = field(default_factory=list)
    late: int = _LATE_MS

    def events_come_late(self) -> None:
        """Delay CloudTrail for people's calls; the product's own calls are reported at once."""
        self.late = max(_LATE_MS, 4 * milliseconds_of(lambda: truth.read(self.stage.aws)))
        for person in (self.stage.people.registry_admin, self.stage.people.ci_admin):
            effect = EventLate(self.late)
            self.stage.aws.add_fault(Fault("*", "*", effect, principal=person.principal, times=_ALWAYS))

    def attack(
        self,
        tamper: Tamper,
        *,
        during: Callable[[], None] = lambda: None,
        late: int = 0,
        stands: Snapshot | None = None,
        read: Callable[[EmulatedAws], Snapshot] = truth.read,
    ) -> Run | None:
        """Tamper once and wait for the repair by a run that an event caused; returns that run, or None.

        `during` runs before the event arrives; `late`: a longer delay of the event, in milliseconds. `stands`: the
        documents before, if they are not `right` but equivalent or more than the spec says; `read` reads them.
        """
        somebody = tamper.side.somebody(self.stage.people)
        bout = Bout(self, f"{somebody.words} {tamper.what}", somebody, stands or self.right, read)
        bout.strike(tamper)
        during()
        repair = bout.undone(tamper)
        if repair is not None:
            ended = max((call.at + call.milliseconds / 1000 for call in bout.writes_of(repair)), default=0.0)
            waited = (ended - bout.struck[0]) * 1000 - max(late, self.late)
            self.report.waits.append(waited)
            self.report.screen.repaired(tamper.repair, waited)
        return repair


@dataclass(slots=True)
class Bout:
    """A tamper and its observation. `struck`: when its calls were answered, in seconds since 1970."""

    ring: Ring
    name: str
    somebody: Somebody
    stands: Snapshot
    read: Callable[[EmulatedAws], Snapshot] = truth.read
    mark: int = 0
    began: float = 0.0
    struck: list[float] = field(default_factory=list)
    calls: tuple[Call, ...] = ()

    def __post_init__(self) -> None:
        self.mark, self.began = self.ring.stage.aws.mark(), time.time()
        self.ring.report.tampers += 1
        before = self.read(self.ring.stage.aws)
        wrong = truth.difference(before, self.stands)
        self.ring.report.check(f"before: {self.name}", not wrong, f"{len(before)} documents right; wrong: {wrong}")

    def strike(self, tamper: Tamper) -> None:
        """Tamper; one that changes nothing fails."""
        aws, report = self.ring.stage.aws, self.ring.report
        mark = aws.mark()
        tamper.do(self.somebody)
        report.screen.attack(self.somebody.words, tamper.what)
        changed = truth.difference(self.read(aws), self.stands)
        report.check(f"the tamper changes something: {self.name}", bool(changed), ", ".join(changed) or "nothing")
        own = [c for c in aws.writes_since(mark) if c.action in {a.partition(":")[2] for a in tamper.actions}]
        self.struck += [call.at + call.milliseconds / 1000 for call in own if self.somebody.name in call.principal]

    def undone(self, tamper: Tamper, *, cause: str = "event", burst: bool = False) -> Run | None:
        """Wait until nothing is left to do; then everything must be right, through a run after the tamper."""
        ring = self.ring
        try:
            ring.quiet.wait(self.mark, events=cause == "event")
        except NeverCame as late:
            self._lost(str(late))
            return None
        left = truth.difference(truth.read(ring.stage.aws), ring.right)
        if left:
            self._lost(f"still not right: {', '.join(left)}")
            return None
        self.calls = ring.stage.aws.calls(self.mark)
        runs = [
            run
            for run in journal.runs(ring.stage.aws, ring.stage.hub["Table"], since=self.began)
            if run.target == tamper.target and run.applied
        ]
        self._judge_writes(runs, burst=burst)
        causes = ("event", "run") if burst else (cause,)
        right = [run for run in runs if run.result == "converged" and run.cause in causes and self._after(run, burst)]
        any_call = burst or cause != "event"
        fitting = [run for run in right if any_call or (run.action in tamper.actions and self.somebody.name in run.who)]
        shown = "; ".join(f"run {run.id} of cause {run.cause} {run.action} by {run.who or 'nobody'}" for run in runs)
        if not ring.report.check(
            f"repaired by a run of the right cause: {self.name}", bool(fitting), shown or "no run"
        ):
            self._lost("no fitting run")
            return None
        ring.report.repaired += 1
        ring.repairs.append(fitting[-1])
        return fitting[-1]

    def writes_of(self, run: Run) -> list[Call]:
        """The writes to member accounts that carry the run's ID."""
        return [call for call in by_product(self.calls) if call.source_identity == f"ecrw-{run.id}"]

    def _after(self, run: Run, burst: bool) -> bool:
        """Whether the run began after the tamper; in a burst it must at least have written after the last one."""
        if burst:
            return any(call.at > self.struck[-1] for call in self.writes_of(run))
        return run.started > self.struck[0]

    def _judge_writes(self, runs: Sequence[Run], *, burst: bool) -> None:
        """One run may write, in a burst at most one per tamper; any other write is a false one."""
        writes, allowed = by_product(self.calls), len(self.struck) if burst else 1
        known = sum(len(self.writes_of(run)) for run in runs[:allowed])
        vain = len(writes) - known
        self.ring.report.false_writes += vain
        shown = ", ".join(f"{call.action} by {call.source_identity or call.principal}" for call in writes)
        self.ring.report.check(f"no write beyond the repair: {self.name}", vain == 0, shown or "nothing written")

    def _lost(self, why: str) -> None:
        self.ring.report.unrepaired.append(self.name)
        self.ring.report.check(f"repaired: {self.name}", False, why)


def milliseconds_of(work: Callable[[], object]) -> int:
    """How long something takes on this machine."""
    began = time.monotonic()
    work()
    return round((time.monotonic() - began) * 1000)
