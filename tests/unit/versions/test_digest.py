"""The digest of a version: by it a rejected version is known, however it comes back."""

from collections.abc import Callable

import pytest

from ecr_warden.versions.digest import digest_of
from local.testing.seed import compiled

SPEC = """
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1]}
teams: {deployers: [ci:user/anna, ci:user/bob]}
repositories:
  - {name: shop/checkout, account: registry, pull: [deployers]}
  - {name: shop/ledger, account: registry, pull: [ci:user/anna]}
also_allowed: [{principals: ["registry:role/scanner", {account: ci}], reason: scanning}]
settings: {mode: enforce}
"""


SAME: dict[str, Callable[[str], str]] = {
    "a comment": lambda text: f"# as before\n{text}",
    "the team's members in another order": lambda text: text.replace(
        "ci:user/anna, ci:user/bob", "ci:user/bob, ci:user/anna"
    ),
    "the team written out": lambda text: text.replace("[deployers]", "[ci:user/bob, ci:user/anna]"),
    "another name of an account": lambda text: text.replace("ci:", "build:").replace("account: ci", "account: build"),
    "another reason of intended access": lambda text: text.replace("reason: scanning", "reason: images"),
    "intended access in another order": lambda text: text.replace(
        '"registry:role/scanner", {account: ci}', '{account: ci}, "registry:role/scanner"'
    ),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_what_says_the_same_has_one_digest(change: Callable[[str], str]) -> None:
    assert digest_of(compiled(SPEC)) == digest_of(compiled(change(SPEC), version="another"))


OTHER = {
    "another puller": ("pull: [ci:user/anna]", "pull: [ci:user/bob]"),
    "another mode": ("mode: enforce", "mode: observe"),
    "another limit": ("mode: enforce", "mode: enforce, max_removed: 3"),
    "more intended access": ("role/scanner", "role/*"),
    "a pattern": ("shop/ledger", "shop/l*"),
}


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER.keys())
def test_what_says_something_else_has_another(change: tuple[str, str]) -> None:
    assert digest_of(compiled(SPEC)) != digest_of(compiled(SPEC.replace(*change)))
