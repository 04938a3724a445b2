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


WRITES = {
    "a new Allow gains": (write(D4, None, ONE), (True, False)),
    "an Allow that goes loses": (write(D4, ONE, None), (False, True)),
    "an action more gains": (write(D4, ONE, BOTH), (True, False)),
    "an action less loses": (write(D4, BOTH, ONE), (False, True)),
    "another action gains and loses": (write(D4, BOTH, OTHER), (True, True)),
    "a Deny that goes gains": (write(D4, FORBIDS, None), (True, False)),
    "a new Deny loses": (write(D4, None, FORBIDS), (False, True)),
    "an equal text does neither": (write(D4, ONE, document(allow("ECR:a"))), (False, False)),
    "what is not understood may do both": (UNKNOWN, (True, True)),
    "what is not understood and goes loses": (UNKNOWN_GOES, (False, True)),
    "a detached policy loses": (DETACHED, (False, True)),
    "a role's settings may do both": (OF_SETTINGS, (True, True)),
}


@pytest.mark.parametrize(("change", "expected"), WRITES.values(), ids=WRITES)
def test_a_write_gains_or_loses(change: Change, expected: tuple[bool, bool]) -> None:
    assert (gains(change), loses(change)) == expected


def _trust(*who: str) -> Document:
    return document(*[allow("sts:AssumeRole", who=name) for name in who])


TRUST = {
    "covered by everyone": (write(D2, _trust(MALLORY, "*"), _trust("*")), False),
    "no longer everyone": (write(D2, _trust("*"), _trust(MALLORY)), True),
    "another user": (write(D2, _trust(MALLORY), _trust("123456789012")), True),
    "one more": (write(D2, _trust(MALLORY), _trust(MALLORY, "123456789012")), False),
    "unparseable": (Change(Operation.UPDATE, D2, "{", "digest", _trust(MALLORY)), True),
    "a repository's": (write(D1, _trust("*"), _trust(MALLORY)), False),
}


@pytest.mark.parametrize(("change", "expected"), TRUST.values(), ids=TRUST)
def test_only_a_trust_policy_that_loses_ends_sessions(change: Change, expected: bool) -> None:
    assert narrows_trust(change) is expected


CUT_DOWN = {
    "nothing stood there": (write(D4, None, ONE), None),
    "it only gains": (write(D4, ONE, BOTH), None),
    "it is cut down to what is common": (write(D4, BOTH, OTHER), document(allow("ecr:B"))),
    "it denies another action": (write(D4, FORBIDS, document(deny("ecr:B"))), None),
    "it is not understood": (UNKNOWN, None),
}


@pytest.mark.parametrize(("change", "after"), CUT_DOWN.values(), ids=CUT_DOWN)
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
