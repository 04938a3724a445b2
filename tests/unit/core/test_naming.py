"""Users and roles as people read and write them."""

import pytest

from ecr_warden.core.naming import meant, shortened, spelled

CI, HOME, OTHER = "111111111111", "222222222222", "333333333333"
ALIASES = {CI: "ci", HOME: "a-registry-with-a-name-that-is-longer-than-an-arn-of-a-user"}
PUSHER = f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-pusher"
ANNA, ANNA_TOO, BEN = (f"arn:aws:iam::{one}:user/{name}" for one, name in ((CI, "anna"), (HOME, "anna"), (CI, "x/ben")))

SPELLED = {
    "an ARN": (ANNA, "ci:user/anna"),
    "one in a sentence": (f"so can {ANNA}, {BEN} ({ANNA})", "so can ci:user/anna, ci:user/x/ben (ci:user/anna)"),
    "a session": (f"arn:aws:sts::{CI}:assumed-role/deploy/s", "ci:assumed-role/deploy/s"),
    "a target": (f"role/{CI}/deploy: failed", "ci:role/deploy: failed"),
    "an account": (f"account {CI}: denied", f"account ci ({CI}): denied"),
    "whoever has no alias": (f"arn:aws:iam::{OTHER}:user/x of {OTHER}", f"arn:aws:iam::{OTHER}:user/x of {OTHER}"),
    "a policy": (f"arn:aws:iam::{CI}:policy/x", f"arn:aws:iam::{CI}:policy/x"),
    "the value of a condition": (f'aws:PrincipalArn is "{ANNA}"', f'aws:PrincipalArn is "{ANNA}"'),
    "the value of a parameter": (f"ManagedOwners={ANNA},{BEN}", f"ManagedOwners={ANNA},{BEN}"),
    "a repository": (f"repository/{CI}/eu-central-1/a", f"repository/{CI}/eu-central-1/a"),
}


@pytest.mark.parametrize("case", SPELLED)
def test_people_read_names_with_the_alias_of_the_account(case: str) -> None:
    text, expected = SPELLED[case]
    assert spelled(text, ALIASES) == expected
    assert spelled(text, {}) == text


def test_a_message_gets_no_longer() -> None:
    assert shortened(f"{PUSHER} of {CI}, {ANNA}", ALIASES) == f"{PUSHER} of {CI}, ci:user/anna"


MEANT: dict[str, tuple[str, list[str]]] = {
    "an ARN": (ANNA, [ANNA]),
    "a name": ("ben", [BEN]),
    "a name and its path": ("x/ben", [BEN]),
    "a kind and a name": ("user/ben", [BEN]),
    "another kind": ("role/ben", []),
    "a name of two": ("anna", [ANNA, ANNA_TOO]),
    "one of two": ("ci:user/anna", [ANNA]),
    "by the account's ID": (f"{HOME}:anna", [ANNA_TOO]),
    "a target": (f"user/{HOME}/anna", [ANNA_TOO]),
    "a role without its path": ("registry:role/ecr-pusher", [PUSHER]),
    "a user that is not known": ("ci:user/eve", [f"arn:aws:iam::{CI}:user/eve"]),
    "a name that is not known": ("eve", []),
    "an alias that is not known": ("prod:user/anna", []),
}


@pytest.mark.parametrize("case", MEANT)
def test_people_write_them_in_any_way(case: str) -> None:
    text, expected = MEANT[case]
    assert meant(text, {"ci": CI, "registry": HOME}, (ANNA, ANNA_TOO, BEN, PUSHER)) == expected
