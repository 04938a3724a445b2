"""Documents built to be hard to compare: repaired by one run and reported as critical."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ecr_warden.core.address import Address, attached_policy, identity_policy
from ecr_warden.core.failures import PortError, PrincipalNotFound, QuotaExceeded, Refused, RetryLater
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.target import Target
from ecr_warden.notify.formats import to_slack
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.run_titles import reasons
from ecr_warden.repair.aws_reading import observed_document
from iam_access.document.document import Document, parse_document
from local.testing.seed import (
    CHECKOUT,
    D1,
    D2,
    D3,
    D4,
    HOME,
    MALLORY,
    OUTSIDER,
    PUSHER,
    allow,
    deny,
    desired,
)
from local.testing.seed import document as document_of
from tests.usecases.world import FIRST, World, failing, present, world_in_sync

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def _for_anyone(*statements: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"Effect": "Allow", "Principal": "*", "Action": PULL, **given} for given in statements]


def _starred(count: int, seed: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [f"*{letters[index * seed % 26]}*{letters[index // 26 % 26]}*" for index in range(count)]


def _own(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Resource": "*", **elements}


ALPHABETS = _for_anyone(
    {"Condition": {"StringEquals": {"aws:UserAgent": "É"}}},
    {"Condition": {"BinaryEquals": {"aws:UserAgent": "YQ=="}}},
)
KEYS = {f"aws:RequestTag/k{number}": ["1", "true", "2026-01-01"] for number in range(60)}
HARD: dict[str, tuple[Address, list[dict[str, Any]]]] = {
    "a text that is no base 64 beside one that is": (D1, ALPHABETS),
    "the same beside the spec's own": (D1, [*json.loads(desired(D1).text)["Statement"], *ALPHABETS]),
    "overlapping wildcards at the size limit": (
        D1,
        [*_for_anyone({"Action": _starred(600, 3)}), {"Effect": "Deny", "Principal": "*", "Action": _starred(600, 5)}],
    ),
    "keys that may be read in two ways": (
        D3,
        [_own(Action="*", Condition={"StringEquals": KEYS}), _own(Action="*", Condition={"NumericEquals": KEYS})],
    ),
    "one pattern that backtracks": (D4, [_own(Action=f"*{'a' * 900}b", NotResource=[f"*{'a' * 450}c"])]),
    "a trust policy of digits that are no ASCII": (
        D2,
        [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "sts:AssumeRole",
                "Condition": {
                    "NumericLessThan": {"aws:MultiFactorAuthAge": "٣"},
                    "DateLessThan": {"aws:CurrentTime": "0001-01-01T00:00:00+14:00"},
                },
            }
        ],
    ),
}


@pytest.mark.parametrize("name", HARD)
def test_a_document_that_is_hard_to_compare_is_repaired_and_reported(name: str) -> None:
    address, statements = HARD[name]
    for statement in statements:
        if "NotResource" in statement:
            statement.pop("Resource", None)
    kind = present(address.document_kind)
    world = world_in_sync()
    seen = observed_document(json.dumps({"Version": "2012-10-17", "Statement": statements}), kind)
    world.documents.live[address] = seen  # type: ignore[assignment]
    assert world.run(address.target) is Result.CONVERGED
    assert world.live(address) == desired(address)
    [report] = world.reports
    assert report.severity is Severity.CRITICAL


GONE = "AIDAQHBJ5XEXAMPLE0001"


@pytest.mark.parametrize(
    "denial",
    [
        deny("sts:*", who=GONE),
        deny("sts:*", who="x") | {"Principal": {"AWS": [GONE, MALLORY], "Service": "ec2.amazonaws.com"}},
        {"Effect": "Deny", "NotPrincipal": {"AWS": GONE}, "Action": "sts:TagSession"},
    ],
    ids=["the id alone", "others beside it", "all but the id"],
)
def test_a_deny_of_a_deleted_principal_is_repaired_by_one_run(denial: dict[str, Any]) -> None:
    """Of a trust policy that is cut down first: AWS shows unique ids, and takes none."""
    world = world_in_sync()
    world.put(D2, document_of(allow("sts:AssumeRole", who=MALLORY), denial))
    world.put(D3, document_of(allow("iam:*")))
    error = Refused("Invalid principal in policy")
    failing(world, error, of=lambda change: isinstance(change.after, Document) and GONE in change.after.text)
    assert world.run(PUSHER) is Result.CONVERGED
    assert (world.live(D2), world.live(D3)) == (desired(D2), desired(D3))


def test_a_deny_that_exceeds_the_quota_once_escaped_is_not_written() -> None:
    """AWS shows one character where six are sent."""
    world = world_in_sync()
    condition = {"StringEquals": {"aws:UserAgent": "É" * 1800}}
    world.put(D2, document_of(allow("sts:AssumeRole", who=MALLORY), deny("sts:*", who=MALLORY, Condition=condition)))
    world.put(D3, document_of(allow("iam:*")))
    error = Refused("Cannot exceed quota for ACLSizePerRole: 2048")
    failing(world, error, of=lambda change: isinstance(change.after, Document) and len(change.after.text) > 10_000)
    assert world.run(PUSHER) is Result.CONVERGED
    assert (world.live(D2), world.live(D3)) == (desired(D2), desired(D3))


CROWD = [f"arn:aws:iam::{HOME}:user/u{number:03}" for number in range(120)]
NOISE = [allow(f"ecr:Do{number}", who="*") for number in range(70)]


def _crowd(world: World) -> None:
    """An outsider at the end of a list of known principals, in a document of many statements."""
    outsider = allow("ecr:PutImage", who="x") | {"Principal": {"AWS": [*CROWD, MALLORY]}}
    world.put(D1, document_of(*(one | {"Principal": {"AWS": HOME}} for one in NOISE), outsider))


def _policies(world: World) -> None:
    """An outsider in the trust policy, behind policies that make the role all-powerful."""
    for number in range(160):
        world.put(identity_policy(PUSHER, f"p{number:03}"), document_of(allow("iam:*")))
    for number in range(20):
        world.put(attached_policy(PUSHER, f"arn:aws:iam::{HOME}:policy/{number:02}"), None)
    world.put(D2, document_of(allow("sts:AssumeRole", who=MALLORY)))


@pytest.mark.parametrize(("hide", "target"), [(_crowd, CHECKOUT), (_policies, PUSHER)], ids=["crowd", "policies"])
def test_an_outsider_cannot_hide_among_many_principals(hide: Callable[[World], None], target: Target) -> None:
    world = world_in_sync()
    hide(world)
    assert world.run(target) is Result.CONVERGED
    blocks = json.dumps(to_slack(message_of(world.announced)), ensure_ascii=False)
    assert OUTSIDER in blocks


ANYBODY = document_of(allow("ecr:*", who="*"))
TRUSTS_ANYBODY = document_of(allow("sts:AssumeRole", who="*"))
BESIDE = {
    address: document_of(*json.loads(desired(address).text)["Statement"], allow("sts:*", "ecr:*", who=MALLORY))
    for address in (D1, D2)
}


@pytest.mark.parametrize(
    ("address", "live", "left"),
    [
        (D1, BESIDE[D1], "others"),
        (D1, ANYBODY, "nobody"),
        (D2, BESIDE[D2], "nobody"),
        (D2, TRUSTS_ANYBODY, "nobody"),
    ],
    ids=["beside the grant", "for the grant", "beside the only one trusted", "for the only one trusted"],
)
def test_deleting_a_principal_of_the_spec_does_not_keep_an_outsider_in(
    address: Address, live: Document, left: str
) -> None:
    """AWS refuses documents that name a deleted principal, and shows a unique ID in place of its ARN."""
    world = world_in_sync()
    gone = json.loads(desired(address).text)["Statement"][0]["Principal"]["AWS"]
    gone = gone if isinstance(gone, str) else gone[0]
    world.put(address, parse_document(live.text.replace(gone, GONE)))
    error = PrincipalNotFound("who?", retryable=True)
    failing(world, error, of=lambda change: isinstance(change.after, Document) and gone in change.after.text)
    with pytest.raises(RetryLater):
        world.run(address.target, attempt=FIRST)
    now = world.live(address)
    text = now.text if isinstance(now, Document) else ""
    assert OUTSIDER not in text
    assert '"Allow"' in text if left == "others" else '"Allow"' not in text
    reported = list(world.reports)
    assert (reported[-1].result, reported[-1].severity) == (Result.REPORTED, Severity.CRITICAL)
    with pytest.raises(RetryLater):
        world.run(address.target, attempt=FIRST)
    assert world.reports == reported
    world.recover()
    assert world.run(address.target) is Result.CONVERGED
    assert world.live(address) == desired(address)


@pytest.mark.parametrize("error", [QuotaExceeded("2048"), Refused("malformed")], ids=["too long", "malformed"])
@pytest.mark.parametrize("address", [D1, D2, D4], ids=["repository", "trust", "user"])
def test_a_document_that_aws_refuses_does_not_keep_an_outsider_in(address: Address, error: PortError) -> None:
    """Somebody may have filled a user's quota with policies of their own, so that the repair has no room."""
    world = world_in_sync()
    extra = allow("iam:*", who=None if address is D4 else MALLORY)
    world.put(address, document_of(*json.loads(desired(address).text)["Statement"], extra))
    failing(world, error, of=lambda change: isinstance(change.after, Document) and "Allow" in change.after.text)
    with pytest.raises(RetryLater):
        world.run(address.target, attempt=FIRST)
    now = world.live(address)
    assert "iam:*" not in (now.text if isinstance(now, Document) else "")
    assert reasons(world.announced[-1]) == ("AWS refuses what the spec says",)
    for _ in range(2):
        assert world.run(address.target, attempt=FIRST) is Result.FAILED
    last = [report.result for report in world.reports][-2:]
    assert last == [Result.REPORTED, Result.FAILED], "once each: what is left, and what AWS says"
    world.recover()
    assert world.run(address.target) is Result.CONVERGED
    assert world.live(address) == desired(address)


CONTRACTOR = deny("ecr:*", who=f"arn:aws:iam::{HOME}:user/contractor")


@pytest.mark.parametrize(
    ("denial", "left"),
    [(CONTRACTOR, document_of(CONTRACTOR)), (CONTRACTOR | {"Condition": {"Null": {"É" * 1800: "true"}}}, None)],
    ids=["denies", "is nothing that exceeds the quota once escaped"],
)
def test_what_is_left_when_aws_refuses_both_documents(denial: dict[str, Any], left: Document | None) -> None:
    """Whoever the policy keeps out, by the spec too, may have a policy of their own that lets them in."""
    world = world_in_sync()
    world.put(D1, document_of(allow("ecr:*", who="*"), denial))
    error = PrincipalNotFound("who?", retryable=True)

    def refuses(change: Change) -> bool:
        return isinstance(change.after, Document) and ("Allow" in change.after.text or len(change.after.text) > 10_240)

    failing(world, error, of=refuses)
    with pytest.raises(RetryLater):
        world.run(CHECKOUT, attempt=FIRST)
    assert world.live(D1) == left
