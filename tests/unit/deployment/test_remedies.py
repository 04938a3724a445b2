"""Each error that a deployment may meet has a remedy of its own: AWS's words, and words of the remedy."""

import pytest

from ecr_warden_cli.deployment.remedies import remedy_for

_USER = "User: arn:aws:iam::222222222222:user/deployer is not authorized to perform:"
_ROLE = "arn:aws:iam::222222222222:role/ecr-warden/ecr-warden-read"
CASES = {
    "credentials that expire in the middle": (
        "DescribeStacks: ExpiredToken: The security token included in the request is expired",
        "sign in again (aws sso login), then run the same command again",
    ),
    "a session of SSO that has ended": ("The SSO session associated with this profile has expired", "aws sso login"),
    "a wrong clock": ("SignatureDoesNotMatch: Signature expired: 20261201T000000Z is now earlier", "clock"),
    "a wrong clock at CloudFormation": ("RequestExpired: Request has expired.", "clock"),
    "a denied call": (f"AccessDenied: {_USER} cloudformation:CreateChangeSet", "deployer-policy*.json"),
    "roles without a boundary are denied": (
        f"{_USER} iam:CreateRole on resource: {_ROLE} with an explicit deny in a service control policy",
        "set role_boundary",
    ),
    "more is reserved than the account may have": (
        "ReconcileFunction (AWS::Lambda::Function): Specified ReservedConcurrentExecutions for function decreases "
        "account's UnreservedConcurrentExecution below its minimum value of [100].",
        "leave ReservedForRepairs out",
    ),
    "what has no tags is denied": (
        f"{_USER} sqs:createqueue on resource: x with an explicit deny in a service control policy: arn:aws:x",
        "set tags",
    ),
    "a policy that denies regions": (
        "describe stacks in 222222222222/us-east-1: AccessDenied: User: x is not authorized to perform: "
        "cloudformation:DescribeStacks with an explicit deny in a service control policy",
        "has to leave out us-east-1",
    ),
    "a policy that denies regions, to CloudFormation": (
        f"ecr-warden-events in 222222222222/us-east-1 failed: Undelivered (AWS::SQS::Queue): {_USER} sqs:createqueue "
        "with an explicit deny in a service control policy",
        "has to leave out us-east-1",
    ),
    "a policy of one's own denies": (
        f"{_USER} x with an explicit deny in an identity-based policy",
        "whoever owns",
    ),
    "a roll-back that left a stack": ("ecr-warden is ROLLBACK_COMPLETE", "delete it in CloudFormation"),
    "a roll-back that failed": ("ecr-warden is UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
    "two people who deploy at once": ("ecr-warden is UPDATE_IN_PROGRESS", "somebody else, or an earlier run"),
    "another change set was first": (
        "InvalidChangeSetStatus: ChangeSet is OBSOLETE",
        "somebody else, or an earlier run",
    ),
    "another deployment has executed its change set": (
        "describe change set in 111111111111/eu-central-1: ChangeSetNotFound: ChangeSet [x] does not exist",
        "somebody else, or an earlier run",
    ),
    "a role that is not there, or trusts others": (
        f"AccessDenied: {_USER} sts:AssumeRole",
        "--assume-role names a role",
    ),
    "a bucket of ours that is there": (
        "SpecBucket (AWS::S3::Bucket): Resource of type 'x' with identifier 'ecr-warden-spec-1' already exists.",
        "the bucket is an earlier hub's",
    ),
    "a bucket name that somebody else has": (
        "CodeBucket (AWS::S3::Bucket): ecr-warden-code-111111111111-eu-central-1 already exists",
        "somebody else has its name",
    ),
    "names of ours that exist already": (
        "ReadRole (AWS::IAM::Role): Role with name ecr-warden-read already exists.",
        "delete what has this name",
    ),
    "a disabled region": ("InvalidClientTokenId: The security token included in the request is invalid", "enable the"),
    "a suspended account's keys": (
        "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: The security token",
        "if the account is suspended or closed",
    ),
    "a suspended account, met by a stack": (
        "describe stacks in 111111111111/us-east-1: InvalidClientTokenId: The security token is invalid",
        "if the account is suspended or closed",
    ),
    "a suspended account": ("AccessDenied: Your account is suspended", "take the account out of ecr-warden.yaml"),
    "too many of something": ("LimitExceeded: Cannot exceed quota for PoliciesPerUser: 10", "quota"),
    "a stack that is protected": (
        "ValidationError: Stack [x] cannot be deleted while TerminationProtection is enabled",
        "--no-enable-termination-protection",
    ),
    "something was added by hand to what is deleted": (
        "ReadRole (AWS::IAM::Role): DeleteConflict: Cannot delete entity, must detach all policies first.",
        "take away what was added to it by hand",
    ),
    "anything else": ("no such thing", "mend what the message names"),
}


@pytest.mark.parametrize("case", CASES)
def test_remedy(case: str) -> None:
    said, remedy = CASES[case]
    assert remedy in remedy_for(said)
