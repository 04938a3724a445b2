"""Another writer keeps restoring its version: every surplus goes at once, and people hear of it once."""

import json
from collections.abc import Callable, Iterable
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from ecr_warden.core.address import Address
from ecr_warden.core.failures import RetryAtOnce, RetryLater
from ecr_warden.core.job import Actor, Attempt, Cause, CauseKind, ReconcileTarget
from ecr_warden.core.kinds import HoldReason
from ecr_warden.core.observed import LiveValue
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.target import Target
from ecr_warden.hub.reply import StatusReply
from ecr_warden.hub.request import AskStatus
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import Message, MessageState, Transition
from ecr_warden.repair.alerts import FightMoment, FightNoticed
from iam_access.document.document import Document
from local.testing.people import People
from local.testing.seed import ACCEPTED, ANNA, CHECKOUT, CI, D1, allow, desired, document, spec_of
from tests.usecases.hub import ask
from tests.usecases.world import OPEN, Crash, Fuse, World, expect, world_in_sync

TERRAFORM = Actor(
    "AssumedRole",
    arn=f"arn:aws:sts::{CI}:assumed-role/deploy/ci",
    account=CI,
    issuer=f"arn:aws:iam::{CI}:role/deploy",
    session_name="ci",
    user_agent="APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.75.0",
)
# What is left out of the spec's and what it has too much: a repair gives back and takes away.
THEIRS = document(allow("ecr:BatchGetImage", "ecr:ListImages", who=ANNA))
MINUTE, QUIET = timedelta(minutes=1), timedelta(minutes=11)


@dataclass(slots=True)
class Fight:
    """A world, somebody who restores a version, and the people who get messages."""

    world: World = field(default_factory=world_in_sync)
    people: People = field(default_factory=People)
    _announced: int = 0

    def __post_init__(self) -> None:
        self.people = People(self.world.clock)

    def restore(self, *versions: tuple[Address, LiveValue | None], actor: Actor | None = TERRAFORM) -> Result | None:
        """Somebody writes or removes documents of one target, and the event of the last leads to a run."""
        for address, version in versions:
            if version is None:
                self.world.documents.live.pop(address, None)
            else:
                self.world.put(address, version)
        target = versions[-1][0].target
        action = "ecr:SetRepositoryPolicy" if target == CHECKOUT else "iam:PutRolePolicy"
        now = self.world.clock.now()
        cause = Cause(CauseKind.EVENT, f"e{next(self.world.ids)}", action, now.isoformat(), actor=actor)
        result = self.world.reconcile().reconcile(ReconcileTarget(cause, target))
        self.deliver()
        return result

    def pass_time(self, by: timedelta) -> None:
        """Time passes, and what was collected is sent when it is due."""
        self.people.wait(by.total_seconds())

    def sweep(self) -> None:
        """The sweep comes, and what it finds is repaired."""
        self.world.sweep()
        self.world.drain()
        self.deliver()

    def deliver(self) -> None:
        """What was published reaches people, or the incidents."""
        published = self.world.alerts.published
        self.people.announce(*published[self._announced :])
        self._announced = len(published)

    @property
    def got(self) -> list[Message]:
        """The messages."""
        return [message for _, message in self.people.chat.got]

    @property
    def fights(self) -> list[FightNoticed]:
        return [alert for alert in self.world.alerts.published if isinstance(alert, FightNoticed)]

    @property
    def titles(self) -> list[str]:
        return [message.title for message in self.got]


def gains_of(document: Document | None) -> set[str]:
    """The actions that a document allows."""
    statements = json.loads(document.text)["Statement"] if document is not None else []
    return {action for one in statements for action in _listed(one["Action"]) if one["Effect"] == "Allow"}


def _listed(value: str | list[str]) -> Iterable[str]:
    return [value] if isinstance(value, str) else value


def live(world: World, address: Address = D1) -> Document | None:
    found = world.live(address)
    assert found is None or isinstance(found, Document)
    return found


