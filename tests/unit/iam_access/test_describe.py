"""Differences of access in sentences."""

from collections.abc import Callable
from typing import Any

import pytest

from ecr_warden.core.ecr import ECR
from ecr_warden.core.framings import DRIFT, GIVEN, PLAN, ROLLED_OUT, incident
from iam_access.delta.delta import PermissionDelta, gained_and_lost
from iam_access.delta.describe import describe_change
from iam_access.delta.phrases import COMPARED, Framing
from iam_access.document.document import parse_document
from iam_access.document.kind import DocumentKind

KIND = DocumentKind.RESOURCE


def _nobody(_permission: PermissionDelta) -> bool:
    return False


def _between(
    desired: list[dict[str, Any]], live: list[dict[str, Any]], comes_first: Callable[[PermissionDelta], bool] = _nobody
) -> list[str]:
    before, after = (parse_document({"Version": "2012-10-17", "Statement": side}) for side in (desired, live))
    change = gained_and_lost(before, after, kind=KIND)
    return list(describe_change(change, ECR, subject="shop", comes_first=comes_first))


ANNA, BOB = "arn:aws:iam::111111111111:user/anna", "arn:aws:iam::111111111111:user/bob"
SHOP = "arn:aws:ecr:eu-central-1:222222222222:repository/shop"


