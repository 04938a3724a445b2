"""Session cut-offs: the policy on a push role that denies the sessions that a repair or the end of a grant ends.

A trust policy is read at AssumeRole only, and temporary credentials cannot be revoked. So a repair that narrows a
trust policy also denies everything to the sessions that may have been opened through it, and so does a run after the
end of a grant, if the role goes on for others. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html

Which these are is decided by when they were issued (docs/adr/0022). The spec does not mention cut-offs: they
follow from what earlier runs narrowed (core.run.Debts), and from the ends of grants. No sessions end of a role that
only AWS services may assume: what runs with it keeps its credentials until they expire, and would stop working.
"""

import re
from collections.abc import Iterable
from copy import replace
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from ecr_warden.core.address import (
    AWS_REVOKE_OLDER_SESSIONS,
    DENY_OLDER_SESSIONS,
    Address,
    AddressKind,
    identity_policy,
    role,
)
from ecr_warden.core.desired import RoleSettings, TargetSpec
from ecr_warden.core.drift import Drift
from ecr_warden.core.kinds import DriftKind, Operation
from ecr_warden.core.observed import Absent, Observation, Observed, Present, TargetMissing, Unparseable, Unreadable
from ecr_warden.core.plan import Change
from ecr_warden.core.run import Debts
from ecr_warden.core.sessions import FARTHEST_AHEAD, Sessions, TrustLook, denial_of, denied_by, whole_second
from ecr_warden.core.target import RoleTarget
from ecr_warden.repair.guardrails import is_not_ours
from ecr_warden.repair.ordering import names_unique_id, narrows_trust
from iam_access.delta.delta import AccessDelta, PermissionDelta, access_change, gained_and_lost
from iam_access.document.document import Document, Effect, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import CanonicalStatement, canonical_together, digest
from iam_access.equivalent.subsumption import last_end
from iam_access.text.printable import show_time

_BY_ID = re.compile(r'"repo:[^/@:*"]+@(?=[0-9]+/\*@)')
# The highest MaxSessionDuration that a role can have had when the session was issued.
LONGEST_SESSION = timedelta(hours=12)
# A date ahead of the clock keeps everybody out until then: a responder's clock may be wrong once in this time.
ONE_AHEAD_IN = timedelta(days=1)
# What a look reads may be this old, or the door this long open elsewhere before: IAM promises no time in which a change
# is everywhere, and AWS speaks of minutes. The clocks of the hub and of AWS differ by less.
LOOK_MARGIN = timedelta(minutes=5)
# A session counts as issued a little after STS decided that the grant has not ended; the clocks of both differ by less.
END_MARGIN = timedelta(minutes=1)
# An end that is nearer may come before the trust policy that has it is written, and is everywhere.
NEAR_END = timedelta(minutes=10)


class LastLook(Struct, frozen=True):
    """When was the target's trust policy last read in sync? Asked when it is narrowed."""


def is_session_cutoff(name: str, document: Document, latest: datetime) -> bool:
    """Whether an inline policy, ours or an incident responder's, only denies sessions issued before `latest`."""
    if name not in (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS):
        return False
    denied = denied_by(document)
    return denied is not None and denied.before <= latest


def have_expired(sessions: Sessions, now: datetime) -> bool:
    """Whether the last of them has expired."""
    return sessions.before < now - LONGEST_SESSION


def reopened_sessions(spec: TargetSpec, observation: Observation, debts: Debts | None, now: datetime) -> Drift | None:
    """The drift of a role whose cut-off was removed or changed while sessions that it denied may still live."""
    owed = owed_sessions(debts, now)
    can_end = _can_end_sessions(spec, observation) and not is_for_services(spec)
    if debts is None or owed is None or not debts.sessions_ended or not can_end:
        return None
    assert isinstance(spec.target, RoleTarget)
    address = identity_policy(spec.target, DENY_OLDER_SESSIONS)
    observed = observation.documents.get(address, Absent())
    flaw = _flaw(observed, owed, now)
    if flaw is None:
        return None
    if isinstance(observed, Unparseable):
        return Drift(address, *flaw)
    return Drift(address, *flaw, gained_and_lost(denial_of(owed), _live(observed), kind=address.document_kind))


