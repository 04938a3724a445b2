"""Who can do what with a resource: directly, or through a chain of roles.

`decide` alone decides, of those whom `directory` finds; this module follows the chains of roles. Each answer comes with
its best chain: a certain one before a conditional one before an unknown one, and of equally certain ones the shortest.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import cached_property
from itertools import chain
from operator import attrgetter

from msgspec import Struct, field

from iam_access.arn import iam_arn
from iam_access.document.document import Document, Effect
from iam_access.document.steps import Allowance
from iam_access.errors import NamedError
from iam_access.evaluate.principal_match import named_ways
from iam_access.evaluate.request_principal import CallerKind, RequestPrincipal, principal_named
from iam_access.inventory.inventory import Inventory, Policy, Untried
from iam_access.once import once
from iam_access.text.printable import printable
from iam_access.who_can.candidates import NOBODY
from iam_access.who_can.decide import AccessDecision, Answer, Given, Missing, Permission, Resource, decide
from iam_access.who_can.directory import SubjectDirectory
from iam_access.who_can.entering import Elsewhere, entering
from iam_access.who_can.evidence import Evidence
from iam_access.who_can.federating import (
    OPENING,
    opening,
    own_policies,
    session_names_in,
    session_of,
    tag_keys_in,
    tagging,
)
from iam_access.who_can.resources import OF_SESSIONS, resource_of_role
from iam_access.who_can.subject import (
    Subject,
    as_session,
    in_a_session,
)

_WORST = (Answer.YES, Answer.CONDITIONAL, Answer.UNKNOWN)
_ORDER = attrgetter("order")
_RANK = {Answer.YES: 0, Answer.CONDITIONAL: 1, Answer.UNKNOWN: 2, Answer.NO: 3}


def rank(answer: Answer) -> int:
    """The less certain that somebody can, the higher."""
    return _RANK[answer]


class Step(Struct, frozen=True):
    """One link of a chain: who acts, and the decision on what they do: assume the next role, or use the resource."""

    subject: Subject
    permissions: tuple[Permission, ...]
    decision: AccessDecision
    given: Given | None = None
    """What the decision leaves out."""


class AccessPath(Struct, frozen=True):
    """How a subject gets access: the chain from it to whoever uses the resource."""

    steps: tuple[Step, ...]

    @property
    def subject(self) -> Subject:
        """Where the path starts."""
        return self.steps[0].subject

    @property
    def answer(self) -> Answer:
        """The least certain of its steps."""
        if len(self.steps) == 1:
            return self.steps[0].decision.answer
        return max((step.decision.answer for step in self.steps), key=_RANK.__getitem__)

    @property
    def order(self) -> tuple[int, int, str]:
        """Certain paths first, and of equally certain ones the shortest."""
        return rank(self.answer), len(self.steps), self.subject.arn

    @property
    def chain(self) -> tuple[str, ...]:
        """The ARNs, from the subject to the last role."""
        return tuple(step.subject.arn for step in self.steps)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions of all steps, each once."""
        return tuple(dict.fromkeys(condition for step in self.steps for condition in step.decision.conditions))

    @property
    def unread(self) -> tuple[Policy, ...]:
        """The policies that were not read and could change the answer."""
        return tuple(dict.fromkeys(policy for step in self.steps for policy in step.decision.unread))

    @property
    def is_federated(self) -> bool:
        """Does it lead through a session that a user opens as a federated user?"""
        return any(step.subject.principal.issuer for step in self.steps)

    @property
    def is_too_hard(self) -> bool:
        """Was everything read that could decide it, and does it take more than is tried?"""
        return self.answer is Answer.UNKNOWN and all(isinstance(policy.document, Untried) for policy in self.unread)


class Denial(Struct, frozen=True):
    """Why a subject has no access: the permissions that it lacks for doing it directly."""

    subject: Subject
    missing: tuple[Missing, ...]


