"""CloudFormation templates as plain values, read without any transform, for the contract tests beside this file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests import tables

ROOT = Path(__file__).parents[2]

EXPECTED: Any = tables.load((ROOT / "tests" / "cases" / "templates.yaml").read_text())
"""What the templates are held to."""

# A parsed template is JSON of any shape; the tests look at single places in it.
type Node = Any


class _Loader(yaml.CSafeLoader):
    """SafeLoader that writes CloudFormation's short tags out."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Node:
    value: Node
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix in {"Ref", "Condition"}:
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)


def say(value: Node) -> str:
    """A value as one string: references stand as ${Name} or ${Name.Attribute}, as Fn::Sub writes them."""
    match value:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::Sub": [str(text), dict()]}:
            return text
        case _:
            return str(value)


def listed(value: Node) -> list[Node]:
    """One or many as many."""
    return value if isinstance(value, list) else [value]


def says(value: Node) -> list[str]:
    """One or many, each as a string."""
    return [say(item) for item in listed(value)]


@dataclass(frozen=True, slots=True)
class Statement:
    """A policy statement and where it stands: `place` is template, resource and Sid."""

    place: str
    resource_type: str
    body: Node

    @property
    def actions(self) -> list[str]:
        return says(self.body["Action"])

    @property
    def resources(self) -> list[str]:
        return says(self.body.get("Resource", []))


@dataclass(frozen=True, slots=True)
class Template:
    """A template's name and content."""

    name: str
    body: Node

    def resources(self, kind: str) -> dict[str, Node]:
        return {name: body for name, body in self.body["Resources"].items() if body["Type"] == kind}

    def properties(self, name: str) -> Node:
        return self.body["Resources"][name]["Properties"]

    def statements(self) -> Iterator[Statement]:
        """Every policy statement in the template, those under a condition included."""
        for name, resource in self.body["Resources"].items():
            for body in _statements_in(resource.get("Properties", {})):
                yield Statement(f"{self.name} {name} {body.get('Sid', '')}".strip(), resource["Type"], body)

    def policy(self, role: str) -> list[Node]:
        """The statements of a role's identity policies: inline ones, and managed ones of this template."""
        properties = self.properties(role)
        taken = [given["Fn::If"][1]["Ref"] for given in properties.get("ManagedPolicyArns", ())]
        managed = (self.properties(name)["PolicyDocument"] for name in taken)
        return [*_statements_in(properties["Policies"]), *(one for body in managed for one in _statements_in(body))]


def _statements_in(value: Node) -> Iterator[Node]:
    if isinstance(value, dict):
        if value.get("Effect") in ("Allow", "Deny"):
            yield value
        else:
            for item in value.values():
                yield from _statements_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _statements_in(item)


def load(path: str) -> Template:
    """The template at a path relative to the repository."""
    return Template(path, yaml.load((ROOT / path).read_text(), Loader=_Loader))


HUB = load("template.yaml")
MEMBER = load("stacks/member.yaml")
EVENTS = load("stacks/events.yaml")
ALL = (HUB, MEMBER, EVENTS)
