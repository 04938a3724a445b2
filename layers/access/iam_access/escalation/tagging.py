"""Which tags a call may set, and to which values: as far as the statements on it say so."""

from collections.abc import Iterable, Iterator
from itertools import chain

from iam_access.document.condition import CanonicalClause, Quantifier, canonical_clauses, parse_operator
from iam_access.document.document import Effect, Statement
from iam_access.document.variables import completed_arn, literal_glob
from iam_access.evaluate.statement_match import action_matches
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.contexts import resolved
from iam_access.who_can.subject import Subject

TAG_KEYS = "aws:tagkeys"
_REQUESTED = "aws:requesttag/"


def spellings(subject: Subject, key: str) -> tuple[str, ...]:
    """The ways to write the key of a tag: policies that ask for it do not count its case, those on the call do."""
    clauses = (clause for statement in _statements(subject) for clause in statement.conditions)
    written = (value for clause in clauses if ascii_lower(clause.key) == TAG_KEYS for value in clause.values)
    return tuple(dict.fromkeys((key, *(value for value in written if ascii_lower(value) == key))))


def limits(subject: Subject, action: str, resource: str, key: str, tag: str) -> Iterator[CanonicalClause]:
    """What the values have in common that a call may set, said of the condition key `tag`.

    An Allow counts if it is the only one, a Deny if it asks for nothing else; more is not said, which takes too many
    values for possible and none for impossible.
    """
    about = [one for one in _statements(subject) if _is_about(one, action, resource)]
    allowing = [one for one in _own(subject) if one.effect is Effect.ALLOW and action_matches(one.actions, action)]
    given = canonical_clauses(allowing[0].conditions) if len(allowing) == 1 else ()
    denied = (
        _opposite(one)
        for statement in about
        if statement.effect is Effect.DENY and len(statement.conditions) == 1
        for one in canonical_clauses(statement.conditions)
        if parse_operator(one.operator).quantifier is Quantifier.ONE and one.operator.startswith("String")
    )
    for clause in chain(given, denied):
        if clause.key == _REQUESTED + key:
            clause = resolved(clause, subject.value_of)  # noqa: PLW2901
            if not any("${" in value for value in clause.values):
                yield clause._replace(key=tag)


def _opposite(clause: CanonicalClause) -> CanonicalClause:
    name = clause.operator.removesuffix("IfExists")
    is_negated = name.startswith("StringNot")
    other = name.replace("StringNot", "String") if is_negated else name.replace("String", "StringNot", 1)
    return clause._replace(operator=other)


def _own(subject: Subject) -> Iterable[Statement]:
    return (statement for policy in subject.policies for statement in policy.statements)


def _statements(subject: Subject) -> Iterator[Statement]:
    yield from _own(subject)
    limits = (*([subject.boundary] if subject.boundary else []), *chain.from_iterable(subject.service_control))
    for policy in limits:
        yield from policy.statements


def _is_about(statement: Statement, action: str, resource: str) -> bool:
    """Is it certainly on this call?"""
    element = statement.resources
    is_on = element is None or (
        not element.negated and any(literal_glob(completed_arn(value)).matches(resource) for value in element.values)
    )
    return is_on and action_matches(statement.actions, action)
