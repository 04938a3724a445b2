"""Documents over AWS's quotas: reported before anything is written, with the number of entries that would fit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from ecr_warden.model.address import AddressKind
from ecr_warden.model.desired import CompiledSpec, TargetSpec
from ecr_warden.model.target import IdentityTarget, RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.policy.document import (
    REPOSITORY_POLICY_QUOTA,
    ROLE_INLINE_QUOTA,
    TRUST_POLICY_QUOTA,
    USER_INLINE_QUOTA,
    Document,
    policy_size,
)
from ecr_warden.spec.compile import IdentityGrants, all_targets, by_role, ends_of, identity_grants, role_arn, trust_of
from ecr_warden.spec.problems import Code, Place, Report
from ecr_warden.spec.render import assume_permissions, pull_permissions, repository_pull
from ecr_warden.spec.spec import Principal, Puller, Repository, Spec


def check_quotas(spec: Spec, compiled: CompiledSpec, places: Mapping[IdentityTarget, Place], report: Report) -> None:
    """Report every document, and every identity's sum of inline policies, over AWS's quota.

    Only the policies of the spec are counted: other inline policies of an identity use the same quota, but are not
    known here.
    """
    checker = _Checker(spec, places, report)
    for target_spec in all_targets(spec).values():
        checker.check(target_spec)
    for pattern in compiled.patterns:
        checker.check(pattern.spec_of(pattern.target))


class _Checker:
    def __init__(self, spec: Spec, places: Mapping[IdentityTarget, Place], report: Report) -> None:
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
            pullers = sorted(grant.pull, key=lambda puller: (not isinstance(puller, Principal), str(puller)))
            fit = _fitting(pullers, lambda some: _pull_size(some, grant, target), REPOSITORY_POLICY_QUOTA)
            message += f": {fit} of its {len(pullers)} principals fit"
        place = grant.place if grant is not None else self._literal_place(target)
        self._report.add(Code.REPOSITORY_POLICY_QUOTA, place, message)

    def _trust(self, target: RoleTarget, size: int) -> None:
        grants = self._grants.get(target, [])
        message = f"the trust policy of {target} has {size} characters; the quota is {TRUST_POLICY_QUOTA}"
        if grants:
            ends = _one_of_each_end_first(ends_of(grants))
            fit = _fitting(ends, lambda some: policy_size(trust_of(some)), TRUST_POLICY_QUOTA)
            message += f": {fit} of its {len(ends)} principals fit"
        place = grants[0].place if grants else self._literal_place(target)
        self._report.add(Code.TRUST_QUOTA, place, message)

    def _inline(self, entry: TargetSpec, size: int, quota: int, code: Code) -> None:
        identity = entry.target
        message = f"the spec's inline policies of {identity} have {size} characters; the quota is {quota}"
        grants = self._identities.get(identity) if isinstance(identity, RoleTarget | UserTarget) else None
        if grants is not None:
            arns = [*sorted(map(role_arn, grants.roles)), *grants.named]
            literal = size - _identity_size(arns, grants)
            fit = _fitting(arns, lambda some: literal + _identity_size(some, grants), quota)
            message += f": {fit} of its {len(arns)} repositories and roles fit"
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


def _pull_size(pullers: Sequence[Puller], grant: Repository, target: RepositoryTarget) -> int:
    importing = [puller for puller in pullers if puller in grant.importing]
    return policy_size(repository_pull(pullers, importing, region=target.region))


def _identity_size(arns: Sequence[str], grants: IdentityGrants) -> int:
    roles = arns[: len(grants.roles)]
    repositories = arns[len(grants.roles) :]
    documents = [assume_permissions(roles)] if roles else []
    # An import counts with its repository, and always where a wider resource covers it.
    imported = [arn for arn in grants.imported if arn in repositories or arn not in grants.named]
    documents += (
        [pull_permissions(repositories, imported)] if grants.logs_in and (repositories or not grants.named) else []
    )
    return sum(map(policy_size, documents))


def _one_of_each_end_first(ends: Iterable[tuple[datetime | None, str]]) -> list[tuple[datetime | None, str]]:
    # Each end time is its own statement: the number that fits keeps one principal of each.
    ordered = sorted(ends, key=lambda pair: pair[1])
    firsts = {until: (until, arn) for until, arn in reversed(ordered)}
    return [*firsts.values(), *(pair for pair in ordered if firsts[pair[0]] != pair)]


def _fitting[T](items: Sequence[T], size: Callable[[Sequence[T]], int], quota: int) -> int:
    """How many of the items, from the first, fit into a document within the quota."""
    low, high = 0, len(items)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(items[:middle]) <= quota else (low, middle - 1)
    return low
