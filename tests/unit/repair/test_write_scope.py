"""Write scopes as a table: the lists of the member stack, what they lack, and the values that cover it."""

from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.address import identity_policy
from ecr_warden.core.desired import CompiledSpec, Extent, Mode, MustNotExist, TargetSpec
from ecr_warden.core.drift import Drift
from ecr_warden.core.kinds import DriftKind, Operation
from ecr_warden.core.plan import Change, Plan
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.repair.scope_gap import ScopeGap
from ecr_warden.repair.write_scope import PARAMETER_BYTES, WriteScope, accounts_with_identities, scope_gap
from local.testing.seed import compiled
from tests.tables import load

CI, REGISTRY = "111111111111", "222222222222"
SPEC = """
version: 1
accounts:
  ci: {{id: "111111111111"}}
  registry: {{id: "222222222222", regions: [eu-central-1]}}
repositories:
  - name: shop/checkout
    account: registry
    pull: [{pull}]
    push: [{{role: ecr-pusher, by: ["ci:user/push-user"]}}]
documents:
  - kind: trust-policy
    account: registry
    role: legacy
    document:
      Statement: {{Effect: Allow, Principal: {{AWS: "arn:aws:iam::111111111111:root"}}, Action: "sts:AssumeRole"}}
"""


def spec_of(pull: str = "ci:user/anna, ci:role/node") -> CompiledSpec:
    return compiled(SPEC.format(pull=pull))


def arn(target: Target, path: str = "/") -> str:
    assert isinstance(target, UserTarget | RoleTarget)
    return f"arn:aws:iam::{target.account}:{target.identity_kind}{path}{target.name}"


PUSHER, ANNA, NODE = UserTarget(CI, "push-user"), UserTarget(CI, "anna"), RoleTarget(CI, "node")
LEGACY, MADE = RoleTarget(REGISTRY, "legacy"), RoleTarget(REGISTRY, "ecr-pusher")
HERE = {target.key: arn(target) for target in (PUSHER, ANNA, NODE, LEGACY)}
HERE |= {ANNA.key: arn(ANNA, "/ci/eu/"), MADE.key: arn(MADE, "/ecr-warden/")}


CASES: dict[str, dict[str, Any]] = load((Path(__file__).parents[2] / "cases/write_scope.yaml").read_text())["gaps"]


def gap(name: str, *, changed: bool = False) -> ScopeGap:
    """The gap of the lists of a row, or of those once they are changed as it says."""
    row = CASES[name]
    lists = row.get("lists", {}) | row.get("values", {}) if changed else row.get("lists")
    held = None if lists is None else {key: tuple(arns) for key, arns in lists.items()}
    return scope_gap(spec_of(), (), row.get("account", CI), WriteScope(HERE, held))


@pytest.mark.parametrize("name", CASES)
def test_the_gap_of_a_write_scope(name: str) -> None:
    row = CASES[name]
    values = {key: ",".join(arns) for key, arns in row.get("values", {}).items()}
    lacks = tuple(sorted(row.get("lacks", ())))
    assert gap(name) == ScopeGap(row.get("account", CI), "lists" in row, lacks, values)


@pytest.mark.parametrize("name", [name for name, row in CASES.items() if "lacks" in row])
def test_the_proposed_values_cover_everything(name: str) -> None:
    assert gap(name, changed=True).uncovered == ()


def test_identities_that_do_not_exist_do_not_count() -> None:
    assert scope_gap(spec_of(), (), CI, WriteScope({}, {})).uncovered == ()


def test_removed_identities_with_changes_count() -> None:
    gone = UserTarget(CI, "gone")
    address = identity_policy(gone, "ecr-warden-pull")
    drift = Drift(address, DriftKind.UNEXPECTED, "not in the spec")
    change = Change(Operation.DELETE, address, before=None, expect=None, after=None)
    plan = Plan(gone, "v1", (drift,), (change,), ())
    scope = WriteScope(
        {**HERE, gone.key: arn(gone)}, {"ManagedOwners": tuple(HERE[o.key] for o in (PUSHER, ANNA, NODE))}
    )
    assert scope_gap(spec_of(), (plan,), CI, scope).uncovered == (arn(gone),)


def test_a_full_list_continues_in_the_next_and_the_rest_is_named() -> None:
    users = [UserTarget(CI, f"machine-that-pulls-{number:05}") for number in range(300)]
    specs = {
        user.key: TargetSpec(user, Extent.OURS, {identity_policy(user, "ecr-warden-pull"): MustNotExist()})
        for user in users
    }
    spec = CompiledSpec("v1", Mode.ENFORCE, (CI,), specs)
    arns = {user.key: arn(user) for user in users}
    found = scope_gap(spec, (), CI, WriteScope(arns, {"ManagedOwners2": (arn(PUSHER),)}))
    assert set(found.parameters) == {"ManagedOwners", "ManagedOwners2", "ManagedOwners3"}
    assert all(len(value) <= PARAMETER_BYTES for value in found.parameters.values())
    placed = {one for value in found.parameters.values() for one in value.split(",")}
    assert placed - {arn(PUSHER)} == set(found.uncovered) - set(found.without_room)
    assert len(found.uncovered) == 300
    assert 0 < len(found.without_room) < 100
    assert not placed & set(found.without_room)


def test_only_accounts_with_users_or_roles_have_a_write_scope() -> None:
    assert accounts_with_identities(spec.target for spec in spec_of().targets.values()) == (CI, REGISTRY)
    assert accounts_with_identities([RepositoryTarget(REGISTRY, "eu-central-1", "shop/checkout")]) == ()
