"""From drift to changes and holds, in the order of writing."""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS, Address, attached_policy, identity_policy, trust_policy
from ecr_warden.core.desired import Extent, Mode, MustNotExist, TargetSpec
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.observed import Absent, LiveValue, Observation, Observed, TargetMissing
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
    CI,
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


def plan_of(
    spec: TargetSpec,
    live: Mapping[Address, Observed | LiveValue] | Observation,
    facts: Facts | None = None,
    mode: Mode = Mode.ENFORCE,
) -> Plan:
    observation = live if isinstance(live, Observation) else reading(spec, live)
    return plan_for(spec, observation, facts, mode=mode)


def words(changes: tuple[Change, ...]) -> list[str]:
    """Each change as `update trust-policy`."""
    return [
        f"{change.operation} {change.address.kind} {change.address.name.rpartition('/')[2]}".strip()
        for change in changes
    ]


@dataclass(frozen=True, slots=True)
class Case:
    """The live documents that differ, and the writes in order."""

    name: str
    spec: TargetSpec
    live: Mapping[Address, Observed | LiveValue]
    changes: tuple[str, ...]
    facts: Facts | None = None


TRUST = "update trust-policy"
DENY = "create identity-policy ecr-warden-deny-older-sessions"
DENY_AGAIN = "update identity-policy ecr-warden-deny-older-sessions"
DROP_DENY = "delete identity-policy ecr-warden-deny-older-sessions"
PUSH = "identity-policy ecr-warden-push"
ORDER = (
    Case("nothing to do", ROLE_SPEC, {}, ()),
    Case(
        "the boundary goes first, the loss of access next, the gain last",
        ROLE_SPEC,
        {
            ROLE: replace(SETTINGS, boundary=None),
            ATTACHED: None,
            EXTRA: EVERYTHING,
            D3: Absent(),
        },
        (
            "update role",
            "delete attached-policy AdministratorAccess",
            "delete identity-policy extra",
            f"create {PUSH}",
        ),
    ),
    Case(
        "older sessions are denied right after the trust policy is narrowed",
        ROLE_SPEC,
        {D2: MORE_TRUST, D3: Absent(), EXTRA: EVERYTHING},
        ("delete identity-policy extra", TRUST, DENY, f"create {PUSH}"),
    ),
    Case(
        "older sessions are denied before another document both gains and loses",
        ROLE_SPEC,
        {D2: MORE_TRUST, D3: MIXED_PUSH},
        (TRUST, DENY, f"update {PUSH}"),
    ),
    Case(
        "of two documents that gain and lose the trust policy, which has nothing in common, is written between",
        ROLE_SPEC,
        {D2: OPEN_TRUST, D3: MIXED_PUSH},
        (f"update {PUSH}", TRUST, DENY, f"update {PUSH}"),
    ),
    Case(
        "two documents that gain and lose are both cut down before either gains",
        ROLE_SPEC,
        {
            D2: document(
                allow(*ASSUMING, "sts:SetContext", who=f"arn:aws:iam::{CI}:user/push-user"),
                {"Effect": "Deny", "Principal": {"AWS": MALLORY}, "Action": "sts:AssumeRole"},
            ),
            D3: MIXED_PUSH,
        },
        (f"update {PUSH}", TRUST, DENY, f"update {PUSH}", TRUST),
    ),
    Case(
        "a document with nothing in common is deleted before the others gain",
        ROLE_SPEC,
        {D2: OPEN_TRUST, D3: document(allow("iam:*"))},
        (f"delete {PUSH}", TRUST, DENY, f"create {PUSH}"),
    ),
    Case("one document alone that gains and loses is one write", ROLE_SPEC, {D3: MIXED_PUSH}, (f"update {PUSH}",)),
    Case(
        "a policy that allows and denies loses its Allow before and its Deny after the trust policy changes hands",
        ROLE_SPEC,
        {D2: OPEN_TRUST, EXTRA: document(allow("ecr:*"), deny("ecr:PutImage"))},
        ("update identity-policy extra", TRUST, DENY, "delete identity-policy extra"),
    ),
    Case(
        "a document that is not understood is deleted before the trust policy changes hands",
        ROLE_SPEC,
        {D2: OPEN_TRUST, D3: unparseable()},
        (f"delete {PUSH}", TRUST, DENY, f"create {PUSH}"),
    ),
    Case(
        "a new document comes after the trust policy though it denies too",
        replace(ROLE_SPEC, documents={**ROLE_SPEC.documents, D3: document(allow("ecr:*"), deny("ecr:PutImage"))}),
        {D2: OPEN_TRUST, D3: Absent()},
        (TRUST, DENY, f"create {PUSH}"),
    ),
    Case("ended sessions stay ended", ROLE_SPEC, {CUTOFF: denial_of(Sessions(NOW - HOUR))}, (), ENDED),
    Case("a later end of sessions ends the earlier ones too", ROLE_SPEC, {CUTOFF: denial_of(Sessions(NOW))}, (), ENDED),
    Case("sessions reopened by a deletion end again", ROLE_SPEC, {CUTOFF: Absent()}, (DENY,), ENDED),
    Case(
        "sessions reopened by an earlier time end again",
        ROLE_SPEC,
        {CUTOFF: denial_of(Sessions(NOW - HOUR - timedelta(seconds=1)))},
        (DENY_AGAIN,),
        ENDED,
    ),
    Case(
        "a time so early that it is spent reopens them too",
        ROLE_SPEC,
        {CUTOFF: denial_of(Sessions(NOW - 99 * HOUR))},
        (DENY_AGAIN,),
        ENDED,
    ),
    Case("another policy in its place reopens them too", ROLE_SPEC, {CUTOFF: EVERYTHING}, (DENY_AGAIN,), ENDED),
    Case("one that is not understood reopens them too", ROLE_SPEC, {CUTOFF: unparseable()}, (DENY_AGAIN,), ENDED),
    Case(
        "one that denies all access is replaced by the owed one",
        ROLE_SPEC,
        {CUTOFF: denial_of(Sessions(NOW + 99 * HOUR))},
        (DENY_AGAIN,),
        ENDED,
    ),
    Case("sessions that have expired need no end", ROLE_SPEC, {CUTOFF: Absent()}, (), OVER),
    Case(
        "nor does their cut-off, once they have expired",
        ROLE_SPEC,
        {CUTOFF: denial_of(Sessions(NOW - 13 * HOUR))},
        (DROP_DENY,),
        OVER,
    ),
    Case("a trust policy that only gains ends no session", ROLE_SPEC, {D2: document(deny("*", who="*"))}, (TRUST,)),
    Case("a trust policy that is not understood may have been open", ROLE_SPEC, {D2: unparseable()}, (TRUST, DENY)),
    Case("what is owed from an earlier run is paid", ROLE_SPEC, {}, (DENY,), OWES),
    Case(
        "an earlier cut-off is moved on",
        ROLE_SPEC,
        {D2: MORE_TRUST, CUTOFF: denial_of(Sessions(NOW))},
        (TRUST, DENY_AGAIN),
    ),
    Case(
        "a document of another shape under that name is replaced, not deleted",
        ROLE_SPEC,
        {D2: MORE_TRUST, CUTOFF: EVERYTHING},
        (TRUST, DENY_AGAIN),
    ),
    Case("a document of another shape is deleted", ROLE_SPEC, {CUTOFF: EVERYTHING}, (DROP_DENY,)),
    Case(
        "a spent cut-off is dropped",
        ROLE_SPEC,
        {CUTOFF: denial_of(Sessions(NOW - timedelta(hours=13)))},
        (DROP_DENY,),
    ),
    Case("a cut-off that is not spent stays", ROLE_SPEC, {CUTOFF: denial_of(Sessions(NOW - timedelta(hours=11)))}, ()),
    Case(
        "a responder's cut-off stays however old",
        ROLE_SPEC,
        {identity_policy(PUSHER, AWS_REVOKE_OLDER_SESSIONS): denial_of(Sessions(NOW - timedelta(days=99)))},
        (),
    ),
    Case(
        "a role is deleted after its policies, those that allow before those that deny",
        GONE,
        {
            ROLE: SETTINGS,
            D2: desired(D2),
            EXTRA: document(deny("*")),
            D3: desired(D3),
            CUTOFF: denial_of(Sessions(NOW)),
        },
        (f"delete {PUSH}", DROP_DENY, "delete identity-policy extra", "delete role"),
    ),
    Case("a role to delete that was deleted", GONE, {}, ()),
    Case(
        "an identity policy that cannot be parsed is replaced",
        USER_SPEC,
        {D4: unparseable()},
        ("update identity-policy ecr-warden-assume",),
    ),
)


