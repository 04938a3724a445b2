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

# No session lives longer than the highest MaxSessionDuration that a role can have had when it was opened.
LONGEST_SESSION = timedelta(hours=12)
# A cut-off farther ahead than that ends no older sessions: it locks everybody out, whoever wrote it.
FARTHEST_AHEAD = timedelta(hours=1)


def deny_older_sessions(cutoff: datetime) -> Document:
    """The document that denies everything to sessions issued before `cutoff` (rounded down to a second)."""
    return _denying(_shown(cutoff))


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
    """Whether an inline policy of a role does nothing but end sessions from before `latest`: ours, or a responder's."""
    if name not in (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS):
        return False
    cutoff = cutoff_of(document)
    return cutoff is not None and cutoff <= latest


def is_spent(document: Document, now: datetime) -> bool:
    """Whether every session that the document denies has expired by itself."""
    cutoff = cutoff_of(document)
    return cutoff is not None and have_expired(cutoff, now)


def have_expired(opened_before: datetime, now: datetime) -> bool:
    """Whether no session that was opened before that moment can still live."""
    return opened_before < now - LONGEST_SESSION


def whole_second(at: datetime) -> datetime:
    """The first moment that a document can name and that is not before `at`."""
    return at if not at.microsecond else at.replace(microsecond=0) + timedelta(seconds=1)


def reopened_sessions(spec: TargetSpec, observation: Observation, debts: Debts | None, now: datetime) -> Drift | None:
    """The drift of a role on which a cut-off was written and no longer stands, while it still denies somebody."""
    sessions_before = owed_cutoff(debts, now)
    if debts is None or sessions_before is None or not debts.sessions_ended or not _can_end_sessions(spec, observation):
        return None
    assert isinstance(spec.target, RoleTarget)
    address = identity_policy(spec.target, DENY_OLDER_SESSIONS)
    observed = observation.documents.get(address, Absent())
    flaw = _flaw(observed, sessions_before, now)
    if flaw is None:
        return None
    kind, explain = flaw
    wanted = deny_older_sessions(sessions_before)
    match observed:
        case Present(Document() as live):
            return Drift(address, kind, explain, gained_and_lost(wanted, live, kind=address.document_kind))
        case Absent():
            return Drift(address, kind, explain, gained_and_lost(wanted, None, kind=address.document_kind))
        case _:
            return Drift(address, kind, explain)


def is_kept_cutoff(spec: TargetSpec, address: Address, observed: Observed, debts: Debts | None, now: datetime) -> bool:
    """Whether what stands there, and not in the spec, may stay because it does nothing but end older sessions.

    It may on a role whose sessions the spec opens, and on one that has left the spec until those sessions are over; on
    any other owner it is a stranger, and a role that is deleted takes its sessions along.
    """
    match observed:
        case Present(Document() as document) if address.kind is AddressKind.IDENTITY_POLICY:
            owed = (
                isinstance(spec.target, RoleTarget)
                and owed_cutoff(debts, now) is not None
                and role(spec.target) not in spec.documents
            )
            latest = _latest(address.name, debts, now)
            return (keeps_trust_policy(spec) or owed) and is_session_cutoff(address.name, document, latest)
        case _:
            return False


def as_lockout(drift: Drift, observed: Observed, now: datetime) -> Drift:
    """The drift in the words for what it is, if it is a session cut-off dated so far ahead that nobody gets in."""
    match observed:
        case Present(Document() as document) if isinstance(drift.address.target, RoleTarget):
            cutoff = cutoff_of(document)
            if cutoff is not None and cutoff > now and drift.kind is DriftKind.UNEXPECTED:
                return replace(drift, explain=_locks_out(cutoff))
    return drift


