"""One decision: does this subject have all of these permissions, in one and the same session?

The engine evaluates each action (policy.evaluate) under every context that could change the answer. A policy that could
not be read is assumed once to allow everything and once to deny everything: if the answers agree, they are certain.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from copy import replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum

from msgspec import Struct, field

from iam_access.document.condition import CanonicalClause, Clause, canonical_clauses, parse_operator
from iam_access.document.document import VARIABLES_VERSION, Document, Effect, Statement, parse_document
from iam_access.document.steps import Allowance, Steps, TooManySteps
from iam_access.document.values import moment, number
from iam_access.document.variables import completed_arn, literal_glob, variables_in, widest_glob
from iam_access.evaluate.actions import is_plain
from iam_access.evaluate.condition_match import clause_holds
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.principal_match import named_ways
from iam_access.evaluate.request import ANY_RESOURCE, Request, make_request
from iam_access.evaluate.request_principal import CallerKind, RequestError
from iam_access.evaluate.statement_match import Allowed, Decision, ExplicitlyDenied, Reason, action_matches
from iam_access.inventory.inventory import Levels, Policy, Untried
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import first, printable, show_time
from iam_access.who_can.condition_text import VALUES_SHOWN, condition_texts, keys_of_variables
from iam_access.who_can.contexts import LONG, Context, Contexts, contexts_of
from iam_access.who_can.rewrite import at_best, joined, without_variables
from iam_access.who_can.subject import ALLOW_EVERYTHING, Subject

_VARIABLE = re.compile(r"\$\{([^}\s,]+)")
_MOST_STARTS = 20
_DENY_EVERYTHING = parse_document({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
_ALLOW_EVERYBODY = parse_document({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}})
_ALLOW_NOBODY = parse_document({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}})


class Answer(StrEnum):
    """Whether somebody can do something."""

    YES = "yes"
    NO = "no"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


class Resource(Struct, frozen=True):
    """A resource: its ARN, the account that owns it, and the policies that are attached to it."""

    arn: str
    account: str | None
    policies: tuple[Policy, ...] = ()
    trust: bool = False
    """`policies` is a role's trust policy."""
    control: Levels = ()
    """The resource control policies."""
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    """What keys begin with that are certainly absent where `keys` does not have them, as a role's tags."""
    always: tuple[CanonicalClause, ...] = ()
    """What the values of its keys have in common."""
    named: Mapping[str, tuple[tuple[int, Statement], ...]] = field(default_factory=dict)
    """Every principal that its policies name, with the statements that do, numbered as in all policies together."""
    varies_by_principal: bool = True
    """Can the answer depend on more than what its policies say of a principal by its name or its account?"""
    otherwise: "Resource | None" = None
    """How it is if something that was not read of it, `in_doubt`, is the other of two ways."""
    in_doubt: Policy | None = None


class Permission(Struct, frozen=True):
    """One action on one resource."""

    action: str
    resource: Resource
    closed: tuple[str, ...] = ()
    """What keys begin with that no request for the action has."""


class Given(Struct, frozen=True):
    """What a question leaves out: requests that would be allowed with these policies in place of the real ones."""

    own: tuple[Policy, ...]
    """The subject's own policies."""
    permissions: tuple[Permission, ...]
    """The same requests, on resources with other policies."""


class Missing(Struct, frozen=True):
    """An action that is not allowed, and why: what denies it, or the sides that do not allow it."""

    permission: Permission
    reasons: tuple[Reason, ...]
    denied: bool


class AccessDecision(Struct, frozen=True):
    """The answer, and what it rests on."""

    answer: Answer
    because: tuple[Reason, ...] = ()
    """The statements that allow it."""
    missing: tuple[Missing, ...] = ()
    """For no, what is not allowed."""
    conditions: tuple[str, ...] = ()
    """For conditional, what has to hold."""
    unread: tuple[Policy, ...] = ()
    """For unknown, the policies that could change the answer."""


class Assumed(Enum):
    """What is assumed of a policy that could not be read."""

    ALLOWS = "allows everything"
    DENIES = "denies everything"


