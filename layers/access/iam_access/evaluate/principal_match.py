"""Does a Principal or NotPrincipal element name the principal of a request, and in which ways?

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html and
reference_policies_elements_notprincipal.html
"""

from collections.abc import Iterable
from enum import IntFlag

from iam_access.document.document import Effect
from iam_access.document.principal import ANYONE, Principal, Principals, is_account
from iam_access.evaluate.request_principal import CallerKind, RequestPrincipal


class Naming(IntFlag):
    """The ways in which a statement names the principal; zero if it does not.

    A set, not a ranking: each way has effects of its own, and an additional one never takes away another's.
    """

    ANYONE = 1
    """By `*`, or by a NotPrincipal that does not exclude it."""
    ACCOUNT = 2
    """By its account, which delegates the decision to that account."""
    ROLE = 4
    """A session by its role; a role, which represents any session of it; a federated user by the user."""
    ITSELF = 8
    """By its own ARN or name."""


NOBODY = Naming(0)


def named_ways(element: Principals, principal: RequestPrincipal, effect: Effect) -> Naming:
    """The ways in which an element names a principal.

    A Deny with NotPrincipal only spares principals that are named on every level (a user and its account; a session,
    its role and their account): AWS checks the account first, then the role, then the session.
    """
    naming = _ways(element.values, principal)
    if not element.negated:
        return naming
    spared = bool(naming) if effect is Effect.ALLOW else _on_every_level(naming, principal)
    return NOBODY if spared else Naming.ANYONE


def _ways(entries: Iterable[Principal], principal: RequestPrincipal) -> Naming:
    naming = NOBODY
    # A document may have thousands of entries: most are passed over by their text.
    names = {"*", principal.text, principal.root, principal.account, principal.issuer}
    is_session = principal.kind is CallerKind.SESSION
    for entry in entries:
        if entry.value in names or (is_session and entry.value.endswith(principal.name)):
            naming |= _way(entry, principal)
    return naming


def _way(entry: Principal, principal: RequestPrincipal) -> Naming:
    kind, value = entry
    if entry == ANYONE:
        return Naming.ANYONE
    caller = principal.kind
    match kind:
        case "Service":
            same = caller is CallerKind.SERVICE
        case "Federated":
            same = caller is CallerKind.FEDERATED
        case "CanonicalUser":
            same = caller is CallerKind.CANONICAL
        case "AWS":
            return _naming_by_aws(value, principal)
    if not same:
        return NOBODY
    if value == "*":
        return Naming.ANYONE
    return Naming.ITSELF if value == principal.text else NOBODY


def _naming_by_aws(value: str, principal: RequestPrincipal) -> Naming:
    """Unique IDs (AIDA, AROA) name deleted identities: no ARN matches them."""
    if principal.account is None or principal.kind is CallerKind.FEDERATED:
        return NOBODY
    if value == principal.root or (is_account(value) and value == principal.account):
        return Naming.ITSELF if principal.kind is CallerKind.ROOT else Naming.ACCOUNT
    if value == principal.text:
        return Naming.ROLE if principal.kind is CallerKind.ROLE else Naming.ITSELF
    if principal.kind is CallerKind.SESSION and _is_role(value, principal):
        return Naming.ROLE
    return Naming.ROLE if principal.issuer and value == principal.issuer else NOBODY


def _is_role(value: str, session: RequestPrincipal) -> bool:
    """Is this the ARN of the session's role? Sessions do not show the path, and role names are unique without it."""
    prefix = f"arn:{session.partition}:iam::{session.account}:role/"
    return value.startswith(prefix) and value.rpartition("/")[2] == session.name


def _on_every_level(found: Naming, principal: RequestPrincipal) -> bool:
    if Naming.ANYONE in found:
        return True
    match principal.kind:
        case CallerKind.SESSION:
            needed = Naming.ACCOUNT | Naming.ROLE | Naming.ITSELF
        case CallerKind.ROLE:
            needed = Naming.ACCOUNT | Naming.ROLE
        case CallerKind.FEDERATED_USER if principal.issuer and Naming.ROLE in found:
            needed = Naming.ACCOUNT
        case CallerKind.USER | CallerKind.FEDERATED_USER:
            needed = Naming.ACCOUNT | Naming.ITSELF
        case _:
            needed = Naming.ITSELF
    return needed in found
