"""How a version of the spec takes effect by a verdict: asked for, read, judged, carried out; and without one."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.collect.survey import Survey
from ecr_warden.core.desired import Removal
from ecr_warden.core.failures import AccountUnreachable, PortError, RetryLater, Throttled
from ecr_warden.core.job import AcceptSpec, Attempt, Cause, CauseKind, JudgeVersion, ReadForVersion
from ecr_warden.core.judgement import Judgement, WaitCode
from ecr_warden.core.result import Result
from ecr_warden.hub.reply import HeldReply, KeptVersion, VersionsReply
from ecr_warden.hub.request import AskHeld, AskVersions, request_to_text
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import Field
from ecr_warden.repair.alerts import OwnChanged
from ecr_warden.state.accepted import SpecSuperseded
from ecr_warden.state.commands import Accept, Command, Reject
from ecr_warden.state.history import HistoryKind
from ecr_warden.state.hold import Hold, HoldState, Verdict
from ecr_warden.state.holds import Judged
from ecr_warden.state.specs import SpecVersion
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted
from ecr_warden.versions.holds import HoldOver
from ecr_warden.versions.next_version import ASKED_AGAIN, MOST_ASKED
from iam_access.document.document import Document
from iam_access.equivalent.canonical import canonical
from local.testing.memory.estate import LiveEstateReader
from local.testing.seed import CHECKOUT, CI, D1, HOME, MALLORY, NOW, allow, compiled, document
from tests.usecases.hub import HUB, ask, commands_of
from tests.usecases.uploads import (
    JOB,
    PATIENCE,
    TEXT,
    YOUNG,
    Seen,
    accept_of,
    accepted,
    codes,
    decide,
    first,
    is_of_a_verdict,
    judged,
    judges_of,
    look,
    offer,
    once,
    reads_of,
)
from tests.usecases.world import OPEN, World, bare_world, expect, present, unreadable

FEWER = TEXT.replace(", ci:user/pull-user-2]", "]")
MORE = TEXT.replace("pull-user-2]", "pull-user-2, ci:user/pull-user-3]")
NOBODY = TEXT[: TEXT.index("teams:")] + "settings: {mode: enforce}\n"
ANOTHER = "  - {name: shop/basket, account: registry, pull: [deployers]}\n"
TAKING = TEXT.replace("settings:", f"{ANOTHER}settings:")
IN_HOME = f"{HOME}/{CHECKOUT.region}"
MINUTE = timedelta(minutes=1)
FIRST = Attempt(number=1, is_last=False)


def give(world: World, command: Command) -> None:
    commands_of(world).carry_out(request_to_text(command), "alice", HUB)


def tick(world: World) -> Seen:
    """The schedule has the hub look; what it asks for stays in the queues."""
    return accept_of(world).process(replace(JOB, cause=Cause(CauseKind.SWEEP, f"s-{next(world.ids)}")))


def asked(text: str = TAKING, world: World | None = None) -> tuple[World, Hold]:
    """A version was uploaded, and is to be judged."""
    world = world or first()
    world.specs.file = SpecVersion("v2", text.encode())
    assert tick(world) is None
    return world, the_hold(world)


def to_read(text: str = TAKING) -> tuple[World, Hold, ReadForVersion]:
    """A version was uploaded, and audit said what has to be read before it is judged."""
    world, hold = asked(text)
    [job] = world.jobs.sent
    assert isinstance(job, JudgeVersion)
    assert judges_of(world).judge_version(job) == "not everything was read yet"
    world.jobs.sent.clear()
    tick(world)
    [reading] = world.jobs.sent
    assert isinstance(reading, ReadForVersion) and reading.request == hold.id
    return world, the_hold(world), reading


def the_hold(world: World) -> Hold:
    [hold] = world.holds.waiting()
    return hold


def version_of(world: World) -> str:
    return accepted(world).version


EVERYDAY: dict[str, str] = {
    "one more of ours in a team": MORE,
    "a leaver": FEWER,
    "a new repository that is not there yet": TAKING,
    "a remark": f"{TEXT}# a remark\n",
}


@pytest.mark.parametrize("case", EVERYDAY)
def test_an_everyday_change_takes_effect_by_itself(case: str) -> None:
    world = first()
    baseline = world.specs.baseline()
    assert isinstance(offer(world, EVERYDAY[case], "v2"), SpecAccepted)
    assert (version_of(world), world.specs.baseline()) == ("v2", baseline)
    assert not [one for one in world.alerts.published if isinstance(one, HoldOpened | HoldSettled)]


def test_a_version_that_takes_over_something_has_its_parts_read_first() -> None:
    world, hold, job = to_read()
    assert hold.asked is not None and hold.asked.parts == (IN_HOME,)
    assert reads_of(world).read(job) == "1 parts"
    assert world.verdicts.notes(hold) == {IN_HOME: ""}
    assert isinstance(world.jobs.sent[-1], JudgeVersion)


def test_accounts_that_are_not_accepted_yet_are_read() -> None:
    text = TEXT.replace("accounts:\n", 'accounts:\n  other: {id: "333333333333", regions: [eu-central-1]}\n')
    text = text.replace("settings:", "  - {name: lib/x, account: other, pull: [deployers]}\nsettings:")
    world, _ = asked(text)
    seen = judged(world)
    assert isinstance(seen, HoldOpened) and WaitCode.OUTSIDE_GAINS in codes(seen.hold)
    assert "333333333333/eu-central-1" in world.estate_store.pieces


EMPTYING = TEXT.replace("settings:", "  - {name: old/*, account: registry, pull: [deployers]}\nsettings:")


@pytest.mark.parametrize(
    ("age", "before", "after", "reads"),
    [
        (MINUTE, TEXT, TAKING, False),
        (YOUNG, TEXT, TAKING, True),
        (-MINUTE, TEXT, TAKING, True),
        (MINUTE, TEXT, EMPTYING, True),
        (MINUTE, EMPTYING, TEXT, True),
    ],
    ids=["young", "older than two sweeps", "ahead of the clock", "a new pattern", "a pattern that loses everybody"],
)
def test_documents_are_judged_by_the_kept_inventory_only_while_it_is_young(
    age: timedelta, before: str, after: str, reads: bool
) -> None:
    world = first(before)
    survey = Survey(world.specs, LiveEstateReader(world.documents), world.estate_store, world.jobs, world.clock)
    for part in (CI, HOME, IN_HOME):
        survey.fresh(part, world.clock.now() + MINUTE, FIRST)
    world.clock.advance(age)
    world.specs.file = SpecVersion("v2", after.encode())
    tick(world)
    jobs = []
    while asked := [job for job in world.jobs.sent if is_of_a_verdict(job)]:
        jobs.append(type(asked[0]))
        once(world, asked[0])
    first_look, reading = [JudgeVersion, AcceptSpec], [ReadForVersion, JudgeVersion, AcceptSpec]
    assert jobs == [*first_look, *(reading if reads else [])]


def test_a_document_that_exists_and_loses_something_is_held() -> None:
    world = first()
    world.put(replace(D1, target=replace(CHECKOUT, name="shop/basket")), OPEN)
    seen = expect(HoldOpened, offer(world, TAKING, "v2"))
    assert codes(seen.hold) == [WaitCode.TAKES_OVER]
    assert seen.hold.reasons[0].startswith("it takes over 1 document")


def test_without_a_verdict_nothing_takes_effect_and_after_a_while_a_person_is_asked() -> None:
    world, hold, _ = to_read()
    world.clock.advance(PATIENCE - MINUTE)
    assert (tick(world), version_of(world)) == (None, "v1")
    world.clock.advance(MINUTE)
    opened = expect(HoldOpened, tick(world))
    assert (opened.hold.id, codes(opened.hold), opened.hold.since) == (hold.id, [WaitCode.NOT_JUDGED], hold.since)
    assert opened.hold.reasons == (f"it was not judged within 15 minutes; not read yet: {IN_HOME}",)
    assert (tick(world), version_of(world)) == (None, "v1")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_person_accepts_unjudged_at_any_time_and_that_is_the_baseline(when: str) -> None:
    world, hold = asked()
    if when == "after":
        world.clock.advance(PATIENCE)
        tick(world)
    reply = ask(world, AskHeld())
    assert isinstance(reply, HeldReply) and [one.id for one in reply.holds] == [hold.id]
    give(world, Accept("command-1", hold.id))
    expect(SpecAccepted, tick(world))
    baseline = world.specs.baseline()
    assert baseline is not None and (baseline.version, baseline.text) == ("v2", TAKING.encode())
    assert accepted(world).taken_over == {}, "nobody judged what it takes over"


@pytest.mark.parametrize("live", [True, False], ids=["that holds", "that frees"])
def test_a_late_verdict_replaces_the_hold(live: bool) -> None:
    world, hold = asked()
    if live:
        world.put(replace(D1, target=replace(CHECKOUT, name="shop/basket")), OPEN)
    world.clock.advance(PATIENCE)
    assert isinstance(tick(world), HoldOpened)
    seen = judged(world)
    now = present(world.holds.find(hold.id))
    if live:
        assert isinstance(seen, HoldOpened)
        assert (codes(now), now.state, now.since) == ([WaitCode.TAKES_OVER], HoldState.WAITING, hold.since)
    else:
        assert isinstance(seen, SpecAccepted)
        assert now.state is HoldState.JUDGED
        assert HistoryKind.HOLD_ENDED in {entry.kind for entry in world.log.kept.values()}
        [settled] = [one for one in world.alerts.published if isinstance(one, HoldSettled)]
        assert message_of([settled]).title.endswith("takes effect: nothing in it has to wait")


def test_a_request_that_gets_lost_is_repeated_and_not_for_ever() -> None:
    world, _ = asked()
    made = 0
    for _ in range(3 * MOST_ASKED):
        world.jobs.sent.clear()
        world.clock.advance(ASKED_AGAIN)
        tick(world)
        made += len(world.jobs.sent)
    assert made == MOST_ASKED - 1


def test_a_collector_that_is_killed_in_the_middle_goes_on_with_the_next_part() -> None:
    text = TAKING.replace("ci:user/push-user]", "ci:user/push-user, ci:user/new]")
    text = text.replace("settings:", "documents: []\nsettings:")
    world, hold, job = to_read(text)
    assert hold.asked is not None and len(hold.asked.parts) > 1
    times = iter([True, False])
    with pytest.raises(RetryLater):
        reads_of(world, has_time=lambda: next(times)).read(job, FIRST)
    assert len(world.verdicts.notes(hold)) == 1
    assert judges_of(world).judge_version(JudgeVersion(job.cause, hold.id)) == "not everything was read yet"
    assert reads_of(world).read(job) == f"{len(hold.asked.parts) - 1} parts"


def test_what_cannot_be_read_is_said_and_held() -> None:
    world = first()
    world.documents.make(replace(CHECKOUT, name="shop/basket"))
    unreadable(world, AccountUnreachable("no way in"))
    seen = expect(HoldOpened, offer(world, TAKING, "v2"))
    assert codes(seen.hold) == [WaitCode.NOT_JUDGED]
    assert "shop/basket" in seen.hold.reasons[0]


def test_what_was_read_and_cannot_be_used_is_unread() -> None:
    world, _, job = to_read()
    reads_of(world).read(job)
    del world.estate_store.pieces[IN_HOME]
    seen = expect(HoldOpened, judged(world))
    assert codes(seen.hold) == [WaitCode.NOT_JUDGED]
    assert "another version wrote it" in seen.hold.reasons[0]


def test_what_is_throttled_is_read_later_and_noted_as_unread_in_the_end() -> None:
    world, hold, job = to_read()
    world.estate_store.error = Throttled("S3 is slow", retryable=True)
    with pytest.raises(RetryLater):
        reads_of(world).read(job, FIRST)
    assert world.verdicts.notes(hold) == {}
    reads_of(world).read(job)
    assert world.verdicts.notes(hold)[IN_HOME].startswith("S3 is slow")
    seen = judged(world)
    assert isinstance(seen, HoldOpened) and codes(seen.hold) == [WaitCode.NOT_JUDGED]


def test_a_verdict_of_another_digest_lets_nothing_take_effect() -> None:
    world, hold = asked()
    other = replace(hold.ground, digests=(*hold.ground.digests[:2], "0" * 64))
    world.verdicts.keep(Judged(other, world.clock.now(), Judgement()))
    world.verdicts.judged[hold.id] = Judged(other, world.clock.now(), Judgement())
    assert (tick(world), version_of(world)) == (None, "v1")


def test_a_verdict_from_before_the_version_came_back_counts_no_more() -> None:
    world = first()
    opened = expect(HoldOpened, offer(world, NOBODY, "v2"))
    upload = world.specs.file
    world.verdicts.keep(Judged(opened.hold.ground, NOW, Judgement()))
    offer(world, "not a spec", "v3")
    world.clock.advance(MINUTE)
    world.specs.file = upload
    assert (tick(world), version_of(world)) == (None, "v1")


def test_of_two_uploads_within_a_second_the_last_one_is_judged_and_takes_effect() -> None:
    world, old = asked(FEWER)
    world.specs.file = SpecVersion("v3", MORE.encode())
    assert tick(world) is None
    assert isinstance(judged(world), SpecAccepted)
    assert version_of(world) == "v3"
    now = world.holds.find(old.id)
    assert now is not None and now.state is HoldState.VOID
    assert not [one for one in world.alerts.published if isinstance(one, HoldSettled)], "nobody had heard of it"


def test_of_two_processes_that_carry_out_a_verdict_at_once_one_wins() -> None:
    world, hold = asked(FEWER)
    judges_of(world).judge_version(JudgeVersion(JOB.cause, hold.id))
    stood = world.specs.standing()
    assert isinstance(tick(world), SpecAccepted)

    class Late:
        """What the other process read before."""

        def __getattr__(self, name: str) -> object:
            return getattr(world.specs, name)

        def standing(self) -> object:
            return stood

        def accepted(self) -> object:
            return world.specs.kept(stood.accepted)

    world.holds.open(hold)
    with pytest.raises(SpecSuperseded):
        accept_of(world, Late()).process(JOB)


def test_a_verdict_names_the_live_digest_of_what_is_taken_over() -> None:
    world = first()
    basket = replace(D1, target=replace(CHECKOUT, name="shop/basket"))
    world.put(basket, OPEN)
    opened = expect(HoldOpened, offer(world, TAKING, "v2"))
    give(world, Accept("command-1", opened.hold.id))
    tick(world)
    taken = accepted(world).taken_over[basket.target.key]
    assert [at for at, one in taken.items() if one.since == "v2"] == [str(basket)]
    assert taken[str(basket)].live == world.documents.live[basket].digest


def test_the_grants_that_a_verdict_counted_count_for_a_day() -> None:
    world = first()
    assert isinstance(offer(world, FEWER, "v2"), SpecAccepted)
    assert [one.grants for one in accepted(world).removals] == [1]
    world.clock.advance(timedelta(days=1))
    assert isinstance(offer(world, f"{FEWER}# a remark\n", "v3"), SpecAccepted)
    assert accepted(world).removals == ()


def test_a_version_that_only_observes_keeps_the_count_of_removed_grants() -> None:
    world = first(TEXT.replace("enforce", "observe"))
    removals = (Removal(NOW, 3),)
    world.specs.compiled = replace(accepted(world), removals=removals)
    world.specs.file = SpecVersion("v2", FEWER.replace("enforce", "observe").encode())
    assert isinstance(tick(world), SpecAccepted)
    assert accepted(world).removals == removals


def test_a_version_that_only_observes_needs_no_verdict_and_makes_no_baseline() -> None:
    world = bare_world()
    world.specs.compiled = world.specs.base = None
    world.specs.file = SpecVersion("v1", TEXT.replace("enforce", "observe").encode())
    assert isinstance(tick(world), SpecAccepted)
    assert (world.specs.baseline(), [*filter(is_of_a_verdict, world.jobs.sent)]) == (None, [])


def test_what_was_rejected_is_void_and_uploaded_again_it_is_judged_again() -> None:
    world = first()
    opened = expect(HoldOpened, offer(world, NOBODY, "v2"))
    give(world, Reject("command-1", opened.hold.id))
    tick(world)
    world.forget()
    assert (look(world), version_of(world)) == (None, "v1"), "the rejected upload is not judged again"
    again = expect(HoldOpened, offer(world, NOBODY, "v3"))
    assert again.hold.reasons == opened.hold.reasons
    give(world, Accept("command-2", again.hold.id))
    assert isinstance(tick(world), SpecAccepted)
    assert version_of(world) == "v3"


def test_a_version_that_was_rejected_before_it_was_judged_is_rejected() -> None:
    world, hold = asked(NOBODY)
    give(world, Reject("command-1", hold.id))
    tick(world)
    assert (look(world), version_of(world)) == (None, "v1")


@pytest.mark.parametrize("what", ["text", "compiled form"])
def test_a_baseline_that_is_gone_is_reported_once_and_everything_that_enforces_waits(what: str) -> None:
    world = first()
    assert isinstance(offer(world, MORE, "v2"), SpecAccepted)
    assert world.specs.base is not None
    compiled, text, _ = world.specs.base
    world.specs.objects.kept.pop(text if what == "text" else compiled)
    for _ in range(3):
        look(world)
    [alert] = [one for one in world.alerts.published if isinstance(one, OwnChanged)]
    assert "compiled spec" in alert.thing
    seen = expect(HoldOpened, offer(world, FEWER, "v3"))
    assert seen.hold.why[0].code is WaitCode.TAKES_OVER
    assert any("the baseline, version v1 of the spec, is not known any more" in one for one in seen.hold.reasons)
    give(world, Accept("command-1", seen.hold.id))
    assert isinstance(tick(world), SpecAccepted)
    baseline = world.specs.baseline()
    assert baseline is not None and baseline.version == "v3"


def test_a_baseline_of_another_schema_is_compiled_again_from_its_text() -> None:
    world = first()
    assert world.specs.base is not None
    _, text, version = world.specs.base
    old = b'{"schema": 0}'
    world.specs.base = world.specs.keep_text(old), text, version
    assert isinstance(offer(world, MORE, "v2"), SpecAccepted)


def test_what_the_hub_keeps_of_the_baseline_and_the_accepted_version_can_be_asked_for() -> None:
    world = first()
    world.specs.older = (SpecVersion("v1", TEXT.encode()),)
    assert isinstance(offer(world, FEWER, "v2"), SpecAccepted)
    reply = expect(VersionsReply, ask(world, AskVersions()))
    assert isinstance(reply.accepted, KeptVersion) and isinstance(reply.baseline, KeptVersion)
    assert (reply.accepted.version, reply.baseline.version, reply.removed) == ("v2", "v1", 1)


def test_a_hold_on_what_moved_is_not_decided() -> None:
    world = first()
    opened = expect(HoldOpened, offer(world, NOBODY, "v2"))
    compiled = accepted(world)
    world.specs.accept(compiled, over=world.specs.standing(), text=b"# another baseline\n" + TEXT.encode())
    world.specs.base = world.specs.keep(replace(compiled, version="v0")), *world.specs.base[1:]  # type: ignore[index]
    with pytest.raises(HoldOver, match="what it was about has changed"):
        give(world, Accept("command-1", opened.hold.id))


def test_an_error_of_the_store_is_no_verdict() -> None:
    world, hold = asked(FEWER)

    class Down:
        def __getattr__(self, name: str) -> object:
            raise PortError("the bucket does not answer")

    with pytest.raises(PortError):
        replace(judges_of(world), specs=Down()).judge_version(JudgeVersion(JOB.cause, hold.id))  # type: ignore[arg-type]
    assert world.verdicts.find(hold) is None
    assert (tick(world), version_of(world)) == (None, "v1")


def test_a_judged_version_says_who_uploaded_it() -> None:
    world = first()
    by = replace(JOB.cause, actor=replace(world.event().actor, arn=f"arn:aws:iam::{CI}:user/bob"))  # type: ignore[arg-type]
    world.specs.file = SpecVersion("v2", FEWER.encode())
    assert accept_of(world).process(AcceptSpec(by)) is None
    seen = expect(SpecAccepted, judged(world))
    assert seen.cause == by
    assert Field("Uploaded by", f"arn:aws:iam::{CI}:user/bob") in message_of([seen]).fields


def taking_over() -> tuple[World, str]:
    """A person accepted a version that takes over a repository's policy; and the ID of the hold."""
    world = first()
    world.put(BASKET, OPEN)
    opened = expect(HoldOpened, offer(world, TAKING, "v2"))
    give(world, Accept("command-1", opened.hold.id))
    assert isinstance(tick(world), SpecAccepted)
    world.forget()
    return world, opened.hold.id