def is_kept_cutoff(spec: TargetSpec, address: Address, observed: Observed, debts: Debts | None, now: datetime) -> bool:
    """Whether a policy that the spec does not name may stay because it only denies older sessions.

    It may on a role with a desired trust policy, and on a removed role until those sessions have expired. On any other
    identity it is unexpected; a role that is deleted takes its sessions with it.
    """
    live = _live(observed)
    if live is None or address.kind is not AddressKind.IDENTITY_POLICY or not isinstance(spec.target, RoleTarget):
        return False
    is_owed = owed_sessions(debts, now) is not None and role(spec.target) not in spec.documents
    latest = _latest(address.name, debts, now)
    return (keeps_trust_policy(spec) or is_owed) and is_session_cutoff(address.name, live, latest)


def as_lockout(drift: Drift, observed: Observed, now: datetime) -> Drift:
    """The drift; explained as a lock-out if it is a cut-off so far in the future that it denies all access."""
    live = _live(observed)
    if live is None or not isinstance(drift.address.target, RoleTarget) or drift.kind is not DriftKind.UNEXPECTED:
        return drift
    denied = denied_by(live)
    return drift if denied is None or denied.before <= now else replace(drift, explain=_locks_out(denied))


def sessions_to_end(
    changes: Iterable[Change],
    *,
    debts: Debts | None,
    now: datetime,
    margin: timedelta,
    last_look: datetime | LastLook | None,
) -> Sessions | LastLook | None:
    """The sessions that may have been opened through a trust policy that the changes narrow; None if they narrow none.

    `last_look`: when the policy was last read in sync, or the question, which is returned where it matters. Where
    the time is unknown, these are all older sessions. So are they where the policy names a deleted principal: its
    sessions outlive it, and were opened while all was in sync.
    """
    narrowing = [change for change in changes if takes_living_right(change, debts, now)]
    if not narrowing:
        return None
    seen = None if any(map(_may_name_the_deleted, narrowing)) else last_look
    if isinstance(seen, LastLook):
        return seen
    since = None if seen is None else (seen - LOOK_MARGIN).replace(microsecond=0)
    return Sessions(whole_second(now + margin), since)


def takes_living_right(change: Change, debts: Debts | None, now: datetime) -> bool:
    """Whether the write takes a right to assume the role through which sessions may live, or may.

    A grant that has ended gave such a right until its end; it may be removed once those sessions were ended or expired.
    One that is given an end has its right until then, and its sessions end with it (`ended_with_grants`).
    """
    if not narrows_trust(change) or change.access is None or change.access.left_out:
        return narrows_trust(change)
    owed = owed_sessions(debts, now)
    for permission in _lost_now(change, change.access, now):
        ends = [end for clause in permission.conditions if (end := last_end(clause)) is not None]
        if permission.effect is not Effect.ALLOW or not ends:
            return True
        until = datetime.fromisoformat(min(ends))
        if until > now:  # possibly the last second of a calendar, after which there is no margin
            return True
        opened = Sessions(until + END_MARGIN)
        if not have_expired(opened, now) and (owed is None or not owed.covers(opened)):
            return True
    return False


def _lost_now(change: Change, access: AccessDelta, now: datetime) -> tuple[PermissionDelta, ...]:
    """What the write takes before the ends that the new trust policy has, if they lie ahead.

    Whoever loses nothing else could assume the role again at once, so that nothing would be gained by ending sessions.
    """
    if change.before is None or not isinstance(change.after, Document):
        return access.lost
    old, new = canonical_together(parse_document(change.before), change.after, kind=DocumentKind.TRUST)
    until_then = frozenset(map(partial(_before_its_end, now=now), new))
    return access.lost if until_then == frozenset(new) else access_change(frozenset(old), until_then).lost


def _before_its_end(statement: CanonicalStatement, now: datetime) -> CanonicalStatement:
    """The statement as it holds now: a permission without the ends that lie ahead."""
    if statement.effect is not Effect.ALLOW:
        return statement
    ends = {clause: last_end(clause) for clause in statement.conditions}
    lasting = {one for one, end in ends.items() if end is not None and datetime.fromisoformat(end) - now > NEAR_END}
    return replace(statement, conditions=statement.conditions - lasting)


def trust_look(spec: TargetSpec, drifts: Iterable[Drift], at: datetime) -> TrustLook | None:
    """The look at `at` that found these drifts; None if it did not read the trust policy in sync."""
    document = _desired_trust(spec)
    if document is None or any(drift.address.kind is AddressKind.TRUST_POLICY for drift in drifts):
        return None
    return TrustLook(at, digest(document, kind=DocumentKind.TRUST))


def last_look(spec: TargetSpec, looks: Iterable[TrustLook | None]) -> datetime | None:
    """The latest of the looks that read the trust policy as it is now desired; None if none did.

    An upgrade that writes it in another form counts the looks at the earlier one, which said the same of the same spec.
    """
    document = _desired_trust(spec)
    forms = [] if document is None else [document, _as_written_before(document)]
    known = {digest(form, kind=DocumentKind.TRUST) for form in forms}
    return max((look.at for look in looks if look is not None and look.digest in known), default=None)


