"""A validated spec to the desired documents of each target: the form in which it is accepted and reconciled."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime

from msgspec import Struct, field

from ecr_warden.access_spec.render import (
    assume_permissions,
    permissions,
    pull_permissions,
    push_permissions,
    push_trust,
    repository_pull,
)
from ecr_warden.access_spec.spec import (
    DEFAULT_SESSION_DURATION,
    ByCondition,
    Federated,
    Limits,
    Literal,
    Puller,
    PullScope,
    Pusher,
    PushGrant,
    Spec,
    SpecPrincipal,
    SpecRepository,
)
from ecr_warden.core.address import (
    OUR_ROLE_PATH,
    Address,
    AddressKind,
    by_target,
    identity_policy,
    repository_policy,
    role,
    trust_policy,
)
from ecr_warden.core.desired import (
    CompiledSpec,
    DesiredValue,
    Extent,
    GrantEnd,
    Mode,
    MustNotExist,
    RepositoryPattern,
    RoleSettings,
    TargetSpec,
)
from ecr_warden.core.target import (
    IdentityTarget,
    RepositoryTarget,
    RoleTarget,
    Target,
    UserTarget,
    target_arn,
    target_named,
)
from iam_access.arn import iam_arn
from iam_access.document.document import TRUST_POLICY_QUOTA, Document, Effect, policy_size
from iam_access.document.pattern import pattern_covers
from iam_access.gather import gather
from iam_access.once import once
from iam_access.text.printable import first

PUSH_POLICY = "ecr-warden-push"
ASSUME_POLICY = "ecr-warden-assume"
PULL_POLICY = "ecr-warden-pull"
BOUNDARY = "ecr-warden-boundary"
_NAMES_SHOWN = 3


class IdentityGrants(Struct):
    """What the grants give one user, role, permission set or workload, by the limits under which they do."""

    resources: defaultdict[Limits, set[str]] = field(default_factory=lambda: defaultdict(set))
    """ARNs that it pulls from, some with wildcards."""
    importing: defaultdict[Limits, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Those that it imports into."""
    logs_in: bool = False
    """It pulls, possibly without resources, because in its own account the repository policy is enough."""
    roles: defaultdict[Limits, set[RoleTarget]] = field(default_factory=lambda: defaultdict(set))
    """Roles that it assumes."""

    @property
    def named(self) -> dict[Limits, tuple[str, ...]]:
        """The resources that no wider one under the same limits covers."""
        return _widest(self.resources)

    @property
    def imported(self) -> dict[Limits, tuple[str, ...]]:
        """The resources that it imports into and that no wider one under the same limits covers."""
        return _widest(self.importing)

    @property
    def assumed(self) -> dict[Limits, tuple[str, ...]]:
        """The ARNs of the push roles."""
        return {
            limits: tuple(target_arn(role, path=OUR_ROLE_PATH) for role in roles)
            for limits, roles in self.roles.items()
        }


def _widest(resources: Mapping[Limits, set[str]]) -> dict[Limits, tuple[str, ...]]:
    return {limits: _widest_of(some) for limits, some in resources.items()}


def _widest_of(resources: set[str]) -> tuple[str, ...]:
    wide = [resource for resource in resources if "*" in resource]
    return tuple(
        sorted(
            resource
            for resource in resources
            if not any(other != resource and pattern_covers(other, resource) for other in wide)
        )
    )