def decide(
    subject: Subject,
    permissions: Sequence[Permission],
    allowance: Allowance | None = None,
    given: Given | None = None,
) -> AccessDecision:
    """Does the subject have all permissions? Each action is evaluated against all policies that apply to it.

    Whatever the policies say, a bounded number of comparisons decides it; what would take more is unknown.
    `allowance`: for all questions of some kind together. `given`: does it have them in requests besides these?
    """
    if any(_is_elsewhere(permission.resource, subject) for permission in permissions):
        return AccessDecision(Answer.NO)
    doubts = tuple(
        dict.fromkeys(
            permission.resource.in_doubt for permission in permissions if permission.resource.in_doubt is not None
        )
    )
    try:
        with (allowance or Allowance()).steps() as steps:
            access_decision = _decide(subject, permissions, steps, given)
            if not doubts:
                return access_decision
            others = given and replace(given, permissions=_otherwise(given.permissions))
            if _decide(subject, _otherwise(permissions), steps, others).answer is access_decision.answer:
                return access_decision
    except TooManySteps:
        return AccessDecision(Answer.UNKNOWN, unread=(_UNCOMPARED,))
    return replace(access_decision, answer=Answer.UNKNOWN, unread=(*access_decision.unread, *doubts))


def _otherwise(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(replace(one, resource=one.resource.otherwise or one.resource) for one in permissions)


def _is_elsewhere(resource: Resource, subject: Subject) -> bool:
    """Is it about another account as a whole? A call that names no resource is about the caller's own."""
    return resource.arn == ANY_RESOURCE and resource.account not in (None, subject.principal.account)


def _decide(subject: Subject, permissions: Sequence[Permission], steps: Steps, given: Given | None) -> AccessDecision:
    worst = Case(subject, permissions, steps=steps, given=given).decision()
    unread = tuple(_unread(subject, permissions))
    if not unread:
        return worst
    best = Case(subject, permissions, Assumed.ALLOWS, steps, given).decision()
    if best.answer is not worst.answer:
        return AccessDecision(Answer.UNKNOWN, best.because, best.missing, best.conditions, unread)
    # What was not read is neither why a yes is one, nor why a no is.
    return best if best.answer is Answer.NO else worst


def _unread(subject: Subject, permissions: Iterable[Permission]) -> Iterator[Policy]:
    seen: dict[str, Policy] = {}
    for policy in _all_policies(subject, permissions):
        if not isinstance(policy.document, Document):
            seen.setdefault(policy.name, policy)
    yield from seen.values()


def _all_policies(subject: Subject, permissions: Iterable[Permission]) -> Iterator[Policy]:
    yield from subject.policies
    if subject.boundary is not None:
        yield subject.boundary
    for level in subject.service_control:
        yield from level
    for permission in permissions:
        yield from permission.resource.policies
        for level in permission.resource.control:
            yield from level


class _ActionQuestion(Struct, frozen=True):
    """One action of a question: the request, with the keys that are certain, and the policies that apply to it."""

    permission: Permission
    request: Request
    policies: Policies
    absent: tuple[str, ...]
    """What keys begin with that the request cannot have."""
    brings: tuple[str, ...]
    """As `Subject.brings`."""
    first: int
    """The index of the first action that nothing tells apart from it, by which it is allowed too."""
    size: int
    """Of the texts in conditions, in steps."""

    def lacks(self, key: str) -> bool:
        """Can the request not have this key, one of another service that nothing brings along, for example?"""
        service = key.partition(":")[0]
        if service == "aws" or self.permission.action.lower().startswith(f"{service}:"):
            return key.startswith(self.absent)
        return service in _OF_SESSIONS_AND_POLICIES or not key.startswith(self.brings)

    def verdict(self, context: Context, steps: Steps) -> Decision:
        """The decision in a context, which gives values to keys that are not certain; raises TooManySteps."""
        request = self.request
        if context:
            given = {key: values for key, values in context.items() if not self.lacks(key)}
            if _CLOCK in given and _SECONDS not in given:
                given[_SECONDS] = tuple(str(at) for at in map(moment, given[_CLOCK]) if at is not None)
            request = replace(request, context={**request.context, **given, **self.permission.resource.keys})
            # A long text is compared with each of the request's values.
            steps.spend(self.size * (1 + sum(len(value) for values in given.values() for value in values) // LONG))
        try:
            return evaluate(request, self.policies, steps)
        except RequestError as error:
            raise TooManySteps from error


class Case:
    """One question under one assumption about what could not be read; its methods raise TooManySteps."""

    def __init__(
        self,
        subject: Subject,
        permissions: Sequence[Permission],
        unread: Assumed = Assumed.DENIES,
        steps: Steps | None = None,
        given: Given | None = None,
    ) -> None:
        self._steps = steps or Steps()
        self._subject = subject
        self._permissions = permissions
        self._assumes_allowed = unread is Assumed.ALLOWS
        self.spelling: dict[str, str] = {}
        self._wanted: list[frozenset[CanonicalClause]] = []
        self._questions = tuple(self._all_questions())
        self._distinct = tuple(one for index, one in enumerate(self._questions) if one.first == index)
        self._allowed: dict[frozenset[tuple[str, tuple[str, ...]]], bool] = {}
        self._given = (
            Case(replace(subject, policies=given.own), given.permissions, unread, self._steps) if given else None
        )

    def _all_questions(self) -> Iterator[_ActionQuestion]:
        resources = {id(one.resource): one.resource for one in self._permissions}
        requests = {place: self._request(resource) for place, resource in resources.items()}
        policies = {place: self._policies_of(resource) for place, resource in resources.items()}
        sizes = {place: one.condition_length // LONG for place, one in policies.items()}
        seen: dict[object, int] = {}
        for index, permission in enumerate(self._permissions):
            place = id(permission.resource)
            absent = (*permission.resource.closed, *permission.closed)
            alike = (
                (place, absent, *_matching(policies[place], permission.action))
                if is_plain(permission.action)
                else index
            )
            yield _ActionQuestion(
                permission,
                replace(requests[place], action=permission.action),
                policies[place],
                absent,
                self._subject.brings,
                seen.setdefault(alike, index),
                sizes[place],
            )

    def _is_given(self, context: Context) -> bool:
        """Is it among what the question leaves out?"""
        return self._given is not None and self._given.allows(context, self._steps)

    def _says_no_more(self) -> bool:
        """Is whatever may allow it, and whatever may deny it there, among what the question leaves out?"""
        if self._given is None:
            return False
        return all(
            _saying(mine, Effect.ALLOW) <= _saying(other, Effect.ALLOW)
            and _saying(other, Effect.DENY) <= _saying(mine, Effect.DENY)
            for mine, other in zip(self._questions, self._given._questions, strict=True)
        )

    def decision(self) -> AccessDecision:
        if self._says_no_more():
            return AccessDecision(Answer.NO)
        clauses, resources = self.open()
        if not clauses and not resources:
            verdicts = self._verdicts({})
            missing = self._missing(verdicts)
            if missing or self._is_given({}):
                return AccessDecision(Answer.NO, missing=missing)
            return AccessDecision(Answer.YES, _because(verdicts))
        always = {*self._subject.always, *(one for asked in self._permissions for one in asked.resource.always)}
        # What compares a time as a text is not searched together with its order: any time is tried then.
        as_texts = {one.key for one in clauses if parse_operator(one.operator).positive.startswith(_OF_TEXTS)}
        always = {one for one in always if one.key not in as_texts.intersection((_CLOCK, _ISSUED))}
        space = contexts_of(clauses, resources, sorted(always), self.value_of, self._steps)
        tried = self._tried(space)
        chosen = tried.chosen
        if chosen is None and (tried.complete or not self._is_possible(clauses)):
            return AccessDecision(Answer.NO, missing=self._missing(tried.nearest))
        if chosen is None:
            climbed = self._climb(space)
            if climbed is None:
                return AccessDecision(Answer.UNKNOWN, missing=self._missing(tried.nearest), unread=(_untried(space),))
            chosen = climbed, self._verdicts(climbed)
        because = _because(chosen[1])
        if not tried.refused and tried.complete:
            return AccessDecision(Answer.YES, because)
        return AccessDecision(
            Answer.CONDITIONAL, because, conditions=tuple(self._conditions(chosen[0], space, clauses))
        )

    def _tried(self, space: Contexts) -> "_Tried":
        """What the contexts show, as far as there are steps: one that allows everything shows that somebody can."""
        tried = _Tried(space.complete)
        try:
            for context in space:
                tried.add(context, self._verdicts(context), is_given=self._is_given(context))
        except TooManySteps:
            if tried.chosen is None:
                raise
            tried.complete = False
        if tried.chosen is None and not tried.nearest:
            tried.nearest = self._verdicts({})
        return tried

    def _policies_of(self, resource: Resource) -> Policies:
        subject = self._subject
        own = ALLOW_EVERYTHING if self._assumes_allowed else _DENY_EVERYTHING
        let = _ALLOW_EVERYBODY if self._assumes_allowed else _ALLOW_NOBODY
        on_resource = tuple(_read(policy, let) for policy in resource.policies)
        # Of a federated user of whom nobody can read who opened the session, it was given everything, or nothing.
        is_federated = subject.principal.kind is CallerKind.FEDERATED_USER
        is_given = not is_federated or self._assumes_allowed or subject.presumed_allowed or subject.principal.issuer
        return Policies(
            identity=tuple(_read(policy, own) for policy in subject.policies) if is_given else (),
            session=ALLOW_EVERYTHING if is_federated and is_given else None,
            resource=None if resource.trust else joined(on_resource),
            trust=joined(on_resource) if resource.trust else None,
            boundary=None if subject.boundary is None else _read(subject.boundary, own),
            service_control=tuple(tuple(_read(policy, own) for policy in level) for level in subject.service_control),
            resource_control=tuple(tuple(_read(policy, let) for policy in level) for level in resource.control),
        )

    def _verdicts(self, context: Context) -> list[Decision]:
        """The decision on each action; what is not allowed is said of each in its own words."""
        found: list[Decision] = []
        for index, question in enumerate(self._questions):
            alike = found[question.first] if question.first < index else None
            found.append(alike if isinstance(alike, Allowed) else question.verdict(context, self._steps))
        return found

    def _request(self, resource: Resource) -> Request:
        """A request on a resource, with the keys that are certain; its action is still to be filled in."""
        keys = {**self._subject.keys, **resource.keys}
        if resource.arn == ANY_RESOURCE:
            # What has no resource is of the caller's own account.
            own = {key: self._subject.keys[value] for key, value in _OF_ITS_OWN.items() if value in self._subject.keys}
            keys = {**own, **keys}
        return make_request(self._subject.principal, "", resource.arn, keys, resource_account=resource.account)

    def statements(self) -> tuple[tuple[Statement, ...], ...]:
        """Everything that decides it, besides the subject and the resource."""
        policies = (policy.document for policy in _all_policies(self._subject, self._permissions))
        return tuple(policy.statements for policy in policies if isinstance(policy, Document))

    def _climb(self, space: Contexts) -> Context | None:
        """A context that allows everything, of more than can all be tried: better by one key at a time.

        It starts where the clauses of one Allow statement hold, one after the other.
        """
        for wanted in list(dict.fromkeys((frozenset[CanonicalClause](), *self._wanted)))[:_MOST_STARTS]:
            context = {key: _first_held(key, choices, wanted) for key, choices in space.choices.items()}
            score = self._score(context, space)
            while score[0]:
                nearby = [{**context, key: values} for key, choices in space.choices.items() for values in choices]
                scores = [(self._score(one, space), at) for at, one in enumerate(nearby)]
                best, at = min(scores, default=(score, 0))
                if best >= score:
                    break
                context, score = nearby[at], best
            else:
                return context
        return None

    def _score(self, context: Context, space: Contexts) -> tuple[int, int]:
        """How far from allowed: the actions that are refused, and the statements and sides that refuse them."""
        verdicts = self._verdicts(context)
        refused = [verdict for verdict in verdicts if not isinstance(verdict, Allowed)]
        is_out = not space.can_occur(context) or self._is_given(context)
        return len(refused) + is_out, sum(len(verdict.because) for verdict in refused)

    def _is_possible(self, clauses: Collection[CanonicalClause]) -> bool:
        """Would every action be allowed if each clause whose truth is open held or failed just as that needs?"""
        questions = (replace(one, policies=at_best(one.policies, frozenset(clauses))) for one in self._distinct)
        return all(isinstance(one.verdict({}, self._steps), Allowed) for one in questions)

    def _missing(self, verdicts: Sequence[Decision]) -> tuple[Missing, ...]:
        return tuple(
            Missing(permission, verdict.because, isinstance(verdict, ExplicitlyDenied))
            for permission, verdict in zip(self._permissions, verdicts, strict=True)
            if not isinstance(verdict, Allowed)
        )

    def value_of(self, key: str) -> tuple[str, ...] | None:
        """The certain values of a key, () if it is certainly absent, None if it is open."""
        if key in self._subject.open_keys:
            return None
        found = self._subject.value_of(key)
        for question in self._distinct:
            if found is None:
                found = question.request.context.get(key)
        if found is None and all(one.lacks(key) for one in self._distinct):
            return ()
        return found

    def open(self) -> tuple[list[CanonicalClause], list[tuple[str, str]]]:
        """The clauses on keys whose value is not certain, and the Resources that depend on such keys."""
        clauses: dict[CanonicalClause, None] = {}
        resources: dict[tuple[str, str], None] = {}
        for question in self._distinct:
            for document, written in self._statements(question):
                statement = written if document.version == VARIABLES_VERSION else without_variables(written)
                values = (value for clause in statement.conditions for value in clause.values)
                named = (*_VARIABLE.findall("\0".join(values)), *(clause.key for clause in statement.conditions))
                self.spelling |= {ascii_lower(name): name for name in named}
                if statement.effect is Effect.ALLOW:
                    self._wanted.append(canonical_clauses(statement.conditions))
                for clause in (each for condition in statement.conditions for each in canonical_clauses((condition,))):
                    own = self._known(clause.key, question)
                    variables = (one.key for value in clause.values for one in variables_in(value))
                    # A key that is certainly absent decides by itself.
                    if own is None or (own and any(self._known(key, question) is None for key in variables)):
                        clauses[_by_one_clock(clause)] = None
                        self.spelling.setdefault(_CLOCK, "aws:CurrentTime")
                if document.version == VARIABLES_VERSION and statement.resources is not None:
                    for value in statement.resources.values:
                        if any(self._known(variable.key, question) is None for variable in variables_in(value)):
                            resources[value, question.request.resource] = None
                            self.spelling |= {ascii_lower(name): name for name in _VARIABLE.findall(value)}
        more, others = self._given.open() if self._given is not None else ((), ())
        self.spelling |= self._given.spelling if self._given is not None else {}
        return list(dict.fromkeys((*clauses, *more))), list(dict.fromkeys((*resources, *others)))

    def _known(self, key: str, question: _ActionQuestion) -> tuple[str, ...] | None:
        """The values of a key in one of the requests, `()` if it is certainly absent, None if it is open."""
        if key in self._subject.open_keys:
            return None
        found = question.request.context.get(key)
        if found is None:
            found = () if question.lacks(key) else self._subject.value_of(key)
        return found

    def _statements(self, question: _ActionQuestion) -> Iterator[tuple[Document, Statement]]:
        """The statements whose truth may depend on keys."""
        policies = question.policies
        levels = (*policies.service_control, *policies.resource_control)
        boundary = (policies.boundary,) if policies.boundary else ()
        mine = (
            *policies.identity,
            *boundary,
            *(document for level in levels for document in level),
        )
        for own in mine:
            for statement in _depending(own, question.request):
                if statement.principals is None or self._is_named(statement):
                    yield own, statement
        for attached in filter(None, (policies.resource, policies.trust)):
            for statement in _depending(attached, question.request):
                if statement.principals and self._is_named(statement):
                    yield attached, statement

    def _is_named(self, statement: Statement) -> bool:
        """Could the statement apply to the subject? A Deny with NotPrincipal applies to all who have a boundary.

        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        """
        principals = statement.principals
        assert principals is not None
        if principals.negated and statement.effect is Effect.DENY and self._subject.boundary is not None:
            return True
        return bool(named_ways(principals, self._subject.principal, statement.effect))

    def _conditions(self, chosen: Context, space: Contexts, clauses: Sequence[CanonicalClause]) -> dict[str, None]:
        """What has to hold: the keys of this context that cannot have another value, each text once."""
        texts: dict[str, None] = {}
        try:
            for key, choices in space.choices.items():
                if any(not self.allows({**chosen, key: values}) for values in choices):
                    about = [clause for clause in clauses if clause.key == key]
                    known = {name: values for name in keys_of_variables(about) if (values := self.value_of(name))}
                    said = list(condition_texts(about, {**known, **chosen}, self.spelling))
                    if not said and not self._is_said_of_another(key, clauses):
                        said = [self._value_text(key, chosen[key])]
                    texts.update(dict.fromkeys(said))
        except TooManySteps:
            texts[_MORE_CONDITIONS] = None
        return texts

    def _is_said_of_another(self, key: str, clauses: Iterable[CanonicalClause]) -> bool:
        """Does a condition on another key that is open name this one as a variable?"""
        return any(key in keys_of_variables([one]) and self.value_of(one.key) is None for one in clauses)

    def _value_text(self, key: str, values: Sequence[str]) -> str:
        """The value of a key that only a variable asks for."""
        name = printable(self.spelling.get(key, key), 80)
        return f"{name} is " + " and ".join(f'"{printable(value, 80)}"' for value in values) if values else name

    def allows(self, context: Context, steps: Steps | None = None) -> bool:
        """Are all permissions allowed in this context? `steps`: those to use up, if not the question's own."""
        name = frozenset(context.items())
        found = self._allowed.get(name)
        if found is None:
            verdicts = (one.verdict(context, steps or self._steps) for one in self._distinct)
            is_allowed = all(isinstance(verdict, Allowed) for verdict in verdicts)
            found = self._allowed[name] = is_allowed and not self._is_given(context)
        return found


class _Tried(Struct):
    """What some contexts show."""

    complete: bool
    """No other context would show more."""
    chosen: tuple[Context, list[Decision]] | None = None
    """The one with the fewest keys that allows everything, with its verdicts."""
    nearest: list[Decision] = []
    """The verdicts of one that refuses the fewest actions."""
    refused: bool = False

    def add(self, context: Context, verdicts: list[Decision], *, is_given: bool) -> None:
        """Note one more context."""
        refused = _count_refused(verdicts)
        if not refused and not is_given:
            if self.chosen is None or _size(context) < _size(self.chosen[0]):
                self.chosen = context, verdicts
            return
        self.refused = True
        if not self.nearest or refused < _count_refused(self.nearest):
            self.nearest = verdicts


_CLOCK, _SECONDS, _ISSUED = "aws:currenttime", "aws:epochtime", "aws:tokenissuetime"
_FIRST, _LAST = Decimal(0), Decimal(253_402_300_799)  # the end of the year 9999
_OF_TEXTS = ("String", "Arn", "Bool", "Binary")


def _by_one_clock(clause: CanonicalClause) -> CanonicalClause:
    """A clause on the time as one on a date, so that both keys that tell the time are one.

    What is written of another time than those of four digits comes before all or after all, as it is compared.
    """
    operator = parse_operator(clause.operator).positive
    if clause.key not in (_CLOCK, _SECONDS) or operator.startswith(_OF_TEXTS):
        return clause
    read = number if operator.startswith("Numeric") and clause.key == _SECONDS else moment
    values = {value: read(value) for value in clause.values}
    dates = frozenset(value if at is None or operator == "Null" else _date(value, at) for value, at in values.items())
    return CanonicalClause(clause.operator.replace("Numeric", "Date"), _CLOCK, dates)


def _date(value: str, at: Decimal) -> str:
    if moment(value) == at and _FIRST <= at <= _LAST and "-" in value:
        return value
    at = min(max(at, _FIRST), _LAST)
    return f"{at:.3f}".zfill(9) if at % 1 else show_time(datetime.fromtimestamp(int(at), UTC))


_OF_ITS_OWN = {"aws:resourceorgid": "aws:principalorgid", "aws:resourceorgpaths": "aws:principalorgpaths"}
# Whose keys only the calls have that begin sessions or write policies.
_OF_SESSIONS_AND_POLICIES = ("sts", "iam")
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tagkeys
OF_TAGGING = ("aws:requesttag/", "aws:tagkeys")
"""What the keys begin with that a request has only where it sets tags."""


def _saying(question: _ActionQuestion, effect: Effect) -> set[tuple[bool, str, Statement]]:
    """What both sides say of an action with this effect, each by its side, and with the version by which it is read."""
    policies = question.policies
    attached = (one for one in (policies.resource, policies.trust) if one is not None)
    every = (*((True, one) for one in policies.identity), *((False, one) for one in attached))
    return {
        (is_own, one.version, statement)
        for is_own, one in every
        for statement in one.statements
        if statement.effect is effect and action_matches(statement.actions, question.permission.action)
    }


def _matching(policies: Policies, action: str) -> Iterator[bool]:
    """Of each statement, whether it is about an action."""
    for document in policies.documents():
        for statement in document.statements:
            yield action_matches(statement.actions, action)


def _depending(document: Document, request: Request) -> Iterator[Statement]:
    """The statements about a request's action and resource whose truth may depend on keys."""
    for statement in document.statements:
        if not statement.conditions and not statement.varies_in_resources:
            continue
        if action_matches(statement.actions, request.action) and _may_name(
            statement, request.resource, variables=document.version == VARIABLES_VERSION
        ):
            yield statement


def _first_held(key: str, choices: Sequence[tuple[str, ...]], wanted: Set[CanonicalClause]) -> tuple[str, ...]:
    """The first values of a key by which all of the clauses on it hold, or the first of all."""
    clauses = [Clause(one.operator, one.key, tuple(one.values)) for one in wanted if one.key == key]
    held = (
        values for values in choices if all(clause_holds(clause, {key: values}, variables=False) for clause in clauses)
    )
    return next(held, choices[0])


def _untried(space: Contexts) -> Policy:
    """What stands for the values that were not tried."""
    keys = ", ".join(first(sorted(space.choices), VALUES_SHOWN))
    name = f"conditions on {printable(keys, 200)}"
    return Policy(name, Untried(name, "more combinations of values than are tried"))


_UNCOMPARED = Policy("the policies", Untried("the policies", "too many comparisons to decide it"))
_MORE_CONDITIONS = "there may be more conditions: too many to compare"


def _read(policy: Policy, instead: Document) -> Document:
    return policy.document if isinstance(policy.document, Document) else instead


def _count_refused(verdicts: Iterable[Decision]) -> int:
    return sum(not isinstance(verdict, Allowed) for verdict in verdicts)


def _size(context: Context) -> int:
    return sum(map(bool, context.values()))


def _because(verdicts: Iterable[Decision]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for verdict in verdicts for reason in verdict.because))


def _may_name(statement: Statement, resource: str, *, variables: bool) -> bool:
    """Could the Resource element match, whatever its variables are, if its document has any?"""
    element = statement.resources
    if element is None or element.negated:
        return True
    read = widest_glob if variables else literal_glob
    return any(read(completed_arn(value)).matches(resource) for value in element.values)
