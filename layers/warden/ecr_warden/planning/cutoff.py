"""Session cut-offs: the policy on a push role that denies sessions issued before a repair.

A trust policy is read at AssumeRole only, and temporary credentials cannot be revoked. So a repair that narrows a
trust policy also denies everything to the older sessions of the role. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html

The spec does not mention cut-offs: they follow from what earlier runs narrowed (model.run.Debts).
"""

from collections.abc import Iterable
from copy import replace
from datetime import UTC, datetime, timedelta

from ecr_warden.model.address import (
    AWS_REVOKE_OLDER_SESSIONS,
    DENY_OLDER_SESSIONS,
    Address,
    AddressKind,
    identity_policy,
    role,
)
from ecr_warden.model.desired import RoleSettings, TargetSpec
from ecr_warden.model.drift import Drift, DriftKind
from ecr_warden.model.observed import Absent, Observation, Observed, Present, TargetMissing, Unparseable, Unreadable
from ecr_warden.model.plan import Change, Operation
from ecr_warden.model.run import Debts
from ecr_warden.model.target import RoleTarget
from ecr_warden.planning.guardrails import is_not_ours
from ecr_warden.planning.ordering import narrows_trust
from ecr_warden.policy.access import gained_and_lost
from ecr_warden.policy.canonical import equivalent
from ecr_warden.policy.document import Document, parse_document
from ecr_warden.policy.printable import show_time

# The highest MaxSessionDuration that a role can have had when the session was issued.
LONGEST_SESSION = timedelta(hours=12)
# A cut-off farther in the future does not end older sessions but denies all access, whoever wrote it.
FARTHEST_AHEAD = timedelta(hours=1)


def deny_older_sessions(cutoff: datetime) -> Document:
    """The document that denies everything to sessions issued before `cutoff` (rounded down to a second)."""
    return _denying(show_time(cutoff))


def cutoff_of(document: Document) -> datetime | None:
    """The cut-off of a document equivalent to that, else None."""
    times = [value for one in document.statements for clause in one.conditions for value in clause.values]
    try:
        # AWS's console writes milliseconds; both forms are ISO 8601.
        written = datetime.fromisoformat(times[0])
        cutoff = written.astimezone(UTC) if written.tzinfo else None
    except (IndexError, ValueError, OverflowError):  # the first and last times of a calendar overflow in UTC
        return None
    return cutoff if equivalent(document, _denying(times[0])) else None


def _denying(time: str) -> Document:
    condition = {"DateLessThan": {"aws:TokenIssueTime": time}}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
    return parse_document({"Version": "2012-10-17", "Statement": [statement]})


def is_session_cutoff(name: str, document: Document, latest: datetime) -> bool:
    """Whether an inline policy, ours or an incident responder's, only denies sessions issued before `latest`."""
    if name not in (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS):
        return False
    cutoff = cutoff_of(document)
    return cutoff is not None and cutoff <= latest


def is_spent(document: Document, now: datetime) -> bool:
    """Whether every session that the document denies has expired."""
    cutoff = cutoff_of(document)
    return cutoff is not None and have_expired(cutoff, now)


def have_expired(issued_before: datetime, now: datetime) -> bool:
    """Whether all sessions issued before that time have expired."""
    return issued_before < now - LONGEST_SESSION


def whole_second(at: datetime) -> datetime:
    """The first full second that is not before `at`: a policy names no smaller time."""
    return at if not at.microsecond else at.replace(microsecond=0) + timedelta(seconds=1)


def reopened_sessions(spec: TargetSpec, observation: Observation, debts: Debts | None, now: datetime) -> Drift | None:
    """The drift of a role whose cut-off was removed or changed while sessions that it denied may still live."""
    sessions_before = owed_cutoff(debts, now)
    if debts is None or sessions_before is None or not debts.sessions_ended or not _can_end_sessions(spec, observation):
        return None
    assert isinstance(spec.target, RoleTarget)
    address = identity_policy(spec.target, DENY_OLDER_SESSIONS)
    observed = observation.documents.get(address, Absent())
    flaw = _flaw(observed, sessions_before, now)
    if flaw is None:
        return None
    if isinstance(observed, Unparseable):
        return Drift(address, *flaw)
    wanted = deny_older_sessions(sessions_before)
    return Drift(address, *flaw, gained_and_lost(wanted, _live(observed), kind=address.document_kind))


def is_kept_cutoff(spec: TargetSpec, address: Address, observed: Observed, debts: Debts | None, now: datetime) -> bool:
    """Whether a policy that the spec does not name may stay because it only denies older sessions.

    It may on a role with a desired trust policy, and on a removed role until those sessions have expired. On any other
    identity it is unexpected; a role that is deleted takes its sessions with it.
    """
    live = _live(observed)
    if live is None or address.kind is not AddressKind.IDENTITY_POLICY or not isinstance(spec.target, RoleTarget):
        return False
    is_owed = owed_cutoff(debts, now) is not None and role(spec.target) not in spec.documents
    latest = _latest(address.name, debts, now)
    return (keeps_trust_policy(spec) or is_owed) and is_session_cutoff(address.name, live, latest)


