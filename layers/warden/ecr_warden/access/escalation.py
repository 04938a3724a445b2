"""Who could escalate their privileges: by writing policies, taking over a user or role, or opening the repository.

Calls on what the estate does not hold are not covered, such as new code for a function that exists.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import replace

from msgspec import Struct

from ecr_warden.access.alike import policies_of
from ecr_warden.access.graph import RepositoryGraph, permission
from ecr_warden.access.resources import TAG_PREFIXES, of_registry_calls
from ecr_warden.core.estate import RegistryScope
from iam_access.document.document import parse_document
from iam_access.escalation.become import Become
from iam_access.escalation.calls import CAN, Conditions
from iam_access.escalation.moves import WHATEVER, IdentityChange, Mover
from iam_access.escalation.posing import members_of
from iam_access.escalation.tagging import TAG_KEYS, limits, spellings
from iam_access.evaluate.request import ANY_RESOURCE
from iam_access.evaluate.request_principal import CallerKind
from iam_access.inventory.inventory import Policy
from iam_access.who_can.decide import Permission, Resource
from iam_access.who_can.graph import AccessPath, may_trust
from iam_access.who_can.resources import keys_asked_for
from iam_access.who_can.subject import TAG, Subject

_PULLS = ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage"]
_PULLS += ["ecr:GetDownloadUrlForLayer", "ecr:Describe*", "ecr:List*"]
_PUSHES = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"]
_MANAGED = {
    f"AmazonEC2ContainerRegistry{name}": parse_document(
        {"Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
    )
    for name, actions in (
        ("FullAccess", ["ecr:*"]),
        ("PowerUser", [*_PULLS, *_PUSHES]),
        ("ReadOnly", _PULLS),
        ("PullOnly", [_PULLS[0], *_PULLS[2:4]]),
    )
}
"""Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html"""


class Escalation(Struct, frozen=True):
    """How somebody could gain the access: the calls that they would make, in order, and under which conditions.

    `chain`: the ARNs from whoever makes the first call.
    """

    steps: tuple[str, ...]
    chain: tuple[str, ...]
    conditions: tuple[str, ...]

    @property
    def arn(self) -> str:
        """Who could."""
        return self.chain[0]


class _Path(Struct, frozen=True):
    """The calls made so far, whom they are about, and their conditions."""

    steps: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    conditions: Conditions = ()

    def then(self, *more: "_Path | Become | IdentityChange") -> "_Path":
        steps, chain, conditions = [*self.steps], [*self.chain], [*self.conditions]
        for one in more:
            steps += one.steps
            chain += _about(one)
            conditions += one.conditions
        return _Path(tuple(dict.fromkeys(steps)), tuple(dict.fromkeys(chain)), tuple(dict.fromkeys(conditions)))


def _about(one: _Path | Become | IdentityChange) -> tuple[str, ...]:
    match one:
        case _Path(chain=chain):
            return chain
        case Become(to=to):
            return (to.arn,)
        case IdentityChange(target=target):
            return (target,)


class _Node(Struct, frozen=True):
    """Somebody whom the escalating principal acts as, with the changes made to them, each with the path to it."""

    origin: Subject
    path: _Path
    changes: tuple[tuple[IdentityChange, _Path], ...] = ()

    @property
    def subject(self) -> Subject:
        subject = self.origin
        for change, _ in self.changes:
            subject = change.applied(subject)
        return subject

    @property
    def name(self) -> tuple[object, ...]:
        """The same for nodes with the same permissions.

        Identities that are yet to be created differ by theirs, federated users by who opened their session.
        """
        given = tuple(policy.name for policy in self.origin.policies)
        boundary = self.origin.boundary and self.origin.boundary.name
        return self.origin.principal, given, boundary, frozenset(change.steps for change, _ in self.changes)

    @property
    def whole_path(self) -> _Path:
        changed = (part for change, path in self.changes for part in (path, change))
        # Who is there from the start acts once others have changed them.
        return self.path.then(*changed) if self.path.steps else _Path().then(*changed, self.path)


class Escalations:
    """An estate's escalations; what each principal could do is cached."""

    def __init__(self, graph: RepositoryGraph) -> None:
        self._graph = graph
        self._moves: dict[object, tuple[tuple[Become, ...], tuple[IdentityChange, ...]]] = {}
        self._assumes: dict[str, list[Become]] = defaultdict(list)
        policies = (repository.policy for repository in graph.estate.repositories() if repository.policy is not None)
        principals = (
            statement.principals
            for policy in policies
            for statement in policy.statements
            if statement.principals is not None
        )
        self._federated = sorted(
            {name.value for principal in principals for name in principal.values if ":federated-user/" in name.value}
        )
        trusts = (identity.trust for identity in graph.estate.identities() if identity.trust is not None)
        asked = keys_asked_for((*policies_of(graph.estate), *trusts), (TAG,))
        self._tags = {key.removeprefix(TAG) for key in asked}
        for role in graph.roles:
            for subject, decision in graph.assumers(role):
                if decision.answer in CAN:
                    self._assumes[subject.arn].append(Become(role, (f"assume {role.arn}",), decision.conditions))

    def who(self, permissions: tuple[Permission, ...], able: Mapping[str, AccessPath]) -> Iterator[Escalation]:
        """Everybody in the estate who has not the access and could gain it, each with one way.

        `able`: who has it, by ARN, with the path.
        """
        search = _Search(self, self._graph, permissions, able)
        for subject in self._graph.subjects.values():
            if subject.arn not in able and (found := search.way_of((subject,))) is not None:
                yield found

    def together(
        self, subjects: Iterable[Subject], permissions: tuple[Permission, ...], able: Mapping[str, AccessPath]
    ) -> Escalation | None:
        """How some subjects could gain the access with each other's help."""
        return _Search(self, self._graph, permissions, able).way_of(subjects)

    def moves(self, node: _Node) -> tuple[tuple[Become, ...], tuple[IdentityChange, ...]]:
        """What somebody could do."""
        found = self._moves.get(node.name)
        if found is None:
            if node.origin.principal.kind is CallerKind.FEDERATED_USER:
                return (), ()  # their credentials call neither IAM nor STS
            mover = Mover(node.subject, self._graph, _MANAGED, self._tags)
            is_known = not node.changes and node.origin.arn in self._graph.subjects
            assumes = self._assumes[node.origin.arn] if is_known else mover.assumes()
            found = self._moves[node.name] = (*assumes, *mover.becomes(self._federated)), tuple(mover.changes())
        return found


