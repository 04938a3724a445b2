"""The Principal and NotPrincipal elements of a statement.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from msgspec import Struct

from iam_access.arn import ACCOUNT_ID, IAM_ARN, iam_arn
from iam_access.text.printable import printable
from iam_access.text.strict_json import DocumentError, strings, wrong_type

SERVICE_LINKED_NAME = "AWSServiceRoleFor"
"""How the names of service-linked roles begin; only AWS can create such a role."""
IDENTITY_CENTER_NAME = "AWSReservedSSO_"
"""How the names of IAM Identity Center's roles begin."""
SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
ROLES_ANYWHERE = "rolesanywhere.amazonaws.com"
"""Lets in whoever has a certificate of a trust anchor, which need not be in any account.

Source: https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
"""
WEB_PROVIDERS = frozenset(
    {"cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com"}
)
"""The identity providers that everybody shares, whose name alone says nothing of an account."""

type PrincipalKind = Literal["AWS", "Service", "Federated", "CanonicalUser"]

_KINDS: dict[str, PrincipalKind] = {
    "AWS": "AWS",
    "Service": "Service",
    "Federated": "Federated",
    "CanonicalUser": "CanonicalUser",
}


class Principal(NamedTuple):
    """One principal: its kind as IAM names it, and its value. Anyone is `("AWS", "*")`.

    A named tuple because canonical forms hash thousands of them.
    """

    kind: PrincipalKind
    value: str


ANYONE = Principal("AWS", "*")


class Principals(Struct, frozen=True):
    """A Principal element, or a NotPrincipal element (`negated`), in the order given."""

    negated: bool
    values: tuple[Principal, ...]


def parse_principals(raw: object, place: str, *, negated: bool) -> Principals:
    """Parse the value of Principal or NotPrincipal; raises DocumentError."""
    if isinstance(raw, dict):
        values: list[Principal] = []
        for name, entry in raw.items():
            kind = _KINDS.get(name)
            if kind is None:
                raise DocumentError(
                    "document-principal",
                    place,
                    f'unknown kind of principal "{printable(name, 40)}"',
                    remedy="use AWS, Service, Federated or CanonicalUser, in this spelling",
                )
            for value in strings(entry, place, name):
                values.append(Principal(kind, value))
        return Principals(negated, tuple(values))
    if raw == "*":
        return Principals(negated, (ANYONE,))
    if isinstance(raw, str):
        raise DocumentError(
            "document-principal",
            place,
            f'a plain string can only be "*", not "{printable(raw)}"',
            remedy=f'write {{"AWS": "{printable(raw)}"}}',
        )
    raise wrong_type(place, raw, '"*" or an object')


def canonical_principals(values: Iterable[Principal], partition: str) -> frozenset[Principal]:
    """Principals as a set, an account ID as the root ARN of `partition`."""
    return frozenset(
        Principal("AWS", iam_arn(value, "root", partition)) if kind == "AWS" and is_account(value) else entry
        for entry in values
        for kind, value in (entry,)
    )


def is_account(value: str) -> bool:
    """Is this a bare account ID?"""
    return len(value) == 12 and ACCOUNT_ID.fullmatch(value) is not None


def named_partition(principal: Principal) -> str | None:
    """The partition that an IAM or STS ARN names, None for every other principal."""
    found = IAM_ARN.match(principal.value) if principal.kind == "AWS" else None
    return found[1] if found else None


_UNIQUE_ID = re.compile(r"A(?:ID|RO)A[A-Z0-9]+")


def is_unique_id(text: str) -> bool:
    """Whether a principal is the unique ID of a user (AIDA..) or role (AROA..).

    AWS shows it in place of the ARN once the user or role is deleted, and never assigns it again.
    """
    return _UNIQUE_ID.fullmatch(text) is not None
