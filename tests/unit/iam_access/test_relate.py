"""The verdict on two documents: tables of the same, of interchangeable ones, and of those that only look like it."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from iam_access.delta.relate import Differs, Interchangeable, Same, relate
from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import canonical, digest, equivalent, has_account_ids
from tests.unit.iam_access.tables import Case, cases, document, kind, name_of


@pytest.mark.parametrize("case", cases("equivalence"), ids=name_of)
def test_equivalence(case: Case) -> None:
    a, b = document(case, "a", "first"), document(case, "b", "second")
    assert equivalent(a, b, kind=kind(case)) is equivalent(b, a, kind=kind(case)) is case["equivalent"]
    match relate(a, b, kind=kind(case)):
        case Same():
            assert case["equivalent"] and "reason" not in case
        case Interchangeable(reason) | Differs(reason):
            assert not case["equivalent"] and reason
            assert reason == case.get("reason", reason)


@pytest.mark.parametrize("case", cases("equivalence"), ids=name_of)
def test_digests_are_equal_exactly_for_equal_canonical_forms(case: Case) -> None:
    a, b = document(case, "a", "first"), document(case, "b", "second")
    same = canonical(a, kind=kind(case)) == canonical(b, kind=kind(case))
    assert (digest(a, kind=kind(case)) == digest(b, kind=kind(case))) is same
    if not (has_account_ids(a) or has_account_ids(b)):
        assert same is case["equivalent"]


def test_the_digest_of_a_document_never_changes() -> None:
    """Digests are stored: another value would look like a change of every document."""
    document = parse_document(
        '{"Version":"2012-10-17","Statement":[{"Sid":"AllowPull","Effect":"Allow","Principal":{"AWS":"111111111111"},'
        '"Action":["ecr:GetDownloadUrlForLayer","ecr:BatchGetImage"],"Condition":{"Bool":{"aws:SecureTransport":true}}}]}'
    )
    assert digest(document) == "b3ca94a83b2be46b3beb32070e7d4f167dcfa026e7a5f9e845138e565d81fae1"


def test_a_digest_reads_account_ids_in_the_partition_of_the_document() -> None:
    user = "arn:aws-cn:iam::111111111111:user/a"
    digests = {
        digest(
            parse_document({"Statement": {"Effect": "Allow", "Action": "ecr:*", "Principal": {"AWS": [user, account]}}})
        )
        for account in ("222222222222", "arn:aws-cn:iam::222222222222:root")
    }
    assert len(digests) == 1


def test_a_reason_is_escaped_and_bounded() -> None:
    documents = [
        parse_document({"Statement": {"Effect": "Allow", "Action": "*", "Resource": resource}})
        for resource in ("\u202e" + "x" * 5000, "y")
    ]
    verdict = relate(documents[0], documents[1])
    assert isinstance(verdict, Differs)
    assert verdict.reason.isascii()
    assert len(verdict.reason) < 200


def test_a_thousand_statements_are_compared_in_bounded_time() -> None:
    statements = [{"Effect": "Allow", "Action": f"ecr:Do{index}", "Resource": "*"} for index in range(1000)]
    other = json.loads(json.dumps([*statements[:-1], {**statements[-1], "Action": "ecr:Else"}]))
    verdict = relate(parse_document({"Statement": statements}), parse_document({"Statement": other}))
    assert isinstance(verdict, Differs)
    assert verdict.reason == "statement 1000: action ecr:do999 only in the live document"


A = "arn:aws:iam::111111111111:"
ANNA, BOB, ROLE = f"{A}user/anna", f"{A}user/bob", f"{A}role/r"
SESSION = "arn:aws:sts::111111111111:assumed-role/r/s"
ROOT = "111111111111"
REPOSITORY, TRUST, IDENTITY = DocumentKind.RESOURCE, DocumentKind.TRUST, DocumentKind.IDENTITY


def allow(actions: Any, who: Any = ANNA, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": who if who == "*" else {"AWS": who}, "Action": actions, **more}


def deny(actions: Any, who: Any = "*", **more: Any) -> dict[str, Any]:
    """`NotPrincipal` replaces `who`."""
    made = allow(actions, who, **more) | {"Effect": "Deny"}
    if "NotPrincipal" in made:
        del made["Principal"]
    return made


def own(actions: Any, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def condition(operator: str, key: str, value: str) -> dict[str, Any]:
    return {operator: {key: value}}


def within(*networks: str) -> dict[str, Any]:
    return {"IpAddress": {"aws:SourceIp": list(networks)}}


@dataclass(frozen=True, slots=True)
class Pair:
    name: str
    one: tuple[dict[str, Any], ...]
    other: tuple[dict[str, Any], ...]
    kind: DocumentKind = REPOSITORY


SOURCE = "arn:aws:codebuild:eu-central-1:111111111111:project/"
SOURCES: dict[str, Any] = {"StringLike": {"aws:SourceArn": ["a*", "b*"]}}
CASES = (
    Pair("a statement split in two", (allow(["ecr:A", "ecr:B"]),), (allow("ecr:A"), allow("ecr:B"))),
    Pair(
        "a statement split by people and by actions",
        (allow(["ecr:A", "ecr:B"], [ANNA, BOB]),),
        (allow("ecr:A", [ANNA, BOB]), allow("ecr:B"), allow("ecr:B", BOB)),
    ),
    Pair("an action that a pattern covers", (allow("ecr:*"),), (allow("ecr:*"), allow("ecr:A"))),
    Pair("two patterns and their union", (allow(["ecr:Get*", "ecr:G*"]),), (allow("ecr:G*"),)),
    Pair(
        "a network and its halves",
        (allow("ecr:A", Condition=within("10.0.0.0/8")),),
        (allow("ecr:A", Condition=within("10.0.0.0/9", "10.128.0.0/9")),),
    ),
    Pair(
        "a pattern of a condition beside what it covers",
        (allow("ecr:A", Condition={"StringLike": {"aws:TagKeys": ["a*", "ab?", "a${aws:username}"]}}),),
        (allow("ecr:A", Condition=condition("StringLike", "aws:TagKeys", "a*")),),
    ),
    Pair(
        "a statement split by the values of a condition",
        (allow(["ecr:A", "ecr:B"], "*", Condition={"StringEquals": {"aws:PrincipalOrgID": ["o-1", "o-2"]}}),),
        tuple(
            allow(["ecr:A", "ecr:B"], "*", Condition=condition("StringEquals", "aws:PrincipalOrgID", value))
            for value in ("o-2", "o-1")
        ),
    ),
    Pair(
        "a statement split by the values of two conditions",
        (
            allow(
                "ecr:A",
                Condition=SOURCES | {"StringEquals": {"aws:SourceAccount": ["1", "2"]}},
            ),
        ),
        tuple(
            allow("ecr:A", Condition=SOURCES | condition("StringEquals", "aws:SourceAccount", one))
            for one in ("1", "2")
        ),
    ),
    Pair(
        "a Deny split by the values of a condition",
        (allow("ecr:A"), deny("ecr:A", Condition={"StringLikeIfExists": {"aws:SourceVpce": ["vpce-1", "vpce-2*"]}})),
        (
            allow("ecr:A"),
            deny("ecr:A", Condition=condition("StringEqualsIfExists", "aws:SourceVpce", "vpce-1")),
            deny("ecr:A", Condition=condition("StringLikeIfExists", "aws:SourceVpce", "vpce-2*")),
        ),
    ),
    Pair(
        "any of the values of a key that has one",
        (allow("ecr:A", "*", Condition={"ForAnyValue:StringLike": {"aws:SourceArn": ["a*", "b"]}}),),
        (allow("ecr:A", "*", Condition={"StringLike": {"aws:SourceArn": ["b", "a*"]}}),),
    ),
    Pair(
        "StringLike on a text without wildcards",
        (allow("ecr:A", "*", Condition=condition("StringLike", "aws:PrincipalOrgID", "o-1")),),
        (allow("ecr:A", "*", Condition=condition("StringEquals", "aws:PrincipalOrgID", "o-1")),),
    ),
    *(
        Pair(
            name,
            (allow("ecr:A", "*", Condition={operator: {"aws:SourceArn": [f"{SOURCE}{end}", f"{SOURCE}o"]}}),),
            (
                allow("ecr:A", "*", Condition=condition("StringEquals", "aws:SourceArn", f"{SOURCE}o")),
                allow("ecr:A", "*", Condition=condition(other, "aws:SourceArn", f"{SOURCE}{end}")),
            ),
        )
        for name, operator, other, end in (
            ("ArnLike on a text without wildcards", "ArnLike", "StringEquals", "p"),
            ("ArnEquals on a text without wildcards", "ArnEquals", "StringEquals", "p"),
            ("ArnLike on an ARN with wildcards in its last part", "ArnLike", "StringLike", "p*:?"),
        )
    ),
    Pair(
        "ArnEquals on a pattern",
        (allow("ecr:A", "*", Condition=condition("ArnEqualsIfExists", "aws:SourceArn", "arn:aws:s3:*:*:p")),),
        (allow("ecr:A", "*", Condition=condition("ArnLikeIfExists", "aws:SourceArn", "arn:aws:s3:*:*:p")),),
    ),
    Pair(
        "an Allow that a Deny makes void", (allow("ecr:A"), deny("ecr:B")), (allow(["ecr:A", "ecr:B"]), deny("ecr:B"))
    ),
    Pair(
        "an Allow that a Deny makes void beside a statement split by the values of a condition",
        (allow("ecr:A", Condition={"StringEquals": {"aws:SourceAccount": ["1", "2"]}}), allow("ecr:B"), deny("ecr:B")),
        (
            *(allow("ecr:A", Condition=condition("StringEquals", "aws:SourceAccount", value)) for value in "12"),
            deny("ecr:B"),
        ),
    ),
    Pair(
        "a Deny split in two",
        (allow("ecr:A"), deny(["ecr:B", "ecr:C"])),
        (allow("ecr:A"), deny("ecr:B"), deny("ecr:C")),
    ),
    Pair(
        "a resource that a pattern covers",
        (own("ecr:A", "arn:x:*"),),
        (own("ecr:A", ["arn:x:*", "arn:x:y"]),),
        IDENTITY,
    ),
    Pair(
        "a trust policy in two statements",
        (allow("sts:AssumeRole", [ANNA, BOB]),),
        (allow("sts:AssumeRole"), allow("sts:AssumeRole", BOB)),
        TRUST,
    ),
    Pair(
        "a condition on the account that the principal's ARN names",
        (allow("ecr:A", [ANNA, ROOT]),),
        (allow("ecr:A", [ANNA, ROOT], Condition=condition("StringEquals", "aws:PrincipalAccount", ROOT)),),
    ),
    Pair(
        "a NotPrincipal in two statements",
        (deny(["ecr:A", "ecr:B"], NotPrincipal={"AWS": ANNA}),),
        (deny("ecr:A", NotPrincipal={"AWS": ANNA}), deny("ecr:B", NotPrincipal={"AWS": ANNA})),
    ),
    Pair("nothing but the same Deny", (deny(["ecr:A", "ecr:B"]),), (deny("ecr:A"), deny("ecr:B"))),
)
NOT = (
    Pair("a Deny for what only other documents allow", (allow("ecr:A"),), (allow("ecr:A"), deny("ecr:B"))),
    Pair("a user beside the root of its account", (allow("ecr:A", ROOT),), (allow("ecr:A", [ROOT, ANNA]),)),
    Pair("a session beside its role", (allow("ecr:A", ROLE),), (allow("ecr:A", [ROLE, SESSION]),)),
    Pair("a user beside everyone", (allow("ecr:A", "*"),), (allow("ecr:A", "*"), allow("ecr:A"))),
    Pair(
        "a Deny for one user more",
        (allow("ecr:A"), deny("ecr:B", ANNA)),
        (allow("ecr:A"), deny("ecr:B", [ANNA, BOB])),
    ),
    Pair("only Deny, and of another", (deny("ecr:A"),), (deny("ecr:B"),)),
    Pair(
        "a NotPrincipal that spares an account and not its users, on whom a condition falls",
        (deny("ecr:A", NotPrincipal={"AWS": ROOT}, Condition=condition("StringEquals", "aws:PrincipalAccount", ROOT)),),
        (deny("ecr:B", NotPrincipal={"AWS": ROOT}, Condition=condition("StringEquals", "aws:PrincipalAccount", ROOT)),),
    ),
)


def beside(first: dict[str, Any], name: str, more: dict[str, Any], kind: DocumentKind = REPOSITORY) -> Pair:
    """A document, and the same with another statement beside it."""
    return Pair(name, (first,), (first, more), kind)


MAY_HOLD = (
    *(
        beside(allow("ecr:A", who), f"{whom} named by a condition", allow("ecr:B", who, Condition=condition))
        for who, whom, condition in (
            (ROOT, "the root user", condition("ArnEquals", "aws:PrincipalArn", f"{A}root")),
            (ROOT, "the root user by its type", condition("StringEquals", "aws:PrincipalType", "Account")),
            (
                ROOT,
                "federated users",
                condition("StringLike", "aws:PrincipalArn", "arn:aws:sts::111111111111:federated-*"),
            ),
            (ROOT, "federated users by their type", condition("StringEquals", "aws:PrincipalType", "FederatedUser")),
            (ANNA, "federated users of a user", condition("Null", "aws:username", "true")),
            (SESSION, "a session of a role with a path", condition("ArnEquals", "aws:PrincipalArn", f"{A}role/team/r")),
            ("*", "services", condition("StringLike", "aws:PrincipalServiceName", "*")),
            (ANNA, "callers whose account ID has another form", condition("StringLike", "aws:PrincipalAccount", "2*")),
        )
    ),
    *(
        beside(own("ecr:A"), f"{whom} named by an identity policy", own("*") | {"Condition": condition}, kind=IDENTITY)
        for whom, condition in (
            ("federated users", condition("StringEquals", "aws:PrincipalType", "FederatedUser")),
            ("services", condition("Bool", "aws:PrincipalIsAWSService", "true")),
        )
    ),
    *(
        beside(allow("ecr:A"), name, allow("ecr:B", Condition=condition))
        for name, condition in (
            ("a number that AWS may read", condition("NumericLessThan", "aws:EpochTime", "9e99")),
            ("a date that AWS may read", condition("DateLessThan", "aws:CurrentTime", "2099-01-01T00:00")),
            ("an ARN that lacks parts", condition("ArnLike", "aws:SourceArn", "arn:*")),
            ("a network with its mask", condition("IpAddress", "aws:SourceIp", "0.0.0.0/0.0.0.0")),
            ("a word for a boolean", condition("Bool", "aws:SecureTransport", "yes")),
            (
                "a key of several values that is two texts",
                condition("StringEquals", "aws:TagKeys", "a") | condition("StringLike", "aws:TagKeys", "b"),
            ),
        )
    ),
    *(
        Pair(
            f"{name}, by one value each",
            (allow("ecr:A", Condition={operator: {key: ["a", "b"]}}),),
            tuple(allow("ecr:A", Condition={operator: {key: value}}) for value in "ab"),
        )
        for name, operator, key in (
            ("a key of several values", "StringEquals", "aws:TagKeys"),
            ("a key of which each value must be one", "ForAllValues:StringEquals", "aws:PrincipalOrgPaths"),
            ("none of the values", "StringNotEquals", "aws:SourceArn"),
            ("any of the values, or no value", "ForAnyValue:StringEqualsIfExists", "aws:SourceArn"),
            ("no value", "Null", "aws:SourceArn"),
        )
    ),
    *(
        Pair(
            f"{name}, in a condition",
            (allow("ecr:A", Condition={operator: {"aws:TagKeys": [wide, narrow]}}),),
            (allow("ecr:A", Condition={operator: {"aws:TagKeys": wide}}),),
        )
        for name, operator, wide, narrow in (
            ("a pattern that another does not cover", "StringLike", "a?", "a*"),
            ("an asterisk that is a text", "StringLike", "a${*}", "ab"),
            ("a variable that is no pattern", "StringLike", "${aws:username}*", "a*"),
            ("a pattern beside one that must not match", "StringNotLike", "a?", "a*"),
            ("a pattern that is a text", "StringEquals", "a*", "ab"),
        )
    ),
    Pair(
        "a pattern as a text",
        (allow("ecr:A", Condition=condition("StringLike", "aws:SourceArn", "a*")),),
        (allow("ecr:A", Condition=condition("StringEquals", "aws:SourceArn", "a*")),),
    ),
    *(
        Pair(
            name,
            (allow("ecr:A", Condition=condition("ArnLike", "aws:SourceArn", value)),),
            (allow("ecr:A", Condition=condition("StringLike", "aws:SourceArn", value)),),
        )
        for name, value in (
            ("a wildcard that stays within a part of an ARN", "arn:aws:s3:*:1:p"),
            ("a text that is no ARN", "a"),
            ("an ARN that lacks its last part", "arn:aws:s3:r:1"),
            ("a variable in an ARN", "arn:aws:s3:r:1:${aws:PrincipalArn}"),
        )
    ),
    Pair(
        "a variable as a text",
        (allow("ecr:A", Condition=condition("StringLike", "aws:SourceArn", "${aws:PrincipalArn}")),),
        (allow("ecr:A", Condition=condition("StringEquals", "aws:SourceArn", "${aws:PrincipalArn}")),),
    ),
    Pair(
        "root, whom a NotPrincipal spares",
        (allow("ecr:A", ROOT), deny("ecr:B", NotPrincipal={"AWS": ROOT})),
        (allow(["ecr:A", "ecr:B"], ROOT), deny("ecr:B", NotPrincipal={"AWS": ROOT})),
    ),
    Pair(
        "an action that a Deny takes from another principal only",
        (allow("ecr:A", [ANNA, BOB]), deny("ecr:B", ANNA)),
        (allow("ecr:A", [ANNA, BOB]), allow("ecr:B", [ANNA, BOB]), deny("ecr:B", ANNA)),
    ),
    Pair(
        "an ARN that lacks parts, whose wildcard spans fewer of them than its text",
        (own("ecr:A", "arn:*:x"),),
        (own("ecr:A", ["arn:*:x", "arn:aws:ecr:eu-central-1:1:x"]),),
        IDENTITY,
    ),
)


def _documents(case: Pair) -> tuple[Document, Document]:
    one, other = (parse_document({"Version": "2012-10-17", "Statement": list(side)}) for side in (case.one, case.other))
    return one, other


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_either_document_may_replace_the_other(case: Pair) -> None:
    one, other = _documents(case)
    assert not isinstance(relate(one, other, kind=case.kind), Differs)
    assert not isinstance(relate(other, one, kind=case.kind), Differs)


@pytest.mark.parametrize("case", NOT, ids=lambda case: case.name)
def test_equal_access_by_itself_is_not_enough(case: Pair) -> None:
    one, other = _documents(case)
    assert isinstance(relate(one, other, kind=case.kind), Differs)
    assert isinstance(relate(other, one, kind=case.kind), Differs)


@pytest.mark.parametrize("case", MAY_HOLD, ids=lambda case: case.name)
def test_a_condition_that_may_hold_for_some_caller_counts(case: Pair) -> None:
    one, other = _documents(case)
    assert isinstance(relate(one, other, kind=case.kind), Differs)
    assert isinstance(relate(other, one, kind=case.kind), Differs)


def test_documents_with_different_access_differ() -> None:
    one, other = _documents(Pair("", (allow("ecr:A"),), (allow(["ecr:A", "ecr:B"]),)))
    assert isinstance(relate(one, other, kind=REPOSITORY), Differs)


def test_statements_on_many_principals_may_be_split() -> None:
    one = tuple(allow([f"ecr:A{n}", f"ecr:B{n}"], f"{A}user/{n}") for n in range(100))
    other = tuple(allow(f"ecr:{letter}{n}", f"{A}user/{n}") for n in range(100) for letter in "AB")
    assert not isinstance(relate(*_documents(Pair("", one, other)), kind=REPOSITORY), Differs)
    assert isinstance(relate(*_documents(Pair("", one, other[1:])), kind=REPOSITORY), Differs)


def until(*times: str, who: Any = ANNA) -> dict[str, Any]:
    return allow("ecr:A", who, Condition={"DateLessThan": {"aws:CurrentTime": list(times)}})


EARLY, LATE, LATER = "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("desired", "live", "outlasts"),
    [
        (until(EARLY), allow("ecr:A"), True),
        (until(EARLY), until(LATE), True),
        (until(LATE), until(EARLY), False),
        (until(LATE), until(EARLY, who=BOB), False),
        (until(LATE), until(EARLY, LATER), True),
        (allow("ecr:A"), until(EARLY), False),
    ],
    ids=["no end", "a later end", "an earlier end", "an earlier one of another", "two ends", "nothing to outlast"],
)
def test_access_outlasts_its_end(desired: dict[str, Any], live: dict[str, Any], outlasts: bool) -> None:
    verdict = relate(*_documents(Pair("", (live,), (desired,))), kind=REPOSITORY)
    assert isinstance(verdict, Differs)
    assert verdict.outlasts is outlasts
