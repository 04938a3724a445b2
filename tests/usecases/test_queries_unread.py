"""What could not be read is reported with every answer that it may make incomplete, and with no other."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta
from itertools import count

import pytest

from ecr_warden.core.drift import Drift
from ecr_warden.core.failures import AccountUnreachable
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.pause import Pause
from ecr_warden.core.plan import Change
from ecr_warden.core.target import RepositoryTarget, Target, UserTarget, parse_target
from ecr_warden.hub.reply import CheckReply, PlanReply, StatusReply
from ecr_warden.hub.request import AskCheck, AskPlan, AskStatus, Question
from ecr_warden.hub.selecting import NoSuchTarget
from ecr_warden.repair.documents import all_identities
from ecr_warden.state.switch import STOPPED
from local.testing.seed import ACCEPTED, CHECKOUT, CI, D1, HOME, NOW, PUSH_USER, PUSHER
from tests.usecases.broken import BROKEN
from tests.usecases.hub import ALICE, ask, queries_of
from tests.usecases.pattern_world import shop, world_of
from tests.usecases.world import World, expect, tampered

CLOSED = AccountUnreachable("the account is closed")


def closed(world: World, to: Callable[[Target], bool]) -> World:
    """No reading of these targets succeeds."""

    def fault(target: Target, change: Change | None) -> None:
        if change is None and to(target):
            raise CLOSED

    world.documents.faults = fault
    return world


def unlisted() -> World:
    return closed(world_of("a"), lambda target: isinstance(target, RepositoryTarget) and "*" in target.name)


def of_reply(reply: object) -> tuple[str, ...]:
    assert isinstance(reply, PlanReply | CheckReply | StatusReply)
    return reply.unread


ANSWERED: dict[str, tuple[Question, bool]] = {
    "a plan of everything": (AskPlan(), True),
    "a plan of a pattern of names": (AskPlan(("shop/*",)), True),
    "a plan of a repository named in full": (AskPlan((str(shop("secret")),)), False),
    "a plan of an unlisted one named in full": (AskPlan((str(shop("a")),)), True),
    "verify of everything": (AskCheck(), True),
    "verify of a repository by its name": (AskCheck(("shop/secret",)), True),
    "verify of a user": (AskCheck((str(UserTarget(CI, "anna")),)), False),
    "status of everything": (AskStatus(), True),
    "status of an unlisted one named in full": (AskStatus((str(shop("a")),)), False),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_answers_report_repositories_that_could_not_be_listed(name: str) -> None:
    question, is_reported = ANSWERED[name]
    assert of_reply(ask(unlisted(), question)) == ((str(CLOSED),) if is_reported else ())
    assert of_reply(ask(world_of("a"), question)) == ()


def test_status_accepts_an_unlisted_repository_named_in_full_if_a_pattern_fits_it() -> None:
    reply = expect(StatusReply, ask(unlisted(), AskStatus((str(shop("a")),))))
    assert [one.target for one in reply.targets] == [str(shop("a"))]
    with pytest.raises(NoSuchTarget):
        ask(unlisted(), AskStatus((str(shop("internal/x")),)))
    with pytest.raises(NoSuchTarget):
        ask(world_of("a"), AskStatus((str(shop("gone")),)))


@pytest.mark.parametrize("account", [CI, HOME])
@pytest.mark.parametrize("question", [AskPlan(), AskCheck()])
def test_answers_report_accounts_whose_identities_could_not_be_listed(question: Question, account: str) -> None:
    world = world_of("a")
    assert of_reply(ask(world, question)) == ()
    closed(world, lambda target: target == all_identities(account))
    assert of_reply(ask(world, question)) == (str(CLOSED),)
    for repositories in (str(shop("secret")), "shop/secret", "shop/*"):
        assert of_reply(ask(world, AskCheck((repositories,)))) == ()


def test_unreadable_targets_are_omitted_last() -> None:
    world = closed(tampered(), lambda target: target == CHECKOUT)
    for limit in (400, 4_000_000):
        reply = expect(CheckReply, queries_of(world, limit).answer(AskCheck()))
        unread = [one.target for one in reply.targets if any(d.kind is DriftKind.UNREADABLE for d in one.drifts)]
        assert unread == [str(CHECKOUT)]
        assert reply.omitted == (1 if limit == 400 else 0)


def left(world: World, *targets: Target) -> dict[str, str]:
    reply = expect(PlanReply, ask(world, AskPlan(tuple(map(str, targets)) or ("all",))))
    return dict(reply.left)


def test_a_plan_names_targets_held_back_by_a_pause_or_the_stop_switch() -> None:
    world = tampered()
    assert left(world) == {}
    pause = Pause("command-1", ALICE, "a migration", NOW, NOW + timedelta(hours=1))
    world.state.pause(CHECKOUT, pause)
    assert left(world) == {str(CHECKOUT): str(pause)}
    assert left(world, PUSHER) == {}
    world.switch.enabled = False
    assert left(world) == {str(CHECKOUT): str(pause), str(PUSHER): STOPPED}
    world.clock.advance(timedelta(hours=1))
    world.switch.enabled = True
    assert left(world) == {}


@pytest.mark.parametrize("question", [AskPlan(), AskCheck()], ids=lambda question: type(question).__name__)
def test_a_target_that_crashes_ecr_warden_is_reported_beside_the_others(question: Question) -> None:
    world = tampered()
    world.documents.live[D1] = BROKEN
    world.state.remembered[PUSH_USER.key] = replace(world.state.remembered[PUSH_USER.key], debts=None)  # type: ignore[arg-type]
    drifts = drifts_of(ask(world, question))
    assert {PUSHER, CHECKOUT, PUSH_USER} <= {target for target, _ in drifts.items()}
    [drift] = drifts[PUSH_USER]
    assert (drift.kind, drift.code) == (DriftKind.UNREADABLE, "crashed")
    assert "ecr-warden failed on its documents" in drift.explain
    assert all(drift.code != "crashed" for drift in drifts[PUSHER])


def test_targets_that_an_answer_has_no_time_for_are_unknown_named_and_counted() -> None:
    world = tampered()
    planned = count()
    reply = expect(CheckReply, queries_of(world, is_out_of_time=lambda: next(planned) >= 2).answer(AskCheck()))
    left_out = [one for one in reply.targets if any(drift.code == "out-of-time" for drift in one.drifts)]
    assert len(left_out) == len(reply.targets) - 2 == len(ACCEPTED.targets) - 2
    [line] = reply.unread
    assert line.startswith(f"out-of-time: the time for one answer ran out before {len(left_out)} of")
    assert all(entry.target in line for entry in left_out)
    whole = queries_of(world).answer(AskCheck())
    assert isinstance(whole, CheckReply) and whole.unread == ()


def drifts_of(reply: object) -> dict[Target, tuple[Drift, ...]]:
    match reply:
        case PlanReply(plans=plans):
            return {plan.target: plan.drifts for plan in plans}
        case CheckReply(targets=targets):
            return {parse_target(one.target): one.drifts for one in targets if one.drifts}
        case _:
            raise AssertionError(reply)
