"""What people read of an audit: who can, which way, why, and what closes it."""

from collections.abc import Iterator
from copy import replace

import pytest

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import Certainty, Finding, FindingGroup, FindingKind
from ecr_warden.audit.finding_texts import causes
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.result import Severity
from ecr_warden.notify.formats import to_email, to_slack
from ecr_warden.notify.kinds import changes_of, message_of
from ecr_warden.notify.shorter import shorter
from tests.unit.notify.reports import EVENT, HOME, NOW, REPOSITORY, SWEEP, report, repository_drift

PLACE = str(REPOSITORY)
SHADOW, MALLORY = f"arn:aws:iam::{HOME}:role/team/shadow-pusher", "arn:aws:iam::999999999999:user/mallory"
ALLOWS = "statement 1 of identity policy p of role/team/shadow-pusher allows ecr:*"
FINDING = Finding(
    FindingKind.EXTRA,
    PLACE,
    "push",
    MALLORY,
    (MALLORY, SHADOW),
    because=("statement 1 of trust policy of shadow-pusher allows sts:AssumeRole", ALLOWS),
    remedy="remove statement 1 of the trust policy of shadow-pusher: whoever may change roles of 222222222222 can",
    foreign=True,
)
GROUP = FindingGroup(FINDING, ("pull", "push"), (PLACE,), NOW)


def audited(*groups: FindingGroup, ended: tuple[FindingGroup, ...] = (), **more: object) -> AccessAudited:
    return AccessAudited(EVENT, "v2", groups, ended, **more)  # type: ignore[arg-type]


ELSEWHERE = PLACE.replace("shop/checkout", "shop/cart")
LETS_IN = replace(GROUP, finding=replace(FINDING, remedy="remove statement 1", accept="name him"), accesses=("pull",))


def _lets_in(principal: str) -> FindingGroup:
    """Another whom the same statement lets in."""
    return replace(LETS_IN, finding=replace(LETS_IN.finding, principal=principal, accept=f"name {principal}"))


ANOTHER = _lets_in(SHADOW)


def _with(finding: Finding) -> FindingGroup:
    return replace(ANOTHER, finding=finding)


# name: another finding beside LETS_IN, and how many are read as one
CAUSES: dict[str, tuple[FindingGroup, list[int]]] = {
    "another principal by the same statement": (ANOTHER, [2]),
    "one who comes by it from elsewhere": (_with(replace(ANOTHER.finding, foreign=False, because=(ALLOWS,))), [2]),
    "by another statement": (
        _with(replace(ANOTHER.finding, remedy="remove statement 2")),
        [1, 1],
    ),
    "to another repository": (replace(ANOTHER, places=(ELSEWHERE,)), [1, 1]),
    "to push too": (replace(ANOTHER, accesses=("pull", "push")), [1, 1]),
    "under conditions": (_with(replace(ANOTHER.finding, certainty=Certainty.CONDITIONAL)), [1, 1]),
    "with nothing to remove": (_with(replace(ANOTHER.finding, remedy="")), [1, 1]),
    "of another kind": (_with(replace(ANOTHER.finding, kind=FindingKind.TEMPLATE)), [1, 1]),
}


@pytest.mark.parametrize("name", CAUSES)
def test_whoever_comes_by_the_same_statements_to_the_same_places_is_one_entry(name: str) -> None:
    other, numbers = CAUSES[name]
    found = causes([LETS_IN, other])
    assert [cause.number for cause in found] == numbers
    assert found[0].group == LETS_IN
    assert found[-1].others == ((other.finding.principal,) if numbers == [2] else ())


def test_findings_without_anything_to_remove_stay_apart() -> None:
    gone = replace(LETS_IN, finding=replace(FINDING, kind=FindingKind.MISSING, remedy="create it"))
    assert [cause.number for cause in causes([gone, gone])] == [1, 1]


def test_outside_text_is_escaped_everywhere() -> None:
    evil = replace(FINDING, principal="<!channel> *x*\n\x1b[31m", because=("<@U1>\u202e",), chain=())
    message = message_of([audited(replace(GROUP, finding=evil))])
    assert "\n" not in message.title and "\x1b" not in message.title
    chat, mail = str(to_slack(message)), to_email(message)[1]
    assert "<!channel>" not in chat and "<@U1>" not in chat
    assert "\x1b" not in mail and "\u202e" not in mail


def test_a_shorter_form_counts_what_it_leaves_out_and_stays_as_severe() -> None:
    groups = (GROUP, *(replace(GROUP, finding=replace(FINDING, foreign=False, access=f"a{n}")) for n in range(300)))
    alert = AccessAudited(SWEEP, "v2", groups, groups[:5], left_out=(1, 2), unread=("x",) * 200, unread_left_out=4)
    few = list(shorter(alert))[2]
    assert isinstance(few, AccessAudited)
    assert (len(few.appeared), len(few.ended), few.left_out) == (20, 5, (282, 2))
    assert (len(few.unread), few.unread_left_out) == (20, 184)
    assert message_of([few]).severity is message_of([alert]).severity is Severity.CRITICAL
    assert message_of([few]).title == message_of([alert]).title


def test_many_places_are_cut_and_counted() -> None:
    places = tuple(f"repository/{HOME}/eu-central-1/r{number}" for number in range(5000))
    alert = audited(FindingGroup(FINDING, ("pull",), places, NOW))
    few = list(shorter(alert))[3]
    assert isinstance(few, AccessAudited)
    [group] = few.appeared
    assert (len(group.places), group.left_out) == (5, 4995)
    assert message_of([few]).title == message_of([alert]).title


def _call(number: int) -> Cause:
    actor = Actor("IAMUser", f"arn:aws:iam::{HOME}:user/user{number}", HOME)
    return Cause(CauseKind.EVENT, f"e{number}", "iam:PutRolePolicy", actor=actor)


RUN = Cause(CauseKind.RUN, "20261124T101532Zabc")


def test_many_findings_leave_the_repairs_of_the_same_principal_their_lines() -> None:
    found = [replace(GROUP, finding=replace(FINDING, principal=f"anybody in account {n:012}")) for n in range(60)]
    runs = [report(repository_drift(None), run_id=f"run-{n}", cause=replace(EVENT, id=f"e-{n}")) for n in range(5)]
    message = message_of([audited(*found), *runs])
    text = "\n".join(message.lines)
    assert message.severity is Severity.CRITICAL
    for run in runs:
        assert run.run_id in text


def test_what_an_alert_has_no_room_for_is_a_fact_that_may_last() -> None:
    facts = changes_of(audited(replace(GROUP, left_out=3), left_out=(4, 0)), NOW).facts
    assert [fact.title for fact in facts if fact.may_last] == ["7 more findings"]
    assert not any(fact.may_last for fact in changes_of(audited(GROUP), NOW).facts)


class Places(tuple[str, ...]):
    """Counts how often somebody goes through all of them."""

    gone_through = 0

    def __iter__(self) -> Iterator[str]:
        type(self).gone_through += 1
        return super().__iter__()


def test_a_finding_about_thousands_of_places_is_put_into_words_once() -> None:
    """The alert function has a minute."""
    places = Places(PLACE.replace("checkout", f"r{number}") for number in range(2000))
    facts = changes_of(audited(replace(GROUP, places=places)), NOW).facts
    assert (len(facts), Places.gone_through < 50) == (4000, True)
