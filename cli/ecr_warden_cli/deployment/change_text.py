"""What a stack would become, in words: roles and policies first, and what each gains and loses."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from ecr_warden.collect.stacks import StackContent
from ecr_warden_cli.deployment.ports import Instance, StackChange, StackPlace
from iam_access.gather import gather
from iam_access.text.printable import listed

_READS = re.compile(r".*:(Get|List|Describe|BatchGet|BatchCheck|Query|Scan|Lookup|Receive)")
_KINDS = {"AWS::IAM::Role": "role", "AWS::IAM::ManagedPolicy": "policy"}
_SHOWN = 10
_VERBS = {"Add": "creates", "Import": "takes over", "Modify": "changes", "Remove": "removes"}


class Rights(Struct, frozen=True):
    """Who may use a role, and what a role or policy allows."""

    trusted: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


class Content(Struct, frozen=True):
    """What a template deploys with its parameters, by logical ID: types, and rights by what people call them."""

    types: Mapping[str, str] = {}
    rights: Mapping[str, Rights] | None = {}
    """None if it cannot be said: what people deploy by hand is YAML with tags of CloudFormation's own."""


class _Known(dict[str, str]):
    """Parameters, and for whatever only AWS knows its own name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return name


def content_of(template: str, parameters: Mapping[str, str], place: StackPlace) -> Content:
    """What a template deploys."""
    try:
        text = json.loads(template)
    except ValueError:
        return Content(rights=None)
    declared = text.get("Parameters", {})
    lists = tuple(name for name, body in declared.items() if body["Type"] == "CommaDelimitedList")
    stack = StackContent("", lists, text.get("Conditions", {}), text["Resources"])
    of_aws = {"AWS::Partition": "aws", "AWS::AccountId": place.account, "AWS::Region": place.region}
    known = _Known({name: str(body.get("Default", "")) for name, body in declared.items()} | {**parameters} | of_aws)
    found = {
        name: (body["Type"], properties)
        for name, body in text["Resources"].items()
        if "Properties" in body and (properties := stack.properties(name, known)) is not None
    }
    named = {
        f"{_KINDS[kind]} {one.get('RoleName') or one.get('ManagedPolicyName', name)}": _rights(one)
        for name, (kind, one) in found.items()
        if kind in _KINDS
    }
    return Content({name: kind for name, (kind, _) in found.items()}, named)


def _rights(properties: Mapping[str, Any]) -> Rights:
    trust = properties.get("AssumeRolePolicyDocument", {"Statement": []})["Statement"]
    policies = [one for one in (*properties.get("Policies", ()), properties) if "PolicyDocument" in one]
    statements = [
        one for policy in policies for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"
    ]
    attached = frozenset(f"policy {arn.split('/')[-1]}" for arn in properties.get("ManagedPolicyArns", ()))
    allowed = {action for one in statements for action in _several(one.get("Action", "*"))}
    return Rights(frozenset(who for one in trust for who in _trusted(one)), attached | allowed)


def _trusted(statement: Mapping[str, Any]) -> Iterator[str]:
    """Those whom a statement of a trust policy names, by their ARNs where a condition has them."""
    conditions = [one for block in statement.get("Condition", {}).values() for one in block.items()]
    arns = [arn for key, value in conditions if key == "aws:PrincipalArn" for arn in _several(value)]
    yield from arns or (one for value in statement["Principal"].values() for one in _several(value))


def _several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def iam_lines(before: Mapping[str, Rights] | None, after: Mapping[str, Rights]) -> Iterator[str]:
    """What becomes of roles and policies, each with `{}` where its account belongs."""
    if before is None:
        yield f"what these gain or lose in {{}} is not known, as they were deployed from YAML: {', '.join(after)}"
        return
    for name, new in after.items():
        old = before.get(name)
        if old is None:
            trusted = f", trusted by {', '.join(sorted(new.trusted))}" if new.trusted else ""
            yield f"creates {name} in {{}}{trusted}: {_may(new.allowed)}"
            continue
        for verb, actions in (("gains", new.allowed - old.allowed), ("loses", old.allowed - new.allowed)):
            if actions:
                yield f"{name} in {{}} {verb}: {_may(actions)}"
        if new.trusted != old.trusted:
            trusts = [", ".join(sorted(one.trusted)) or "nobody" for one in (new, old)]
            yield f"{name} in {{}} is trusted by {trusts[0]}, no longer by {trusts[1]}"
    yield from (f"removes {name} in {{}}" for name in before if name not in after)


def _may(actions: frozenset[str]) -> str:
    """What these actions are: of reading only the services, of all else each."""
    reads = {action for action in actions if _READS.match(action)}
    services = sorted({action.split(":")[0] for action in reads})
    said = [f"reads {', '.join(services)}"] if reads else []
    return "; ".join([*said, *([f"may {', '.join(sorted(actions - reads))}"] if actions - reads else [])]) or "nothing"


def resource_line(changes: Sequence[StackChange]) -> str:
    """How many resources of each type are created, changed, replaced and removed."""
    found = gather(
        ("replaces" if one.replacement else _VERBS.get(one.action, "changes"), one.type.removeprefix("AWS::"))
        for one in changes
    )
    return "; ".join(
        f"{verb} {', '.join(f'{many} {kind}' for kind, many in sorted(Counter(kinds).items()))}"
        for verb, kinds in found.items()
    )


def instance_lines(instances: Sequence[Instance]) -> list[str]:
    """What is not as it should be in an organization's units, and how it is tried again."""
    alike = gather(((one.set, one.region, one.status, one.reason), one.account) for one in instances)
    return [
        f"{name} is {status} in {listed(accounts, _SHOWN)}, {region}: {reason or 'AWS gives no reason'}"
        for (name, region, status, reason), accounts in alike.items()
    ]


def grouped(lines: Sequence[tuple[str, str]]) -> list[str]:
    """Lines with the accounts of which each is said."""
    return [line.format(", ".join(dict.fromkeys(where))) for line, where in gather(lines).items()]
