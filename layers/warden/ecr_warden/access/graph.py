"""Who can do what with a repository."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import cached_property

from ecr_warden.access.alike import Alike, policies_of
from ecr_warden.access.resources import TAG_PREFIXES, resource_of_repository
from ecr_warden.core.actions import FOR_DOCKER, REGISTRY_CALLS, REQUIRED, TOKEN, Access
from ecr_warden.core.administering import distinct_actions, is_of_registry
from ecr_warden.core.estate import Estate, Registry, RegistryScope, ReplicationRule, Repository
from ecr_warden.core.target import RepositoryTarget
from iam_access import catalogue
from iam_access.document.condition import CLOCKS
from iam_access.document.document import Patterns, parse_document
from iam_access.document.steps import Allowance
from iam_access.evaluate.request import ANY_RESOURCE
from iam_access.evaluate.request_principal import CallerKind
from iam_access.evaluate.statement_match import action_matches
from iam_access.gather import gather
from iam_access.inventory.inventory import Policy
from iam_access.once import once
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can import unread
from iam_access.who_can.decide import OF_TAGGING, AccessDecision, Answer, Given, Permission, Resource
from iam_access.who_can.graph import AccessPath, AccountBudgets, Graph, rank
from iam_access.who_can.resources import keys_asked_for
from iam_access.who_can.subject import THROUGH_SERVICES, Subject, from_now_on

type _Permissions = tuple[Permission, ...]


_OF_TAGGING = {
    "ecr:createrepository": (),
    "ecr:tagresource": (),
    # It names tags, and gives them no values.
    "ecr:untagresource": ("aws:requesttag/",),
}


def permission(action: str, resource: Resource) -> Permission:
    """One action of ECR, with the keys of tags that its requests have."""
    return Permission(action, resource, _without_tags(action))


def _without_tags(action: str) -> tuple[str, ...]:
    """What keys begin with that no request for the action has; of an action that nobody knows yet, nothing."""
    name = ascii_lower(action)
    return _OF_TAGGING.get(name, OF_TAGGING if name in catalogue.actions("ecr") else ())


def gravest(found: Iterable[tuple[str, AccessPath]]) -> Mapping[str, Sequence[AccessPath]]:
    """Of paths by the same way the most certain, and of equally certain ones the first, by action.

    So a policy that tells more actions apart makes nobody administer something else.
    """
    by_way = gather((path.chain, (action, path)) for action, path in found)
    return gather(min(some, key=lambda one: rank(one[1].answer)) for some in by_way.values())


class RepositoryGraph(Graph):
    """A graph of an estate, with its repositories as the resources that are asked about."""

    def __init__(
        self,
        estate: Estate,
        has_time: Callable[[], bool] = lambda: True,
        seen_as: Callable[[Subject], Subject] = lambda subject: subject,
        allowances: defaultdict[str | None, Allowance] | None = None,
        budgets: AccountBudgets | None = None,
    ) -> None:
        super().__init__(estate, has_time, seen_as, allowances, budgets)
        self.estate = estate
        self._repositories: dict[tuple[str, Policy | None], Resource] = {}
        self._of_registries: dict[Hashable, dict[str, AccessPath]] = {}
        self._alike: dict[tuple[str | None, bool], Alike] = {}
        self._kinds: dict[tuple[str, str | None, bool], Hashable] = {}
        self._needed: dict[tuple[str, str, Policy | None, bool], _Permissions] = {}
        self._signing_in: dict[tuple[str, str], bool] = {}
        self._limited: tuple[_Permissions, Sequence[tuple[Policy, _Permissions]]] = (), ()

    @cached_property
    def _policies(self) -> tuple[Policy, ...]:
        return tuple(policies_of(self.estate))

    @cached_property
    def later(self) -> "RepositoryGraph":
        """As of any graph; itself where no policy asks for the time."""
        trusts = (identity.trust for identity in self.estate.identities() if identity.trust is not None)
        if not keys_asked_for((*self._policies, *trusts), ("aws:tokenissuetime", *CLOCKS, *THROUGH_SERVICES)):
            return self
        later = RepositoryGraph(
            self.estate,
            self._has_time,
            lambda subject: from_now_on(subject, self.estate.taken_at) if subject.identity is not None else subject,
            budgets=self.budgets,  # and comparisons of its own: no answer about ours depends on it
        )
        later.later = later
        return later

    @cached_property
    def tells_halves_apart(self) -> bool:
        """Whether a statement of any policy says something else of one action of a pull than of the other."""
        pull = REQUIRED[Access.PULL]
        statements = (one for policy in self._policies for one in policy.statements)
        return any(len({action_matches(one.actions, action) for action in pull}) > 1 for one in statements)

    @cached_property
    def _actions(self) -> frozenset[str]:
        return frozenset({*(action for actions in REQUIRED.values() for action in actions), *self.administering})

    def repeated_actions(self) -> frozenset[str]:
        """What any kind of access to a repository requires."""
        return self._actions

    @cached_property
    def tags(self) -> frozenset[str]:
        """The condition keys of tags of repositories that policies ask for."""
        return keys_asked_for(self._policies, TAG_PREFIXES)

    @cached_property
    def administering(self) -> tuple[str, ...]:
        """The actions that administer, only one of those that no policy of the estate tells apart."""
        statements = (statement for policy in self._policies for statement in policy.statements)
        registries = (registry for account in self.estate.accounts.values() for registry in account.registries.values())
        is_cut = any(registry.policy and registry.scope is not RegistryScope.EVERY_ACTION for registry in registries)
        of_older_scope = (Patterns(negated=False, values=REGISTRY_CALLS),) if is_cut else ()
        asks_for_tags = bool(keys_asked_for(self._policies, OF_TAGGING))
        elements = (*(statement.actions for statement in statements), *of_older_scope)
        return distinct_actions(elements, _without_tags if asks_for_tags else lambda _: ())

    @cached_property
    def administering_repositories(self) -> tuple[str, ...]:
        """Those of them that are about a repository, the gravest first."""
        return tuple(one for one in self.administering if not is_of_registry(one))

    def kind_of(self, repository: Repository, what: str | None = None, *, by_docker: bool = False) -> Hashable:
        """The same for repositories to which everybody has the same access of a kind, or of all kinds (ADR 20).

        `what`: an Access, or one action; `by_docker`: also whether docker can do it.
        """
        name = repository.arn, what, by_docker
        found = self._kinds.get(name)
        if found is None:
            alike = self._alike.get((what, by_docker))
            if alike is None:
                actions = self._actions if what is None else self.actions(what)
                more = FOR_DOCKER[Access(what)] if by_docker and what is not None and what in FOR_DOCKER else ()
                alike = self._alike[what, by_docker] = Alike(self._policies, (*actions, *more), self.tags)
            found = self._kinds[name] = tuple(map(alike.kind_of, (repository, *self.sources(repository))))
        return found

    def permissions(self, what: str, repository: Repository, *, by_docker: bool = False) -> tuple[Permission, ...]:
        """What `what` requires, all of it: an Access, or one action; `by_docker`: for docker to do it."""
        name = what, repository.arn, repository.policy, by_docker
        found = self._needed.get(name)
        if found is None:
            access = Access(what) if what in REQUIRED else None
            actions = (what,) if access is None else REQUIRED[access]
            if by_docker and access is not None:
                actions = tuple(dict.fromkeys((*actions, *FOR_DOCKER.get(access, ()))))
            found = self._needed[name] = tuple(self._permission(action, repository) for action in actions)
        return found

    def signs_in(self, subject: Subject, repository: Repository) -> bool:
        """Does a subject get docker's token, whatever holds? Found once for each of the estate."""
        name, is_kept = (subject.arn, repository.target.region), self.subjects.get(subject.arn) is subject
        found = self._signing_in.get(name) if is_kept else None
        if found is None:
            found = self.decide(subject, (self._permission(TOKEN, repository),)).answer is Answer.YES
            if is_kept:
                self._signing_in[name] = found
        return found

    def actions(self, what: str) -> Collection[str]:
        """Those by which somebody has a kind of access to some repository; an action is itself."""
        match what:
            case Access.ADMIN:
                return self.administering
            case Access.DELETE:
                return _DELETES_COPIES
            case Access.PULL | Access.PUSH:
                return REQUIRED[Access(what)]
            case _:
                return (what,)

    def ways(self, what: str, repository: Repository) -> tuple[tuple[Permission, ...], ...]:
        """What is enough for `what`, any of it: an Access, or one action."""
        if what == Access.ADMIN:
            return tuple((self._permission(one, repository),) for one in self.administering)
        own = self.permissions(what, repository)
        if what != Access.DELETE:
            return (own,)
        # Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication-delete.html
        sources = tuple(self.sources(repository))
        return (own, *((self._permission(action, source),) for source in sources for action in _DELETES_COPIES))

    def sources(self, repository: Repository) -> Iterator[Repository]:
        """The repositories of which deletions are replicated to this one."""
        for registry in self._replicating:
            source = registry.repositories.get(repository.target.name)
            if source is not None and any(_deletes(rule, repository.target) for rule in registry.replication or ()):
                yield source

    @cached_property
    def _replicating(self) -> tuple[Registry, ...]:
        registries = (registry for account in self.estate.accounts.values() for registry in account.registries.values())
        return tuple(registry for registry in registries if registry.replication)

    def _permission(self, action: str, repository: Repository) -> Permission:
        if action != TOKEN and not is_of_registry(action):
            return permission(action, self._resource(repository))
        # docker asks the registry's own region for the token, and any account may give it to its own.
        target, own = repository.target, None if action == TOKEN else repository.target.account
        keys: dict[str, tuple[str, ...]] = {"aws:requestedregion": (target.region,)}
        return permission(action, Resource("*", own, keys=keys, closed=TAG_PREFIXES, varies_by_principal=False))

    def who_can(
        self,
        permissions: tuple[Permission, ...],
        *,
        also: Iterable[Subject] = (),
        among: Collection[str] | None = None,
    ) -> dict[str, AccessPath]:
        """As any graph does; what is about a registry is asked once for all of its repositories."""
        resource = permissions[0].resource
        if resource.arn != ANY_RESOURCE or among is not None:
            return super().who_can(permissions, also=also, among=among)
        region = resource.keys["aws:requestedregion"]
        name = tuple(permission.action for permission in permissions), resource.account, region
        return once(self._of_registries, name, lambda: super(RepositoryGraph, self).who_can(permissions, also=also))

    def decide(
        self, subject: Subject, permissions: tuple[Permission, ...], given: Given | None = None
    ) -> AccessDecision:
        """As any graph does; services come through no VPC endpoint."""
        access_decision = super().decide(subject, permissions, given)
        is_service = subject.principal.kind is CallerKind.SERVICE
        if not self.estate.endpoints or is_service or access_decision.answer not in (Answer.YES, Answer.CONDITIONAL):
            return access_decision
        # Whoever comes through an endpoint needs its policy to allow it too.
        texts = []
        for endpoint, asked in self._through_endpoints(permissions):
            limited = super().decide(subject, asked, given)
            if (limited.answer, limited.conditions) != (access_decision.answer, access_decision.conditions):
                texts.append(f"not through the VPC endpoint {endpoint.name}, whose policy does not allow it by itself")
        if not texts:
            return access_decision
        return replace(access_decision, answer=Answer.CONDITIONAL, conditions=(*access_decision.conditions, *texts))

    def _through_endpoints(self, permissions: _Permissions) -> Sequence[tuple[Policy, _Permissions]]:
        """The permissions through each endpoint, made once for all who are asked about them."""
        if self._limited[0] is not permissions:
            endpoints = self.estate.endpoints if permissions[0].action.lower().startswith("ecr:") else ()
            each = [(endpoint, tuple(_through(permissions, endpoint))) for endpoint in endpoints]
            self._limited = permissions, each
        return self._limited[1]

    def translate(self, permissions: Iterable[Permission]) -> tuple[Permission, ...]:
        """Permissions of another estate, on this estate's resources."""
        known = {repository.arn: repository for repository in self.estate.repositories()}
        return tuple(
            replace(one, resource=self._resource(known[one.resource.arn])) if one.resource.arn in known else one
            for one in permissions
        )

    def edited(self, estate: Estate) -> "RepositoryGraph":
        """The graph of a changed estate, whose questions share the same comparisons."""
        return RepositoryGraph(estate, allowances=self._allowances)

    def _resource(self, repository: Repository) -> Resource:
        name = repository.arn, repository.policy
        return once(self._repositories, name, lambda: resource_of_repository(repository, self.estate, self.tags))


