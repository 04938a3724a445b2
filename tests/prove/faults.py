"""Every call of a port in every scene, and every way in which it can fail; then what must be true all the same."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.collect.estate import Reading
from ecr_warden.core.address import DENY_OLDER_SESSIONS
from ecr_warden.core.codec.accounts import LIST_CALL, POLICY_CALL
from ecr_warden.core.failures import PermissionMissing, PortError, Throttled, Unanswered
from ecr_warden.core.job import AcceptSpec, AuditAccess, FollowClock, Job, SurveyIdentities
from ecr_warden.core.observed import Present, as_unreadable
from ecr_warden.repair.alerts import PauseEnded
from ecr_warden.repair.cutoff import pre_image
from ecr_warden.repair.documents import RepositoryListing
from ecr_warden.repair.extent import unreadable
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document
from iam_access.inventory.accounts import IAM_CALL
from local.testing.memory.sessions import MemorySessions
from local.testing.seed import OUTSIDER, PUSHER
from tests.prove.judge import audited_again, swept, unjournalled, unreported, unsettled
from tests.prove.scenes import SCENES
from tests.prove.wiring import Call, Hub, Written
from tests.receives import MAX_RECEIVES
from tests.usecases.world import Crash

SEED = 20261127
OUTAGE = MAX_RECEIVES + 2
"""Calls of one method that fail in a row: more than a job has receives."""


class Kind(StrEnum):
    """What happens to a call."""

    THROTTLED = "throttled"
    INTERNAL = "an internal error"
    DENIED = "denied"
    UNANSWERED = "no answer although it took effect"
    RESET = "the connection is reset before it takes effect"
    KILLED_BEFORE = "the process is killed before it"
    KILLED_AFTER = "the process is killed after it"


class Fault(NamedTuple):
    """What happens to the `at`-th call; `lasts`: to OUTAGE calls of the same method."""

    kind: Kind
    at: int
    lasts: bool = False

    def __str__(self) -> str:
        return f"call {self.at}{' and on' if self.lasts else ''}: {self.kind}"


class Case(NamedTuple):
    """A scene and its faults, by the number of the call."""

    scene: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"{self.scene}; {', '.join(map(str, self.faults))}"


@dataclass(slots=True)
class Faulty:
    """A wire on which the planned faults happen.

    `calls`: so far; `fired`: the faults that happened; `hit`: the calls they happened to.
    """

    planned: tuple[Fault, ...] = ()
    calls: int = 0
    fired: list[Fault] = field(default_factory=list)
    hit: list[str] = field(default_factory=list)
    _down: dict[str, list[Kind]] = field(default_factory=dict)
    _dead: bool = False

    def __call__(self, call: Call) -> Any:
        if self._dead:
            raise Crash
        self.calls += 1
        fault = next((fault for fault in self.planned if fault.at == self.calls), None)
        if fault is not None:
            self.fired.append(fault)
            self.hit.append(str(call))
            self._down[str(call)] = [fault.kind] * (OUTAGE if fault.lasts else 1)
        down = self._down.get(str(call))
        return self._happens(down.pop(), call) if down else call.make()

    def revive(self) -> None:
        """Another process takes the next job."""
        self._dead = False

    def end(self) -> None:
        """Nothing fails any more."""
        self._dead, self.planned = False, ()
        self._down.clear()

    def _happens(self, kind: Kind, call: Call) -> Any:
        match kind:
            case Kind.KILLED_BEFORE:
                self._dead = True
                raise Crash
            case Kind.KILLED_AFTER:
                self._dead = True
                call.make()
                raise Crash
            case Kind.UNANSWERED:
                call.make()
                return _answer(call, Unanswered(f"{call}: no answer", retryable=True))
            case Kind.RESET:
                return _answer(call, Unanswered(f"{call}: connection reset", retryable=True))
            case Kind.THROTTLED | Kind.INTERNAL:
                return _answer(call, Throttled(f"{call}: {kind}", retryable=True))
            case Kind.DENIED:
                return _answer(call, PermissionMissing(f"{call}: denied"))


def _answer(call: Call, error: PortError) -> Any:
    """How the port's contract shows an error: raised, or as what could not be read."""
    match call.port, call.method, call.args:
        case "documents", "read", (spec,):
            return unreadable(spec, as_unreadable(error))
        case "documents", "list_repositories", (patterns,):
            return RepositoryListing((), tuple((pattern, error) for pattern in patterns))
        case "switch", "reason_to_stop", _:
            return f"the stop switch cannot be read: {error}"
        case "estate", "identities", _:
            return Reading({"unread": [{"what": IAM_CALL, "code": error.code}]}, {IAM_CALL: error})
        case "estate", "registry", (_, region, _, named):
            entries = [{"repositoryName": name} for name in named]
            notes = [{"what": what, "region": region, "code": error.code} for what in (LIST_CALL, POLICY_CALL)]
            return Reading({"repositories": entries, "unread": notes}, dict.fromkeys((LIST_CALL, *named), error))
        case _:
            raise error


