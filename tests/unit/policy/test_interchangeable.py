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
    """`NotPrincipal` stands in the place of `who`."""
    made = allow(actions, who, **more) | {"Effect": "Deny"}
    if "NotPrincipal" in made:
        del made["Principal"]
    return made


def own(actions: Any, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def asks(operator: str, key: str, value: str) -> dict[str, Any]:
    return {operator: {key: value}}


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
    Case(
        "a condition on the account that the principal's ARN names",
        (allow("ecr:A", [ANNA, ROOT]),),
        (allow("ecr:A", [ANNA, ROOT], Condition=asks("StringEquals", "aws:PrincipalAccount", ROOT)),),
    ),
    Case(
        "a NotPrincipal in two statements",
        (deny(["ecr:A", "ecr:B"], NotPrincipal={"AWS": ANNA}),),
        (deny("ecr:A", NotPrincipal={"AWS": ANNA}), deny("ecr:B", NotPrincipal={"AWS": ANNA})),
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
    Case(
        "a NotPrincipal that spares an account and not its users, on whom a condition falls",
        (deny("ecr:A", NotPrincipal={"AWS": ROOT}, Condition=asks("StringEquals", "aws:PrincipalAccount", ROOT)),),
        (deny("ecr:B", NotPrincipal={"AWS": ROOT}, Condition=asks("StringEquals", "aws:PrincipalAccount", ROOT)),),
    ),
)


def beside(first: dict[str, Any], name: str, more: dict[str, Any], kind: DocumentKind = REPOSITORY) -> Case:
    """A document, and the same with another statement beside it."""
    return Case(name, (first,), (first, more), kind)


MAY_HOLD = (
    *(
        beside(allow("ecr:A", who), f"{whom} of whom a condition asks", allow("ecr:B", who, Condition=condition))
        for who, whom, condition in (
            (ROOT, "the root user", asks("ArnEquals", "aws:PrincipalArn", f"{A}root")),
            (ROOT, "the root user by its type", asks("StringEquals", "aws:PrincipalType", "Account")),
            (ROOT, "federated users", asks("StringLike", "aws:PrincipalArn", "arn:aws:sts::111111111111:federated-*")),
            (ROOT, "federated users by their type", asks("StringEquals", "aws:PrincipalType", "FederatedUser")),
            (ANNA, "federated users of a user", asks("Null", "aws:username", "true")),
            (SESSION, "a session of a role with a path", asks("ArnEquals", "aws:PrincipalArn", f"{A}role/team/r")),
            ("*", "services", asks("StringLike", "aws:PrincipalServiceName", "*")),
            (ANNA, "whoever has an account id in another form", asks("StringLike", "aws:PrincipalAccount", "2*")),
        )
    ),
    *(
        beside(
            own("ecr:A"), f"{whom} of whom an identity policy asks", own("*") | {"Condition": condition}, kind=IDENTITY
        )
        for whom, condition in (
            ("federated users", asks("StringEquals", "aws:PrincipalType", "FederatedUser")),
            ("services", asks("Bool", "aws:PrincipalIsAWSService", "true")),
        )
    ),
    *(
        beside(allow("ecr:A"), name, allow("ecr:B", Condition=condition))
        for name, condition in (
            ("a number that AWS may read", asks("NumericLessThan", "aws:EpochTime", "9e99")),
            ("a date that AWS may read", asks("DateLessThan", "aws:CurrentTime", "2099-01-01T00:00")),
            ("an ARN that lacks parts", asks("ArnLike", "aws:SourceArn", "arn:*")),
            ("a network with its mask", asks("IpAddress", "aws:SourceIp", "0.0.0.0/0.0.0.0")),
            ("a word for a boolean", asks("Bool", "aws:SecureTransport", "yes")),
            (
                "a key of several values that is two things",
                asks("StringEquals", "aws:TagKeys", "a") | asks("StringLike", "aws:TagKeys", "b"),
            ),
        )
    ),
    Case(
        "root, whom a NotPrincipal spares",
        (allow("ecr:A", ROOT), deny("ecr:B", NotPrincipal={"AWS": ROOT})),
        (allow(["ecr:A", "ecr:B"], ROOT), deny("ecr:B", NotPrincipal={"AWS": ROOT})),
    ),
    Case(
        "an action that a Deny takes from another principal only",
        (allow("ecr:A", [ANNA, BOB]), deny("ecr:B", ANNA)),
        (allow("ecr:A", [ANNA, BOB]), allow("ecr:B", [ANNA, BOB]), deny("ecr:B", ANNA)),
    ),
    Case(
        "an ARN that lacks parts, whose wildcard spans fewer of them than its text",
        (own("ecr:A", "arn:*:x"),),
        (own("ecr:A", ["arn:*:x", "arn:aws:ecr:eu-central-1:1:x"]),),
        IDENTITY,
    ),
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


@pytest.mark.parametrize("case", MAY_HOLD, ids=lambda case: case.name)
def test_what_may_hold_for_somebody_is_no_other_way_to_write_it(case: Case) -> None:
    """Whatever `compare` knows of callers and values."""
    one, other = _documents(case)
    assert not interchangeable(one, other, kind=case.kind)
    assert not interchangeable(other, one, kind=case.kind)


def test_where_the_access_differs_neither_may_stand_for_the_other() -> None:
    one, other = _documents(Case("", (allow("ecr:A"),), (allow(["ecr:A", "ecr:B"]),)))
    assert not interchangeable(one, other, kind=REPOSITORY)


def test_each_of_many_principals_may_be_written_otherwise() -> None:
    one = tuple(allow([f"ecr:A{n}", f"ecr:B{n}"], f"{A}user/{n}") for n in range(100))
    other = tuple(allow(f"ecr:{letter}{n}", f"{A}user/{n}") for n in range(100) for letter in "AB")
    assert interchangeable(*_documents(Case("", one, other)), kind=REPOSITORY)
    assert not interchangeable(*_documents(Case("", one, other[1:])), kind=REPOSITORY)
