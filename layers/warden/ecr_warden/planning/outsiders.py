"""Which outsiders a version of the spec lets in that the accepted one keeps out, by structure: too many, never too few.

An organization or identity provider, with the owner of its subjects, counts only where the accepted version names it
nowhere.
"""

import re
from collections.abc import Collection, Iterator

from msgspec import Struct

from ecr_warden.arn import account_of
from ecr_warden.model.address import Address, repository_policy
from ecr_warden.model.desired import AlsoAllowed, CompiledSpec, DesiredValue, Mode
from ecr_warden.policy.access import AccessChange, AllBut, AnyOf, Permission, gained_and_lost
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.document import Document, Effect
from ecr_warden.policy.principal import ANYONE, Principal
from ecr_warden.policy.printable import printable

_ORGANIZATION_KEYS = ("aws:principalorgid", "aws:principalorgpaths")
_ORGANIZATION_OPERATORS = ("StringEquals", "StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringLike")
_SUBJECT_OPERATORS = (
    "StringEquals",
    "StringLike",
    "StringEqualsIgnoreCase",
    "ForAnyValue:StringEquals",
    "ForAnyValue:StringLike",
)
_SOURCE_KEYS = ("aws:sourceaccount", "aws:sourcearn")
_SOURCE_OPERATORS = ("StringEquals", "StringLike", "ArnEquals", "ArnLike")
_SOURCE_ORGANIZATION_KEYS = ("aws:sourceorgid", "aws:sourceorgpaths")


class LetIn(Struct, frozen=True):
    """An outsider, in words, and the document that lets it in."""

    who: str
    address: Address


def documents_of(spec: CompiledSpec | None) -> dict[Address, DesiredValue]:
    """Every desired value that a spec enforces; a pattern's under its own name."""
    if spec is None:
        return {}
    enforced = [entry for entry in spec.targets.values() if spec.mode_of(entry.target) is Mode.ENFORCE]
    patterns = [pattern for pattern in spec.patterns if (pattern.mode or spec.mode) is Mode.ENFORCE]
    named = {address: value for entry in enforced for address, value in entry.documents.items()}
    return named | {repository_policy(pattern.target): pattern.policy for pattern in patterns}


def changed_documents(
    before: CompiledSpec | None, after: CompiledSpec
) -> Iterator[tuple[Address, DesiredValue | None, DesiredValue | None]]:
    """Each address whose desired value differs, with both values; None where a version says nothing of it."""
    old, new = documents_of(before), documents_of(after)
    for address in sorted({*old, *new}, key=str):
        if old.get(address) != new.get(address):
            yield address, old.get(address), new.get(address)


def gains_of(before: CompiledSpec | None, after: CompiledSpec) -> Iterator[tuple[Address, AccessChange]]:
    """The documents that give more than before, each with what it gives and takes."""
    for address, old, new in changed_documents(before, after):
        if isinstance(new, Document):
            access = gained_and_lost(old if isinstance(old, Document) else None, new, kind=address.document_kind)
            if access.gained:
                yield address, access


def let_in(before: CompiledSpec, after: CompiledSpec) -> Iterator[LetIn]:
    """The outsiders whom a version lets in anew; outside is whatever the version before does not name."""
    known: frozenset[str] | None = None
    for address, access in gains_of(before, after):
        for who in dict.fromkeys(_newcomers(access, documents_of(after)[address], address, before.accounts)):
            if _may_be_known(who):
                known = _known(before) if known is None else known
                if who in known:
                    continue
            yield LetIn(who, address)


def left_unreported(before: CompiledSpec, after: CompiledSpec) -> tuple[str, ...]:
    """The outsiders whose access the next version's also_allowed keeps from being reported, and this one's does not."""
    found = [
        "anybody" if principal == "*" else printable(principal, 160)
        for entry in after.also_allowed
        for principal in entry.principals
        if not principal.endswith(_OF_AWS)
        and (account_of(principal) or principal) not in before.accounts
        and not any(_is_wider(one, entry, principal) for one in before.also_allowed)
    ]
    return tuple(dict.fromkeys(found))


_OF_AWS = ".amazonaws.com"
"""Ends the name of a service, which acts for the accounts that name it."""


def _is_wider(one: AlsoAllowed, other: AlsoAllowed, principal: str) -> bool:
    """Whether one entry allows a principal all that another does, as far as they name the same places."""
    pairs = ((one.access, other.access), (one.repositories, other.repositories))
    names_all = all(not wide or (narrow and {*narrow} <= {*wide}) for wide, narrow in pairs)
    return principal in one.principals and one.account in ("", other.account) and names_all


