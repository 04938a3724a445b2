"""Reading some of many accounts on boto3: side by side, patient, and with one that hangs, or crashes, by itself."""

from collections.abc import Callable, Iterator, Sequence
from copy import replace
from datetime import UTC, datetime
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from ecr_warden.aws.accounts import CALLS_AT_ONCE, HubAccounts
from ecr_warden.aws.deadline import PAUSES, InvocationDeadline
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.collect.estate import Needed
from ecr_warden.collect.observed import LiveEstate, ReadAccounts
from ecr_warden.core.address import identity_policy, repository_policy
from ecr_warden.core.desired import Extent, RepositoryPattern, TargetSpec
from ecr_warden.core.failures import Throttled
from ecr_warden.core.observed import Observation, Present, Unreadable
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.repair.aws_documents import AwsDocuments
from local.testing.memory.hub import ManualClock
from local.testing.seed import (
    CI,
    HOME,
    NOW,
    SETTINGS,
    identity_document,
    identity_spec,
    repository_document,
    trust_document,
)
from tests.contracts.aws import Call, Wire, moto
from tests.contracts.worlds import MotoWorld

MOST = 120  # accounts, as docs/supported.md says
ACCOUNTS = tuple(f"{number:012}" for number in range(1, MOST + 1))
REGIONS = ("eu-central-1", "us-east-1")
REPOSITORIES = [RepositoryTarget(account, region, "team/app") for account in ACCOUNTS for region in REGIONS]
USERS = [UserTarget(account, "ci") for account in ACCOUNTS]
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}'
SPECS = [
    *(TargetSpec(one, Extent.WHOLE, {repository_policy(one): repository_document()}) for one in REPOSITORIES),
    *(identity_spec(user, Extent.OURS, ["ecr-warden-pull"]) for user in USERS),
]


def _given(answer: dict[str, Any], _: Call) -> dict[str, Any]:
    return answer


