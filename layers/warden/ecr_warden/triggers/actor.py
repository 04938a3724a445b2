"""A CloudTrail record's userIdentity, read into an Actor."""

from collections.abc import Mapping

from ecr_warden.model.job import Actor
from ecr_warden.triggers.fields import account_id, mapping, text

UNKNOWN = "Unknown"


def actor_of(record: Mapping[str, object]) -> Actor:
    """Who made the call; never fails: what a record does not say is left empty, no identity at all is `Unknown`.

    `session_name` is the name of a role session, and for callers without an ARN (SAML, web identity, Identity Center,
    sign-in) the user name that the record gives.
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    identity = mapping(record, "userIdentity")
    session = mapping(identity, "sessionContext")
    issuer = mapping(session, "sessionIssuer")
    return Actor(
        type=text(identity, "type", 32) or UNKNOWN,
        arn=text(identity, "arn", 512),
        account=account_id(identity, "accountId"),
        issuer=text(issuer, "arn", 512),
        session_name=_session_name(identity),
        # A few services write it beside userIdentity instead of into it.
        invoked_by=text(identity, "invokedBy", 128) or text(record, "invokedBy", 128),
        source_identity=text(session, "sourceIdentity", 256) or text(identity, "sourceIdentity", 256),
        source_ip=text(record, "sourceIPAddress", 128),
        user_agent=text(record, "userAgent", 256),
    )


def _session_name(identity: Mapping[str, object]) -> str:
    arn = text(identity, "arn", 512)
    principal = text(identity, "principalId", 256)
    match text(identity, "type", 32):
        case "AssumedRole":
            # arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION, and AROA..:SESSION when the ARN is missing.
            parts = arn.split("/", 2)
            return parts[2] if len(parts) == 3 else principal.partition(":")[2]
        case "AWSAccount":
            # The copy that the owner of a resource gets of another account's call: AROA..:SESSION, no ARN.
            return principal.partition(":")[2]
        case "FederatedUser":
            return arn.partition("/")[2] or principal.partition(":")[2]
        case "SAMLUser" | "WebIdentityUser" | "Directory":
            return text(identity, "userName", 128) or principal.rpartition(":")[2]
        case "IdentityCenterUser":
            return text(mapping(identity, "onBehalfOf"), "userId", 128)
        case _:
            return "" if arn else text(identity, "userName", 128)
