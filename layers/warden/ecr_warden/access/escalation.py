"""Who could escalate their privileges: by writing policies, taking over a user or role, or opening the repository.

Calls on what the estate does not hold are not covered, such as new code for a function that exists.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import cached_property, partial
from itertools import chain, product

from msgspec import Struct

from ecr_warden.access.acting import ActingAs, CallPath
from ecr_warden.access.alike import policies_of
from ecr_warden.access.graph import RepositoryGraph, permission
from ecr_warden.access.repository_states import (
    CHANGING,
    RepositoryState,
    calls_on,
    created_anew,
    manages,
    released,
    state_now,
)
from iam_access.document.document import Effect, parse_document
from iam_access.document.steps import Allowance, TooManySteps
from iam_access.escalation.become import Become
from iam_access.escalation.calls import CAN, Caller, Conditions
from iam_access.escalation.freedom import is_free, limits_of, power_of
from iam_access.escalation.moves import LIFTING, MOVES, WHATEVER, Asked, IdentityChange, Mover
from iam_access.escalation.posing import members_of
from iam_access.evaluate.request_principal import CallerKind
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Identity, Policy, Untried
from iam_access.who_can.decide import AccessDecision, Answer, Permission, Resource
from iam_access.who_can.graph import AccessPath, may_let_in, may_trust
from iam_access.who_can.subject import TAG, Subject, subject_of

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

    `chain`: the ARNs from whoever makes the first call. `unread`: where it is unknown whether they could, why.
    """

    steps: tuple[str, ...]
    chain: tuple[str, ...]
    conditions: tuple[str, ...]
    unread: tuple[Policy, ...] = ()

    @property
    def arn(self) -> str:
        """Who could."""
        return self.chain[0]

    @property
    def answer(self) -> str:
        """`could`, or `unknown`."""
        return Answer.UNKNOWN.value if self.unread else "could"


def certain_first(found: Iterable[Escalation | None]) -> Escalation | None:
    """The first of some that is certain, or else the first; no more are made than that takes."""
    unknown = None
    for one in found:
        if one is not None and not one.unread:
            return one
        unknown = unknown or one
    return unknown


type _Decide = Callable[[Subject, tuple[Permission, ...]], AccessDecision]


