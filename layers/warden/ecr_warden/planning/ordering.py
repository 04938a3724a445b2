"""The order of a plan's changes.

What only takes away comes first. When two documents both gain and lose, each is first cut down to what old and new
both allow, so that no mixture of one new and one old document ever allows what neither did.
"""

import json
from collections.abc import Sequence
from copy import replace
from enum import IntEnum
from typing import Any

from ecr_warden.model.address import DENY_OLDER_SESSIONS, Address, AddressKind
from ecr_warden.model.desired import RoleSettings
from ecr_warden.model.plan import Change, NewRole, Operation
from ecr_warden.model.target import RoleTarget
from ecr_warden.policy.access import gained_and_lost, intersection
from ecr_warden.policy.canonical import digest
from ecr_warden.policy.document import (
    REPOSITORY_POLICY_QUOTA,
    ROLE_INLINE_QUOTA,
    TRUST_POLICY_QUOTA,
    Document,
    DocumentKind,
    Effect,
    parse_document,
    policy_size,
    raw_statements,
)
from ecr_warden.policy.phrases import is_unique_id


class _Step(IntEnum):
    # The write role may touch a role's documents only while its boundary is on.
    ROLE_SETTINGS = 0
    LOSE = 1
    # Right after what narrowed the trust policy, and before anything else is widened.
    END_SESSIONS = 2
    MIXED = 3
    END_SESSIONS_OF_MIXED_TRUST = 4
    CREATE_ROLE = 5
    GAIN = 6
    # IAM deletes a role only once its policies are gone, those that deny too.
    DELETE_ROLE = 7


def ordered(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes in the order of writing, with intermediate writes where they are needed."""
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
            # What nothing stands for yet takes nothing but by its own Deny.
            return _Step.GAIN if change.before is None else _Step.MIXED
        case _ if loses(change):
            return _Step.LOSE
        case _:
            return _Step.GAIN


def loses(change: Change) -> bool:
    """Whether the write takes something away, or may."""
    return bool(change.access.lost) if change.access else change.before is not None or change.after is None


def gains(change: Change) -> bool:
    """Whether the write allows something new, or may."""
    return bool(change.access.gained) if change.access else change.after is not None


def narrows_trust(change: Change) -> bool:
    """Whether the write takes from somebody the right to assume the role, or may."""
    return change.address.kind is AddressKind.TRUST_POLICY and loses(change)


def without_gain(change: Change) -> Change | None:
    """The part of a change that only takes away; None when there is none."""
    if change.before is None or change.access is None or not change.access.lost:
        return None
    cut, *_ = _in_two_writes(change)
    if not gains(cut):
        return cut
    # Nobody can tell whether what is common gains anything; of what only denies it is certain.
    old = parse_document(change.before)
    cut, *_ = _cut_to(change, old, _writable(_denies(old)))
    return None if gains(cut) else cut


def taking_away(change: Change, refusals: int) -> Change | None:
    """What is written where AWS refused a change so often for a principal that it does not know; None for nothing.

    First what old and new both allow. That may name the same principal where the old one lets in everybody: then
    nobody is left.
    """
    if change.expect is None or not loses(change):
        return None
    cut = without_gain(change) if refusals == 1 else None
    return cut or _to_nobody(change)


_NOBODY = parse_document(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
)
"""A role cannot be without a trust policy."""


def _to_nobody(change: Change) -> Change | None:
    kind = change.address.document_kind
    after = _NOBODY if kind is DocumentKind.TRUST else None
    if change.before is None or (after is not None and change.before == after.text):
        return None
    access = gained_and_lost(parse_document(change.before), after, kind=kind) if change.access is not None else None
    operation = Operation.DELETE if after is None else Operation.UPDATE
    return replace(change, operation=operation, after=after, access=access)


def _in_two_writes(change: Change) -> tuple[Change, ...]:
    """First what old and new have in common, then the new; one write where that is not possible."""
    kind, new = change.address.document_kind, change.after
    if change.before is None or not (new is None or isinstance(new, Document)):
        return (change,)
    if change.access is None:
        return (change,) if new is None or kind is DocumentKind.TRUST else _deleted_first(change, None)
    old = parse_document(change.before)
    return _cut_to(change, old, _between(old, new, change.address))


def _cut_to(change: Change, old: Document, between: Document | None) -> tuple[Change, ...]:
    kind, new = change.address.document_kind, change.after
    assert new is None or isinstance(new, Document)
    if between is None:
        # A role cannot be without a trust policy; its other documents are cut down first.
        return (change,) if new is None or kind is DocumentKind.TRUST else _deleted_first(change, old)
    cut = replace(change, operation=Operation.UPDATE, after=between, access=gained_and_lost(old, between, kind=kind))
    if not loses(cut):
        return (change,)
    access = gained_and_lost(between, new, kind=kind)
    return (cut, replace(change, before=between.text, expect=digest(between, kind=kind), access=access))


def _between(old: Document, new: Document | None, address: Address) -> Document | None:
    """What allows no more than both, lacks no Deny of the old one, and is taken by AWS; None for nothing.

    One that AWS refuses would never be written, and keep the target as it is for good.
    """
    denies = _writable(_denies(old))
    common = denies if new is None else _writable(intersection(old, new, kind=address.document_kind))
    # As AWS shows it: what is sent has six characters for one that is not ASCII.
    room = max(_room(address), len("".join(json.dumps(json.loads(old.text), ensure_ascii=False).split())))
    return next((one for one in (common, denies) if one is not None and policy_size(one) <= room), None)


def _writable(document: Document | None) -> Document | None:
    """The document without the unique ids of principals that are gone: AWS shows them and takes none.

    Nobody is allowed or denied anything by them.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if document is None or not any(
        is_unique_id(principal.value)
        for statement in document.statements
        if statement.principals
        for principal in statement.principals.values
    ):
        return document
    kept = [one for one in map(_without_ids, raw_statements(document)) if one is not None]
    return parse_document({"Version": document.version, "Statement": kept}) if kept else None


def _without_ids(statement: dict[str, Any]) -> dict[str, Any] | None:
    """None where it spoke of nobody else."""
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
    # All but nobody is everybody.
    return None if element == "Principal" else {**rest, "Principal": "*"}


def _room(address: Address) -> int:
    """Characters that surely fit: a role's inline policies share their quota with ours, a user's with anybody's."""
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
