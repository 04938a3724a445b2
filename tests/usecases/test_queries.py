"""Questions: what is remembered, what differs now, what runs did."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import pytest

from ecr_warden.core.codec.base import dumps, loads
from ecr_warden.core.desired import Mode
from ecr_warden.core.pause import Pause
from ecr_warden.core.result import Result
from ecr_warden.core.run import LastSeen
from ecr_warden.core.target import Target
from ecr_warden.hub.codec_replies import ReplyTooLarge, reply_from_json, reply_to_json, sent_reply
from ecr_warden.hub.reply import PlanReply, StatusReply
from ecr_warden.hub.request import AskPlan, AskStatus, question_from_text
from ecr_warden.hub.selecting import NoSuchTarget, select
from ecr_warden.repair.documents import all_identities
from ecr_warden.repair.scope_gap import ScopeGap, ScopeUnread
from ecr_warden.state.commands import BadRequest
from ecr_warden.state.target_status import TargetStatus
from local.testing.seed import ACCEPTED, CHECKOUT, CI, HOME, NOW, PULL_USERS, PUSH_USER, PUSHER, USERS
from tests.usecases.hub import ALICE, ask, hub_status
from tests.usecases.test_unlisted import DENIED, unlistable
from tests.usecases.world import World, expect, tampered, world_in_sync

PAUSE = Pause("command-1", ALICE, "a migration", NOW, NOW + timedelta(hours=1))


def test_status_comes_from_memory_and_reads_no_account() -> None:
    world = tampered()
    world.state.pause(CHECKOUT, PAUSE)
    world.run(CHECKOUT)
    world.forget()
    reply = hub_status(world)
    assert (reply.version, reply.mode, reply.stopped) == (ACCEPTED.version, Mode.ENFORCE, None)
    assert {status.target for status in reply.targets} == {str(spec.target) for spec in ACCEPTED.targets.values()}
    [paused] = [status for status in reply.targets if status.pause]
    assert (paused.target, paused.pause, paused.trouble) == (str(CHECKOUT), PAUSE, True)
    assert paused.last is not None
    assert paused.last.result is Result.REPORTED
    assert world.documents.reads == 0


def test_a_pause_that_has_ended_is_not_shown() -> None:
    world = world_in_sync()
    world.state.pause(CHECKOUT, PAUSE)
    world.clock.advance(timedelta(hours=1))
    reply = expect(StatusReply, ask(world, AskStatus((str(CHECKOUT),))))
    assert [status.pause for status in reply.targets] == [None]


def test_plan_shows_the_drift_now_and_writes_nothing() -> None:
    world = tampered()
    reply = expect(PlanReply, ask(world, AskPlan()))
    assert [plan.target for plan in reply.plans] == [CHECKOUT, PUSHER]
    assert (reply.targets, reply.omitted, reply.mode) == (len(ACCEPTED.targets), 0, Mode.ENFORCE)
    assert world.writes == []
    one = expect(PlanReply, ask(world, AskPlan((str(PUSHER),))))
    assert ([plan.target for plan in one.plans], one.targets) == ([PUSHER], 1)


# The spec's only role is one that ecr-warden creates: its account needs no list.
HOME_GAP = ScopeGap(HOME, False, (), {})
OWNERS = {one.key: f"arn:aws:iam::{CI}:user/{one.name}" for one in USERS}
COVERED = {"ManagedOwners": tuple(OWNERS.values())}
WRITE_SCOPES: dict[str, tuple[Callable[[World], None], tuple[ScopeGap | ScopeUnread, ...]]] = {
    "every identity is covered": (lambda world: scope(world, COVERED), (ScopeGap(CI, True, (), {}), HOME_GAP)),
    "a user is not covered": (
        lambda world: scope(world, {"ManagedOwners": (OWNERS[PUSH_USER.key], OWNERS[PULL_USERS[0].key])}),
        (
            ScopeGap(CI, True, (OWNERS[PULL_USERS[1].key],), {"ManagedOwners": ",".join(OWNERS.values())}),
            HOME_GAP,
        ),
    ),
    "there is no member stack": (
        lambda _: None,
        (
            ScopeGap(CI, False, tuple(sorted(OWNERS.values())), {"ManagedOwners": ",".join(sorted(OWNERS.values()))}),
            HOME_GAP,
        ),
    ),
    "the account cannot be read": (
        lambda world: unlistable(world, DENIED, all_identities(CI)),
        (ScopeUnread(CI, str(DENIED)), HOME_GAP),
    ),
}


def scope(world: World, lists: Mapping[str, Sequence[str]]) -> None:
    world.documents.lists[CI] = lists


@pytest.mark.parametrize("name", WRITE_SCOPES)
def test_plan_shows_which_identities_a_member_stack_does_not_let_it_write(name: str) -> None:
    prepare, gaps = WRITE_SCOPES[name]
    world = world_in_sync()
    prepare(world)
    reply = expect(PlanReply, ask(world, AskPlan()))
    assert reply.write_scope == gaps


def test_plan_reads_the_write_scopes_of_the_selected_identities_alone() -> None:
    def of(target: Target) -> list[str]:
        reply = expect(PlanReply, ask(tampered(), AskPlan((str(target),))))
        return [gap.account for gap in reply.write_scope]

    assert (of(CHECKOUT), of(PUSHER), of(PUSH_USER)) == ([], [HOME], [CI])


def test_a_plan_of_a_hub_that_does_not_report_write_scopes_is_read() -> None:
    form = reply_to_json(ask(world_in_sync(), AskPlan()))
    assert form.pop("writeScope")
    reply = expect(PlanReply, reply_from_json(form))
    assert reply.write_scope == ()


def test_the_state_of_30_000_targets_fits_into_a_reply() -> None:
    last = [LastSeen(NOW, f"20261124T100000Z{number:012x}", Result.IN_SYNC) for number in range(30_000)]
    targets = [TargetStatus(f"user/{CI}/u{number}", seen, None, None, False) for number, seen in enumerate(last)]
    reply = StatusReply("v1", Mode.ENFORCE, None, tuple(targets))
    sent = dumps(sent_reply(reply))
    assert len(sent) < 5_500_000 < len(dumps(reply_to_json(reply)))
    assert reply_from_json(loads(sent)) == reply


def test_a_reply_that_does_not_fit_is_refused_and_says_what_to_do() -> None:
    name = "x" * 1_000_000
    targets = tuple(TargetStatus(f"user/{CI}/{name}", None, None, None, False) for _ in range(35))
    with pytest.raises(ReplyTooLarge, match="name fewer targets"):
        sent_reply(StatusReply("v1", Mode.ENFORCE, None, targets))


ALL = {spec.target.key: spec.target for spec in ACCEPTED.targets.values()}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("all", {*ALL}),
        (str(PUSHER), {PUSHER.key}),
        (str(PUSHER).replace("ecr-pusher", "ECR-Pusher"), {PUSHER.key}),
        ("shop/checkout", {CHECKOUT.key}),
        ("shop/*", {CHECKOUT.key}),
        ("s?op/*", {CHECKOUT.key}),
        ("*", {CHECKOUT.key}),
    ],
)
def test_a_selection_is_all_a_target_or_a_repositorys_name(text: str, keys: set[str]) -> None:
    assert {*select((text,), ALL)} == keys


@pytest.mark.parametrize("text", ["shop/chekout", "shop", "Shop/checkout", "shop.checkout", "role/1/x", "[s]hop/*", ""])
def test_a_text_that_selects_nothing_is_an_error(text: str) -> None:
    with pytest.raises(NoSuchTarget):
        select(("all", text), ALL)


def test_a_spec_without_repositories_selects_nothing_and_says_so() -> None:
    with pytest.raises(NoSuchTarget, match="the spec names no repository, or none fits its patterns; add one"):
        select(("all",), {})


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(NoSuchTarget, match=r'did you mean "shop/checkout"'):
        select(("shop/chekout",), ALL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"schema":1}',
        '{"schema":1,"action":"reconcile","id":"command-1","targets":["all"]}',
        '{"schema":1,"action":"history","targets":[],"limit":101}',
        '{"schema":1,"action":"history","targets":[],"limit":0}',
        '{"schema":1,"action":"history","limit":1}',
        '{"schema":1,"action":"history","targets":["x"],"limit":1}',
        '{"schema":1,"action":"history","targets":[],"limit":1,"since":"2h"}',
        '{"schema":1,"action":"history","targets":[],"limit":1,"until":"2026-11-24T10:00:00"}',
        f'{{"schema":1,"action":"history","limit":1,"targets":{json.dumps([str(CHECKOUT)] * 21)}}}',
        '{"schema":1,"action":"run","runId":"DAY#1"}',
        '{"schema":1,"action":"call","id":"*"}',
        '{"schema":1,"action":"status","targets":["a\\u0000"]}',
        '{"schema":1,"action":"status","targets":"all"}',
    ],
)
def test_an_invalid_question_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        question_from_text(text)