class Escalations:
    """An estate's escalations; what each principal could do is found once for all questions.

    `allowance`: what each question may take.
    """

    def __init__(self, graph: RepositoryGraph, allowance: Callable[[], Allowance] = Allowance) -> None:
        self._graph = graph
        self.allowance = allowance
        self._powers: dict[Hashable, Hashable] = {}
        self._movers: dict[Hashable, Mover] = {}
        self._becomes: dict[Hashable, Sequence[Become]] = {}
        self._changes: dict[Hashable, Sequence[IdentityChange]] = {}
        self._reached: dict[tuple[str, ...], _Reached] = {}
        self._assumes: dict[str, list[Become]] = defaultdict(list)
        self._as_itself: dict[Hashable, Sequence[Become]] = {}
        trusts = (identity.trust for identity in graph.estate.identities() if identity.trust is not None)
        self.asked = Asked.by((*policies_of(graph.estate), *trusts), ("ecr:*",))
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
        """How some subjects of an account could gain the access with each other's help."""
        return _Search(self, self._graph, permissions, able).way_of(tuple(subjects))

    def reached(self, subjects: Sequence[Subject]) -> "_Reached":
        """Whom some subjects could act as."""
        name = tuple(subject.arn for subject in subjects)
        if name not in self._reached:
            self._reached[name] = _Reached(subjects, self)
        return self._reached[name]

    def forget(self, subjects: Sequence[Subject]) -> None:
        """Begin again with whom some subjects could act as, which was broken off."""
        del self._reached[tuple(subject.arn for subject in subjects)]

    @cached_property
    def entered_from(self) -> Mapping[str, Collection[str]]:
        """By account, those of which anybody could get into it, if they gave each other whatever they want."""
        accounts = self._graph.estate.accounts
        found: dict[str, set[str]] = {account: set() for account in accounts}
        for account in accounts:
            for member in members_of(account, accounts.values()):
                found[member.id].add(account)
            for free in self.anybody_of(account):
                for role in self._graph.roles:
                    entered = found[str(role.principal.account)]
                    if account in entered or not may_trust(role, free):
                        continue
                    if self._graph.ask(free, self._graph.assuming(free, role)).answer in CAN:
                        entered.add(account)
        return found

    def anybody_of(self, account: str) -> Iterator[Subject]:
        """Everybody in an account, as if they had given each other whatever they want.

        Also whom it does not have yet; where nobody is, its root user can create somebody.
        """
        somebody = self._graph.identities_of(account) or (self._graph.anybody_unread(account),)
        people = chain(somebody, self.to_come(account))
        # Whoever manages the organization decides on its service control policies.
        accounts = self._graph.estate.accounts.values()
        is_managed = any(one.id == account for manager in accounts for one in members_of(manager.id, accounts))
        for subject in people:
            control = () if is_managed else subject.service_control
            yield replace(subject, policies=WHATEVER, boundary=None, service_control=control)

    def to_come(self, account: str) -> Iterator[Subject]:
        """Users and roles that an account does not have, with names by which policies tell them apart."""
        partitions = {subject.principal.partition for subject in self._graph.identities_of(account)}
        for kind, partition in product(IdentityKind, partitions):
            for arn in self.asked.arns(account, kind, partition):
                yield subject_of(Identity(arn, account, kind, arn.rpartition("/")[2], ""), self._graph.inventory)

    def becomes_as_itself(self, power: Hashable, node: ActingAs) -> Sequence[Become]:
        """Whom else somebody with a power could act as because of who they are, such as the roles they could assume."""
        arn, subject = node.origin.arn, node.subject
        if node.origin.principal.kind is CallerKind.FEDERATED_USER:
            return self._assumes[arn]  # a federated user's credentials call neither IAM nor STS
        tags = frozenset((key, values) for key, values in subject.keys.items() if key.startswith(TAG))
        name = node.origin.principal, power, tags, subject.open_keys, subject.always
        if name not in self._as_itself:
            mover = self._mover(node)
            is_known = not node.changes and arn in self._graph.subjects
            assumed = self._assumes[arn] if is_known else mover.assumes()
            self._as_itself[name] = (*assumed, *mover.becomes_as_itself())
        return self._as_itself[name]

    def power(self, node: ActingAs) -> Hashable:
        """The same for nodes that may call the same, whoever they are."""
        if node.name not in self._powers:
            subject = node.subject
            account = self._graph.estate.accounts[str(subject.principal.account)]
            limited = limits_of(subject) if is_free(subject) else None
            if limited is None:
                limited = power_of(subject, account.resource_control or (), MOVES)
            alike = subject.principal.account, subject.principal.kind, subject.principal.partition, limited
            self._powers[node.name] = node.name if limited is None else alike
        return self._powers[node.name]

    def becomes(self, power: Hashable, node: ActingAs) -> Sequence[Become]:
        """Whom else whoever has a power could act as, such as this one."""
        if node.origin.principal.kind is CallerKind.FEDERATED_USER:
            return ()
        if power not in self._becomes:
            mover = self._movers[power] = self._mover(node)
            self._becomes[power] = tuple(mover.becomes())
        return self._becomes[power]

    def changes(self, power: Hashable, target: str) -> Sequence[IdentityChange]:
        """What whoever has a power, of whom it is known whom they could act as, could change of an identity."""
        name = power, target
        if name not in self._changes:
            self._changes[name] = tuple(self._movers[power].changes(target)) if power in self._movers else ()
        return self._changes[name]

    def _mover(self, node: ActingAs) -> Mover:
        return Mover(node.subject, self._graph, _MANAGED, self.asked)


