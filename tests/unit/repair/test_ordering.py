"""What a write gains and loses, and the part of it that only loses."""

import pytest

from ecr_warden.core.address import Address, AddressKind, attached_policy
from ecr_warden.core.kinds import Operation
from ecr_warden.core.plan import Change
from ecr_warden.repair.ordering import gains, loses, narrows_trust, without_gain
from iam_access.delta.delta import gained_and_lost
from iam_access.document.document import Document
from iam_access.equivalent.canonical import digest
from local.testing.seed import (
    ADMIN,
    D1,
    D2,
    D4,
    MALLORY,
    PUSHER,
    ROLE,
    SETTINGS,
    allow,
    deny,
    document,
)

ONE, BOTH, OTHER = document(allow("ecr:A")), document(allow("ecr:A", "ecr:B")), document(allow("ecr:B", "ecr:C"))
FORBIDS = document(deny("ecr:A"))


def write(address: Address, before: Document | None, after: Document | None) -> Change:
    kind = address.document_kind
    operation = Operation.DELETE if after is None else Operation.UPDATE if before else Operation.CREATE
    expect = digest(before, kind=kind) if before else None
    access = gained_and_lost(before, after, kind=kind)
    return Change(operation, address, before.text if before else None, expect, after, access)


UNKNOWN = Change(Operation.UPDATE, D4, "{", "digest", ONE)
UNKNOWN_GOES = Change(Operation.DELETE, D4, "{", "digest", None)
DETACHED = Change(Operation.DELETE, attached_policy(PUSHER, ADMIN), None, ADMIN, None)
OF_SETTINGS = Change(Operation.UPDATE, ROLE, "settings", "digest", SETTINGS)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (write(D4, None, ONE), (True, False)),
        (write(D4, ONE, None), (False, True)),
        (write(D4, ONE, BOTH), (True, False)),
        (write(D4, BOTH, ONE), (False, True)),
        (write(D4, BOTH, OTHER), (True, True)),
        (write(D4, FORBIDS, None), (True, False)),
        (write(D4, None, FORBIDS), (False, True)),
        (write(D4, ONE, document(allow("ECR:a"))), (False, False)),
        (UNKNOWN, (True, True)),
        (UNKNOWN_GOES, (False, True)),
        (DETACHED, (False, True)),
        (OF_SETTINGS, (True, True)),
    ],
    ids=[
        "a new Allow gains",
        "an Allow that goes loses",
        "an action more gains",
        "an action less loses",
        "another action gains and loses",
        "a Deny that goes gains",
        "a new Deny loses",
        "an equal text does neither",
        "what is not understood may do both",
        "what is not understood and goes loses",
        "a detached policy loses",
        "a role's settings may do both",
    ],
)
def test_a_write_gains_or_loses(change: Change, expected: tuple[bool, bool]) -> None:
    assert (gains(change), loses(change)) == expected


def _trust(*who: str) -> Document:
    return document(*[allow("sts:AssumeRole", who=name) for name in who])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (write(D2, _trust(MALLORY, "*"), _trust("*")), False),
        (write(D2, _trust("*"), _trust(MALLORY)), True),
        (write(D2, _trust(MALLORY), _trust("123456789012")), True),
        (write(D2, _trust(MALLORY), _trust(MALLORY, "123456789012")), False),
        (Change(Operation.UPDATE, D2, "{", "digest", _trust(MALLORY)), True),
        (write(D1, _trust("*"), _trust(MALLORY)), False),
    ],
    ids=["covered by everyone", "no longer everyone", "another user", "one more", "unparseable", "a repository's"],
)
def test_only_a_trust_policy_that_loses_ends_sessions(change: Change, expected: bool) -> None:
    assert narrows_trust(change) is expected


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (write(D4, None, ONE), None),
        (write(D4, ONE, BOTH), None),
        (write(D4, BOTH, OTHER), document(allow("ecr:B"))),
        (write(D4, FORBIDS, document(deny("ecr:B"))), None),
        (UNKNOWN, None),
    ],
    ids=[
        "nothing stood there",
        "it only gains",
        "it is cut down to what is common",
        "it denies another action",
        "it is not understood",
    ],
)
def test_a_change_without_its_gain_only_removes_access(change: Change, after: Document | None) -> None:
    cut = without_gain(change)
    if after is None:
        assert cut is None
        return
    assert cut is not None and isinstance(cut.after, Document)
    assert digest(cut.after) == digest(after)
    assert (cut.before, cut.expect) == (change.before, change.expect)
    assert not gains(cut)


def test_documents_with_nothing_in_common_are_cut_down_to_nothing() -> None:
    cut = without_gain(write(D4, ONE, document(allow("ecr:C"))))
    assert cut is not None
    assert (cut.operation, cut.after, cut.address.kind) == (Operation.DELETE, None, AddressKind.IDENTITY_POLICY)


def test_documents_too_hard_to_compare_are_cut_down_to_their_denies() -> None:
    conditions = {"StringLike": {f"k{number}": "" for number in range(1000)}}
    hard = document(allow("ecr:*", "iam:*", Condition=conditions), deny("s3:*"))
    for before, after in ((hard, document(deny("s3:*"))), (document(allow("ecr:*", Condition=conditions)), None)):
        cut = without_gain(write(D4, before, ONE))
        assert cut is not None
        assert not gains(cut)
        assert cut.after == after


DELETED, SERVICE = "AIDAEXAMPLEEXAMPLE01", "lambda.amazonaws.com"


@pytest.mark.parametrize(
    ("denied", "left"),
    [
        ({"NotPrincipal": {"AWS": [MALLORY, DELETED]}}, {"NotPrincipal": {"AWS": [MALLORY]}}),
        ({"NotPrincipal": {"AWS": DELETED}}, {"Principal": "*"}),
        ({"NotPrincipal": {"AWS": DELETED, "Service": SERVICE}}, {"NotPrincipal": {"Service": SERVICE}}),
    ],
    ids=["an exception remains", "no exception remains", "a service remains"],
)
def test_a_deny_that_stays_spares_nobody_who_was_deleted(denied: dict[str, object], left: dict[str, object]) -> None:
    rest = {"Effect": "Deny", "Action": "ecr:PutImage"}
    cut = without_gain(write(D1, document(allow("ecr:A", who=MALLORY), {**denied, **rest}), ONE))
    assert cut is not None and isinstance(cut.after, Document)
    assert digest(cut.after) == digest(document({**left, **rest}))
    assert cut.after.version == "2012-10-17"