class AccountBudgets(Struct):
    """The steps that the decisions on each account's people in each account may take.

    So one account's people, who write the policies of both, cannot use up the time for all others. `undecided`: of
    whom and where not everything was decided, "" for whoever is in no inventory; their answer counts as no.
    """

    own: int
    """On its own people, and on outsiders, in an account."""
    between: int
    """On one account's people in another."""
    spent: Counter[tuple[str, str]] = field(default_factory=Counter)
    undecided: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, accounts: int) -> "AccountBudgets":
        """For so many accounts: some minutes for all, and for each of them a multiple of what roles by tags take.

        400 roles of which policies tell nothing apart but names take some 6,000 steps in another account.
        """
        number = max(accounts, 1)
        own = min(max(_OF_ALL // number, _LEAST), _MOST)
        return cls(own, max(own // number, _OF_A_PAIR))

    def allows(self, pair: tuple[str, str]) -> bool:
        """Are there steps left? If not, that is noted."""
        is_left = self.spent[pair] < (self.own if pair[0] in ("", pair[1]) else self.between)
        if not is_left:
            self.undecided.add(pair)
        return is_left


_OF_ALL, _MOST, _LEAST, _OF_A_PAIR = 120_000_000, 10_000_000, 2_000_000, 50_000
_UNDECIDED = AccessDecision(Answer.NO)


def _pair(subject: Subject, account: str | None) -> tuple[str, str]:
    return str(subject.principal.account) if subject.identity else "", str(account)


class _OverBudget(Exception):
    """There are no steps left for a decision: nothing is known of it, and nothing kept."""


class Unfinished(NamedError, code="unfinished"):
    """There was no time for another decision."""


class Graph(SubjectDirectory):
    """An inventory, prepared for questions; decisions are cached. Raises Unfinished once `has_time` is false.

    `seen_as`: as of a SubjectDirectory. `budgets`: None for as many steps as it takes. `is_whole`: nothing was to be
    read besides the inventory, so that what it does not list is not unknown.
    """

    is_whole = False

    def __init__(
        self,
        inventory: Inventory,
        has_time: Callable[[], bool] = lambda: True,
        seen_as: Callable[[Subject], Subject] = lambda subject: subject,
        allowances: defaultdict[str | None, Allowance] | None = None,
        budgets: AccountBudgets | None = None,
    ) -> None:
        super().__init__(inventory, seen_as)
        self.budgets = budgets
        self._allowances = defaultdict(Allowance) if allowances is None else allowances
        self._has_time = has_time
        self._evidence = Evidence(self.repeated_actions)
        self._others: dict[int, Subject] = {}
        self._shared: dict[object, AccessDecision] = {}
        self._assume: dict[tuple[str, str], AccessDecision] = {}
        self._entering: dict[tuple[str, ...], Mapping[str, AccessPath]] = {}
        self._to_assume: dict[tuple[int, str], tuple[Subject, tuple[Permission, ...]]] = {}
        self._assumers: dict[str, tuple[tuple[Subject, AccessDecision], ...]] = {}
        self._trusts: dict[str, Resource] = {}
        self._entered: dict[tuple[str, tuple[str, ...]], AccessPath | Denial] = {}
        self._trusts_in: dict[str, Sequence[Subject]] = {}

    @property
    def later(self) -> "Graph":
        """The same for whoever has all the time there is, also in the roles that they take."""
        return self

    def repeated_actions(self) -> frozenset[str]:
        """The actions that are asked about of one resource after another."""
        return frozenset()

    def keep(self, subject: Subject) -> Subject:
        """Note a user or role with other policies than in the inventory, so that its decisions are shared too."""
        return self._others.setdefault(id(subject), subject)

    def reachable(self, subject: Subject) -> Iterator[tuple[Subject, ...]]:
        """The shortest chain to each role that a subject can assume, possibly under conditions."""
        seen = {subject.arn}
        queue: deque[tuple[Subject, ...]] = deque([(subject,)])
        while queue:
            chain = queue.popleft()
            for role in self._trusting(chain[-1]):
                if role.arn in seen:
                    continue
                if self.may_assume(chain[-1], role).answer in (Answer.YES, Answer.CONDITIONAL):
                    seen.add(role.arn)
                    yield (*chain, role)
                    queue.append((*chain, role))

    def can(self, subject: Subject, permissions: tuple[Permission, ...]) -> AccessPath | Denial:
        """The best path of one subject, searched from the subject towards the resource."""
        if self._is_federated(subject):
            return self._as_opened(subject, permissions)
        best = self.can_itself(subject, permissions)
        if best is None or best.answer is not Answer.YES:
            best = min((*([best] if best else ()), *self._federating(subject, permissions)), key=_ORDER, default=None)
        if best is not None:
            return best
        # What decides may have been found of somebody else who has the same evidence.
        return Denial(subject, self.decide(subject, permissions).missing and self.ask(subject, permissions).missing)

    def can_itself(self, subject: Subject, permissions: tuple[Permission, ...]) -> AccessPath | None:
        """The best path of one subject, but for those by sessions that it opens as a federated user."""
        direct = Step(subject, permissions, self.decide(subject, permissions))
        best = None if direct.decision.answer is Answer.NO else AccessPath((direct,))
        if best is not None and subject.principal.kind is CallerKind.SERVICE:
            return best  # what a service may do itself it does not do as a role
        for worst in _WORST:
            if best is not None and _RANK[best.answer] <= _RANK[worst]:
                break
            path = self._search_from(subject, permissions, worst)
            if path is not None:
                return path
        return best

    def who_can(
        self,
        permissions: tuple[Permission, ...],
        *,
        also: Iterable[Subject] = (),
        among: Collection[str] | None = None,
    ) -> dict[str, AccessPath]:
        """Everybody who can, by ARN or class, each with the best path; `also`: further candidates.

        `among`: those users and roles alone, and whoever reaches it through them; None: all.
        """
        direct = self._direct(permissions, also, among=among)
        paths = self.through_roles({one.arn: Step(one, permissions, decision) for one, decision in direct})
        for user in self._federators:
            best = paths.get(user.arn)
            if (among is None or user.arn in among) and (best is None or best.answer is not Answer.YES):
                ways = (*([best] if best is not None else ()), *self._federating(user, permissions))
                if ways:
                    paths[user.arn] = min(ways, key=_ORDER)
        return paths

    @cached_property
    def _federators(self) -> Sequence[Subject]:
        """The users whose policies could let them open sessions as federated users."""
        return [one for one in self.subjects.values() if not one.is_role and self.may_allow(one, OPENING)]

    def _is_federated(self, subject: Subject) -> bool:
        """Is it a federated user's session of an account of which all users were read, and so of one of these?"""
        principal = subject.principal
        return principal.kind is CallerKind.FEDERATED_USER and self.is_listed(principal.account)

    def _federating(self, user: Subject, permissions: tuple[Permission, ...]) -> Iterator[AccessPath]:
        """The ways of a user by the sessions that it opens as a federated user."""
        if user.principal.kind is CallerKind.USER and self.may_allow(user, OPENING):
            for arn in session_names_in(self._distinguishing(user, permissions), user):
                yield from self._opened(user, arn, permissions)

    def _opened(self, user: Subject, arn: str, permissions: tuple[Permission, ...]) -> Iterator[AccessPath]:
        """The way by one session, if the user may open it and the session can."""
        asked = opening(user, arn)
        opens = Step(user, asked, self.decide(user, asked))
        if opens.decision.answer is Answer.NO or isinstance(permissions[0].resource, Elsewhere):
            return
        tags = (key for key in tag_keys_in(self._distinguishing(user, permissions)) if self._may_tag(user, arn, key))
        session = session_of(user, arn, tags)
        acts = Step(session, permissions, self.ask(session, permissions))
        if acts.decision.answer is not Answer.NO:
            yield AccessPath((opens, acts))

    def _distinguishing(self, user: Subject, permissions: tuple[Permission, ...]) -> Sequence[Policy]:
        """What may tell a session apart from its user."""
        resources = [one.resource for one in permissions]
        controls = (policy for one in resources for policy in chain.from_iterable(one.control))
        return (*own_policies(user), *controls, *(policy for one in resources for policy in one.policies))

    def _may_tag(self, user: Subject, session: str, key: str) -> bool:
        asked = (tagging(user, on, key) for on in (session, user.arn))
        return any(self.ask(user, one).answer is not Answer.NO for one in asked)

    def _as_opened(self, session: Subject, permissions: tuple[Permission, ...]) -> AccessPath | Denial:
        """What a federated user's session can: by itself, or by who opened it with which policy."""
        root = self.subject(iam_arn(str(session.principal.account), "root", session.principal.partition))
        openers = (*self.allowing(OPENING).of(session.arn).of(session.principal.account), root)
        found = [path for one in openers if not one.is_role for path in self._opened(one, session.arn, permissions)]
        if not found:
            return Denial(session, ())
        best = min(found, key=_ORDER)
        last = best.steps[-1]
        without_policy = replace(last.subject, principal=session.principal)
        alone = self.ask(without_policy, permissions)
        if alone.answer is Answer.YES:
            return AccessPath((replace(last, subject=without_policy, decision=alone),))
        condition = f"{printable(best.subject.arn)} opened the session with a policy that allows it"
        answer = Answer.UNKNOWN if last.decision.answer is Answer.UNKNOWN else Answer.CONDITIONAL
        decision = replace(last.decision, answer=answer, conditions=(condition, *last.decision.conditions))
        return AccessPath((replace(last, decision=decision),))

    def entering(self, accounts: tuple[str, ...]) -> Mapping[str, AccessPath]:
        """Everybody who could assume a role in an account that was not read, by ARN."""
        if accounts not in self._entering:
            asked = enter(accounts)
            steps = {
                subject.arn: Step(subject, asked, self.decide(subject, asked)) for subject in self.subjects.values()
            }
            could = {arn: step for arn, step in steps.items() if step.decision.answer is not Answer.NO}
            self._entering[accounts] = self.through_roles(could)
        return self._entering[accounts]

    def may_enter(self, subject: Subject, accounts: tuple[str, ...]) -> AccessPath | Denial:
        """Could a subject assume a role in an account that was not read? Found once for each of the inventory."""
        if self.subjects.get(subject.arn) is not subject:
            return self.can(subject, enter(accounts))
        return once(self._entered, (subject.arn, accounts), lambda: self.can(subject, enter(accounts)))

    def named(self, permissions: tuple[Permission, ...]) -> dict[str, Subject]:
        """Everybody who may be able to, by ARN or class, but for those who can only as one of a class.

        Classes are all of an account, and anybody.
        """
        found: dict[str, Subject] = {}
        for permission in permissions:
            if permission.resource.arn == "*":
                continue
            allowed = self.allowing(permission.action).of(permission.resource.arn)
            found |= {subject.arn: subject for subject in allowed.of(permission.resource.account)}
            for policy in permission.resource.policies:
                named = self.meant_by(policy, permission, NOBODY, services=True, all_of="")
                found |= {subject.arn: subject for subject in named}
        return found

    @cached_property
    def entered(self) -> Sequence[tuple[Subject, Step]]:
        """Each role that somebody in no inventory may assume, with the step by which they do."""
        found: list[tuple[Subject, Step]] = []
        for role in self.roles:
            trust = (Permission(_assume_action(role), self._trust_of(role)),)
            for subject in self._outsiders_in(trust, services=False):
                decision = self.may_assume(subject, role)
                if decision.answer is not Answer.NO:
                    found.append((role, self._assuming(subject, role, decision)))
        return found

    def directly(self, permissions: tuple[Permission, ...]) -> dict[str, AccessPath]:
        """Whoever is in no inventory and can, by itself or as one role, by ARN or class: no chain is followed."""
        asked = ((one, self.decide(one, permissions)) for one in self._outsiders_in(permissions, services=True))
        paths = [AccessPath((Step(subject, permissions, decision),)) for subject, decision in asked]
        possible = self._possible(permissions) if self.entered else {}
        paths += (
            AccessPath((enters, Step(role, permissions, self.decide(role, permissions))))
            for role, enters in self.entered
            if role.arn in possible
        )
        able = (path for path in sorted(paths, key=_ORDER, reverse=True) if path.answer is not Answer.NO)
        return {path.subject.arn: path for path in able}

    def _outsiders_in(self, permissions: tuple[Permission, ...], *, services: bool) -> Collection[Subject]:
        """Those in no inventory whom the policies of resources mean."""
        each = (
            self.meant_by(policy, one, NOBODY, services=services, all_of="")
            for one in permissions
            for policy in one.resource.policies
        )
        return {one.arn: one for one in chain.from_iterable(each) if one.identity is None}.values()

    def from_outside(
        self, permissions: tuple[Permission, ...], account: str, *, only: str = ""
    ) -> Iterator[AccessPath]:
        """Everybody, or `only` one ARN, who can without assuming a role, but for the account's own; by the best way."""
        direct = self._direct(permissions, (), but_of=account, only=only)
        paths = [AccessPath((Step(subject, permissions, decision),)) for subject, decision in direct]
        paths += (
            way
            for user in self._federators
            if user.principal.account != account and only in ("", user.arn)
            for way in self._federating(user, permissions)
        )
        yield from {path.subject.arn: path for path in sorted(paths, key=_ORDER, reverse=True)}.values()

    def through_roles(self, direct: Mapping[str, Step]) -> dict[str, AccessPath]:
        """Whoever can directly, and everybody who reaches one of them through roles, each with the best path."""
        paths: dict[str, AccessPath] = {}
        answers = {step.decision.answer for step in direct.values()}
        for worst in _WORST:
            if worst not in answers:
                continue  # no step is as uncertain: nobody more is reached
            reached = {
                arn: AccessPath((step,)) for arn, step in direct.items() if _RANK[step.decision.answer] <= _RANK[worst]
            }
            queue = deque(reached.values())
            while queue:
                path = queue.popleft()
                for subject, decision in self.assumers(path.subject):
                    answers.add(decision.answer)
                    if _RANK[decision.answer] <= _RANK[worst] and subject.arn not in reached:
                        reached[subject.arn] = longer = AccessPath(
                            (self._assuming(subject, path.subject, decision), *path.steps)
                        )
                        queue.append(longer)
            for arn, path in reached.items():
                paths.setdefault(arn, path)
        return paths

    def ways_through(self, paths: Mapping[str, AccessPath], of: Collection[str]) -> Iterator[AccessPath]:
        """The other ways of these, as certain as their best one; `paths`: by ARN, of which those of roles lead further.

        Of whoever is not in the inventory and cannot for certain, also less certain ones.
        """
        through = (
            AccessPath((self._assuming(subject, path.subject, decision), *path.steps))
            for path in paths.values()
            for subject, decision in self.assumers(path.subject)
            if subject.arn in of and subject.arn not in path.chain
        )
        last = ((paths[arn].subject, paths[arn].steps[-1].permissions) for arn in of if len(paths[arn].steps) > 1)
        asked = (one for one in last if one[0].principal.account != one[1][0].resource.account)
        for way in (*through, *(AccessPath((Step(*one, self.decide(*one)),)) for one in asked)):
            best = paths[way.subject.arn]
            is_open = way.subject.identity is None and best.answer is not Answer.YES and way.answer is not Answer.NO
            if way.chain != best.chain and (is_open or rank(way.answer) <= rank(best.answer)):
                yield way

    def decide(
        self, subject: Subject, permissions: tuple[Permission, ...], given: Given | None = None
    ) -> AccessDecision:
        """Can the subject do it without assuming a role? Sessions that a policy names count.

        `given`: as of who_can.decide.
        """
        if not self._has_time():
            raise Unfinished("there was not enough time to prove who has access")
        if isinstance(elsewhere := permissions[0].resource, Elsewhere):
            allowance = self._allowances[subject.principal.account]
            return entering(subject, _assume_action(subject), elsewhere, self.inventory, allowance)
        if subject.principal.kind is CallerKind.FEDERATED and not permissions[0].resource.trust:
            return AccessDecision(Answer.NO)  # a token opens roles and signs no other call
        try:
            access_decision = self._ask(subject, permissions, given) if given else self._decided(subject, permissions)
        except _OverBudget:
            return _UNDECIDED
        if subject.principal.kind is not CallerKind.ROLE:
            return access_decision
        for session in _sessions_named(subject, permissions):
            named = self.ask(as_session(subject, session), permissions, given)
            name = f'named "{printable(session.text.rpartition("/")[2])}"'
            if access_decision.answer is Answer.YES and named.answer is Answer.NO:
                access_decision = replace(
                    access_decision, answer=Answer.CONDITIONAL, conditions=(f"the session is not {name}",)
                )
            elif access_decision.answer in (Answer.NO, Answer.UNKNOWN) and named.answer in (
                Answer.YES,
                Answer.CONDITIONAL,
            ):
                conditions = (f"the session is {name}", *named.conditions)
                access_decision = replace(named, answer=Answer.CONDITIONAL, conditions=conditions)
        return access_decision

    def excess(self, step: Step, given: Given) -> Step | None:
        """A step as far as it is possible in requests besides those that are given; None if it is not."""
        decision = self.decide(step.subject, step.permissions, given)
        return None if decision.answer is Answer.NO else replace(step, decision=decision, given=given)

    def _decided(self, subject: Subject, permissions: tuple[Permission, ...]) -> AccessDecision:
        """The decision, made once for all questions with the same evidence."""
        is_kept = self.subjects.get(subject.arn) is subject or id(subject) in self._others
        evidence = self._evidence.of(subject, permissions) if is_kept else None
        if evidence is None:
            return self._ask(subject, permissions)
        return once(self._shared, evidence, lambda: self._ask(subject, permissions))

    def evidence(self, subject: Subject, permissions: tuple[Permission, ...]) -> int | None:
        """The number of all that decides it for one of the inventory, the same where the same does; None if unknown."""
        return self._evidence.of(subject, permissions) if self.subjects.get(subject.arn) is subject else None

    def ask(self, subject: Subject, permissions: tuple[Permission, ...], given: Given | None = None) -> AccessDecision:
        """One decision on the subject as it is; the hard ones of an account share the comparisons they may take."""
        try:
            return self._ask(subject, permissions, given)
        except _OverBudget:
            return _UNDECIDED

    def _ask(self, subject: Subject, permissions: tuple[Permission, ...], given: Given | None = None) -> AccessDecision:
        """As `ask`; raises _OverBudget."""
        allowance, budgets = self._allowances[subject.principal.account], self.budgets
        if budgets is None:
            return decide(subject, permissions, allowance, given)
        where = permissions[0].resource.account
        if self._is_over_budget(subject, where):
            raise _OverBudget
        before = allowance.spent
        decision = decide(subject, permissions, allowance, given)
        budgets.spent[_pair(subject, where)] += allowance.spent - before
        return decision

    def _is_over_budget(self, subject: Subject, account: str | None) -> bool:
        return self.budgets is not None and not self.budgets.allows(_pair(subject, account))

    def assumers(self, role: Subject) -> tuple[tuple[Subject, AccessDecision], ...]:
        """Who can assume a role, possibly under conditions."""
        if not role.is_role:
            return ()
        assert role.identity is not None
        name = role.identity.arn  # a session of the role starts as any other
        return once(self._assumers, name, lambda: tuple(self._find_assumers(self.subjects[name])))

    def may_assume(self, subject: Subject, role: Subject) -> AccessDecision:
        """Can the subject assume the role: by sts:AssumeRole or, from an identity provider, with its token?"""
        name = subject.arn, role.arn
        if name not in self._assume and self._is_over_budget(subject, role.principal.account):
            return _UNDECIDED
        return once(self._assume, name, lambda: self.decide(self._taking(subject, role), self.assuming(subject, role)))

    def _taking(self, subject: Subject, role: Subject) -> Subject:
        assert role.identity is not None
        return in_a_session(subject, self.inventory.taken_at, role.identity)

    def _search_from(self, subject: Subject, permissions: tuple[Permission, ...], worst: Answer) -> AccessPath | None:
        """The shortest chain from a subject on which no step is less certain than `worst`."""
        seen = {subject.arn}
        queue: deque[tuple[Subject, tuple[Step, ...]]] = deque([(subject, ())])
        while queue:
            here, steps = queue.popleft()
            for role in self._trusting(here):
                if role.arn in seen:
                    continue
                decision = self.may_assume(here, role)
                if _RANK[decision.answer] > _RANK[worst]:
                    continue
                seen.add(role.arn)
                longer = (*steps, self._assuming(here, role, decision))
                acts = self.decide(role, permissions)
                if _RANK[acts.answer] <= _RANK[worst]:
                    return AccessPath((*longer, Step(role, permissions, acts)))
                queue.append((role, longer))
        return None

    def _trusting(self, subject: Subject) -> Sequence[Subject]:
        """The roles whose trust policies could allow a subject."""
        return once(self._trusts_in, subject.arn, lambda: [role for role in self.roles if may_trust(role, subject)])

    def _assuming(self, subject: Subject, role: Subject, decision: AccessDecision) -> Step:
        return Step(subject, self.assuming(subject, role), decision)

    def _direct(
        self,
        permissions: tuple[Permission, ...],
        also: Iterable[Subject],
        *,
        but_of: str = "",
        only: str = "",
        among: Collection[str] | None = None,
    ) -> Iterator[tuple[Subject, AccessDecision]]:
        found = {one.arn: one for one in also} | self._possible(permissions)
        for subject in found.values():
            is_left_out = among is not None and subject.identity is not None and subject.arn not in among
            if subject.principal.account == but_of or is_left_out or only not in ("", subject.arn):
                continue
            decision = self.decide(subject, permissions)
            if decision.answer is not Answer.NO:
                yield subject, decision

    def _possible(self, permissions: tuple[Permission, ...]) -> dict[str, Subject]:
        """Everybody of whom it is to be decided, by ARN: nobody else can."""
        first = permissions[0]
        allowed = self.allowing(first.action).of(first.resource.arn)
        found = {subject.arn: subject for subject in allowed.of(first.resource.account)}
        for permission in permissions:
            named = (self.meant_by(one, permission, allowed, services=True) for one in permission.resource.policies)
            # Each may be allowed to others, of whom somebody is both; of the resource's account the first says it all.
            own = None if permission is first else first.resource.account
            found |= {one.arn: one for each in named for one in each if own is None or one.principal.account != own}
        return found

    def _find_assumers(self, role: Subject) -> Iterator[tuple[Subject, AccessDecision]]:
        assert role.identity is not None
        trust = role.identity.trust
        if trust is None:
            return
        permission = Permission(_assume_action(role), self._trust_of(role))
        allowed = self.allowing(permission.action).of(role.identity.arn)
        for subject in {one.arn: one for one in self.meant_by(trust, permission, allowed, services=False)}.values():
            if subject.arn == role.arn:
                continue
            decision = self.may_assume(subject, role)
            if decision.answer is not Answer.NO:
                yield subject, decision

    def assuming(self, subject: Subject, role: Subject) -> tuple[Permission, ...]:
        """The permissions that a subject needs to assume a role; that to tag the session where the role asks for a tag.

        Where it may not tag the session, the request has no tag.
        """
        assert role.identity is not None
        name = id(subject), role.identity.arn
        found = self._to_assume.get(name)
        if found is None:
            found = subject, self._find_assuming(subject, role)
            if subject.identity is not None:
                # With the subject, so that no other takes its ID.
                self._to_assume[name] = found
        return found[1]

    def _find_assuming(self, subject: Subject, role: Subject) -> tuple[Permission, ...]:
        resource = self._trust_of(role)
        assume = Permission(_assume_action(subject), resource)
        extras = {action: keys for action, keys in OF_SESSIONS.items() if not set(keys) <= {*resource.closed}}
        if not extras or self.decide(subject, (assume,)).answer is not Answer.CONDITIONAL:
            return (assume,)
        needed: list[Permission] = []
        absent: list[str] = []
        for action, keys in extras.items():
            setting = Permission(action, resource)
            if self.decide(subject, (replace(assume, closed=keys),)).answer is Answer.NO:
                needed.append(setting)
            elif self.decide(subject, (setting,)).answer is Answer.NO:
                absent += keys
        return (replace(assume, closed=tuple(absent)), *needed)

    def _trust_of(self, role: Subject) -> Resource:
        identity = role.identity
        assert identity is not None
        return once(self._trusts, identity.arn, lambda: resource_of_role(identity, self.inventory))


def enter(accounts: tuple[str, ...]) -> tuple[Permission, ...]:
    """What is needed to assume some role in one of these accounts, which were not read."""
    return (Permission("sts:AssumeRole", Elsewhere("", None, accounts=accounts)),)


def _sessions_named(role: Subject, permissions: Iterable[Permission]) -> Iterator[RequestPrincipal]:
    """The sessions of a role that the resource's policies name, whose answers vary by principal then."""
    resources = (permission.resource for permission in permissions if permission.resource.varies_by_principal)
    names = (name for resource in resources for name in resource.named)
    return filter(None, map(principal_named, dict.fromkeys(_of_sessions(role, names))))


def _of_sessions(role: Subject, names: Iterable[str]) -> Iterator[str]:
    """Those of the names of principals that are sessions of a role."""
    start = f"arn:{role.principal.partition}:sts::{role.principal.account}:assumed-role/{role.principal.name}/"
    return (name for name in names if name.startswith(start))


def _assume_action(subject: Subject) -> str:
    match subject.principal.kind:
        case CallerKind.FEDERATED if ":saml-provider/" in subject.arn:
            return "sts:AssumeRoleWithSAML"
        case CallerKind.FEDERATED:
            return "sts:AssumeRoleWithWebIdentity"
        case _:
            return "sts:AssumeRole"


def may_trust(role: Subject, subject: Subject) -> bool:
    """Could the role's trust policy allow this subject?"""
    trust = role.identity.trust if role.identity else None
    return trust is not None and may_let_in(trust, subject)


def may_let_in(policy: Policy, subject: Subject) -> bool:
    """Could a policy of a resource allow this subject something?"""
    if not isinstance(policy.document, Document):
        return True
    named = (
        one.value for statement in policy.statements if statement.principals for one in statement.principals.values
    )
    if subject.principal.kind is CallerKind.ROLE and any(_of_sessions(subject, named)):
        return True
    return any(
        statement.effect is Effect.ALLOW
        and statement.principals is not None
        and named_ways(statement.principals, subject.principal, Effect.ALLOW)
        for statement in policy.document.statements
    )
