"""What StackSets need of an organization, as AWS says it, and the command that gives what lacks."""

from functools import partial
from typing import Any

import pytest

from ecr_warden_cli.deployment.aws_accounts import AwsEntered
from ecr_warden_cli.terminal.aws_sessions import AccountSession
from ecr_warden_cli.terminal.context import Failure
from tests.contracts.aws import Call, Wire

MANAGEMENT, PLATFORM = "999999999999", "333333333333"


def above(
    account: str, *, features: str = "ALL", delegated: str = PLATFORM, access: str = "ENABLED"
) -> tuple[str, str]:
    wire = Wire()
    organization = {"Id": "o-a1b2c3d4e5", "MasterAccountId": MANAGEMENT, "FeatureSet": features}
    administrators = [{"Id": delegated}] if delegated else []
    answers: dict[str, dict[str, Any]] = {
        "organizations:DescribeOrganization": {"Organization": organization},
        "organizations:ListRoots": {"Roots": [{"Id": "r-abcd"}]},
        "organizations:ListDelegatedAdministrators": {"DelegatedAdministrators": administrators},
        "cloudformation:DescribeOrganizationsAccess": {"Status": access},
    }
    for call, answer in answers.items():
        wire.answer(call, partial(_given, answer))
    return AwsEntered({account: AccountSession(wire.session, account, "")}, lambda _: None).above(account)


def _given(answer: dict[str, Any], _: Call) -> dict[str, Any]:
    return answer


def test_a_delegated_administrator_and_the_management_account_learn_what_is_above() -> None:
    assert above(PLATFORM) == (MANAGEMENT, "r-abcd")
    assert above(MANAGEMENT, delegated="") == (MANAGEMENT, "r-abcd")


LACKS = {
    "all features": ({"features": "CONSOLIDATED_BILLING"}, "aws organizations enable-all-features"),
    "a delegated administrator": ({"delegated": ""}, "register-delegated-administrator --service-principal member.org"),
    "another one": ({"delegated": "444444444444"}, f"--account-id {PLATFORM}, with credentials of {MANAGEMENT}"),
    "trusted access": ({"access": "DISABLED"}, "aws cloudformation activate-organizations-access"),
}


@pytest.mark.parametrize("case", LACKS)
def test_what_lacks_is_named_with_its_command(case: str) -> None:
    given, command = LACKS[case]
    with pytest.raises(Failure) as caught:
        above(PLATFORM, **given)
    assert caught.value.code == "organization-lacks"
    assert command in caught.value.remedy
