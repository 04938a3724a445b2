"""The canonical form: a document as AWS reads it, without order, spelling and repetition.

Rules, each with its source in docs/adr/0002-documents-that-are-the-same.md:
- actions and condition keys are in lower case, condition operators in AWS's spelling, values are strings;
- lists are sets, statements are a set; Sid and Id are dropped; an empty Condition or Principal is none;
- a 12-digit account ID is the account's root ARN;
- policy variables have one spelling, with keys in lower case;
- Version is dropped: text that 2008-10-17 reads literally is written in the language of 2012-10-17 (`${` as `${$}{`);
- `Resource: "*"` of a resource policy is dropped: it is the resource that the policy is attached to.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from copy import replace
from functools import lru_cache

from msgspec import Struct

from iam_access.document.condition import CanonicalClause, canonical_clauses
from iam_access.document.document import (
    LITERAL_VERSION,
    VARIABLES_VERSION,
    Document,
    Effect,
    Patterns,
    Statement,
    parse_document,
)
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import Principal, canonical_principals, is_account, named_partition
from iam_access.document.variables import completed_arn, spelled_variables
from iam_access.gather import gather
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.strict_json import encode

DEFAULT_PARTITION = "aws"
_ANY = frozenset({"*"})
_RESOURCE_PARTITION = re.compile(r"arn:([A-Za-z0-9-]+):")


class CanonicalPatterns(Struct, frozen=True):
    """Actions or resources as a set; `negated` for NotAction and NotResource."""

    negated: bool
    values: frozenset[str]


class CanonicalPrincipals(Struct, frozen=True):
    """Principals as a set; `negated` for NotPrincipal."""

    negated: bool
    values: frozenset[Principal]


class CanonicalStatement(Struct, frozen=True):
    """A statement without order, spelling and Sid; patterns and values are in the language of 2012-10-17."""

    effect: Effect
    actions: CanonicalPatterns
    principals: CanonicalPrincipals | None
    resources: CanonicalPatterns | None
    conditions: frozenset[CanonicalClause]

    @property
    def texts(self) -> Iterator[str]:
        """The texts that may hold policy variables: the resources and the values of the conditions."""
        yield from self.resources.values if self.resources else ()
        for clause in self.conditions:
            yield from clause.values


def canonical(document: Document, *, kind: DocumentKind | None = None) -> frozenset[CanonicalStatement]:
    """The canonical form of a document: its statements as a set.

    An account ID is read as the root ARN in the one partition that the document's ARNs name, else in `aws`. So an
    account ID equals the root ARN of any partition, two root ARNs of different partitions differ, and equality is
    transitive among documents of one partition. Documents of one target always are: AWS refuses ARNs of another
    partition.
    """
    return frozenset(canonical_statements(document, kind=kind))


def canonical_statements(document: Document, *, kind: DocumentKind | None) -> tuple[CanonicalStatement, ...]:
    """The canonical statements in the document's order, with repetitions: for messages that count statements."""
    partition = shared_partition(document) if has_account_ids(document) else DEFAULT_PARTITION
    return _statements(document, kind is DocumentKind.RESOURCE, partition)


def canonical_together(*documents: Document | None, kind: DocumentKind | None) -> list[tuple[CanonicalStatement, ...]]:
    """The canonical statements of each document, none for None. Account IDs are read in the partition of all."""
    present = [document for document in documents if document is not None]
    partition = shared_partition(*present) if any(map(has_account_ids, present)) else DEFAULT_PARTITION
    drop = kind is DocumentKind.RESOURCE
    return [() if document is None else _statements(document, drop, partition) for document in documents]


def equivalent(a: Document, b: Document, *, kind: DocumentKind | None = None) -> bool:
    """Whether AWS treats the documents alike; account IDs are read in the partition that both name between them."""
    if a == b or canonical(a, kind=kind) == canonical(b, kind=kind):
        return True
    if not (has_account_ids(a) or has_account_ids(b)):
        return False
    one, other = canonical_together(a, b, kind=kind)
    return frozenset(one) == frozenset(other)


# A run compares the same documents again and again.
@lru_cache(maxsize=256)
def _statements(document: Document, drop: bool, partition: str) -> tuple[CanonicalStatement, ...]:
    literal = document.version == LITERAL_VERSION
    return tuple([_statement(statement, literal, drop, partition) for statement in document.statements])


