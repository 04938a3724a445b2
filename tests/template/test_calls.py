"""Every AWS call in the product's adapters is permitted by a role, and no role may write what is never called."""

import pytest

from tests.template.adapter_calls import ACTIONS, operations_called
from tests.template.cfn import HUB, MEMBER, says


@pytest.fixture(scope="module")
def called() -> set[str]:
    """The IAM actions of all calls in the adapters."""
    return {action for operation in operations_called() for action in ACTIONS.get(operation, {operation})}


def _allowed(*statements: object) -> set[str]:
    return {
        action
        for group in statements
        for statement in (group if isinstance(group, list) else [])
        if statement["Effect"] == "Allow"
        for action in says(statement["Action"])
    }


def test_every_call_of_the_adapters_is_permitted_somewhere(called: set[str]) -> None:
    roles = [HUB.policy(f"{name}Role") for name in ("Dispatch", "Reconcile", "Alert", "Answer", "Control")]
    assert called <= _allowed(*roles, MEMBER.policy("ReadRole"), MEMBER.policy("WriteRole"))
    assert "ecr:SetRepositoryPolicy" in called


def test_every_permission_in_member_accounts_is_used(called: set[str]) -> None:
    assert _allowed(MEMBER.policy("WriteRole"), MEMBER.policy("ReadRole")) <= called


def test_every_permission_on_the_hubs_table_and_switch_is_used(called: set[str]) -> None:
    kept = {
        action
        for action in _allowed(*(HUB.policy(f"{name}Role") for name in ("Reconcile", "Alert", "Answer", "Control")))
        if action.split(":")[0] in ("dynamodb", "ssm", "secretsmanager", "events", "scheduler", "sns")
    }
    assert kept <= called
