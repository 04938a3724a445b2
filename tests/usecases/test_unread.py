"""What cannot be read: people hear of it once for each document and cause, and what it could open is not audited."""

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.audit.finding import AuditResult, ConditionStatus, UnreadCause
from ecr_warden.audit.findings import SuccessiveAudits
from ecr_warden.audit.unread import lines
from ecr_warden.collect.estate import Piece
from ecr_warden.core.codec.accounts import (
    LIST_CALL,
    REGISTRY_CALL,
    REPLICATION_CALL,
    SCOPE_CALL,
    TEMPLATES_CALL,
    UPSTREAMS_CALL,
)
from ecr_warden.core.failures import AccountUnreachable, BlockedByDeny, PermissionMissing, RegionDisabled, Throttled
from ecr_warden.core.job import Cause, CauseKind, SurveyRegistry
from ecr_warden.core.result import Severity
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.notify.kinds import severity
from iam_access.who_can.graph import AccountBudgets
from local.testing.memory.estate import MemoryEstateReader
from local.testing.printed import complete_registry
from local.testing.seed import CHECKOUT, CI, HOME, OUTSIDER
from tests.usecases.test_audit import REGISTRY, Estates, estate, trusting

__all__ = ["estate"]  # the fixture

INTERVAL = timedelta(minutes=15)
TWICE = '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}'
TOMORROW: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": OUTSIDER},
        "Action": "ecr:*",
        "Condition": {"StringEqualsTomorrow": {"aws:PrincipalArn": "*"}},
    },
}
REPOSITORY = {"repositoryName": CHECKOUT.name, "policy": None}
DENIED = PermissionMissing.code
BESIDE = {"repositoryName": "lib/beside", "policy": None}
Entry = dict[str, Any]


def registry(*repositories: Entry, unread: tuple[str, ...] = (), code: str = DENIED, **more: Any) -> Entry:
    notes = [{"what": call, "region": CHECKOUT.region, "code": code} for call in unread]
    made = complete_registry(more, unread)
    return made | {"repositories": [REPOSITORY, *repositories]} | ({"unread": notes} if notes else {})


def role(trust: Any, allows: str = "ecr:*") -> Entry:
    made = trusting(OUTSIDER)
    made["RolePolicyList"][0]["PolicyDocument"] = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": allows, "Resource": "*"},
    }
    return {"iam": {"RoleDetailList": [made | {"AssumeRolePolicyDocument": trust}]}}


def user(policy: Any) -> Entry:
    policies = [{"PolicyName": "own", "PolicyDocument": policy}]
    ann = {"Arn": f"arn:aws:iam::{HOME}:user/ann", "UserId": "AIDAANN", "UserPolicyList": policies}
    return {"iam": {"UserDetailList": [ann]}}


