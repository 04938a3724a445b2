"""Policies rewritten for a decision: several of a resource as one, and as they would be at best."""

from collections.abc import Iterator, Sequence
from copy import replace

from iam_access.document.condition import CanonicalClause, canonical_clauses
from iam_access.document.document import Document, Effect, Statement
from iam_access.evaluate.policies import Policies


def at_best(policies: Policies, clauses: frozenset[CanonicalClause]) -> Policies:
    """The policies without the Deny statements and the limits of Allow statements that depend on these clauses."""

    def one(document: Document) -> Document:
        return replace(
            document, statements=tuple(statement for each in document.statements for statement in _best(each, clauses))
        )

    def levels(given: tuple[tuple[Document, ...], ...]) -> tuple[tuple[Document, ...], ...]:
        return tuple(tuple(map(one, level)) for level in given)

    return Policies(
        identity=tuple(map(one, policies.identity)),
        resource=policies.resource and one(policies.resource),
        trust=policies.trust and one(policies.trust),
        boundary=policies.boundary and one(policies.boundary),
        session=policies.session,
        service_control=levels(policies.service_control),
        resource_control=levels(policies.resource_control),
    )


def _best(statement: Statement, clauses: frozenset[CanonicalClause]) -> Iterator[Statement]:
    certain = tuple(
        condition for condition in statement.conditions if not clauses.intersection(canonical_clauses((condition,)))
    )
    varies = statement.varies_in_resources
    if statement.effect is Effect.ALLOW:
        yield replace(statement, conditions=certain, resources=None if varies else statement.resources)
    elif certain == statement.conditions and not varies:
        yield statement


def joined(documents: Sequence[Document]) -> Document | None:
    """Several policies of one resource as one with all their statements, each as its own version reads it."""
    if len(documents) < 2:
        return documents[0] if documents else None
    version = max(document.version for document in documents)
    statements = (
        one if document.version == version else without_variables(one)
        for document in documents
        for one in document.statements
    )
    return Document("", version, tuple(statements))


def without_variables(statement: Statement) -> Statement:
    """The statement with `${` as the text that it is in the older version."""

    def texts(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value.replace("${", "${$}{") for value in values)

    resources = statement.resources and replace(statement.resources, values=texts(statement.resources.values))
    clauses = tuple(one._replace(values=texts(one.values)) for one in statement.conditions)
    return replace(statement, resources=resources, conditions=clauses)