class Verdict(NamedTuple):
    """What became of a case.

    `wrong`: what is not as it must be; `silent`: what nobody heard of; `extra_writes`: writes that a run without faults
    does not make; `calls`: of the ports until no job was left; `exhausted`: jobs.
    """

    fired: int
    calls: int
    wrong: tuple[str, ...]
    silent: tuple[str, ...]
    extra_writes: int
    exhausted: int


class Undisturbed(NamedTuple):
    """What a scene does without faults: its calls, its writes, those of them that repeat what was live, its alerts."""

    calls: tuple[str, ...]
    writes: frozenset[tuple[Any, ...]]
    rewrites: frozenset[tuple[Any, ...]]
    alerts: frozenset[tuple[str, ...]]


def undisturbed(scene: str) -> Undisturbed:
    """Run a scene as it is."""
    hub, names = SCENES[scene](), list[str]()

    def named(call: Call) -> Any:
        names.append(str(call))
        return call.make()

    hub.wire = named
    hub.settle()
    return Undisturbed(
        tuple(names),
        frozenset(map(_mark, hub.written)),
        frozenset(_mark(one) for one in hub.written if _changes_nothing(one)),
        frozenset(_announced(hub)),
    )


def tried(case: Case, expected: Undisturbed) -> Verdict:
    """Run a scene with its faults until no job is left, then one sweep without; and judge."""
    hub, faulty = SCENES[case.scene](), Faulty(case.faults)
    world = hub.world
    sessions = MemorySessions(world.documents, world.clock, PUSHER)
    opened = sessions.assume(f"arn:aws:iam::{OUTSIDER}:user/eve")
    hub.wire, hub.begin = faulty, faulty.revive
    hub.settle()
    calls = faulty.calls
    faulty.end()
    swept(hub)
    audited_again(hub)
    wrong = [*unsettled(hub), *unjournalled(hub)]
    if opened is not None and sessions.works(opened):
        wrong.append("a session that was opened through the trust policy still works")
    extra = [one for one in hub.written if not _is_allowed(one, expected, hub)]
    return Verdict(
        len(faulty.fired), calls, tuple(wrong), tuple(_unheard(hub, expected)), len(extra), len(hub.exhausted)
    )


def _mark(one: Written) -> tuple[Any, ...]:
    """What identifies a write; the period in a cut-off differs from run to run."""
    address, after = one.change.address, one.change.after
    if address.name == DENY_OLDER_SESSIONS:
        return address, after is None
    return address, after.text if isinstance(after, Document) else repr(after)


def _changes_nothing(one: Written) -> bool:
    after = one.change.after
    return isinstance(one.before, Present) and one.before.value == after


def _is_allowed(one: Written, expected: Undisturbed, hub: Hub) -> bool:
    """Whether a run without faults writes this too, or it only removes what the spec does not give."""
    if _changes_nothing(one):
        return _mark(one) in expected.rewrites
    return _mark(one) in expected.writes or _only_removes(one, hub)


def _only_removes(one: Written, hub: Hub) -> bool:
    """While a role cannot be read, its pushers only lose."""
    accepted, address, after = hub.world.specs.compiled, one.change.address, one.change.after
    assert accepted is not None
    spec = accepted.spec_of(address.target)
    given = None if spec is None else spec.documents.get(address)
    before = pre_image(one.before)[2]
    if before is None or not isinstance(given, Document):
        return False
    if after is None:
        return before != given
    assert isinstance(after, Document)
    kind = address.document_kind
    return not any(gained_and_lost(other, after, kind=kind).gained for other in (before, given))


