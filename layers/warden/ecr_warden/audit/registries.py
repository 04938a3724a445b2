"""What holds for all of a registry's repositories: its policy, replication, creation templates, pull-through caches."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import partial

from msgspec import Struct

from ecr_warden.access.missing import located
from ecr_warden.audit.answer_texts import named
from ecr_warden.audit.finding import Finding, FindingKind, Half
from ecr_warden.audit.judge import EVERY, Judge
from ecr_warden.audit.outsiders import denying, let_in, let_in_for
from ecr_warden.core.actions import REGISTRY_CALLS, REPLICATE, Access
from ecr_warden.core.desired import RepositoryPattern
from ecr_warden.core.estate import ROOT, CreationTemplate, Registry, Repository, UpstreamRule
from ecr_warden.core.target import RepositoryTarget
from iam_access.arn import iam_arn
from iam_access.document.document import Document, Effect, Patterns, Statement
from iam_access.document.pattern import pattern_covers, patterns_meet
from iam_access.document.variables import replace_variables
from iam_access.inventory.inventory import Policy, Unread
from iam_access.text.printable import printable
from iam_access.who_can.decide import Permission, Resource
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.resources import named_in
from iam_access.who_can.subject import Subject

# A policy can name a hundred parts for a hundred principals each.
_MAX_QUESTIONS = 200
_MAX_ROUNDS = 10
_NOT_IN_NAMES = re.compile("[^a-z0-9_./*?-]")
"""Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"""
_OF_ACCOUNT = re.compile(r"^([0-9]{12})[.]dkr[.-]ecr[.][a-z0-9-]+[.](?:amazonaws[.]com|on[.]aws)(?:/.*)?$")
_PULL_THROUGH = "pullthroughcache.ecr.amazonaws.com"
"""Stands under `also_allowed:` for whoever fills repositories from outside ECR."""
_NO_ACTIONS = Patterns(negated=False, values=())


def findings_of_registry(judge: Judge, account: str, registry: Registry) -> Iterator[Finding]:
    """Outsiders that the registry policy and creation templates let in, and accounts that images are copied to."""
    if registry.policy is not None:
        yield from _of_policy(judge, account, registry, registry.policy)
    for template in registry.templates or ():
        if template.policy is not None:
            yield from _of_template(judge, RepositoryTarget(account, registry.region, ""), template, template.policy)
    yield from _of_replication(judge, account, registry)


def upstreams_of(registry: Registry) -> tuple[str, ...] | None:
    """The pull-through cache rules as `PREFIX from UPSTREAM`, `*` for all that no other rule has; None if unknown."""
    return None if registry.upstreams is None else tuple(sorted(map(_in_words, registry.upstreams)))


def findings_of_upstreams(
    judge: Judge, account: str, registry: Registry, known: Collection[str] | None
) -> Iterator[Finding]:
    """Pull-through cache rules by which an outsider fills repositories of the spec, and others that are new.

    `known`: those of the last audit, None where it had none.
    """
    rules = registry.upstreams or ()
    scopes = [f"{rule.prefix}/*" if rule.prefix else EVERY for rule in rules]
    for rule, scope in zip(rules, scopes, strict=True):
        owner = "".join(_OF_ACCOUNT.findall(rule.upstream)) or _PULL_THROUGH
        principal = iam_arn(owner, "root") if owner != _PULL_THROUGH else owner
        pushes = (
            owner not in judge.compiled.accounts
            and _fills(judge, RepositoryTarget(account, registry.region, scope), scopes)
            and not judge.is_intended(principal, Access.PUSH, account, scope)
        )
        if pushes or (known is not None and _in_words(rule) not in known):
            yield Finding(
                FindingKind.UPSTREAM,
                f"{account}/{registry.region}",
                Access.PUSH if pushes else "",
                printable(rule.upstream, 200),
                because=(f"a pull-through cache rule fills {printable(scope)} from it",),
                remedy=f"in account {account}: aws ecr delete-pull-through-cache-rule --region {registry.region} "
                f"--ecr-repository-prefix {printable(rule.prefix) or ROOT}",
                foreign=pushes,
                scope=printable(scope),
                accept=f'name "{owner}" under also_allowed: in the spec, with repositories: [{printable(scope)}]'
                if pushes
                else "",
            )


def _in_words(rule: UpstreamRule) -> str:
    return f"{printable(rule.prefix) or EVERY} from {printable(rule.upstream, 200)}"


def _fills(judge: Judge, target: RepositoryTarget, scopes: Iterable[str]) -> bool:
    """Does a rule for `target`, a pattern, fill a repository of the spec? The narrowest rule that fits a name does."""
    compiled, place = judge.compiled, (target.account, target.region)
    narrower = [one for one in scopes if one != target.name and pattern_covers(target.name, one)]
    return any(
        isinstance(one, RepositoryTarget)
        and (one.account, one.region) == place
        and patterns_meet(one.name, target.name)
        and not any(pattern_covers(other, one.name) for other in narrower)
        for one in (
            *(spec.target for spec in compiled.targets.values()),
            *(pattern.target for pattern in compiled.patterns),
        )
    )


def _of_policy(judge: Judge, account: str, registry: Registry, policy: Policy) -> Iterator[Finding]:
    """One finding for each outsider and each part of the registry that a statement names, unless a wider part has it.

    Of a policy that names very many parts or principals, the parts count as the whole registry.
    """
    place = f"{account}/{registry.region}"
    scopes = _scopes(policy)
    principals = {value for each in policy.statements if each.principals for value in each.principals.values}
    is_large = len(scopes) * len(principals) > _MAX_QUESTIONS
    found_in: dict[str, _Found] = {}
    for scope in (EVERY,) if is_large else _widest_first(scopes):
        part = _Part(judge, RepositoryTarget(account, registry.region, scope), policy, all_allows=is_large)
        in_part = "" if scope == EVERY else printable(scope, 256)
        wider = [known for name, known in found_in.items() if pattern_covers(name, scope)]
        found_in[scope] = part.let_in()
        for half in (None, *Half):
            found = {
                arn: left
                for arn, ways in found_in[scope].items()
                if (
                    left := {
                        deed: way
                        for deed, way in ways.items()
                        if deed[1] is half and not _is_in(wider, deed, way, policy)
                    }
                )
            }
            yield from (replace(one, half=half) for one in _of_part(part, place, in_part, found))


def _of_part(part: "_Part", place: str, scope: str, found: "_Found") -> Iterator[Finding]:
    named, rest = part.judge.divided(min(ways.values(), key=lambda path: path.order) for ways in found.values())
    for path in named:
        accesses = [access for access, _ in found[path.subject.arn]]
        access = ", ".join(accesses)
        yield part.judge.finding(
            FindingKind.REGISTRY, place, access, path, remedy=part.closing(path.subject, accesses), scope=scope
        )
    if rest:
        access = ", ".join(dict.fromkeys(name for path in rest for name, _ in found[path.subject.arn]))
        yield part.judge.joint_finding(FindingKind.REGISTRY, place, access, rest, scope=scope)


type _Deed = tuple[str, Half | None]
"""An access, and of half a pull who has the rest."""
type _Found = Mapping[str, Mapping[_Deed, AccessPath]]
"""Whom a policy lets in, by ARN, and to do what."""


def _widest_first(scopes: Collection[str]) -> list[str]:
    return sorted(scopes, key=lambda scope: sum(pattern_covers(other, scope) for other in scopes))


def _is_in(wider: Iterable[_Found], deed: _Deed, way: AccessPath, policy: Policy) -> bool:
    """Is the access by the same statements among what was found of a wider part?"""
    known = (found.get(way.subject.arn, {}).get(deed) for found in wider)
    return any(one is not None and _indexes(one, policy) == _indexes(way, policy) for one in known)


class _Part(Struct, frozen=True):
    """A part of a registry, `target` with a pattern of names, and the policy that lets in.

    That is the registry's, or `own`: the one that each repository gets from a template.
    """

    judge: Judge
    target: RepositoryTarget
    policy: Policy
    own: Policy | None = None
    without: frozenset[int] = frozenset()
    """Statements of the policy that do not count."""
    all_allows: bool = False
    """Every Allow counts as if it were for the part. Whoever gets into any repository of it is let in: a Deny for less
    than all of it saves nobody, for the part has other names than those that a Deny leaves out."""

    def let_in(self) -> _Found:
        """Whom the registry's policy lets in, by ARN, and to do what; of what administers the gravest."""
        found: dict[str, dict[_Deed, AccessPath]] = defaultdict(dict)
        for access, path, half in self.deeds(*REGISTRY_CALLS):
            found[path.subject.arn][access, half] = path
        return found

    def deeds(self, *more: str) -> Iterator[tuple[str, AccessPath, Half | None]]:
        """The same way by way; `more`: to do what besides."""
        able: dict[str, list[AccessPath]] = defaultdict(list)
        for access, path in let_in_for(self.judge.graph, self.outsiders, *more):
            able[access].append(path)
            yield access, path, None
        if self.judge.graph.tells_halves_apart:
            others = partial(self.judge.entering, target=self.target)
            yield from self.judge.halves(able, self.outsiders, lambda action: others(self._asked(action)))

    def closing(self, who: Subject, accesses: Sequence[str]) -> str:
        """What ends these accesses of somebody, tried until the policy lets them in no more; "" if nothing does."""
        gone = frozenset[int]()
        for _ in range(_MAX_ROUNDS):
            left = replace(self, without=gone)
            paths = [path for access in accesses for path in left.outsiders(access, only=who.arn)]
            if not paths:
                return _removal(gone, self.policy, who, self.judge.compiled.accounts)
            gone |= {index for path in paths for index in _indexes(path, self.policy)}
        return ""

    def outsiders(self, access: str, *, only: str = "") -> Iterator[AccessPath]:
        """Outsiders to the account, or `only` one ARN, whom the policy lets in for this, and who are not intended."""
        judge, target = self.judge, self.target
        for path in let_in(judge.graph, self._asked(access), self.policy, only=only):
            of_spec = access in REGISTRY_CALLS and path.subject.principal.account in judge.compiled.accounts
            if not of_spec and not judge.is_allowed(path.subject, access, target.account, target.name):
                yield path

    def _asked(self, access: str) -> tuple[Permission, ...]:
        judge, target = self.judge, self.target
        known = judge.graph.estate.registry_of(target).repositories.get(target.name)
        denied = denying(known.policy) if known is not None and known.policy is not None else None
        permissions = judge.graph.permissions(access, Repository(replace(target, name=_sample(target.name)), denied))
        return tuple(replace(permission, resource=self._as_of_part(permission.resource)) for permission in permissions)

    def _as_of_part(self, resource: Resource) -> Resource:
        own = () if self.own is None else (self.own,)
        policies, *control = map(self._policies, ((*own, *resource.policies), *resource.control))
        return replace(
            resource,
            policies=policies,
            control=tuple(control),
            named=named_in(policies),
            varies_by_principal=True,  # what was decided of the repository is not what is asked of the part
            otherwise=None if resource.otherwise is None else self._as_of_part(resource.otherwise),
        )

    def _policies(self, policies: Iterable[Policy]) -> tuple[Policy, ...]:
        return tuple(
            replace(one, document=self._document(one.document, self.without if one.name == self.policy.name else ()))
            for one in policies
        )

    def _document(self, document: Document | Unread, without: Collection[int]) -> Document | Unread:
        """The statements that are for the part, for it alone; the others stay without actions, for their numbers."""
        if isinstance(document, Unread):
            return document
        statements = (
            replace(statement, resources=None)
            if number not in without and self._is_for(statement)
            else replace(statement, actions=_NO_ACTIONS)
            for number, statement in enumerate(document.statements)
        )
        return replace(document, statements=tuple(statements))

    def _is_for(self, statement: Statement) -> bool:
        element, arn = statement.resources, Repository(self.target).arn
        is_allow = statement.effect is Effect.ALLOW
        if element is None or (is_allow and self.all_allows):
            return True
        if element.negated:
            leaves_out = pattern_covers if is_allow else patterns_meet
            return not any(leaves_out(value, arn) for value in element.values)
        return any(pattern_covers(_any_value(value) if is_allow else value, arn) for value in element.values)


