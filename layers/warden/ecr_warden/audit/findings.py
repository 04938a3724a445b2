"""The audit: who can pull and push by an estate, against what the spec gives; pure.

Every document of the spec that is being repaired counts as repaired, so what is found is what the spec does not decide
(other policies, groups, boundaries, roles that the spec does not name) or what nobody repairs now: paused, observed.
Whoever can change what identities of an account may do could give themselves any access: they are a list for each
account, and their access is no finding, unless they are outsiders.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from datetime import timedelta
from itertools import chain
from typing import NamedTuple

from msgspec import Struct

from ecr_warden.access.alike import moved
from ecr_warden.access.difference import Concerned, concerned, is_itself_the_same
from ecr_warden.access.docker import by_docker
from ecr_warden.access.graph import RepositoryGraph, gravest
from ecr_warden.audit.administrators import Administrators, administrators, calls
from ecr_warden.audit.answer_texts import named
from ecr_warden.audit.finding import AUDITED_FOR, AuditResult, Finding, FindingKind, UnreadDocument, is_call, key_of_arn
from ecr_warden.audit.grounds import Ground, Grounds
from ecr_warden.audit.judge import EVERY, Judge
from ecr_warden.audit.outsiders import Whom, let_in, let_in_for
from ecr_warden.audit.providers import GapKind, gaps, trusts_of
from ecr_warden.audit.registries import findings_of_registry, findings_of_upstreams, upstreams_of
from ecr_warden.audit.remedies import Remedies
from ecr_warden.audit.repaired import Live, Waits, all_repaired, as_repaired
from ecr_warden.audit.spec_access import SpecAccess, bare
from ecr_warden.audit.unread import ACCESS, PROVIDER, not_surveyed, readable, unread, unread_of, why_unread
from ecr_warden.audit.vouching import given_to_outsiders
from ecr_warden.core.actions import REQUIRED, Access
from ecr_warden.core.administering import is_of_registry
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import EcrAccount, Estate, Registry, Repository
from ecr_warden.core.ours import ours_of
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.state.sweeps import parts_of
from iam_access.gather import gather
from iam_access.inventory.inventory import Unread
from iam_access.once import once
from iam_access.who_can.decide import Permission
from iam_access.who_can.graph import AccessPath, AccountBudgets, Unfinished, rank
from iam_access.who_can.ours import Ours

type Known = Mapping[str, tuple[str, ...]]
_ASKED = (Access.PULL, Access.PUSH)


def find(
    estate: Estate,
    compiled: CompiledSpec,
    known_administrators: Known | None,
    known_upstreams: Known | None,
    has_time: Callable[[], bool] = lambda: True,
    *,
    hub: str = "",
    live: Live = all_repaired,
) -> AuditResult:
    """Compare who can pull and push with what the spec gives.

    `known_...`: as the last audit had them, None before the first. New administrators and pull-through cache rules are
    findings of the one audit that first has them; where there was no last audit, or it had nothing of the account or
    registry, all are taken as known. What was not read leads to no finding, and is in `unread`.
    `has_time` is asked before each decision. Once it is false, what was found is the audit, and its `failure` says so:
    what opens whole registries and new administrators come first. Raises Unfinished if that is too soon for any
    finding. `hub`: the hub's account; where none is known, what has a name like ours is others'. `live`: the targets
    that nobody repairs. Access by their documents that a repair would end is a finding that says so; what is missing
    until then is drift, and none.
    """
    return SuccessiveAudits(has_time, hub).find(estate, compiled, known_administrators, known_upstreams, live=live)


class SuccessiveAudits:
    """One audit after the other in a process: each asks only what the change since the last one can have changed.

    What it finds is what `find` finds, but for conditions on the time, which count as of an hour ago at most.
    """

    def __init__(
        self,
        has_time: Callable[[], bool] = lambda: True,
        hub: str = "",
        budgets_of: Callable[[int], AccountBudgets] = AccountBudgets.of,
        ours_by: Callable[[CompiledSpec], Ours] = ours_of,
    ) -> None:
        self._has_time, self._hub, self._budgets_of, self._ours_by = has_time, hub, budgets_of, ours_by
        # The last audit of the accounts as they are, and of the accounts as if all were repaired: the first of these
        # begins from the former, for most documents are in sync.
        self._last: dict[bool, _Auditor] = {}

    def find(
        self,
        estate: Estate,
        compiled: CompiledSpec,
        known_administrators: Known | None,
        known_upstreams: Known | None,
        *,
        live: Live = all_repaired,
    ) -> AuditResult:
        """As `find`."""
        known = known_administrators or {}, known_upstreams or {}
        audit = self._audit(estate, compiled, live, known, is_once=False)
        if audit.failure or not any(_is_of(finding, live) for finding in audit.findings):
            return audit
        # Once all is repaired that ever is.
        ever: Live = lambda key: Waits.OTHERS if live(key) is Waits.OTHERS else None  # noqa: E731
        once = self._audit(estate, compiled, ever, known, is_once=True)
        if once.failure:
            return replace(audit, failure=once.failure)
        left = {finding.key for finding in once.findings}
        now = (replace(finding, ends_repaired=finding.key not in left) for finding in audit.findings)
        missing = (finding for finding in once.findings if finding.kind is FindingKind.MISSING)
        others = (finding for finding in now if finding.kind is not FindingKind.MISSING)
        return replace(audit, findings=(*others, *missing))

    def _audit(
        self, estate: Estate, compiled: CompiledSpec, live: Live, known: tuple[Known, Known], *, is_once: bool
    ) -> AuditResult:
        last = self._last.pop(is_once, None) or self._last.get(False)
        if last is not None and not timedelta() <= estate.taken_at - last.asked_at < AUDITED_FOR:
            last = None
        # At the same time, or nothing would be the same.
        asked = estate if last is None else replace(estate, taken_at=last.asked_at)
        auditor = _Auditor(
            asked,
            compiled,
            has_time=self._has_time,
            hub=self._hub,
            live=live,
            budgets_of=self._budgets_of,
            ours=self._ours_by(compiled),
            advises=not is_once,
        )
        audit = auditor.audit(last, *known)
        if not audit.failure:
            self._last[is_once] = auditor
        return audit


def _is_of(finding: Finding, live: Live) -> bool:
    """Is the finding's repository, or somebody on its way, a target whose repair waits?"""
    keys = (finding.place, *filter(None, map(key_of_arn, finding.chain)))
    return any(live(key) not in (None, Waits.OTHERS) for key in keys)