_DELETES_COPIES = ("ecr:BatchDeleteImage", "ecr:PutLifecyclePolicy")


def _deletes(rule: ReplicationRule, target: RepositoryTarget) -> bool:
    is_named = not rule.prefixes or target.name.startswith(rule.prefixes)
    return rule.deletes and is_named and (target.account, target.region) in rule.destinations


def _through(permissions: _Permissions, endpoint: Policy) -> Iterator[Permission]:
    """The permissions as they are needed of whoever comes through a VPC endpoint: its policy is one more level.

    Source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    # A level of resource control policies without any Allow would allow everything; an endpoint's policy does not.
    level = (endpoint, _NOTHING_ALLOWED)
    resources = {id(one.resource): one.resource for one in permissions}
    behind = {place: replace(one, control=(*one.control, level)) for place, one in resources.items()}
    return (replace(one, resource=behind[id(one.resource)]) for one in permissions)


_NOTHING_ALLOWED = Policy(
    "what an endpoint allows by itself",
    parse_document({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "none:None", "Resource": "*"}}),
)


def who_can_any(
    graph: RepositoryGraph, ways: Iterable[tuple[Permission, ...]], *, among: Collection[str] | None = None
) -> dict[str, AccessPath]:
    """Everybody who can on any of the ways, by ARN or class, each with the best path; `among`: as in Graph.who_can."""
    found = gather(each for way in ways for each in unread.who_can(graph, way, among=among).items())
    return {arn: min(paths, key=lambda path: path.order) for arn, paths in found.items()}