def test_two_hundred_rewrites_in_forty_seconds_are_all_narrowed_and_a_handful_of_messages() -> None:
    fight = Fight()
    world = fight.world
    for _ in range(200):
        fight.restore((D1, THEIRS))
        assert "ecr:ListImages" not in gains_of(live(world))
        fight.pass_time(timedelta(seconds=0.2))
    assert len([run for run in world.reports if run.applied]) == 200
    assert [one.moment for one in fight.fights] == [FightMoment.BEGAN]
    fight.pass_time(MINUTE)
    assert len(fight.got) <= 4
    about_it = [message.transition for message in fight.got if message.title.startswith("FIGHT")]
    assert about_it == [Transition.OPENED, Transition.GREW], "what lasts comes before the repairs that are over"
    # Every run stands in the journal.
    assert len(world.state.closed) == 200
    assert [target for _, target, run in world.state.waiting if not run] == [CHECKOUT.key], (
        "the next tick is asked once"
    )
    fight.sweep()
    assert live(world) == desired(D1), "what was missing is given back"
    assert [one.moment for one in fight.fights] == [FightMoment.BEGAN]
    messages = len(fight.got)
    fight.pass_time(MINUTE * 30)
    fight.sweep()
    fight.sweep()
    assert [one.moment for one in fight.fights] == [FightMoment.BEGAN, FightMoment.ENDED]
    fight.pass_time(QUIET)
    assert len(fight.got) <= messages + 1
    assert fight.got[-1].transition is Transition.OVER
    ended = "fight over the repository policy of shop/checkout ended, after 200 repairs"
    assert ended in "\n".join(fight.got[-1].lines)


def test_the_message_names_writer_tool_both_versions_and_what_to_do() -> None:
    fight = Fight()
    for _ in range(3):
        fight.restore((D1, THEIRS))
        fight.pass_time(MINUTE)
    [alert] = fight.fights
    message = message_of([alert])
    fields = {one.label: one.text for one in message.fields}
    assert message.title.startswith("FIGHT: ") and " (" not in message.title
    assert (message.severity, fields["Done"][:9]) == (Severity.WARNING, "3 repairs")
    assert not any("APN/1.0" in text for text in fields.values()), "the tool is named, and no SDK"
    assert fields["By"].startswith("session ci of arn:aws:iam::") and fields["By"].endswith(", with Terraform")
    text = "\n".join(message.lines)
    marks = ["Their version gives:", "does not allow it", "Their version lacks:", "the spec allows it"]
    assert sorted(marks, key=text.index) == marks
    assert "ignore_changes = [policy]" in fields["To do"]
    assert f"ecr-warden pause {CHECKOUT}" in text


def test_repairs_that_let_in_outsiders_are_sent_although_a_fight_lasts() -> None:
    fight = Fight()
    for _ in range(5):
        fight.restore((D1, OPEN))
        fight.pass_time(MINUTE)
    assert [run.of_fight for run in fight.world.reports] == [False] * 5
    [began] = fight.fights
    assert began.severity is Severity.CRITICAL
    heard = [Transition.CLOSED, Transition.AGAIN, Transition.GREW]
    assert [message.transition for message in fight.got] == heard, "the last of the fight, which goes on"


def test_another_version_is_no_part_of_a_fight() -> None:
    fight = Fight()
    for _ in range(4):
        fight.restore((D1, THEIRS))
        fight.pass_time(MINUTE)
    fight.restore((D1, document(allow("ecr:DeleteRepository", who=ANNA))))
    assert [run.of_fight for run in fight.world.reports] == [False, False, True, True, False]


