"""What to do about the errors that a deployment meets, by AWS's own words."""

import re
from collections.abc import Mapping

MORE_EXECUTIONS = (
    "aws service-quotas request-service-quota-increase --region {} --service-code lambda --quota-code L-B99A9384 "
    "--desired-value 1000"
)
"""Asks AWS to let more functions run at once in a region."""
UNSEEN = "whether somebody changed {} is not known: CloudFormation could not read it with these credentials"
AGAIN = "run the same command again: it goes on where it stands"

_REMEDIES: Mapping[str, str] = {
    r"ExpiredToken|token.*has expired|sso.*(expired|invalid)": f"sign in again (aws sso login), then {AGAIN}",
    r"RequestExpired|SignatureDoesNotMatch|InvalidSignature|RequestTimeTooSkewed|Signature (expired|not yet)": (
        f"set this machine's clock right, and check the secret key; then {AGAIN}"
    ),
    r"suspended|AccountProblem": "take the account out of ecr-warden.yaml, or have it restored",
    r"iam:CreateRole.*explicit deny in a service control policy": (
        "if your organization demands a permissions boundary on roles, set role_boundary in ecr-warden.yaml, and tags "
        "if it demands tags; else whoever owns that policy has to let this through"
    ),
    r"/us-east-1( failed)?: .*explicit deny in a service control policy": (
        "IAM's changes are reported in us-east-1 alone: a policy that denies regions has to leave out us-east-1, or "
        "what ecr-warden does there; else whoever owns that policy has to let this through"
    ),
    r"explicit deny in a service control policy": (
        "if your organization demands tags, set tags in ecr-warden.yaml; else whoever owns that policy has to let this "
        "through"
    ),
    r"with an explicit deny": "whoever owns the policy that denies it has to let this through",
    r"sts:AssumeRole": (
        "check that --assume-role names a role of that account that trusts these credentials, or pass "
        "--profile ACCOUNT=PROFILE"
    ),
    r"not authorized|AccessDenied|Access Denied|UnauthorizedOperation": (
        "give these credentials both deployer-policy*.json, which ecr-warden deploy --emit DIR writes"
    ),
    r"InvalidClientTokenId.*GetCallerIdentity|/us-east-1: (InvalidClientTokenId|UnrecognizedClientException)": (
        "if the account is suspended or closed, have it restored, or take it out of ecr-warden.yaml; if the access key "
        "was deleted, sign in with another"
    ),
    r"OptInRequired|region.* (is )?(disabled|not enabled)|InvalidClientTokenId|UnrecognizedClientException": (
        "enable the region in that account, or take it out of ecr-warden.yaml; if it is enabled, sign in again"
    ),
    r"TerminationProtection": (
        "take it off (aws cloudformation update-termination-protection --no-enable-termination-protection), "
        "then run the same command again"
    ),
    r"DeleteConflict|attached to entities|must (detach|delete|remove) .*first|not empty": (
        "detach it, or take away what was added to it by hand; then run the same command again"
    ),
    r"is ROLLBACK_COMPLETE|is (ROLLBACK|DELETE|CREATE)_FAILED": (
        "nothing works in this stack: delete it in CloudFormation, then run the same command again"
    ),
    r"is UPDATE_ROLLBACK_FAILED": (
        "aws cloudformation continue-update-rollback brings the stack back; then run the same command again"
    ),
    r"_IN_PROGRESS|OperationInProgress|OBSOLETE|InvalidChangeSetStatus|ChangeSetNotFound|Stack .*does not exist": (
        "somebody else, or an earlier run of this command, deploys this stack now: wait until CloudFormation is done, "
        "then run the same command again"
    ),
    r"ecr-warden-(code|spec|state)-\S* already exists|BucketAlreadyExists|bucket name is not available": (
        "the bucket is an earlier hub's, or somebody else has its name: remove it if it is yours, or choose another "
        "region for the hub"
    ),
    r"already ?exists|AlreadyOwnedByYou|ResourceExistenceCheck": (
        "it is not this stack's: delete what has this name, such as what is left of an earlier deployment, unless "
        "somebody needs it, then run the same command again"
    ),
    r"UnreservedConcurrentExecution": (
        "leave ReservedForRepairs out of ecr-warden.yaml, or have more concurrent executions: "
        f"{MORE_EXECUTIONS.format('REGION')}"
    ),
    r"Throttl|Rate exceeded|TooManyRequests": AGAIN,
    r"LimitExceeded|quota": "have this quota of the account raised, then run the same command again",
}
"""The remedy by a pattern of the words, the most particular first."""
_OTHERWISE = f"mend what the message names, then {AGAIN}"


def remedy_for(text: str, otherwise: str = _OTHERWISE) -> str:
    """The remedy for an error with these words."""
    found = (remedy for words, remedy in _REMEDIES.items() if re.search(words, text, re.IGNORECASE | re.DOTALL))
    return next(found, otherwise)
