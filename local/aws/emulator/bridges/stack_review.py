"""A second change set of a stack that nobody has made yet is of the same stack: ministack makes it another.

With CREATE a stack gets its ID, and stays REVIEW_IN_PROGRESS until a change set is executed.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
"""

from typing import Any

from local.aws.emulator.modules import (
    BridgeBroken,
    cloudformation,
    cloudformation_changesets,
    cloudformation_handlers,
    signature,
)

_CALL = "CreateChangeSet"


def install() -> None:
    """Wrap the call that makes change sets."""
    signature(cloudformation_changesets, "_create_change_set", "params")
    calls = cloudformation_handlers._ACTION_HANDLERS
    create = calls.get(_CALL)
    if create is None:
        raise BridgeBroken(f"ministack has no handler of {_CALL}")

    def created(params: Any) -> Any:
        name = cloudformation_handlers._p(params, "StackName")
        before = cloudformation._stacks.get(name)
        status, headers, body = create(params)
        made = cloudformation._stacks.get(name)
        if before is None or before is made or before["StackStatus"] != "REVIEW_IN_PROGRESS":
            return status, headers, body
        cloudformation._stacks[name] = before
        for one in cloudformation._change_sets.values():
            if one["StackId"] == made["StackId"]:
                one["StackId"] = before["StackId"]
        return status, headers, body.replace(made["StackId"].encode(), before["StackId"].encode())

    calls[_CALL] = created
