"""From drift to changes and holds, in the order of writing."""

from collections.abc import Mapping
from copy import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.address import Address, attached_policy, identity_policy, trust_policy
from ecr_warden.core.desired import Extent, Mode, MustNotExist, TargetSpec
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.observed import Absent, LiveValue, Observation, Observed
from ecr_warden.core.plan import Change, NewRole, Plan
from ecr_warden.core.run import Debts
from ecr_warden.core.sessions import Sessions, denial_of, denied_by
from ecr_warden.core.target import RoleTarget
from ecr_warden.repair.cutoff import LastLook
from ecr_warden.repair.planner import Facts, NeedsToKnow, Question, RoleInSync, make_plan
from ecr_warden.repair.results import planned_debts
from iam_access.document.document import Document, Effect
from iam_access.equivalent.canonical import canonical
from local.testing.seed import (
    ADMIN,
    ANNA,
    ASSUMING,
    CHECKOUT,
    CUTOFF,
    D1,
    D2,
    D3,
    D4,
    EVERYTHING,
    HOME,
    MALLORY,
    MORE_TRUST,
    NOW,
    OPEN_TRUST,
    PUSH_USER,
    PUSHER,
    ROLE,
    SETTINGS,
    allow,
    deny,
    desired,
    document,
    nothing,
    plan_for,
    reading,
    spec_of,
    unparseable,
    unreadable,
)
from tests.tables import load
from tests.unit.repair.live import PLACES, live_of

MARGIN, HOUR = timedelta(seconds=60), timedelta(hours=1)
OWES = Facts(NOW, debts=Debts(Sessions(NOW + MARGIN)))
ENDED = Facts(NOW, debts=Debts(Sessions(NOW - HOUR), sessions_ended=True))
OVER = Facts(NOW, debts=Debts(Sessions(NOW - 13 * HOUR), sessions_ended=True))
EXTRA = identity_policy(PUSHER, "extra")
ATTACHED = attached_policy(PUSHER, ADMIN)
MIXED_PUSH = document(allow("ecr:PutImage", "iam:*"))
ROLE_SPEC, USER_SPEC = spec_of(PUSHER), spec_of(PUSH_USER)
OWN_ROLE = RoleTarget(HOME, "ecr-warden-read")
GONE = TargetSpec(PUSHER, Extent.WHOLE, {ROLE: MustNotExist()})
FOR_ANNA = allow("ecr:BatchGetImage", who=ANNA)
LOCKED_OUT = replace(spec_of(CHECKOUT), documents={D1: document(FOR_ANNA, deny("ecr:*", who="*"))})
TABLES: dict[str, dict[str, dict[str, Any]]] = load((Path(__file__).parents[2] / "cases/plans.yaml").read_text())


def plan_of(
    spec: TargetSpec,
    live: Mapping[Address, Observed | LiveValue] | Observation,
    facts: Facts | None = None,
    mode: Mode = Mode.ENFORCE,
) -> Plan:
    observation = live if isinstance(live, Observation) else reading(spec, live)
    return plan_for(spec, observation, facts, mode=mode)


def words(changes: tuple[Change, ...]) -> list[str]:
    """Each change as `update trust`."""
    places = {address: place for place, address in PLACES.items()}
    return [f"{change.operation} {places[change.address]}" for change in changes]


SPECS = {"role": ROLE_SPEC, "user": USER_SPEC, "repository": spec_of(CHECKOUT), "gone": GONE, "locked out": LOCKED_OUT}
SESSIONS = {"owes": OWES, "ended": ENDED, "over": OVER}


def spec_in(row: dict[str, Any]) -> TargetSpec:
    spec = SPECS[row.get("of", "role")]
    wanted = {address: value for address, value in live_of(row.get("spec", {})).items() if isinstance(value, Document)}
    return replace(spec, documents={**spec.documents, **wanted})


@pytest.mark.parametrize("name", TABLES["order"])
def test_the_changes_come_in_this_order(name: str) -> None:
    row = TABLES["order"][name]
    plan = plan_of(spec_in(row), live_of(row["live"]), SESSIONS.get(row.get("sessions", "")))
    assert words(plan.changes) == row["writes"]
    assert plan.held == ()


def test_a_role_is_created_with_its_trust_policy_before_its_other_documents() -> None:
    plan = plan_of(ROLE_SPEC, nothing(ROLE_SPEC))
    assert words(plan.changes) == ["create settings", "create push"]
    assert plan.changes[0].after == NewRole(SETTINGS, desired(D2))
    assert plan.held == ()


def test_a_deleted_role_owes_no_cut_off() -> None:
    assert words(plan_of(ROLE_SPEC, nothing(ROLE_SPEC), OWES).changes) == ["create settings", "create push"]
    assert words(plan_of(ROLE_SPEC, reading(ROLE_SPEC, {D2: Absent()}), OWES).changes) == ["create trust"]


