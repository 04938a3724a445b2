"""Actors on one target whose calls of the ports are interleaved, and what must hold in every order."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby, islice
from typing import Any, NamedTuple

from ecr_warden.core.address import by_target
from ecr_warden.core.desired import DocumentTakeover
from ecr_warden.core.job import AcceptSpec, Attempt, Cause, CauseKind, Job, ReconcileTarget, SweepRepositories
from ecr_warden.core.result import Result
from ecr_warden.core.run import RunReport
from ecr_warden.core.target import Target
from ecr_warden.hub.request import request_to_text
from ecr_warden.state.commands import Accept, Command, Reject
from ecr_warden.state.hold import Verdict
from ecr_warden.state.state import Learned
from iam_access.document.document import Document, raw_statements
from iam_access.equivalent.canonical import digest
from iam_access.errors import NamedError
from local.testing.seed import CHECKOUT, CI, D1, HOME, MALLORY, OUTSIDER, allow, document
from tests.prove.judge import swept, unjournalled, unreported, unsettled
from tests.prove.scenes import FEWER, held_spec, spec_in_sync, upload
from tests.prove.schedules import Moves, Step, explored, played
from tests.prove.wiring import Call, Hub, Written
from tests.usecases.hub import HUB, commands_of
from tests.usecases.uploads import TEXT, is_of_a_verdict
from tests.usecases.world import FIRST, OPEN, World, write_session

THEIRS = document(allow("ecr:*", who=MALLORY))
OTHERS = document(allow("ecr:BatchGetImage", who=f"arn:aws:iam::{OUTSIDER}:user/eve"))


class Accepted(NamedTuple):
    """A version of the spec became the accepted one, in place of another."""

    version: str
    replaces: str


class Reconciled(NamedTuple):
    """A run that worked by a version left the target in sync, or brought it there."""

    target: str
    version: str


class Unleased(NamedTuple):
    """A write that its run began without the lease of the target."""

    write: Written


type Event = Accepted | Reconciled | Written | Unleased


# A person who accepts a take-over is asked once more if meanwhile a run has taken excess access out of the document.
_MOST_ASKED = 2


@dataclass(slots=True)
class Stage:
    """One world and its actors, each with a wire of its own.

    `events`: what happened, in order; `waits`: the versions of the spec that wait for a person; `intruders`: the events
    of calls by intruders; `accepts`: a person accepts in the end whatever waits then, and what is asked again of it.
    """

    world: World
    written: list[Written] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    failed: list[Job] = field(default_factory=list)
    waits: frozenset[str] = frozenset()
    intruders: frozenset[str] = frozenset()
    accepts: bool = False

    def hub(self) -> Hub:
        return Hub(self.world, written=self.written)

    def works(self, *jobs: Job, attempt: Attempt = FIRST) -> Moves:
        """A process that does jobs one after the other; one that fails is delivered again in the end."""

        def moves(hand_over: Callable[[], None]) -> None:
            hub = self.hub()

            def wire(call: Call) -> Any:
                # Nobody moves between the look at the lease and this.
                is_ours = call.method != "write" or self._holds(call.args[0].address.target, hub.writing)
                hand_over()
                answer = call.make()
                self._note(call)
                if not is_ours:
                    self.events.append(Unleased(self.written[-1]))
                return answer

            hub.wire = wire
            for job in jobs:
                try:
                    hub.do(job, attempt)
                except Exception:
                    self.failed.append(job)

        return moves

    def writes(self, *documents: Document) -> Moves:
        """Somebody else, who writes the repository's policy."""

        def moves(hand_over: Callable[[], None]) -> None:
            for one in documents:
                hand_over()
                self.world.put(D1, one)

        return moves

    def gives(self, command: Command, job: Job) -> Moves:
        """A person, whose command may be refused; then the job that it leads to."""

        def moves(hand_over: Callable[[], None]) -> None:
            hub = self.hub()

            def wire(call: Call) -> Any:
                hand_over()
                return call.make()

            hub.wire = wire
            with suppress(NamedError):
                commands_of(hub.wired).carry_out(request_to_text(command), "alice", HUB)
            self.works(job)(hand_over)

        return moves

    def lets_pass(self, time: timedelta) -> Moves:
        def moves(hand_over: Callable[[], None]) -> None:
            hand_over()
            self.world.clock.advance(time)

        return moves

    def ends(self) -> Iterator[str]:
        """Whatever failed is delivered again; then what is not as it must be."""
        hub = self.hub()
        for job in self.failed:
            hub.again(job)
        hub.settle()
        swept(hub)
        # Whatever waits, nobody whom the accepted version does not name is let in meanwhile.
        live = str(self.world.live(D1))
        yield from (f"{who} is still let in" for who in (MALLORY, OUTSIDER) if who in live)
        for _ in range(_MOST_ASKED if self.accepts else 0):
            for hold in self.world.holds.waiting():
                self.gives(Accept(f"yes-{hold.id}", hold.id), AcceptSpec(Cause(CauseKind.EVENT, "look")))(lambda: None)
                hub.settle()
        yield from self.stale()
        yield from self.unapproved()
        yield from self.miscounted()
        yield from (f"{one.write.run_id} wrote without its lease" for one in self.events if isinstance(one, Unleased))
        yield from unsettled(hub)
        yield from unjournalled(hub)
        yield from unreported(hub)

    def stale(self) -> Iterator[str]:
        """Writes by a version although a newer one was accepted and the target has been reconciled with it."""
        order = [self.world.accepted.version, *(one.version for one in self.events if isinstance(one, Accepted))]
        reached: dict[str, int] = {}
        for event in self.events:
            match event:
                case Reconciled(target, version):
                    reached[target] = max(reached.get(target, 0), order.index(version))
                case Written() as one if order.index(one.version) < reached.get(one.change.address.target.key, 0):
                    yield f"{one.run_id} wrote {one.change.address} by {one.version}, which was superseded"
                case _:
                    pass

    def unapproved(self) -> Iterator[str]:
        """Versions that had to wait and were accepted without a person, on another ground, or twice by one approval."""
        used: set[str] = set()
        for event in self.events:
            if isinstance(event, Accepted) and event.version in self.waits:
                hold = self.world.holds.last_of(event.version)
                # Whoever looks at the same time may have opened it anew: the approval stays.
                approved = {known for (known, _), one in self.world.holds.decisions.items() if one.verdict in _YES}
                if hold is None or hold.ground.accepted != event.replaces or hold.id not in approved:
                    yield f"{event.version} was accepted in place of {event.replaces}, and nobody approved that"
                elif hold.id in used:
                    yield f"the approval of {hold.id} was used twice"
                else:
                    used.add(hold.id)

    def miscounted(self) -> Iterator[str]:
        """Intruders of whom people heard twice, or not at all."""
        heard = Counter(run.cause.id for run in self.world.announced if run.intruder)
        yield from (f"{event} was reported {heard[event]} times" for event in self.intruders if heard[event] != 1)

    def _holds(self, target: Target, run_id: str) -> bool:
        held = self.world.state.leases.get(target.key)
        # Each try of a run has an ID of its own, behind an x.
        return held is not None and held.run_id == run_id.partition("x")[0] and self.world.state.holds(held)

    def _note(self, call: Call) -> None:
        match call.port, call.method, call.args:
            case "specs", "accept", (spec, *_):
                before = [one.version for one in self.events if isinstance(one, Accepted)]
                self.events.append(Accepted(spec.version, [self.world.accepted.version, *before][-1]))
            case "documents", "write", _:
                self.events.append(self.written[-1])
            case "state", "release", (_, Learned(report=RunReport() as report)) if report.result in _RECONCILED:
                self.events.append(Reconciled(report.plan.target.key, report.plan.spec_version))
            case _:
                pass


