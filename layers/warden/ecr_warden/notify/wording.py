"""Targets, drift, outcomes, times and callers in words."""

from collections.abc import Collection, Iterator
from copy import replace
from datetime import datetime
from typing import assert_never

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS, WRITES, Address, AddressKind
from ecr_warden.core.drift import Drift
from ecr_warden.core.ecr import ECR
from ecr_warden.core.failures import BlockedByDeny
from ecr_warden.core.framings import DRIFT
from ecr_warden.core.job import UNKNOWN_CALLER, Actor, Cause, CauseKind, short_name
from ecr_warden.core.kinds import DriftKind, Operation
from ecr_warden.core.listing import Entry, Listing, listing
from ecr_warden.core.plan import Change
from ecr_warden.core.run import Applied, Conflict, Failed, Outcome, Skipped
from ecr_warden.core.sessions import Sessions, denial_of, denied_by
from ecr_warden.core.target import RepositoryTarget, Target, UserTarget
from ecr_warden.notify.message import Field
from ecr_warden.repair.severity import is_outside, is_power
from iam_access.arn import IAM_REGION
from iam_access.delta.delta import PermissionDelta
from iam_access.delta.describe import describe_change
from iam_access.delta.phrases import Framing
from iam_access.document.document import Document
from iam_access.text.printable import show_time


def name_of(target: Target) -> str:
    """`role ecr-pusher`."""
    return f"{'repository' if isinstance(target, RepositoryTarget) else target.identity_kind} {target.name}"


def describe_target(target: Target) -> str:
    """`repository shop/checkout in 222222222222 eu-central-1`."""
    region = f" {target.region}" if isinstance(target, RepositoryTarget) else ""
    return f"{name_of(target)} in {target.account}{region}"


def describe_address(address: Address) -> str:
    """The document or setting without its target: `inline policy ecr-warden-push`."""
    match address.kind:
        case AddressKind.REPOSITORY_POLICY:
            return "repository policy"
        case AddressKind.TRUST_POLICY:
            return "trust policy"
        case AddressKind.IDENTITY_POLICY:
            return f"inline policy {address.name}"
        case AddressKind.ATTACHED_POLICY:
            return f"attached policy {address.name}"
        case AddressKind.ROLE:
            return "role settings"
        case _:
            assert_never(address.kind)


def describe_drift(
    drift: Drift, framing: Framing, *, home: Collection[str] = (), lacks: Framing | None = None
) -> Entry:
    """What differed, and under it a sentence for each access that the live document gave or lacked.

    Power over policies comes first, and principals of no account of `home` where it is given. `lacks`: the framing of
    what it lacked, if that is another one.
    """
    sides = [(drift, framing)] if lacks is None else [*zip(_sides(drift), (framing, lacks), strict=False)]
    sentences = [*_remedy(drift), *(line for side, how in sides for line in _access(side, how, home))]
    left_out = drift.left_out + (drift.change.left_out if drift.change is not None else 0)
    return Entry(_difference(drift), listing("difference of access", sentences, rest=left_out))


def _difference(drift: Drift) -> str:
    where = describe_address(drift.address)
    match drift.kind:
        case DriftKind.MISSING if drift.address.name == DENY_OLDER_SESSIONS:
            return f"{where}: missing: {drift.explain}"
        case DriftKind.MISSING:
            return f"{where}: missing"
        case DriftKind.CHANGED if drift.same_access:
            return f"{where}: written differently, allows the same: {drift.explain}"
        case DriftKind.CHANGED:
            return f"{where}: changed: {drift.explain}"
        case DriftKind.UNEXPECTED if drift.address.name in (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS):
            return f"{where}: {drift.explain}"
        case DriftKind.UNEXPECTED:
            return f"{where}: not in the spec"
        case DriftKind.UNPARSEABLE:
            return f"{where}: cannot be parsed: {drift.explain}"
        case DriftKind.UNREADABLE if drift.code == BlockedByDeny.code:
            error, _, _ = drift.explain.partition("; ")
            return f"{where}: access is explicitly denied to ecr-warden, so its state is unknown: {error}"
        case DriftKind.UNREADABLE:
            error, _, _ = drift.explain.partition("; ")
            return f"{where}: cannot be read, so its state is unknown: {error}"
        case DriftKind.TARGET_MISSING | DriftKind.PRINCIPAL_RECREATED | DriftKind.SETTLING:
            return f"{where}: {drift.explain}"
        case _:
            assert_never(drift.kind)


def _remedy(drift: Drift) -> Iterator[str]:
    """The remedy for a read error, on a line of its own: the error may be long."""
    remedy = drift.explain.partition("; ")[2]
    if drift.kind is DriftKind.UNREADABLE and remedy:
        yield remedy


