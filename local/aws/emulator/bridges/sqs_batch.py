"""A batch call to SQS is authorized as its single form (Service Authorization Reference, SQS: there are no batch
actions)."""

from typing import Any

from local.aws.emulator.modules import iam_actions, signature, wrap

_PARAMETERS = ("service", "method", "path", "headers", "body", "query_params")


def single_form(action: str | None) -> str | None:
    """`sqs:SendMessageBatch` -> `sqs:SendMessage`; any other action as it is."""
    return action.removesuffix("Batch") if action and action.startswith("sqs:") else action


def install() -> None:
    """Wrap the naming of actions."""
    original = signature(iam_actions, "extract_iam_action", *_PARAMETERS)

    def extract(*arguments: Any) -> Any:
        return single_form(original(*arguments))

    wrap(iam_actions, "extract_iam_action", *_PARAMETERS)(extract)