def compile_spec(spec: Spec, targets: Mapping[str, TargetSpec], *, version: str) -> CompiledSpec:
    """The documents that a spec stands for; the order of its entries does not matter.

    `targets`: all of the spec, whatever the modes.
    """
    part = _enforced_part(spec)
    is_whole = (len(part.repositories), len(part.literals)) == (len(spec.repositories), len(spec.literals))
    enforced = targets if is_whole else all_targets(part)
    ends = _ends_of_sessions(spec)
    modes = {account.id: account.mode for account in spec.accounts if account.mode is not None}
    return CompiledSpec(
        version=version,
        mode=spec.mode,
        accounts=tuple(sorted(account.id for account in spec.accounts)),
        targets={
            key: replace(_in_mode(target, enforced.get(key), modes, spec), ends=tuple(sorted(ends.get(key, ()))))
            for key, target in targets.items()
        },
        patterns=tuple(sorted(_patterns(spec), key=lambda pattern: pattern.target)),
        also_allowed=tuple(sorted(spec.also_allowed, key=lambda entry: (entry.principals, entry.reason))),
        account_modes=dict(sorted(modes.items())),
        ends=tuple(sorted(_ends(spec, ends), key=lambda end: (end.until, end.grant))),
        organizations=tuple(sorted({*spec.organizations})),
        literal=by_target(dict(sorted(_literal_statements(spec)))),
        aliases=dict(sorted({**spec.aliases, **spec.organizations}.items())),
    )


def _literal_statements(spec: Spec) -> Iterator[tuple[str, int]]:
    """By address, how many statements a document has at its end that no grant makes."""
    for literal in spec.literals:
        for address in literal.addresses:
            yield str(address), len(literal.document.statements)
    for repository in spec.repositories:
        if repository.beside is not None:
            for target in repository.targets:
                yield str(repository_policy(target)), len(repository.beside.statements)


def _ends_of_sessions(spec: Spec) -> Mapping[str, frozenset[datetime]]:
    """When enforced grants of each push role end whose sessions the role's own policy lets go on, by the role's key."""
    ends: dict[str, frozenset[datetime]] = {}
    for target, granted in by_role(spec).items():
        common = common_limits([grant for _, grant in granted]).until
        some = (grant.limits.until for repository, grant in granted if _is_enforced(repository, spec))
        ends[target.key] = frozenset(until for until in some if until is not None and until != common)
    return ends