BASKET = replace(D1, target=replace(CHECKOUT, name="shop/basket"))
MOVED = document(allow("ecr:*", who="*"))


def test_a_roll_out_takes_over_the_document_that_was_judged_and_repairs_it_from_then_on() -> None:
    world, _ = taking_over()
    assert world.run(BASKET.target) is Result.CONVERGED
    for changed in (MOVED, document(PART)):
        world.put(BASKET, changed)
        assert world.run(BASKET.target) is Result.CONVERGED
        assert says(world.live(BASKET)) == says(BASKETS)


PART = allow("ecr:BatchGetImage", who=f"arn:aws:iam::{CI}:user/pull-user-1")
BASKETS = compiled(TAKING).targets[BASKET.target.key].documents[BASKET]


def says(document: object) -> object:
    """What a policy says, however it is written; None for none."""
    return canonical(document, kind=BASKET.document_kind) if isinstance(document, Document) else None


# What its writer makes of the document between verdict and roll-out; what the run leaves, and whether that waits then.
CHANGED_MEANWHILE: dict[str, tuple[Document, object, bool]] = {
    "open to everybody: all that is too much goes, and nothing is lacking": (MOVED, BASKETS, False),
    "an outsider among those of the version: he goes, the others wait": (
        document(PART, allow("ecr:*", who=MALLORY)),
        document(PART),
        True,
    ),
    "an outsider alone: it goes, and what comes into nothing takes nothing over": (
        document(allow("ecr:*", who=MALLORY)),
        None,
        False,
    ),
    "one of the version alone: nothing goes, the others wait": (document(PART), document(PART), True),
}


