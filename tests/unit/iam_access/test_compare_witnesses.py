"""Whom else an example speaks of: said as far as it was tried."""

import pytest

from iam_access.compare import compare
from iam_access.compare.budget import EXPLAINING, Budget
from iam_access.compare.witnesses import TRIED_AT_MOST, phrase_for_all
from iam_access.document.document import DocumentKind, parse_document

USERS = [f"arn:aws:iam::111111111111:user/u{number:02}" for number in range(TRIED_AT_MOST + 2)]


def _who(count: int, budget: Budget, *, denied: int = TRIED_AT_MOST + 2) -> str:
    """Of `count` users who may pull, those (of the first `denied`) who no longer can, as the sentence names them."""
    pull = {"Effect": "Allow", "Principal": {"AWS": USERS[:count]}, "Action": "ecr:BatchGetImage"}
    deny = {"Effect": "Deny", "Principal": {"AWS": USERS[:denied]}, "Action": "*"}
    desired, live = (parse_document({"Statement": one}) for one in ([pull], [pull, deny]))
    [witness] = compare(live, desired, kind=DocumentKind.REPOSITORY).lost
    phrase = phrase_for_all(witness, desired, live, kind=DocumentKind.REPOSITORY, budget=budget)
    return phrase.who.replace("arn:aws:iam::111111111111:user/", "")


@pytest.mark.parametrize(
    ("count", "denied", "who"),
    [
        (1, 1, "u00"),
        (2, 1, "u00"),
        (2, 2, "u00 and u01"),
        (5, 5, "u00, u01 and 3 more"),
        (TRIED_AT_MOST + 1, TRIED_AT_MOST + 1, f"u00, u01 and {TRIED_AT_MOST - 1} more"),
        (TRIED_AT_MOST + 2, TRIED_AT_MOST + 2, f"u00, u01 and at least {TRIED_AT_MOST - 1} more"),
        (TRIED_AT_MOST + 2, 2, "u00, u01 and perhaps others"),
        (TRIED_AT_MOST + 2, 1, "u00 and perhaps others"),
    ],
)
def test_a_deny_is_described_for_all_principals_that_it_denies(count: int, denied: int, who: str) -> None:
    assert _who(count, Budget(EXPLAINING), denied=denied) == who


def test_nobody_is_tried_once_the_budget_is_spent() -> None:
    assert _who(5, Budget(0)) == "u00 and perhaps others"
