"""What a message says of access is true of the estate at its time: random histories beside a plain model.

The model knows who can pull from each repository, what the accepted and the replaced version say, and who wrote what
when. It reads no policy and no plan: whoever stands in the document can pull.
"""

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from copy import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, field

from ecr_warden.core.address import repository_policy
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.failures import PermissionMissing
from ecr_warden.core.job import Actor, Cause, CauseKind, ReconcileTarget
from ecr_warden.core.pause import Pause
from ecr_warden.core.result import Severity
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import Message, MessageState
from ecr_warden.notify.wording import written
from ecr_warden.repair.alerts import RunEnded
from iam_access.document.document import Document
from local.testing.seed import ACCEPTED, CHECKOUT, CI, HOME, OUTSIDER, allow, document, spec_of
from tests import examples
from tests.usecases.world import World, failing, world_in_sync

CART = replace(CHECKOUT, name="shop/cart")
REPOSITORIES = CHECKOUT, CART
ANN, BOB, EVE = f"arn:aws:iam::{CI}:user/ann", f"arn:aws:iam::{CI}:user/bob", f"arn:aws:iam::{OUTSIDER}:root"
PEOPLE = frozenset({ANN, BOB, EVE})
SETS = [frozenset(some) for some in ({ANN}, {ANN, BOB}, {ANN, EVE}, {BOB}, {BOB, EVE}, PEOPLE)]
WRITERS = [Actor("IAMUser", arn=f"arn:aws:iam::{HOME}:user/{name}", account=HOME) for name in ("mallory", "trudy")]
_FINE = (MessageState.CLOSED, MessageState.DONE)
_SAYS = re.compile(
    r"(?:account (?P<account>\d{12})|(?P<arn>arn:\S+)) "
    r"(?P<verb>could not|could|cannot|can|gained|lost|will lose|will gain) "
    r"(?:the right to )?pull from (?P<where>[\w/]+)"
)
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"

type People = frozenset[str]


class Written(Struct, frozen=True):
    """Somebody else's write: by whom and when, and whether an event of it has been delivered."""

    by: str
    at: datetime
    event: str


class Model(Struct):
    """One repository: who can pull, who should and should before the last version, and others' writes since in sync."""

    live: People
    spec: People
    before: People | None
    """None after two versions in a row of which neither was in effect."""
    others: list[Written] = field(default_factory=list)
    reached: bool = True
    """Whether the accepted version was in effect there, if only by the hand of somebody else."""


