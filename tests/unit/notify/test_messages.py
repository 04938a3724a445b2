"""What people read: who, what, where, what was done, what it would have allowed."""

from copy import replace
from typing import Any

import pytest

from ecr_warden.collect.alerts import WiringChanged
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.core.address import repository_policy
from ecr_warden.core.alert import Alert
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.run import Failed, Outcome
from ecr_warden.notify.formats import to_email, to_slack
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import Message, MessageState
from ecr_warden.repair.alerts import (
    RunEnded,
)
from ecr_warden.versions.alerts import SpecAccepted, SpecRefused
from tests.unit.notify.reports import (
    CI,
    EVENT,
    MALLORY,
    OUTSIDER,
    REPOSITORY,
    SPEC,
    SWEEP,
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


def _text(message: Message) -> str:
    return "\n".join([message.title, *(f"{f.label}: {f.text}" for f in message.fields), *message.lines])


def on(name: str, **more: Any) -> RunEnded:
    """A run that repaired a repository of that name."""
    return report(replace(FOREIGN, address=repository_policy(replace(REPOSITORY, name=name))), **more)


def test_many_outcomes_of_one_cause_are_one_message_with_the_worst_first() -> None:
    alerts: list[Alert] = [SpecAccepted(EVENT, "v2", "v1", tuple(map(str, range(12))), ())]
    alerts += [on(f"r{index}", cause=SPEC, run_id=f"r-{index}") for index in range(11)]
    alerts.append(report(trust_drift(trusts(OUTSIDER)), cause=SPEC, result=Result.FAILED, run_id="r-bad"))
    message = message_of(alerts)
    assert message.severity is Severity.CRITICAL
    assert (message.state, message.title[-17:]) == (MessageState.FAILED, "(1 of 12 targets)")
    assert "role/222222222222/ecr-pusher: failed" in message.lines[0]
    assert sum(": done (run" in line for line in message.lines) == 11


def test_a_thousand_outcomes_are_still_a_short_message_that_counts_them_all() -> None:
    message = message_of([on(f"r{index}", cause=SWEEP, run_id=f"r-{index}") for index in range(1000)])
    assert message.title.endswith(" (1000 targets)")
    assert len(message.lines) == 40
    assert message.lines[-1] == "and 962 more targets"
    subject, body = to_email(message)
    assert len(body) < 10_000
    assert len(str(to_slack(message))) < 40_000
    assert subject


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
    assert message.title.startswith(f"arn:aws:iam::{OUTSIDER}:user/eve could push to shop/checkout")
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


REMEDIES = {
    "allow it": "allow it; then have it repaired",
    "": "end what keeps it from writing; then have it repaired",
    "list it, then ecr-warden deploy, then ecr-warden reconcile": (
        "list it, then ecr-warden deploy, then ecr-warden reconcile"
    ),
}


@pytest.mark.parametrize("remedy", REMEDIES)
def test_a_failure_says_once_that_it_is_to_be_repaired_again(remedy: str) -> None:
    message = message_of([report(FOREIGN, result=Result.FAILED, outcomes=(replace(DENIED, remedy=remedy),))])
    assert [field.text for field in message.fields if field.label == "To do"] == [REMEDIES[remedy]]


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