def _any_value(text: str) -> str:
    """A pattern with any text for its variables."""
    return replace_variables(text, lambda _: EVERY)


def _scopes(policy: Policy) -> tuple[str, ...]:
    """The patterns of repositories' names that the policy's Allow statements name, but for those that no name fits."""
    found: dict[str, None] = {}
    for statement in policy.statements:
        if statement.effect is Effect.ALLOW:
            element = statement.resources
            values = (EVERY,) if element is None or element.negated else element.values
            found |= dict.fromkeys(_any_value(value).partition(":repository/")[2] or EVERY for value in values)
    return tuple(scope for scope in found if not _NOT_IN_NAMES.search(scope))


def _sample(scope: str) -> str:
    """A name that fits the pattern, and that no repository has where the pattern leaves it open."""
    return scope.replace("*", "X").replace("?", "X")


def _of_template(
    judge: Judge, target: RepositoryTarget, template: CreationTemplate, policy: Policy
) -> Iterator[Finding]:
    """Outsiders who get into repositories that ECR creates; unless the spec has a pattern for these."""
    scope = f"{template.prefix}/*" if template.prefix else EVERY
    created = replace(target, name=scope)
    if _has_all(judge, created):
        return
    place, in_part = f"{target.account}/{target.region}", "" if scope == EVERY else scope
    part = _Part(judge, created, policy, policy)
    for access, path, half in part.deeds():
        closing = part.closing(path.subject, [access])
        remedy = f"{closing} in account {target.account}, {target.region}" if closing else ""
        yield replace(judge.finding(FindingKind.TEMPLATE, place, access, path, remedy=remedy, scope=in_part), half=half)


