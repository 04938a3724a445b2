"""A CloudTrail record's fields: wrong types read as missing, texts are bounded and printable."""

import re
from collections.abc import Iterator, Mapping
from typing import cast

from ecr_warden.core.job import Actor
from ecr_warden.events.trigger import Blindable, Parameters
from iam_access.arn import ACCOUNT_ID, Arn, parse_arn
from iam_access.text.printable import printable

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail writes in place of a name that may be a mistyped password."""

_NOTHING: Mapping[str, object] = {}


def mapping(source: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The object under the key; empty when it is missing, null or something else."""
    value = source.get(key)
    return cast(Mapping[str, object], value) if isinstance(value, dict) else _NOTHING


def text(source: Mapping[str, object], key: str, limit: int) -> str:
    """The string under the key, escaped and at most `limit` characters; else ""."""
    value = source.get(key)
    return printable(value, limit, ascii_only=False) if isinstance(value, str) else ""


def name(source: Mapping[str, object], key: str, limit: int = 512) -> str:
    """The string under the key, unchanged: names are never corrected. One over the limit reads as missing."""
    value = source.get(key)
    return value if isinstance(value, str) and len(value) <= limit and value != HIDDEN else ""


def account_id(source: Mapping[str, object], key: str) -> str:
    """The account ID under the key; a number of 12 digits is accepted. Anything else reads as missing."""
    value = source.get(key)
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) and value < 10**12 else value
    return digits if isinstance(digits, str) and ACCOUNT_ID.fullmatch(digits) else ""


_RESOURCES_READ = 16
_SHORTEST = 3600

type _Json = Mapping[str, object]


def parameters_of(record: _Json) -> Parameters:
    """The names in a call's parameters.

    A name that is missing there (a record over 100 KB, a name that AWS made up) is read from AWS's response, or else
    from the ARNs under `resources`.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    sent, answered = mapping(record, "requestParameters"), mapping(record, "responseElements")
    arns = tuple(_arns(record.get("resources")))
    repository, registry = name(sent, "repositoryName"), account_id(sent, "registryId") or name(sent, "registryId")
    if not repository:
        made = mapping(answered, "repository") or answered
        arn = _first(arns, "ecr", "repository/")
        repository = name(made, "repositoryName") or (arn.resource.partition("/")[2] if arn else "")
        registry = registry or account_id(made, "registryId") or (arn.account if arn else "")
    return Parameters(
        repository=repository,
        registry=registry,
        role=_identity(sent, answered, arns, "role"),
        user=_identity(sent, answered, arns, "user") or _of_caller(record),
        new_user=name(sent, "newUserName"),
        policy=name(sent, "policyArn", 2048),
        lengthens=sent.get("maxSessionDuration") not in (None, _SHORTEST),
        ends=sent.get("status") == "Inactive",
    )


def _of_caller(record: _Json) -> str:
    """The user whose key is meant if no name is sent; the answer of this call has none."""
    is_meant = record.get("eventName") == "UpdateAccessKey"
    return name(mapping(record, "userIdentity"), "userName") if is_meant else ""


def _identity(sent: _Json, answered: _Json, arns: tuple[Arn, ...], kind: str) -> str:
    """The name sent, or else AWS's: a caller need not name itself, and AWS makes up a role's name."""
    for source in (sent, *(mapping(answered, key) for key in (kind, "accessKey", "loginProfile"))):
        if given := name(source, f"{kind}Name"):
            return given
    arn = _first(arns, "iam", f"{kind}/")
    return arn.name if arn else ""


def _first(arns: tuple[Arn, ...], service: str, kind: str) -> Arn | None:
    return next((arn for arn in arns if arn.service == service and arn.resource.startswith(kind)), None)


def _arns(resources: object) -> Iterator[Arn]:
    for item in resources[:_RESOURCES_READ] if isinstance(resources, list) else ():
        if isinstance(item, dict):
            # Tools that pass records on write `arn`.
            arn = parse_arn(name(item, "ARN", 2048) or name(item, "arn", 2048))
            if arn is not None:
                yield arn


_PREFIX = "ecr-warden-"
# As template.yaml names it.
_SWITCH = "/ecr-warden/writes"
_TABLE = "ecr-warden"
_PARTS = re.compile(r"[/:]")
_NAMED_BY = {
    Blindable.TRAIL: ("name", "trailName"),
    Blindable.RULE: ("name", "rule"),
    Blindable.BUS: ("name", "eventBusName"),
    Blindable.STACK: ("stackName",),
    Blindable.BUCKET: ("bucketName",),
    Blindable.QUEUE: ("queueUrl",),
    Blindable.FUNCTION: ("functionName", "resourceArn"),
    Blindable.MAPPING: ("functionName", "functionArn"),
    Blindable.SWITCH: ("name",),
    Blindable.TOPIC: ("topicArn", "subscriptionArn"),
    Blindable.KEY: ("keyId",),
    Blindable.ALARM: ("alarmName",),
    Blindable.TABLE: ("tableName", "resourceArn"),
    Blindable.WEBHOOK: ("secretId", "name"),
}
"""The parameters that name what a call changed, as CloudTrail spells them; of a mapping the answer has the function."""
_LISTED_BY = {Blindable.SWITCH: "names", Blindable.ALARM: "alarmNames", Blindable.WEBHOOK: "names"}
"""The parameters that name several."""


def own_name(changes: Blindable, record: Mapping[str, object]) -> str:
    """The name of what a call changed if it is ecr-warden's; else "". Any trail may be the one that it needs."""
    found = (_own(changes, given) for given in _named(changes, record) if given)
    return printable(next(filter(None, found), ""), 128, ascii_only=False)


