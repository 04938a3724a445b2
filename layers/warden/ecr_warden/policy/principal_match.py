"""Does a Principal or NotPrincipal element speak of the principal of a request, and how closely?

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
reference_policies_elements_notprincipal.html
"""

from collections.abc import Iterable
from enum import IntEnum

from ecr_warden.policy.document import Effect
from ecr_warden.policy.principal import ANYONE, Principal, Principals, is_account
from ecr_warden.policy.request_principal import CallerKind, RequestPrincipal


class Closeness(IntEnum):
    """How a statement names the principal; the closer, the greater."""

    NONE = 0
    """Not at all."""
    ANYONE = 1
    """By `*`, or as one of all but some."""
    ACCOUNT = 2
    """By its account, which hands the decision to that account."""
    ROLE = 3
    """A role session by its role; a role, which stands for any session of it; a federated user by the user."""
    ITSELF = 4
    """By its own ARN or name."""


def principal_closeness(element: Principals, principal: RequestPrincipal, effect: Effect) -> Closeness:
    """How an element names a principal.

    A Deny with NotPrincipal spares only who is named on every level (a user and its account; a session, its role and
    their account): AWS checks the account first, then the role, then the session.
    """
    if not element.negated:
        return max((_closeness(entry, principal) for entry in element.values), default=Closeness.NONE)
    if effect is Effect.ALLOW:
        spared = any(_closeness(entry, principal) for entry in element.values)
    else:
        spared = _named_on_every_level(element.values, principal)
    return Closeness.NONE if spared else Closeness.ANYONE


def _closeness(entry: Principal, principal: RequestPrincipal) -> Closeness:
    kind, value = entry
    if entry == ANYONE:
        return Closeness.ANYONE
    caller = principal.kind
    match kind:
        case "Service":
            same = caller is CallerKind.SERVICE
        case "Federated":
            same = caller is CallerKind.FEDERATED
        case "CanonicalUser":
            same = caller is CallerKind.CANONICAL
        case "AWS":
            return _aws_closeness(value, principal)
    if not same:
        return Closeness.NONE
    if value == "*":
        return Closeness.ANYONE
    return Closeness.ITSELF if value == principal.text else Closeness.NONE


def _aws_closeness(value: str, principal: RequestPrincipal) -> Closeness:
    """Unique ids (AIDA, AROA) name who was deleted: no ARN matches them."""
    if principal.account is None or principal.kind is CallerKind.FEDERATED:
        return Closeness.NONE
    if value == principal.root or (is_account(value) and value == principal.account):
        return Closeness.ITSELF if principal.kind is CallerKind.ROOT else Closeness.ACCOUNT
    if value == principal.text:
        return Closeness.ROLE if principal.kind is CallerKind.ROLE else Closeness.ITSELF
    if principal.kind is CallerKind.SESSION and _is_role(value, principal):
        return Closeness.ROLE
    if principal.issuer and value == principal.issuer:
        return Closeness.ROLE
    return Closeness.NONE


def _is_role(value: str, session: RequestPrincipal) -> bool:
    """Is this the ARN of a session's role? A session does not show the path, and role names are unique without it."""
    prefix = f"arn:{session.partition}:iam::{session.account}:role/"
    return value.startswith(prefix) and value.rpartition("/")[2] == session.name


def _named_on_every_level(entries: Iterable[Principal], principal: RequestPrincipal) -> bool:
    found = {_closeness(entry, principal) for entry in entries}
    if Closeness.ANYONE in found:
        return True
    match principal.kind:
        case CallerKind.SESSION:
            needed = {Closeness.ACCOUNT, Closeness.ROLE, Closeness.ITSELF}
        case CallerKind.ROLE:
            needed = {Closeness.ACCOUNT, Closeness.ROLE}
        case CallerKind.FEDERATED_USER if principal.issuer and Closeness.ROLE in found:
            needed = {Closeness.ACCOUNT}
        case CallerKind.USER | CallerKind.FEDERATED_USER:
            needed = {Closeness.ACCOUNT, Closeness.ITSELF}
        case _:
            needed = {Closeness.ITSELF}
    return needed <= found