def answering(wire: Wire) -> None:
    """Each account has a repository in each region, and no users or roles, as AWS shows them."""
    keys = {"AccessKeyId": "ASIAX", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": datetime.now(UTC)}
    answers: dict[str, dict[str, Any]] = {
        "sts:AssumeRole": {"Credentials": keys},
        "iam:ListRoles": {"Roles": [], "IsTruncated": False},
        "iam:GetAccountAuthorizationDetails": {"UserDetailList": [], "RoleDetailList": [], "IsTruncated": False},
        "ecr:GetRepositoryPolicy": {"policyText": POLICY},
        "ecr:DescribeRepositories": {"repositories": [{"repositoryName": "team/app"}]},
    }
    for action, given in answers.items():
        wire.answer(action, partial(_given, given))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    with moto(monkeypatch):
        made = Wire()
        answering(made)
        yield made


def reader_of(
    wire: Wire, *, slept: list[float] | None = None, deadline: InvocationDeadline | None = None
) -> AwsEstateReader:
    deadline = deadline or InvocationDeadline()
    accounts = HubAccounts(wire.session, "external-id", ManualClock(), deadline=deadline)
    return AwsEstateReader(accounts, deadline, ([] if slept is None else slept).append)


def observed(
    reader: AwsEstateReader, specs: Sequence[TargetSpec], accounts: tuple[str, ...]
) -> dict[Target, Observation]:
    repositories = [spec.target for spec in specs if isinstance(spec.target, RepositoryTarget)]
    live = ReadAccounts(LiveEstate.of(dict(reader.some(Needed(accounts, repositories))), NOW))
    return {spec.target: live.observe(spec) for spec in specs}


def is_unread(found: Observation) -> bool:
    return any(isinstance(one, Unreadable) for one in found.documents.values())


def test_as_many_accounts_as_are_supported_cost_three_calls_each_and_one_a_repository(wire: Wire) -> None:
    found = observed(reader_of(wire), SPECS, ACCOUNTS)
    assert not any(map(is_unread, found.values()))
    counted = {action: wire.actions.count(action) for action in set(wire.actions)}
    assert counted == {
        "sts:AssumeRole": MOST,
        "iam:ListRoles": MOST,
        "iam:GetAccountAuthorizationDetails": MOST,
        "ecr:GetRepositoryPolicy": MOST * len(REGIONS),
    }


def test_accounts_are_read_in_parallel(wire: Wire) -> None:
    """So many wait for each other: one after the other, the first would wait in vain."""
    together = Barrier(CALLS_AT_ONCE, timeout=60)

    def meet(_: Call) -> dict[str, Any]:
        together.wait()
        return {"Roles": [], "IsTruncated": False}

    wire.answer("iam:ListRoles", meet)
    some = ACCOUNTS[:CALLS_AT_ONCE]
    observed(
        reader_of(wire),
        [spec for spec in SPECS if isinstance(spec.target, UserTarget) and spec.target.account in some],
        some,
    )
    assert wire.actions.count("iam:ListRoles") == CALLS_AT_ONCE


def test_lists_of_repositories_are_read_in_parallel_and_each_account_is_entered_once(wire: Wire) -> None:
    together = Barrier(CALLS_AT_ONCE, timeout=60)

    def meet(_: Call) -> dict[str, Any]:
        together.wait()
        return {"repositories": [{"repositoryName": "team/app"}]}

    wire.answer("ecr:DescribeRepositories", meet)
    some = ACCOUNTS[: CALLS_AT_ONCE // len(REGIONS)]
    patterns = [RepositoryPattern(a, r, "team/*", (), repository_document()) for a in some for r in REGIONS]
    accounts = HubAccounts(wire.session, "external-id", ManualClock())
    listing = AwsDocuments(accounts).list_repositories(patterns)
    assert len(listing.repositories) == CALLS_AT_ONCE
    assert wire.actions.count("sts:AssumeRole") == len(some)


def test_reading_waits_out_throttling_longer_each_time_and_asks_for_that_page_alone(wire: Wire) -> None:
    """aws-facts 10: GetAccountAuthorizationDetails is throttled through botocore's own attempts."""
    throttled = ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "Operation")
    pages: Iterator[Any] = iter([{"IsTruncated": True, "Marker": "2"}, *[throttled] * 4, {"IsTruncated": False}])
    markers: list[str] = []

    def page(call: Call) -> dict[str, Any]:
        markers.append(call.parameters.get("Marker", ""))
        given = next(pages)
        if given is throttled:
            raise throttled
        return {"UserDetailList": [], "RoleDetailList": [], **given}

    slept: list[float] = []
    wire.answer("iam:GetAccountAuthorizationDetails", page)
    [(_, reading)] = reader_of(wire, slept=slept).some(Needed((CI,)))
    assert reading.passing is None
    assert slept == list(PAUSES[:4])
    assert markers == ["", *["2"] * 5]
    assert wire.actions.count("iam:ListRoles") == 1


def test_an_account_is_reported_when_throttling_does_not_end_or_time_runs_out(wire: Wire) -> None:
    wire.answers.pop("iam:ListRoles")
    wire.fail("iam:ListRoles", "Throttling", "Rate exceeded")
    slept: list[float] = []
    [(_, reading)] = reader_of(wire, slept=slept).some(Needed((CI,)))
    assert isinstance(reading.passing, Throttled)
    assert slept == list(PAUSES)
    slept.clear()
    late = InvocationDeadline()
    late.begin(lambda: 23_500)
    [(_, reading)] = reader_of(wire, slept=slept, deadline=late).some(Needed((CI,)))
    assert isinstance(reading.passing, Throttled)
    assert slept == [1.0, 2.0], "a pause that would end behind the deadline is not begun"


def test_a_region_that_answers_nothing_is_not_asked_for_every_repository_and_stops_no_other(wire: Wire) -> None:
    def silent(call: Call) -> None:
        if call.parameters["registryId"] == ACCOUNTS[0]:
            raise ConnectTimeoutError(endpoint_url="https://ecr.invalid")

    answers = wire.answers.pop("ecr:GetRepositoryPolicy")
    hung = [RepositoryTarget(ACCOUNTS[0], "eu-central-1", f"team/r{number}") for number in range(200)]

    def answer(call: Call) -> dict[str, Any]:
        silent(call)
        return answers(call)

    wire.answer("ecr:GetRepositoryPolicy", answer)
    specs = [
        *(TargetSpec(one, Extent.WHOLE, {repository_policy(one): repository_document()}) for one in hung),
        *(spec for spec in SPECS if isinstance(spec.target, RepositoryTarget) and spec.target.account == ACCOUNTS[1]),
    ]
    found = observed(reader_of(wire), specs, ())
    assert [is_unread(one) for one in found.values()] == [True] * len(hung) + [False] * len(REGIONS)
    asked = [call for call in wire.calls if call.parameters.get("registryId") == ACCOUNTS[0]]
    assert 1 <= len(asked) <= CALLS_AT_ONCE


@pytest.mark.parametrize("breaks", ["a role", "a repository"])
def test_a_document_on_which_ecr_warden_fails_is_reported_for_its_target(
    monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    user, role, repository = UserTarget(CI, "u"), RoleTarget(CI, "r"), RepositoryTarget(HOME, "eu-central-1", "a/b")
    with moto(monkeypatch):
        world = MotoWorld()
        specs = _furnish(world, user, role, repository)
        owners: dict[str, Target] = {"a role": role, "a repository": repository}
        whose = owners[breaks]
        world.wire.session.events.register("after-call", _spoil(breaks))
        found = observed(world.reader, specs, (CI,))
        assert [target for target, one in found.items() if is_unread(one)] == [whose]


def _furnish(world: MotoWorld, user: UserTarget, role: RoleTarget, repository: RepositoryTarget) -> list[TargetSpec]:
    world.make(user)
    world.make(repository)
    world.make_role(role, replace(SETTINGS, boundary=None), trust_document(), tagged=False)
    for owner in (user, role):
        world.put(identity_policy(owner, "ecr-warden-pull"), identity_document())
    world.put(repository_policy(repository), repository_document())
    return [
        TargetSpec(repository, Extent.WHOLE, {repository_policy(repository): repository_document()}),
        identity_spec(user, Extent.OURS, ["ecr-warden-pull"]),
        identity_spec(role, Extent.OURS, ["ecr-warden-pull"]),
    ]


def _spoil(breaks: str) -> Callable[..., None]:
    """AWS answers in a form that nobody expects."""

    def spoil(parsed: dict[str, Any], **_: object) -> None:
        if breaks == "a role":
            for detail in parsed.get("RoleDetailList", ()):
                del detail["AssumeRolePolicyDocument"]
        if breaks == "a repository":
            parsed.pop("policyText", None)

    return spoil


def test_present_is_what_the_answers_show(wire: Wire) -> None:
    [spec] = [spec for spec in SPECS if spec.target == REPOSITORIES[0]]
    [found] = observed(reader_of(wire), [spec], ()).values()
    assert isinstance(found.documents[repository_policy(REPOSITORIES[0])], Present)
