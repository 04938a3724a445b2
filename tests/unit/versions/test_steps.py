"""What a version changes of what is enforced, and what of the accounts has to be read before it is judged."""

import pytest

from ecr_warden.core.address import identity_policy
from ecr_warden.core.target import UserTarget
from ecr_warden.versions.enforced import step, value_at
from ecr_warden.versions.takeover import possible_takeover
from local.testing.seed import CI, HOME, compiled

CLERK = UserTarget(CI, "clerk")
PAPERS = '{Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::papers/*"}]}'
HOUSE = f"""
version: 1
accounts: {{ci: {{id: "{CI}"}}, registry: {{id: "{HOME}", regions: [eu-central-1]}}}}
repositories:
  - {{name: shop/a, account: registry, pull: [ci:user/anna]}}
documents:
  - {{kind: identity-policy, account: ci, user: clerk, name: papers, document: {PAPERS}}}
settings: {{mode: enforce}}
"""
ANOTHER = "repositories:\n  - {{name: {}, account: registry}}"


def edited(old: str, new: str) -> str:
    assert HOUSE.count(old) == 1
    return HOUSE.replace(old, new)


def test_what_stays_as_the_older_version_made_it_is_beside_what_the_newer_one_gives() -> None:
    """Nobody removes a literal policy that the spec names no more."""
    papers, pull = (identity_policy(CLERK, name) for name in ("papers", "ecr-warden-pull"))
    before = compiled(HOUSE)
    new = compiled(
        HOUSE.partition("documents:")[0].replace("ci:user/anna", "ci:user/clerk") + "settings: {mode: enforce}"
    )
    after = step(before, new).after
    assert value_at(after, papers) == value_at(before, papers) is not None
    assert value_at(after, pull) == value_at(new, pull) is not None


PARTS: dict[str, tuple[str, str, set[str]]] = {
    "nothing new": ("ci:user/anna", "ci:user/anna", set()),
    "a new repository": ("repositories:", ANOTHER.format("shop/b"), {f"{HOME}/eu-central-1"}),
    "a new pattern": ("repositories:", ANOTHER.format("lab/*"), {f"{HOME}/eu-central-1"}),
    "a new user": ("ci:user/anna", "ci:user/anna, ci:user/bob", {CI}),
    "a new account": ("accounts: {", 'accounts: {more: {id: "333333333333"}, ', {"333333333333"}),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_a_version_may_take_over_is_read_first(name: str) -> None:
    old, new, parts = PARTS[name]
    possible = possible_takeover(compiled(HOUSE), compiled(edited(old, new), "v2"))
    assert possible.parts == parts
    assert bool(possible.names) is bool(parts)