# Steps, for as long as it takes to find what somebody's access is like.
_LOOK = 20
_UNTRIED = Policy("escalation", Untried("escalation", "there are more ways than are tried"))


class _Made(Struct, frozen=True):
    """A call that makes a state, without what comes before it: what is asked for it, and its conditions."""

    state: RepositoryState
    asked: tuple[Permission, ...]
    conditions: Conditions


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
        self._now = state_now(permissions[0].resource, graph.estate)
        self._allowed: dict[Hashable, Conditions | None] = {}
        self._made: dict[Hashable, tuple[_Made, ...]] = {}
        self._asked: dict[Hashable, tuple[Permission, ...]] = {self._now.name: permissions}
        self._allowance = escalations.allowance()
        self._hopeful = self._find_hopeful()

    def way_of(self, subjects: Sequence[Subject]) -> Escalation | None:
        """How any of the subjects, all of one account, could gain the access."""
        if not subjects or subjects[0].principal.account not in self._hopeful:
            return None
        try:
            with self._graph.bounded(self._allowance):
                path = self._path_of(self._escalations.reached(subjects))
        except TooManySteps:
            self._escalations.forget(subjects)
            return Escalation((), (subjects[0].arn,), (), (_UNTRIED,))
        return None if path is None else Escalation(path.steps, path.chain, path.conditions)

    def _find_hopeful(self) -> set[str | None]:
        """The accounts of which somebody could do it if they could give each other whatever they want.

        They can act as somebody who has or gains it alone, or as somebody who changes the repository and as somebody of
        another account who has it then. All, if there are too many to ask.
        """
        accounts, made = self._graph.estate.accounts, dict[Hashable, RepositoryState]()
        alone, changing = set[str](), set[str]()
        try:
            with self._graph.bounded(self._allowance):
                for account in accounts:
                    for node in self._anybody_of(account):
                        if not (_may_use(self._now.resource, node.origin) or self._manages(node.origin)):
                            continue
                        states = [self._now]
                        if any(True for _ in self._ends([node], states)):
                            alone.add(account)
                            break
                        if states[1:]:
                            changing.add(account)
                            made |= {state.name: state for state in states[1:]}
                having = {one for one in accounts if made and self._has_any(one, made.values())}
        except TooManySteps:
            return {*accounts}
        return self._leading_to(alone) | (self._leading_to(changing) & self._leading_to(having))

    def _anybody_of(self, account: str) -> Iterator[ActingAs]:
        return (ActingAs(free, CallPath()) for free in self._escalations.anybody_of(account))

    def _has_any(self, account: str, states: Collection[RepositoryState]) -> bool:
        return any(self._access(node, state) is not None for node in self._anybody_of(account) for state in states)

    def _leading_to(self, accounts: Iterable[str]) -> set[str | None]:
        """The accounts of which somebody could act as somebody in one of these."""
        waiting, found = [*accounts], set[str | None]()
        while waiting:
            account = waiting.pop()
            found.add(account)
            waiting += set(self._escalations.entered_from[account]) - found
        return found

    def _path_of(self, reached: "_Reached") -> CallPath | None:
        """The shortest way to be somebody who has the access, or who has it after changes that one can make.

        Of ways about as short, one without conditions. Whoever is reached can change the repository for all the others.
        """
        nodes: list[ActingAs] = []
        states = [self._now]
        limited: CallPath | None = None
        try:
            while len(nodes) < len(reached.nodes) or (limited is None and reached.grow()):
                nodes.append(reached.nodes[len(nodes)])
                for path in self._ends(nodes, states):
                    if not path.conditions:
                        return path
                    limited = limited or path
        except TooManySteps:
            if limited is None:
                raise
        return limited

    def _ends(self, nodes: Sequence[ActingAs], states: list[RepositoryState]) -> Iterator[CallPath]:
        """How the nodes have the access, of which only the last is new; `states` gets those that it can make."""
        known = {state.name for state in states}
        waiting = deque((nodes[-1], state) for state in states)
        while waiting:
            node, state = waiting.popleft()
            if (found := self._access(node, state)) is not None:
                least = self._least(node, partial(self._access, state=state), found)
                yield state.path.then(least.whole_path, CallPath(conditions=self._access(least, state) or ()))
                continue
            for call in self._made_of(state, node):
                if call.state.name not in known:
                    known.add(call.state.name)
                    made = replace(call.state, path=self._path_of_call(state, node, call))
                    states.append(made)
                    waiting.extend((one, made) for one in nodes)

    def _least(self, node: ActingAs, access: Callable[[ActingAs], Conditions | None], found: Conditions) -> ActingAs:
        """The node without the changes that it does not need for something under no more conditions."""
        for change in node.changes:
            less = replace(node, changes=tuple(other for other in node.changes if other is not change))
            without = access(less)
            if without is not None and len(without) <= len(found):
                node, found = less, without
        return node

    def _access(self, node: ActingAs, state: RepositoryState) -> Conditions | None:
        """The conditions under which a node has the access in a state, None if it has not."""
        if state is self._now and not node.changes and self._graph.subjects.get(node.origin.arn) is node.origin:
            able = self._able.get(node.origin.arn)
            return None if able is None else able.conditions
        name = node.name, state.name
        if name not in self._allowed:
            self._graph.spend(_LOOK)
            self._allowed[name] = self._conditions(node, self._asked_in(state), self._graph.share)
        return self._allowed[name]

    def _asked_in(self, state: RepositoryState) -> tuple[Permission, ...]:
        """The access, as it is asked for in a state."""
        if state.name not in self._asked:
            now = self._now.resource
            own = (replace(one, resource=state.resource) if one.resource is now else one for one in self._permissions)
            self._asked[state.name] = tuple(own)
        return self._asked[state.name]

    def _may_call(self, node: ActingAs, asked: tuple[Permission, ...]) -> Conditions | None:
        return self._conditions(node, asked, self._graph.ask)

    def _conditions(self, node: ActingAs, asked: tuple[Permission, ...], decide: _Decide) -> Conditions | None:
        if not _may_use(asked[0].resource, node.origin):
            return None
        decision = decide(node.subject, asked)
        return decision.conditions if decision.answer in CAN else None

    def _made_of(self, state: RepositoryState, node: ActingAs) -> tuple[_Made, ...]:
        """What a node can make of a state by one call."""
        name = node.name, state.name
        if name not in self._made:
            policies = (*node.subject.policies, *state.resource.policies)
            statements = (one for policy in policies for one in policy.statements if one.effect is Effect.ALLOW)
            concerns = _may_use(state.resource, node.origin) or self._manages(node.origin)
            could = concerns and any(action_matches(one.actions, action) for one in statements for action in CHANGING)
            self._made[name] = tuple(self._find_made(state, node)) if could else ()
        return self._made[name]

    def _find_made(self, state: RepositoryState, node: ActingAs) -> Iterator[_Made]:
        calls = calls_on(state, node.subject, self._graph.tags)
        if self._manages(node.origin):
            calls = chain(calls, released(state, Caller(node.subject, self._graph)))
        single = (((permission(action, on),), made) for action, on, made in calls)
        # A repository that is created anew has no images: only pushes count.
        pushes = all(one.action.lower() == "ecr:putimage" for one in self._permissions)
        for asked, made in chain(single, created_anew(state, node.subject) if pushes else ()):
            if (conditions := self._may_call(node, asked)) is not None:
                yield _Made(made, asked, conditions)

    def _path_of_call(self, state: RepositoryState, node: ActingAs, call: _Made) -> CallPath:
        least = self._least(node, partial(self._may_call, asked=call.asked), call.conditions)
        arn, account = state.resource.arn, state.resource.account
        places = {**dict.fromkeys(LIFTING, f"for account {account}"), arn: f"on {arn}"}
        registry = f"on the registry of {account}"
        steps = tuple(
            f"{one.action} {places.get(one.action, places.get(one.resource.arn, registry))}" for one in call.asked
        )
        conditions = self._may_call(least, call.asked) or ()
        return state.path.then(least.whole_path, CallPath(steps, conditions=conditions))

    def _manages(self, subject: Subject) -> bool:
        return manages(subject, self._now.resource, self._graph.estate.accounts.values())