def _access(drift: Drift, framing: Framing, home: Collection[str]) -> Iterator[str]:
    subject = drift.address.target.name

    def comes_first(permission: PermissionDelta) -> bool:
        return is_power(permission) or (bool(home) and is_outside(permission, home))

    if drift.same_access:
        if drift.kind is not DriftKind.CHANGED:
            yield "together the identity's inline policies allow what they should"
    elif drift.change is not None:
        yield from describe_change(drift.change, ECR, subject=subject, framing=framing, comes_first=comes_first)
    if drift.change is not None and drift.change.assumed:
        yield "too complex to compare exactly: every statement that differs is listed"


def describe_sides(drift: Drift, *, home: Collection[str]) -> tuple[Listing, ...]:
    """Both versions of a document side by side: what the live one gives beyond the spec, and what it lacks."""
    framing, (gives, *lacks) = DRIFT, _sides(drift)
    if not lacks:
        return (Listing("difference", (describe_drift(drift, framing, home=home),), "Their version:"),)
    left_out = drift.left_out + (drift.change.left_out if drift.change is not None else 0)
    noun = "difference of access"
    return (
        listing(noun, list(_access(gives, framing, home)), title="Their version gives:", rest=left_out),
        *(listing(noun, list(_access(lack, framing, home)), title="Their version lacks:") for lack in lacks),
    )


def _sides(drift: Drift) -> tuple[Drift, ...]:
    """What the live document gives beyond the desired one, and what it lacks; one drift if that cannot be parted."""
    change = drift.change
    if change is None:
        return (drift,)
    return replace(drift, access=replace(change, lost=())), replace(drift, access=replace(change, gained=()))


def describe_outcome(outcome: Outcome, narrowed: Collection[Address] = ()) -> Entry:
    """What became of one change; `narrowed`: documents of which only the excess was removed."""
    match outcome:
        case Applied(change) if change.address in narrowed:
            return Entry(f"{describe_address(change.address)}: narrowed")
        case Applied(change):
            again = ["whoever uses one has to assume the role again"] if _ends_sessions(change) else []
            return Entry(_done(change), listing("line", again))
        case Skipped(change, reason):
            return Entry(f"not done: {_intended(change)}: {reason}")
        case Conflict(change):
            return Entry(f"not done: {_intended(change)}: the document had changed again")
        case Failed(change, code, message, _, remedy):
            said = f"failed: {_intended(change)}: {code}: {message}"
            return Entry(said, listing("remedy", [f"remedy: {remedy}"] if remedy else []))
        case _:
            assert_never(outcome)


_DONE = {Operation.CREATE: "created", Operation.UPDATE: "repaired", Operation.DELETE: "removed"}
_INTENDED = {Operation.CREATE: "create", Operation.UPDATE: "repair", Operation.DELETE: "remove"}


def _done(change: Change) -> str:
    if _ends_sessions(change):
        denied = denied_by(change.after) if isinstance(change.after, Document) else None
        return f"sessions {denied}: denied" if denied else "older sessions: denied"
    if change.address.kind is AddressKind.ROLE and change.operation is not Operation.UPDATE:
        return f"role: {_DONE[change.operation]}"
    return f"{describe_address(change.address)}: {_DONE[change.operation]}"


def _ends_sessions(change: Change) -> bool:
    return change.address.name == DENY_OLDER_SESSIONS and change.operation is not Operation.DELETE


def _intended(change: Change) -> str:
    return f"{_INTENDED[change.operation]} {describe_address(change.address)}"


def call_fields(cause: Cause) -> Iterator[Field]:
    """The call that an event reports, and when it was made."""
    if cause.kind is CauseKind.EVENT and cause.action:
        yield Field("Call", cause.action)
        yield Field("Called at", show_time(cause.time) if cause.time is not None else "")


def who(cause: Cause) -> str:
    """The caller behind an event; for other causes, what triggered the run."""
    match cause.kind:
        case CauseKind.EVENT if cause.actor is None and not cause.action:
            return "unknown: found when ecr-warden verified what it had written"
        case CauseKind.EVENT:
            return describe_actor(cause.actor)
        case CauseKind.CALLER:
            return f"command {cause.action or 'to the hub'} by {describe_actor(cause.actor)}"
        case CauseKind.SWEEP:
            return "unknown: found by the sweep, and no event reported it; check that the rules and the trail are on"
        case CauseKind.RUN:
            return f"unknown: found by the follow-up of run {cause.id}"
        case CauseKind.PAUSE:
            return f"pause {cause.id} by {describe_actor(cause.actor)} ended"
        case CauseKind.HEARTBEAT:
            return f"heartbeat {cause.id}"
        case CauseKind.SPEC:
            return f"version {cause.id} of the spec, uploaded by {uploader(cause.actor)}"
        case _:
            assert_never(cause.kind)


