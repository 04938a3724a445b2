"""The proof: who can pull and push by an estate, against what the spec gives; pure.

Every document of the spec counts as repaired, so what is found is what the spec does not decide: other policies,
groups, boundaries, roles that the spec does not name. Whoever can change what others in an account may do could give
themselves any access: they are one list for each account, and their access is no finding, unless they are outsiders.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import replace

from msgspec import Struct

from ecr_warden.model.address import HUB_ROLES, OWN_ROLES
from ecr_warden.model.desired import CompiledSpec
from ecr_warden.model.estate import Account, Estate, Policy, Registry, Repository
from ecr_warden.model.finding import Certainty, Finding, FindingKind, Proof
from ecr_warden.model.target import RepositoryTarget
from ecr_warden.policy.document import Document
from ecr_warden.policy.printable import count, printable
from ecr_warden.proof.access import Access, AccessPath, Graph, rank
from ecr_warden.proof.administrators import administrators
from ecr_warden.proof.decide import Answer
from ecr_warden.proof.given import Given, bare
from ecr_warden.proof.repaired import as_repaired
from ecr_warden.proof.subject import Subject
from ecr_warden.proof.words import because_of, named

type Known = Mapping[str, tuple[str, ...]]
_ASKED = (Access.PULL, Access.PUSH)
_CERTAINTY = {
    Answer.YES: Certainty.YES,
    Answer.CONDITIONAL: Certainty.CONDITIONAL,
    Answer.UNKNOWN: Certainty.UNKNOWN,
}


def find(
    estate: Estate, compiled: CompiledSpec, known_administrators: Known | None, known_upstreams: Known | None
) -> Proof:
    """Compare who can pull and push with what the spec gives.

    `known_...`: as the last proof had them, None before the first. New administrators and pull-through cache rules are
    findings of the one proof that first has them; where there was no last proof, or it had nothing of the account or
    registry, all are taken as known. What was not read leads to no finding, and is in `unread` as `PLACE: what: why`.
    """
    return _Prover(estate, compiled).proof(known_administrators, known_upstreams)


class _Prover:
    def __init__(self, estate: Estate, compiled: CompiledSpec) -> None:
        self._compiled = compiled
        self._read = _read_part(estate)
        self._graph = Graph(as_repaired(self._read.estate, compiled))
        accounts = self._graph.estate.accounts
        self._accounts = [accounts[name] for name in compiled.accounts if name in accounts]
        targets = (one.target for account in self._accounts for one in _repositories(account))
        self._named = frozenset(target for target in targets if compiled.spec_of(target) is not None)
        self._given = Given(compiled, self._read.estate, self._named)
        self._administrators = {one.id: administrators(self._graph, one) for one in self._accounts}

    def proof(self, known_administrators: Known | None, known_upstreams: Known | None) -> Proof:
        findings = [
            *(finding for account in self._accounts for finding in self._of_repositories(account)),
            *self._absent_repositories(),
            *self._new_administrators(known_administrators or {}),
        ]
        administering = self._administering(known_administrators or {})
        return Proof(tuple(findings), administering, dict(known_upstreams or {}), tuple(self._unread()))

    def _of_repositories(self, account: Account) -> Iterator[Finding]:
        for repository in _repositories(account):
            if repository.target in self._named:
                yield from self._of_named(repository)
            elif repository.policy is not None:
                yield from self._of_unnamed(repository)

    def _of_named(self, repository: Repository) -> Iterator[Finding]:
        target = repository.target
        for access in _ASKED:
            paths = self._graph.who_can(self._graph.permissions(access, repository))
            for path in sorted(paths.values(), key=_order):
                if not self._is_meant(path, target) and not self._given(access, target, path):
                    yield _finding(FindingKind.EXTRA, str(target), access, path, foreign=self._is_foreign(path.subject))
            if (target.account, target.region) not in self._read.unread_registries:
                yield from self._missing(access, target, paths)

    def _of_unnamed(self, repository: Repository) -> Iterator[Finding]:
        """Outsiders to the repository's account whom its own policy lets in."""
        target = repository.target
        for access in _ASKED:
            paths = self._graph.who_can(self._graph.permissions(access, repository))
            for path in sorted(paths.values(), key=_order):
                is_direct = len(path.steps) == 1 and path.subject.principal.account != target.account
                if is_direct and not self._is_meant(path, target):
                    yield _finding(FindingKind.EXTRA, str(target), access, path, foreign=self._is_foreign(path.subject))

    def _missing(self, access: Access, target: RepositoryTarget, paths: Mapping[str, AccessPath]) -> Iterator[Finding]:
        able = {bare(arn) for arn in paths}
        for name, given in self._given.paths(access, target).items():
            if given.subject.identity is None or name in able or not self._is_known(given):
                continue
            subject = self._graph.subject(given.subject.arn)
            why = () if self._graph.exists(subject) else (f"{named(subject)} does not exist",)
            yield Finding(FindingKind.MISSING, str(target), access.value, subject.arn, given.chain, because=why)

    def _is_known(self, given: AccessPath) -> bool:
        """Whether the accounts of everybody on the path were read."""
        known = (self._graph.estate.accounts.get(step.subject.principal.account or "") for step in given.steps)
        return all(account is not None and account.is_listed for account in known)

    def _absent_repositories(self) -> Iterator[Finding]:
        """The repositories of the spec that do not exist; a pattern stands for those that do."""
        for spec in self._compiled.targets.values():
            if isinstance(spec.target, RepositoryTarget):
                registry = self._registry(spec.target)
                if registry is not None and registry.is_listed and spec.target.name not in registry.repositories:
                    yield Finding(FindingKind.MISSING, str(spec.target), because=("the repository does not exist",))

    def _registry(self, target: RepositoryTarget) -> Registry | None:
        account = self._graph.estate.accounts.get(target.account)
        return account.registries.get(target.region) if account else None

    def _is_meant(self, path: AccessPath, target: RepositoryTarget) -> bool:
        """Whether the access is no news: of an administrator of the account, or of a role of ecr-warden's or AWS's."""
        if _is_left_out(path):
            return True
        return not self._is_foreign(path.subject) and path.subject.arn in self._administrators[target.account].iam

    def _is_foreign(self, subject: Subject) -> bool:
        return subject.principal.account not in self._compiled.accounts

    def _paths_of_administrators(self, account: Account) -> Iterator[AccessPath]:
        both = self._administrators[account.id]
        yield from (one for one in (*both.iam.values(), *both.policies.values()) if not _is_left_out(one))

    def _administering(self, known: Known) -> dict[str, tuple[str, ...]]:
        """The administrators by account; those of an account that was not read are as the last proof had them."""
        found = {name: known[name] for name in self._compiled.accounts if name in known}
        for account in self._accounts:
            if account.is_listed:
                names = {named(path.subject) for path in self._paths_of_administrators(account)}
                found[account.id] = tuple(sorted(names))
        return found

    def _new_administrators(self, known: Known) -> Iterator[Finding]:
        for account in self._accounts:
            if account.id in known and account.is_listed:
                for path in sorted(self._paths_of_administrators(account), key=_order):
                    if named(path.subject) not in known[account.id]:
                        action = path.steps[-1].permissions[0].action
                        is_foreign = self._is_foreign(path.subject)
                        yield _finding(FindingKind.ADMINISTRATOR, account.id, action, path, foreign=is_foreign)

    def _unread(self) -> Iterator[str]:
        accounts = self._read.estate.accounts
        yield from (f"{name}: users and roles: not read" for name in self._compiled.accounts if name not in accounts)
        named_ = (one.target for one in self._compiled.targets.values() if isinstance(one.target, RepositoryTarget))
        targets = (*named_, *(one.target for one in self._compiled.patterns))
        for account, region in sorted({(target.account, target.region) for target in targets}):
            known = accounts.get(account)
            if known is None or region not in known.registries:
                yield f"{account}/{region}: the registry: not read"
        for one in self._accounts:
            for unread in one.unread:
                place = f"{one.id}/{unread.region}" if unread.region else one.id
                yield f"{place}: {printable(unread.what, 160)}: {printable(unread.why, 160)}"
        yield from self._read.unread


