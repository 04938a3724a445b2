"""Interchangeable documents are not drift, unless the spec says exact."""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from typing import Any

import pytest

from ecr_warden.core.address import Address, attached_policy, identity_policy
from ecr_warden.core.desired import TargetSpec
from ecr_warden.core.drift import Drift, DriftKind
from ecr_warden.core.observed import Absent, LiveValue, Observed
from ecr_warden.core.plan import Operation
from ecr_warden.core.run import Debts
from ecr_warden.repair.diff import diff
from ecr_warden.repair.explain import Explainer
from iam_access.compare.witnesses import TRIED_AT_MOST
from iam_access.delta.phrases import COMPARED, Relation, wording
from iam_access.document.document import Document
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
    plan_for,
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
def test_interchangeable_documents_are_drift_if_the_spec_says_exact(name: str) -> None:
    exact = replace(REPOSITORY, exact=True)
    drift = _one(exact, {D1: document(*INTERCHANGEABLE[name])})
    assert (drift.kind, drift.same_access) == (DriftKind.CHANGED, True)
    plan = plan_for(exact, reading(exact, {D1: document(*INTERCHANGEABLE[name])}))
    [change] = plan.changes
    assert (change.operation, change.after) == (Operation.UPDATE, desired(D1))


@pytest.mark.parametrize("name", INTERCHANGEABLE)
def test_an_interchangeable_document_is_rewritten_for_a_recreated_principal(name: str) -> None:
    """AWS keeps the old unique ID behind the same ARN, however the document is written."""
    seen = reading(REPOSITORY, {D1: document(*INTERCHANGEABLE[name])})
    [drift] = diff(REPOSITORY, seen, now=NOW, debts=Debts(recreated_principals=(ANNA,)))
    assert drift.kind is DriftKind.PRINCIPAL_RECREATED


@dataclass(frozen=True, slots=True)
class Case:
    """The live statements, their relation to the desired ones, and whether they give more."""

    name: str
    live: tuple[dict[str, Any], ...]
    relation: Relation
    gains: bool = False


DRIFT = (
    Case("a pattern that covers actions of tomorrow", (pull(), pull("ecr:BatchGetImag?")), Relation.MORE, gains=True),
    Case("split, and one action missing", (pull(PULL[0]), pull(PULL[1], who=ANNA)), Relation.LESS),
    Case("split, and one action more", (pull(PULL[0]), pull(PULL[1], "ecr:PutImage")), Relation.MORE, gains=True),
    Case(
        "a condition that only some fulfil",
        (pull(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}),),
        Relation.LESS,
    ),
    Case("a Deny for what another document may allow", (pull(), deny("ecr:PutImage")), Relation.EQUAL),
    Case("a Deny that removes access", (pull(), deny("ecr:BatchGetImage", who={"AWS": ANNA})), Relation.LESS),
    Case("the account root in place of its users", (pull(who=CI),), Relation.MORE, gains=True),
)


@pytest.mark.parametrize("case", DRIFT, ids=lambda case: case.name)
def test_documents_that_differ_or_may_differ_in_access_are_drift(case: Case) -> None:
    live = document(*case.live)
    drift = Explainer(60).drift(_one(REPOSITORY, {D1: live}), desired(D1), live)
    assert drift.kind is DriftKind.CHANGED and not drift.same_access
    assert drift.compared is not None and drift.compared.relation is case.relation
    assert bool(drift.gained) is case.gains


def test_examples_name_the_repository() -> None:
    live = document(pull(*PULL, "ecr:PutImage"))
    drift = Explainer(60).drift(_one(REPOSITORY, {D1: live}), desired(D1), live)
    assert drift.compared is not None
    [example] = drift.compared.gained
    assert wording(example, COMPARED, gained=True) == f"{ANNA} and {BEN} can now push to shop/checkout (ecr:PutImage)"


CAROL = f"{ANNA[:-1]}3"
BUT_BEN = {"StringNotEquals": {"aws:PrincipalArn": BEN}}
HIT: Mapping[str, tuple[tuple[str, ...], dict[str, Any], str]] = {
    "both whom the spec names": ((ANNA, BEN), deny("ecr:BatchGetImage"), f"{ANNA} and {BEN}"),
    "three, the last of them counted": ((ANNA, BEN, CAROL), deny("ecr:*"), f"{ANNA}, {BEN} and 1 more"),
    "only those whom it affects": ((ANNA, BEN, CAROL), deny("ecr:*") | {"Condition": BUT_BEN}, f"{ANNA} and {CAROL}"),
    "a single user": ((ANNA,), deny("ecr:BatchGetImage"), ANNA),
}


@pytest.mark.parametrize("name", HIT)
def test_a_deny_for_everybody_names(name: str) -> None:
    people, denies, expected = HIT[name]
    assert _who_lost(document(pull(who=people)), document(pull(who=people), denies)) == [expected]


def test_only_the_first_principals_are_tried_and_the_rest_are_counted() -> None:
    crowd = tuple(f"{ANNA}{number:02}" for number in range(TRIED_AT_MOST + 10))
    spec, live = document(pull(who=crowd)), document(pull(who=crowd), deny("ecr:BatchGetImage"))
    [who] = _who_lost(spec, live)
    assert who.endswith(f"and at least {TRIED_AT_MOST - 1} more")


def _who_lost(spec: Document, live: Document) -> list[str]:
    drift = Explainer(60).drift(Drift(D1, DriftKind.CHANGED, "a Deny"), spec, live)
    assert drift.compared is not None
    return [phrase.who for phrase in drift.compared.lost]


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