@pytest.mark.parametrize("case", ORDER, ids=lambda case: case.name)
def test_the_changes_come_in_this_order(case: Case) -> None:
    plan = plan_of(case.spec, case.live, case.facts)
    assert tuple(words(plan.changes)) == case.changes
    assert plan.held == ()


def test_a_role_is_created_with_its_trust_policy_before_its_other_documents() -> None:
    plan = plan_of(ROLE_SPEC, nothing(ROLE_SPEC))
    assert words(plan.changes) == ["create role", f"create {PUSH}"]
    assert plan.changes[0].after == NewRole(SETTINGS, desired(D2))
    assert plan.held == ()


def test_a_deleted_role_owes_no_cut_off() -> None:
    assert words(plan_of(ROLE_SPEC, nothing(ROLE_SPEC), OWES).changes) == ["create role", f"create {PUSH}"]
    assert words(plan_of(ROLE_SPEC, reading(ROLE_SPEC, {D2: Absent()}), OWES).changes) == ["create trust-policy"]


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
    assert words(changes) == [f"delete {PUSH}", TRUST, DENY, f"create {PUSH}"]


def test_an_intersection_that_may_not_fit_keeps_what_it_denies() -> None:
    many = [allow("*", Condition={"StringEquals": {"aws:SourceAccount": f"{number:012}"}}) for number in range(60)]
    changes = plan_of(ROLE_SPEC, {D2: OPEN_TRUST, D3: document(deny("ecr:x"), *many)}).changes
    assert words(changes) == [f"update {PUSH}", TRUST, DENY, f"update {PUSH}"]
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
    assert (words(plan.changes), plan.drifts) == ([DENY], ())
    [change] = plan.changes
    assert isinstance(change.after, Document)
    assert denied_by(change.after) == Sessions(NOW + MARGIN)