def test_a_change_carries_the_pre_image_and_the_expected_digest() -> None:
    observation = reading(spec_of(CHECKOUT), {D1: document(allow("ecr:*", who=MALLORY))})
    [change] = plan_of(spec_of(CHECKOUT), observation).changes
    live = observation.documents[D1]
    assert (change.before, change.expect) == (getattr(live, "value").text, getattr(live, "digest"))  # noqa: B009
    assert change.after == desired(D1)
    assert change.access is not None
    assert change.access.gained and change.access.lost


def test_the_second_of_two_writes_expects_what_the_first_leaves() -> None:
    changes = plan_of(ROLE_SPEC, {D2: OPEN_TRUST, D3: MIXED_PUSH}).changes
    cut, rest = (change for change in changes if change.address == D3)
    assert isinstance(cut.after, Document)
    assert rest.before == cut.after.text
    assert cut.access is not None and cut.access.gained == ()
    assert rest.access is not None and rest.access.lost == ()


def test_a_deletion_replaces_an_intersection_that_may_not_fit() -> None:
    many = document(
        *[allow("*", Condition={"StringEquals": {"aws:SourceAccount": f"{number:012}"}}) for number in range(60)]
    )
    changes = plan_of(ROLE_SPEC, {D2: OPEN_TRUST, D3: many}).changes
    assert words(changes) == ["delete push", "update trust", "create cut-off", "create push"]


def test_an_intersection_that_may_not_fit_keeps_what_it_denies() -> None:
    many = [allow("*", Condition={"StringEquals": {"aws:SourceAccount": f"{number:012}"}}) for number in range(60)]
    changes = plan_of(ROLE_SPEC, {D2: OPEN_TRUST, D3: document(deny("ecr:x"), *many)}).changes
    assert words(changes) == ["update push", "update trust", "create cut-off", "update push"]
    assert isinstance(changes[0].after, Document)
    assert [statement.effect for statement in changes[0].after.statements] == [Effect.DENY]


@pytest.mark.parametrize(
    ("cutoff", "expected"),
    [(None, 60), (NOW - timedelta(hours=2), 60), (NOW + timedelta(minutes=30), 30 * 60), (NOW + timedelta(days=9), 60)],
    ids=["none", "an earlier one", "a later one of this hour", "one that denies all access"],
)
def test_the_cut_off_has_a_margin_and_never_gets_earlier(cutoff: object, expected: int) -> None:
    live: dict[Address, Observed | LiveValue] = {D2: MORE_TRUST}
    if cutoff is not None:
        live[CUTOFF] = denial_of(Sessions(cutoff))  # type: ignore[arg-type]
    change = plan_of(ROLE_SPEC, live).changes[-1]
    assert isinstance(change.after, Document)
    assert denied_by(change.after) == Sessions(NOW + timedelta(seconds=expected))


def test_a_cut_off_that_our_run_did_not_write_is_not_drift() -> None:
    plan = plan_of(ROLE_SPEC, {}, OWES)
    assert (words(plan.changes), plan.drifts) == (["create cut-off"], ())
    [change] = plan.changes
    assert isinstance(change.after, Document)
    assert denied_by(change.after) == Sessions(NOW + MARGIN)


def test_the_cut_off_is_no_earlier_than_the_plan_and_its_margin() -> None:
    within = NOW + timedelta(milliseconds=1)
    *_, change = plan_of(ROLE_SPEC, {D2: MORE_TRUST}, Facts(within)).changes
    assert isinstance(change.after, Document)
    assert denied_by(change.after) == Sessions(NOW + MARGIN + timedelta(seconds=1))


def ends(row: dict[str, int]) -> Sessions:
    since = NOW + timedelta(seconds=row["since"]) if "since" in row else None
    return Sessions(NOW + timedelta(seconds=row["before"]), since)


@pytest.mark.parametrize("name", TABLES["ended"])
def test_a_repair_ends_these_sessions(name: str) -> None:
    row = TABLES["ended"][name]
    owed = ends(row["owed"]) if "owed" in row else None
    looked = NOW - 20 * timedelta(minutes=1, microseconds=1) if row.get("looked", True) else None
    facts = Facts(NOW, debts=Debts(owed, sessions_ended=owed is not None), last_look=looked)
    plan = plan_of(ROLE_SPEC, live_of(row["live"]), facts)
    [change] = [change for change in plan.changes if change.address == CUTOFF]
    assert isinstance(change.after, Document)
    assert denied_by(change.after) == ends(row["ends"])
    assert planned_debts(plan, facts).sessions == ends(row["ends"])
    assert change.access is not None and change.access.lost


