"""Differences that AWS itself makes: foreign statements, and unique IDs shown for a while after a write."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from ecr_warden.model.address import Address, repository_policy
from ecr_warden.model.desired import DesiredValue, ForeignStatement, TargetSpec
from ecr_warden.model.observed import Observation, Observed, Present
from ecr_warden.model.target import RepositoryTarget
from ecr_warden.policy.canonical import canonical_statements, equivalent, to_document
from ecr_warden.policy.document import (
    REPOSITORY_POLICY_QUOTA,
    Document,
    DocumentKind,
    Effect,
    Statement,
    parse_document,
    policy_size,
    raw_statements,
)
from ecr_warden.policy.principal import Principal, Principals

_LAMBDA = Principals(negated=False, values=(Principal("Service", "lambda.amazonaws.com"),))
_PULL = frozenset({"ecr:batchgetimage", "ecr:getdownloadurlforlayer"})
# Lambda may ask for these too, to keep its statement.
_KEEP = frozenset({"ecr:getrepositorypolicy", "ecr:setrepositorypolicy", "ecr:deleterepositorypolicy"})
_FUNCTION = r"arn:aws:lambda:{region}:{account}:function:[A-Za-z0-9_:*-]+"


def with_foreign(spec: TargetSpec, observation: Observation) -> TargetSpec:
    """The spec of a repository with those live statements in its desired policy that it allows to stand.

    So they are no drift, and a repair, which writes the whole document, keeps them.
    """
    target = spec.target
    if not spec.foreign or not isinstance(target, RepositoryTarget):
        return spec
    address = repository_policy(target)
    match observation.documents.get(address):
        case Present(Document() as live):
            desired = spec.documents.get(address)
            kept = list(_kept(live, spec.foreign, target, desired if isinstance(desired, Document) else None))
        case _:
            kept = []
    if not kept:
        return replace(spec, foreign=())
    desired = spec.documents.get(address)
    own = raw_statements(desired) if isinstance(desired, Document) else []
    together = _together(own, kept)
    # Else many of them, put there on purpose, would make a repair that AWS refuses, and what is beside them stands.
    while len(kept) > 1 and policy_size(together) > REPOSITORY_POLICY_QUOTA:
        kept.pop()
        together = _together(own, kept)
    if policy_size(together) > REPOSITORY_POLICY_QUOTA:
        return replace(spec, foreign=())
    return replace(spec, foreign=(), documents={**spec.documents, address: together})


def _together(own: list[dict[str, Any]], kept: list[dict[str, Any]]) -> Document:
    """The spec's statements and those that stay. A Sid that stands twice is left out of a later one.

    It says nothing about access and is unique in a document; under one of ours somebody's statement would make every
    repair one that AWS refuses.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
    """
    seen = {statement.get("Sid") for statement in own}
    statements = list(own)
    for statement in kept:
        sid = statement.get("Sid")
        statements.append({name: value for name, value in statement.items() if name != "Sid" or sid not in seen})
        seen.add(sid)
    return _document(statements)


def _document(statements: list[dict[str, Any]]) -> Document:
    return parse_document({"Version": "2012-10-17", "Statement": statements})


def _kept(
    live: Document, allowed: tuple[ForeignStatement, ...], target: RepositoryTarget, own: Document | None
) -> Iterator[dict[str, Any]]:
    """The allowed statements as they stand, each once, without those that the spec gives itself."""
    seen: set[object] = set() if own is None else set(canonical_statements(own, kind=DocumentKind.REPOSITORY))
    forms = canonical_statements(live, kind=DocumentKind.REPOSITORY)
    for statement, raw, form in zip(live.statements, raw_statements(live), forms, strict=True):
        if form not in seen and any(_has_shape(statement, kind, target) for kind in allowed):
            seen.add(form)
            yield raw


def _has_shape(statement: Statement, kind: ForeignStatement, target: RepositoryTarget) -> bool:
    match kind:
        case ForeignStatement.LAMBDA_IMAGE_RETRIEVAL:
            return _lets_lambda_retrieve(statement, target)
        case _:
            assert_never(kind)


def _lets_lambda_retrieve(statement: Statement, target: RepositoryTarget) -> bool:
    """Whether it lets Lambda pull for functions of the repository's own account and region, and nobody else.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-permissions
    """
    actions = {action.lower() for action in statement.actions.values}
    return (
        statement.effect is Effect.ALLOW
        and statement.principals == _LAMBDA
        and not statement.actions.negated
        and _PULL <= actions <= _PULL | _KEEP
        and (statement.resources is None or (not statement.resources.negated and statement.resources.values == ("*",)))
        and _is_of_own_functions(statement, target)
    )


def _is_of_own_functions(statement: Statement, target: RepositoryTarget) -> bool:
    if len(statement.conditions) != 1:
        return False
    operator, key, values = statement.conditions[0]
    own = re.compile(_FUNCTION.format(region=re.escape(target.region), account=target.account))
    return (
        operator in ("StringLike", "ArnLike")
        and key.lower() == "aws:sourcearn"
        and bool(values)
        and all(own.fullmatch(value) for value in values)
    )


SETTLES_WITHIN = timedelta(seconds=120)

_UNIQUE_ID = re.compile(r"A(?:ID|RO)A[A-Z0-9]{12,124}")
_OWNER = re.compile(r"arn:[a-z0-9-]+:iam::[0-9]{12}:(?:user|role)/.+")


def is_settling(
    address: Address, desired: DesiredValue, observed: Observed, written_at: datetime | None, now: datetime
) -> bool:
    """Whether it differs only by unique ids in the place of as many users and roles, not long after it was written."""
    if written_at is None or now - written_at > SETTLES_WITHIN:
        return False
    match desired, observed:
        case Document() as wanted, Present(Document() as live):
            return _differs_by_ids_alone(wanted, live, address.document_kind)
        case _:
            return False


def _differs_by_ids_alone(wanted: Document, live: Document, kind: DocumentKind | None) -> bool:
    named, shown = _places(wanted, kind), _places(live, kind)
    arns = [value for value in named if value not in shown and _OWNER.fullmatch(value)]
    ids = [value for value in shown if value not in named and _UNIQUE_ID.fullmatch(value)]
    if not ids or len(ids) != len(arns):
        return False
    # Which id is whose is not known, and does not matter where they stand in the same statements.
    pairs = zip(sorted(ids, key=shown.__getitem__), sorted(arns, key=named.__getitem__), strict=True)
    return equivalent(_renamed(live, dict(pairs)), wanted, kind=kind)


def _places(document: Document, kind: DocumentKind | None) -> Mapping[str, list[str]]:
    """Each principal of AWS's kind with the statements that name it, but for their principals."""
    places: dict[str, list[str]] = {}
    for statement in canonical_statements(document, kind=kind):
        if statement.principals is None:
            continue
        rest = f"{statement.principals.negated} {to_document([replace(statement, principals=None)]).text}"
        for principal in statement.principals.values:
            if principal.kind == "AWS":
                places.setdefault(principal.value, []).append(rest)
    return {value: sorted(rests) for value, rests in places.items()}


def _renamed(document: Document, names: Mapping[str, str]) -> Document:
    """The document with its principals renamed."""
    raw = json.loads(document.text)
    statements = raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]
    for statement in statements:
        for element in ("Principal", "NotPrincipal"):
            principals = statement.get(element)
            if isinstance(principals, dict) and "AWS" in principals:
                given = principals["AWS"]
                principals["AWS"] = _each(given if isinstance(given, list) else [given], names)
    return parse_document(raw)


def _each(values: Iterable[str], names: Mapping[str, str]) -> list[str]:
    return [names.get(value, value) for value in values]
