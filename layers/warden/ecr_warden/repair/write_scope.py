"""The write scope of a member stack, and the parameters that would extend it to all identities of the spec.

The lists are those of stacks/member.yaml: ARNs, or an IAM path that ends in `/*`, with `*` for any account.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import target_of
from ecr_warden.core.failures import PortError
from ecr_warden.core.own_access import Writes
from ecr_warden.core.plan import Plan
from ecr_warden.core.target import RepositoryTarget, Target
from ecr_warden.repair.scope_gap import ScopeGap
from iam_access.arn import iam_arn
from iam_access.inventory.inventory import Account, Policy, Unread
from iam_access.inventory.printed import is_of_aws

OWNER_LISTS = ("ManagedOwners", "ManagedOwners2", "ManagedOwners3")
ROLE_LIST = "ManagedRoles"
WRITES = "Writes"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
PARAMETER_BYTES = 4096
# The Sids of the lists' statements in stacks/member.yaml.
_LIST_OF = {
    "OwnersInlinePolicies": OWNER_LISTS[0],
    "OwnersInlinePolicies2": OWNER_LISTS[1],
    "OwnersInlinePolicies3": OWNER_LISTS[2],
    "NamedRoles": ROLE_LIST,
}
_OF_ALL = "RepositoryPolicies"
_OWN_ROLES = ":role/ecr-warden/"
_ANY_ACCOUNT = "arn:aws:iam::*:"
_PATH_END = "/*"

type Lists = Mapping[str, Sequence[str]]
"""The values of the member stack's parameters by name, without empty parameters, and without Writes if it is all."""


class WriteScope(Struct, frozen=True):
    """The users and roles of an account, and those of them that its member stack covers."""

    arns: Mapping[str, str]
    """Of an account's existing users and roles, by target key."""
    lists: Lists | None
    """None without a member stack."""


def scope_of(account: Account) -> WriteScope:
    """The users and roles of an account that was read, and those that its member stack lets ecr-warden write.

    Raises PortError where a policy of the write role was not read: to deploy lists without what it names would take
    from ecr-warden what it may write now.
    """
    identities = account.identities.values()
    own = {one.arn.partition(_OWN_ROLES)[2]: one for one in identities}
    arns = {target_of(one).key: one.arn for one in identities}
    if write_role := own.get("ecr-warden-write"):
        return WriteScope(arns, _lists_in(write_role.policies))
    return WriteScope(arns, {WRITES: (Writes.NONE,)} if "ecr-warden-read" in own else None)


def _lists_in(policies: Sequence[Policy]) -> Lists:
    """The member stack's lists, from the policies of its write role; it attaches none of AWS's own."""
    own = [policy for policy in policies if not is_of_aws(policy.place.arn)]
    unread = next((policy.document for policy in own if isinstance(policy.document, Unread)), None)
    if unread is not None:
        raise PortError(f"{unread.what} of the role ecr-warden-write could not be read: {unread.why}")
    statements = [statement for policy in own for statement in policy.statements]
    lists = {
        _LIST_OF[statement.sid]: statement.resources.values
        for statement in statements
        if statement.sid in _LIST_OF and statement.resources is not None
    }
    has_all = any(statement.sid == _OF_ALL for statement in statements)
    return lists if has_all else {**lists, WRITES: (Writes.IDENTITIES,)}


def scope_gap(compiled: CompiledSpec, plans: Iterable[Plan], account: str, scope: WriteScope) -> ScopeGap:
    """The users and roles of an account that ecr-warden has to write and the write scope does not cover.

    They come from the spec and from `plans` for removed ones. Identities that do not exist do not count, nor do the
    roles that ecr-warden creates.
    """
    lists = scope.lists or {}
    policies, trusts, writes = _needed(compiled, plans, account)
    covered = {name: [one.replace(_ANY_ACCOUNT, iam_arn(account, "")) for one in lists[name]] for name in lists}
    roles = _lacking(trusts, scope, covered.get(ROLE_LIST, ()))
    # A role on the list of roles needs no other list.
    known = [entry for name in (*OWNER_LISTS, ROLE_LIST) for entry in covered.get(name, ())]
    owners = _lacking(policies, scope, [*known, *roles])
    changed = dict(filled(lists, OWNER_LISTS, owners)) | dict(filled(lists, (ROLE_LIST,), roles))
    placed = {entry for entries in changed.values() for entry in entries}
    uncovered = tuple(sorted({*owners, *roles}))
    if WRITES in lists and lists[WRITES][0] not in (writes, Writes.ALL):
        changed[WRITES] = [writes]
    return ScopeGap(
        account=account,
        has_stack=scope.lists is not None,
        uncovered=uncovered,
        parameters={name: ",".join(entries) for name, entries in changed.items()},
        without_room=tuple(arn for arn in uncovered if arn not in placed),
    )


def accounts_with_identities(targets: Iterable[Target]) -> tuple[str, ...]:
    """The accounts of the users and roles among the targets."""
    return tuple(sorted({target.account for target in targets if not isinstance(target, RepositoryTarget)}))


def _needed(compiled: CompiledSpec, plans: Iterable[Plan], account: str) -> tuple[set[str], set[str], Writes]:
    """The keys of those whose policies are written, and of those whose trust policy is; what Writes has to be."""
    policies: set[str] = set()
    trusts: set[str] = set()
    addresses = [address for spec in compiled.targets.values() for address in spec.documents]
    addresses += [change.address for plan in plans for change in plan.changes]
    made = {address.target.key for address in addresses if address.kind is AddressKind.ROLE}
    is_of_all = any(pattern.target.account == account for pattern in compiled.patterns)
    for address in addresses:
        target = address.target
        if target.account != account:
            continue
        if isinstance(target, RepositoryTarget) or target.key in made:
            is_of_all = True
        else:
            (trusts if address.kind is AddressKind.TRUST_POLICY else policies).add(target.key)
    of_lists = Writes.IDENTITIES if policies or trusts else Writes.NONE
    return policies, trusts, Writes.ALL if is_of_all else of_lists


def _lacking(needed: Iterable[str], scope: WriteScope, entries: Sequence[str]) -> list[str]:
    """The needed ARNs that no entry covers."""
    whole = frozenset(entries)
    paths = tuple(entry.removesuffix("*") for entry in entries if entry.endswith(_PATH_END))
    arns = [scope.arns[key] for key in needed if key in scope.arns]
    return sorted(arn for arn in arns if not (arn in whole or arn.startswith(paths) or _OWN_ROLES in arn))


def filled(lists: Lists, names: Sequence[str], arns: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The lists that grow; each ARN goes to the first with room, if there is one."""
    kept = {name: list(lists.get(name, ())) for name in names}
    for arn in arns:
        room = next((name for name in names if len(",".join([*kept[name], arn])) <= PARAMETER_BYTES), None)
        if room is not None:
            kept[room].append(arn)
    yield from ((name, entries) for name, entries in kept.items() if entries != list(lists.get(name, ())))
