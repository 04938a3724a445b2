"""A document that was written a moment ago and that AWS does not show as it will.

AWS stores the unique id of a user or role for its ARN and turns it back when it is read; for some seconds after a
write, or after a principal was made, the id may be shown. Later an id means that the principal is gone. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html (Role and user principals)
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from ecr_warden.model.address import Address
from ecr_warden.model.desired import DesiredValue
from ecr_warden.model.observed import Observed, Present
from ecr_warden.policy.canonical import canonical_statements, to_document
from ecr_warden.policy.document import Document, DocumentKind, parse_document
from ecr_warden.policy.equivalence import Equivalent, equivalent

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
    return isinstance(equivalent(_renamed(live, dict(pairs)), wanted, kind=kind), Equivalent)


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