class _Found(Struct, frozen=True):
    """What was found of a repository, and who can do something there, or should, by ARN without its path."""

    findings: tuple[Finding, ...]
    principals: frozenset[str]


class _View(NamedTuple):
    """A graph, and about whom it is asked."""

    graph: RepositoryGraph
    grounds: Grounds
    asks: Callable[[AccessPath], bool]


def _unread_registries(estate: Estate) -> frozenset[tuple[str, str]]:
    return frozenset(
        (account.id, region)
        for account in estate.accounts.values()
        for region, registry in account.registries.items()
        if why_unread(registry.policy)
    )


class _Auditor:
    def __init__(
        self,
        estate: Estate,
        compiled: CompiledSpec,
        *,
        has_time: Callable[[], bool],
        hub: str,
        live: Live,
        budgets_of: Callable[[int], AccountBudgets],
        ours: Ours,
        advises: bool,
    ) -> None:
        self._compiled, self._by = compiled, ours
        self._estate, read = estate, readable(estate)
        self._unread_registries = _unread_registries(estate)
        repaired = as_repaired(read, compiled, live, without_orphans=bool(hub))
        self._budgets = budgets_of(len(repaired.accounts))
        self._graph = RepositoryGraph(repaired, has_time, budgets=self._budgets)
        self._judge = Judge(self._graph, compiled, hub, live, ours.in_literal)
        accounts = self._graph.estate.accounts
        self._accounts = [accounts[name] for name in compiled.accounts if name in accounts]
        targets = (repository.target for account in self._accounts for repository in _repositories(account))
        self._named = frozenset(target for target in targets if compiled.spec_of(target) is not None)
        self._spec_access = SpecAccess(compiled, read, self._named)
        self._remedies = Remedies(self._graph, compiled, self._spec_access, live)
        # Of what is found once all is repaired, only its keys count, and what is missing.
        self._closing: Callable[[AccessPath], str] = self._remedies.closing if advises else lambda _: ""
        # Of whoever is not ours at any time from now on, of all others now.
        later = self._graph.later
        given = given_to_outsiders(compiled, ours)
        to_others = self._spec_access if given == compiled else SpecAccess(given, read, self._named)
        of_ours, of_others = self._grounds_of(self._graph, self._spec_access), self._grounds_of(later, to_others)
        self._ours = _View(self._graph, of_ours, lambda path: not self._judge.is_foreign(path))
        self._others = _View(later, of_others, self._judge.is_foreign)
        self._administrators: dict[tuple[int, str], Administrators] = {}
        self._known: dict[Hashable, RepositoryTarget] = {}
        self._found: dict[RepositoryTarget, _Found] = {}
        self._direct: dict[RepositoryTarget, tuple[Finding, ...]] = {}
        self._principals: set[str] = set()
        self._last: _Auditor | None = None
        self._changed = Concerned(None, None)
        self.asked_at = estate.taken_at
        self._gaps = gaps(trusts_of(compiled), {account.id: account.providers for account in self._accounts})

    def _grounds_of(self, graph: RepositoryGraph, spec_access: SpecAccess) -> Grounds:
        judge = replace(self._judge, graph=graph)
        accounts = {account.id: account for account in self._accounts}

        def unlimited(name: str) -> frozenset[str]:
            return self._administrators_of(accounts[name]).unlimited if name in accounts else frozenset()

        return Grounds(judge, spec_access, unlimited)

    def _administrators_of(self, account: EcrAccount, graph: RepositoryGraph | None = None) -> Administrators:
        asked = graph or self._graph
        return once(self._administrators, (id(asked), account.id), lambda: administrators(asked, account))

    def _keep_from(self, last: "_Auditor") -> None:
        """Take from the last audit what no change since can have changed, if some of it stands."""
        if last._over_all() == self._over_all() and last._spec_access.is_like(self._spec_access):
            self._changed = concerned(last._graph, self._graph)
            self._last = None if self._changed.principals is None else last

    def _over_all(self) -> object:
        """What the findings of each repository may rest on, apart from its own policy and from who comes to it."""
        accounts = self._graph.estate.accounts
        found = {account.id: self._administrators_of(account) for account in self._accounts}
        administering = {name: (one.iam.keys(), one.unlimited) for name, one in found.items()}
        listed = {name: (account.is_listed, account.providers, account.saml) for name, account in accounts.items()}
        return (
            self._by,
            self._named,
            self._graph.administering,
            administering,
            listed,
            self._gaps,
            self._unread_registries,
        )

    def audit(self, last: "_Auditor | None", known_administrators: Known, known_upstreams: Known) -> AuditResult:
        upstreams = self._upstreams()
        findings: list[Finding] = []
        failure = ""
        try:
            for finding in self._findings(last, known_administrators, known_upstreams):
                findings.append(finding)
        except Unfinished as error:
            failure = error.message
            known = {one.key for one in findings}
            direct = (one for target, found in self._direct.items() if target not in self._found for one in found)
            findings += (one for one in direct if one.key not in known)
        self._last = None  # nor what it kept: one audit back, not all of them
        parts = parts_of(self._compiled)
        administering = {
            **known_administrators,
            **{
                account.id: tuple(sorted({named(path.subject) for path in self._paths_of_administrators(account)}))
                for account in self._accounts
                if account.is_listed
            },
        }
        return AuditResult(
            tuple(_each_once(findings)),
            {part: names for part, names in sorted(administering.items()) if part in parts},
            {part: names for part, names in sorted({**known_upstreams, **upstreams}.items()) if part in parts},
            tuple(self._unread()),
            failure,
        )

    def _findings(
        self, last: "_Auditor | None", known_administrators: Known, known_upstreams: Known
    ) -> Iterator[Finding]:
        """What outsiders may do directly comes first, before any chain is followed; then what can open much."""
        yield from self._absent_repositories()
        registries = [(account, one) for account in self._accounts for one in account.registries.values()]
        for account, registry in registries:
            known = known_upstreams.get(f"{account.id}/{registry.region}")
            yield from findings_of_upstreams(self._judge, account.id, registry, known)
            yield from findings_of_registry(self._judge, account.id, registry)
        repositories = [repository for account in self._accounts for repository in _repositories(account)]
        named_ = [repository for repository in repositories if repository.target in self._named]
        others = [one for one in repositories if one.target not in self._named and one.policy is not None]
        self._ask_directly((*named_, *others))
        if last is not None:
            self._keep_from(last)
        for account, registry in registries:
            yield from self._administered(_any_of(account, registry), registry=True)
        for account in self._accounts:
            yield from self._outside_administrators(account)
        yield from self._new_administrators(known_administrators)
        for one in (*named_, *others):
            yield from self._of_kind(one)

    def _kind_of(self, repository: Repository) -> Hashable:
        is_named = repository.target in self._named
        return self._ours.grounds.kind_of(repository, is_named=is_named), self._judge.live(repository.target.key)

    def _ask_directly(self, repositories: Iterable[Repository]) -> None:
        """Keep what is found of repositories without following a chain, for an audit that has no time for all."""
        samples: dict[Hashable, RepositoryTarget] = {}
        for one in repositories:
            sample = samples.setdefault(self._kind_of(one), one.target)
            like = self._direct[sample] if sample in self._direct else tuple(self._directly(one))
            self._direct[one.target] = tuple(_moved(each, sample, one.target) for each in like)

    def _directly(self, repository: Repository) -> Iterator[Finding]:
        target, (graph, grounds, asks) = repository.target, self._others

        def outsiders(access: str) -> Iterator[AccessPath]:
            paths = graph.directly(graph.permissions(access, repository))
            if target in self._named:
                yield from grounds.without(paths, access, target, asks)
                return
            for path in paths.values():
                if grounds.of_unnamed(path, access, target) is Ground.NONE and len(path.steps) == 1:
                    yield path

        yield from self._let_in(outsiders, repository)

    def _of_kind(self, repository: Repository) -> Iterator[Finding]:
        """What is found of the repository, or was found of one like it, or by the last audit."""
        target, is_named = repository.target, repository.target in self._named
        kept = self._kept(repository)
        if kept is not None:
            self._found[target] = kept
            yield from kept.findings
            return
        kind = self._kind_of(repository)
        sample = self._known.get(kind)
        if sample is not None:
            like = self._found[sample]
            self._found[target] = replace(like, findings=tuple(_moved(one, sample, target) for one in like.findings))
            yield from self._found[target].findings
            return
        findings: list[Finding] = []
        self._principals = set()
        for finding in self._of_named(repository) if is_named else self._of_unnamed(repository):
            findings.append(finding)
            yield finding
        self._known[kind], self._found[target] = target, _Found(tuple(findings), frozenset(self._principals))

    def _kept(self, repository: Repository) -> _Found | None:
        """What the last audit found, if nothing that it rests on has changed."""
        target, last, principals = repository.target, self._last, self._changed.principals
        found = None if last is None else last._found.get(target)
        if last is None or found is None or principals is None:
            return None
        old = last._graph.estate.registry_of(target).repositories[target.name]
        waits = last._judge.live(target.key), self._judge.live(target.key)
        if len({*waits}) > 1 or not is_itself_the_same(last._graph, self._graph, old, repository):
            return None
        if not principals:
            return found
        if target not in self._named or not found.principals.isdisjoint(map(bare, principals)):
            return None
        actions = (*_ASKED, *REQUIRED[Access.PULL], *self._administering_of(repository))
        asked = (way for action in actions for way in self._ways(action, repository))
        can_now = (self._others.graph.who_can(permissions, among=self._changed.along) for permissions in asked)
        return None if any(not principals.isdisjoint(paths) for paths in can_now) else found

    def _who_can(self, graph: RepositoryGraph, action: str, repository: Repository) -> dict[str, AccessPath]:
        """Everybody who can on any of the ways, who is noted."""
        is_live = repository.target in self._named and self._judge.live(repository.target.key)
        by_way = (
            graph.who_can(way, also=self._spec_access.kept_out(way) if is_live else ())
            for way in self._ways(action, repository)
        )
        found = gather(each for paths in by_way for each in paths.items())
        self._principals.update(map(bare, found))
        return {arn: min(paths, key=lambda one: one.order) for arn, paths in found.items()}

    def _ways(self, action: str, repository: Repository) -> tuple[tuple[Permission, ...], ...]:
        """Images are deleted where they are copied from, too."""
        return self._graph.ways(Access.DELETE if action in REQUIRED[Access.DELETE] else action, repository)

    def _administering_of(self, repository: Repository) -> Iterable[str]:
        """What administers it; deleting by itself, too, where whoever deletes at a source need not delete here."""
        own = (action for action in calls(self._graph) if not is_of_registry(action))
        return dict.fromkeys((*own, *(REQUIRED[Access.DELETE] if any(self._graph.sources(repository)) else ())))

    def _of_named(self, repository: Repository) -> Iterator[Finding]:
        target = repository.target
        found: dict[str, list[AccessPath]] = {}
        for access in _ASKED:
            paths = self._who_can(self._graph, access, repository)
            ours = self._ours.grounds.without(paths, access, target, self._ours.asks)
            others = found[access] = [*self._of_others(access, repository, paths)]
            yield from self._extra(access, str(target), (*ours, *others), repository)
            if (target.account, target.region) not in self._unread_registries:
                yield from self._missing(access, repository, paths)
        yield from self._halves(found, lambda action: self._of_others(action, repository), repository)
        yield from self._administered(repository, registry=False)

    def _of_others(
        self, action: str, repository: Repository, known: Mapping[str, AccessPath] | None = None
    ) -> Iterator[AccessPath]:
        """The ways of outsiders without a ground; `known`: who can now."""
        graph, grounds, asks = self._others
        is_known = known is not None and graph is self._graph
        paths = known if is_known and known is not None else self._who_can(graph, action, repository)
        yield from grounds.without(paths, action, repository.target, asks)

    def _halves(
        self, able: Mapping[str, Sequence[AccessPath]], whom: Whom, repository: Repository, others: Whom | None = None
    ) -> Iterator[Finding]:
        """Outsiders who have one action of a pull, where a policy tells the two apart."""
        found = self._judge.halves(able, whom, others) if self._graph.tells_halves_apart else ()
        for action, path, half in found:
            for finding in self._extra(action, str(repository.target), [path]):
                yield replace(finding, half=half)

    def _administered(self, repository: Repository, *, registry: bool) -> Iterator[Finding]:
        """Outsiders who can administer the repository, or its registry, by each role that lets them in.

        Of others, only who is new is a finding.
        """
        of_registry = (one for one in calls(self._graph) if is_of_registry(one))
        found = gravest(
            (action, path)
            for action in (of_registry if registry else self._administering_of(repository))
            for path in self._of_others(action, repository)
        )
        target = repository.target
        place = f"{target.account}/{target.region}" if registry else str(target)
        for action, paths in found.items():
            yield from self._extra(action, place, paths)

    def _outside_administrators(self, account: EcrAccount) -> Iterator[Finding]:
        """Outsiders who can change what identities of the account may do, and so act as whoever the spec names there.

        Whoever can administer a registry of it too, as certainly, is found by that.
        """
        registries = [_any_of(account, registry) for registry in account.registries.values()]
        actions = [action for action in calls(self._graph) if is_of_registry(action)]
        graph = self._others.graph
        ranks = gather(
            (path.subject.arn, rank(path.answer))
            for one in registries
            for action in actions
            for path in self._who_can(graph, action, one).values()
        )
        known = {arn: min(some) for arn, some in ranks.items()}
        iam = self._administrators_of(account, graph).iam
        of_iam = {arn for arn, path in iam.items() if arn not in known or rank(path.answer) < known[arn]}
        found: dict[str, list[AccessPath]] = defaultdict(list)
        for path in (*self._paths_of_administrators(account, graph), *graph.ways_through(iam, of_iam)):
            action = path.steps[-1].permissions[0].action
            is_allowed = self._judge.is_allowed(path.subject, action, account.id, EVERY)
            is_found = path.subject.arn in of_iam and self._judge.is_foreign(path) and not is_allowed
            if is_found and not self._judge.is_left_out(path):
                found[action].append(path)
        for action, paths in found.items():
            yield from self._extra(action, account.id, paths)

    def _of_unnamed(self, repository: Repository) -> Iterator[Finding]:
        """Outsiders to the repository's account whom its own policy lets in."""
        target, policy = repository.target, repository.policy
        assert policy is not None

        def outsiders(access: str) -> Iterator[AccessPath]:
            return (
                path
                for path in let_in(self._graph, self._graph.permissions(access, repository), policy)
                if not self._judge.is_allowed(path.subject, access, target.account, target.name)
            )

        yield from self._let_in(outsiders, repository)

    def _let_in(self, outsiders: Whom, repository: Repository) -> Iterator[Finding]:
        """What outsiders may do with a repository, and halves of it."""
        target = repository.target
        found = gather(let_in_for(self._graph, outsiders))
        for access, paths in found.items():
            yield from self._extra(access, str(target), paths, repository)

        def others(action: str) -> Iterator[AccessPath]:
            return self._judge.entering(self._graph.permissions(action, repository), target)

        yield from self._halves(found, outsiders, repository, None if target in self._named else others)

    def _extra(
        self, access: str, place: str, paths: Iterable[AccessPath], repository: Repository | None = None
    ) -> Iterator[Finding]:
        by_repair = gather((self._remedies.repairs(path), path) for path in paths)
        named_, rest = self._judge.divided(by_repair.pop((), ()))
        for targets, those in by_repair.items():
            remedy = self._remedies.repairing(targets)
            yield self._judge.finding_of_document(place, access, those, remedy=remedy)
        for path in named_:
            remedy = self._closing(path)
            finding = self._judge.finding(FindingKind.EXTRA, place, access, path, remedy=remedy)
            if repository is not None:
                because = (*finding.because, *self._observed_alone(path, access, repository.target))
                finding = replace(finding, lacking=self._lacking(path, access, repository), because=because)
            yield finding
        if rest:
            yield self._judge.joint_finding(FindingKind.EXTRA, place, access, rest)

    def _observed_alone(self, path: AccessPath, access: str, target: RepositoryTarget) -> Iterator[str]:
        """What the spec says of it, where that does not count for whoever is not ours."""
        if self._others.grounds.spec_access is not self._spec_access and self._spec_access.gives(access, target, path):
            yield f"mode: observe of {target.name} in the spec gives it, which no person accepted"

    def _lacking(self, path: AccessPath, access: str, repository: Repository) -> tuple[str, ...]:
        """What docker lacks to do what is possible by API."""
        found = by_docker(self._graph, path, access, repository)
        return found.lacking if found is not None else ()

    def _missing(self, access: Access, repository: Repository, paths: Mapping[str, AccessPath]) -> Iterator[Finding]:
        able = {bare(arn): path for arn, path in paths.items()}
        place = str(repository.target)
        for name, access_path in self._spec_access.paths(access, repository.target, by_docker=True).items():
            self._principals.update(bare(step.subject.arn) for step in access_path.steps)
            without_provider = [*self._without_provider(place, access, access_path)]
            yield from without_provider
            # Of a whole account or organization nobody in particular need be able to.
            if without_provider or access_path.subject.presumed_allowed or not self._is_known(access_path):
                continue
            best = able.get(name)
            if best is not None and best.is_federated:
                # What somebody can only as a federated user is not what the spec gives them.
                best = self._graph.can_itself(best.subject, self._graph.permissions(access, repository))
            if best is not None and not self._lacking(best, access, repository):
                continue
            needed = self._graph.permissions(access, repository, by_docker=True)
            because, remedy = self._remedies.opening(access_path, needed)
            yield _missing(place, access, access_path, because, remedy)

    def _without_provider(self, place: str, access: Access, given: AccessPath) -> Iterator[Finding]:
        """What the account lacks for whoever has a token to get in as the spec says."""
        for gap in self._gaps:
            if gap.kind is not GapKind.UNKNOWN and gap.provider == given.subject.arn:
                opened = {arn.rpartition("/")[2] for arn in given.chain[1:2]}
                if opened & {*gap.roles}:
                    yield _missing(place, access, given, (gap.because,), gap.remedy)

    def _is_known(self, given: AccessPath) -> bool:
        """Whether the accounts of everybody on the path were read, and all was decided of them."""
        names = [step.subject.principal.account or "" for step in given.steps]
        known = (self._graph.estate.accounts.get(name) for name in names)
        ends = (*names[1:], str(given.steps[-1].permissions[0].resource.account))
        is_decided = self._budgets.undecided.isdisjoint(zip(names, ends, strict=True))
        return is_decided and all(account is not None and account.is_listed for account in known)

    def _absent_repositories(self) -> Iterator[Finding]:
        """The repositories of the spec that do not exist; a pattern stands for those that do."""
        for spec in self._compiled.targets.values():
            if isinstance(spec.target, RepositoryTarget):
                account, region, name = spec.target.account, spec.target.region, spec.target.name
                registry = self._registry(account, region)
                if registry is not None and registry.is_listed and name not in registry.repositories:
                    yield Finding(
                        FindingKind.MISSING,
                        str(spec.target),
                        because=("the repository does not exist",),
                        remedy=f"in account {account}: aws ecr create-repository --region {region} "
                        f"--repository-name {name}",
                    )

    def _registry(self, account: str, region: str) -> Registry | None:
        known = self._graph.estate.accounts.get(account)
        return known.registries.get(region) if known else None

    def _paths_of_administrators(self, account: EcrAccount, graph: RepositoryGraph | None = None) -> list[AccessPath]:
        both = self._administrators_of(account, graph)
        paths = (*both.iam.values(), *both.of_registries.values())
        return sorted((path for path in paths if not self._judge.is_left_out(path)), key=lambda path: path.order)

    def _new_administrators(self, known: Known) -> Iterator[Finding]:
        for account in self._accounts:
            for path in self._paths_of_administrators(account) if account.id in known and account.is_listed else ():
                action = path.steps[-1].permissions[0].action
                is_known = named(path.subject) in known[account.id]
                if not is_known and not self._judge.is_allowed(path.subject, action, account.id, "*"):
                    yield self._judge.finding(
                        FindingKind.ADMINISTRATOR, account.id, action, path, remedy=self._closing(path)
                    )

    def _upstreams(self) -> dict[str, tuple[str, ...]]:
        """The pull-through cache rules by registry, for the registries whose rules were read."""
        registries = ((account.id, registry) for account in self._accounts for registry in account.registries.values())
        found = ((f"{account}/{registry.region}", upstreams_of(registry)) for account, registry in registries)
        return {part: rules for part, rules in found if rules is not None}

    def _unread(self) -> Iterator[UnreadDocument]:
        accounts = self._estate.accounts
        yield from not_surveyed(self._compiled, self._estate)
        touched = gather((found.principals, str(target)) for target, found in self._found.items())
        masters = {bare(arn) for one in self._administrators.values() for arn in (*one.iam, *one.of_registries)}

        def reach(arn: str) -> Collection[str] | None:
            """By its name in what was found, or as an administrator."""
            names = (targets for principals, targets in touched.items() if bare(arn) in principals)
            return () if bare(arn) in masters else [*chain.from_iterable(names)] or None

        for account in self._accounts:
            yield from unread_of(accounts[account.id], account, reach)
        for gap in self._gaps:
            if gap.kind is GapKind.UNKNOWN and gap.account in accounts:
                yield unread(gap.account, PROVIDER, f"{PROVIDER} {gap.issuer}", Unread("", gap.why))
        yield from _undecided(self._budgets)


