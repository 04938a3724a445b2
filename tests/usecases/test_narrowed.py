"""What a version of the spec narrows is nobody's attack, whoever comes before the version's own run."""

import json
from collections.abc import Callable
from copy import replace
from datetime import datetime, timedelta

import pytest

from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import Actor, Cause, CauseKind, ReconcileTarget
from ecr_warden.core.result import Result, Severity
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import MessageState
from iam_access.document.document import Document
from local.testing.seed import ACCEPTED, ANNA, CHECKOUT, CI, D1, allow, desired, document, spec_of
from tests.usecases.world import MALLORY, OPEN, World, world_in_sync

FOREIGN = "999999999999"
MINUTE = timedelta(minutes=1)
GIVEN = document(
    *json.loads(desired(D1).text)["Statement"], allow("ecr:BatchGetImage", who=f"arn:aws:iam::{FOREIGN}:root")
)
ALICE = Actor("IAMUser", arn=f"arn:aws:iam::{CI}:user/alice", account=CI)


def _version(name: str, policy: Document) -> CompiledSpec:
    entry = replace(spec_of(CHECKOUT), documents={D1: policy})
    return replace(ACCEPTED, version=name, targets={**ACCEPTED.targets, CHECKOUT.key: entry})


def narrowed() -> World:
    """A version takes an outsider away whom the one before gave access, and nothing has been written yet."""
    world = world_in_sync(_version("v1", GIVEN))
    accept(world, _version("v2", desired(D1)))
    return world


def accept(world: World, version: CompiledSpec) -> None:
    world.clock.advance(MINUTE)
    world.specs.accept(version, over=world.specs.standing(), at=world.clock.now())
    world.clock.advance(MINUTE)


def by_its_own_run(world: World) -> None:
    world.reconcile().reconcile(ReconcileTarget(Cause(CauseKind.SPEC, "v2"), CHECKOUT))


def by_a_sweep(world: World) -> None:
    world.sweep()
    world.drain()


def by_an_event(world: World, call: str = "ecr:PutLifecyclePolicy") -> None:
    now = world.clock.now().isoformat()
    world.reconcile().reconcile(
        ReconcileTarget(Cause(CauseKind.EVENT, f"e{next(world.ids)}", call, now, actor=MALLORY), CHECKOUT)
    )


def by_a_run_of_another(world: World) -> None:
    world.reconcile().reconcile(ReconcileTarget(Cause(CauseKind.RUN, "r-0", root="sweep/s0"), CHECKOUT))


def by_a_person(world: World) -> None:
    cause = Cause(CauseKind.CALLER, "c1", "reconcile", world.clock.now().isoformat(), actor=ALICE)
    world.reconcile().reconcile(ReconcileTarget(cause, CHECKOUT))


def after_its_own_run_was_stopped(world: World) -> None:
    world.switch.enabled = False
    by_its_own_run(world)
    world.switch.enabled = True
    world.clock.advance(MINUTE)
    by_a_sweep(world)


@pytest.mark.parametrize(
    "come",
    [by_its_own_run, by_a_sweep, by_an_event, by_a_person, by_a_run_of_another, after_its_own_run_was_stopped],
)
def test_what_a_version_takes_away_is_information_whoever_comes_first(come: Callable[[World], None]) -> None:
    world = narrowed()
    come(world)
    assert world.live(D1) == desired(D1)
    run = world.announced[-1]
    message = message_of([run])
    assert (run.result, run.severity, message.state) == (Result.CONVERGED, Severity.INFO, MessageState.DONE)
    by = next(field.text for field in message.fields if field.label == "By")
    assert by.startswith("a new version of the spec")
    assert "could" not in message.title
    assert FOREIGN in message.title


def _restored(world: World) -> None:
    """Somebody restores what the version before gave, after its own run."""
    by_its_own_run(world)
    world.clock.advance(MINUTE)
    world.put(D1, GIVEN)


def _restored_after_a_sweep(world: World) -> None:
    """Somebody else had done what the version asks for, before they restore what was before."""
    world.put(D1, desired(D1))
    by_a_sweep(world)
    world.clock.advance(MINUTE)
    world.put(D1, GIVEN)


def _opened_beside(world: World) -> None:
    world.put(D1, OPEN)


def _of_two_versions_ago(world: World) -> None:
    """What the accepted version replaced did not give it."""
    by_its_own_run(world)
    accept(world, _version("v3", desired(D1)))
    world.put(D1, GIVEN)


def _not_known(world: World) -> None:
    """The hub was upgraded since, or what it kept of the version before is gone."""
    world.specs.before = None


