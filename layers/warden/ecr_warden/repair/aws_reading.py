"""Reading one target: a repository's policy, or a role or user with its documents.

Roles and users take one call for the identity, one per list and one per inline policy. Sources: the API references of
GetRepositoryPolicy, GetRole and their neighbours.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from botocore.exceptions import ClientError
from msgspec import Struct, field

from ecr_warden.aws.errors import code_of, message_of, translated, unless
from ecr_warden.aws.member_errors import ECR, IAM, is_identity_gone
from ecr_warden.core.address import (
    TAG_KEY,
    TAG_VALUE,
    Address,
    AddressKind,
    attached_policy,
    identity_policy,
    role,
    trust_policy,
)
from ecr_warden.core.desired import Extent, RoleSettings, TargetSpec
from ecr_warden.core.failures import PortError
from ecr_warden.core.observed import Absent, Observation, Observed, Present, TargetMissing, Unparseable, as_unreadable
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.repair.extent import (
    LISTING,
    is_within,
    missing,
    settings_digest,
    unlisted,
    unnamed_policies,
    unreadable,
)
from iam_access.document.document import DocumentError, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import digest
from iam_access.errors import site_of

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_iam import IAMClient


def observed_document(raw: str | Mapping[str, Any], kind: DocumentKind) -> Observed:
    """A policy document: text from ECR, or a dict that boto3 decoded from IAM (text if it could not)."""
    try:
        parsed = parse_document(raw)
        return Present(parsed, digest(parsed, kind=kind))
    except DocumentError as error:
        return _unparseable(raw, str(error))
    except Exception as error:
        return _unparseable(raw, f"ecr-warden failed to interpret it ({site_of(error)})")


def _unparseable(raw: str | Mapping[str, Any], error: str) -> Unparseable:
    text = raw if isinstance(raw, str) else json.dumps(raw, sort_keys=True)
    # boto3 leaves a text of IAM's encoded that is not JSON.
    text = text if text.lstrip().startswith("{") else unquote(text)
    return Unparseable(error, text, hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest())


def observed_settings(role: Mapping[str, Any]) -> Present:
    """A role's own settings, from GetRole."""
    settings = RoleSettings(
        path=role["Path"],
        max_session_duration=role.get("MaxSessionDuration", 3600),
        boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    )
    return Present(settings, settings_digest(settings))


PAGE = 1000
"""The most that a list call of IAM (MaxItems) or ECR (maxResults) returns at once."""
_NO_ENTITY = ("NoSuchEntity",)