@pytest.mark.parametrize("name", CHANGED_MEANWHILE)
def test_of_a_document_that_is_not_the_one_that_was_judged_a_roll_out_takes_what_is_too_much(name: str) -> None:
    live, left, waits = CHANGED_MEANWHILE[name]
    world, before = taking_over()
    world.put(BASKET, live)
    world.run(BASKET.target)
    assert says(world.live(BASKET)) == says(left)
    jobs = [job for job in world.jobs.sent if isinstance(job, AcceptSpec)]
    assert [job.moved for job in jobs] == ([] if left is BASKETS else [BASKET.target])
    opened = [accept_of(world).process(job) or judged(world) for job in jobs]
    holds = [one.hold for one in opened if isinstance(one, HoldOpened)]
    assert [codes(hold) for hold in holds] == ([[WaitCode.TAKES_OVER]] if waits else [])
    for hold in holds:
        assert hold.id != before
        writes = len(world.writes)
        world.run(BASKET.target)
        assert len(world.writes) == writes
        give(world, Accept("command-2", hold.id))
        assert isinstance(tick(world), SpecAccepted)
    world.run(BASKET.target)
    assert (version_of(world), says(world.live(BASKET))) == ("v2", says(BASKETS))


def moved(world: World) -> Hold:
    """Somebody changed what the version takes over, and that waits for a person."""
    world.put(BASKET, document(PART))
    world.run(BASKET.target)
    [job] = [job for job in world.jobs.sent if isinstance(job, AcceptSpec)]
    return expect(HoldOpened, accept_of(world).process(job) or judged(world)).hold