def test_the_cut_off_is_no_earlier_than_the_plan_and_its_margin() -> None:
    within = NOW + timedelta(milliseconds=1)
    *_, change = plan_of(ROLE_SPEC, {D2: MORE_TRUST}, Facts(within)).changes
    assert isinstance(change.after, Document)
    assert denied_by(change.after) == Sessions(NOW + MARGIN + timedelta(seconds=1))


LOOKED = NOW - 20 * timedelta(minutes=1, microseconds=1)
START = NOW - timedelta(minutes=25, seconds=1)
OF_DELETED = document(allow("sts:AssumeRole", who=MALLORY), allow("sts:AssumeRole", who="AIDAEXAMPLEEXAMPLE01"))


@dataclass(frozen=True, slots=True)
class Ended:
    """Which sessions end when the live documents are repaired, and what is owed for it."""

    name: str
    live: Mapping[Address, Observed | LiveValue]
    sessions: Sessions
    looked: datetime | None = LOOKED
    owed: Sessions | None = None


UNTIL = NOW + MARGIN
ENDED_SESSIONS = (
    Ended("those since the last good look, less its margin", {D2: MORE_TRUST}, Sessions(UNTIL, START)),
    Ended("all older ones where that look is unknown", {D2: MORE_TRUST}, Sessions(UNTIL), None),
    Ended("all older ones where the trust policy cannot be parsed", {D2: unparseable()}, Sessions(UNTIL)),
    Ended(
        "all older ones where it names a deleted principal, whose sessions live on", {D2: OF_DELETED}, Sessions(UNTIL)
    ),
    Ended(
        "those of an earlier repair and those in between",
        {D2: MORE_TRUST},
        Sessions(UNTIL, NOW - 3 * HOUR),
        owed=Sessions(NOW - 2 * HOUR, NOW - 3 * HOUR),
    ),
    Ended(
        "those of an earlier repair whose policy stands",
        {D2: MORE_TRUST, CUTOFF: denial_of(Sessions(NOW - 2 * HOUR, NOW - 3 * HOUR))},
        Sessions(UNTIL, NOW - 3 * HOUR),
        owed=Sessions(NOW - 2 * HOUR, NOW - 3 * HOUR),
    ),
    Ended(
        "those of an earlier repair to a later end",
        {D2: MORE_TRUST},
        Sessions(NOW + HOUR, START),
        owed=Sessions(NOW + HOUR, NOW - timedelta(minutes=1)),
    ),
    Ended(
        "all older ones where an earlier repair ended these",
        {D2: MORE_TRUST},
        Sessions(UNTIL),
        owed=Sessions(NOW - HOUR),
    ),
    Ended(
        "all older ones where a cut-off of all older ones stands",
        {D2: MORE_TRUST, CUTOFF: denial_of(Sessions(NOW - HOUR))},
        Sessions(UNTIL),
    ),
    Ended(
        "none of an earlier repair once they have expired",
        {D2: MORE_TRUST, CUTOFF: denial_of(Sessions(NOW - 13 * HOUR))},
        Sessions(UNTIL, START),
        owed=Sessions(NOW - 13 * HOUR),
    ),
    Ended(
        "no more because somebody denied all access",
        {D2: MORE_TRUST, CUTOFF: denial_of(Sessions(NOW + 9 * HOUR))},
        Sessions(UNTIL, START),
    ),
)


