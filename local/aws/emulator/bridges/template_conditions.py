"""A template's conditions may use AWS::Region, or Join a list: ministack treats both as plain text."""

from typing import Any

from local.aws.emulator.modules import (
    BridgeBroken,
    cloudformation_engine,
    evaluating_conditions,
    responses,
    signature,
    wrap,
)

_NAME = "_evaluate_conditions"


def _pseudo_parameters() -> dict[str, dict[str, str]]:
    return {
        "AWS::Region": {"Value": responses.get_region()},
        "AWS::AccountId": {"Value": responses.get_account_id()},
        "AWS::Partition": {"Value": "aws"},
    }


def _joined(value: Any, parameters: Any) -> Any:
    """A condition in which each Join of a list parameter is the text that it makes."""
    match value:
        case {"Fn::Join": [str(separator), {"Ref": str(name)}]} if name in parameters:
            return separator.join(part.strip() for part in str(parameters[name]["Value"]).split(","))
        case dict():
            return {key: _joined(item, parameters) for key, item in value.items()}
        case list():
            return [_joined(item, parameters) for item in value]
        case _:
            return value


def install() -> None:
    """Wrap the evaluation of conditions wherever it was imported to."""
    original = signature(cloudformation_engine, _NAME, "template", "params")

    def evaluate(template: Any, params: Any) -> Any:
        conditions = _joined(template.get("Conditions", {}), params)
        return original({**template, "Conditions": conditions}, {**_pseudo_parameters(), **params})

    for module in evaluating_conditions:
        if getattr(module, _NAME, None) is not original:
            raise BridgeBroken(f"{module.__name__} no longer takes {_NAME} from the engine")
        wrap(module, _NAME, "template", "params")(evaluate)