def _has_all(judge: Judge, target: RepositoryTarget) -> bool:
    """Does the spec give every repository of the pattern `target` its policy, and is that repaired?

    It does by a pattern, if what that leaves out has a pattern or an entry of its own.
    """
    patterns = [
        one
        for one in judge.compiled.patterns
        if (one.account, one.region) == (target.account, target.region) and not judge.live(one.target.key)
    ]

    def left_out(pattern: RepositoryPattern, scope: str) -> list[str]:
        return [name for name in pattern.excluded if patterns_meet(name, scope)]

    def has(scope: str) -> bool:
        key = replace(target, name=scope).key
        is_named = key in judge.compiled.targets and not judge.live(key)
        return is_named or any(pattern_covers(one.name, scope) and not left_out(one, scope) for one in patterns)

    covering = (one for one in patterns if pattern_covers(one.name, target.name))
    return any(all(map(has, left_out(one, target.name))) for one in covering)


def _of_replication(judge: Judge, account: str, registry: Registry) -> Iterator[Finding]:
    """One finding for each account and region that images are copied to unseen, and for each part of the registry.

    Unseen: in no account of the spec, or in a registry of one that is not read.
    """
    unseen = {
        (destination, prefix): None
        for rule in registry.replication or ()
        for destination in rule.destinations
        for prefix in rule.prefixes or ("",)
        if not _is_read(judge, *destination)
        and not judge.is_intended(iam_arn(destination[0], "root"), REPLICATE, account, f"{prefix}*")
    }
    for (owner, region), prefix in unseen:
        foreign = owner not in judge.compiled.accounts
        unread = () if foreign else ("who can pull from that registry is not read",)
        yield Finding(
            FindingKind.REPLICATION,
            f"{account}/{registry.region}",
            REPLICATE,
            f"account {printable(owner, 20)} in {printable(region, 40)}",
            because=("the registry's replication configuration names it as a destination", *unread),
            remedy=f"remove account {printable(owner, 20)} in {printable(region, 40)} from the destinations of "
            f"replication in account {account}, {registry.region}",
            foreign=foreign,
            scope=f"{printable(prefix, 256)}*" if prefix else "",
            accept=f'name "{printable(owner, 20)}" under also_allowed: in the spec'
            if foreign
            else f"add {printable(region, 40)} to the regions: of its account in the spec",
        )


