"""What AWS's errors become: texts as recorded from AWS, each with its remedy."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from ecr_warden.aws.errors import HUB, Translation, translated
from ecr_warden.aws.member_errors import ECR, IAM, IAM_DELETING, STS, ecr_write
from ecr_warden.core.failures import (
    BlockedByDeny,
    DocumentConflict,
    PermissionMissing,
    PortError,
    PrincipalNotFound,
    QuotaExceeded,
    Refused,
    SessionPolicyTooLarge,
    TargetNotFound,
    Throttled,
)
from iam_access.document.document import Document, parse_document

SESSION = f"arn:aws:sts::222222222222:assumed-role/ecr-warden-write/ecrw-{'r' * 59}"
LONGEST = f"arn:aws:ecr:ap-southeast-4:222222222222:repository/{'a' * 256}"
DENIED = f"User: {SESSION} is not authorized to perform: ecr:SetRepositoryPolicy on resource: {LONGEST}"
EXPLICIT = " with an explicit deny in a resource-based policy"


def pull(*actions: str) -> Document:
    statement = {"Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage", *actions]}
    return parse_document({"Version": "2012-10-17", "Statement": [statement]})


CONSTRAINT = "Invalid parameter at 'PolicyText' failed to satisfy constraint: "


@dataclass(frozen=True)
class Case:
    """An answer of AWS and what it means."""

    name: str
    table: Mapping[str, Translation]
    code: str
    message: str
    error: type[PortError]
    retryable: bool = False
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    status: int = 400


CASES = [
    Case("principal is missing, older text", ECR, "InvalidParameterException",
         CONSTRAINT + "'Invalid repository policy provided'", PrincipalNotFound, retryable=True,
         says=("minute", "does not know a principal", "an action", "such as ecr:GetAuthorizationToken")),
    Case("what of a document is refused is not known, and nothing in it is suspect",
         ecr_write(pull(), by_registry=True), "InvalidParameterException",
         CONSTRAINT + "'Invalid repository policy provided'", PrincipalNotFound, retryable=True,
         says=("does not know a principal", "such as ecr:GetAuthorizationToken")),
    Case("a document has an action of no repository", ecr_write(pull("ecr:getauthorizationtoken"), by_registry=True),
         "InvalidParameterException", CONSTRAINT + "'Invalid repository policy provided'", PrincipalNotFound,
         retryable=True, says=("does not know a principal",
                               "remove ecr:getauthorizationtoken from the repository policy")),
    Case("a document has actions of the registry and of another service",
         ecr_write(pull("ecr:PutRegistryPolicy", "s3:GetObject", "ecr:Get*", "*"), by_registry=True),
         "InvalidParameterException", CONSTRAINT + "'Invalid repository policy provided'", PrincipalNotFound,
         retryable=True, says=("remove ecr:PutRegistryPolicy, s3:GetObject from",)),
    Case("a principal is missing and said to be", ecr_write(pull("ecr:GetAuthorizationToken"), by_registry=True),
         "InvalidParameterException", CONSTRAINT + "'Principal not found'", PrincipalNotFound, retryable=True,
         says=("a new principal within a minute",)),
    Case("principal is missing, newer text", ECR, "InvalidParameterException",
         CONSTRAINT + "'Principal not found'", PrincipalNotFound, retryable=True),
    Case("principal of a trust policy is missing", IAM, "MalformedPolicyDocument",
         'Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:user/x"', PrincipalNotFound,
         retryable=True, says=("user/x",)),
    Case("other parameter is invalid", ECR, "InvalidParameterException",
         "Invalid parameter at 'repositoryName'", Refused),
    Case("trust policy is no JSON", IAM, "MalformedPolicyDocument", "This policy contains invalid Json", Refused),
    Case("trust policy has another action", IAM, "MalformedPolicyDocument",
         "AssumeRole policy may only specify STS AssumeRole actions.", Refused, says=("STS",)),
    Case("trust policy has a resource", IAM, "MalformedPolicyDocument", "Has prohibited field Resource", Refused),
    Case("repository is gone", ECR, "RepositoryNotFoundException",
         "The repository with name 'x' does not exist in the registry with id '222222222222'", TargetNotFound),
    Case("role is gone", IAM, "NoSuchEntity", "The role with name x cannot be found.", TargetNotFound, status=404),
    Case("user's quota", IAM, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user push-user",
         QuotaExceeded, says=("2048", "fewer"), status=409),
    Case("trust policy's quota", IAM, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048",
         QuotaExceeded, status=409),
    Case("IAM is asked too often", IAM, "Throttling", "Rate exceeded", Throttled, retryable=True),
    Case("ECR is asked too often", ECR, "ThrottlingException", "Rate exceeded", Throttled, retryable=True),
    Case("ECR is asked too often, as its common errors spell it", ECR, "ThrottleException", "Too Many Requests",
         Throttled, retryable=True, status=429),
    Case("unknown code with status 429", ECR, "Whatever", "slow down", Throttled, retryable=True, status=429),
    Case("credentials have expired", ECR, "ExpiredTokenException", "The security token included is expired",
         Throttled, retryable=True, says=("sign in again",)),
    Case("two write at once", IAM, "ConcurrentModification", "multiple requests to change this object",
         Throttled, retryable=True, status=409),
    Case("role was made meanwhile", IAM, "EntityAlreadyExists", "Role with name x already exists.",
         DocumentConflict, status=409),
    Case("inline policy was deleted meanwhile", IAM_DELETING, "NoSuchEntity",
         "The user policy with name x cannot be found.", DocumentConflict, status=404),
    Case("attached policy was detached meanwhile", IAM_DELETING, "NoSuchEntity",
         "Policy arn:aws:iam::aws:policy/x was not found.", DocumentConflict, status=404),
    Case("user of a policy was deleted meanwhile", IAM_DELETING, "NoSuchEntity",
         "The user with name x cannot be found.", TargetNotFound, status=404),
    Case("repository policy was deleted meanwhile", ecr_write(None, by_registry=False),
         "RepositoryPolicyNotFoundException", "Repository policy does not exist", DocumentConflict),
    Case("role still holds policies", IAM, "DeleteConflict",
         "Cannot delete entity, must detach all policies first.", Refused, status=409),
    Case("region is not enabled", ECR, "UnrecognizedClientException",
         "The security token included in the request is invalid.", Refused, says=("enable the region",)),
    Case("STS is switched off in a region", STS, "RegionDisabledException",
         "STS is not activated in this region for account:222222222222.", Refused,
         says=("222222222222", "enable the region"), status=403),
    Case("a session policy is too large once packed", STS, "PackedPolicyTooLarge",
         "Packed policy consumes 103% of allotted space, please use smaller policy", SessionPolicyTooLarge,
         says=("103%", "administrator")),
    Case("service-linked role", IAM, "UnmodifiableEntity", "Cannot perform the operation on the protected role",
         Refused),
    Case("AWS fails", ECR, "ServerException", "", Throttled, retryable=True, status=500),
    Case("AWS fails in a new way", IAM, "Strange", "unknown", PortError, retryable=True, status=503),
    Case("AWS refuses in a new way", IAM, "Strange", "unknown", PortError, says=("Strange", "unknown")),
    Case("ecr-warden's role may not", ECR, "AccessDeniedException",
         DENIED + " because no identity-based policy allows the ecr:SetRepositoryPolicy action", PermissionMissing,
         says=("allow ecr:SetRepositoryPolicy", "stacks/member.yaml",
               "AWS denied ecr:SetRepositoryPolicy on arn:aws:ecr:",
               "to ecr-warden-write: no identity-based policy allows the ecr:SetRepositoryPolicy action")),
    Case("owner is not in the stack's list", IAM, "AccessDenied",
         f"User: {SESSION} is not authorized to perform: iam:PutUserPolicy on resource: user x because no "
         "identity-based policy allows the iam:PutUserPolicy action", PermissionMissing,
         says=("AWS denied iam:PutUserPolicy on user x to ecr-warden-write: no identity-based policy allows the "
               "iam:PutUserPolicy action; ",
               "add arn:aws:iam::222222222222:user/x (with its path, if it has one) to the parameter ManagedOwners"),
         status=403),
    Case("role's trust policy is not in the stack's list", IAM, "AccessDenied",
         f"User: {SESSION} is not authorized to perform: iam:UpdateAssumeRolePolicy on resource: role ci/x because no "
         "identity-based policy allows the iam:UpdateAssumeRolePolicy action", PermissionMissing,
         says=("add arn:aws:iam::222222222222:role/ci/x to the parameter ManagedRoles",), status=403),
    Case("a policy may not be detached from a user", IAM, "AccessDenied",
         f"User: {SESSION} is not authorized to perform: iam:DetachUserPolicy on resource: user x because no "
         "identity-based policy allows the iam:DetachUserPolicy action", PermissionMissing,
         says=("add arn:aws:iam::222222222222:user/x (with its path, if it has one) to the parameter ManagedOwners",),
         status=403),
    Case("no parameter of the stack allows the call", IAM, "AccessDenied",
         f"User: {SESSION} is not authorized to perform: iam:UpdateRole on resource: role ci/x because no "
         "identity-based policy allows the iam:UpdateRole action", PermissionMissing,
         says=("allow iam:UpdateRole to ecr-warden's role in the account",),
         never=("to the parameter",), status=403),
    Case("an owner is named by its ARN", IAM, "AccessDenied",
         f"User: {SESSION} is not authorized to perform: iam:PutRolePolicy on resource: "
         "arn:aws:iam::222222222222:role/ci/x because no identity-based policy allows the iam:PutRolePolicy action",
         PermissionMissing, says=("add arn:aws:iam::222222222222:role/ci/x to the parameter ManagedOwners",),
         status=403),
    Case("the read role may not: no parameter helps", IAM, "AccessDenied",
         f"User: {SESSION.replace('write/', 'read/')} is not authorized to perform: iam:GetRole on resource: role x "
         "because no identity-based policy allows the iam:GetRole action", PermissionMissing,
         says=("allow iam:GetRole to ecr-warden's role",), never=("add arn",), status=403),
    Case("a person at a terminal may not: no stack of ecr-warden's helps", IAM, "AccessDenied",
         "User: arn:aws:iam::111111111111:user/bob is not authorized to perform: iam:ListRoles because no "
         "identity-based policy allows the iam:ListRoles action", PermissionMissing,
         says=("allow iam:ListRoles to these credentials", "docs/cli.md"), never=("member.yaml",), status=403),
    Case("an answer without end keeps its sentences whole", ECR, "AccessDeniedException",
         "no identity-based policy allows it " * 40, PermissionMissing, says=(" ...",),
         never=("... identity-based", "allows it identity-based")),
    Case("organization's SCP denies, behind the longest names", ECR, "AccessDeniedException",
         DENIED + " with an explicit deny in a service control policy", PermissionMissing,
         says=("ecr:SetRepositoryPolicy", "organization")),
    Case("organization's RCP denies", ECR, "AccessDeniedException",
         DENIED + " with an explicit deny in a resource control policy", PermissionMissing, says=("organization",)),
    Case("boundary denies", IAM, "AccessDenied",
         f"User: {SESSION} is not authorized to perform: iam:PutRolePolicy on resource: role x because no permissions "
         "boundary allows the iam:PutRolePolicy action", PermissionMissing, says=("boundary",), status=403),
    Case("repository policy keeps the read role out, behind the longest names", ECR, "AccessDeniedException",
         DENIED.replace("write/", "read/").replace(":SetR", ":GetR")
         + " with an explicit deny in a resource-based policy", BlockedByDeny,
         says=("the repository policy or the registry policy of 222222222222 in ap-southeast-4 denies "
               "ecr:GetRepositoryPolicy", "as a principal that it does not deny: aws ecr "
               "delete-repository-policy --registry-id 222222222222 --region ap-southeast-4 --repository-name aaa",
               "if that policy has no Deny, as a principal of 222222222222 that it does not deny: "
               "aws ecr delete-registry-policy --region ap-southeast-4")),
    Case("a policy of ECR keeps the write role out, and the repository's own may be it",
         ecr_write(pull(), by_registry=False), "AccessDeniedException", DENIED + EXPLICIT, BlockedByDeny,
         says=("the repository policy or the registry policy", "denies ecr:SetRepositoryPolicy",
               "delete-repository-policy", "delete-registry-policy")),
    Case("a policy of ECR keeps the write role out, and the repository's own denies nothing",
         ecr_write(None, by_registry=True), "AccessDeniedException", DENIED + EXPLICIT, BlockedByDeny,
         says=("the registry policy of 222222222222 in ap-southeast-4 denies ecr:SetRepositoryPolicy",
               "aws ecr delete-registry-policy --region ap-southeast-4"), never=("delete-repository-policy",)),
    Case("a Deny on all repositories can only be the registry's", ECR, "AccessDeniedException",
         f"User: {SESSION} is not authorized to perform: ecr:DescribeRepositories on resource: "
         "arn:aws:ecr:eu-central-1:222222222222:repository/*" + EXPLICIT, BlockedByDeny,
         says=("the registry policy of 222222222222 in eu-central-1 denies ecr:DescribeRepositories",
               "aws ecr delete-registry-policy --region eu-central-1", "aws ecr get-registry-policy"),
         never=("delete-repository-policy", "--repository-name")),
    Case("a boundary was put on the read role", IAM, "AccessDenied",
         "User: arn:aws:sts::222222222222:assumed-role/ecr-warden-read/ecrw-read is not authorized to perform: "
         "iam:GetRole on resource: role x with an explicit deny in a permissions boundary", BlockedByDeny,
         says=("aws iam delete-role-permissions-boundary --role-name ecr-warden-read",), status=403),
    Case("a policy was put on the write role", IAM, "AccessDenied",
         f"User: {SESSION} is not authorized to perform: iam:PutRolePolicy on resource: role x with an explicit deny "
         "in an identity-based policy", BlockedByDeny,
         says=("an identity-based policy denies iam:PutRolePolicy", "docs/security.md"), status=403),
    Case("trust policy of the read role keeps the hub out", STS, "AccessDenied",
         "User: arn:aws:sts::111111111111:assumed-role/ecr-warden-reconcile/x is not authorized to perform: "
         "sts:AssumeRole on resource: arn:aws:iam::222222222222:role/ecr-warden/ecr-warden-read with an explicit deny "
         "in a resource-based policy", BlockedByDeny,
         says=("the role's trust policy denies sts:AssumeRole", "docs/security.md"), status=403),
    Case("AWS does not say in which policy", ECR, "AccessDeniedException", DENIED + " with an explicit deny",
         BlockedByDeny, says=("a policy denies ecr:SetRepositoryPolicy", "docs/security.md")),
    Case("hub's own function may not", HUB, "AccessDeniedException",
         "User: x is not authorized to perform: dynamodb:UpdateItem on resource: y", PermissionMissing,
         says=("template.yaml",)),
    Case("hub's function may not enter accounts", STS, "AccessDenied",
         "User: x is not authorized to perform: sts:AssumeRole on resource: y because no identity-based policy allows "
         "the sts:AssumeRole action", PermissionMissing, says=("sts:AssumeRole", "template.yaml"), status=403),
    Case("member does not let the hub in", STS, "AccessDenied",
         "User: x is not authorized to perform: sts:AssumeRole on resource: y", PermissionMissing,
         says=("sts:AssumeRole", "stacks/member.yaml"), status=403),
    Case("table is asked too often", HUB, "ProvisionedThroughputExceededException", "", Throttled, retryable=True),
    Case("bucket is asked too often", HUB, "SlowDown", "Please reduce your request rate.", Throttled,
         retryable=True, status=503),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answer_of_aws_is_translated(case: Case) -> None:
    answer = {"Error": {"Code": case.code, "Message": case.message}}
    response = answer | {"ResponseMetadata": {"HTTPStatusCode": case.status}}
    with pytest.raises(PortError) as caught, translated(case.table, "writing the policy of x"):
        raise ClientError(response, "Operation")  # type: ignore[arg-type]
    error = caught.value
    assert type(error) is case.error
    assert error.retryable is case.retryable
    assert error.message.startswith("writing the policy of x")
    assert [text for text in case.says if text not in str(error)] == []
    assert [text for text in case.never if text in str(error)] == []
    assert len(str(error)) < 1000


@pytest.mark.parametrize(
    ("raised", "retryable"),
    [
        (ReadTimeoutError(endpoint_url="https://ecr.invalid"), True),
        (EndpointConnectionError(endpoint_url="https://ecr.invalid"), True),
        (NoCredentialsError(), False),
        (ParamValidationError(report="Invalid length for parameter repositoryName"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_call_that_got_no_answer_may_be_tried_again_unless_it_was_never_made(
    raised: BotoCoreError, retryable: bool
) -> None:
    with pytest.raises(PortError) as caught, translated(ECR, "reading x"):
        raise raised
    assert caught.value.retryable is retryable
    assert "reading x" in str(caught.value)


def test_message_of_any_length_is_cut() -> None:
    error = ClientError({"Error": {"Code": "AccessDenied", "Message": "x" * 100_000}}, "Operation")
    with pytest.raises(PortError) as caught, translated(IAM, "reading x"):
        raise error
    assert len(str(caught.value)) < 1000


def test_error_of_a_port_passes_as_it_is() -> None:
    with pytest.raises(DocumentConflict, match=r"^mine$"), translated(IAM, "writing x"):
        raise DocumentConflict("mine")