def _may_use(resource: Resource, subject: Subject) -> bool:
    """False if it is another account's, of which no policy could let the subject in."""
    is_own = resource.account in (None, subject.principal.account)
    return is_own or any(may_let_in(policy, subject) for policy in resource.policies)


class _Reached:
    """Whom some can act as, and with which changes, as far as that has been found; the nearest first.

    Each change is tried by itself, and once nothing else is left, together with all others that only widen.
    """

    def __init__(self, starts: Iterable[Subject], escalations: Escalations) -> None:
        self._escalations = escalations
        self.nodes = [ActingAs(subject, CallPath(chain=(subject.arn,))) for subject in starts]
        self._origins: dict[str, dict[Hashable, ActingAs]] = defaultdict(dict)
        self._changes: dict[str, dict[Hashable, tuple[IdentityChange, CallPath]]] = defaultdict(dict)
        self._seen: set[object] = {node.name for node in self.nodes}
        self._powers: dict[Hashable, CallPath] = {}
        self._asked = 0
        for node in self.nodes:
            self._origins[node.origin.arn][node.name] = node

    def grow(self) -> bool:
        """Ask those who were found what they can do, until there is one more; False if there is none."""
        known = len(self.nodes)
        while self._asked < len(self.nodes) == known:
            self._ask(self.nodes[self._asked])
            self._asked += 1
        if len(self.nodes) == known:
            for arn, changes in self._changes.items():
                for node in self._origins[arn].values():
                    self._combine(node, tuple(changes.values()))
        return len(self.nodes) > known

    def _ask(self, node: ActingAs) -> None:
        path, power = node.whole_path, self._escalations.power(node)
        for become in self._escalations.becomes_as_itself(power, node):
            self._can_be(become, path)
        if power in self._powers:
            return
        for become in self._escalations.becomes(power, node):
            self._can_be(become, path)
        self._powers[power] = path
        for arn in self._origins:
            self._change(arn, power, path)

    def _can_be(self, become: Become, path: CallPath) -> None:
        """Somebody else, whom it could not act as so far."""
        arn, name = become.to.arn, ActingAs(become.to, path).name
        is_new, origins = arn not in self._origins, self._origins[arn]
        if name not in origins:
            node = origins[name] = ActingAs(become.to, path.then(become))
            self._add(node)
            for one in self._changes[arn].values():
                self._add(replace(node, changes=(one,)))
        for power, before in self._powers.items() if is_new else ():
            self._change(arn, power, before)

    def _change(self, arn: str, power: Hashable, path: CallPath) -> None:
        """Somebody whom it can act as, with what whoever has a power could change of them."""
        known = self._changes[arn]
        for change in self._escalations.changes(power, arn):
            if change.name not in known:
                known[change.name] = change, path
                for node in self._origins[arn].values():
                    self._add(replace(node, changes=((change, path),)))

    def _combine(self, node: ActingAs, changes: tuple[tuple[IdentityChange, CallPath], ...]) -> None:
        if len(changes) < 2:
            return
        safe = tuple(one for one in changes if one[0].only_widens)
        self._add(replace(node, changes=safe))
        for change in changes:
            if not change[0].only_widens:
                self._add(replace(node, changes=(change, *safe)))

    def _add(self, node: ActingAs) -> None:
        if node.name not in self._seen:
            self._seen.add(node.name)
            self.nodes.append(node)