def session_cutoff(
    spec: TargetSpec,
    observation: Observation,
    ended: Sessions | None,
    *,
    debts: Debts | None,
    now: datetime,
) -> Change | None:
    """The change that denies sessions if some have to end, or deletes a cut-off whose sessions have expired.

    `ended`: by the plan's other changes. Without any, exactly the sessions that are owed are denied, and those that end
    with a grant: later ones were issued under the repaired trust policy.
    """
    if not isinstance(spec.target, RoleTarget) or not _can_end_sessions(spec, observation):
        return None
    address = identity_policy(spec.target, DENY_OLDER_SESSIONS)
    observed = observation.documents.get(address, Absent())
    owed, existing = owed_sessions(debts, now), _existing(observed, debts, now)
    if is_for_services(spec):
        ended = owed = None
    over, why = ended_with_grants(spec, now), ""
    if over is not None and not (owed is not None and owed.covers(over)):
        owed, why = over.joined(owed), "a grant has ended: "
    if ended is not None:
        living = None if existing is None or have_expired(existing, now) else existing
        sessions = ended.joined(owed).joined(living)
        issued = "before" if sessions.since is None else f"between {show_time(sessions.since)} and"
        return _denial(address, observed, sessions, existing, f"denies sessions issued {issued} the repair")
    if owed is not None and _flaw(observed, owed, now) is not None:
        return _denial(address, observed, owed, existing, f"{why}denies sessions {owed}")
    match observed:
        case Present(Document() as live, expect) if existing is not None and have_expired(existing, now):
            access = gained_and_lost(live, None, kind=address.document_kind)
            return Change(
                Operation.DELETE, address, live.text, expect, None, access, "the sessions that were denied have expired"
            )
        case _:
            return None


def denied_sessions(change: Change) -> Sessions | None:
    """The sessions that a change ends; None for any other change."""
    is_ours = change.address.kind is AddressKind.IDENTITY_POLICY and change.address.name == DENY_OLDER_SESSIONS
    return denied_by(change.after) if is_ours and isinstance(change.after, Document) else None


def owed_sessions(debts: Debts | None, now: datetime) -> Sessions | None:
    """The sessions that earlier runs owe to end; None once all of them have expired."""
    owed = debts.sessions if debts else None
    return None if owed is None or have_expired(owed, now) else owed


def ended_with_grants(spec: TargetSpec, now: datetime) -> Sessions | None:
    """The sessions that end because a grant of the role has ended; None if there is none, or all have expired.

    No run has to remember them for this: they follow from the spec and the clock until they have expired.
    """
    last = max((until for until in spec.ends if until <= now - END_MARGIN), default=None)
    ended = None if last is None else Sessions(whole_second(last) + END_MARGIN)
    return None if ended is None or have_expired(ended, now) else ended


def is_for_services(spec: TargetSpec) -> bool:
    """Whether the desired trust policy lets AWS services assume the role, and nobody else."""
    document = _desired_trust(spec)
    allowing = (
        [statement for statement in document.statements if statement.effect is Effect.ALLOW]
        if document is not None
        else []
    )
    named = [statement.principals for statement in allowing]
    return bool(named) and all(
        some is not None and not some.negated and all(value.kind == "Service" for value in some.values)
        for some in named
    )


def going_on(spec: TargetSpec, written: Iterable[Change], debts: Debts | None, now: datetime) -> datetime | None:
    """Until when, at the latest, sessions go on that were opened through a trust policy that a run narrowed.

    None if it narrowed none, or the sessions end with it.
    """
    goes_on = is_for_services(spec) and any(takes_living_right(change, debts, now) for change in written)
    return whole_second(now) + LONGEST_SESSION if goes_on else None


def keeps_trust_policy(spec: TargetSpec) -> bool:
    """Whether the target is a role with a desired trust policy; any other may have no cut-off."""
    return any(address.kind is AddressKind.TRUST_POLICY for address in spec.documents)


def _desired_trust(spec: TargetSpec) -> Document | None:
    desired = [value for address, value in spec.documents.items() if address.kind is AddressKind.TRUST_POLICY]
    return next((value for value in desired if isinstance(value, Document)), None)


def _may_name_the_deleted(change: Change) -> bool:
    """Whether the trust policy that a change replaces names a deleted principal, or may."""
    return change.before is None or change.access is None or names_unique_id(parse_document(change.before))