class _Search:
    """The search for one access."""

    def __init__(
        self,
        escalations: Escalations,
        graph: RepositoryGraph,
        permissions: tuple[Permission, ...],
        able: Mapping[str, AccessPath],
    ) -> None:
        self._escalations = escalations
        self._graph = graph
        self._permissions = permissions
        self._able = able
        self._ends: dict[object, _Path | None] = {}
        self._hopeful = self._find_hopeful()

    def way_of(self, subjects: Iterable[Subject]) -> Escalation | None:
        """How any of the subjects could gain the access."""
        path = self._path_of([subject for subject in subjects if subject.principal.account in self._hopeful])
        return None if path is None else Escalation(path.steps, path.chain, path.conditions)

    def _find_hopeful(self) -> set[str | None]:
        """The accounts of which somebody could do it if they could give each other whatever they want."""
        found: set[str | None] = set()
        # Others are let in through the resource's own account most often.
        waiting = sorted(self._graph.estate.accounts, key=lambda one: one != self._permissions[0].resource.account)
        while True:
            left = [one for one in waiting if not self._is_hopeful_account(one, found)]
            if left == waiting:
                return found
            waiting = left

    def _is_hopeful_account(self, account: str, found: set[str | None]) -> bool:
        governed = {one.id for one in members_of(account, self._graph.estate.accounts.values())}
        # The root user can create somebody where nobody is.
        somebody = self._graph.identities_of(account) or (self._graph.anybody_unread(account),)
        if governed & found or any(self._would(subject, found) for subject in somebody):
            found.add(account)
        return account in found

    def _would(self, subject: Subject, hopeful: Collection[str | None]) -> bool:
        free = replace(subject, policies=WHATEVER, boundary=None)
        roles = (role for role in self._graph.roles if role.principal.account in hopeful and may_trust(role, free))
        return (
            self._graph.ask(free, self._permissions).answer in CAN
            or self._opening(free) is not None
            or any(self._graph.ask(free, self._graph.assuming(free, role)).answer in CAN for role in roles)
        )

    def _path_of(self, subjects: Iterable[Subject]) -> _Path | None:
        """The shortest way to be somebody who has the access, or who has it after changes that one can make.

        Of ways about as short, one without conditions.
        """
        reached = _Reached(_Node(subject, _Path(chain=(subject.arn,))) for subject in subjects)
        limited: _Path | None = None
        while node := reached.next():
            end = self._path_to(node)
            ends = [end] if end is not None else self._moved(node, reached) if limited is None else []
            for path in ends:
                if not path.conditions:
                    return path
                limited = limited or path
        return limited

    def _path_to(self, node: _Node) -> _Path | None:
        """The path to a node at which the access is reached, without the changes that it does not need."""
        end = self._end(node)
        if end is None:
            return None
        for change in node.changes:
            less = replace(node, changes=tuple(other for other in node.changes if other is not change))
            without = self._end(less)
            if without is not None and len(without.conditions) <= len(end.conditions):
                node, end = less, without
        return node.whole_path.then(end)

    def _moved(self, node: _Node, reached: "_Reached") -> Iterator[_Path]:
        """Note what somebody could do; the ways that end with it."""
        becomes, changes = self._escalations.moves(node)
        for change in changes:
            reached.can_change(change, node.whole_path)
        for become in becomes:
            if become.to.arn in self._able:
                yield node.whole_path.then(become, _Path(conditions=self._able[become.to.arn].conditions))
            reached.can_be(become, node.whole_path)

    def _end(self, node: _Node) -> _Path | None:
        """What is left to do for somebody: nothing if they have the access, or to change the repository's policy."""
        if node.name not in self._ends:
            self._ends[node.name] = self._find_end(node)
        return self._ends[node.name]

    def _find_end(self, node: _Node) -> _Path | None:
        subject = node.subject
        if not node.changes and subject.arn in self._graph.subjects:
            if subject.arn in self._able:
                return _Path(conditions=self._able[subject.arn].conditions)
        elif (decision := self._graph.ask(subject, self._permissions)).answer in CAN:
            return _Path(conditions=decision.conditions)
        return self._opening(subject)

    def _opening(self, subject: Subject) -> _Path | None:
        """To change a policy of the repository or its registry, or its tags, where that gives the access."""
        resource = self._permissions[0].resource
        for action, on, opened in self._openings(subject, resource):
            decision = self._graph.ask(subject, (permission(action, on),))
            if decision.answer not in CAN:
                continue
            own = (replace(one, resource=opened) if one.resource is resource else one for one in self._permissions)
            if (then := self._graph.ask(subject, tuple(own))).answer in CAN:
                place = resource.arn if on.arn == resource.arn else f"the registry of {resource.account}"
                return _Path((f"{action} on {place}",), conditions=(*decision.conditions, *then.conditions))
        return None

    def _openings(self, subject: Subject, resource: Resource) -> Iterator[tuple[str, Resource, Resource]]:
        """The calls that change a repository, what they are allowed on, and how it is afterwards."""
        if resource.arn == ANY_RESOURCE:
            return  # of a registry only its own account's policies decide
        for action, on, policies in self._policy_openings(subject, resource):
            yield action, on, replace(resource, policies=policies, otherwise=None)
        if resource.closed:
            yield from self._retagged(subject, resource)

    def _retagged(self, subject: Subject, resource: Resource) -> Iterator[tuple[str, Resource, Resource]]:
        """The repository with another tag that policies ask for, or without it."""
        asked = self._graph.tags
        for key in sorted({name.partition("/")[2] for name in asked}):
            names = [f"{prefix}{key}" for prefix in TAG_PREFIXES]
            kept = {name: values for name, values in resource.keys.items() if name not in names}
            closed = {name: () for name in asked if name not in names}
            for written in spellings(subject, key):
                on = replace(resource, keys={**resource.keys, TAG_KEYS: (written,)})
                yield "ecr:UntagResource", on, replace(resource, keys=kept)
                limited = (one for name in names for one in limits(subject, "ecr:TagResource", resource.arn, key, name))
                opened = replace(resource, keys={**closed, **kept}, closed=(), always=tuple(limited))
                yield "ecr:TagResource", on, opened

    def _policy_openings(
        self, subject: Subject, resource: Resource
    ) -> Iterator[tuple[str, Resource, tuple[Policy, ...]]]:
        """The calls that change these policies, what they are allowed on, and the policies that are left."""
        let = {"Effect": "Allow", "Principal": {"AWS": subject.arn}, "Action": "ecr:*"}
        written = Policy("what is written", parse_document({"Statement": let}))
        above = tuple(policy for policy in resource.policies if policy.name.startswith("registry policy"))
        own = tuple(policy for policy in resource.policies if policy not in above)
        yield "ecr:SetRepositoryPolicy", resource, (written, *above)
        yield "ecr:DeleteRepositoryPolicy", resource, above
        # Nobody can write the registry policy of another account.
        if subject.principal.account != resource.account:
            return
        region = resource.arn.split(":")[3]
        registry = self._graph.estate.accounts[str(resource.account)].registries[region]
        on = Resource("*", None, keys={"aws:requestedregion": (region,)})
        is_newer = registry.scope is RegistryScope.EVERY_ACTION
        if registry.policy is not None:
            otherwise = of_registry_calls(registry.policy) if is_newer else registry.policy
            yield "ecr:PutAccountSetting", on, (*own, otherwise)
        if is_newer:
            yield "ecr:PutRegistryPolicy", on, (*own, written)
            yield "ecr:DeleteRegistryPolicy", on, own


