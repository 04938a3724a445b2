"""A stack has the description of its template: of one that a change set made, ministack says none.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html
"""

from typing import Any

from local.aws.emulator.modules import BridgeBroken, cloudformation, cloudformation_handlers, signature

_CALL = "DescribeStacks"


def install() -> None:
    """Wrap the call that describes stacks."""
    describe = signature(cloudformation_handlers, "_describe_stacks", "params")
    calls = cloudformation_handlers._ACTION_HANDLERS
    if calls.get(_CALL) is not describe:
        raise BridgeBroken(f"ministack's handler of {_CALL} is another")

    def described(params: Any) -> Any:
        for stack in cloudformation._stacks.values():
            stack["Description"] = stack.get("_template", {}).get("Description", "")
        return describe(params)

    calls[_CALL] = described
