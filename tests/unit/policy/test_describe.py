"""Differences in sentences: exact where the engine decided, complete where a list is the whole truth."""

from collections.abc import Callable
from typing import Any

from ecr_warden.policy.access import Permission, gained_and_lost
from ecr_warden.policy.compare import compare
from ecr_warden.policy.describe import MAX_SENTENCES, describe_change, describe_difference, describe_missing
from ecr_warden.policy.document import DocumentKind, parse_document

KIND = DocumentKind.REPOSITORY


def _nobody(_permission: Permission) -> bool:
    return False


def _between(
    desired: list[dict[str, Any]], live: list[dict[str, Any]], foremost: Callable[[Permission], bool] = _nobody
) -> list[str]:
    before, after = (parse_document({"Version": "2012-10-17", "Statement": side}) for side in (desired, live))
    compared = compare(after, before, kind=KIND, subject="shop")
    gained, lost = ([one.sentence for one in side] for side in (compared.gained, compared.lost))
    change = gained_and_lost(before, after, kind=KIND)
    return list(describe_difference(change, gained=gained, lost=lost, subject="shop", foremost=foremost))


ANNA, BOB = "arn:aws:iam::111111111111:user/anna", "arn:aws:iam::111111111111:user/bob"


def _pull(*who: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": list(who)}, "Action": "ecr:BatchGetImage"} | more


def test_a_difference_names_everybody_whom_it_concerns() -> None:
    assert _between([_pull(ANNA)], [_pull(BOB, "222222222222")]) == [
        "arn:aws:iam::111111111111:user/bob can now pull from shop (ecr:BatchGetImage)",
        "arn:aws:iam::222222222222:root can now pull from shop (ecr:BatchGetImage)",
        "arn:aws:iam::111111111111:user/anna can no longer pull from shop (ecr:BatchGetImage)",
    ]


def test_a_direction_in_which_nothing_differs_is_left_out() -> None:
    """By its text the narrowed document gives something under a condition; in truth it only takes."""
    narrowed = _pull(ANNA, Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})
    assert _between([_pull(ANNA)], [narrowed]) == [f"{ANNA} can no longer pull from shop (ecr:BatchGetImage)"]


def test_where_conditions_decide_an_example_speaks() -> None:
    one, other = (_pull(ANNA, Condition={"IpAddress": {"aws:SourceIp": ip}}) for ip in ("10.0.0.0/9", "10.0.0.0/8"))
    [told] = _between([one], [other])
    assert told.startswith(f"{ANNA} can now pull from shop (ecr:BatchGetImage) with aws:sourceip 10.")


def test_what_is_missing_as_a_whole_is_told_without_a_past() -> None:
    """Nobody can say of a document that was never there that somebody can do something no longer."""
    missing = gained_and_lost(parse_document({"Statement": [_pull(ANNA)]}), None, kind=KIND)
    assert describe_missing(missing, subject="shop") == (f"{ANNA} cannot pull from shop (ecr:BatchGetImage)",)


def test_a_login_is_told_as_one() -> None:
    login = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    change = gained_and_lost(None, parse_document({"Statement": [login]}))
    assert describe_change(change, subject="anna") == ("anna can now log in to ECR (ecr:GetAuthorizationToken)",)


def _is_eve(permission: Permission) -> bool:
    return "eve" in repr(permission.principal)


EVE = "arn:aws:iam::999999999999:user/eve"


def test_who_matters_comes_first_and_is_not_counted_away() -> None:
    crowd = [f"arn:aws:iam::111111111111:user/u{number:03}" for number in range(50)]
    told = _between([_pull(ANNA)], [_pull(ANNA, *crowd, EVE)], _is_eve)
    assert len(told) == MAX_SENTENCES
    assert told[0] == f"{EVE} can now pull from shop (ecr:BatchGetImage)"


def test_who_matters_is_told_beside_the_examples() -> None:
    """Of one group of actions there is one example: it need not be the one that people must see."""
    narrowed = {"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}
    told = _between([_pull(ANNA)], [_pull(ANNA), _pull(BOB, **narrowed), _pull(EVE, **narrowed)], _is_eve)
    assert told[0].startswith(f"{EVE} can now pull from shop (ecr:BatchGetImage)")