def _is_read(judge: Judge, account: str, region: str) -> bool:
    """Is it a registry of the spec's accounts that is read, so that findings say who can pull from it?"""
    known = judge.graph.estate.accounts.get(account)
    return account in judge.compiled.accounts and (known is None or region in known.registries)


def _removal(indexes: Collection[int], policy: Policy, who: Subject, ours: Collection[str]) -> str:
    """What to take out: by words, for commands that each put a whole policy would undo each other.

    A statement that lets in somebody of ours stays for them.
    """
    principals = [one.principals.values if one.principals else () for one in policy.statements]
    others = {*ours} - {who.principal.account}
    shared = {index for index in indexes if any(name in one.value for one in principals[index] for name in others)}
    parts = [f"take {named(who)} out of {_numbered(shared)}"] if shared else []
    parts += [f"remove {_numbered({*indexes} - shared)}"] if {*indexes} - shared else []
    return f"{' and '.join(parts)} of {printable(policy.name, 200)}"


def _numbered(indexes: Collection[int]) -> str:
    return " and ".join(f"statement {index + 1}" for index in sorted(indexes))


def _indexes(path: AccessPath, policy: Policy) -> set[int]:
    """The statements of the policy that let the path's subject in."""
    step = path.steps[-1]
    found = (located(step.subject, step.permissions[0].resource, reason) for reason in step.decision.because)
    return {edit.index for edit in found if edit is not None and edit.policy == policy.name and edit.index is not None}
