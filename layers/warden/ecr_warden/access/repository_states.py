"""How a repository's policies and tags could be, and the calls that make them so."""

from collections.abc import Collection, Hashable, Iterable, Iterator
from copy import replace

from msgspec import Struct

from ecr_warden.access.acting import CallPath
from ecr_warden.access.graph import permission
from ecr_warden.access.resources import TAG_PREFIXES, of_registry_calls
from ecr_warden.core.estate import Estate, RegistryScope
from iam_access.document.document import parse_document
from iam_access.escalation.calls import Caller
from iam_access.escalation.moves import LIFTING, lifting
from iam_access.escalation.posing import members_of
from iam_access.escalation.tagging import TAG_KEYS, limits, spellings
from iam_access.evaluate.request import ANY_RESOURCE
from iam_access.inventory.inventory import Account, Policy
from iam_access.who_can.decide import Permission, Resource
from iam_access.who_can.resources import with_policies
from iam_access.who_can.subject import Subject

CHANGING = (
    *("ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy", "ecr:PutAccountSetting"),
    *("ecr:PutRegistryPolicy", "ecr:DeleteRegistryPolicy", "ecr:TagResource", "ecr:UntagResource"),
    "ecr:DeleteRepository",
    *LIFTING,
)
"""The calls that change what else a repository allows."""

_LET_EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}
_WRITTEN = Policy("what is written", parse_document({"Statement": _LET_EVERYBODY}))


class RepositoryState(Struct, frozen=True):
    """How the repository could be: the resource, its own policy and its registry's, the latter's scope, a tag changed.

    `resource` has no resource control policies once they are taken off. `path`: the calls that make it so.
    """

    resource: Resource
    own: Policy | None
    registry: Policy | None
    is_newer: bool
    tag: Hashable = None
    path: CallPath = CallPath()

    @property
    def name(self) -> Hashable:
        """The same for states in which the same is allowed."""
        return self.own, self.registry, self.is_newer, self.tag, not self.resource.control

    def with_policies(self, own: Policy | None, registry: Policy | None, *, is_newer: bool) -> "RepositoryState":
        """With other policies, and a scope that was set."""
        above = registry if registry is None or is_newer else of_registry_calls(registry)
        resource = with_policies(self.resource, tuple(filter(None, (own, above))))
        return replace(self, resource=resource, own=own, registry=registry, is_newer=is_newer)


def state_now(resource: Resource, estate: Estate) -> RepositoryState:
    """How a repository, or calls on a registry, are by the estate."""
    if resource.arn == ANY_RESOURCE:
        return RepositoryState(resource, None, None, is_newer=False)
    registry = estate.accounts[str(resource.account)].registries[resource.arn.split(":")[3]]
    own = registry.repositories[resource.arn.partition(":repository/")[2]].policy
    is_newer = registry.scope is not RegistryScope.REGISTRY_CALLS
    return RepositoryState(resource, own, registry.policy, is_newer)


def calls_on(
    state: RepositoryState, subject: Subject, tags: Collection[str]
) -> Iterator[tuple[str, Resource, RepositoryState]]:
    """The calls that change a repository, what they are allowed on, and how it is afterwards.

    `tags`: the keys of tags that policies ask for, in lower case.
    """
    resource, own, registry, is_newer = state.resource, state.own, state.registry, state.is_newer
    if resource.arn == ANY_RESOURCE:
        return  # of a registry only its own account's policies decide
    yield "ecr:SetRepositoryPolicy", resource, state.with_policies(_WRITTEN, registry, is_newer=is_newer)
    if own is not None:
        yield "ecr:DeleteRepositoryPolicy", resource, state.with_policies(None, registry, is_newer=is_newer)
    if resource.closed:
        yield from _retagged(state, subject, tags)
    # Nobody can write the registry policy of another account.
    if subject.principal.account == resource.account:
        on = Resource("*", None, keys={"aws:requestedregion": (resource.arn.split(":")[3],)})
        yield "ecr:PutRegistryPolicy", on, state.with_policies(own, _WRITTEN, is_newer=is_newer)
        if registry is not None:
            yield "ecr:PutAccountSetting", on, state.with_policies(own, registry, is_newer=not is_newer)
            yield "ecr:DeleteRegistryPolicy", on, state.with_policies(own, None, is_newer=is_newer)


def _retagged(
    state: RepositoryState, subject: Subject, tags: Collection[str]
) -> Iterator[tuple[str, Resource, RepositoryState]]:
    """The repository with another tag that policies ask for, or without it."""
    resource = state.resource
    for key in sorted({name.partition("/")[2] for name in tags}):
        names = [f"{prefix}{key}" for prefix in TAG_PREFIXES]
        kept = {name: values for name, values in resource.keys.items() if name not in names}
        closed = {name: () for name in tags if name not in names}
        tag = "ecr:TagResource"
        limited = tuple(one for name in names for one in limits(subject, tag, resource.arn, key, name))
        opened = replace(resource, keys={**closed, **kept}, closed=(), always=limited)
        for written in spellings(subject, key):
            on = replace(resource, keys={**resource.keys, TAG_KEYS: (written,)})
            yield "ecr:UntagResource", on, replace(state, resource=replace(resource, keys=kept), tag=key)
            yield tag, on, replace(state, resource=opened, tag=(key, limited))


def manages(subject: Subject, resource: Resource, accounts: Iterable[Account]) -> bool:
    """Does its account manage the organization of a repository's account, and so its resource control policies?"""
    members = members_of(str(subject.principal.account), accounts) if resource.control else ()
    return any(one.id == resource.account for one in members)


def released(state: RepositoryState, caller: Caller) -> Iterator[tuple[str, Resource, RepositoryState]]:
    """The repository without resource control policies, and the calls that whoever manages them makes for it."""
    resource = state.resource
    otherwise = None if resource.otherwise is None else replace(resource.otherwise, control=())
    made = replace(state, resource=replace(resource, control=(), otherwise=otherwise))
    for action, on in lifting(caller, "resource_control_policy"):
        yield action, Resource(on, None), made


def created_anew(state: RepositoryState, subject: Subject) -> Iterator[tuple[tuple[Permission, ...], RepositoryState]]:
    """The repository deleted and created again: without a policy, tags and images."""
    resource = state.resource
    if subject.principal.account == resource.account:
        keys = {name: values for name, values in resource.keys.items() if not name.startswith(TAG_PREFIXES)}
        empty = replace(state, resource=replace(resource, keys=keys, closed=TAG_PREFIXES, always=()), tag="anew")
        made = empty.with_policies(None, state.registry, is_newer=state.is_newer)
        needed = permission("ecr:DeleteRepository", resource), permission("ecr:CreateRepository", made.resource)
        yield needed, made
