"""What people read: who, what, where, what was done, what it would have allowed."""

from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden.collect.alerts import Unlisted, WiringChanged
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.core.address import repository_policy, role
from ecr_warden.core.alert import Alert
from ecr_warden.core.drift import Drift
from ecr_warden.core.job import Actor, Cause, CauseKind, FollowClock
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.run import Applied, Conflict, Failed, Outcome, Skipped
from ecr_warden.core.sessions import Sessions, denial_of
from ecr_warden.notify.formats import to_email, to_slack
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import Message
from ecr_warden.repair.alerts import (
    EndMoment,
    GrantsEnd,
    HarmfulCall,
    JobFailed,
    OwnChanged,
    PauseEnded,
    RunEnded,
    TargetsPaused,
    TargetsResumed,
)
from ecr_warden.state.hold import Hold
from ecr_warden.versions.alerts import HoldOpened, SpecAccepted, SpecRefused
from local.testing.holds import ground, reasons
from tests.unit.notify.reports import (
    ATTACHED,
    CI,
    DEPLOYED,
    EVENT,
    HOME,
    LOCKED_OUT,
    MALLORY,
    NOW,
    OUTSIDER,
    REOPENED,
    REOPENED_BY_A_CHANGE,
    REPOSITORY,
    ROLE,
    RUN,
    SETTLING,
    SPEC,
    SWEEP,
    UNREADABLE,
    allows,
    also,
    change,
    pulls,
    push_drift,
    report,
    repository_drift,
    trust_drift,
    trusts,
)

FOREIGN = repository_drift(pulls(f"arn:aws:iam::{CI}:user/pull-user-1", f"arn:aws:iam::{OUTSIDER}:user/eve"))
MISSING = repository_drift(None)
LEFT: Any = {"result": Result.REPORTED, "held": HoldReason.TARGET_MISSING}
GONE = Drift(repository_policy(REPOSITORY), DriftKind.TARGET_MISSING, "it does not exist")
ROLE_GONE = Drift(role(ROLE), DriftKind.MISSING, "it is not there")
UNBOUND = Drift(role(ROLE), DriftKind.CHANGED, "permissions boundary is none")


def _text(message: Message) -> str:
    return "\n".join([message.title, *(f"{f.label}: {f.text}" for f in message.fields), *message.lines])


def test_a_repair_says_who_what_where_when_and_what_it_would_have_allowed() -> None:
    message = message_of([report(FOREIGN)])
    assert message.severity is Severity.CRITICAL
    assert message.title == (
        "repository policy of shop/checkout was changed by mallory of Administrator; repaired after 2 s"
    )
    assert {field.label: field.text for field in message.fields} == {
        "Who": "session mallory of role arn:aws:iam::222222222222:role/Administrator, from 198.51.100.7",
        "Call": "ecr:SetRepositoryPolicy",
        "Called at": "2026-11-24T10:15:30Z",
        "Where": "repository shop/checkout in 222222222222 eu-central-1",
        "Result": "repaired",
        "Finished at": "2026-11-24T10:15:32Z",
        "Spec": "v2",
        "Run": "r-1",
        "See": "ecr-warden history r-1",
    }
    assert message.lines == (
        "Found:",
        "repository policy: changed: a principal more",
        "  arn:aws:iam::999999999999:user/eve could pull from shop/checkout (ecr:BatchGetImage and 1 more) for 2 s",
        "Done:",
        "repository policy: repaired",
    )


CHANGE = change(MISSING)


def denies(sessions: Sessions) -> Change:
    return replace(CHANGE, address=REOPENED.address, after=denial_of(sessions))