class History(Struct):
    """A world, its model, and the jobs that have not come yet."""

    random: Random
    world: World
    models: dict[Target, Model]
    waiting: list[ReconcileTarget] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)
    said: list[tuple[RunEnded, Message]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def step(self) -> None:
        self.world.clock.advance(timedelta(seconds=self.random.choice((1, 5, 40, 100, 1000))))
        acts = (self.tamper, self.tamper, self.deliver, self.deliver, self.sweep, self.version, self.pause, self.switch)
        self.random.choice((*acts, self.fails, self.reconcile))()
        self.note()

    def note(self) -> None:
        for target in REPOSITORIES:
            model = self.models[target]
            model.live = people_of(self.world.live(repository_policy(target)))
            model.reached = model.reached or model.live == model.spec

    def looked(self, target: Target) -> None:
        """A run has looked: what it found in sync is over, whoever did it a minute ago or earlier."""
        self.note()
        model = self.models[target]
        if model.live == model.spec:
            model.others = [one for one in model.others if one.at + timedelta(minutes=1) > self.now]

    def tamper(self) -> None:
        target, who, writer = self.random.choice(REPOSITORIES), self.random.choice(SETS), self.random.choice(WRITERS)
        self.world.put(repository_policy(target), policy_of(who))
        event = f"e{next(self.world.ids)}"
        self.models[target].others.append(Written(writer.arn, self.now, event))
        cause = Cause(CauseKind.EVENT, event, "ecr:SetRepositoryPolicy", self.now.isoformat(), actor=writer)
        if self.random.random() < 0.8:
            self.waiting.append(ReconcileTarget(cause, target))

    def version(self) -> None:
        """Another version is accepted, perhaps an older one; its own runs come before or after what else waits."""
        name = f"v{next(self.world.ids)}"
        wanted = {target: self.random.choice(SETS) for target in REPOSITORIES}
        accept(self.world, name, wanted)
        for target, who in wanted.items():
            model = self.models[target]
            model.before, model.spec = model.spec if model.reached else None, who
            model.reached = who == model.live
            self.waiting.append(ReconcileTarget(Cause(CauseKind.SPEC, name), target))

    def deliver(self) -> None:
        if self.waiting:
            self.run(self.waiting.pop(self.random.randrange(len(self.waiting))))

    def reconcile(self) -> None:
        cause = Cause(CauseKind.CALLER, f"c{next(self.world.ids)}", "reconcile", self.now.isoformat(), actor=WRITERS[0])
        self.run(ReconcileTarget(cause, self.random.choice(REPOSITORIES)))

    def sweep(self) -> None:
        self.world.sweep()
        jobs, self.world.jobs.sent[:] = list(self.world.jobs.sent), []
        for job in jobs:
            if isinstance(job, ReconcileTarget):
                self.run(job)

    def pause(self) -> None:
        target, until = self.random.choice(REPOSITORIES), self.now + timedelta(seconds=self.random.choice((0, 60)))
        self.world.state.pause(target, Pause("p", WRITERS[0], "a migration", self.now, until))

    def switch(self) -> None:
        self.world.switch.enabled = not self.world.switch.enabled

    def fails(self) -> None:
        failing(self.world, PermissionMissing("ecr:SetRepositoryPolicy"), times=1)

    def run(self, job: ReconcileTarget) -> None:
        """A run, and what its message says beside the model."""
        self.note()
        was = {target: copy.deepcopy(model) for target, model in self.models.items()}[job.target]
        sent = len(self.world.announced)
        if job.cause.kind is CauseKind.EVENT:
            self.delivered.add(job.cause.id)
        self.world.reconcile().reconcile(job)
        self.world.jobs.sent.clear()
        assert isinstance(job.target, RepositoryTarget)
        after = people_of(self.world.live(repository_policy(job.target)))
        for run in self.world.announced[sent:]:
            message = message_of([run])
            found = untrue(run, message, was, after, self.delivered, self.now)
            self.wrong += [f"{what}: {message} {was}" for what in found]
            self.said.append((run, message))
        self.looked(job.target)


def untrue(
    run: RunEnded, message: Message, was: Model, after: People, delivered: set[str], now: datetime
) -> Iterator[str]:
    """What a message says that is not so; `was`: before the run, `after` it: who can pull."""
    of_version = not was.reached and was.live == was.before and not run.contested
    texts = (message.title, *message.lines)
    said = [found.groupdict() for text in texts for found in _SAYS.finditer(text)]
    for one in said:
        who = one["arn"] or f"arn:aws:iam::{one['account']}:root"
        could, may, can = who in was.live, who in was.spec, who in after
        holds = {
            "could": could and not may and not can,
            "could not": not could and may and can,
            "can": can and not may,
            "cannot": not can and may,
            "gained": not could and may and can,
            "lost": could and not may and not can,
            "will lose": can and not may,
            "will gain": not can and may,
        }
        if one["where"] != written(run.target) or not holds[one["verb"]]:
            yield f"{who} {one['verb']}"
    named = {one["arn"] or f"arn:aws:iam::{one['account']}:root" for one in said}
    if missing := (was.live ^ was.spec) - named:
        yield f"nothing of {sorted(missing)}"
    if message.state in _FINE and after - was.spec:
        yield "over, and somebody still can"
    if message.state not in _FINE and after == was.spec:
        yield "not over, and all is as the spec says"
    lets_in = EVE in after - was.live and (run.cause.rolls_out or not was.reached)
    gives = lets_in and was.before is not None and EVE not in was.before
    if (
        message.state is MessageState.DONE
        and was.live - was.spec
        and not (of_version or lets_in or run.cause.rolls_out)
    ):
        yield "done, and somebody else opened it"
    yield from _rated(message.severity, run, was, gives=gives, of_version=of_version)
    yield from _opened(message, was, delivered, now)


def _rated(severity: Severity, run: RunEnded, was: Model, *, gives: bool, of_version: bool) -> Iterator[str]:
    if gives and severity is not Severity.CRITICAL:
        yield "a version lets in an outsider"
    if not (of_version or run.cause.rolls_out) and EVE in was.live - was.spec and severity is not Severity.CRITICAL:
        yield "somebody lets in an outsider"
    if of_version and not gives and run.result.is_fine and severity is not Severity.INFO:
        yield "the spec narrows"


def _opened(message: Message, was: Model, delivered: set[str], now: datetime) -> Iterator[str]:
    """Who did it, and when."""
    fields = {one.label: one.text for one in message.fields}
    by, asked = fields.get("By", ""), fields["To do"]
    known = [one for one in was.others if one.event in delivered]
    named = next((one.arn for one in WRITERS if by.startswith(one.arn)), None)
    if named is not None and not any(one.by == named for one in known):
        yield "by somebody who wrote nothing"
    if window := re.search(f"between ({_TIME}) and ({_TIME})", asked):
        since, until = map(datetime.fromisoformat, window.groups())
        if not since <= until <= now:
            yield "a window that ends before it begins"
        if was.others and since > was.others[-1].at:
            yield "a window that begins too late"


def people_of(live: object) -> People:
    """Who stands in a document."""
    if live is None:
        return frozenset()
    assert isinstance(live, Document)
    found: set[str] = set()
    for statement in json.loads(live.text)["Statement"]:
        who = statement["Principal"]["AWS"]
        found |= {who} if isinstance(who, str) else {*who}
    return frozenset(found)


def policy_of(people: People) -> Document:
    return document(*(allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", who=who) for who in sorted(people)))


def version_of(name: str, wanted: dict[RepositoryTarget, People]) -> CompiledSpec:
    entries = {
        target.key: replace(spec_of(CHECKOUT), target=target, documents={repository_policy(target): policy_of(who)})
        for target, who in wanted.items()
    }
    return replace(ACCEPTED, version=name, targets=entries)


def accept(world: World, name: str, wanted: dict[RepositoryTarget, People]) -> None:
    world.specs.accept(version_of(name, wanted), over=world.specs.standing(), at=world.clock.now())
    world.clock.advance(timedelta(seconds=1))


def played(seed: int, steps: int = 14) -> History:
    first = dict.fromkeys(REPOSITORIES, SETS[1])
    world = world_in_sync(version_of("v1", first))
    models: dict[Target, Model] = {target: Model(who, who, who) for target, who in first.items()}
    history = History(Random(seed), world, models)
    history.note()
    for _ in range(steps):
        history.step()
    return history


@examples.of(500)
@given(st.integers(0, 2**32))
def test_what_a_message_says_is_true_of_the_estate_at_its_time(seed: int) -> None:
    assert played(seed).wrong == []


def test_the_histories_have_what_messages_are_about() -> None:
    said = [one for seed in range(60) for one in played(seed).said]
    states = Counter(message.state for _, message in said)
    assert min(states[state] for state in (*_FINE, MessageState.OPEN, MessageState.FAILED)) >= 5
    assert {message.severity for _, message in said} == {*Severity}
    assert {run.cause.kind for run, _ in said} >= {CauseKind.EVENT, CauseKind.SWEEP, CauseKind.SPEC, CauseKind.CALLER}
    assert any("between" in field.text for _, message in said for field in message.fields)
