"""One question decided: may this subject do all of these actions, in one and the same session?

The engine evaluates each action (policy.evaluate), under every context that could turn the answer. What could not be
read is taken once to allow everything and once to deny everything: if both give the same answer it is certain.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum

from msgspec import Struct, field

from ecr_warden.model.estate import Levels, Policy
from ecr_warden.policy.ascii_case import ascii_lower
from ecr_warden.policy.condition import CanonicalClause, Clause, canonical_clauses
from ecr_warden.policy.condition_match import clause_holds
from ecr_warden.policy.document import VARIABLES_VERSION, Document, Statement, parse_document
from ecr_warden.policy.evaluate import Policies, evaluate
from ecr_warden.policy.principal_match import named_ways
from ecr_warden.policy.printable import first, printable
from ecr_warden.policy.request import make_request
from ecr_warden.policy.statement_match import Allowed, Decision, ExplicitlyDenied, Reason, action_matches
from ecr_warden.policy.variables import completed_arn, literal_glob, variables_in
from ecr_warden.proof.contexts import Context, Contexts, contexts_of
from ecr_warden.proof.subject import ALLOW_EVERYTHING, Subject

_DENY_EVERYTHING = parse_document({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})
_LET_EVERYBODY = parse_document({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}})
_LET_NOBODY = parse_document({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}})


class Answer(StrEnum):
    """Whether somebody can do something."""

    YES = "yes"
    NO = "no"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


class Resource(Struct, frozen=True):
    """What is asked for: the ARN, the account that owns it, and the policies that hang on it.

    `trust`: a role's trust policy stands in the place of resource policies. `control`: the resource control policies.
    """

    arn: str
    account: str | None
    policies: tuple[Policy, ...] = ()
    trust: bool = False
    control: Levels = ()
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    """Every principal that its policies name."""
    depends: bool = True
    """May its answer depend on more of a principal than its account, and whether its policies name it?"""


ANYTHING = Resource("*", None)
"""The resource of actions that have none, such as ecr:GetAuthorizationToken."""


class Ask(Struct, frozen=True):
    """One action on one resource."""

    action: str
    resource: Resource


class Missing(Struct, frozen=True):
    """An action that is not allowed, and why: what denies it, or the sides that do not allow it."""

    ask: Ask
    reasons: tuple[Reason, ...]
    denied: bool


class AccessDecision(Struct, frozen=True):
    """The answer, and what it rests on.

    `because`: the statements that allow it; `missing`: for no, what is not allowed; `conditions`: for conditional, what
    has to hold; `unread`: for unknown, the policies that could turn the answer.
    """

    answer: Answer
    because: tuple[Reason, ...] = ()
    missing: tuple[Missing, ...] = ()
    conditions: tuple[str, ...] = ()
    unread: tuple[Policy, ...] = ()


class _Unread(Enum):
    """What is taken for a policy that could not be read."""

    ALLOWS = "allows everything"
    DENIES = "denies everything"


def decide(subject: Subject, asks: Sequence[Ask]) -> AccessDecision:
    """May the subject do all of it? A session of its own, and each action by all policies that have a say."""
    worst = _Case(subject, asks, _Unread.DENIES).decision()
    unread = tuple(_unread(subject, asks))
    if not unread:
        return worst
    best = _Case(subject, asks, _Unread.ALLOWS).decision()
    return (
        best
        if best.answer is worst.answer
        else AccessDecision(Answer.UNKNOWN, best.because, best.missing, best.conditions, unread)
    )


def _unread(subject: Subject, asks: Iterable[Ask]) -> Iterator[Policy]:
    seen: dict[str, Policy] = {}
    for policy in _all_policies(subject, asks):
        if not isinstance(policy.document, Document):
            seen.setdefault(policy.name, policy)
    yield from seen.values()


def _all_policies(subject: Subject, asks: Iterable[Ask]) -> Iterator[Policy]:
    yield from subject.policies
    if subject.boundary is not None:
        yield subject.boundary
    for level in subject.service_control:
        yield from level
    for ask in asks:
        yield from ask.resource.policies
        for level in ask.resource.control:
            yield from level


class _Case:
    """One question under one assumption about what could not be read."""

    def __init__(self, subject: Subject, asks: Sequence[Ask], unread: _Unread) -> None:
        self._subject = subject
        self._asks = asks
        own = ALLOW_EVERYTHING if unread is _Unread.ALLOWS else _DENY_EVERYTHING
        let = _LET_EVERYBODY if unread is _Unread.ALLOWS else _LET_NOBODY
        self._spelling: dict[str, str] = {}
        self._policies = {id(ask): self._policies_of(ask, own, let) for ask in asks}

    def decision(self) -> AccessDecision:
        clauses, resources = self._open()
        if not clauses and not resources:
            verdicts = [self._verdict(ask, {}) for ask in self._asks]
            missing = self._missing(verdicts)
            if missing:
                return AccessDecision(Answer.NO, missing=missing)
            return AccessDecision(Answer.YES, _because(verdicts))
        space = contexts_of(clauses, resources, self._subject.always)
        chosen: tuple[Context, list[Decision]] | None = None
        nearest: list[Decision] = []
        refused = False
        for context in space:
            verdicts = [self._verdict(ask, context) for ask in self._asks]
            if not _lacking(verdicts):
                if chosen is None or _size(context) < _size(chosen[0]):
                    chosen = context, verdicts
            else:
                refused = True
                if not nearest or _lacking(verdicts) < _lacking(nearest):
                    nearest = verdicts
        if chosen is None:
            return AccessDecision(Answer.NO, missing=self._missing(nearest))
        because = _because(chosen[1])
        if not refused and space.complete:
            return AccessDecision(Answer.YES, because)
        return AccessDecision(Answer.CONDITIONAL, because, conditions=self._conditions(chosen[0], space, clauses))

    def _policies_of(self, ask: Ask, own: Document, let: Document) -> Policies:
        subject, resource = self._subject, ask.resource
        on_resource = tuple(_read(policy, let) for policy in resource.policies)
        return Policies(
            identity=tuple(_read(policy, own) for policy in subject.policies),
            resource=None if resource.trust else joined(on_resource),
            trust=joined(on_resource) if resource.trust else None,
            boundary=None if subject.boundary is None else _read(subject.boundary, own),
            service_control=tuple(tuple(_read(one, own) for one in level) for level in subject.service_control),
            resource_control=tuple(tuple(_read(one, let) for one in level) for level in resource.control),
        )

    def _verdict(self, ask: Ask, context: Context) -> Decision:
        keys = {**self._subject.keys, **ask.resource.keys, **context}
        request = make_request(
            self._subject.principal, ask.action, ask.resource.arn, keys, resource_account=ask.resource.account
        )
        return evaluate(request, self._policies[id(ask)])

    def _missing(self, verdicts: Sequence[Decision]) -> tuple[Missing, ...]:
        return tuple(
            Missing(ask, verdict.because, isinstance(verdict, ExplicitlyDenied))
            for ask, verdict in zip(self._asks, verdicts, strict=True)
            if not isinstance(verdict, Allowed)
        )

    def _open(self) -> tuple[list[CanonicalClause], list[tuple[str, str]]]:
        """The clauses on keys of which nothing is certain, and the Resources that depend on such keys."""
        clauses: dict[CanonicalClause, None] = {}
        resources: dict[tuple[str, str], None] = {}
        for ask in self._asks:
            certain = (
                make_request(
                    self._subject.principal, ask.action, ask.resource.arn, resource_account=ask.resource.account
                ).context.keys()
                | ask.resource.keys.keys()
            )
            for document, statement in self._statements(ask):
                self._spelling |= {ascii_lower(clause.key): clause.key for clause in statement.conditions}
                for clause in canonical_clauses(statement.conditions):
                    if self._is_open(clause.key, certain) or any(
                        self._is_open(variable.key, certain)
                        for value in clause.values
                        for variable in variables_in(value)
                    ):
                        clauses[clause] = None
                if document.version == VARIABLES_VERSION and statement.resources is not None:
                    for value in statement.resources.values:
                        if any(self._is_open(variable.key, certain) for variable in variables_in(value)):
                            resources[value, ask.resource.arn] = None
        return list(clauses), list(resources)

    def _is_open(self, key: str, certain: Iterable[str]) -> bool:
        if key in self._subject.open_keys:
            return True
        return key not in certain and self._subject.value_of(key) is None

    def _statements(self, ask: Ask) -> Iterator[tuple[Document, Statement]]:
        policies = self._policies[id(ask)]
        levels = (*policies.service_control, *policies.resource_control)
        boundary = (policies.boundary,) if policies.boundary else ()
        mine = (
            *policies.identity,
            *boundary,
            *(one for level in levels for one in level),
        )
        for own in mine:
            for statement in own.statements:
                if statement.principals is None or named_ways(
                    statement.principals, self._subject.principal, statement.effect
                ):
                    yield from self._if_about(ask, own, statement)
        for hung in filter(None, (policies.resource, policies.trust)):
            for statement in hung.statements:
                if statement.principals and named_ways(statement.principals, self._subject.principal, statement.effect):
                    yield from self._if_about(ask, hung, statement)

    def _if_about(self, ask: Ask, document: Document, statement: Statement) -> Iterator[tuple[Document, Statement]]:
        has_variables = statement.resources is not None and any("${" in one for one in statement.resources.values)
        if not statement.conditions and not has_variables:
            return
        if action_matches(statement.actions, ask.action) and _may_name(statement, ask.resource.arn):
            yield document, statement

    def _conditions(self, chosen: Context, space: Contexts, clauses: Sequence[CanonicalClause]) -> tuple[str, ...]:
        """What has to hold: the keys of this context that cannot be otherwise."""
        said: dict[str, None] = {}
        for key, choices in space.choices.items():
            if any(not self._allows({**chosen, key: values}) for values in choices):
                about = [clause for clause in clauses if clause.key == key]
                said.update(dict.fromkeys(conditions_said(about, chosen, self._spelling)))
        return tuple(said)

    def _allows(self, context: Context) -> bool:
        return not _lacking([self._verdict(ask, context) for ask in self._asks])


def joined(documents: Sequence[Document]) -> Document | None:
    """Several policies of one resource as one: each statement has its say."""
    if len(documents) < 2:
        return documents[0] if documents else None
    version = max(document.version for document in documents)
    return Document("", version, tuple(statement for document in documents for statement in document.statements))


def _read(policy: Policy, instead: Document) -> Document:
    return policy.document if isinstance(policy.document, Document) else instead


def _lacking(verdicts: Iterable[Decision]) -> int:
    return sum(not isinstance(verdict, Allowed) for verdict in verdicts)


def _size(context: Context) -> int:
    return sum(map(bool, context.values()))


def _because(verdicts: Iterable[Decision]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for verdict in verdicts for reason in verdict.because))


def _may_name(statement: Statement, resource: str) -> bool:
    """Could the Resource element match, whatever its variables are?"""
    element = statement.resources
    if element is None or element.negated:
        return True
    return any("${" in value or literal_glob(completed_arn(value)).matches(resource) for value in element.values)


def conditions_said(clauses: Iterable[CanonicalClause], context: Context, spelling: Mapping[str, str]) -> Iterator[str]:
    """What a context needs of a key, in words: the clauses on it that hold, and those that must not."""
    for clause in clauses:
        holds = clause_holds(Clause(clause.operator, clause.key, tuple(clause.values)), context, variables=True)
        yield said(clause._replace(key=spelling.get(clause.key, clause.key)), holds=holds)


# What holds, and what has to be said where it must not.
_VERBS = {
    "Equals": ("is", "is not"),
    "EqualsIgnoreCase": ("is", "is not"),
    "Like": ("matches", "does not match"),
    "LessThan": ("is less than", "is not less than"),
    "LessThanEquals": ("is at most", "is more than"),
    "GreaterThan": ("is more than", "is at most"),
    "GreaterThanEquals": ("is at least", "is less than"),
    "IpAddress": ("is in", "is not in"),
    "Bool": ("is", "is not"),
}
_FAMILIES = ("String", "Arn", "Numeric", "Date", "Binary")


def said(clause: CanonicalClause, *, holds: bool = True) -> str:
    """A clause in words, or its opposite: `sts:ExternalId is "build-42"`, `aws:SourceIp is not in "10.0.0.0/8"`."""
    quantifier, _, rest = clause.operator.rpartition(":")
    base = rest.removesuffix("IfExists")
    each = {"ForAllValues": "each value of ", "ForAnyValue": "a value of "}.get(quantifier, "")
    name = each + printable(clause.key, 80)
    if base == "Null":
        return f"{name} is {'absent' if ('true' in clause.values) is holds else 'present'}"
    positive = base.replace("Not", "", 1)
    family = next((one for one in _FAMILIES if positive.startswith(one)), "")
    asserts = (positive == base) is holds
    verb = _VERBS[positive.removeprefix(family)][0 if asserts else 1]
    values = " or ".join(first((f'"{printable(value, 80)}"' for value in sorted(clause.values)), _VALUES_SHOWN))
    if base == rest:
        return f"{name} {verb} {values}"
    return f"{name} {verb} {values}, where it is present" if holds else f"{name} is present and {verb} {values}"


_VALUES_SHOWN = 6
