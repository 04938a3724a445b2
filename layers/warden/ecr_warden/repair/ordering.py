"""The order of a plan's changes.

Changes that only remove access come first. If two documents both gain and lose, each is first cut down to what old and
new both allow, so that no mixture of a new and an old document allows what neither did.
"""

import json
from collections.abc import Sequence
from copy import replace
from enum import IntEnum
from typing import Any

from ecr_warden.core.address import DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.core.desired import RoleSettings
from ecr_warden.core.ecr import REPOSITORY_POLICY_QUOTA
from ecr_warden.core.kinds import Operation
from ecr_warden.core.plan import Change, NewRole
from ecr_warden.core.target import RoleTarget
from iam_access.delta.delta import gained_and_lost, intersection
from iam_access.document.document import (
    ROLE_INLINE_QUOTA,
    TRUST_POLICY_QUOTA,
    Document,
    Effect,
    parse_document,
    policy_size,
    raw_statements,
)
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import is_unique_id
from iam_access.equivalent.canonical import digest


class _Step(IntEnum):
    # The write role may touch a role's documents only while its boundary is on.
    ROLE_SETTINGS = 0
    LOSE = 1
    # Right after the trust policy is narrowed, and before anything is widened.
    END_SESSIONS = 2
    MIXED = 3
    END_SESSIONS_OF_MIXED_TRUST = 4
    CREATE_ROLE = 5
    GAIN = 6
    # IAM deletes a role only without policies, including those that deny.
    DELETE_ROLE = 7