EVERY_CALL = (LIST_CALL, REGISTRY_CALL, SCOPE_CALL, REPLICATION_CALL, TEMPLATES_CALL, UPSTREAMS_CALL)
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
ROWS: dict[str, tuple[str, Entry, Severity | None, list[str]]] = {
    "a registry policy with a key twice": (REGISTRY, registry(registryPolicy=TWICE), CRITICAL, ["registry policy"]),
    "a registry policy with an operator of tomorrow": (
        REGISTRY,
        registry(registryPolicy=TOMORROW),
        CRITICAL,
        ["registry policy"],
    ),
    "a creation template with an operator of tomorrow": (
        REGISTRY,
        registry(creationTemplates=[{"prefix": "cache", "repositoryPolicy": TOMORROW}]),
        CRITICAL,
        ["policy of the creation template cache"],
    ),
    "a repository that the spec does not name, with a Deny for our read role": (
        REGISTRY,
        registry(BESIDE, {"repositoryName": "evil", "unread": "explicitly-denied"}),
        CRITICAL,
        ["repository policy of evil"],
    ),
    "one that is throttled": (REGISTRY, registry({"repositoryName": "slow", "unread": Throttled.code}), None, []),
    "a registry policy that is refused": (
        REGISTRY,
        registry(unread=("ecr:GetRegistryPolicy",)),
        CRITICAL,
        ["registry policy"],
    ),
    "replication that is refused": (
        REGISTRY,
        registry(unread=("ecr:DescribeRegistry",)),
        CRITICAL,
        ["replication rules"],
    ),
    "a rule that lacks what ECR always prints": (
        REGISTRY,
        registry(pullThroughCacheRules=[{"ecrRepositoryPrefix": "x"}]),
        CRITICAL,
        ["pull-through cache rules"],
    ),
    "the trust policy of a role that may push": (HOME, role(TOMORROW), CRITICAL, ["trust policy of shadow-pusher"]),
    "the trust policy of a role that may touch nothing": (HOME, role(TOMORROW, "s3:*"), None, []),
    "a user's policy": (HOME, user(TOMORROW), CRITICAL, ["identity policy own of user ann"]),
    "a registry policy that lets nobody in": (REGISTRY, registry(registryPolicy=None), None, []),
    "a scope without a policy": (REGISTRY, registry(unread=("ecr:GetAccountSetting",)), None, []),
    "a region that is not enabled any more": (
        REGISTRY,
        {**registry(unread=EVERY_CALL, code=RegionDisabled.code), "repositories": []},
        WARNING,
        ["the registry"],
    ),
    "an account that was read before and cannot be entered now": (
        HOME,
        {"unread": [{"what": "iam:GetAccountAuthorizationDetails", "code": AccountUnreachable.code}]},
        CRITICAL,
        ["users and roles"],
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_cannot_be_read_and_could_open_a_repository_is_news_at_once(estate: Estates, name: str) -> None:
    part, entry, expected, documents = ROWS[name]
    estate.put(part, entry) if part == HOME else put_registry(estate, entry)
    estate.audit()
    alerts = estate.announced
    assert [one.what for one in estate.record.unread if one.cause is not UnreadCause.PASSING] == documents
    assert [severity(alert) for alert in alerts if alert.unread] == ([expected] if expected else [])
    estate.world.clock.advance(INTERVAL)
    estate.audit()
    assert estate.announced == [], "once"


def put_registry(estate: Estates, entry: Entry) -> None:
    """As it is: what was not read stays away."""
    estate.world.estate_store.put(Piece(REGISTRY, estate.world.clock.now(), entry))


EVIL = {"repositoryName": "evil", "unread": DENIED}
OF_EVIL = f"{REGISTRY}: repository policy of evil: {DENIED}"
OWN_UNREAD = {"repositoryName": CHECKOUT.name, "unread": DENIED}
UNKNOWN, TRUE = ConditionStatus.UNKNOWN, ConditionStatus.TRUE
OPENS: dict[str, tuple[str, Entry, ConditionStatus]] = {
    "its own": (
        REGISTRY,
        {**registry(), "repositories": [{"repositoryName": CHECKOUT.name, "unread": DENIED}]},
        UNKNOWN,
    ),
    "another one's": (REGISTRY, registry(EVIL), TRUE),
    "the registry's": (REGISTRY, registry(registryPolicy=TWICE), UNKNOWN),
    "a role's that may push, which the spec does not give": (HOME, role(TOMORROW), ConditionStatus.FALSE),
    "a role's that may not": (HOME, role(TOMORROW, "s3:*"), TRUE),
}


@pytest.mark.parametrize("name", OPENS)
def test_only_what_a_document_could_open_is_not_audited(estate: Estates, name: str) -> None:
    part, entry, status = OPENS[name]
    estate.put(part, entry) if part == HOME else put_registry(estate, entry)
    estate.audit()
    assert estate.audited.status is status


def announced(estate: Estates, entry: Entry) -> list[tuple[Severity, tuple[str, ...], tuple[str, ...]]]:
    """What an audit of this registry a quarter of an hour later announces."""
    estate.world.clock.advance(INTERVAL)
    put_registry(estate, entry)
    estate.audit()
    return [(severity(one), one.unread, one.read_again) for one in estate.announced]


def test_what_is_throttled_is_said_after_two_sweeps_and_a_refusal_after_it_at_once(estate: Estates) -> None:
    slow, line = {"repositoryName": "evil", "unread": Throttled.code}, f"{REGISTRY}: repository policy of evil"
    assert [announced(estate, registry(slow)) for _ in range(2)] == [[], []]
    assert announced(estate, registry(slow)) == [(WARNING, (f"{line}: throttled",), ())]
    assert announced(estate, registry(slow)) == []
    assert announced(estate, registry(EVIL)) == [(CRITICAL, (f"{line}: {DENIED}",), ())]
    assert announced(estate, registry()) == [(Severity.INFO, (), (f"{line}: {DENIED}",))]


def test_a_policy_that_is_refused_and_then_cannot_be_parsed_is_news_twice(estate: Estates) -> None:
    line = f"{REGISTRY}: repository policy of evil"
    assert [one[0] for one in announced(estate, registry(EVIL))] == [CRITICAL]
    [(grave, unread, again)] = announced(estate, registry({"repositoryName": "evil", "policy": TWICE}))
    assert (grave, again, len(unread)) == (CRITICAL, (), 1)
    assert unread[0].startswith(f"{line}: not a policy document")
    [(_, _, (gone,))] = announced(estate, registry({"repositoryName": "evil", "policy": None}))
    assert gone.startswith(line)


def test_very_many_are_one_line_with_their_number(estate: Estates) -> None:
    many = [{"repositoryName": f"r{number:04}", "unread": DENIED} for number in range(1000)]
    named = "(r0000, r0001, r0002 and 997 more)"
    line = f"{REGISTRY}: 1000 repository policies {named}: {DENIED}"
    assert announced(estate, registry(*many)) == [(CRITICAL, (line,), ())]
    assert announced(estate, registry(*many, EVIL)) == [(CRITICAL, (OF_EVIL,), ())]


def test_an_account_that_is_closed_then_read_then_closed_again(estate: Estates) -> None:
    closed: Entry = {"unread": [{"what": "iam:GetAccountAuthorizationDetails", "code": AccountUnreachable.code}]}
    opened: Entry = {"iam": {"UserDetailList": []}}
    found = []
    for entry in (closed, opened, closed):
        estate.put(CI, entry)
        estate.audit()
        [alert] = estate.announced
        found.append((alert.is_hidden, alert.unread, alert.read_again))
    line = f"account {CI}, which could not be entered"
    assert found == [(True, (line,), ()), (False, (), (line,)), (True, (line,), ())]


def test_what_was_never_read_is_one_summary_and_no_alarm() -> None:
    estate = Estates()
    estate.put(CI, {"unread": [{"what": "iam:GetAccountAuthorizationDetails", "code": AccountUnreachable.code}]})
    estate.audit()
    [first] = estate.announced
    assert (severity(first), first.unread) == (WARNING, (f"account {CI}, which could not be entered",))


def test_what_a_budget_leaves_undecided_is_said_once_a_day_while_it_lasts_and_when_it_is_over(
    estate: Estates,
) -> None:
    """A document that is hidden, beside it, is said once."""
    estate.open(CI)

    def said(hours: int, steps: int = 1) -> list[tuple[Severity, list[str], int]]:
        estate.world.clock.advance(timedelta(hours=hours))
        estate.audit(by=SuccessiveAudits(budgets_of=lambda _: AccountBudgets(steps, steps)).find)
        return [
            (severity(one), [of_whom(line) for line in one.unread], len(one.read_again)) for one in estate.announced
        ]

    said(0, steps=10**9)
    put_registry(estate, registry(EVIL))
    first = said(1)
    over = [line for line in first[0][1] if line.startswith("access of ")]
    assert over and first == [(CRITICAL, ["repository policy of evil", *over], 0)]
    again = [(CRITICAL, over, 0)]
    assert [said(hours) for hours in (1, 22, 1, 1, 22, 1, 72, 1)] == [[], [], again, [], [], again, again, []]
    assert said(1, steps=10**9) == [(Severity.INFO, [], len(over))]
    assert said(48, steps=10**9) == []


def of_whom(line: str) -> str:
    return line.split(": ")[1]


def test_an_audit_that_fails_has_read_nothing_again(estate: Estates) -> None:
    announced(estate, registry(EVIL))
    put_registry(estate, registry())
    estate.audit(by=lambda *_, live: AuditResult((), {}, {}, (), "there was not enough time"))
    [alert] = estate.announced
    assert (alert.read_again, lines(estate.record.unread)) == ((), (OF_EVIL,))


def test_a_repository_that_an_event_shows_opened_together_with_a_deny_for_us_is_critical(estate: Estates) -> None:
    world = estate.world
    world.reader = MemoryEstateReader(policies={REGISTRY: {CHECKOUT.name: None, "evil": None}})
    cause = Cause(CauseKind.EVENT, "e1", "ecr:SetRepositoryPolicy", world.clock.now().isoformat())
    world.survey.take(SurveyRegistry(cause, HOME, CHECKOUT.region))
    estate.audit()
    world.forget()
    world.clock.advance(INTERVAL)
    evil = RepositoryTarget(HOME, CHECKOUT.region, "evil")
    world.reader.errors[str(evil)] = BlockedByDeny("denied")
    world.survey.take(SurveyRegistry(replace(cause, id="e2"), HOME, CHECKOUT.region, "evil"))
    estate.audit()
    [alert] = estate.announced
    line = f"{REGISTRY}: repository policy of evil: {BlockedByDeny.code}"
    assert (severity(alert), alert.unread) == (CRITICAL, (line,))
    assert estate.audited.status is TRUE
