"""Documents over AWS's quotas: reported before anything is written, with the number of entries that would fit."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import assert_never

from ecr_warden.access_spec.compile import IdentityGrants, by_role, identity_grants, pushers_of, trust_of
from ecr_warden.access_spec.problems import Code, Place, ProblemReport
from ecr_warden.access_spec.render import assume_permissions, pull_permissions, repository_pull
from ecr_warden.access_spec.spec import Limits, Pusher, Spec, SpecPrincipal
from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import TargetSpec
from ecr_warden.core.ecr import REPOSITORY_POLICY_QUOTA
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, Target, UserTarget
from iam_access.document.document import (
    ROLE_INLINE_QUOTA,
    TRUST_POLICY_QUOTA,
    USER_INLINE_QUOTA,
    Document,
    policy_size,
)


def check_quotas(
    spec: Spec, targets: Iterable[TargetSpec], places: Mapping[IdentityTarget, Place], report: ProblemReport
) -> None:
    """Report every document, and every identity's sum of inline policies, over AWS's quota.

    Only the policies of the spec are counted: other inline policies of an identity use the same quota, but are not
    known here.
    """
    checker = _Checker(spec, places, report)
    for target_spec in targets:
        checker.check(target_spec)


class _Checker:
    def __init__(self, spec: Spec, places: Mapping[IdentityTarget, Place], report: ProblemReport) -> None:
        self._places = places
        self._report = report
        self._repositories = {target: entry for entry in spec.repositories for target in entry.targets}
        self._grants = {role: [grant for _, grant in granted] for role, granted in by_role(spec).items()}
        self._identities = identity_grants(spec)
        self._literals = {address: entry.place for entry in spec.literals for address in entry.addresses}

    def check(self, entry: TargetSpec) -> None:
        match entry.target:
            case RepositoryTarget():
                size = _size(entry, AddressKind.REPOSITORY_POLICY)
                if size > REPOSITORY_POLICY_QUOTA:
                    self._repository(entry.target, size)
            case RoleTarget():
                size = _size(entry, AddressKind.TRUST_POLICY)
                if size > TRUST_POLICY_QUOTA:
                    self._trust(entry.target, size)
                size = _size(entry, AddressKind.IDENTITY_POLICY)
                if size > ROLE_INLINE_QUOTA:
                    self._inline(entry, size, ROLE_INLINE_QUOTA, Code.ROLE_QUOTA)
            case UserTarget():
                size = _size(entry, AddressKind.IDENTITY_POLICY)
                if size > USER_INLINE_QUOTA:
                    self._inline(entry, size, USER_INLINE_QUOTA, Code.USER_QUOTA)
            case _:
                assert_never(entry.target)

    def _repository(self, target: RepositoryTarget, size: int) -> None:
        grant = self._repositories.get(target)
        message = f"the policy of {target} has {size} characters; the quota is {REPOSITORY_POLICY_QUOTA}"
        if grant is not None:
            pulls = sorted(grant.pull, key=lambda pull: (not isinstance(pull.puller, SpecPrincipal), str(pull.puller)))
            fit = _fitting(
                pulls, lambda some: policy_size(repository_pull(some, region=target.region)), REPOSITORY_POLICY_QUOTA
            )
            message += f": {fit} of its {len(pulls)} principals fit"
        place = grant.place if grant is not None else self._literal_place(target)
        self._report.add(Code.REPOSITORY_POLICY_QUOTA, place, message)

    def _trust(self, target: RoleTarget, size: int) -> None:
        grants = self._grants.get(target, [])
        message = f"the trust policy of {target} has {size} characters; the quota is {TRUST_POLICY_QUOTA}"
        if grants:
            pushers = _one_of_each_limits_first(pushers_of(grants))
            account = target.account
            fit = _fitting(pushers, lambda some: policy_size(trust_of(some, account=account)), TRUST_POLICY_QUOTA)
            message += f": {fit} of its {len(pushers)} principals fit"
        place = grants[0].place if grants else self._literal_place(target)
        self._report.add(Code.TRUST_QUOTA, place, message)

    def _inline(self, entry: TargetSpec, size: int, quota: int, code: Code) -> None:
        identity = entry.target
        message = f"the spec's inline policies of {identity} have {size} characters; the quota is {quota}"
        grants = self._identities.get(identity) if isinstance(identity, RoleTarget | UserTarget) else None
        if grants is not None:
            items = [(kind, limits, arn) for kind in ("roles", "repositories") for limits, arn in _items(grants, kind)]
            literal = size - _identity_size(items, grants)
            fit = _fitting(items, lambda some: literal + _identity_size(some, grants), quota)
            message += f": {fit} of its {len(items)} repositories and roles fit"
        place = self._places.get(identity) if isinstance(identity, RoleTarget | UserTarget) else None
        self._report.add(code, place or self._literal_place(identity), message)

    def _literal_place(self, target: Target) -> Place:
        return min(
            (place for address, place in self._literals.items() if address.target == target), default=Place(1, 1)
        )


def _size(entry: TargetSpec, kind: AddressKind) -> int:
    return sum(
        policy_size(value)
        for address, value in entry.documents.items()
        if address.kind is kind and isinstance(value, Document)
    )


def _items(grants: IdentityGrants, kind: str) -> list[tuple[Limits, str]]:
    given = grants.assumed if kind == "roles" else grants.named
    return [(limits, arn) for limits in sorted(given, key=lambda limits: limits.order) for arn in sorted(given[limits])]


def _identity_size(items: Sequence[tuple[str, Limits, str]], grants: IdentityGrants) -> int:
    kept: dict[str, defaultdict[Limits, list[str]]] = {"roles": defaultdict(list), "repositories": defaultdict(list)}
    for kind, limits, arn in items:
        kept[kind][limits].append(arn)
    roles, repositories, named = kept["roles"], kept["repositories"], grants.named
    documents = [assume_permissions(roles)] if roles else []
    # An import counts with its repository, and always where a wider resource covers it.
    imported = {
        limits: [arn for arn in arns if arn in repositories[limits] or arn not in named[limits]]
        for limits, arns in grants.imported.items()
    }
    if grants.logs_in and (any(repositories.values()) or not any(named.values())):
        documents.append(pull_permissions(repositories, imported))
    return sum(map(policy_size, documents))


def _one_of_each_limits_first(pushers: Iterable[tuple[Limits, Pusher]]) -> list[tuple[Limits, Pusher]]:
    # Each of the limits is a statement of its own: the number that fits keeps one principal of each.
    ordered = sorted(pushers, key=lambda pair: (not isinstance(pair[1], SpecPrincipal), str(pair[1])))
    firsts = {limits: (limits, pusher) for limits, pusher in reversed(ordered)}
    return [*firsts.values(), *(pair for pair in ordered if firsts[pair[0]] != pair)]


def _fitting[T](items: Sequence[T], size: Callable[[Sequence[T]], int], quota: int) -> int:
    """How many of the items, from the first, fit into a document within the quota."""
    low, high = 0, len(items)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(items[:middle]) <= quota else (low, middle - 1)
    return low
