"""Two audits to what is new, and findings that people read as one."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.audit.finding import (
    MEMBERS,
    AuditRecord,
    AuditResult,
    Certainty,
    Finding,
    FindingKind,
    SeenFinding,
    audit_from_json,
    audit_to_json,
)
from ecr_warden.audit.finding_changes import MAX_FINDINGS, MAX_TEXT, News, compare, grouped
from local.testing.seed import CHECKOUT, CI, HOME, NOW

PLACE, REGISTRY = str(CHECKOUT), f"{HOME}/eu-central-1"
SHADOW = f"arn:aws:iam::{HOME}:role/shadow-pusher"
MALLORY = "arn:aws:iam::999999999999:user/mallory"
LATER = NOW + timedelta(minutes=15)
PUSH = Finding(FindingKind.EXTRA, PLACE, "push", SHADOW, (SHADOW,))
PULL = replace(PUSH, access="pull")
FOREIGN = Finding(FindingKind.EXTRA, PLACE, "pull", MALLORY, (MALLORY, SHADOW), foreign=True)
LACKS = Finding(FindingKind.MISSING, PLACE, "pull", f"arn:aws:iam::{CI}:user/pull-user-1")
ADMIN = Finding(FindingKind.ADMINISTRATOR, HOME, principal=SHADOW)


def audit(*findings: Finding, administrators: tuple[str, ...] = ()) -> AuditResult:
    return AuditResult(findings, {HOME: administrators}, {})


def record(*findings: Finding) -> AuditRecord:
    return AuditRecord(NOW, "v1", {}, findings=tuple(SeenFinding(finding, NOW) for finding in findings))


def after(last: AuditRecord | None, found: AuditResult, *unsettled: str) -> News:
    return compare(last, found, frozenset(unsettled), LATER)


def keys(seen: tuple[SeenFinding, ...]) -> list[Finding]:
    return [one.finding for one in seen]


def test_all_that_the_first_audit_finds_appeared() -> None:
    news = after(None, audit(PUSH))
    assert news == News((SeenFinding(PUSH, LATER),), (), (SeenFinding(PUSH, LATER),))


def test_a_lasting_finding_is_not_new_and_keeps_its_first_time_however_it_is_worded() -> None:
    reworded = replace(PUSH, because=("another statement",))
    news = after(record(PUSH), audit(reworded))
    assert news == News((), (), (SeenFinding(reworded, NOW),))


def test_what_is_no_longer_found_has_ended() -> None:
    news = after(record(PUSH, PULL), audit(PULL))
    assert (keys(news.appeared), keys(news.ended), keys(news.standing)) == ([], [PUSH], [PULL])


def test_another_way_to_the_same_access_is_new_and_ends_nothing() -> None:
    longer = replace(PUSH, chain=(SHADOW, f"arn:aws:iam::{HOME}:role/other"))
    news = after(record(PUSH), audit(longer))
    assert (keys(news.appeared), keys(news.ended), keys(news.standing)) == ([longer], [], [longer])


IF_MFA = replace(FOREIGN, certainty=Certainty.CONDITIONAL, conditions=("aws:MultiFactorAuthPresent is true",))
BY_DAY = replace(FOREIGN, certainty=Certainty.CONDITIONAL, conditions=("aws:CurrentTime is before 18:00",))
IN_DOUBT = replace(FOREIGN, certainty=Certainty.UNKNOWN, conditions=())


@pytest.mark.parametrize(
    ("before", "now", "is_new"),
    [
        *((IF_MFA, FOREIGN, True), (IN_DOUBT, FOREIGN, True), (IN_DOUBT, IF_MFA, True), (IF_MFA, BY_DAY, True)),
        *((FOREIGN, IF_MFA, False), (FOREIGN, IN_DOUBT, False), (IF_MFA, IN_DOUBT, False), (IF_MFA, IF_MFA, False)),
    ],
)
def test_what_is_more_certain_or_holds_under_other_conditions_is_new(
    before: Finding, now: Finding, is_new: bool
) -> None:
    news = after(record(before), audit(now))
    assert (keys(news.appeared), news.ended, keys(news.standing)) == ([now] if is_new else [], (), [now])
    assert news.standing[0].first_seen == NOW


def test_a_finding_about_a_part_that_was_not_read_has_not_ended() -> None:
    for part in (HOME, REGISTRY, "999999999999"):
        assert keys(after(record(FOREIGN), audit(), part).standing) == [FOREIGN]
    assert keys(after(record(FOREIGN), audit(), CI, f"{HOME}/eu-west-1").ended) == [FOREIGN]


def test_a_new_administrator_is_a_finding_until_it_is_no_longer_one() -> None:
    known = after(record(ADMIN), audit(administrators=(SHADOW,)))
    assert (keys(known.standing), known.appeared, known.ended) == ([ADMIN], (), ())
    assert keys(after(record(ADMIN), audit()).ended) == [ADMIN]


def test_a_new_upstream_stands_until_its_rule_is_gone() -> None:
    rule = Finding(FindingKind.UPSTREAM, REGISTRY, principal="docker.io", scope="hub/*")
    there = AuditResult((), {}, {REGISTRY: ("hub from docker.io",)})
    assert keys(after(record(rule), there).standing) == [rule]
    assert keys(after(record(rule), audit()).ended) == [rule]


def test_an_administrator_stays_while_any_part_of_the_account_is_unread() -> None:
    assert keys(after(record(ADMIN), audit(), REGISTRY).standing) == [ADMIN]
    assert keys(after(record(ADMIN), audit(), CI).ended) == [ADMIN]


def test_the_most_severe_come_first() -> None:
    unknown = replace(FOREIGN, certainty=Certainty.UNKNOWN, access="push")
    assert keys(after(None, audit(LACKS, PUSH, unknown, ADMIN, FOREIGN)).appeared) == [
        *(FOREIGN, unknown, ADMIN, PUSH, LACKS)
    ]


def test_more_than_are_kept_are_counted_and_have_not_ended() -> None:
    many = [replace(PUSH, principal=f"{SHADOW}{number:05}") for number in range(MAX_FINDINGS + 5)]
    news = after(None, audit(*many, FOREIGN))
    assert (len(news.standing), news.left_out, news.standing[0].finding) == (MAX_FINDINGS, 6, FOREIGN)
    again = after(replace(record(), findings=news.standing, left_out=6), audit(*many, FOREIGN))
    assert (again.appeared, again.ended, again.left_out) == ((), (), 6)


def test_long_findings_are_kept_as_long_as_there_is_room_for_their_text() -> None:
    chain = (MALLORY, *(f"{SHADOW}{'x' * 1000}{number}" for number in range(1000)))
    many = [replace(FOREIGN, principal=f"{MALLORY}{number:02}", chain=chain) for number in range(20)]
    news = after(None, audit(*many, PUSH))
    kept = sum(len(arn) for one in news.standing for arn in one.finding.chain)
    assert 0 < kept < MAX_TEXT
    assert len(news.standing) + news.left_out == 21
    again = after(replace(record(), findings=news.standing, left_out=news.left_out), audit(*many, PUSH))
    assert (again.appeared, again.ended, again.left_out) == ((), (), news.left_out)


LONG = "x" * (MAX_TEXT // 2)


@pytest.mark.parametrize(
    "long",
    [replace(PUSH, remedy=LONG), replace(PUSH, accept=LONG), replace(PUSH, scope=LONG)],
    ids=["remedy", "accept", "scope"],
)
def test_every_text_of_a_finding_takes_room(long: Finding) -> None:
    news = after(None, audit(long, replace(long, access="pull")))
    assert (len(news.standing), news.left_out) == (1, 1)


def test_one_principal_over_many_repositories_is_one_group_for_each_set_of_accesses() -> None:
    other, third = (str(replace(CHECKOUT, name=name)) for name in ("shop/cart", "shop/pay"))
    found = (PULL, PUSH, replace(PULL, place=other), replace(PUSH, place=other), replace(PULL, place=third))
    groups = grouped(SeenFinding(finding, NOW) for finding in (*found, FOREIGN))
    assert [(group.finding.principal, group.accesses, group.places) for group in groups] == [
        (SHADOW, ("pull", "push"), (PLACE, other)),
        (SHADOW, ("pull",), (third,)),
        (MALLORY, ("pull",), (PLACE,)),
    ]


def test_a_group_is_as_old_as_its_first_finding() -> None:
    elsewhere = replace(PULL, place=str(replace(CHECKOUT, name="shop/cart")))
    [group] = grouped((SeenFinding(PULL, LATER), SeenFinding(elsewhere, NOW)))
    assert (group.places, group.first_seen) == ((PLACE, elsewhere.place), NOW)


def test_findings_with_another_remedy_are_not_grouped() -> None:
    elsewhere = replace(PUSH, place=str(replace(CHECKOUT, name="shop/cart")), remedy="remove statement 2")
    assert len(grouped((SeenFinding(PUSH, NOW), SeenFinding(elsewhere, NOW)))) == 2


def test_how_many_principals_a_finding_lists_neither_ends_nor_begins_it() -> None:
    listed = Finding(FindingKind.EXTRA, PLACE, "pull", MEMBERS, ("0a1b2c3d",), foreign=True)
    stored = audit_to_json(record(replace(listed, principal="19 more principals")))
    news = after(audit_from_json(stored), audit(listed))
    assert (news.appeared, news.ended) == ((), ()), "kept by a version that had the number in whom it is about"
    others = replace(listed, chain=("9f8e7d6c",))
    news = after(record(listed), audit(others))
    assert (keys(news.appeared), news.ended) == ([others], ()), "another member is news, and nobody has left"