_YES = (Verdict.ACCEPT,)
_RECONCILED = (Result.IN_SYNC, Result.CONVERGED)


class Play(NamedTuple):
    """A stage with its actors, by name in the order in which they go if nobody is interrupted."""

    stage: Stage
    actors: Mapping[str, Moves]


def _job(name: str) -> ReconcileTarget:
    return ReconcileTarget(Cause(CauseKind.EVENT, name), CHECKOUT)


def _stage(live: Document = OPEN) -> Stage:
    world = spec_in_sync(TEXT)
    world.put(D1, live)
    return Stage(world)


def _accepts(stage: Stage) -> Moves:
    """A new version is judged and accepted, and its job for the target is done."""
    return _judged(stage, upload(stage.hub(), FEWER, "v2"), ReconcileTarget(Cause(CauseKind.SPEC, "v2"), CHECKOUT))


def _judged(stage: Stage, accept: AcceptSpec, *then: Job) -> Moves:
    """An upload is looked at, judged if that is asked for, and looked at again; then other jobs are done."""

    def moves(hand_over: Callable[[], None]) -> None:
        stage.works(accept)(hand_over)
        while asked := [job for job in stage.world.jobs.sent if is_of_a_verdict(job)]:
            stage.world.jobs.sent.remove(asked[0])
            stage.works(asked[0])(hand_over)
        stage.works(*then)(hand_over)

    return moves


def _two_runs() -> Play:
    stage = _stage()
    return Play(
        stage,
        {
            "one": stage.works(_job("one")),
            "other": stage.works(_job("other")),
            "somebody": stage.writes(THEIRS, OTHERS),
        },
    )


def _event_comes_twice() -> Play:
    """Two processes have the same message, as a standard queue allows: that of a call in a session nobody opened."""
    world, actor = spec_in_sync(TEXT), write_session("mallory", CHECKOUT)
    world.put(D1, OPEN)
    job = ReconcileTarget(Cause(CauseKind.EVENT, "twice", "ecr:SetRepositoryPolicy", actor=actor), CHECKOUT)
    stage = Stage(world, intruders=frozenset({"twice"}))
    return Play(stage, {"one": stage.works(job), "other": stage.works(job), "somebody": stage.writes(THEIRS)})