def _flaw(observed: Observed, owed: Sessions, now: datetime) -> tuple[DriftKind, str] | None:
    """How the policy fails to deny these sessions; None if it denies them."""
    reopened = f"sessions {owed} were ended and work again"
    match observed:
        case Absent():
            return DriftKind.MISSING, f"{reopened}: the policy that denied them was removed"
        case Unparseable(error):
            return DriftKind.CHANGED, f"{reopened}: the policy that denied them can no longer be parsed: {error}"
        case Present(Document() as live):
            denied = denied_by(live)
            if denied is None:
                return DriftKind.CHANGED, f"{reopened}: another policy replaced the one that denied them"
            if not denied.covers(owed):
                return DriftKind.CHANGED, f"{reopened}: the policy now denies only those {denied}"
            if denied.before > max(owed.before, now):
                return DriftKind.UNEXPECTED, _locks_out(denied)
            return None
        case _:
            return None


def _latest(name: str, debts: Debts | None, now: datetime) -> datetime:
    """The latest cut-off that a policy of that name may have.

    A responder's may be a little in the future once a day, and ours not be later than a run has written: otherwise an
    attacker could deny all access by renewing it every hour, without any drift. Without a record (`debts` is None) any
    counts as a responder's first.
    """
    if debts is None or (name != DENY_OLDER_SESSIONS and _may_be_ahead(debts, now)):
        return now + FARTHEST_AHEAD
    known = debts.revoked_until if name != DENY_OLDER_SESSIONS else debts.sessions and debts.sessions.before
    return max(now, known or now)


def _may_be_ahead(debts: Debts, now: datetime) -> bool:
    return debts.revoked_until is None or debts.revoked_until < now - ONE_AHEAD_IN


def noting_revocation(debts: Debts, observation: Observation, now: datetime) -> Debts:
    """The debts with the date of a responder's policy that may be ahead of the clock, once a day."""
    if not isinstance(observation.target, RoleTarget) or not _may_be_ahead(debts, now):
        return debts
    live = _live(observation.documents.get(identity_policy(observation.target, AWS_REVOKE_OLDER_SESSIONS), Absent()))
    denied = denied_by(live) if live is not None else None
    if denied is None or not now < denied.before <= now + FARTHEST_AHEAD:
        return debts
    return replace(debts, revoked_until=denied.before)


def _denial(address: Address, observed: Observed, sessions: Sessions, existing: Sessions | None, why: str) -> Change:
    """The change that denies these sessions; `existing`: those that the policy in its place only denies."""
    document = denial_of(sessions)
    before, expect, live = pre_image(observed)
    access = gained_and_lost(live, document, kind=address.document_kind)
    if existing is not None:
        access = replace(access, gained=())  # ending sessions waits for no other change
    return Change(Operation.UPDATE if expect else Operation.CREATE, address, before, expect, document, access, why)


def _existing(observed: Observed, debts: Debts | None, now: datetime) -> Sessions | None:
    live, latest = _live(observed), _latest(DENY_OLDER_SESSIONS, debts, now)
    return denied_by(live) if live is not None and is_session_cutoff(DENY_OLDER_SESSIONS, live, latest) else None


def pre_image(observed: Observed | None) -> tuple[str | None, str | None, Document | None]:
    """What a change replaces: its text, its digest, and the document if it could be parsed."""
    match observed:
        case Present(Document() as document, digest):
            return document.text, digest, document
        case Present(RoleSettings() as settings, digest):
            return repr(settings), digest, None
        case Present(None, digest):
            return None, digest, None
        case Unparseable(_, text, digest):
            return text, digest, None
        case _:
            return None, None, None


def _live(observed: Observed) -> Document | None:
    return pre_image(observed)[2]


def _can_end_sessions(spec: TargetSpec, observation: Observation) -> bool:
    """Whether the role is ours, exists and is readable; a deleted role took its sessions with it."""
    if not keeps_trust_policy(spec) or is_not_ours(spec, observation):
        return False
    for address, observed in observation.documents.items():
        match address.kind, observed:
            case AddressKind.TRUST_POLICY, Absent() | TargetMissing() | Unreadable():
                return False
            case AddressKind.IDENTITY_POLICY, Unreadable() if address not in spec.documents:
                return False
            case _:
                pass
    return True


def _locks_out(denied: Sessions) -> str:
    return f"it denies all access until {show_time(denied.before)}"


def _as_written_before(trust: Document) -> Document:
    """The trust policy with any owner's name beside an owner's ID (`repo:*@1/*@2`)."""
    return parse_document(_BY_ID.sub('"repo:*@', trust.text))
