"""Differences that AWS itself makes: foreign statements, and unique IDs shown for a while after a write."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import Any

from ecr_warden.core.address import Address, repository_policy
from ecr_warden.core.desired import DesiredValue, ForeignStatement, TargetSpec
from ecr_warden.core.ecr import REPOSITORY_POLICY_QUOTA
from ecr_warden.core.observed import Observation, Observed, Present
from ecr_warden.core.target import RepositoryTarget
from iam_access.document.document import Document, Effect, Statement, parse_document, policy_size, raw_statements
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import Principal, Principals, is_unique_id
from iam_access.equivalent.canonical import CanonicalStatement, canonical_statements, canonical_together, to_document
from iam_access.gather import gather

_LAMBDA = Principals(negated=False, values=(Principal("Service", "lambda.amazonaws.com"),))
_PULL = frozenset({"ecr:batchgetimage", "ecr:getdownloadurlforlayer"})
# Lambda may add these, to maintain its statement.
_KEEP = frozenset({"ecr:getrepositorypolicy", "ecr:setrepositorypolicy", "ecr:deleterepositorypolicy"})
_FUNCTION = r"arn:aws:lambda:{region}:{account}:function:[A-Za-z0-9_:*-]+"


def with_foreign(spec: TargetSpec, observation: Observation) -> TargetSpec:
    """The spec of a repository, its policy extended by the live foreign statements that the spec allows.

    So these are not drift, and a repair, which writes the whole policy, keeps them.
    """
    if not spec.foreign or not isinstance(spec.target, RepositoryTarget):
        return spec
    address = repository_policy(spec.target)
    desired = spec.documents.get(address)
    own = desired if isinstance(desired, Document) else None
    match observation.documents.get(address):
        case Present(Document() as live):
            kept = list(_foreign_statements(live, spec.foreign, spec.target, own))
        case _:
            kept = []
    while kept:
        extended = _extended([] if own is None else raw_statements(own), kept)
        if policy_size(extended) <= REPOSITORY_POLICY_QUOTA:
            return replace(spec, documents={**spec.documents, address: extended})
        # AWS would refuse the repair: an attacker could keep other statements by adding many of these.
        kept.pop()
    return spec


def _extended(own: list[dict[str, Any]], kept: list[dict[str, Any]]) -> Document:
    """The spec's statements and those that stay, without a Sid that an earlier statement has.

    A Sid says nothing about access but must be unique: a foreign statement with one of ours would make AWS refuse every
    repair.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
    """
    seen = {statement.get("Sid") for statement in own}
    statements = list(own)
    for statement in kept:
        sid = statement.get("Sid")
        statements.append({name: value for name, value in statement.items() if name != "Sid" or sid not in seen})
        seen.add(sid)
    return parse_document({"Version": "2012-10-17", "Statement": statements})


def _foreign_statements(
    live: Document, allowed: tuple[ForeignStatement, ...], target: RepositoryTarget, own: Document | None
) -> Iterator[dict[str, Any]]:
    """The allowed live statements, each once, without those that the spec has itself."""
    seen: set[object] = set() if own is None else set(canonical_statements(own, kind=DocumentKind.RESOURCE))
    forms = canonical_statements(live, kind=DocumentKind.RESOURCE)
    for statement, raw, form in zip(live.statements, raw_statements(live), forms, strict=True):
        if form not in seen and any(is_foreign(statement, kind, target) for kind in allowed):
            seen.add(form)
            yield raw


def is_foreign(statement: Statement, kind: ForeignStatement, target: RepositoryTarget) -> bool:
    """Whether a statement of a repository's policy is a foreign one of this kind."""
    match kind:
        case ForeignStatement.LAMBDA_IMAGE_RETRIEVAL:
            return _lets_lambda_retrieve(statement, target)


def _lets_lambda_retrieve(statement: Statement, target: RepositoryTarget) -> bool:
    """Whether the statement lets Lambda pull for functions of the repository's account and region, and no one else.

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

_IDENTITY = re.compile(r"arn:[a-z0-9-]+:iam::[0-9]{12}:(?:user|role)/.+")


def is_settling(
    address: Address, desired: DesiredValue, observed: Observed, written_at: datetime | None, now: datetime
) -> bool:
    """Whether a document, shortly after it was written, differs only by unique IDs in place of users and roles.

    AWS stores the unique ID of a user or role for its ARN and translates it back when the document is read. For some
    seconds after a write, or after a principal was created, it may show the ID. Later an ID means that the principal
    was deleted. Source ("Role principals", "IAM user principals"):
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if written_at is None or now - written_at > SETTLES_WITHIN:
        return False
    match desired, observed:
        case Document() as wanted, Present(Document() as live):
            return _differs_by_ids_alone(*canonical_together(wanted, live, kind=address.document_kind))
        case _:
            return False


type _Statements = Sequence[CanonicalStatement]


def _differs_by_ids_alone(wanted: _Statements, live: _Statements) -> bool:
    named, shown = _statements_naming(wanted), _statements_naming(live)
    arns = [value for value in named if value not in shown and _IDENTITY.fullmatch(value)]
    ids = [value for value in shown if value not in named and is_unique_id(value)]
    if not ids or len(ids) != len(arns):
        return False
    # Which ID belongs to which ARN is not known, and irrelevant for those in the same statements.
    names = dict(zip(sorted(ids, key=shown.__getitem__), sorted(arns, key=named.__getitem__), strict=True))
    return {_renamed(statement, names) for statement in live} == set(wanted)


def _statements_naming(statements: _Statements) -> Mapping[str, list[str]]:
    """For each AWS principal the statements that name it, as sorted text without their principals."""
    naming = (
        (one.principals, f"{one.principals.negated} {to_document([replace(one, principals=None)]).text}")
        for one in statements
        if one.principals is not None
    )
    found = gather((value, rest) for named, rest in naming for kind, value in named.values if kind == "AWS")
    return {value: sorted(rests) for value, rests in found.items()}


def _renamed(statement: CanonicalStatement, names: Mapping[str, str]) -> CanonicalStatement:
    """The statement with its principals renamed."""
    canonical_principals = statement.principals
    if canonical_principals is None:
        return statement
    values = frozenset(
        principal._replace(value=names.get(principal.value, principal.value))
        for principal in canonical_principals.values
    )
    return replace(statement, principals=replace(canonical_principals, values=values))