FLAWS = {
    "denied from later": Sessions(NOW - HOUR, NOW - 2 * HOUR + timedelta(seconds=1)),
    "denied to earlier": Sessions(NOW - HOUR - timedelta(seconds=1), NOW - 2 * HOUR),
    "denied to earlier, however many older ones": Sessions(NOW - HOUR - timedelta(seconds=1)),
    "others denied": Sessions(NOW - 3 * HOUR, NOW - 4 * HOUR),
    "only future ones denied": Sessions(NOW + 9 * HOUR, NOW + HOUR),
}
PERIOD = Sessions(NOW - HOUR, NOW - 2 * HOUR)
OWES_A_PERIOD = Facts(NOW, debts=Debts(PERIOD, sessions_ended=True))


@pytest.mark.parametrize("name", FLAWS)
def test_a_period_is_written_again_if_either_of_its_ends_was_moved(name: str) -> None:
    plan = plan_of(ROLE_SPEC, {CUTOFF: denial_of(FLAWS[name])}, OWES_A_PERIOD)
    [change], [drift] = plan.changes, plan.drifts
    assert isinstance(change.after, Document)
    assert denied_by(change.after) == PERIOD
    assert drift.kind is DriftKind.CHANGED
    assert "issued between 2026-11-24T08:00:00Z and 2026-11-24T09:00:00Z were ended and work again" in drift.explain


@pytest.mark.parametrize(
    "denied",
    [PERIOD, Sessions(NOW - HOUR), Sessions(NOW, NOW - 2 * HOUR), Sessions(NOW - HOUR, NOW - 3 * HOUR)],
    ids=str,
)
def test_a_policy_that_ends_these_sessions_and_more_is_left_alone(denied: Sessions) -> None:
    assert plan_of(ROLE_SPEC, {CUTOFF: denial_of(denied)}, OWES_A_PERIOD).is_empty


OWN_TRUST = trust_policy(OWN_ROLE)
NOT_WRITTEN: dict[str, tuple[TargetSpec, Mapping[Address, Observed | LiveValue], Mode, dict[Address, HoldReason]]] = {
    "a policy that would deny ecr-warden is not written": (
        replace(spec_of(CHECKOUT), documents={D1: document(deny("ecr:*", who="*"))}),
        {D1: Absent()},
        Mode.ENFORCE,
        {D1: HoldReason.OWN_ACCESS},
    ),
    "ecr-warden's own role is not changed": (
        TargetSpec(OWN_ROLE, Extent.NAMED, {OWN_TRUST: desired(D2)}),
        {OWN_TRUST: MORE_TRUST},
        Mode.ENFORCE,
        {OWN_TRUST: HoldReason.OWN_ACCESS},
    ),
    **{
        name: (
            spec_in(row),
            live_of(row["live"]),
            Mode(row.get("mode", "enforce")),
            {PLACES[place]: HoldReason(why) for place, why in row["held"].items()},
        )
        for name, row in TABLES["held"].items()
    },
}


@pytest.mark.parametrize("name", NOT_WRITTEN)
def test_held_changes_are_not_written(name: str) -> None:
    spec, live, mode, held = NOT_WRITTEN[name]
    plan = plan_of(spec, live, OWES if name == "a foreign role is not taken over" else None, mode)
    assert plan.changes == ()
    assert {hold.drift.address: hold.reason for hold in plan.held} == held
    assert len(plan.held) == len(plan.drifts)
    assert not plan.is_empty


WITH_MALLORY = document(FOR_ANNA, allow("ecr:PutImage", who=MALLORY))


@pytest.mark.parametrize(
    ("live", "refusals", "left"),
    [
        (document(FOR_ANNA), 0, []),
        (WITH_MALLORY, 0, [document(FOR_ANNA)]),
        (WITH_MALLORY, 1, [None]),
        (document(allow("ecr:PutImage", who=MALLORY)), 0, [None]),
        (unparseable(), 0, [None]),
    ],
    ids=["no excess", "excess", "what AWS refuses to leave", "excess alone", "what is not understood"],
)
def test_of_a_policy_that_would_deny_ecr_warden_only_excess_access_is_taken(
    live: Observed | LiveValue, refusals: int, left: list[Document | None]
) -> None:
    plan = plan_of(LOCKED_OUT, {D1: live}, Facts(NOW, refusals={D1: refusals}))
    assert [hold.reason for hold in plan.held] == [HoldReason.OWN_ACCESS]
    written = (change.after for change in plan.changes)
    assert [*map(meant, written)] == [*map(meant, left)]


JUDGED = {str(address): "another digest" for address in (D1, D2, D3, ROLE)}