def test_what_is_not_given_back_yet_is_held_and_waits() -> None:
    fight = Fight()
    for _ in range(5):
        fight.restore((D1, THEIRS))
        fight.pass_time(MINUTE)
    *_, last = fight.world.reports
    [held] = last.plan.held
    assert (last.result, held.reason) == (Result.WAITING, HoldReason.PACED)
    assert "given back by the next sweep at the latest" in held.explain
    message = message_of(fight.world.announced[-1:])
    assert message.state is MessageState.CLOSED
    lines = message.lines
    assert held.explain in lines
    assert message.fields[2].text.startswith("repository policy narrowed; what is missing is given back later (run ")
    assert any("could act on shop/checkout (ecr:ListImages)" in line for line in lines), "what is over"
    assert any("cannot pull" in line and "and the spec allows it" in line for line in lines), "what is not"
    reply = expect(StatusReply, ask(fight.world, AskStatus((str(CHECKOUT),))))
    [status] = reply.targets
    [shown] = status.fights
    assert (shown.address, shown.repairs, shown.writer) == (D1, 5, TERRAFORM)


def test_a_fight_that_only_sweeps_find_has_an_unknown_writer() -> None:
    fight = Fight()
    for _ in range(3):
        fight.world.put(D1, THEIRS)
        fight.sweep()
        fight.pass_time(MINUTE * 14)
    [began] = fight.fights
    assert began.fight.writer is None
    text = "\n".join(field.text for field in message_of([began]).fields)
    assert "no event named a writer" in text
    assert "lookup-events" in text


def test_a_paused_target_does_not_end_a_fight_while_the_version_is_live() -> None:
    fight = Fight()
    for _ in range(3):
        fight.restore((D1, THEIRS))
        fight.pass_time(MINUTE)
    fight.world.switch.enabled = False
    fight.restore((D1, THEIRS))
    fight.pass_time(MINUTE * 40)
    fight.sweep()
    assert [one.moment for one in fight.fights] == [FightMoment.BEGAN]


def test_a_repair_of_a_killed_process_counts() -> None:
    fight = Fight()
    world = fight.world
    fight.restore((D1, THEIRS))
    world.put(D1, THEIRS)
    number = next(number for number in range(1, 99) if crashes_after_writing(number))
    with pytest.raises(Crash):
        world.run(CHECKOUT, fuse=Fuse(number))
    assert live(world) == desired(D1)
    fight.pass_time(MINUTE * 3)
    assert world.run(CHECKOUT) is Result.IN_SYNC
    fight.restore((D1, THEIRS))
    assert [one.moment for one in fight.fights] == [FightMoment.BEGAN]


def crashes_after_writing(number: int) -> bool:
    """Whether a run that dies at its `number`-th call has written."""
    world = world_in_sync()
    world.put(D1, THEIRS)
    with pytest.raises(Crash):
        world.run(CHECKOUT, fuse=Fuse(number))
    return live(world) == desired(D1)


def writes_back_at_once(world: World, versions: Iterable[Document]) -> None:
    """Each time ecr-warden is about to write, somebody writes another version."""
    left = iter(versions)

    def tamper(_: Target, change: Change | None) -> None:
        version = next(left, None) if change is not None else None
        if version is not None:
            world.put(D1, version)

    world.documents.faults = tamper


def other(number: int) -> Document:
    return document(allow("ecr:*", who=f"arn:aws:iam::{CI}:user/u{number}"))


def test_no_number_of_conflicts_ends_the_removal_of_access() -> None:
    """A hundred writes, each just before ours: more than all tries of all attempts of one job."""
    world = world_in_sync()
    world.put(D1, OPEN)
    writes_back_at_once(world, map(other, range(100)))
    job, attempt, jobs = ReconcileTarget(world.event(), CHECKOUT), 1, 0
    while True:
        try:
            world.reconcile().reconcile(job, Attempt(attempt, is_last=attempt == 5))
        except RetryAtOnce:
            attempt += 1
            continue
        follow_ups = [one for one in world.jobs.sent if isinstance(one, ReconcileTarget)]
        if not follow_ups:
            break
        [job], attempt, jobs = follow_ups, 1, jobs + 1
        world.jobs.sent.clear()
    assert live(world) == desired(D1)
    assert jobs == 6
    assert [report.contested for report in world.reports if report.contested] == [3], "an hour has not passed"