def _missing(place: str, access: Access, given: AccessPath, because: tuple[str, ...], remedy: str) -> Finding:
    """What the spec gives on a path, under its conditions, and nobody has by it."""
    return Finding(
        FindingKind.MISSING,
        place,
        str(access),
        given.subject.arn,
        given.chain,
        conditions=given.conditions,
        because=because,
        remedy=remedy,
    )


def _each_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Without new administrators who are found for what they administer: outsiders."""
    found = list(findings)
    known = {_where_and_who(one) for one in found if one.kind is FindingKind.EXTRA and is_call(one.access)}
    yield from (one for one in found if one.kind is not FindingKind.ADMINISTRATOR or _where_and_who(one) not in known)


def _where_and_who(finding: Finding) -> tuple[str, str]:
    """The account of the place, and the principal."""
    return finding.place.removeprefix("repository/").partition("/")[0], finding.principal


def _moved(finding: Finding, sample: RepositoryTarget, target: RepositoryTarget) -> Finding:
    return replace(
        finding, place=str(target), remedy=moved(finding.remedy.replace(str(sample), str(target)), sample, target)
    )


def _any_of(account: EcrAccount, registry: Registry) -> Repository:
    """Stands for every repository of a registry."""
    return Repository(RepositoryTarget(account.id, registry.region, EVERY))


def _repositories(account: EcrAccount) -> Iterator[Repository]:
    for registry in account.registries.values():
        yield from registry.repositories.values()


def _undecided(budgets: AccountBudgets) -> Iterator[UnreadDocument]:
    """What the budget of an account leaves open: whoever writes its policies may have made it so."""
    for who, where in sorted(budgets.undecided):
        people = f"its users and roles in account {where}" if who else "whoever its policies let in from outside"
        yield unread(
            who or where,
            ACCESS,
            f"{ACCESS} of {people}",
            Unread("", "its policies take more work than an audit does for one account", text=where),
        )
