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
from tests.tables import load
from tests.unit.iam_access.tables import CASES

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


@pytest.mark.parametrize(
    ("actions", "effects"),
    [
        (["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage"], ["pull from", "act on"]),
        (["ecr:BatchCheckLayerAvailability", "ecr:SetRepositoryPolicy"], ["administer", "act on"]),
        (["ecr:BatchCheckLayerAvailability", "ecr:PutImage", "ecr:BatchGetImage"], ["push to", "pull from"]),
    ],
)
def test_what_lets_somebody_do_more_comes_first(actions: list[str], effects: list[str]) -> None:
    found = _between([_pull(BOB)], [_pull(BOB), _pull(ANNA, Action=actions)])
    assert len(found) == len(effects)
    assert all(f"can now {effect} " in line for line, effect in zip(found, effects, strict=True)), found


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
PERSPECTIVES = {"drift": DRIFT, "plan": PLAN, "rolled out": ROLLED_OUT, "incident": INCIDENT}
ROWS: dict[str, dict[str, Any]] = load((CASES / "framings.yaml").read_text())["framings"]


@pytest.mark.parametrize("name", PERSPECTIVES)
def test_a_difference_from_the_perspective_of(name: str) -> None:
    assert _framed(name, [_pull(LACKING)], [_pull(EXTRA), DENIES]) == ROWS[name]["differs"]
    assert _framed(name, [_pull(ANNA), DENIES], [_pull(ANNA)]) == [ROWS[name]["no longer denied"]]


def _framed(name: str, desired: list[dict[str, Any]], live: list[dict[str, Any]]) -> list[str]:
    change = gained_and_lost(*(parse_document({"Statement": side}) for side in (desired, live)), kind=KIND)
    return sorted(describe_change(change, ECR, subject="shop", framing=PERSPECTIVES[name]))


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