@pytest.mark.parametrize(
    "tamper", [_restored, _restored_after_a_sweep, _opened_beside, _of_two_versions_ago, _not_known]
)
@pytest.mark.parametrize("come", [by_a_sweep, by_an_event])
def test_whatever_else_lets_in_an_outsider_is_critical(
    tamper: Callable[[World], None], come: Callable[[World], None]
) -> None:
    world = narrowed()
    tamper(world)
    come(world)
    assert world.live(D1) == desired(D1)
    run = world.announced[-1]
    assert (run.severity, message_of([run]).state) == (Severity.CRITICAL, MessageState.CLOSED)


def _as_it_was(_: World) -> None:
    """All that is known is as it was kept."""


def _cannot_be_compared(world: World) -> None:
    """Comparing fails: a time without a zone is before none that has one."""
    world.specs.accepted_at = datetime(2026, 11, 24)


@pytest.mark.parametrize("known", [_as_it_was, _cannot_be_compared])
def test_an_outsider_who_came_in_before_a_versions_own_run_is_no_part_of_the_version(
    known: Callable[[World], None],
) -> None:
    world = narrowed()
    known(world)
    world.put(D1, OPEN)
    by_its_own_run(world)
    run = world.announced[-1]
    message = message_of([run])
    by = {field.label: field.text for field in message.fields}
    assert (world.live(D1), run.severity, message.state) == (desired(D1), Severity.CRITICAL, MessageState.CLOSED)
    assert by["By"] == "unknown: no event says so"
    assert by["Ended by"] == "spec version v2"


def _in_a_row(world: World) -> None:
    """What lies there is of a version that no run of the replaced one has ended."""
    accept(world, _version("v3", desired(D1)))


def _not_noted(world: World) -> None:
    """The hub was upgraded since, or what it kept of the version before is gone."""
    world.specs.before = None


@pytest.mark.parametrize("why", [_in_a_row, _not_noted])
def test_what_no_look_shows_to_be_a_tamper_is_what_the_version_takes_away(why: Callable[[World], None]) -> None:
    world = narrowed()
    why(world)
    by_its_own_run(world)
    run = world.announced[-1]
    assert (world.live(D1), run.severity, message_of([run]).state) == (desired(D1), Severity.INFO, MessageState.DONE)


def test_what_a_rollback_takes_away_is_information_and_what_it_opens_is_not() -> None:
    world = narrowed()
    by_its_own_run(world)
    accept(world, _version("v3", GIVEN))
    by_a_sweep(world)
    assert (world.live(D1), world.announced[-1].severity) == (GIVEN, Severity.CRITICAL)
    accept(world, _version("v4", desired(D1)))
    by_a_sweep(world)
    assert (world.live(D1), world.announced[-1].severity) == (desired(D1), Severity.INFO)


def test_what_a_version_gives_is_its_own_where_the_event_of_a_tamper_comes_first() -> None:
    world = world_in_sync()
    accept(world, _version("v2", GIVEN))
    world.put(D1, document(allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", who=ANNA)))
    by_an_event(world, "ecr:SetRepositoryPolicy")
    run = world.announced[-1]
    message = message_of([run])
    by = {field.label: field.text for field in message.fields}
    assert (world.live(D1), run.severity, message.state) == (GIVEN, Severity.CRITICAL, MessageState.DONE)
    assert f"{FOREIGN} gained pull" in message.title
    assert (by["By"].partition(",")[0], by["Found by"]) == (
        "a new version of the spec",
        "ecr:SetRepositoryPolicy by mallory",
    )


def test_an_outsider_beside_what_a_version_gives_is_of_whoever_let_them_in() -> None:
    world = world_in_sync(_version("v1", desired(D1)))
    accept(world, _version("v2", document(allow("ecr:BatchGetImage", who=ANNA), allow("ecr:ListImages", who=ANNA))))
    world.put(D1, GIVEN)
    by_an_event(world, "ecr:SetRepositoryPolicy")
    run = world.announced[-1]
    message = message_of([run])
    assert (run.severity, message.state) == (Severity.CRITICAL, MessageState.CLOSED)
    assert next(field.text for field in message.fields if field.label == "By").startswith(MALLORY.arn)


def test_a_call_before_the_last_look_did_not_open_what_is_found_since() -> None:
    world = world_in_sync()
    called = world.clock.now().isoformat()
    world.clock.advance(MINUTE)
    looked = world.clock.now()
    by_a_person(world)
    world.clock.advance(MINUTE)
    world.put(D1, OPEN)
    cause = Cause(CauseKind.EVENT, "late", "ecr:SetRepositoryPolicy", called, actor=MALLORY)
    world.reconcile().reconcile(ReconcileTarget(cause, CHECKOUT))
    run = world.announced[-1]
    by = {field.label: field.text for field in message_of([run]).fields}
    assert (run.opened.by, run.opened.since) == (None, looked)
    assert (by["By"], by["Ended by"]) == ("unknown: no event says so", "ecr:SetRepositoryPolicy by mallory")
