"""What literal documents name, so that their targets are looked at in the right order, as those of grants are."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ecr_warden.arn import ArnError, parse_arn
from ecr_warden.model.address import Address, AddressKind
from ecr_warden.model.desired import TargetSpec
from ecr_warden.model.target import OwnerTarget, RoleTarget, Target, UserTarget
from ecr_warden.policy.document import Document, Effect

_ASSUME = "sts:assumerole"


def named_principals(document: Document, accounts: frozenset[str]) -> dict[str, Target]:
    """The users and roles of the accounts that a document names as principals, by ARN."""
    found: dict[str, Target] = {}
    for statement in document.statements:
        for kind, value in statement.principals.values if statement.principals else ():
            if kind == "AWS" and (owner := _owner_of(value)) and owner.account in accounts:
                found[value] = owner
    return found


def add_role_dependencies(
    targets: Mapping[str, TargetSpec], address: Address, document: Document
) -> Iterator[TargetSpec]:
    """The targets as they become by a literal identity policy that lets its owner assume roles of the spec.

    The owner's policy may gain access only once the role is right, and the owner is looked at again when it is.
    """
    if address.kind is not AddressKind.IDENTITY_POLICY:
        return
    keys = sorted({role.key for role in _assumed(document)} & targets.keys() - {address.target.key})
    if not keys:
        return
    owner = targets[address.target.key]
    roles = tuple(targets[key].target for key in keys)
    yield replace(owner, widen_after={**owner.widen_after, address: roles})
    for key in keys:
        role = targets[key]
        dependents = {target.key: target for target in (*role.dependents, owner.target)}
        yield replace(role, dependents=tuple(dependents[name] for name in sorted(dependents)))


def _assumed(document: Document) -> Iterator[RoleTarget]:
    for statement in document.statements:
        resources = statement.resources
        if statement.effect is not Effect.ALLOW or resources is None or resources.negated:
            continue
        if not statement.actions.negated and _ASSUME in map(str.lower, statement.actions.values):
            owners = map(_owner_of, resources.values)
            yield from (owner for owner in owners if isinstance(owner, RoleTarget))


def _owner_of(value: str) -> OwnerTarget | None:
    try:
        arn = parse_arn(value)
    except ArnError:
        return None
    if arn.service != "iam" or not arn.name:
        return None
    match arn.resource.partition("/")[0]:
        case "user":
            return UserTarget(arn.account, arn.name)
        case "role":
            return RoleTarget(arn.account, arn.name)
        case _:
            return None