def list_names(ecr: "ECRClient", account: str, region: str) -> Iterator[str]:
    """The names of all repositories of a region, in the fewest calls; raises PortError."""
    with translated(ECR, f"listing the repositories of {account} in {region}"):
        pages = ecr.get_paginator("describe_repositories").paginate(
            registryId=account, PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            for repository in page["repositories"]:
                yield repository["repositoryName"]


def read_repository_policy(ecr: "ECRClient", target: RepositoryTarget) -> Observed:
    """The repository's policy; raises PortError. The default registry is the caller's, so it is always given."""
    with translated(ECR, f"reading the policy of {target}"):
        try:
            answer = ecr.get_repository_policy(registryId=target.account, repositoryName=target.name)
        except ClientError as error:
            match code_of(error):
                case "RepositoryPolicyNotFoundException":
                    return Absent()
                case "RepositoryNotFoundException":
                    return TargetMissing()
                case _:
                    raise
    return observed_document(answer["policyText"], DocumentKind.RESOURCE)


class _Reading(Struct):
    """An observation being made."""

    documents: dict[Address, Observed] = field(default_factory=dict)
    unique_id: str | None = None
    tagged_ours: bool = False


def read_identity(iam: "IAMClient", target: IdentityTarget, spec: TargetSpec) -> Observation:
    """Read what the spec's extent covers of a role or user; raises nothing."""
    reading = _Reading()
    try:
        found = _read_self(iam, target, reading)
    except PortError as error:
        return unreadable(spec, as_unreadable(error))
    if not found:
        return missing(spec)
    for name in _policy_names(iam, target, spec, reading):
        address = identity_policy(target, name)
        observed = _read_inline(iam, target, name)
        # Only what the spec names is reported as absent.
        if address in spec.documents or not isinstance(observed, Absent):
            reading.documents[address] = observed
    if spec.extent is Extent.WHOLE:
        _list_attached(iam, target, reading)
    return Observation(target, reading.documents, reading.unique_id, reading.tagged_ours)


def read_inline(iam: "IAMClient", target: IdentityTarget, name: str) -> Observed:
    """One inline policy; raises PortError."""
    with translated(IAM, f"reading the inline policy {name} of {target}"):
        try:
            document = _get_inline(iam, target, name)
        except ClientError as error:
            if code_of(error) in _NO_ENTITY:
                return TargetMissing() if is_identity_gone(message_of(error)) else Absent()
            raise
    return observed_document(document, DocumentKind.IDENTITY)


def read_role(iam: "IAMClient", target: RoleTarget) -> dict[str, Any] | None:
    """GetRole's answer; None if the role does not exist. Raises PortError."""
    with translated(IAM, f"reading {target}"):
        answer = unless(_NO_ENTITY, iam.get_role, RoleName=target.name)
    return None if answer is None else dict(answer["Role"])


def is_tagged_ours(tags: Iterable[Any]) -> bool:
    """Whether a role's tags say that ecr-warden created it."""
    return any(tag["Key"] == TAG_KEY and tag["Value"] == TAG_VALUE for tag in tags)


def _read_self(iam: "IAMClient", target: IdentityTarget, reading: _Reading) -> bool:
    """Read the identity itself into `reading`; False if it does not exist."""
    match target:
        case RoleTarget():
            found = read_role(iam, target)
            if found is None:
                return False
            reading.documents[role(target)] = observed_settings(found)
            trust = observed_document(found["AssumeRolePolicyDocument"], DocumentKind.TRUST)
            reading.documents[trust_policy(target)] = trust
            reading.unique_id, reading.tagged_ours = found["RoleId"], is_tagged_ours(found.get("Tags", ()))
            return True
        case UserTarget():
            with translated(IAM, f"reading {target}"):
                user = unless(_NO_ENTITY, iam.get_user, UserName=target.name)
            if user is not None:
                reading.unique_id = user["User"]["UserId"]
            return user is not None


def _policy_names(iam: "IAMClient", target: IdentityTarget, spec: TargetSpec, reading: _Reading) -> Iterable[str]:
    """The inline policies to read: those that the spec names, and others that its extent covers."""
    wanted = [address.name for address in spec.documents if address.kind is AddressKind.IDENTITY_POLICY]
    if spec.extent is Extent.NAMED:
        return [*wanted, *unnamed_policies(spec)]
    try:
        listed = list(_list_inline(iam, target))
    except PortError as error:
        reading.documents |= unlisted(spec, as_unreadable(error))
        return wanted
    reading.documents |= {identity_policy(target, name): Absent() for name in wanted if name not in listed}
    return [name for name in listed if name in wanted or is_within(spec, identity_policy(target, name))]


def _list_inline(iam: "IAMClient", target: IdentityTarget) -> Iterable[str]:
    with translated(IAM, f"listing the inline policies of {target}"):
        match target:
            case RoleTarget(name=name):
                for page in iam.get_paginator("list_role_policies").paginate(RoleName=name):
                    yield from page["PolicyNames"]
            case UserTarget(name=name):
                for page in iam.get_paginator("list_user_policies").paginate(UserName=name):
                    yield from page["PolicyNames"]


def _list_attached(iam: "IAMClient", target: IdentityTarget, reading: _Reading) -> None:
    try:
        with translated(IAM, f"listing the attached policies of {target}"):
            for arn in _attached(iam, target):
                reading.documents[attached_policy(target, arn)] = Present(None, arn)
    except PortError as error:
        reading.documents[attached_policy(target, LISTING)] = as_unreadable(error)


def _attached(iam: "IAMClient", target: IdentityTarget) -> Iterable[str]:
    match target:
        case RoleTarget(name=name):
            for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name):
                yield from (policy["PolicyArn"] for policy in page["AttachedPolicies"])
        case UserTarget(name=name):
            for user_page in iam.get_paginator("list_attached_user_policies").paginate(UserName=name):
                yield from (policy["PolicyArn"] for policy in user_page["AttachedPolicies"])


def _read_inline(iam: "IAMClient", target: IdentityTarget, name: str) -> Observed:
    try:
        return read_inline(iam, target, name)
    except PortError as error:
        return as_unreadable(error)


def _get_inline(iam: "IAMClient", target: IdentityTarget, name: str) -> Any:
    match target:
        case RoleTarget():
            return iam.get_role_policy(RoleName=target.name, PolicyName=name)["PolicyDocument"]
        case UserTarget():
            return iam.get_user_policy(UserName=target.name, PolicyName=name)["PolicyDocument"]
