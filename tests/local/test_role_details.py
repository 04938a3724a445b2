"""What an account's authorization details tell of roles."""

from local.aws.launcher import EmulatedAws
from tests.local.support import NewAccount, allow, policy, trust


def test_a_role_is_listed_with_its_boundary_or_without_one(aws: EmulatedAws, new_account: NewAccount) -> None:
    account = new_account()
    iam = aws.client(account, "iam")
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=policy(allow("ecr:*")))["Policy"]["Arn"]
    document = policy(trust({"AWS": f"arn:aws:iam::{account}:root"}))
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=document, PermissionsBoundary=boundary)
    iam.create_role(RoleName="free", AssumeRolePolicyDocument=document)
    roles = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    boundaries = {role["RoleName"]: role.get("PermissionsBoundary", {}) for role in roles}
    assert boundaries["bounded"]["PermissionsBoundaryArn"] == boundary
    assert boundaries["free"] == {}
