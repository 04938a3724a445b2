"""A new topic's policy lets in its owner alone: in templates ministack leaves the condition out, so all may publish.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
"""

import json
from typing import Any

from local.aws.emulator.modules import BridgeBroken, provisioners, responses, signature

_TOPIC = "AWS::SNS::Topic"


def install() -> None:
    """Wrap the template handler that creates topics."""
    create = signature(provisioners, "_sns_create", "logical_id", "props", "stack_name")
    handlers = provisioners._RESOURCE_HANDLERS.get(_TOPIC, {})
    if handlers.get("create") is not create:
        raise BridgeBroken(f"ministack's handler of {_TOPIC} is another")

    def created(logical_id: str, props: Any, stack_name: str) -> Any:
        arn, attributes = create(logical_id, props, stack_name)
        of_topic = provisioners._sns._topics[arn]["attributes"]
        policy = json.loads(of_topic["Policy"])
        for statement in policy["Statement"]:
            statement["Condition"] = {"StringEquals": {"AWS:SourceOwner": responses.get_account_id()}}
        of_topic["Policy"] = json.dumps(policy)
        return arn, attributes

    handlers["create"] = created
