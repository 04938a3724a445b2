"""What the templates of this version deploy: CloudFormation's functions, worked out with a stack's parameters.

`stacks.json` is written from the templates by tools/make_stacks.py, and a test compares the two. Only the
functions that the compared resources use are known.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct

_NOTHING = object()  # AWS::NoValue: whatever holds it is left out
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


class UnknownReference(Exception):
    """A value that a template refers to is not known, so that what it deploys nobody knows."""


class StackContent(Struct, frozen=True):
    """What one template deploys."""

    digest: str
    """Of its content, as the stack has it among its outputs."""
    lists: tuple[str, ...]
    """The parameters that are comma-separated lists."""
    conditions: Mapping[str, Any]
    resources: Mapping[str, Any]

    def properties(self, logical_id: str, known: Mapping[str, str]) -> Any:
        """A resource's properties; None if its condition does not hold. Raises UnknownReference.

        `known`: parameters, pseudo parameters, and by `Name` or `Name.Attribute` the resources that are referred to.
        """
        resource = self.resources[logical_id]
        if "Condition" in resource and not self._holds(resource["Condition"], known):
            return None
        return self._value(resource["Properties"], known)

    def _holds(self, name: str, known: Mapping[str, str]) -> bool:
        return bool(self._value(self.conditions[name], known))

    def _value(self, node: Any, known: Mapping[str, str]) -> Any:
        match node:
            case {"Ref": str(name)}:
                return self._reference(name, known)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._reference(f"{name}.{attribute}", known)
            case {"Fn::Sub": str(text)}:
                return _REFERENCE.sub(lambda found: str(self._reference(found[1], known)), text)
            case {"Fn::If": [str(name), then, otherwise]}:
                return self._value(then if self._holds(name, known) else otherwise, known)
            case {"Fn::Equals": [one, other]}:
                return self._value(one, known) == self._value(other, known)
            case {"Fn::Not": [one]}:
                return not self._value(one, known)
            case {"Fn::And": [one, other]}:
                return self._value(one, known) and self._value(other, known)
            case {"Condition": str(name)}:
                return self._holds(name, known)
            case {"Fn::Join": [str(between), parts]}:
                return between.join(self._value(parts, known))
            case dict():
                made = {key: self._value(entry, known) for key, entry in node.items()}
                return {key: value for key, value in made.items() if value is not _NOTHING}
            case list():
                return [value for value in (self._value(entry, known) for entry in node) if value is not _NOTHING]
            case _:
                return node

    def _reference(self, name: str, known: Mapping[str, str]) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name not in known:
            raise UnknownReference(name)
        return known[name].split(",") if name in self.lists else known[name]


@cache
def content_of(stack: str) -> StackContent:
    """What this version deploys as `hub`, `member` or `events`."""
    found = json.loads(files("ecr_warden.collect").joinpath("stacks.json").read_text(encoding="utf-8"))[stack]
    return StackContent(found["digest"], tuple(found["lists"]), found["conditions"], found["resources"])