def canonical_document(document: Document, *, kind: DocumentKind | None = None) -> Document:
    """The canonical form as a document: sorted, version 2012-10-17."""
    return to_document(canonical(document, kind=kind))


def digest(document: Document, *, kind: DocumentKind | None = None) -> str:
    """SHA-256 of the canonical form in hex: the same in every process and release."""
    return hashlib.sha256(canonical_document(document, kind=kind).text.encode()).hexdigest()


def shared_partition(*documents: Document) -> str:
    """The one partition that the documents' ARNs name between them, else `aws`."""
    named: set[str] = set()
    for document in documents:
        for statement in document.statements:
            if statement.principals:
                named.update(filter(None, map(named_partition, statement.principals.values)))
            if statement.resources:
                found = map(_RESOURCE_PARTITION.match, statement.resources.values)
                named.update(match.group(1) for match in found if match)
    return named.pop() if len(named) == 1 else DEFAULT_PARTITION


def has_account_ids(document: Document) -> bool:
    """Does the document name an account by its bare ID?"""
    return any(
        principal.kind == "AWS" and is_account(principal.value)
        for statement in document.statements
        if statement.principals
        for principal in statement.principals.values
    )


def to_document(statements: Iterable[CanonicalStatement], *, spell: Callable[[str], str] = str) -> Document:
    """Canonical statements as a document, sorted and without repetition; `spell` spells the actions."""
    written = {encode(raw): raw for raw in (_rendered(statement, spell) for statement in statements)}
    return parse_document({"Version": VARIABLES_VERSION, "Statement": [written[text] for text in sorted(written)]})


def completed(statement: CanonicalStatement) -> CanonicalStatement:
    """The statement as identity policies read it: ARNs that lack parts are completed (`completed_arn`)."""
    canonical_patterns = statement.resources
    if canonical_patterns is None:
        return statement
    return replace(
        statement,
        resources=replace(canonical_patterns, values=frozenset(map(completed_arn, canonical_patterns.values))),
    )


def _statement(statement: Statement, literal: bool, drop: bool, partition: str) -> CanonicalStatement:
    actions = statement.actions
    principals = None
    given = statement.principals
    # An empty Principal is like none; an empty NotPrincipal names everyone and stays.
    if given is not None and (given.values or given.negated):
        principals = CanonicalPrincipals(given.negated, canonical_principals(given.values, partition))
    conditions = canonical_clauses(statement.conditions)
    read = _escaped if literal else spelled_variables
    if any("${" in value for clause in conditions for value in clause.values):
        conditions = frozenset(
            CanonicalClause(operator, key, frozenset(map(read, values))) for operator, key, values in conditions
        )
    return CanonicalStatement(
        statement.effect,
        CanonicalPatterns(actions.negated, frozenset([ascii_lower(value) for value in actions.values])),
        principals,
        _resources(statement.resources, read, drop),
        conditions,
    )


def _resources(given: Patterns | None, read: Callable[[str], str], drop: bool) -> CanonicalPatterns | None:
    if given is None:
        return None
    values = frozenset(map(read, given.values))
    return None if drop and not given.negated and values == _ANY else CanonicalPatterns(given.negated, values)


def _escaped(text: str) -> str:
    """Text that 2008-10-17 reads literally, in the language of 2012-10-17, where `${$}` is a dollar sign."""
    return text.replace("${", "${$}{")


def _rendered(statement: CanonicalStatement, spell: Callable[[str], str]) -> dict[str, object]:
    raw: dict[str, object] = {"Effect": statement.effect.value}
    if statement.principals is not None:
        kinds = gather(sorted(statement.principals.values))
        raw["NotPrincipal" if statement.principals.negated else "Principal"] = kinds
    raw["NotAction" if statement.actions.negated else "Action"] = sorted(map(spell, statement.actions.values))
    if statement.resources is not None:
        raw["NotResource" if statement.resources.negated else "Resource"] = sorted(statement.resources.values)
    clauses = sorted(statement.conditions, key=lambda clause: (clause.operator, clause.key))
    by_operator = gather((clause.operator, (clause.key, sorted(clause.values))) for clause in clauses)
    if by_operator:
        raw["Condition"] = {operator: dict(tested) for operator, tested in by_operator.items()}
    return raw