@pytest.mark.parametrize("case", ENDED_SESSIONS, ids=lambda case: case.name)
def test_a_repair_ends_these_sessions(case: Ended) -> None:
    debts = Debts(case.owed, sessions_ended=case.owed is not None)
    facts = Facts(NOW, debts=debts, last_look=case.looked)
    plan = plan_of(ROLE_SPEC, case.live, facts)
    [change] = [change for change in plan.changes if change.address == CUTOFF]
    assert isinstance(change.after, Document)
    assert denied_by(change.after) == case.sessions
    assert planned_debts(plan, facts).sessions == case.sessions
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


HELD: dict[str, tuple[TargetSpec, Mapping[Address, Observed | LiveValue], Mode, dict[Address, HoldReason]]] = {
    "observe mode holds everything": (
        ROLE_SPEC,
        {D2: MORE_TRUST, EXTRA: EVERYTHING},
        Mode.OBSERVE,
        {D2: HoldReason.OBSERVE_MODE, EXTRA: HoldReason.OBSERVE_MODE},
    ),
    "what cannot be read is left": (
        spec_of(CHECKOUT),
        {D1: unreadable()},
        Mode.ENFORCE,
        {D1: HoldReason.UNREADABLE},
    ),
    "a missing repository is not made": (
        spec_of(CHECKOUT),
        {D1: TargetMissing()},
        Mode.ENFORCE,
        {D1: HoldReason.TARGET_MISSING},
    ),
    "a missing user is not made": (USER_SPEC, {D4: TargetMissing()}, Mode.ENFORCE, {D4: HoldReason.TARGET_MISSING}),
    "a policy that would deny ecr-warden is not written": (
        replace(spec_of(CHECKOUT), documents={D1: document(deny("ecr:*", who="*"))}),
        {D1: Absent()},
        Mode.ENFORCE,
        {D1: HoldReason.OWN_ACCESS},
    ),
    "ecr-warden's own role is not changed": (
        TargetSpec(OWN_ROLE, Extent.NAMED, {trust_policy(OWN_ROLE): desired(D2)}),
        {trust_policy(OWN_ROLE): MORE_TRUST},
        Mode.ENFORCE,
        {trust_policy(OWN_ROLE): HoldReason.OWN_ACCESS},
    ),
    "a foreign role is not taken over": (
        ROLE_SPEC,
        {ROLE: replace(SETTINGS, path="/"), D2: MORE_TRUST, EXTRA: EVERYTHING, CUTOFF: EVERYTHING},
        Mode.ENFORCE,
        {
            ROLE: HoldReason.NOT_OURS,
            D2: HoldReason.NOT_OURS,
            EXTRA: HoldReason.NOT_OURS,
            CUTOFF: HoldReason.NOT_OURS,
        },
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_held_changes_are_not_written(name: str) -> None:
    spec, live, mode, held = HELD[name]
    plan = plan_of(spec, live, OWES if name == "a foreign role is not taken over" else None, mode)
    assert plan.changes == ()
    assert {hold.drift.address: hold.reason for hold in plan.held} == held
    assert len(plan.held) == len(plan.drifts)
    assert not plan.is_empty


FOR_ANNA = allow("ecr:BatchGetImage", who=ANNA)
LOCKED_OUT = replace(spec_of(CHECKOUT), documents={D1: document(FOR_ANNA, deny("ecr:*", who="*"))})
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
# Of a document that moved since it was judged: what is written at once, and what is held.
MOVED: dict[str, tuple[TargetSpec, Mapping[Address, Observed | LiveValue], list[object], list[HoldReason]]] = {
    "more than the version gives: nothing has to wait": (ROLE_SPEC, {D2: MORE_TRUST}, [desired(D2)], []),
    "an attached policy that nobody saw: it is detached": (ROLE_SPEC, {ATTACHED: None}, [None], []),
    "another policy that nobody saw: it goes": (ROLE_SPEC, {EXTRA: EVERYTHING}, [None], []),
    "what such a policy denies stays": (
        ROLE_SPEC,
        {EXTRA: document(allow("ecr:*"), deny("ecr:PutImage"))},
        [document(deny("ecr:PutImage"))],
        [HoldReason.MOVED],
    ),
    "something else: it goes, and what would be added waits": (
        spec_of(CHECKOUT),
        {D1: document(allow("ecr:PutImage", who=MALLORY))},
        [None],
        [HoldReason.MOVED],
    ),
    "less than the version gives: all of it waits": (spec_of(CHECKOUT), {D1: Absent()}, [], [HoldReason.MOVED]),
    "what is not understood goes": (spec_of(CHECKOUT), {D1: unparseable()}, [None], [HoldReason.MOVED]),
    "a policy that would deny ecr-warden": (
        LOCKED_OUT,
        {D1: WITH_MALLORY},
        [document(FOR_ANNA)],
        [HoldReason.OWN_ACCESS],
    ),
    "what cannot be read": (spec_of(CHECKOUT), {D1: unreadable()}, [], [HoldReason.UNREADABLE]),
    "the settings of a role are no document": (ROLE_SPEC, {ROLE: replace(SETTINGS, boundary=None)}, [SETTINGS], []),
}


@pytest.mark.parametrize("name", MOVED)
def test_of_a_document_that_moved_what_is_too_much_goes_and_what_is_lacking_waits(name: str) -> None:
    spec, live, written, held = MOVED[name]
    plan = plan_of(spec, live, Facts(NOW, last_look=None, expected=JUDGED))
    changes = [change.after for change in plan.changes if change.address != CUTOFF]
    assert ([*map(meant, changes)], [hold.reason for hold in plan.held]) == ([*map(meant, written)], held)


def meant(value: object) -> object:
    """What a document says, however it is written; any other value as it is."""
    return canonical(value, kind=D1.document_kind) if isinstance(value, Document) else value


@pytest.mark.parametrize("hidden", [CUTOFF, identity_policy(PUSHER, "*")], ids=["the document", "the listing"])
def test_no_cut_off_is_written_if_it_cannot_be_read(hidden: Address) -> None:
    plan = plan_of(ROLE_SPEC, {D2: MORE_TRUST, hidden: unreadable()})
    assert words(plan.changes) == [TRUST]
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
        (document(allow(*ASSUMING, "iam:*", **ASSUMES)), ["update identity-policy ecr-warden-assume"], False),
        (document(allow("iam:*")), ["delete identity-policy ecr-warden-assume"], True),
        (document(deny("sts:AssumeRole"), allow("iam:*")), ["update identity-policy ecr-warden-assume"], True),
        (unparseable(), ["delete identity-policy ecr-warden-assume"], True),
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


@pytest.mark.parametrize(
    ("spec", "live", "asks"),
    [
        (ROLE_SPEC, {D2: MORE_TRUST}, (LastLook(),)),
        (ROLE_SPEC, {D3: EVERYTHING}, ()),
        (USER_SPEC, {D4: Absent()}, (RoleInSync(PUSHER),)),
        (USER_SPEC, {D4: document(allow(*ASSUMING, "iam:*", **ASSUMES))}, ()),
        (USER_SPEC, {}, ()),
        (spec_of(CHECKOUT), {D1: Absent()}, ()),
    ],
    ids=[
        "when its trust policy was last in sync, if that is narrowed",
        "nothing if another document of a role differs",
        "whether the role is in sync, if a user gains the right to assume it",
        "nothing if a user only loses access",
        "nothing if nothing differs",
        "nothing for a gain that waits for no role",
    ],
)
def test_a_plan_asks_only_for_what_it_depends_on(
    spec: TargetSpec, live: Mapping[Address, Observed | LiveValue], asks: tuple[Question, ...]
) -> None:
    made = make_plan(spec, reading(spec, live), Facts(NOW), spec_version="v1", mode=Mode.ENFORCE)
    assert (made.questions if isinstance(made, NeedsToKnow) else ()) == asks
    assert ANNA
