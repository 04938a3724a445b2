"""Writes collect/stacks.json, and the digests in the templates' outputs: `python tools/make_stacks.py`.

The hub compares what is deployed with what the templates of its own version deploy. It gets of each template what it
compares, with CloudFormation's functions in their long form, and a digest of that, which the stack has as an output.

`organization` makes the organization's template deployable: it needs the others in it.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "layers" / "warden" / "ecr_warden" / "collect" / "stacks.json"
TEMPLATES = {"hub": "template.yaml", "member": "stacks/member.yaml", "events": "stacks/events.yaml"}
# The hub's own roles can be read only if its account is a member, and then by another stack's role: they are left out.
_COMPARED = {
    "hub": ("AWS::Events::Rule", "AWS::Events::EventBusPolicy", "AWS::S3::BucketPolicy"),
    "member": ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"),
    "events": ("AWS::Events::Rule",),
}
_UNUSED = ("DeadLetterConfig", "RetryPolicy", "Description", "Tags", "MaxSessionDuration")
_DIGEST = re.compile(r"(?m)^(  Content:\n    Description: .*\n    Value: ).*$")


class _Loader(yaml.SafeLoader):
    """SafeLoader that writes CloudFormation's short tags out."""


def _written_out(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    return {f"Fn::{suffix}": value.split(".", 1) if suffix == "GetAtt" and isinstance(value, str) else value}


_Loader.add_multi_constructor("!", _written_out)


def read(path: str) -> dict[str, Any]:
    """A template, with CloudFormation's functions in their long form."""
    template: dict[str, Any] = yaml.load((ROOT / path).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    return template


def organization() -> dict[str, Any]:
    """stacks/organization.yaml with the bodies of its three StackSets in place of their names."""
    member = read(TEMPLATES["member"])
    boundary = {key: value for key, value in member["Resources"]["Boundary"].items() if key != "Condition"}
    bodies = {
        "boundary": {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Boundary": boundary}},
        "member": member,
        "events": read(TEMPLATES["events"]),
    }
    template = read("stacks/organization.yaml")
    for resource in template["Resources"].values():
        body = bodies[resource["Properties"]["TemplateBody"]]
        resource["Properties"]["TemplateBody"] = json.dumps(body, separators=(",", ":"))
    return template


def compared(name: str) -> dict[str, Any]:
    """What is compared of a template: its lists, conditions and resources, and their digest."""
    template = read(TEMPLATES[name])
    found = {
        "lists": sorted(key for key, body in template["Parameters"].items() if body["Type"] == "CommaDelimitedList"),
        "conditions": template.get("Conditions", {}),
        "resources": {
            logical: _used(body) for logical, body in template["Resources"].items() if body["Type"] in _COMPARED[name]
        },
    }
    digest = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
    return {"digest": digest, **found}


def _used(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _used(entry) for key, entry in value.items() if key not in _UNUSED}
    return [_used(entry) for entry in value] if isinstance(value, list) else value


def with_digest(text: str, digest: str) -> str:
    """The template with the digest as its output."""
    return _DIGEST.sub(rf"\g<1>{digest}", text)


def written() -> str:
    """The file's text."""
    return json.dumps({name: compared(name) for name in TEMPLATES}, indent=1) + "\n"


def main() -> None:
    TARGET.write_text(written(), encoding="utf-8")
    for name in ("member", "events"):
        path = ROOT / TEMPLATES[name]
        path.write_text(with_digest(path.read_text(encoding="utf-8"), compared(name)["digest"]), encoding="utf-8")


if __name__ == "__main__":
    main()