def _pull(*who: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": list(who)}, "Action": "ecr:BatchGetImage"} | more


def test_a_difference_names_every_principal() -> None:
    assert _between([_pull(ANNA)], [_pull(BOB, "222222222222")]) == [
        "arn:aws:iam::111111111111:user/bob can now pull from shop (ecr:BatchGetImage)",
        "account 222222222222 can now pull from shop (ecr:BatchGetImage)",
        "arn:aws:iam::111111111111:user/anna can no longer pull from shop (ecr:BatchGetImage)",
    ]


def test_a_condition_is_written_in_full() -> None:
    one, other = (_pull(ANNA, Condition={"IpAddress": {"aws:SourceIp": ip}}) for ip in ("10.0.0.0/9", "10.0.0.0/8"))
    assert _between([one], [other]) == [
        f"{ANNA} can now pull from shop (ecr:BatchGetImage) under IpAddress aws:sourceip 10.0.0.0/8",
        f"{ANNA} can no longer pull from shop (ecr:BatchGetImage) under IpAddress aws:sourceip 10.0.0.0/9",
    ]


def test_to_see_whether_a_layer_is_there_is_no_push() -> None:
    """Pull policies often have this action; with the others it is one of those that a push takes."""
    looks, pushes = "ecr:BatchCheckLayerAvailability", ["ecr:PutImage", "ecr:BatchCheckLayerAvailability"]
    assert _between([_pull(ANNA), _pull(ANNA, Action=looks)], [_pull(ANNA)]) == [
        f"{ANNA} can no longer act on shop (ecr:BatchCheckLayerAvailability)"
    ]
    assert _between([_pull(ANNA)], [_pull(ANNA, Action=looks)])[0] == (
        f"{ANNA} can now act on shop (ecr:BatchCheckLayerAvailability)"
    )
    assert _between([_pull(BOB)], [_pull(BOB), _pull(ANNA, Action=pushes)]) == [
        f"{ANNA} can now push to shop (ecr:PutImage and 1 more)"
    ]


INCIDENT = incident("for 41 s")
FRAMINGS = (COMPARED, DRIFT, PLAN, ROLLED_OUT, INCIDENT, GIVEN)
EXTRA, LACKING = "999999999999", ANNA
DENIES = {"Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}
PERSPECTIVES: dict[str, tuple[Framing, list[str]]] = {
    "what is, against the spec": (
        DRIFT,
        [
            "account 999999999999 can pull from shop (ecr:BatchGetImage), and the spec does not allow it",
            f"{ANNA} cannot pull from shop (ecr:BatchGetImage), and the spec allows it",
            "anyone (*) is denied push to shop (ecr:PutImage), and the spec does not deny it",
        ],
    ),
    "what will be once the spec is carried out": (
        PLAN,
        [
            "account 999999999999 will lose pull from shop (ecr:BatchGetImage)",
            f"{ANNA} will gain pull from shop (ecr:BatchGetImage)",
            "anyone (*) will no longer be denied push to shop (ecr:PutImage)",
        ],
    ),
    "what the roll-out of a version did": (
        ROLLED_OUT,
        [
            "account 999999999999 lost pull from shop (ecr:BatchGetImage)",
            f"{ANNA} gained pull from shop (ecr:BatchGetImage)",
            "anyone (*) is no longer denied push to shop (ecr:PutImage) from now on",
        ],
    ),
    "what was, and for how long": (
        INCIDENT,
        [
            "account 999999999999 could pull from shop (ecr:BatchGetImage) for 41 s",
            f"{ANNA} could not pull from shop (ecr:BatchGetImage) for 41 s",
            "anyone (*) was denied push to shop (ecr:PutImage) for 41 s",
        ],
    ),
}


@pytest.mark.parametrize("name", PERSPECTIVES)
def test_a_difference_from_the_perspective_of(name: str) -> None:
    framing, expected = PERSPECTIVES[name]
    desired, live = (
        parse_document({"Version": "2012-10-17", "Statement": side})
        for side in ([_pull(LACKING)], [_pull(EXTRA), DENIES])
    )
    change = gained_and_lost(desired, live, kind=KIND)
    assert sorted(describe_change(change, ECR, subject="shop", framing=framing)) == sorted(expected)


@pytest.mark.parametrize(
    ("framing", "expected"),
    [
        (DRIFT, "anyone (*) is not denied push to shop (ecr:PutImage), and the spec denies it"),
        (PLAN, "anyone (*) will be denied push to shop (ecr:PutImage)"),
        (ROLLED_OUT, "anyone (*) is denied push to shop (ecr:PutImage) from now on"),
        (INCIDENT, "anyone (*) was not denied push to shop (ecr:PutImage) for 41 s"),
    ],
)
def test_a_removed_deny_from_each_perspective(framing: Framing, expected: str) -> None:
    with_deny, without = (parse_document({"Statement": side}) for side in ([_pull(ANNA), DENIES], [_pull(ANNA)]))
    change = gained_and_lost(with_deny, without, kind=KIND)
    assert describe_change(change, ECR, subject="shop", framing=framing) == (expected,)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize(("unique_id", "was"), [("AIDAQHBJ5XEXAMPLE00001", "user"), ("AROAQHBJ5XEXAMPLE00001", "role")])
def test_the_unique_id_of_a_deleted_principal_gives_no_access(framing: Framing, unique_id: str, was: str) -> None:
    desired, live = (parse_document({"Statement": [_pull(*names)]}) for names in ((ANNA,), (ANNA, unique_id)))
    change = gained_and_lost(desired, live, kind=KIND)
    sentences = describe_change(change, ECR, subject="shop", framing=framing)
    assert sentences == (f"{unique_id} is the unique ID that AWS shows for a deleted {was}: it gives no access",)


def test_a_login_is_described_as_one() -> None:
    login = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    change = gained_and_lost(None, parse_document({"Statement": [login]}))
    assert describe_change(change, ECR, subject="anna") == ("anna can now log in to ECR (ecr:GetAuthorizationToken)",)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("lasting", [{"Principal": {"AWS": ANNA}}, {"Resource": SHOP}], ids=["repository", "identity"])
def test_a_login_that_does_not_work_is_not_said_to_be_one(framing: Framing, lasting: dict[str, object]) -> None:
    login = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", **lasting}
    change = gained_and_lost(None, parse_document({"Statement": [login]}))
    who, where = (ANNA, "shop") if "Principal" in lasting else ("shop", SHOP)
    assert describe_change(change, ECR, subject="shop", framing=framing) == (
        f"{who} needs ecr:GetAuthorizationToken on *: on {where} it has no effect",
    )


def _is_eve(permission: PermissionDelta) -> bool:
    return "eve" in repr(permission.principal)


EVE = "arn:aws:iam::999999999999:user/eve"


def test_important_permissions_come_first() -> None:
    crowd = [f"arn:aws:iam::111111111111:user/u{number:03}" for number in range(50)]
    sentences = _between([_pull(ANNA)], [_pull(ANNA, *crowd, EVE)], _is_eve)
    assert len(sentences) == len(crowd) + 1
    assert sentences[0] == f"{EVE} can now pull from shop (ecr:BatchGetImage)"
