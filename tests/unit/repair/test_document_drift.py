"""Interchangeable documents are not drift."""

from collections.abc import Mapping
from typing import Any

import pytest

from ecr_warden.core.address import Address, attached_policy, identity_policy
from ecr_warden.core.desired import TargetSpec
from ecr_warden.core.drift import Drift
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.observed import Absent, LiveValue, Observed
from ecr_warden.core.run import Debts
from ecr_warden.repair.diff import diff
from local.testing.seed import (
    ADMIN,
    ANNA,
    CHECKOUT,
    CI,
    D1,
    D2,
    D3,
    EVERYTHING,
    MORE_TRUST,
    NOW,
    PUSHER,
    desired,
    document,
    reading,
    spec_of,
    unparseable,
)

REPOSITORY, ROLE = spec_of(CHECKOUT), spec_of(PUSHER)
BEN = f"{ANNA[:-1]}2"
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
REPOSITORIES = "arn:aws:ecr:eu-central-1:222222222222:repository/shop/checkout"
PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


def pull(*actions: str, who: Any = (ANNA, BEN), **more: Any) -> dict[str, Any]:
    named = list(who) if isinstance(who, tuple) else who
    return {"Effect": "Allow", "Principal": {"AWS": named}, "Action": list(actions or PULL), **more}


def deny(*actions: str, who: Any = "*") -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": who, "Action": list(actions)}


def own(*actions: str, resource: str = REPOSITORIES) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


INTERCHANGEABLE: Mapping[str, tuple[dict[str, Any], ...]] = {
    "split by actions": (pull(PULL[0]), pull(PULL[1])),
    "split by people": (pull(who=ANNA), pull(who=BEN)),
    "an action twice for one of them": (pull(), pull(PULL[0], who=ANNA)),
    "a condition that all named principals fulfil": (pull(Condition={"StringEquals": {"aws:PrincipalAccount": CI}}),),
}


def _one(spec: TargetSpec, live: Mapping[Address, Observed | LiveValue]) -> Drift:
    [drift] = diff(spec, reading(spec, live), now=NOW)
    return drift


@pytest.mark.parametrize("name", INTERCHANGEABLE)
def test_interchangeable_documents_are_not_drift(name: str) -> None:
    live = {D1: document(*INTERCHANGEABLE[name])}
    assert diff(REPOSITORY, reading(REPOSITORY, live), now=NOW) == ()


@pytest.mark.parametrize("name", INTERCHANGEABLE)
def test_an_interchangeable_document_is_rewritten_for_a_recreated_principal(name: str) -> None:
    """AWS keeps the old unique ID behind the same ARN, however the document is written."""
    seen = reading(REPOSITORY, {D1: document(*INTERCHANGEABLE[name])})
    [drift] = diff(REPOSITORY, seen, now=NOW, debts=Debts(recreated_principals=(ANNA,)))
    assert drift.kind is DriftKind.PRINCIPAL_RECREATED


DRIFT: Mapping[str, tuple[tuple[dict[str, Any], ...], bool]] = {
    "a pattern that covers actions of tomorrow gives more": ((pull(), pull("ecr:BatchGetImag?")), True),
    "split, and one action missing, gives less": ((pull(PULL[0]), pull(PULL[1], who=ANNA)), False),
    "split, and one action more, gives more": ((pull(PULL[0]), pull(PULL[1], "ecr:PutImage")), True),
    "a condition that only some fulfil gives less": (
        (pull(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}),),
        False,
    ),
    "a Deny for what another document may allow gives less": ((pull(), deny("ecr:PutImage")), False),
    "a Deny that removes access gives less": ((pull(), deny("ecr:BatchGetImage", who={"AWS": ANNA})), False),
    "the account root in place of its users gives more": ((pull(who=CI),), True),
}


@pytest.mark.parametrize("name", DRIFT)
def test_documents_that_differ_or_may_differ_in_access_are_drift(name: str) -> None:
    live, gains = DRIFT[name]
    drift = _one(REPOSITORY, {D1: document(*live)})
    assert drift.kind is DriftKind.CHANGED and not drift.same_access
    assert bool(drift.gained) is gains


OTHER, OTHER_2 = identity_policy(PUSHER, "other"), identity_policy(PUSHER, "other-2")
LOGIN = own("ecr:GetAuthorizationToken", resource="*")
SPREAD: Mapping[str, Mapping[Address, Observed | LiveValue]] = {
    "the same document under another name": {D3: Absent(), OTHER: desired(D3)},
    "a copy": {OTHER: desired(D3)},
    "a part of it a second time": {OTHER: document(own("ecr:PutImage"))},
    "two documents instead of one": {D3: document(own(*PUSH)), OTHER: document(LOGIN)},
    "three documents": {D3: document(LOGIN), OTHER: document(own(*PUSH[:2])), OTHER_2: document(own(*PUSH[2:]))},
}
NOT_SPREAD: Mapping[str, Mapping[Address, Observed | LiveValue]] = {
    "one action more": {D3: Absent(), OTHER: document(own(*PUSH, "ecr:BatchDeleteImage"), LOGIN)},
    "one action less": {D3: Absent(), OTHER: document(own(*PUSH[1:]), LOGIN)},
    "everything besides": {OTHER: EVERYTHING},
    "an attached policy besides": {D3: Absent(), OTHER: desired(D3), attached_policy(PUSHER, ADMIN): None},
    "one that is not understood": {D3: Absent(), OTHER: desired(D3), OTHER_2: unparseable()},
    "nothing": {D3: Absent()},
}


@pytest.mark.parametrize("name", SPREAD)
def test_access_spread_over_other_policies_of_an_exclusive_role_is_interchangeable(name: str) -> None:
    drifts = diff(ROLE, reading(ROLE, SPREAD[name]), now=NOW)
    assert drifts and all(drift.same_access for drift in drifts)


@pytest.mark.parametrize("name", NOT_SPREAD)
def test_policies_that_together_allow_more_or_less_differ(name: str) -> None:
    drifts = diff(ROLE, reading(ROLE, NOT_SPREAD[name]), now=NOW)
    assert drifts and not any(drift.same_access for drift in drifts)


def test_a_tampered_trust_policy_beside_them_differs() -> None:
    drifts = diff(ROLE, reading(ROLE, {OTHER: desired(D3), D2: MORE_TRUST}), now=NOW)
    assert {drift.address: drift.same_access for drift in drifts} == {OTHER: True, D2: False}