def _ends(spec: Spec, of_sessions: Mapping[str, frozenset[datetime]]) -> Iterator[GrantEnd]:
    """The ends of grants; a grant of a team is one, with the first of its members."""
    for repository in spec.repositories:
        ending = ((pull.limits.until, str(pull.puller)) for pull in repository.pull)
        pulls = gather((until, name) for until, name in ending if until is not None)
        for target in repository.targets:
            yield from (GrantEnd(until, f"pull from {target}: {_some(names)}") for until, names in pulls.items())
            for push in repository.push:
                if push.limits.until is not None:
                    names = [str(pusher) for pusher in push.by]
                    is_shared = _is_enforced(repository, spec) and push.limits.until in of_sessions[push.role.key]
                    yield GrantEnd(
                        push.limits.until,
                        f"push to {target} through {push.role}: {_some(names)}",
                        push.role if is_shared else None,
                    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(first(sorted(names), _NAMES_SHOWN))


def _enforced_part(spec: Spec) -> Spec:
    """The spec without the repositories and literal documents that are only observed."""
    modes = {account.id: account.mode for account in spec.accounts}
    return replace(
        spec,
        repositories=tuple(repository for repository in spec.repositories if _is_enforced(repository, spec)),
        literals=tuple(literal for literal in spec.literals if (modes[literal.account] or spec.mode) is Mode.ENFORCE),
    )


def _is_enforced(repository: SpecRepository, spec: Spec) -> bool:
    return (repository.mode or spec.mode) is Mode.ENFORCE


def _in_mode(every: TargetSpec, enforced: TargetSpec | None, modes: Mapping[str, Mode], spec: Spec) -> TargetSpec:
    """The entry of a target with its mode: from the enforced grants alone if it has any, and else from all.

    Nothing is written to a user or role in an account with `mode: observe` of its own, except push roles, which belong
    to their repositories.
    """
    is_named = not isinstance(every.target, RepositoryTarget) and not any(
        isinstance(value, RoleSettings) for value in every.documents.values()
    )
    if enforced is None or (is_named and modes.get(every.target.account) is Mode.OBSERVE):
        return replace(every, mode=_unless_default(Mode.OBSERVE, spec))
    return replace(
        enforced,
        extent=every.extent,
        mode=_unless_default(Mode.ENFORCE, spec),
        observed={at: value for at, value in every.documents.items() if enforced.documents.get(at) != value},
    )


def _unless_default(mode: Mode | None, spec: Spec) -> Mode | None:
    return None if mode is spec.mode else mode


def all_targets(spec: Spec) -> dict[str, TargetSpec]:
    """The targets with their documents, whatever the modes, by sorted key."""
    policies = _Policies(spec)
    targets = {
        target.key: _repository(target, repository, policies)
        for repository in spec.repositories
        if not repository.is_pattern
        for target in repository.targets
    }
    targets |= {role_target.key: _push_role(role_target, grants) for role_target, grants in by_role(spec).items()}
    targets |= {identity.key: _identity(identity, owned) for identity, owned in identity_grants(spec).items()}
    literals = [(address, literal) for literal in spec.literals for address in literal.addresses]
    for address, literal in literals:
        _add_literal(targets, address, literal, spec)
    for address, literal in literals:
        targets |= {one.target.key: one for one in add_role_dependencies(targets, address, literal.document)}
    return dict(sorted(targets.items()))


def _patterns(spec: Spec) -> Iterator[RepositoryPattern]:
    policies = _Policies(spec)
    for repository in spec.repositories:
        for target in repository.targets if repository.is_pattern else ():
            yield RepositoryPattern(
                account=target.account,
                region=target.region,
                name=target.name,
                excluded=repository.excluded,
                policy=policies.of(repository, target.region),
                principals=policies.named(repository),
                foreign=repository.foreign,
                mode=_unless_default(repository.mode, spec),
            )


class _Policies:
    """The policies of repositories; those with the same grants share one."""

    def __init__(self, spec: Spec) -> None:
        self._accounts = frozenset(account.id for account in spec.accounts)
        self._known: dict[object, Document | MustNotExist] = {}
        self._named: dict[object, dict[str, Target]] = {}

    def of(self, repository: SpecRepository, region: str) -> Document | MustNotExist:
        """The policy in a region."""
        grants = repository.pull, repository.beside, region
        return once(self._known, grants, lambda: self._policy_in(repository, region))

    def _policy_in(self, repository: SpecRepository, region: str) -> Document | MustNotExist:
        if not repository.pull and repository.beside is None:
            return MustNotExist()
        return repository_pull(repository.pull, region=region, beside=repository.beside)

    def named(self, repository: SpecRepository) -> dict[str, Target]:
        """The users and roles that the policy names, by ARN."""
        grants = repository.pull, repository.beside
        if grants not in self._named:
            beside = {} if repository.beside is None else named_principals(repository.beside, self._accounts)
            self._named[grants] = dict(sorted({**_arns(repository.pulling), **beside}.items()))
        return self._named[grants]


def identity_grants(spec: Spec) -> dict[IdentityTarget, IdentityGrants]:
    """What the grants give each user and role that they name."""
    given = _given(spec, lambda one: one.identity if isinstance(one, SpecPrincipal) else None)
    return {key: grants for key, grants in given.items() if not isinstance(key, ByCondition)}


def written_by_hand(spec: Spec) -> dict[ByCondition, Document]:
    """The inline policy that each permission set, and the role of each workload's pods, needs and people write."""
    given = _given(spec, lambda one: one if isinstance(one, ByCondition) else None)
    return {
        key: permissions(grants.named if grants.logs_in else None, grants.imported, grants.assumed)
        for key, grants in sorted(given.items(), key=lambda item: str(item[0]))
        if isinstance(key, ByCondition)
    }


def identity_providers(spec: Spec) -> tuple[str, ...]:
    """The ARNs of the OpenID Connect providers that the push roles trust, and ecr-warden does not create."""
    pushes = [push for repository in spec.repositories for push in repository.push]
    named = {(push.role.account, one.issuer) for push in pushes for one in push.by if isinstance(one, Federated)}
    return tuple(iam_arn(account, f"oidc-provider/{issuer}") for account, issuer in sorted(named))


def _given[K: IdentityTarget | ByCondition](
    spec: Spec, key_of: Callable[[Puller | Pusher], K | None]
) -> dict[K, IdentityGrants]:
    given: defaultdict[K, IdentityGrants] = defaultdict(IdentityGrants)
    for repository in spec.repositories:
        for pull in repository.pull:
            if (puller := key_of(pull.puller)) is not None:
                grants = given[puller]
                grants.logs_in = True
                resources = tuple(_pull_resources(repository, puller))
                grants.resources[pull.limits].update(resources)
                if pull.importing:
                    grants.importing[pull.limits].update(resources)
        for push in repository.push:
            for pusher in map(key_of, push.by):
                if pusher is not None:
                    given[pusher].roles[push.limits].add(push.role)
    return dict(given)


def _repository(target: RepositoryTarget, repository: SpecRepository, policies: _Policies) -> TargetSpec:
    return TargetSpec(
        target,
        Extent.WHOLE,
        {repository_policy(target): policies.of(repository, target.region)},
        principals=policies.named(repository),
        foreign=repository.foreign,
    )


def _pull_resources(repository: SpecRepository, identity: IdentityTarget | ByCondition) -> Iterator[str]:
    for target in repository.targets:
        names_all = repository.pull_scope is PullScope.ACCOUNT
        if identity.account == target.account:
            # Within an account either side is enough, so this would let the identity pull from other repositories too.
            if isinstance(identity, ByCondition):
                names_all = False  # but the repository policy names only its account, which is not enough
            elif names_all or repository.excluded:
                continue
        yield target_arn(replace(target, name="*") if names_all else target)


def by_role(spec: Spec) -> Mapping[RoleTarget, tuple[tuple[SpecRepository, PushGrant], ...]]:
    """The push roles with their grants, each with its repository."""
    roles = gather((grant.role, (entry, grant)) for entry in spec.repositories for grant in entry.push)
    return {target: tuple(grants) for target, grants in roles.items()}


def _push_role(target: RoleTarget, granted: tuple[tuple[SpecRepository, PushGrant], ...]) -> TargetSpec:
    grants = tuple(grant for _, grant in granted)
    pushed = {entry for repository, _ in granted for entry in repository.targets}
    pulled = {entry for repository, grant in granted if grant.pull for entry in repository.targets}
    denied = {entry for repository, _ in granted for entry in repository.excluded_targets}
    by = [pusher for grant in grants for pusher in grant.by if isinstance(pusher, SpecPrincipal)]
    durations = [grant.max_session_duration for grant in grants if grant.max_session_duration is not None]
    settings = RoleSettings(
        path=OUR_ROLE_PATH,
        max_session_duration=durations[0] if durations else DEFAULT_SESSION_DURATION,
        boundary=iam_arn(target.account, f"policy{OUR_ROLE_PATH}{BOUNDARY}"),
    )
    documents: dict[Address, DesiredValue] = {
        role(target): settings,
        trust_policy(target): trust_of(pushers_of(grants), account=target.account),
        identity_policy(target, PUSH_POLICY): push_permissions(
            map(target_arn, pushed), map(target_arn, denied), map(target_arn, pulled), common_limits(grants)
        ),
    }
    identities = _by_key({principal.identity for principal in by})
    return TargetSpec(target, Extent.WHOLE, documents, dependents=identities, principals=_arns(by))


def common_limits(grants: Sequence[PushGrant]) -> Limits:
    """The limits of every session of a role, which does not show through which of its grants it came.

    They are the last end, if each grant has one, and the networks that all grants have in common.
    """
    ends = [grant.limits.until for grant in grants if grant.limits.until is not None]
    networks = {grant.limits.source_ip for grant in grants}
    return Limits(max(ends) if len(ends) == len(grants) else None, networks.pop() if len(networks) == 1 else ())


def pushers_of(grants: Iterable[PushGrant]) -> frozenset[tuple[Limits, Pusher]]:
    """Who may assume the grants' role, and under which limits."""
    return frozenset((grant.limits, pusher) for grant in grants for pusher in grant.by)


def trust_of(pushers: Iterable[tuple[Limits, Pusher]], *, account: str) -> Document:
    """The trust policy of a push role in an account; its statements are merged only where AWS's quota needs it."""
    by_limits = gather(pushers)
    apart = push_trust(by_limits, account=account)
    return apart if policy_size(apart) <= TRUST_POLICY_QUOTA else push_trust(by_limits, account=account, by_owner=True)


def _identity(identity: IdentityTarget, grants: IdentityGrants) -> TargetSpec:
    documents: dict[Address, DesiredValue] = {}
    widen_after: dict[Address, tuple[Target, ...]] = {}
    if grants.roles:
        address = identity_policy(identity, ASSUME_POLICY)
        documents[address] = assume_permissions(grants.assumed)
        widen_after[address] = _by_key({role for roles in grants.roles.values() for role in roles})
    if grants.logs_in:
        documents[identity_policy(identity, PULL_POLICY)] = pull_permissions(grants.named, grants.imported)
    return TargetSpec(identity, Extent.OURS, documents, widen_after=widen_after)


def _add_literal(targets: dict[str, TargetSpec], address: Address, literal: Literal, spec: Spec) -> None:
    target = address.target
    # What a grant gave an identity is revoked with the grant, also where a literal document goes on naming it.
    others = Extent.NAMED if isinstance(target, RepositoryTarget) else Extent.OURS
    before = targets.get(target.key, TargetSpec(target, others, {}))
    extent = Extent.WHOLE if literal.exclusive else before.extent
    named = named_principals(literal.document, frozenset(account.id for account in spec.accounts))
    targets[target.key] = replace(
        before,
        extent=extent,
        documents=dict(sorted({**before.documents, address: literal.document}.items(), key=lambda item: str(item[0]))),
        principals=dict(sorted({**before.principals, **named}.items())),
    )


def _arns(principals: Iterable[SpecPrincipal]) -> dict[str, Target]:
    return dict(sorted((principal.arn, principal.identity) for principal in set(principals)))


def _by_key[T: Target](targets: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(targets, key=lambda target: target.key))


_ASSUME = "sts:assumerole"


def named_principals(document: Document, accounts: frozenset[str]) -> dict[str, Target]:
    """The users and roles in the accounts that a document names as principals, by ARN."""
    found: dict[str, Target] = {}
    for statement in document.statements:
        for kind, value in statement.principals.values if statement.principals else ():
            identity = target_named(value) if kind == "AWS" else None
            if isinstance(identity, RoleTarget | UserTarget) and identity.account in accounts:
                found[value] = identity
    return found


def add_role_dependencies(
    targets: Mapping[str, TargetSpec], address: Address, document: Document
) -> Iterator[TargetSpec]:
    """The targets that change because a literal identity policy lets its identity assume roles of the spec.

    That policy may be widened only once the role is in sync, and a run of the role is followed by one of the identity.
    """
    if address.kind is not AddressKind.IDENTITY_POLICY:
        return
    keys = sorted({role.key for role in _assumed(document)} & targets.keys() - {address.target.key})
    if not keys:
        return
    identity = targets[address.target.key]
    yield replace(identity, widen_after={**identity.widen_after, address: tuple(targets[key].target for key in keys)})
    for key in keys:
        role = targets[key]
        dependents = {target.key: target for target in (*role.dependents, identity.target)}
        yield replace(role, dependents=tuple(dependents[name] for name in sorted(dependents)))


def _assumed(document: Document) -> Iterator[RoleTarget]:
    for statement in document.statements:
        resources = statement.resources
        if statement.effect is not Effect.ALLOW or resources is None or resources.negated:
            continue
        if not statement.actions.negated and _ASSUME in map(str.lower, statement.actions.values):
            yield from (target for target in map(target_named, resources.values) if isinstance(target, RoleTarget))