class _Reached:
    """Whom one principal, or some together, can act as and change, as far as that has been found; nearest first.

    Each change is tried by itself, and once nothing else is left, together with all others that only widen.
    """

    def __init__(self, starts: Iterable[_Node]) -> None:
        self._origins = {start.origin.arn: start for start in starts}
        self._changes: dict[str, dict[tuple[str, ...], tuple[IdentityChange, _Path]]] = defaultdict(dict)
        self._queue = deque(self._origins.values())
        self._seen: set[object] = {start.name for start in self._queue}

    def next(self) -> _Node | None:
        """Who is looked at next."""
        if not self._queue:
            for arn, changes in self._changes.items():
                self._combine(arn, tuple(changes.values()))
        return self._queue.popleft() if self._queue else None

    def can_be(self, become: Become, path: _Path) -> None:
        """Somebody else, whom it could not act as so far."""
        if become.to.arn not in self._origins:
            node = self._origins[become.to.arn] = _Node(become.to, path.then(become))
            self._add(node)
            for one in self._changes[become.to.arn].values():
                self._add(replace(node, changes=(one,)))

    def can_change(self, change: IdentityChange, path: _Path) -> None:
        """A change of somebody, whether or not it can act as them."""
        known = self._changes[change.target]
        if change.steps not in known:
            known[change.steps] = change, path
            if change.target in self._origins:
                self._add(replace(self._origins[change.target], changes=(known[change.steps],)))

    def _combine(self, arn: str, changes: tuple[tuple[IdentityChange, _Path], ...]) -> None:
        node = self._origins.get(arn)
        if node is None or len(changes) < 2:
            return
        safe = tuple(one for one in changes if one[0].only_widens)
        self._add(replace(node, changes=safe))
        for change in changes:
            if not change[0].only_widens:
                self._add(replace(node, changes=(change, *safe)))

    def _add(self, node: _Node) -> None:
        if node.name not in self._seen:
            self._seen.add(node.name)
            self._queue.append(node)
