"""Write scopes as a table: the lists of the member stack, what they lack, and the values that cover it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Case:
    """`lacks`: who is uncovered; `values`: the lists that change."""

    lists: Mapping[str, tuple[str, ...]] | None
    lacks: tuple[Target, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    account: str = CI


ALL_CI = {"ManagedOwners": ",".join(sorted(HERE[one.key] for one in (PUSHER, ANNA, NODE)))}
CASES = {
    "no member stack": Case(None, (PUSHER, ANNA, NODE), ALL_CI),
    "lists that are empty": Case({}, (PUSHER, ANNA, NODE), ALL_CI),
    "all are named": Case({"ManagedOwners": tuple(HERE[one.key] for one in (PUSHER, ANNA, NODE))}),
    "they are named in several lists": Case(
        {"ManagedOwners": (arn(PUSHER),), "ManagedOwners2": (HERE[ANNA.key],), "ManagedOwners3": (arn(NODE),)}
    ),
    "one is not named": Case(
        {"ManagedOwners": (arn(PUSHER), arn(NODE))},
        (ANNA,),
        {"ManagedOwners": ",".join([arn(PUSHER), arn(NODE), HERE[ANNA.key]])},
    ),
    "one is under a path": Case(
        {"ManagedOwners": (arn(PUSHER), arn(NODE), "arn:aws:iam::111111111111:user/ci/*")},
    ),
    "a path beside hers": Case(
        {"ManagedOwners": (arn(PUSHER), arn(NODE)), "ManagedOwners2": ("arn:aws:iam::111111111111:user/c/*",)},
        (ANNA,),
        {"ManagedOwners": ",".join([arn(PUSHER), arn(NODE), HERE[ANNA.key]])},
    ),
    "a path of roles covers no user": Case(
        {"ManagedOwners": (arn(PUSHER), arn(NODE), "arn:aws:iam::111111111111:role/ci/*")},
        (ANNA,),
        {"ManagedOwners": ",".join([arn(PUSHER), arn(NODE), "arn:aws:iam::111111111111:role/ci/*", HERE[ANNA.key]])},
    ),
    "her name at another path": Case(
        {"ManagedOwners": (arn(PUSHER), arn(NODE), arn(ANNA))},
        (ANNA,),
        {"ManagedOwners": ",".join([arn(PUSHER), arn(NODE), arn(ANNA), HERE[ANNA.key]])},
    ),
    "the ARN of another account": Case(
        {"ManagedOwners": (arn(NODE), HERE[ANNA.key], arn(UserTarget(REGISTRY, "push-user")))},
        (PUSHER,),
        {"ManagedOwners": ",".join([arn(NODE), HERE[ANNA.key], arn(UserTarget(REGISTRY, "push-user")), arn(PUSHER)])},
    ),
    "a role of a literal trust policy, and none for the role that is made": Case(
        {}, (LEGACY,), {"ManagedRoles": arn(LEGACY)}, REGISTRY
    ),
    "a list of identities covers no trust policy": Case(
        {"ManagedOwners": (arn(LEGACY),)}, (LEGACY,), {"ManagedRoles": arn(LEGACY)}, REGISTRY
    ),
    "the list of roles opens it": Case({"ManagedRoles": (arn(LEGACY),)}, account=REGISTRY),
    "the list of roles opens a role's policies too": Case(
        {"ManagedRoles": (arn(NODE),), "ManagedOwners": (arn(PUSHER), HERE[ANNA.key])}
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_gap_of_a_write_scope(case: Case) -> None:
    found = scope_gap(spec_of(), (), case.account, WriteScope(HERE, case.lists))
    uncovered = tuple(sorted(HERE[target.key] for target in case.lacks))
    assert found == ScopeGap(case.account, case.lists is not None, uncovered, case.values)


@pytest.mark.parametrize("case", [case for case in CASES.values() if case.lacks])
def test_the_proposed_values_cover_everything(case: Case) -> None:
    lists = {**(case.lists or {}), **{name: tuple(value.split(",")) for name, value in case.values.items()}}
    assert scope_gap(spec_of(), (), case.account, WriteScope(HERE, lists)).uncovered == ()


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