def test_access_that_is_missing_waits_as_before() -> None:
    world = world_in_sync()
    parts = [document(allow(action, who=ANNA)) for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")]
    world.put(D1, parts[0])
    writes_back_at_once(world, [parts[1], parts[0], parts[1]])
    with pytest.raises(RetryLater) as caught:
        world.run(CHECKOUT, attempt=Attempt(1, is_last=False))
    assert not isinstance(caught.value, RetryAtOnce)
    writes_back_at_once(world, [parts[0], parts[1], parts[0]])
    assert world.run(CHECKOUT) is Result.CONFLICT
    assert not any(isinstance(job, ReconcileTarget) for job in world.jobs.sent)


def test_what_had_to_wait_is_given_back_at_the_next_tick_without_a_sweep_and_once() -> None:
    fight = Fight()
    world = fight.world
    world.tick()
    for _ in range(5):
        fight.restore((D1, THEIRS))
        fight.pass_time(MINUTE)
    assert world.reports[-1].result is Result.WAITING
    world.jobs.sent.clear()
    world.tick()
    assert [job.target for job in world.jobs.sent if isinstance(job, ReconcileTarget)] == [CHECKOUT]
    world.drain()
    assert live(world) == desired(D1)
    fight.pass_time(MINUTE)
    world.tick()
    assert world.jobs.sent == []


FOREIGN = "999999999999"
OPENED = document(
    *json.loads(desired(D1).text)["Statement"], allow("ecr:BatchGetImage", who=f"arn:aws:iam::{FOREIGN}:root")
)
OPENED_VERSION = replace(
    ACCEPTED,
    version="v2",
    targets={**ACCEPTED.targets, CHECKOUT.key: replace(spec_of(CHECKOUT), documents={D1: OPENED})},
)
"""A version that lets in an outsider."""


def of_version(world: World) -> None:
    world.reconcile().reconcile(ReconcileTarget(Cause(CauseKind.SPEC, "v2"), CHECKOUT))


def by_a_person(world: World) -> None:
    cause = Cause(CauseKind.CALLER, "c1", "reconcile", world.clock.now().isoformat(), actor=TERRAFORM)
    world.reconcile().reconcile(ReconcileTarget(cause, CHECKOUT))


def by_a_tick(world: World) -> None:
    """An event is first, and its run leaves what the version gives to the next tick."""
    world.put(D1, THEIRS)
    assert world.run(CHECKOUT, actor=TERRAFORM) is Result.WAITING
    world.clock.advance(MINUTE)
    world.tick()
    world.drain()


def by_an_event(world: World) -> None:
    """The fight's next event is first, after the pace."""
    world.clock.advance(MINUTE * 4)
    world.run(CHECKOUT, actor=TERRAFORM)


@pytest.mark.parametrize("come", [of_version, by_a_person, by_a_tick, by_an_event])
@pytest.mark.parametrize("found", [THEIRS, None], ids=["theirs", "ours"])
def test_what_a_version_gives_is_announced_in_a_fight_and_in_its_pace(
    come: Callable[[World], None], found: Document | None
) -> None:
    fight = Fight()
    for _ in range(4):
        fight.restore((D1, THEIRS))
        fight.pass_time(timedelta(seconds=20))
    sent = len(fight.got)
    fight.world.specs.compiled = OPENED_VERSION
    fight.world.put(D1, found or desired(D1))
    come(fight.world)
    fight.deliver()
    fight.pass_time(timedelta(seconds=20))
    assert live(fight.world) == OPENED
    said = [message for message in fight.got[sent:] if FOREIGN in message.title]
    assert said, fight.titles
    assert max(message.severity for message in said) is Severity.CRITICAL
    assert not any("could not" in message.title for message in said), "it never lost what it gains now"


def test_a_repair_that_a_person_asked_for_is_announced_in_a_fight() -> None:
    fight = Fight()
    for _ in range(4):
        fight.restore((D1, THEIRS))
        fight.pass_time(MINUTE)
    sent = len(fight.got)
    fight.world.put(D1, THEIRS)
    by_a_person(fight.world)
    fight.deliver()
    fight.pass_time(timedelta(seconds=20))
    assert len(fight.got) == sent + 1
