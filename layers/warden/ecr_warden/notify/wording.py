"""Targets, differences, changes and times in words; and who made a change, or how to find that out."""

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS, WRITES, Address, AddressKind
from ecr_warden.core.failures import BlockedByDeny
from ecr_warden.core.job import UNKNOWN_CALLER, Actor, Cause, CauseKind, short_name
from ecr_warden.core.kinds import DriftKind, Operation
from ecr_warden.core.listing import Entry, Listing, listing
from ecr_warden.core.target import RepositoryTarget, Target, UserTarget
from ecr_warden.notify.message import COMMAND, NOTHING, TO_DO, Field
from ecr_warden.repair.alerts import Difference, DoneChange, OutcomeKind
from iam_access.arn import IAM_REGION
from iam_access.text.printable import show_time


def written(target: Target) -> str:
    """`shop/checkout`, `role/222222222222/ecr-pusher`: as people and commands write it."""
    return target.name if isinstance(target, RepositoryTarget) else str(target)


def name_of(target: Target) -> str:
    """`repository shop/checkout`, `role/222222222222/ecr-pusher`."""
    return f"repository {target.name}" if isinstance(target, RepositoryTarget) else str(target)


def describe_target(target: Target) -> str:
    """`repository shop/checkout in 222222222222 eu-central-1`."""
    place = f" in {target.account} {target.region}" if isinstance(target, RepositoryTarget) else ""
    return name_of(target) + place


def describe_address(address: Address) -> str:
    """The document or setting without its target: `inline policy ecr-warden-push`."""
    return _DOCUMENTS[address.kind].format(address)


_DOCUMENTS = {
    AddressKind.REPOSITORY_POLICY: "repository policy",
    AddressKind.TRUST_POLICY: "trust policy",
    AddressKind.IDENTITY_POLICY: "inline policy {0.name}",
    AddressKind.ATTACHED_POLICY: "attached policy {0.name}",
    AddressKind.ROLE: "role settings",
}


def describe_difference(difference: Difference) -> Entry:
    """What differed, and under it a sentence for each access that the live document gave or lacked."""
    return Entry(_difference(difference), access_of(difference))


def access_of(difference: Difference, *, title: str = "") -> Listing:
    """The access that the live document gave or lacked."""
    return listing("difference of access", difference.access, title=title, rest=difference.left_out)


def _difference(drift: Difference) -> str:
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


_DONE = {Operation.CREATE: "created", Operation.UPDATE: "repaired", Operation.DELETE: "removed"}
_INTENDED = {Operation.CREATE: "create", Operation.UPDATE: "repair", Operation.DELETE: "remove"}


def describe_done(change: DoneChange) -> Entry:
    """What became of one change."""
    match change.outcome:
        case OutcomeKind.NARROWED:
            return Entry(f"{describe_address(change.address)} narrowed")
        case OutcomeKind.APPLIED:
            return Entry(_done(change))
        case OutcomeKind.SKIPPED:
            return Entry(f"not done: {_intended(change)}: {change.explain}")
        case OutcomeKind.CONFLICT:
            return Entry(f"not done: {_intended(change)}: the document had changed again")
        case OutcomeKind.FAILED:
            said = f"failed: {_intended(change)}: {change.code}: {change.explain}"
            return Entry(said, listing("remedy", [f"remedy: {change.remedy}"] if change.remedy else []))


def _done(change: DoneChange) -> str:
    if change.sessions:
        return f"{change.sessions} denied"
    if change.address.kind is AddressKind.ROLE and change.operation is not Operation.UPDATE:
        return f"role {_DONE[change.operation]}"
    return f"{describe_address(change.address)} {_DONE[change.operation]}"


def _intended(change: DoneChange) -> str:
    return f"{_INTENDED[change.operation]} {describe_address(change.address)}"


def by(cause: Cause) -> Field:
    """Who did it, with the call, when it was made and the ID of its event; for other causes, what triggered the run."""
    if cause.kind is not CauseKind.EVENT or not cause.action:
        return Field("By", who(cause))
    at = f" at {show_time(cause.time)}" if cause.time is not None else ""
    return Field("By", f"{describe_actor(cause.actor)}: {cause.action}{at} (event {cause.id})")


def to_do(text: str = NOTHING) -> Field:
    """What a person has to do, in one line."""
    return Field(TO_DO, text)


def command(text: str) -> Field:
    """The one command that helps next."""
    return Field(COMMAND, text)


def who(cause: Cause) -> str:
    """The caller behind an event; for other causes, what triggered the run."""
    if cause.kind is CauseKind.EVENT and (cause.actor or cause.action):
        return describe_actor(cause.actor)
    return _CAUSES[cause.kind][1].format(cause, describe_actor(cause.actor), uploader(cause.actor))


def describe_cause(cause: Cause) -> str:
    """What triggered a run, in a few words: `iam:PutRolePolicy by mallory`, `sweep`, `command reconcile by alice`."""
    if cause.kind is CauseKind.EVENT and (cause.actor or cause.action):
        return f"{cause.action or 'a call'} by {short_name(cause.actor)}"
    return _CAUSES[cause.kind][0].format(cause, short_name(cause.actor))


_CAUSES = {
    CauseKind.EVENT: (
        "found when ecr-warden verified what it had written",
        "unknown: found when ecr-warden verified what it had written",
    ),
    CauseKind.CALLER: ("command {0.action} by {1}", "command {0.action} by {1}"),
    CauseKind.SWEEP: (
        "sweep",
        "unknown: found by the sweep, and no event reported it; check that the rules and the trail are on",
    ),
    CauseKind.RUN: ("after {0.incident} (run {0.id})", "unknown: found after {0.incident} (run {0.id})"),
    CauseKind.PAUSE: ("pause {0.id} ended", "pause {0.id} by {1} ended"),
    CauseKind.HEARTBEAT: ("heartbeat {0.id}", "heartbeat {0.id}"),
    CauseKind.SPEC: ("spec version {0.id}", "a new version of the spec, uploaded by {2}"),
}
"""In a few words, with the caller's name, and at length, with the caller and whoever uploaded the spec."""


def who_wrote(address: Address) -> str:
    """The command that shows who wrote a document lately."""
    target, calls = address.target, WRITES[address.kind]
    call = next((call for call in calls if isinstance(target, UserTarget) and "User" in call), calls[0])
    region = target.region if isinstance(target, RepositoryTarget) else IAM_REGION
    return (
        f"aws cloudtrail lookup-events --profile ... --region {region} --lookup-attributes "
        f"AttributeKey=EventName,AttributeValue={call}"
    )


LOOK = "look at what was pushed and pulled"
IF_NOT_MEANT = "see whether it is meant; if not, apply the spec without it"


def images_of(target: Target | None) -> Field:
    """How to see who pushed to a repository, or by a role to any, and what is there now."""
    return Field(
        "Images", f"ecr-warden pushed {written(target) if isinstance(target, RepositoryTarget) else 'REPOSITORY'}"
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
    """`session alice of arn:aws:iam::..:role/Admin, through cloudformation.amazonaws.com, from 198.51.100.7`."""
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
            return actor.arn or f"a user{account}"
        case "AssumedRole":
            role = actor.issuer or actor.arn
            session = f"session {actor.session_name}" if actor.session_name else "a session"
            return f"{session} of {role}" if role else f"{session} of a role{account}"
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
            name = actor.arn or actor.session_name
            return f"{kind}{f' {name}' if name else ''}{'' if actor.arn else account}"
