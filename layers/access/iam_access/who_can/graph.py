"""Who can do what with a resource: directly, or through a chain of roles.

`decide` alone decides; this module finds the candidates and follows the chains of roles. Each answer comes with its
best chain: a certain one before a conditional one before an unknown one, and of equally certain ones the shortest.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from iam_access.arn import iam_arn
from iam_access.document.document import Document, Effect, Statement
from iam_access.document.principal import ANYONE, ROLES_ANYWHERE, WEB_PROVIDERS, Principal
from iam_access.document.steps import Allowance
from iam_access.errors import NamedError
from iam_access.evaluate.principal_match import named_ways
from iam_access.evaluate.request_principal import CallerKind, RequestError, RequestPrincipal, parse_request_principal
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.inventory import Inventory, Policy, Unread
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import printable
from iam_access.who_can.candidates import NOBODY, AllowedSubjects, Candidates
from iam_access.who_can.decide import AccessDecision, Answer, Missing, Permission, Resource, decide
from iam_access.who_can.entering import Elsewhere, entering, unread_account
from iam_access.who_can.evidence import Evidence
from iam_access.who_can.ours import acts_for_others
from iam_access.who_can.resources import OF_SESSIONS, resource_of_role
from iam_access.who_can.subject import (
    ANY_ACCOUNT,
    ANY_SERVICE,
    SERVICE_KEYS,
    Subject,
    as_session,
    of_none,
    outside_subject,
    root_of,
    subject_of,
)

# The accounts that a document names beside `*`: of more, each condition would take too many steps.
_MOST_NAMED = 16
_WORST = (Answer.YES, Answer.CONDITIONAL, Answer.UNKNOWN)
_OF_SERVICES = frozenset({*SERVICE_KEYS, "aws:principalisawsservice"})
_BY_TOKEN = ("sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML")
_RANK = {Answer.YES: 0, Answer.CONDITIONAL: 1, Answer.UNKNOWN: 2, Answer.NO: 3}


def rank(answer: Answer) -> int:
    """The less certain that somebody can, the higher."""
    return _RANK[answer]


class Step(Struct, frozen=True):
    """One link of a chain: who acts, and the decision on what they do: assume the next role, or use the resource."""

    subject: Subject
    permissions: tuple[Permission, ...]
    decision: AccessDecision


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


class Denial(Struct, frozen=True):
    """Why a subject has no access: the permissions that it lacks for doing it directly."""

    subject: Subject
    missing: tuple[Missing, ...]


class Unfinished(NamedError):
    """There was no time for another decision."""

    code = "unfinished"


class Graph:
    """An inventory, prepared for questions; decisions are cached. Raises Unfinished once `has_time` is false.

    `seen_as`: what is asked about in place of each subject, for example with keys left open that the inventory decides.
    """

    def __init__(
        self,
        inventory: Inventory,
        has_time: Callable[[], bool] = lambda: True,
        seen_as: Callable[[Subject], Subject] = lambda subject: subject,
        allowances: defaultdict[str | None, Allowance] | None = None,
    ) -> None:
        self._allowances = defaultdict(Allowance) if allowances is None else allowances
        self.inventory = inventory
        self._has_time = has_time
        self._seen_as = seen_as
        self.subjects = {identity.arn: seen_as(subject_of(identity, inventory)) for identity in inventory.identities()}
        self._by_account: dict[str, list[Subject]] = defaultdict(list)
        for subject in self.subjects.values():
            self._by_account[str(subject.principal.account)].append(subject)
        self.roles = [subject for subject in self.subjects.values() if subject.is_role]
        self._evidence = Evidence(self.together)
        self._others: dict[int, Subject] = {}
        self._shared: dict[object, AccessDecision] = {}
        self._assume: dict[tuple[str, str], AccessDecision] = {}
        self._entering: dict[tuple[str, ...], Mapping[str, AccessPath]] = {}
        self._to_assume: dict[tuple[int, str], tuple[Subject, tuple[Permission, ...]]] = {}
        self._assumers: dict[str, tuple[tuple[Subject, AccessDecision], ...]] = {}
        self._index: dict[str, Candidates] = {}
        self._trusts: dict[str, Resource] = {}
        self._entered: dict[tuple[str, tuple[str, ...]], AccessPath | Denial] = {}
        self._trusts_in: dict[str, Sequence[Subject]] = {}

    def together(self) -> frozenset[str]:
        """The actions that are asked about of one resource after another."""
        return frozenset()

    def subject(self, arn: str) -> Subject:
        """The subject with this ARN: in the inventory, a session of one of its roles, or one of which nothing was read.

        Raises RequestError for a text that is no principal's ARN.
        """
        found = self.subjects.get(arn)
        if found is not None:
            return found
        principal = parse_request_principal(arn)
        account = principal.account
        if account is None or account not in self.inventory.accounts:
            return self._outside(principal, is_class=False)
        if principal.kind is CallerKind.ROOT:
            return self._seen_as(root_of(principal, self.inventory))
        if principal.kind is CallerKind.SESSION:
            for subject in self._by_account[account]:
                if subject.is_role and subject.principal.name == principal.name:
                    return as_session(subject, principal)
        return self._outside(principal, is_class=False)

    def _outside(self, principal: RequestPrincipal, *, is_class: bool) -> Subject:
        return self._seen_as(outside_subject(principal, self.inventory, is_class=is_class))

    def keep(self, subject: Subject) -> Subject:
        """Note a user or role with other policies than in the inventory, so that its decisions are shared too."""
        return self._others.setdefault(id(subject), subject)

    def exists(self, subject: Subject) -> bool:
        """False if the subject is known not to exist; anybody may exist in an account that was not read."""
        account = self.inventory.accounts.get(subject.principal.account or "")
        is_named = subject.principal.kind in (CallerKind.USER, CallerKind.ROLE, CallerKind.SESSION)
        if subject.principal.kind is CallerKind.FEDERATED:
            return self._has_provider(subject.principal)
        return not (is_named and account is not None and account.is_listed and subject.identity is None)

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
        direct = Step(subject, permissions, self.decide(subject, permissions))
        best = None if direct.decision.answer is Answer.NO else AccessPath((direct,))
        if best is not None and subject.principal.kind is CallerKind.SERVICE:
            return best  # what a service may do itself it does not do as a role
        for worst in _WORST:
            if best is not None and _RANK[best.answer] <= _RANK[worst]:
                return best
            path = self._search_from(subject, permissions, worst)
            if path is not None:
                return path
        # What decides may have been found of somebody else who has the same evidence.
        return best or Denial(subject, direct.decision.missing and self.ask(subject, permissions).missing)

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
        return self.through_roles({subject.arn: Step(subject, permissions, decision) for subject, decision in direct})

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
        name = subject.arn, accounts
        found = self._entered.get(name)
        if found is None:
            found = self._entered[name] = self.can(subject, enter(accounts))
        return found

    def anybody_unread(self, account: str) -> Subject:
        """Anybody in an account whose users and roles were not read: their own policies may allow everything."""
        own = (unread_account(account, self.inventory),)
        return replace(self._class_of(account), policies=own, presumed_allowed=False)

    def named(self, permissions: tuple[Permission, ...]) -> dict[str, Subject]:
        """Everybody who may be able to, by ARN or class, but for those who can only as one of a class.

        Classes are all of an account, and anybody.
        """
        found: dict[str, Subject] = {}
        for permission in permissions:
            if permission.resource.arn == "*":
                continue
            allowed = self._allowing(permission.action).of(permission.resource.arn)
            found |= {subject.arn: subject for subject in allowed.of(permission.resource.account)}
            for policy in permission.resource.policies:
                named = self._named_in(policy, permission, NOBODY, services=True, all_of="")
                found |= {subject.arn: subject for subject in named}
        return found

    def from_outside(self, permissions: tuple[Permission, ...], account: str) -> Iterator[AccessPath]:
        """Everybody who can without assuming a role, but for the account's own."""
        for subject, decision in self._direct(permissions, (), but_of=account):
            yield AccessPath((Step(subject, permissions, decision),))

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

    def ways_through(self, paths: Iterable[AccessPath], of: Collection[str]) -> Iterator[AccessPath]:
        """By each path that begins with a role, whoever of these can assume it: not only the best way of each."""
        for path in paths:
            for subject, decision in self.assumers(path.subject):
                if subject.arn in of and subject.arn not in path.chain:
                    yield AccessPath((self._assuming(subject, path.subject, decision), *path.steps))

    def decide(self, subject: Subject, permissions: tuple[Permission, ...]) -> AccessDecision:
        """Can the subject do it without assuming a role? Sessions that a policy names count."""
        if not self._has_time():
            raise Unfinished("there was not enough time to prove who has access")
        if isinstance(elsewhere := permissions[0].resource, Elsewhere):
            allowance = self._allowances[subject.principal.account]
            return entering(subject, _assume_action(subject), elsewhere, self.inventory, allowance)
        if subject.principal.kind is CallerKind.FEDERATED and not permissions[0].resource.trust:
            return AccessDecision(Answer.NO)  # a token opens roles and signs no other call
        access_decision = self._decided(subject, permissions)
        if subject.principal.kind is not CallerKind.ROLE:
            return access_decision
        for session in _sessions_named(subject, permissions):
            named = self.ask(as_session(subject, session), permissions)
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

    def _decided(self, subject: Subject, permissions: tuple[Permission, ...]) -> AccessDecision:
        """The decision, made once for all questions with the same evidence."""
        is_kept = self.subjects.get(subject.arn) is subject or id(subject) in self._others
        evidence = self._evidence.of(subject, permissions) if is_kept else None
        if evidence is None:
            return self.ask(subject, permissions)
        access_decision = self._shared.get(evidence)
        if access_decision is None:
            access_decision = self._shared[evidence] = self.ask(subject, permissions)
        return access_decision

    def ask(self, subject: Subject, permissions: tuple[Permission, ...]) -> AccessDecision:
        """One decision on the subject as it is; the hard ones of an account share the comparisons they may take."""
        return decide(subject, permissions, self._allowances[subject.principal.account])

    def assumers(self, role: Subject) -> tuple[tuple[Subject, AccessDecision], ...]:
        """Who can assume a role, possibly under conditions."""
        if not role.is_role:
            return ()
        assert role.identity is not None
        name = role.identity.arn  # a session of the role starts as any other
        found = self._assumers.get(name)
        if found is None:
            found = self._assumers[name] = tuple(self._find_assumers(self.subjects[name]))
        return found

    def may_assume(self, subject: Subject, role: Subject) -> AccessDecision:
        """Can the subject assume the role: by sts:AssumeRole or, from an identity provider, with its token?"""
        name = subject.arn, role.arn
        access_decision = self._assume.get(name)
        if access_decision is None:
            access_decision = self._assume[name] = self.decide(subject, self.assuming(subject, role))
        return access_decision

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
        found = self._trusts_in.get(subject.arn)
        if found is None:
            found = self._trusts_in[subject.arn] = [role for role in self.roles if may_trust(role, subject)]
        return found

    def _assuming(self, subject: Subject, role: Subject, decision: AccessDecision) -> Step:
        return Step(subject, self.assuming(subject, role), decision)

    def _direct(
        self,
        permissions: tuple[Permission, ...],
        also: Iterable[Subject],
        *,
        but_of: str = "",
        among: Collection[str] | None = None,
    ) -> Iterator[tuple[Subject, AccessDecision]]:
        permission = permissions[0]
        allowed = self._allowing(permission.action).of(permission.resource.arn)
        found = {subject.arn: subject for subject in allowed.of(permission.resource.account)}
        for policy in permission.resource.policies:
            found |= {one.arn: one for one in self._named_in(policy, permission, allowed, services=True)}
        found = {one.arn: one for one in also} | found
        for subject in found.values():
            is_left_out = among is not None and subject.identity is not None and subject.arn not in among
            if subject.principal.account == but_of or is_left_out:
                continue
            decision = self.decide(subject, permissions)
            if decision.answer is not Answer.NO:
                yield subject, decision

    def _find_assumers(self, role: Subject) -> Iterator[tuple[Subject, AccessDecision]]:
        assert role.identity is not None
        trust = role.identity.trust
        if trust is None:
            return
        permission = Permission(_assume_action(role), self._trust_of(role))
        allowed = self._allowing(permission.action).of(role.identity.arn)
        for subject in {one.arn: one for one in self._named_in(trust, permission, allowed, services=False)}.values():
            if subject.arn == role.arn:
                continue
            decision = self.may_assume(subject, role)
            if decision.answer is not Answer.NO:
                yield subject, decision

    def _named_in(
        self,
        policy: Policy,
        permission: Permission,
        allowed: AllowedSubjects,
        *,
        services: bool,
        all_of: str | None = None,
    ) -> Iterator[Subject]:
        """Whom a resource policy's Allow statements could mean; in other accounts, only those in `allowed`.

        `all_of`: the account in which `*` means
        everybody, if it is not the resource's.
        """
        all_of = permission.resource.account if all_of is None else all_of
        document = policy.document
        if not isinstance(document, Document):
            yield from self._anybody(all_of, allowed)
            return
        for statement in document.statements:
            if statement.effect is not Effect.ALLOW or statement.principals is None:
                continue
            # A trust policy has an action for each kind of principal, and no others.
            if not permission.resource.trust and not action_matches(statement.actions, permission.action):
                continue
            if statement.principals.negated or any(value.value == "*" for value in statement.principals.values):
                yield from self._by_other_ways(statement, permission.resource)
            acts = services or acts_for_others(statement, str(permission.resource.account))
            if statement.principals.negated or ANYONE in statement.principals.values:
                yield from self._anybody(all_of, allowed, document)
            for principal in () if statement.principals.negated else statement.principals.values:
                yield from self._named_by(principal, allowed, services=acts)

    def _named_by(self, principal: Principal, allowed: AllowedSubjects, *, services: bool) -> Iterator[Subject]:
        try:
            named = parse_request_principal(principal.value)
        except RequestError:
            return  # a unique ID, or a wildcard that AWS would not take: nobody
        account = named.account
        match named.kind:
            case CallerKind.ROOT:
                yield from self._anybody_of(str(account), named.partition, allowed)
            case CallerKind.SERVICE:
                if services or named.text == ROLES_ANYWHERE:
                    yield self._outside(named, is_class=True)
            case CallerKind.FEDERATED:
                provider = self._outside(named, is_class=True)
                if self.exists(provider):
                    yield provider
            case CallerKind.USER | CallerKind.ROLE | CallerKind.SESSION | CallerKind.FEDERATED_USER:
                subject = self.subject(principal.value)
                if self.exists(subject):
                    yield self.subjects[subject.identity.arn] if subject.identity else subject
            case _:
                pass

    def _by_other_ways(self, statement: Statement, resource: Resource) -> Iterator[Subject]:
        """Whom `*` means besides users and roles: whoever has a token, and services that act for somebody.

        Where whoever has an account is let in anyway, these are nobody more.
        """
        is_of_services = any(ascii_lower(condition.key) in _OF_SERVICES for condition in statement.conditions)
        if acts_for_others(statement, str(resource.account)) if resource.trust else is_of_services:
            yield self._outside(parse_request_principal(ANY_SERVICE), is_class=True)
        if not resource.trust:
            return
        account = self.inventory.accounts.get(str(resource.account))
        known = account.providers if account is not None and not isinstance(account.providers, Unread) else ()
        is_for_tokens = any("." in condition.key.partition(":")[0] for condition in statement.conditions)
        if action_matches(statement.actions, "sts:AssumeRole") and not is_for_tokens:
            return
        if any(action_matches(statement.actions, one) for one in _BY_TOKEN):
            for name in (*sorted(WEB_PROVIDERS), *known):
                yield self._outside(parse_request_principal(name), is_class=True)

    def _anybody(
        self, account: str | None, allowed: AllowedSubjects, document: Document | None = None
    ) -> Iterator[Subject]:
        """Everybody whom `*` could mean: all in an account, elsewhere those whose own policies allow it.

        Anyone else is in none of the accounts that were read, as far as the document tells accounts apart.
        """
        yield from self._by_account.get(account or "", ())
        yield from allowed.everywhere()
        text = f"{account} {document.text if document is not None else ''}"
        named = [one.id for one in self.inventory.accounts.values() if one.is_listed and one.id in text]
        anyone = self._class_of(ANY_ACCOUNT)
        yield anyone if len(named) > _MOST_NAMED else replace(anyone, always=of_none(named))

    def _anybody_of(self, account: str, partition: str, allowed: AllowedSubjects) -> Iterator[Subject]:
        known = self.inventory.accounts.get(account)
        yield from allowed.of(account)
        if known is None or not known.is_listed:
            yield self._class_of(account, partition)

    def _class_of(self, account: str, partition: str = "aws") -> Subject:
        arn = iam_arn(account, "user/anyone", partition)
        user = RequestPrincipal(CallerKind.USER, arn, account, partition, "anyone")
        return self._outside(user, is_class=True)

    def _has_provider(self, provider: RequestPrincipal) -> bool:
        account = self.inventory.accounts.get(provider.account or "")
        if account is None or provider.account is None:
            return True
        known = account.saml if ":saml-provider/" in provider.text else account.providers
        return known is None or isinstance(known, Unread) or provider.text in known

    def assuming(self, subject: Subject, role: Subject) -> tuple[Permission, ...]:
        """What a subject needs to assume a role: also to tag the session, where it cannot do so without a tag."""
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
        without = {action: replace(assume, closed=keys) for action, keys in extras.items()}
        needed = (action for action, bare in without.items() if self.decide(subject, (bare,)).answer is Answer.NO)
        return (assume, *(Permission(action, resource) for action in needed))

    def _trust_of(self, role: Subject) -> Resource:
        assert role.identity is not None
        resource = self._trusts.get(role.identity.arn)
        if resource is None:
            resource = self._trusts[role.identity.arn] = resource_of_role(role.identity, self.inventory)
        return resource

    def may_allow(self, subject: Subject, action: str, resource: str | None = None) -> bool:
        """Could a subject's own policies allow an action, on this resource or on any?"""
        return self._allowing(action).allows(subject, resource)

    def identities_of(self, account: str) -> Sequence[Subject]:
        """The users and roles in an account."""
        return self._by_account.get(account, ())

    def _allowing(self, action: str) -> Candidates:
        candidates = self._index.get(action)
        if candidates is None:
            candidates = self._index[action] = Candidates(action, self.subjects.values())
        return candidates


def enter(accounts: tuple[str, ...]) -> tuple[Permission, ...]:
    """What is needed to assume some role in one of these accounts, which were not read."""
    return (Permission("sts:AssumeRole", Elsewhere("", None, accounts=accounts)),)


def _sessions_named(role: Subject, permissions: Iterable[Permission]) -> Iterator[RequestPrincipal]:
    """The sessions of a role that the resource's policies name, whose answers vary by principal then."""
    resources = (permission.resource for permission in permissions if permission.resource.varies_by_principal)
    names = (name for resource in resources for name in resource.named)
    for name in dict.fromkeys(_of_sessions(role, names)):
        try:
            yield parse_request_principal(name)
        except RequestError:
            continue


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