def _newcomers(
    access: AccessChange, document: DesiredValue, address: Address, accounts: Collection[str]
) -> Iterator[str]:
    for permission in access.gained:
        if permission.effect is Effect.ALLOW:
            yield from _outsiders(permission, accounts)
        elif isinstance(document, Document) and any(_all_outsiders(document, address, accounts)):
            yield "outsiders whom a Deny keeps out"


def _all_outsiders(document: Document, address: Address, accounts: Collection[str]) -> Iterator[str]:
    for permission in gained_and_lost(None, document, kind=address.document_kind).gained:
        yield from _outsiders(permission, accounts)


def _known(spec: CompiledSpec) -> frozenset[str]:
    """The organizations and identity providers that a version names."""
    return frozenset(
        who
        for address, value in documents_of(spec).items()
        if isinstance(value, Document)
        for who in _all_outsiders(value, address, spec.accounts)
        if _may_be_known(who)
    )


_PROVIDER, _ORGANIZATION = "identity provider ", "organization "


def _may_be_known(who: str) -> bool:
    return who.startswith((_PROVIDER, _ORGANIZATION))


def _outsiders(permission: Permission, accounts: Collection[str]) -> Iterator[str]:
    """Whom an Allow lets in who belongs to none of the accounts, in words."""
    match permission.principal:
        case None:
            return
        case AllBut():
            yield "anybody"
        case AnyOf(values):
            for value in values:
                yield from _outsider(value, permission, accounts)
        case principal:
            yield from _outsider(principal, permission, accounts)


def _outsider(principal: Principal, permission: Permission, accounts: Collection[str]) -> Iterator[str]:
    match principal:
        case Principal(kind="Service", value=value):
            yield from _sources(printable(value, 160), permission.conditions, accounts)
        case Principal(kind="Federated", value=value):
            provider = f"{_PROVIDER}{printable(value, 160)}"
            whom = _subjects(permission.conditions) if ":oidc-provider/" in value else ("",)
            yield from (f"{provider}, {printable(one, 160)}" if one else provider for one in whom)
        case _ if principal == ANYONE:
            organizations = sorted(_organizations(permission.conditions))
            yield from [f"{_ORGANIZATION}{one}" for one in organizations] or ["anybody"]
        case Principal(value=value):
            account = account_of(value) or value
            if account not in accounts:
                yield f"account {printable(account, 64)}"


def _subjects(conditions: Collection[CanonicalClause]) -> tuple[str, ...]:
    """Whose jobs an OpenID Connect provider may vouch for: the owner in each subject, without names and IDs below it.

    The provider of a code host vouches for all its customers, so a subject of another owner is another outsider.
    """
    for clause in conditions:
        if clause.key.endswith(":sub") and clause.operator in _SUBJECT_OPERATORS:
            return tuple(dict.fromkeys(map(_owner, sorted(clause.values))))
    return ("anybody",)


def _owner(subject: str) -> str:
    """`repo:acme` of `repo:acme@1/app@2:ref:refs/heads/main`; the whole subject if it has no such form."""
    owner = re.split(r"[/@]", subject, maxsplit=1)[0]
    return "anybody" if any(wild in owner for wild in "*?$") else owner


def _sources(service: str, conditions: Collection[CanonicalClause], accounts: Collection[str]) -> Iterator[str]:
    """The outsiders for whom a service acts; one without a source acts within the account of the document (E304)."""
    outside: list[list[str]] = []
    for clause in conditions:
        if clause.key in _SOURCE_ORGANIZATION_KEYS:
            outside.append([f"{_ORGANIZATION}{one}" for one in sorted(_named_organizations(clause))])
        elif clause.key in _SOURCE_KEYS and clause.operator in _SOURCE_OPERATORS:
            sources = sorted({account_of(value) or value for value in clause.values} - {*accounts})
            if not sources:
                return
            outside.append([f"account {printable(source, 64)} through {service}" for source in sources])
        elif clause.key in _SOURCE_KEYS:
            outside.append([])
    if outside:
        yield from next(filter(None, outside), [f"anybody through {service}"])


def _organizations(conditions: Collection[CanonicalClause]) -> frozenset[str]:
    """The organizations to which conditions limit anybody; none if they do not."""
    for clause in conditions:
        named = _named_organizations(clause) if clause.key in _ORGANIZATION_KEYS else frozenset()
        if named:
            return named
    return frozenset()


def _named_organizations(clause: CanonicalClause) -> frozenset[str]:
    if clause.operator not in _ORGANIZATION_OPERATORS:
        return frozenset()
    named = frozenset(value.partition("/")[0] for value in clause.values)
    return frozenset() if any("*" in one or "?" in one or "$" in one for one in named) else named
