"""What a spec gives whoever is not ours: what is only observed vouches for nobody else (ADR 24).

No person accepted it: whoever may write the spec must not silence a finding by it.
"""

from collections.abc import Iterable
from copy import replace

from ecr_warden.core.address import Address, repository_policy
from ecr_warden.core.desired import CompiledSpec, DesiredValue, Mode, RepositoryPattern, TargetSpec
from iam_access.delta.delta import access_change
from iam_access.document.document import Document, Effect, Statement
from iam_access.equivalent.canonical import CanonicalStatement, canonical_statements
from iam_access.who_can.ours import Ours, outsiders


def given_to_outsiders(compiled: CompiledSpec, ours: Ours) -> CompiledSpec:
    """The spec without what only observed grants give to somebody who is not shown to be ours."""
    return replace(
        compiled,
        targets={key: _entry(compiled, spec, ours) for key, spec in compiled.targets.items()},
        patterns=tuple(_pattern(compiled, one, ours) for one in compiled.patterns),
    )


def _entry(compiled: CompiledSpec, spec: TargetSpec, ours: Ours) -> TargetSpec:
    observed = {at: _for_ours(compiled, at, value, ours, spec.documents.get(at)) for at, value in spec.observed.items()}
    documents = spec.documents
    if (spec.mode or compiled.mode) is Mode.OBSERVE:
        documents = {at: _for_ours(compiled, at, value, ours) for at, value in documents.items()}
    is_same = (documents, observed) == (spec.documents, spec.observed)
    return spec if is_same else replace(spec, documents=documents, observed=observed)


def _pattern(compiled: CompiledSpec, pattern: RepositoryPattern, ours: Ours) -> RepositoryPattern:
    if (pattern.mode or compiled.mode) is not Mode.OBSERVE:
        return pattern
    return replace(pattern, policy=_for_ours(compiled, repository_policy(pattern.target), pattern.policy, ours))


def _for_ours[T: DesiredValue](
    compiled: CompiledSpec, at: Address, value: T, ours: Ours, enforced: DesiredValue | None = None
) -> T | Document:
    """A document with its statements for ours alone, and those that are enforced."""
    if not isinstance(value, Document):
        return value
    known: Iterable[Statement] = enforced.statements if isinstance(enforced, Document) else ()
    granted = len(value.statements) - compiled.literal_statements(at)
    kept = [
        statement
        for number, (statement, canonical) in enumerate(
            zip(value.statements, canonical_statements(value, kind=at.document_kind), strict=True)
        )
        if statement in known or _is_for_ours(canonical, at, ours if number < granted else ours.in_literal)
    ]
    if len(kept) == len(value.statements):
        return value
    statements = (*kept, *(one for one in known if one not in kept))
    # Documents are the same by their text; nobody is sent this one.
    return replace(value, text=f"of {value.text} for ours: {statements}", statements=statements)


def _is_for_ours(statement: CanonicalStatement, at: Address, ours: Ours) -> bool:
    if statement.effect is Effect.DENY or statement.principals is None:
        return True
    gained = access_change(frozenset(), frozenset({statement})).gained
    return not any(outsiders(one, ours, home=at.target.account) for one in gained)