@pytest.mark.parametrize("name", TABLES["moved"])
def test_of_a_document_that_moved_what_is_too_much_goes_and_what_is_lacking_waits(name: str) -> None:
    row = TABLES["moved"][name]
    plan = plan_of(spec_in(row), live_of(row["live"]), Facts(NOW, last_look=None, expected=JUDGED))
    changes = [change.after for change in plan.changes if change.address != CUTOFF]
    named = {"desired trust": desired(D2), "settings": SETTINGS}
    written = [
        document(*one) if isinstance(one, list) else None if one is None else named[one] for one in row["writes"]
    ]
    assert ([*map(meant, changes)], [hold.reason for hold in plan.held]) == ([*map(meant, written)], row["held"])


def meant(value: object) -> object:
    """What a document says, however it is written; any other value as it is."""
    return canonical(value, kind=D1.document_kind) if isinstance(value, Document) else value


@pytest.mark.parametrize("hidden", [CUTOFF, identity_policy(PUSHER, "*")], ids=["the document", "the listing"])
def test_no_cut_off_is_written_if_it_cannot_be_read(hidden: Address) -> None:
    plan = plan_of(ROLE_SPEC, {D2: MORE_TRUST, hidden: unreadable()})
    assert words(plan.changes) == ["update trust"]
    assert [hold.reason for hold in plan.held] == [HoldReason.UNREADABLE]


@pytest.mark.parametrize("hidden", [CUTOFF, identity_policy(PUSHER, "*"), D2], ids=["itself", "the listing", "trust"])
def test_sessions_of_an_unreadable_role_are_not_reported_as_reopened(hidden: Address) -> None:
    plan = plan_of(ROLE_SPEC, {hidden: unreadable()}, ENDED)
    assert plan.changes == ()
    assert [drift.kind for drift in plan.drifts] == [DriftKind.UNREADABLE]


def test_sessions_of_a_deleted_role_or_one_not_ours_are_not_reported_as_reopened() -> None:
    assert CUTOFF not in {drift.address for drift in plan_of(ROLE_SPEC, nothing(ROLE_SPEC), ENDED).drifts}
    theirs = {ROLE: replace(SETTINGS, path="/")}
    assert CUTOFF not in {drift.address for drift in plan_of(ROLE_SPEC, theirs, ENDED).drifts}


WAITING = Facts(NOW, roles_in_sync={PUSHER.key: False})
ASSUMES = {"Resource": f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-pusher"}


@pytest.mark.parametrize(
    ("live", "changes", "waits"),
    [
        (Absent(), [], True),
        (document(allow(*ASSUMING, "iam:*", **ASSUMES)), ["update assume"], False),
        (document(allow("iam:*")), ["delete assume"], True),
        (document(deny("sts:AssumeRole"), allow("iam:*")), ["update assume"], True),
        (unparseable(), ["delete assume"], True),
    ],
    ids=["what is missing waits", "what is too much goes", "what is another goes", "a Deny stays", "the unknown goes"],
)
def test_a_user_only_loses_access_until_its_role_is_in_sync(
    live: Observed | LiveValue, changes: list[str], waits: bool
) -> None:
    plan = plan_of(USER_SPEC, {D4: live}, WAITING)
    assert words(plan.changes) == changes
    assert [hold.reason for hold in plan.held] == [HoldReason.ROLE_NOT_IN_SYNC] * waits
    assert all(change.after is None if change.access is None else change.access.gained == () for change in plan.changes)


ASKS = {
    "when its trust policy was last in sync, if that is narrowed": (ROLE_SPEC, {D2: MORE_TRUST}, (LastLook(),)),
    "nothing if another document of a role differs": (ROLE_SPEC, {D3: EVERYTHING}, ()),
    "whether the role is in sync, if a user gains the right to take it": (
        USER_SPEC,
        {D4: Absent()},
        (RoleInSync(PUSHER),),
    ),
    "nothing if a user only loses access": (USER_SPEC, {D4: document(allow(*ASSUMING, "iam:*", **ASSUMES))}, ()),
    "nothing if nothing differs": (USER_SPEC, {}, ()),
    "nothing for a gain that waits for no role": (spec_of(CHECKOUT), {D1: Absent()}, ()),
}


@pytest.mark.parametrize(("spec", "live", "asks"), ASKS.values(), ids=ASKS)
def test_a_plan_asks_only_for_what_it_depends_on(
    spec: TargetSpec, live: Mapping[Address, Observed | LiveValue], asks: tuple[Question, ...]
) -> None:
    made = make_plan(spec, reading(spec, live), Facts(NOW), spec_version="v1", mode=Mode.ENFORCE)
    assert (made.questions if isinstance(made, NeedsToKnow) else ()) == asks