def test_whoever_accepts_what_moved_makes_the_version_in_force_the_baseline() -> None:
    world = first()
    assert isinstance(offer(world, TAKING, "v2"), SpecAccepted)
    assert present(world.specs.baseline()).version == "v1"
    give(world, Accept("command-1", moved(world).id))
    assert isinstance(tick(world), SpecAccepted)
    baseline = present(world.specs.baseline())
    assert (baseline.version, baseline.text) == ("v2", TAKING.encode())


def test_an_acceptance_of_what_moved_that_another_version_overtakes_lets_nothing_take_effect() -> None:
    world, _ = taking_over()
    hold = moved(world)
    assert isinstance(offer(world, TAKING.replace(", ci:user/pull-user-2]", "]"), "v3"), SpecAccepted)
    before = accepted(world)
    assert decide(world, hold, Verdict.ACCEPT) is None
    assert (accepted(world), present(world.holds.find(hold.id)).state) == (before, HoldState.VOID)


def test_whoever_changes_it_after_each_acceptance_opens_nothing() -> None:
    world, _ = taking_over()
    for number in range(5):
        world.clock.advance(MINUTE)
        world.put(BASKET, document(PART, allow("ecr:*", who=MALLORY, Sid=f"Again{number}")))
        world.run(BASKET.target)
        assert says(world.live(BASKET)) == says(document(PART))
        [job] = [job for job in world.jobs.sent if isinstance(job, AcceptSpec)]
        opened = expect(HoldOpened, accept_of(world).process(job) or judged(world))
        give(world, Accept(f"command-again-{number}", opened.hold.id))
        assert isinstance(tick(world), SpecAccepted)
        world.forget()
    assert world.run(BASKET.target) is Result.CONVERGED