def _run_and_spec() -> Play:
    stage = _stage()
    return Play(stage, {"run": stage.works(_job("one")), "spec": _accepts(stage), "somebody": stage.writes(THEIRS)})


def _sweep_and_spec() -> Play:
    stage = _stage()
    sweep = SweepRepositories(Cause(CauseKind.SWEEP, "sweep"), HOME, CHECKOUT.region)
    return Play(
        stage,
        {
            "sweep": stage.works(sweep, _job("sweep")),
            "spec": _accepts(stage),
            "somebody": stage.writes(THEIRS),
        },
    )


def _two_sweeps() -> Play:
    """Of one part, as no queue has them; each finds the same and has it repaired."""
    stage = _stage()

    def sweeps(name: str) -> Moves:
        sweep = SweepRepositories(Cause(CauseKind.SWEEP, name), HOME, CHECKOUT.region)
        return stage.works(sweep, ReconcileTarget(sweep.cause, CHECKOUT))

    return Play(stage, {"one": sweeps("one"), "other": sweeps("other"), "somebody": stage.writes(THEIRS)})


def _late_run() -> Play:
    """A process that lives longer than its lease, as none does (invariant 18)."""
    stage = _stage()
    return Play(
        stage,
        {
            "late": stage.works(_job("one")),
            "time": stage.lets_pass(timedelta(minutes=10)),
            "other": stage.works(_job("other")),
            "somebody": stage.writes(THEIRS),
        },
    )


def _two_specs() -> Play:
    """Two uploads, each accepted by a process of its own."""
    stage = _stage()
    first = upload(stage.hub(), FEWER, "v2")

    def uploads(hand_over: Callable[[], None]) -> None:
        hand_over()
        _judged(stage, upload(stage.hub(), TEXT + "# again\n", "v3"), _job("v3"))(hand_over)

    return Play(stage, {"v2": _judged(stage, first, _job("v2")), "v3": uploads, "somebody": stage.writes(THEIRS)})


def _take_over() -> Play:
    """A version takes over a document that its writer changes until it is rolled out, and while it is."""
    stage = _stage()
    stage.accepts = True
    judged = {str(D1): DocumentTakeover(digest(OPEN, kind=D1.document_kind), "v1")}
    stage.world.specs.compiled = replace(stage.world.accepted, taken_over=by_target(judged))
    # The second leaves something of the spec's, which has to be judged anew before the rest comes back.
    part = document(*raw_statements(OTHERS), allow("ecr:BatchGetImage", who=f"arn:aws:iam::{CI}:user/pull-user-1"))
    return Play(
        stage,
        {
            "run": stage.works(_job("one")),
            "event": stage.works(_job("other")),
            "somebody": stage.writes(document(*raw_statements(OPEN), *raw_statements(THEIRS)), THEIRS, part),
        },
    )


def _approval(newer: str) -> Play:
    """One person accepts a version that waits and another rejects it, while a newer one is uploaded."""
    hub, hold = held_spec()
    stage = Stage(hub.world, waits=frozenset({"v2"}))
    look = AcceptSpec(Cause(CauseKind.EVENT, "look"))

    def uploads(hand_over: Callable[[], None]) -> None:
        hand_over()
        _judged(stage, upload(stage.hub(), newer, "v3"))(hand_over)

    return Play(
        stage,
        {
            "accepts": stage.gives(Accept("the-yes-command", hold.id), look),
            "rejects": stage.gives(Reject("the-no-command", hold.id), look),
            "uploads": uploads,
        },
    )


PLAYS: Mapping[str, Callable[[], Play]] = {
    "a run that lost its lease": _late_run,
    "an approval and a newer spec": lambda: _approval(TEXT + "# again\n"),
    "two runs of a target": _two_runs,
    "a take-over and the writer of the document": _take_over,
    "an event that comes twice": _event_comes_twice,
    "a run and a new spec": _run_and_spec,
    "a sweep and a new spec": _sweep_and_spec,
    "two sweeps": _two_sweeps,
    "two new specs": _two_specs,
}


class Explored(NamedTuple):
    """How many orders were tried, and what was wrong in which."""

    orders: int
    wrong: tuple[str, ...]


def explore(make: Callable[[], Play], *, at_most: int, interruptions: int = 2, only_first: bool = False) -> Explored:
    """Try the orders of a play, those with the fewest interruptions first; `only_first`: until one is wrong."""
    wrong: list[str] = []

    def play(prefix: tuple[str, ...]) -> tuple[Step, ...]:
        stage, actors = make()
        steps = played(actors, prefix)
        wrong.extend(f"{_shortened(steps)}: {what}" for what in stage.ends())
        return steps

    tried = 0
    for _ in islice(explored(play, interruptions=interruptions), at_most):
        tried += 1
        if wrong and only_first:
            break
    return Explored(tried, tuple(wrong))


def _shortened(steps: Iterable[Step]) -> str:
    """Who moved, and how many calls far."""
    return ", ".join(f"{name} {len([*group])}" for name, group in groupby(step.chosen for step in steps))
