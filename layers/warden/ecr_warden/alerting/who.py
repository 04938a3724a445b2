"""Who did it, in words."""

from typing import assert_never

from ecr_warden.model.job import UNKNOWN_CALLER, Actor, Cause, CauseKind, short_name


def who(cause: Cause) -> str:
    """The caller behind an event; for other causes, what made ecr-warden look."""
    match cause.kind:
        case CauseKind.EVENT if cause.actor is None and not cause.action:
            return "not known: found when ecr-warden looked at what it had written"
        case CauseKind.EVENT:
            return describe_actor(cause.actor)
        case CauseKind.CALLER:
            return f"command {cause.action or 'to the hub'} by {describe_actor(cause.actor)}"
        case CauseKind.SWEEP:
            return "not known: the sweep found it and no event told of it; see whether rules and trail are on"
        case CauseKind.RUN:
            return f"not known: found by the follow-up of run {cause.id}"
        case CauseKind.SPEC:
            return f"version {cause.id} of the spec, uploaded by {uploader(cause.actor)}"
        case _:
            assert_never(cause.kind)


def describe_cause(cause: Cause) -> str:
    """What set a run off, in a few words: `iam:PutRolePolicy by mallory`, `sweep`, `command apply by alice`."""
    match cause.kind:
        case CauseKind.EVENT if cause.actor is None and not cause.action:
            return "somebody, after a write of ecr-warden"
        case CauseKind.EVENT:
            return f"{cause.action or 'a call'} by {short_name(cause.actor)}"
        case CauseKind.CALLER:
            return f"command {cause.action or 'to the hub'} by {short_name(cause.actor)}"
        case CauseKind.SWEEP:
            return "sweep"
        case CauseKind.RUN:
            return f"follow-up of run {cause.id}"
        case CauseKind.SPEC:
            return f"spec version {cause.id}"
        case _:
            assert_never(cause.kind)


def uploader(actor: Actor | None) -> str:
    """Who wrote a version of the spec: S3's event names an account at most, and no person.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    if actor is not None and actor.type == "AWSAccount" and actor.account:
        source = f", from {actor.source_ip}" if actor.source_ip else ""
        return f"somebody of account {actor.account}{source} (S3 names no person)"
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
            # The record does not say which user or role it was: only the caller's own account sees that.
            return f"somebody{account or ' who is anonymous'}" + (
                f" (session {actor.session_name})" if actor.session_name else ""
            )
        case "AWSService":
            return f"the AWS service {actor.invoked_by}" if actor.invoked_by else "an AWS service"
        case "SAMLUser" | "WebIdentityUser" | "Directory" | "IdentityCenterUser":
            return f"{actor.type} {actor.session_name}{account}".rstrip()
        case "Unknown" | "":
            return actor.arn or UNKNOWN_CALLER + account
        case kind:
            return f"{kind} {actor.arn or actor.session_name}{'' if actor.arn else account}".rstrip()