_ALERTS_OF: Mapping[type[Job], tuple[str, ...]] = {
    AcceptSpec: ("Spec", "Hold"),
    FollowClock: ("PauseEnded",),
    SurveyIdentities: ("AccessAudited",),
    AuditAccess: ("AccessAudited",),
}
"""What an exhausted job of a kind leaves unsaid; that it is exhausted is reported in its place."""


def _announced(hub: Hub) -> Iterator[tuple[str, ...]]:
    """What identifies the alerts that must come, whatever fails; runs are judged by what they wrote."""
    for alert in hub.world.alerts.published:
        match alert:
            case SpecAccepted(version=version) | SpecRefused(version=version):
                yield type(alert).__name__, version
            case HoldOpened(hold=hold) | HoldSettled(hold=hold):
                yield type(alert).__name__, hold.id, hold.state
            case PauseEnded(targets=targets):
                yield "PauseEnded", *targets
            case AccessAudited(appeared=appeared):
                yield from (("AccessAudited", group.finding.key) for group in appeared)
            case _:
                pass


def _unheard(hub: Hub, expected: Undisturbed) -> Iterator[str]:
    yield from unreported(hub)
    exhausted = tuple(name for job in hub.exhausted for name in _ALERTS_OF.get(type(job), ()))
    for alert in sorted(expected.alerts - {*_announced(hub)}):
        if not alert[0].startswith(exhausted):
            yield f"nobody heard of {' '.join(alert)}"
    if len(hub.messages) < len(hub.exhausted):
        yield f"{len(hub.exhausted) - len(hub.messages)} exhausted jobs were not reported"


def singles(scene: str, expected: Undisturbed) -> Iterator[Case]:
    """Each call with each fault, once; and for each method an outage that begins with its first call."""
    for at in range(1, len(expected.calls) + 1):
        yield from (Case(scene, (Fault(kind, at),)) for kind in Kind)
    for at, name in enumerate(expected.calls, 1):
        if name not in expected.calls[: at - 1]:
            yield from (Case(scene, (Fault(kind, at, lasts=True),)) for kind in Kind)


def pairs(scene: str, expected: Undisturbed, number: int) -> Iterator[Case]:
    """A fault, and another one among the calls that are made after it."""
    drawn = random.Random(f"{SEED} {scene}")
    kinds = tuple(Kind)
    for _ in range(number):
        first = Fault(drawn.choice(kinds), drawn.randint(1, len(expected.calls)))
        made = tried(Case(scene, (first,)), expected).calls
        if made > first.at:
            yield Case(scene, (first, Fault(drawn.choice(kinds), drawn.randint(first.at + 1, made))))


class Report(NamedTuple):
    """The figures of build/faults.json; `diverged`, `silent`: the cases, each with what is wrong."""

    calls: int = 0
    cases: int = 0
    fired: int = 0
    diverged: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    extra_writes: int = 0

    def joined(self, other: "Report") -> "Report":
        return Report(
            self.calls + other.calls,
            self.cases + other.cases,
            self.fired + other.fired,
            self.diverged + other.diverged,
            self.silent + other.silent,
            self.extra_writes + other.extra_writes,
        )


def of_scene(scene: str, *, number_of_pairs: int, one_in: int = 1) -> Report:
    """Try the cases of a scene, or one in so many of them."""
    expected = undisturbed(scene)
    cases = [*singles(scene, expected), *pairs(scene, expected, number_of_pairs)]
    chosen = cases if one_in == 1 else random.Random(f"{SEED} {scene}").sample(cases, max(1, len(cases) // one_in))
    report = Report(calls=len(expected.calls))
    for case in chosen:
        found = tried(case, expected)
        wrong = found.wrong if found.fired == len(case.faults) else (*found.wrong, "a fault did not happen")
        diverged = tuple(f"{case}: {what}" for what in wrong)
        silent = tuple(f"{case}: {what}" for what in found.silent)
        report = report.joined(Report(0, 1, found.fired, diverged, silent, found.extra_writes))
    return report