def session_cutoff(
    spec: TargetSpec,
    observation: Observation,
    changes: Iterable[Change],
    *,
    debts: Debts | None,
    now: datetime,
    margin: timedelta,
) -> Change | None:
    """The change that denies older sessions, if they have to end, or drops such a document when it is spent.

    Where nothing is narrowed now, exactly those sessions end that had to: whatever was opened since came through a
    closed door.
    """
    target = spec.target
    if not isinstance(target, RoleTarget) or not _can_end_sessions(spec, observation):
        return None
    address = identity_policy(target, DENY_OLDER_SESSIONS)
    observed = observation.documents.get(address, Absent())
    owed, standing = owed_cutoff(debts, now), _standing(observed, debts, now)
    moves = standing is not None
    if any(map(narrows_trust, changes)):
        times = [time for time in (owed, standing) if time is not None]
        cutoff = max([whole_second(now + margin), *times])
        return _denial(address, observed, cutoff, "sessions opened before the repair end", moves=moves)
    if owed is not None and _flaw(observed, owed, now) is not None:
        return _denial(address, observed, owed, f"sessions opened before {_shown(owed)} end", moves=moves)
    match observed:
        case Present(Document() as live, digest) if is_spent(live, now):
            access = gained_and_lost(live, None, kind=address.document_kind)
            why = "the sessions it denied have expired"
            return Change(Operation.DELETE, address, live.text, digest, None, access, why)
        case _:
            return None


def written_cutoff(change: Change) -> datetime | None:
    """Before when a change ends sessions; None of any other change."""
    is_ours = change.address.kind is AddressKind.IDENTITY_POLICY and change.address.name == DENY_OLDER_SESSIONS
    return cutoff_of(change.after) if is_ours and isinstance(change.after, Document) else None


def owed_cutoff(debts: Debts | None, now: datetime) -> datetime | None:
    """Before when sessions were opened that have to be denied; None once all of those have expired."""
    sessions_before = debts.sessions_before if debts else None
    return None if sessions_before is None or have_expired(sessions_before, now) else sessions_before


def keeps_trust_policy(spec: TargetSpec) -> bool:
    """Whether the target is a role whose sessions the spec opens; on any other a session cut-off is a stranger."""
    return any(address.kind is AddressKind.TRUST_POLICY for address in spec.documents)


def _flaw(observed: Observed, sessions_before: datetime, now: datetime) -> tuple[DriftKind, str] | None:
    """In what way it does not end the sessions opened before that moment, in words; None if it does."""
    reopened = f"sessions opened before {_shown(sessions_before)} were ended, and somebody reopened them"
    match observed:
        case Absent():
            return DriftKind.MISSING, f"{reopened}: the policy that ended them was taken away"
        case Unparseable(error):
            return DriftKind.CHANGED, f"{reopened}: the policy that ended them is no longer understood: {error}"
        case Present(Document() as live):
            cutoff = cutoff_of(live)
            if cutoff is None:
                return DriftKind.CHANGED, f"{reopened}: another policy stands in place of the one that ended them"
            if cutoff > max(sessions_before, now):
                return DriftKind.UNEXPECTED, _locks_out(cutoff)
            if cutoff < sessions_before:
                return DriftKind.CHANGED, f"{reopened}: the policy now ends only those from before {_shown(cutoff)}"
            return None
        case _:
            return None


def _latest(name: str, debts: Debts | None, now: datetime) -> datetime:
    """How late a session cut-off of that name may be dated.

    A responder's by a little. Ours not beyond what a run is known to have written: else whoever renews it every hour
    keeps everybody out, and all looks well. Where no record is at hand (`debts` is None) ours counts as a responder's.
    """
    if name != DENY_OLDER_SESSIONS or debts is None:
        return now + FARTHEST_AHEAD
    return max(now, debts.sessions_before or now)


def _denial(address: Address, observed: Observed, cutoff: datetime, why: str, *, moves: bool) -> Change:
    document = deny_older_sessions(cutoff)
    before, expect, live = pre_image(observed)
    access = gained_and_lost(live, document, kind=address.document_kind)
    if moves:
        access = replace(access, gained=())  # a later cut-off denies all that the earlier one did
    operation = Operation.UPDATE if expect else Operation.CREATE
    return Change(operation, address, before, expect, document, access, why)


def _standing(observed: Observed, debts: Debts | None, now: datetime) -> datetime | None:
    latest = _latest(DENY_OLDER_SESSIONS, debts, now)
    match observed:
        case Present(Document() as live) if is_session_cutoff(DENY_OLDER_SESSIONS, live, latest):
            return cutoff_of(live)
        case _:
            return None


def pre_image(observed: Observed | None) -> tuple[str | None, str | None, Document | None]:
    """What a change replaces: its text, its digest, and the document if it is one that is understood."""
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


def _can_end_sessions(spec: TargetSpec, observation: Observation) -> bool:
    """Whether the role is ours, there and readable; one that is gone took its sessions along."""
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
    return f"it locks everybody out until {_shown(cutoff)}"


def _shown(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