ENDED = Sessions(datetime(2026, 11, 24, 10, tzinfo=UTC), since=datetime(2026, 11, 24, 9, tzinfo=UTC))
ASKED = Cause(CauseKind.CALLER, "c-1", actor=MALLORY)
UNREAD = Unlisted(SWEEP, "v2", ("repository/2/eu-central-1/shop/*: denied; allow it",), ("permission-missing",))
UNLISTED = Unlisted(SWEEP, "v2", (*UNREAD.problems, "user/1/*: closed"), ("account-unreachable", *UNREAD.codes))
PAUSED = TargetsPaused(ASKED, ("repository/x",), "a migration", NOW)
SAID: dict[str, tuple[Alert, str]] = {
    "observe mode": (report(MISSING, result=Result.REPORTED, held=HoldReason.OBSERVE_MODE), "mode is observe"),
    "the stop switch": (
        report(MISSING, result=Result.REPORTED, outcomes=(Skipped(CHANGE, "writes are stopped"),)),
        "NOT repaired: writes are stopped",
    ),
    "a held repair": (report(MISSING, result=Result.REPORTED, held=HoldReason.OWN_ACCESS), "lock itself out"),
    "a role that is not ours": (report(MISSING, result=Result.REPORTED, held=HoldReason.NOT_OURS), "not ecr-warden's"),
    "an unreadable target": (report(UNREADABLE, result=Result.UNKNOWN, outcomes=()), "its state is unknown"),
    "a failed repair and AWS's reason": (
        report(MISSING, result=Result.FAILED, outcomes=(Failed(CHANGE, "AccessDenied", "by an SCP", False),)),
        "failed: repair repository policy: AccessDenied: by an SCP",
    ),
    "a conflict": (report(MISSING, result=Result.CONFLICT, outcomes=(Conflict(CHANGE),)), "changed again"),
    "a repair that AWS does not show yet": (report(MISSING, result=Result.NOT_YET_VISIBLE), "not visible yet"),
    "a repair that did not hold": (
        report(MISSING, result=Result.STILL_DRIFTED),
        "repaired, but NOT in sync: changed again at once",
    ),
    "an interrupted run": (report(MISSING, result=Result.INTERRUPTED, outcomes=()), "interrupted"),
    "an intruder": (report(result=Result.IN_SYNC, intruder=True), "INTRUDER in the write role"),
    "what to do about an intruder": (report(result=Result.IN_SYNC, intruder=True), "write nothing: ecr-warden stop"),
    "a document that is not understood": (
        report(replace(MISSING, kind=DriftKind.UNPARSEABLE, explain="bad JSON", access=None)),
        "cannot be parsed: bad JSON",
    ),
    "ended sessions that work again": (report(REOPENED), "missing: sessions issued before 2026-11-24T10:00:00Z were"),
    "what happened to them": (report(REOPENED_BY_A_CHANGE), "were ended and work again"),
    "which sessions ended, and what their users have to do": (
        report(MISSING, outcomes=(Applied(denies(ENDED)),)),
        "sessions issued between 2026-11-24T09:00:00Z and 2026-11-24T10:00:00Z: denied\n"
        "  whoever uses one has to assume the role again",
    ),
    "that all older sessions ended": (
        report(MISSING, outcomes=(Applied(denies(Sessions(ENDED.before))),)),
        "sessions issued before 2026-11-24T10:00:00Z: denied",
    ),
    "a lock-out by our own means": (report(LOCKED_OUT), "it denies all access until 2036"),
    "a write that settles": (report(SETTLING, result=Result.NOT_YET_VISIBLE), "AWS still shows unique ids"),
    "a caller that the event does not name": (
        report(MISSING, cause=replace(EVENT, actor=None)),
        "Who: an unknown caller",
    ),
    "a drift that the sweep found": (report(MISSING, cause=SWEEP), "found by the sweep, and no event reported it"),
    "the problems of a refused spec": (SpecRefused(EVENT, "v3", "v2", ("E104 a.yaml:1:2 no",)), "E104 a.yaml:1:2 no"),
    "what stays enforced": (SpecRefused(EVENT, "v3", "v2", ("E104",)), "Still enforced: version v2"),
    "that nothing is enforced": (SpecRefused(EVENT, "v3", None, ("E104",)), "Still enforced: nothing yet"),
    "who wrote the spec": (SpecRefused(EVENT, "v3", None, ("E104",)), "Uploaded by: session mallory"),
    "how many targets a spec changed": (SpecAccepted(EVENT, "v2", None, ("a", "b"), ()), "2 targets changed"),
    "what a spec released": (SpecAccepted(EVENT, "v2", "v1", (), ("x",)), "Released, their documents stay:\nx"),
    "that a list cannot be read": (UNREAD, "cannot be listed in 1 place: their state is unknown"),
    "why a pattern cannot be listed": (UNREAD, "repository/2/eu-central-1/shop/*: denied; allow it"),
    "why an account cannot be listed": (UNLISTED, "user/1/*: closed"),
    "in how many places lists cannot be read": (UNLISTED, "cannot be listed in 2 places"),
    "what is missed meanwhile": (UNLISTED, "sweeps cannot find there what the spec does not name"),
    "who paused": (PAUSED, "1 target paused by mallory of Administrator: drift is reported, not repaired"),
    "who paused, in full": (PAUSED, "Who: session mallory of role arn:aws:iam::222222222222:role/Administrator"),
    "why": (PAUSED, "Reason: a migration"),
    "until when": (PAUSED, "Until: 2026-11-24T10:15:32Z"),
    "how to end a pause": (PAUSED, "Undo: ecr-warden resume repository/x"),
    "what was paused": (replace(PAUSED, targets=("repository/x", "role/y")), "role/y"),
    "which own role was changed, and by whom": (
        OwnChanged(EVENT, HOME, "role ecr-warden-read"),
        "ecr-warden's own role ecr-warden-read was changed by mallory of Administrator",
    ),
    "in which account": (OwnChanged(EVENT, HOME, "role ecr-warden-read"), f"account {HOME}"),
    "how to see what differs": (OwnChanged(EVENT, HOME, "role ecr-warden-read"), "detect-stack-drift"),
    "that the command needs a profile and a region": (
        OwnChanged(EVENT, HOME, "role ecr-warden-read"),
        "detect-stack-drift --profile ... --region ... --stack-name",
    ),
    "that no stack makes the webhook": (OwnChanged(EVENT, "", "webhook /ecr-warden/hook"), "put the right URL back"),
    "what a deployment looks like": (OwnChanged(DEPLOYED, HOME, "role ecr-warden-read"), "If nobody deployed them"),
    "who resumed": (TargetsResumed(ASKED, ("repository/x",)), "1 target resumed by mallory of Administrator"),
    "that a grant ends in a week": (
        GrantsEnd(EVENT, EndMoment.WEEK, "v2", ("pull from repository/x: a",), 2),
        "3 grants of the spec: the end is a week away",
    ),
    "that a grant ends in a day": (
        GrantsEnd(EVENT, EndMoment.DAY, "v2", ("pull from repository/x: a",)),
        "1 grant of the spec: the end is a day away",
    ),
    "that a grant has ended": (
        GrantsEnd(EVENT, EndMoment.ENDED, "v2", ("pull from repository/x: a",)),
        "1 grant of the spec: the end has come",
    ),
    "what ends": (GrantsEnd(EVENT, EndMoment.DAY, "v2", ("pull from repository/x: a",)), "pull from repository/x: a"),
    "that new targets of a pattern are paused": (
        TargetsPaused(ASKED, ("repository/x",), "a migration", NOW, patterns=("shop/*", "evil`\n<b>")),
        "1 target and new targets that match shop/*, evil`\\n<b> paused by mallory of Administrator",
    ),
    "that all targets to come are paused": (
        TargetsPaused(ASKED, ("repository/x",), "a migration", NOW, patterns=("all",)),
        "1 target and new targets paused by mallory of Administrator",
    ),
    "that a pause has ended": (
        PauseEnded(ASKED, ("repository/x",), "a migration", NOW),
        "the pause of 1 target has ended: each is compared with the spec now",
    ),
    "whose pause has ended": (
        PauseEnded(ASKED, ("repository/x",), "a migration", NOW),
        "Paused by: session mallory of role arn:aws:iam::222222222222:role/Administrator",
    ),
    "what the end of a pause left to repair": (
        report(MISSING, cause=Cause(CauseKind.PAUSE, "command-1", actor=Actor("IAMUser", arn="arn:aws:iam::1:user/a"))),
        "Cause: pause command-1 by user arn:aws:iam::1:user/a ended",
    ),
    "that a pause may have ended unnoticed": (
        JobFailed(EVENT, FollowClock(Cause(CauseKind.SWEEP, "s-1"))),
        "what has come due: it is neither announced nor done; the next tick looks again",
    ),
    "what helps after a failure": (
        report(MISSING, result=Result.FAILED, run_id="r-9"),
        "See: ecr-warden history r-9; once the cause is fixed: ecr-warden reconcile repository/222222222222/",
    ),
    "what helps against a refusal": (SpecRefused(EVENT, "v3", None, ("E104",)), "ecr-warden validate access.yaml"),
    "a spec's warnings": (SpecAccepted(EVENT, "v2", "v1", (), (), ("W1 no effect",)), "Warnings:\nW1 no effect"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_message_says(name: str) -> None:
    alert, words = SAID[name]
    assert words in _text(message_of([alert]))


def on(name: str, **more: Any) -> RunEnded:
    """A run that repaired a repository of that name."""
    return report(replace(FOREIGN, address=repository_policy(replace(REPOSITORY, name=name))), **more)


def test_many_outcomes_of_one_cause_are_one_message_with_the_worst_first() -> None:
    alerts: list[Alert] = [SpecAccepted(EVENT, "v2", "v1", tuple(map(str, range(12))), ())]
    alerts += [on(f"r{index}", cause=SPEC, run_id=f"r-{index}") for index in range(11)]
    alerts.append(report(trust_drift(trusts(OUTSIDER)), cause=SPEC, result=Result.FAILED, run_id="r-bad"))
    message = message_of(alerts)
    assert message.severity is Severity.CRITICAL
    assert message.title == "11 targets rolled out, 1 NOT; spec accepted, 12 targets changed"
    assert message.lines[0] == "role ecr-pusher in 222222222222: could NOT be rolled out (run r-bad)"
    assert sum(": rolled out (run" in line for line in message.lines) == 11


def test_a_thousand_outcomes_are_still_a_short_message_that_counts_them_all() -> None:
    message = message_of([on(f"r{index}", cause=SWEEP, run_id=f"r-{index}") for index in range(1000)])
    assert message.title == "1000 targets repaired"
    assert len(message.lines) == 40
    assert message.lines[-1] == "and 962 more targets"
    subject, body = to_email(message)
    assert len(body) < 10_000
    assert len(str(to_slack(message))) < 40_000
    assert subject


def due(name: str, **more: Any) -> RunEnded:
    """A run that did on a role what had become due, without any drift."""
    found = report(cause=SWEEP, run_id=f"r-{name}", **more)
    return replace(found, target=replace(ROLE, name=name))


SUMMARIES: dict[str, tuple[list[RunEnded], str]] = {
    "what was due is done": ([due("a"), due("b")], "2 targets done"),
    "on one target, too": ([due("a"), due("a")], "role a: done 2 times"),
    "beside a repair": ([due("a"), due("b"), on("c", cause=SWEEP)], "1 target repaired, 2 done"),
    "beside one that failed": (
        [due("a"), due("b", result=Result.FAILED), on("c", cause=SWEEP), on("d", cause=SWEEP)],
        "2 targets repaired, 1 NOT, 1 done",
    ),
    "where nothing else is fine": ([due("a"), due("b", result=Result.FAILED)], "1 target NOT repaired, 1 done"),
    "a rolled-out role without drift counts as the others": (
        [on("a", cause=SPEC), replace(due("b"), cause=SPEC), replace(due("c"), cause=SPEC)],
        "3 targets rolled out",
    ),
}


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_title_of_many_runs_counts_a_repair_only_where_something_was_repaired(name: str) -> None:
    runs, title = SUMMARIES[name]
    assert message_of(runs).title == title


def test_runs_after_a_run_say_which() -> None:
    message = message_of([on("a0", cause=RUN), on("b0", cause=RUN, run_id="r-2")])
    assert "Cause: follow-up of run r-0" in _text(message)


TITLES: dict[str, tuple[RunEnded, str]] = {
    "a repository that was deleted": (
        report(GONE, cause=replace(EVENT, action="ecr:DeleteRepository"), **LEFT),
        "repository shop/checkout was deleted by mallory of Administrator; "
        "reported, NOT repaired: ecr-warden does not create repositories",
    ),
    "a repository that is gone": (
        report(GONE, cause=SWEEP, **LEFT),
        "repository shop/checkout does not exist, found by the sweep; "
        "reported, NOT repaired: ecr-warden does not create repositories",
    ),
    "a role that was deleted": (
        report(ROLE_GONE, cause=replace(EVENT, action="iam:DeleteRole")),
        "role ecr-pusher was deleted by mallory of Administrator; recreated after 2 s",
    ),
    "a boundary that was taken away": (
        report(UNBOUND, cause=replace(EVENT, action="iam:DeleteRolePermissionsBoundary")),
        "settings of role ecr-pusher were changed by mallory of Administrator; repaired after 2 s",
    ),
    "a policy that was deleted": (
        report(MISSING, cause=replace(EVENT, action="ecr:DeleteRepositoryPolicy")),
        "repository policy of shop/checkout was deleted by mallory of Administrator; repaired after 2 s",
    ),
    "a policy that was attached": (
        report(ATTACHED, cause=replace(EVENT, action="iam:AttachRolePolicy")),
        "attached policy arn:aws:iam::aws:policy/AdministratorAccess of role ecr-pusher was added by mallory of "
        "Administrator; repaired after 2 s",
    ),
    "what a call of another kind cannot have done": (
        report(FOREIGN, cause=replace(EVENT, action="ecr:TagResource")),
        "repository policy of shop/checkout differs from the spec, after ecr:TagResource by mallory of Administrator; "
        "repaired after 2 s",
    ),
    "a roll-out": (
        report(MISSING, cause=SPEC),
        "repository policy of shop/checkout: version v2 of the spec; rolled out",
    ),
    "a reason of any length, which never hides that it is not over": (
        report(MISSING, result=Result.REPORTED, outcomes=(Skipped(CHANGE, "paused " * 50),)),
        "",
    ),
}


@pytest.mark.parametrize("name", TITLES)
def test_the_title_says_what_happened_who_did_it_and_whether_it_is_over(name: str) -> None:
    run, expected = TITLES[name]
    title = message_of([run]).title
    if name.startswith("a reason"):
        what, _, state = title.partition("; ")
        assert what == "repository policy of shop/checkout was changed by mallo..."
        assert state.startswith("reported, NOT repaired: paused paused")
        assert len(title) == 140
    else:
        assert title == expected


HOSTILE = "\u202e<!channel>\r\n\x1b[31m" + "x" * 5000


def test_what_comes_from_outside_is_printable_and_bounded() -> None:
    actor = replace(MALLORY, session_name=HOSTILE, issuer=HOSTILE, source_ip=HOSTILE, invoked_by=HOSTILE)
    drift = replace(FOREIGN, explain=HOSTILE)
    outcome: Outcome = Failed(change(drift), HOSTILE, HOSTILE, False)
    hostile = report(drift, cause=replace(EVENT, actor=actor, action=HOSTILE), outcomes=(outcome,), run_id=HOSTILE)
    message = message_of([hostile, SpecRefused(EVENT, HOSTILE, HOSTILE, (HOSTILE,) * 500)])
    for text in [message.title, *(field.text for field in message.fields), *message.lines]:
        assert text.isprintable()
        assert len(text) <= 700
    alone = message_of([hostile])
    assert len(_text(alone)) < 6000
    assert _text(alone).replace("\n", "").isprintable()


DENIED = Failed(
    change(FOREIGN),
    "permission-missing",
    f"writing it: AWS denied ecr:SetRepositoryPolicy: {'a long name ' * 80}",
    False,
    "allow it: stacks/member.yaml grants it",
)


CROWD = tuple(
    allows("ecr:PutImage", Condition={"StringEquals": {f"aws:RequestTag/{number}": "x"}}) for number in range(30)
)


def test_power_over_policies_is_not_hidden_by_other_permissions() -> None:
    message = message_of([report(push_drift(also(*CROWD, allows("iam:PutRolePolicy"))))])
    assert "iam:PutRolePolicy" in message.lines[2]


def test_an_outsider_is_not_hidden_by_drift_in_other_documents() -> None:
    crowded = push_drift(also(*CROWD))
    outsider = trust_drift(trusts(f"arn:aws:iam::{OUTSIDER}:user/eve"))
    message = message_of([report(crowded, crowded, crowded, outsider)])
    assert message.title.startswith("trust policy, ")
    assert f"arn:aws:iam::{OUTSIDER}:user/eve could assume" in message.lines[2]


def test_power_under_a_condition_that_nobody_meets_is_shown_all_the_same() -> None:
    """Nobody that is known here."""
    void = {"StringEquals": {"aws:PrincipalType": "Nobody"}}
    message = message_of([report(push_drift(also(allows("ecr:PutImage"), allows("*", Condition=void))))])
    assert message.severity is Severity.CRITICAL
    assert "could do everything with anything (*) under StringEquals aws:principaltype Nobody" in message.lines[2]


def test_a_failure_of_any_length_keeps_its_remedy() -> None:
    text = _text(message_of([report(FOREIGN, result=Result.FAILED, outcomes=(DENIED,))]))
    assert "AWS denied ecr:SetRepositoryPolicy" in text
    assert "stacks/member.yaml grants it" in text


def test_of_many_runs_one_that_failed_says_why_before_what_differed() -> None:
    failed = report(FOREIGN, result=Result.FAILED, outcomes=(DENIED,))
    lines = message_of([failed, on("other")]).lines
    assert lines[1].startswith("  failed: ")
    assert lines[2] == "  remedy: allow it: stacks/member.yaml grants it"
    assert sum("failed: " in line for line in lines) == 1


def test_lists_under_the_same_title_are_one() -> None:
    wires = [Wire(f"rule {name}", "the events of others", WireState.ON) for name in "abcd"]
    message = message_of([WiringChanged(SWEEP, wire.name, ended=(wire,)) for wire in wires])
    assert message.lines == ("As it should be again:", *(f"rule {name}" for name in "abcd"))


VERSION = "23fa7a99-ae7a-450e-9e08-3ec7f204ba2e"
WAITS = f"version {VERSION} of the spec waits for a person"

# name: why a version waits, and what the title says after that
TITLES_OF_HOLDS: dict[str, tuple[tuple[str, ...], str]] = {
    "a short reason is there in full": (("it drops 1 account: ci",), ": it drops 1 account: ci"),
    "of a long one there is what it begins with": (
        ("it lets in organization o-a1b2c3d4e5: repository policy of shop/checkout",),
        ": it lets in organization o-a1b2c3d4e5",
    ),
    "the others are counted": (
        ("it lets in organization o-a1b2c3d4e5: repository policy of shop/checkout", "it drops 1 account: ci"),
        ": it lets in organization o-a1b2c3d4e5 (and 1 more reason)",
    ),
    "if not even the beginning fits, all are counted": (
        ("it removes 12 grants after 3 in the 24 hours before; max_removed is 10", "it drops 1 account: ci"),
        ", for 2 reasons",
    ),
}


@pytest.mark.parametrize("name", TITLES_OF_HOLDS)
def test_no_reason_in_the_title_of_a_hold_is_cut_in_the_middle(name: str) -> None:
    why, says = TITLES_OF_HOLDS[name]
    hold = Hold(ground("v2", "v1"), f"version {VERSION} of the spec", reasons(*why), NOW, NOW)
    message = message_of([HoldOpened(EVENT, hold)])
    assert message.title == WAITS + says
    assert {f"removes-much: {one}" for one in why} < set(message.lines)


def test_what_one_principal_did_in_several_ways_has_each_way_with_its_own_fields() -> None:
    """Ten fields fit; what is said under each of them is shown or counted, and no command is lost."""
    hold = HoldOpened(
        EVENT, Hold(ground("v2", "v1"), "version v2 of the spec", reasons("it drops an account"), NOW, NOW)
    )
    message = message_of([on("a"), hold, HarmfulCall(replace(EVENT, action="iam:CreateAccessKey"), None)])
    assert message.title.startswith("3 alerts: repository policy of a was changed by mallory")
    assert [field.label for field in message.fields] == ["See"]
    text = "\n".join(message.lines)
    for words in (f"Accept: ecr-warden accept {hold.hold.id}", "Result: repaired", "Call: iam:CreateAccessKey"):
        assert words in text