def describe_cause(cause: Cause) -> str:
    """What triggered a run, in a few words: `iam:PutRolePolicy by mallory`, `sweep`, `command apply by alice`."""
    match cause.kind:
        case CauseKind.EVENT if cause.actor is None and not cause.action:
            return "an unknown call, after a write by ecr-warden"
        case CauseKind.EVENT:
            return f"{cause.action or 'a call'} by {short_name(cause.actor)}"
        case CauseKind.CALLER:
            return f"command {cause.action or 'to the hub'} by {short_name(cause.actor)}"
        case CauseKind.SWEEP:
            return "sweep"
        case CauseKind.RUN:
            return f"follow-up of run {cause.id}"
        case CauseKind.PAUSE:
            return f"pause {cause.id} ended"
        case CauseKind.HEARTBEAT:
            return f"heartbeat {cause.id}"
        case CauseKind.SPEC:
            return f"spec version {cause.id}"
        case _:
            assert_never(cause.kind)


def who_wrote(address: Address) -> str:
    """The command that shows who wrote a document lately."""
    target, calls = address.target, WRITES[address.kind]
    call = next((call for call in calls if isinstance(target, UserTarget) and "User" in call), calls[0])
    region = target.region if isinstance(target, RepositoryTarget) else IAM_REGION
    return (
        f"aws cloudtrail lookup-events --profile ... --region {region} --lookup-attributes "
        f"AttributeKey=EventName,AttributeValue={call}"
    )


def ending_sessions(role: Target, before: datetime) -> str:
    """The command that ends a role's sessions issued before a time, as AWS's console does."""
    denial = denial_of(Sessions(before)).text
    return (
        f"aws iam put-role-policy --profile ... --role-name {role.name} --policy-name {AWS_REVOKE_OLDER_SESSIONS} "
        f"--policy-document '{denial}'"
    )


def uploader(actor: Actor | None) -> str:
    """Who uploaded a version of the spec: S3's event names an account at most, never a user or role.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    if actor is not None and actor.type == "AWSAccount" and actor.account:
        source = f", from {actor.source_ip}" if actor.source_ip else ""
        return f"an identity in account {actor.account}{source} (S3 does not say which)"
    return describe_actor(actor)


def describe_actor(actor: Actor | None) -> str:
    """`session alice of role arn:aws:iam::..:role/Admin, through cloudformation.amazonaws.com, from 198.51.100.7`."""
    if actor is None:
        return UNKNOWN_CALLER
    words = [_identity(actor)]
    if actor.invoked_by and actor.type != "AWSService":
        words.append(f"through {actor.invoked_by}")
    if actor.source_identity and actor.source_identity != actor.session_name:
        words.append(f"source identity {actor.source_identity}")
    if actor.source_ip and actor.source_ip != actor.invoked_by:
        words.append(f"from {actor.source_ip}")
    return ", ".join(words)


def _identity(actor: Actor) -> str:
    account = f" of account {actor.account}" if actor.account else ""
    match actor.type:
        case "Root":
            return f"the root user{account}"
        case "IAMUser":
            return f"user {actor.arn}" if actor.arn else f"a user{account}"
        case "AssumedRole":
            role = actor.issuer or actor.arn
            session = f"session {actor.session_name}" if actor.session_name else "a session"
            return f"{session} of role {role}" if role else f"{session} of a role{account}"
        case "FederatedUser":
            return f"federated user {actor.session_name or actor.arn}{account}" + (
                f" (through {actor.issuer})" if actor.issuer else ""
            )
        case "AWSAccount":
            # Only the caller's own account sees which user or role it was.
            caller = f"an identity in account {actor.account}" if actor.account else "an anonymous caller"
            return caller + (f" (session {actor.session_name})" if actor.session_name else "")
        case "AWSService":
            return f"the AWS service {actor.invoked_by}" if actor.invoked_by else "an AWS service"
        case "SAMLUser" | "WebIdentityUser" | "Directory" | "IdentityCenterUser":
            return f"{actor.type} {actor.session_name}{account}".rstrip()
        case "Unknown" | "":
            return actor.arn or UNKNOWN_CALLER + account
        case kind:
            return f"{kind} {actor.arn or actor.session_name}{'' if actor.arn else account}".rstrip()