def ordered(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes in the order of writing, with intermediate writes where necessary."""
    mixed = [change for change in changes if _step(change) is _Step.MIXED]
    if len(mixed) > 1:
        rest = [change for change in changes if change not in mixed]
        changes = rest + [part for change in mixed for part in _in_two_writes(change)]
    trust_is_mixed = any(narrows_trust(change) and _step(change) is _Step.MIXED for change in changes)

    def order(change: Change) -> tuple[_Step, Address]:
        step = _step(change)
        if step is _Step.END_SESSIONS and trust_is_mixed:
            step = _Step.END_SESSIONS_OF_MIXED_TRUST
        return step, change.address

    return tuple(sorted(changes, key=order))


def _step(change: Change) -> _Step:
    match change:
        case Change(operation=Operation.UPDATE, after=RoleSettings()):
            return _Step.ROLE_SETTINGS
        case Change(after=NewRole()):
            return _Step.CREATE_ROLE
        case Change(operation=Operation.DELETE) if change.address.kind is AddressKind.ROLE:
            return _Step.DELETE_ROLE
        case Change() if change.address.name == DENY_OLDER_SESSIONS and change.after is not None:
            return _Step.END_SESSIONS
        case _ if loses(change) and gains(change):
            # A new document takes access away only by its own Deny.
            return _Step.GAIN if change.before is None else _Step.MIXED
        case _ if loses(change):
            return _Step.LOSE
        case _:
            return _Step.GAIN


def loses(change: Change) -> bool:
    """Whether the write removes access, or may."""
    return bool(change.access.lost) if change.access else change.before is not None or change.after is None


def gains(change: Change) -> bool:
    """Whether the write adds access, or may."""
    return bool(change.access.gained) if change.access else change.after is not None


def narrows_trust(change: Change) -> bool:
    """Whether the write removes the right to assume the role from a principal, or may."""
    return change.address.kind is AddressKind.TRUST_POLICY and loses(change)


def without_gain(change: Change) -> Change | None:
    """The part of a change that only removes access; None if there is none."""
    if change.before is None or change.access is None or not change.access.lost:
        return None
    cut, *_ = _in_two_writes(change)
    if not gains(cut):
        return cut
    # The intersection may add access, as far as we can tell; its Deny statements alone cannot.
    old = parse_document(change.before)
    cut, *_ = _cut_down(change, old, _between(old, None, change.address))
    return None if gains(cut) else cut


def removing_access(change: Change, refusals: int) -> Change | None:
    """The change to write after AWS refused so many documents; None if there is none.

    First what old and new both allow. That may name the principal that AWS does not know, if the old document allows
    everyone; then only what the old one denies is left, and a trust policy denies everyone.
    """
    if change.expect is None or not loses(change):
        return None
    cut = without_gain(change) if refusals == 1 else None
    return cut or _to_nobody(change)


_NOBODY = parse_document(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
)
"""For a role, which cannot be without a trust policy."""


def _to_nobody(change: Change) -> Change | None:
    if change.before is None:
        return None
    kind = change.address.document_kind
    old = None if change.access is None else parse_document(change.before)
    denials = None if old is None else _between(old, None, change.address)
    after = _NOBODY if kind is DocumentKind.TRUST else denials
    access = None if old is None else gained_and_lost(old, after, kind=kind)
    if change.before == _NOBODY.text or (access is not None and not access.lost):
        return None
    return replace(
        change, operation=Operation.DELETE if after is None else Operation.UPDATE, after=after, access=access
    )


def _in_two_writes(change: Change) -> tuple[Change, ...]:
    """First what old and new both allow, then the new document; a single write if that is not possible."""
    kind, new = change.address.document_kind, change.after
    if change.before is None or not (new is None or isinstance(new, Document)):
        return (change,)
    if change.access is None:
        return (change,) if new is None or kind is DocumentKind.TRUST else _deleted_first(change, None)
    old = parse_document(change.before)
    return _cut_down(change, old, _between(old, new, change.address))


def _cut_down(change: Change, old: Document, between: Document | None) -> tuple[Change, ...]:
    kind, new = change.address.document_kind, change.after
    assert new is None or isinstance(new, Document)
    if between is None:
        # A role cannot be without a trust policy; its other documents are cut down before it.
        return (change,) if new is None or kind is DocumentKind.TRUST else _deleted_first(change, old)
    cut = replace(change, operation=Operation.UPDATE, after=between, access=gained_and_lost(old, between, kind=kind))
    if not loses(cut):
        return (change,)
    access = gained_and_lost(between, new, kind=kind)
    return (cut, replace(change, before=between.text, expect=digest(between, kind=kind), access=access))


def _between(old: Document, new: Document | None, address: Address) -> Document | None:
    """A document that allows no more than both, has every Deny of the old one, and is accepted by AWS; None if empty.

    One that AWS refuses would keep the target unrepaired forever.
    """
    denies = _writable(_denies(old))
    common = denies if new is None else _writable(intersection(old, new, kind=address.document_kind))
    # As AWS counts it: the text that is sent has six characters for each one outside ASCII.
    room = max(_room(address), len("".join(json.dumps(json.loads(old.text), ensure_ascii=False).split())))
    return next(
        (document for document in (common, denies) if document is not None and policy_size(document) <= room), None
    )


def _writable(document: Document | None) -> Document | None:
    """The document without the unique IDs of deleted principals, which AWS shows but does not accept.

    They neither allow nor deny anything.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if document is None or not names_unique_id(document):
        return document
    kept = [one for one in map(_without_ids, raw_statements(document)) if one is not None]
    return parse_document({"Version": document.version, "Statement": kept}) if kept else None


def names_unique_id(document: Document) -> bool:
    """Whether it names a principal by its unique ID, as AWS shows one that was deleted."""
    return any(
        is_unique_id(principal.value)
        for statement in document.statements
        if statement.principals
        for principal in statement.principals.values
    )


def _without_ids(statement: dict[str, Any]) -> dict[str, Any] | None:
    """The statement without unique IDs; None if it names no other principal."""
    element = "NotPrincipal" if "NotPrincipal" in statement else "Principal"
    named = statement.get(element)
    if not isinstance(named, dict) or "AWS" not in named:
        return statement
    given = named["AWS"] if isinstance(named["AWS"], list) else [named["AWS"]]
    left = {**named, "AWS": [value for value in given if not is_unique_id(value)]}
    if not left["AWS"]:
        del left["AWS"]
    if left:
        return {**statement, element: left}
    rest = {name: value for name, value in statement.items() if name != element}
    # A NotPrincipal without principals means everyone.
    return None if element == "Principal" else {**rest, "Principal": "*"}


def _room(address: Address) -> int:
    """Characters that certainly fit: inline policies share the quota of their role or user."""
    if address.kind is AddressKind.TRUST_POLICY:
        return TRUST_POLICY_QUOTA
    if address.kind is AddressKind.REPOSITORY_POLICY:
        return REPOSITORY_POLICY_QUOTA
    return ROLE_INLINE_QUOTA // 2 if isinstance(address.target, RoleTarget) else 0


def _denies(document: Document) -> Document | None:
    kept = [entry for entry in raw_statements(document) if entry["Effect"] == Effect.DENY]
    return parse_document({"Version": document.version, "Statement": kept}) if kept else None


def _deleted_first(change: Change, old: Document | None) -> tuple[Change, ...]:
    assert isinstance(change.after, Document)
    kind = change.address.document_kind
    lost = gained_and_lost(old, None, kind=kind) if old else None
    cut = replace(change, operation=Operation.DELETE, after=None, access=lost)
    access = gained_and_lost(None, change.after, kind=kind)
    return (cut, replace(change, operation=Operation.CREATE, before=None, expect=None, access=access))
