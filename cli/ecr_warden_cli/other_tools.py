"""The tools to which repositories, users and roles belong by their tags, and the documents that they may write too.

A tag says with what somebody made a thing, hardly who writes its policies; and all but CloudFormation's own are written
by whoever may tag. So this is a hint for people before the first write. Afterwards events show who writes what
(alerting.writers). Where each tag comes from: docs/beside-other-tools.md, "What tags say".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import assert_never

from msgspec import Struct

from ecr_warden.core.address import TAG_KEY, TAG_VALUE, Address, AddressKind
from ecr_warden.core.kinds import Operation
from ecr_warden.core.plan import Change, NewRole, Plan
from ecr_warden.core.target import Target, UserTarget
from ecr_warden.notify.writers import Tool, in_tool
from iam_access.text.printable import printable

WHAT_TAGS_SAY = "docs/beside-other-tools.md#what-tags-say"
_STACK = "aws:cloudformation:stack-name"
_ACK = ("services.k8s.aws/controller-version", "services.k8s.aws/namespace")
_ACK_OF_EKS, _ACK_GROUP = "eks:kubernetes-api-group", ".services.k8s.aws"
# Only conventions: keys without their prefix, case and punctuation, and words in the values.
_MADE_WITH = frozenset({"managedby", "provisionedby", "deployedby", "createdby", "iac"})
_NAMES = {
    "terraform": Tool.TERRAFORM,
    "opentofu": Tool.TERRAFORM,
    "pulumi": Tool.PULUMI,
    "cloudformation": Tool.CLOUDFORMATION,
    "cdk": Tool.CDK,
    "ack": Tool.ACK,
}
_NAMED = re.compile(rf"(?<![a-z])({'|'.join(_NAMES)})(?![a-z])")
_FLAGS = ("terraform", "opentofu", "pulumi")
_NOT = ("", "false", "no", "0")


class Mark(Struct, frozen=True):
    """A tool, and the tag by which something is taken to be the tool's, as `KEY=VALUE`."""

    tool: Tool
    tag: str


class Claim(Struct, frozen=True):
    """A document that ecr-warden would write and that another tool may write too; `says`: what happens, what to do."""

    address: Address
    mark: Mark
    says: tuple[str, ...]


def mark_of(tags: Mapping[str, str]) -> Mark | None:
    """The tool that the tags name, if one; what ecr-warden created is its own, whatever else the tags say."""
    if tags.get(TAG_KEY) == TAG_VALUE:
        return None
    found = sorted((rank, key, tool) for key, value in tags.items() for rank, tool in _tools(key.casefold(), value))
    if not found:
        return None
    _, key, tool = found[0]
    return Mark(tool, f"{printable(key, 60)}={printable(tags[key], 80)}")


def _tools(key: str, value: str) -> Iterator[tuple[int, Tool]]:
    """The tool that a tag names, and how little that is worth."""
    value = value.casefold()
    if key == _STACK:
        yield 0, Tool.CLOUDFORMATION
    elif key in _ACK or (key == _ACK_OF_EKS and value.endswith(_ACK_GROUP)):
        yield 1, Tool.ACK
    else:
        parts = re.split("[/:]", key)
        if re.sub("[^a-z]", "", parts[-1]) in _MADE_WITH and (named := _NAMED.search(value)):
            yield 2, _NAMES[named[1]]
        elif parts[0] in _FLAGS and value not in _NOT:
            yield 2, _NAMES[parts[0]]


def disputable(plans: Iterable[Plan]) -> tuple[Change, ...]:
    """The changes that replace what is there, or that a tool which names all inline policies would take back."""
    return tuple(
        change
        for plan in plans
        if not any(isinstance(change.after, NewRole) for change in plan.changes)
        for change in plan.changes
        if change.operation is not Operation.CREATE or change.address.kind is AddressKind.IDENTITY_POLICY
    )


def claims(changes: Iterable[Change], marks: Mapping[Target, Mark]) -> Iterator[Claim]:
    """What of the changes another tool may undo; CloudFormation leaves inline policies alone that it did not make."""
    for change in changes:
        mark = marks.get(change.address.target)
        if mark is None:
            continue
        if change.operation is not Operation.CREATE:
            yield claim_on(change.address, mark)
        elif mark.tool not in (Tool.CLOUDFORMATION, Tool.CDK):
            yield Claim(change.address, mark, (_takes_back(mark.tool), _left_alone(mark.tool, change.address)))


def claim_on(address: Address, mark: Mark) -> Claim:
    """The claim on a document that exists."""
    return Claim(address, mark, (_writes(mark.tool), *in_tool(mark.tool, address)))


def _writes(tool: Tool) -> str:
    match tool:
        case Tool.TERRAFORM:
            return "the next apply restores its version, if the configuration has one"
        case Tool.PULUMI:
            return "the next update restores its version, if the program has one"
        case Tool.CLOUDFORMATION | Tool.CDK:
            return "its version comes back when an update of the stack changes it or drift is reverted, if there is one"
        case Tool.ACK:
            return "the controller restores its version within hours, if the resource has one"
        case Tool.CONSOLE | Tool.CLI | Tool.OTHER | Tool.UNKNOWN:
            return "it may be written again"
        case _:
            assert_never(tool)


def _takes_back(tool: Tool) -> str:
    what = "the controller" if tool is Tool.ACK else "the next apply" if tool is Tool.TERRAFORM else "the next update"
    return f"{what} deletes it, if all inline policies of the identity are named there"


def _left_alone(tool: Tool, address: Address) -> str:
    if tool is Tool.ACK:
        resource = "User" if isinstance(address.target, UserTarget) else "Role"
        return f"In Kubernetes: leave spec.inlinePolicies out of the {resource}."
    return f"In {tool}: name no inline policies of the identity as exclusive."
