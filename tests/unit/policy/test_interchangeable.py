"""Documents that may stand in each other's place, and those that only seem so. Repository policies unless said."""

from dataclasses import dataclass
from typing import Any

import pytest
from ecr_warden.policy.compare import Relation, compare
from ecr_warden.policy.document import Document, DocumentKind, parse_document
from ecr_warden.policy.interchangeable import interchangeable

A = "arn:aws:iam::111111111111:"
ANNA, BOB, ROLE = f"{A}user/anna", f"{A}user/bob", f"{A}role/r"
SESSION = "arn:aws:sts::111111111111:assumed-role/r/s"
ROOT = "111111111111"
REPOSITORY, TRUST, IDENTITY = DocumentKind.REPOSITORY, DocumentKind.TRUST, DocumentKind.IDENTITY


def allow(actions: Any, who: Any = ANNA, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": who if who == "*" else {"AWS": who}, "Action": actions, **more}


def deny(actions: Any, who: Any = "*", **more: Any) -> dict[str, Any]:
    return allow(actions, who, **more) | {"Effect": "Deny"}


def own(actions: Any, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def within(*networks: str) -> dict[str, Any]:
    return {"IpAddress": {"aws:SourceIp": list(networks)}}


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    one: tuple[dict[str, Any], ...]
    other: tuple[dict[str, Any], ...]
    kind: DocumentKind = REPOSITORY


CASES = (
    Case("a statement split in two", (allow(["ecr:A", "ecr:B"]),), (allow("ecr:A"), allow("ecr:B"))),
    Case(
        "a statement split by people and by actions",
        (allow(["ecr:A", "ecr:B"], [ANNA, BOB]),),
        (allow("ecr:A", [ANNA, BOB]), allow("ecr:B"), allow("ecr:B", BOB)),
    ),
    Case("an action that a pattern covers", (allow("ecr:*"),), (allow("ecr:*"), allow("ecr:A"))),
    Case("two patterns and their union", (allow(["ecr:Get*", "ecr:G*"]),), (allow("ecr:G*"),)),
    Case(
        "a network and its halves",
        (allow("ecr:A", Condition=within("10.0.0.0/8")),),
        (allow("ecr:A", Condition=within("10.0.0.0/9", "10.128.0.0/9")),),
    ),
    Case(
        "an Allow that a Deny makes void", (allow("ecr:A"), deny("ecr:B")), (allow(["ecr:A", "ecr:B"]), deny("ecr:B"))
    ),
    Case(
        "a Deny split in two",
        (allow("ecr:A"), deny(["ecr:B", "ecr:C"])),
        (allow("ecr:A"), deny("ecr:B"), deny("ecr:C")),
    ),
    Case(
        "a resource that a pattern covers",
        (own("ecr:A", "arn:x:*"),),
        (own("ecr:A", ["arn:x:*", "arn:x:y"]),),
        IDENTITY,
    ),
    Case(
        "a trust policy in two statements",
        (allow("sts:AssumeRole", [ANNA, BOB]),),
        (allow("sts:AssumeRole"), allow("sts:AssumeRole", BOB)),
        TRUST,
    ),
    Case("nothing but the same Deny", (deny(["ecr:A", "ecr:B"]),), (deny("ecr:A"), deny("ecr:B"))),
)
NOT = (
    Case("a Deny for what only other documents allow", (allow("ecr:A"),), (allow("ecr:A"), deny("ecr:B"))),
    Case("a user beside the root of its account", (allow("ecr:A", ROOT),), (allow("ecr:A", [ROOT, ANNA]),)),
    Case("a session beside its role", (allow("ecr:A", ROLE),), (allow("ecr:A", [ROLE, SESSION]),)),
    Case("a user beside everybody", (allow("ecr:A", "*"),), (allow("ecr:A", "*"), allow("ecr:A"))),
    Case(
        "a Deny for one user more",
        (allow("ecr:A"), deny("ecr:B", ANNA)),
        (allow("ecr:A"), deny("ecr:B", [ANNA, BOB])),
    ),
    Case("only Deny, and of another", (deny("ecr:A"),), (deny("ecr:B"),)),
)


def _documents(case: Case) -> tuple[Document, Document]:
    one, other = (parse_document({"Version": "2012-10-17", "Statement": list(side)}) for side in (case.one, case.other))
    return one, other


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_either_may_stand_for_the_other(case: Case) -> None:
    one, other = _documents(case)
    assert interchangeable(one, other, kind=case.kind)
    assert interchangeable(other, one, kind=case.kind)


@pytest.mark.parametrize("case", NOT, ids=lambda case: case.name)
def test_equal_access_by_itself_is_not_enough(case: Case) -> None:
    one, other = _documents(case)
    assert compare(one, other, kind=case.kind).relation is Relation.EQUAL
    assert not interchangeable(one, other, kind=case.kind)
    assert not interchangeable(other, one, kind=case.kind)


def test_where_the_access_differs_neither_may_stand_for_the_other() -> None:
    one, other = _documents(Case("", (allow("ecr:A"),), (allow(["ecr:A", "ecr:B"]),)))
    assert not interchangeable(one, other, kind=REPOSITORY)


def test_so_many_groups_of_principals_are_not_decided() -> None:
    """What would take a comparison each, without end, counts as different."""
    one = tuple(allow([f"ecr:A{n}", f"ecr:B{n}"], f"{A}user/{n}") for n in range(20))
    other = tuple(allow(f"ecr:{letter}{n}", f"{A}user/{n}") for n in range(20) for letter in "AB")
    few, many = _documents(Case("", one[:3], other[:6])), _documents(Case("", one, other))
    assert interchangeable(*few, kind=REPOSITORY)
    assert not interchangeable(*many, kind=REPOSITORY)