def as_lockout(drift: Drift, observed: Observed, now: datetime) -> Drift:
    """The drift; explained as a lock-out if it is a cut-off so far in the future that it denies all access."""
    live = _live(observed)
    if live is None or not isinstance(drift.address.target, RoleTarget) or drift.kind is not DriftKind.UNEXPECTED:
        return drift
    cutoff = cutoff_of(live)
    return drift if cutoff is None or cutoff <= now else replace(drift, explain=_locks_out(cutoff))


def session_cutoff(
    spec: TargetSpec,
    observation: Observation,
    changes: Iterable[Change],
    *,
    debts: Debts | None,
    now: datetime,
    margin: timedelta,
) -> Change | None:
    """The change that denies older sessions if they have to end, or deletes a cut-off whose sessions have expired.

    If no change narrows the trust policy now, the cut-off stays at the time that is owed: later sessions were issued
    under the repaired trust policy.
    """
    target = spec.target
    if not isinstance(target, RoleTarget) or not _can_end_sessions(spec, observation):
        return None
    address = identity_policy(target, DENY_OLDER_SESSIONS)
    observed = observation.documents.get(address, Absent())
    owed, existing = owed_cutoff(debts, now), _existing(observed, debts, now)
    moves = existing is not None
    if any(map(narrows_trust, changes)):
        times = [time for time in (owed, existing) if time is not None]
        cutoff = max([whole_second(now + margin), *times])
        return _denial(address, observed, cutoff, "denies sessions issued before the repair", moves=moves)
    if owed is not None and _flaw(observed, owed, now) is not None:
        return _denial(address, observed, owed, f"denies sessions issued before {show_time(owed)}", moves=moves)
    match observed:
        case Present(Document() as live, digest) if is_spent(live, now):
            access = gained_and_lost(live, None, kind=address.document_kind)
            why = "the sessions it denied have expired"
            return Change(Operation.DELETE, address, live.text, digest, None, access, why)
        case _:
            return None


def written_cutoff(change: Change) -> datetime | None:
    """The cut-off that a change writes; None for any other change."""
    is_ours = change.address.kind is AddressKind.IDENTITY_POLICY and change.address.name == DENY_OLDER_SESSIONS
    return cutoff_of(change.after) if is_ours and isinstance(change.after, Document) else None


def owed_cutoff(debts: Debts | None, now: datetime) -> datetime | None:
    """The cut-off that earlier runs owe; None once all sessions issued before it have expired."""
    sessions_before = debts.sessions_before if debts else None
    return None if sessions_before is None or have_expired(sessions_before, now) else sessions_before


def keeps_trust_policy(spec: TargetSpec) -> bool:
    """Whether the target is a role with a desired trust policy; any other may have no cut-off."""
    return any(address.kind is AddressKind.TRUST_POLICY for address in spec.documents)


def _flaw(observed: Observed, sessions_before: datetime, now: datetime) -> tuple[DriftKind, str] | None:
    """How the policy fails to deny the sessions issued before that time; None if it denies them."""
    reopened = f"sessions issued before {show_time(sessions_before)} were ended and work again"
    match observed:
        case Absent():
            return DriftKind.MISSING, f"{reopened}: the policy that denied them was removed"
        case Unparseable(error):
            return DriftKind.CHANGED, f"{reopened}: the policy that denied them can no longer be parsed: {error}"
        case Present(Document() as live):
            cutoff = cutoff_of(live)
            if cutoff is None:
                return DriftKind.CHANGED, f"{reopened}: another policy replaced the one that denied them"
            if cutoff > max(sessions_before, now):
                return DriftKind.UNEXPECTED, _locks_out(cutoff)
            if cutoff < sessions_before:
                explain = f"{reopened}: the policy now denies only those issued before {show_time(cutoff)}"
                return DriftKind.CHANGED, explain
            return None
        case _:
            return None


def _latest(name: str, debts: Debts | None, now: datetime) -> datetime:
    """The latest cut-off that a policy of that name may have.

    A responder's may be a little in the future. Ours may not be later than a run has written: otherwise an attacker
    could deny all access by renewing it every hour, without any drift. Without a record (`debts` is None) ours counts
    as a responder's.
    """
    if name != DENY_OLDER_SESSIONS or debts is None:
        return now + FARTHEST_AHEAD
    return max(now, debts.sessions_before or now)


def _denial(address: Address, observed: Observed, cutoff: datetime, why: str, *, moves: bool) -> Change:
    document = deny_older_sessions(cutoff)
    before, expect, live = pre_image(observed)
    access = gained_and_lost(live, document, kind=address.document_kind)
    if moves:
        access = replace(access, gained=())  # a later cut-off denies all that the earlier one denied
    operation = Operation.UPDATE if expect else Operation.CREATE
    return Change(operation, address, before, expect, document, access, why)


def _existing(observed: Observed, debts: Debts | None, now: datetime) -> datetime | None:
    live, latest = _live(observed), _latest(DENY_OLDER_SESSIONS, debts, now)
    return cutoff_of(live) if live is not None and is_session_cutoff(DENY_OLDER_SESSIONS, live, latest) else None


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


def _locks_out(cutoff: datetime) -> str:
    return f"it denies all access until {show_time(cutoff)}"