def _named(changes: Blindable, record: Mapping[str, object]) -> Iterator[str]:
    """What a call says that it changes."""
    sources = [mapping(record, "requestParameters")]
    sources += [mapping(record, "responseElements")] if changes is Blindable.MAPPING else []
    yield from (name(source, key, 2048) for source in sources for key in _NAMED_BY.get(changes, ()))
    # What mutes alarms names them one level below.
    lists = [one.get(_LISTED_BY.get(changes, "")) for one in (sources[0], mapping(sources[0], "muteTargets"))]
    several = [one[:2048] for some in lists if isinstance(some, list) for one in some if isinstance(one, str)]
    yield from sorted(several, key=lambda one: "ecr-warden" not in one)


def _own(changes: Blindable, given: str) -> str:
    match changes:
        case Blindable.TRAIL | Blindable.KEY | Blindable.WEBHOOK:
            return given
        case Blindable.TABLE:
            return _TABLE if _TABLE in _PARTS.split(given) else ""
        case Blindable.STACK:
            found = given if "ecr-warden" in given else ""
            return found.split("/")[1] if found.startswith("arn:") and "/" in found else found
        case Blindable.SWITCH:
            return _SWITCH if given == _SWITCH or given.endswith(f":parameter{_SWITCH}") else ""
        case _:
            # A name, or the ARN or URL that has it.
            return next((part for part in _PARTS.split(given) if part.startswith(_PREFIX)), "")


UNKNOWN = "Unknown"


def actor_of(record: Mapping[str, object]) -> Actor:
    """Who made the call; never fails. Missing fields are "", and a record without an identity has the type `Unknown`.

    `session_name` is the name of a role session, or the user name of a caller without an ARN (SAML, web identity,
    Identity Center, sign-in).
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    identity = mapping(record, "userIdentity")
    session = mapping(identity, "sessionContext")
    return Actor(
        type=text(identity, "type", 32) or UNKNOWN,
        arn=text(identity, "arn", 512),
        account=account_id(identity, "accountId"),
        issuer=text(mapping(session, "sessionIssuer"), "arn", 512),
        session_name=_session_name(identity),
        # A few services write it next to userIdentity.
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
            # The copy that a resource's account gets of another account's call: AROA..:SESSION, no ARN.
            return principal.partition(":")[2]
        case "FederatedUser":
            return arn.partition("/")[2] or principal.partition(":")[2]
        case "SAMLUser" | "WebIdentityUser" | "Directory":
            return text(identity, "userName", 128) or principal.rpartition(":")[2]
        case "IdentityCenterUser":
            return text(mapping(identity, "onBehalfOf"), "userId", 128)
        case _:
            return "" if arn else text(identity, "userName", 128)