def _finding(kind: FindingKind, place: str, access: str, path: AccessPath, *, foreign: bool) -> Finding:
    who = named(path.subject)
    because = tuple(map(str, because_of(path)))
    chain = (who, *path.chain[1:])
    return Finding(kind, place, str(access), who, chain, _CERTAINTY[path.answer], path.conditions, because, "", foreign)


def _order(path: AccessPath) -> tuple[int, int, str]:
    return rank(path.answer), len(path.steps), path.subject.arn


def _is_left_out(path: AccessPath) -> bool:
    """Whether it is a role that only AWS can use, or one of ecr-warden's that works through the member stack's."""
    if "/aws-service-role/" in path.subject.arn:
        return True
    names = [arn.rpartition("/")[2].lower() for arn in path.chain]
    return names[-1] in OWN_ROLES and {*names} <= OWN_ROLES | HUB_ROLES


def _repositories(account: Account) -> Iterator[Repository]:
    for registry in account.registries.values():
        yield from registry.repositories.values()


class _Read(Struct, frozen=True):
    """The estate without the policies of registries and repositories that were not read, and what these are."""

    estate: Estate
    unread_registries: frozenset[tuple[str, str]]
    unread: tuple[str, ...]


def _read_part(estate: Estate) -> _Read:
    registries: set[tuple[str, str]] = set()
    unread: Counter[tuple[str, str]] = Counter()
    accounts = {}
    for account in estate.accounts.values():
        kept = {}
        for region, registry in account.registries.items():
            repositories = {}
            for name, one in registry.repositories.items():
                repositories[name] = replace(one, policy=_if_read(one.policy))
                unread.update((f"{account.id}/{region}", why) for why in _why(one.policy))
            if (policy := _if_read(registry.policy)) is None and registry.policy is not None:
                registries.add((account.id, region))
            kept[region] = replace(registry, repositories=repositories, policy=policy)
        accounts[account.id] = replace(account, registries=kept)
    lines = tuple(f"{place}: {count(number, 'repository policy')}: {why}" for (place, why), number in unread.items())
    return _Read(replace(estate, accounts=accounts), frozenset(registries), lines)


def _if_read(policy: Policy | None) -> Policy | None:
    return policy if policy is not None and isinstance(policy.document, Document) else None


def _why(policy: Policy | None) -> Iterator[str]:
    if policy is not None and not isinstance(policy.document, Document):
        yield printable(policy.document.why, 160)
