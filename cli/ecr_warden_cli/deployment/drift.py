"""What CloudFormation calls drift: values are compared as AWS reads them, documents by our own equality.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ecr_warden_cli.deployment.ports import UNREAD
from iam_access.document.document import DocumentError, parse_document
from iam_access.equivalent.canonical import canonical
from iam_access.text import strict_json


def action_of(change: Mapping[str, Any]) -> str:
    """The action of a `ResourceChange`; "" if what is there says the same, UNREAD if that could not be read.

    What cannot be compared differs.
    """
    targets = [one.get("Target", {}) for one in change.get("Details", ())]
    if change["Action"] != "Modify" or not targets or not all("Drift" in target for target in targets):
        return str(change["Action"])
    is_known, values = change.get("ResourceDriftStatus", "MODIFIED") == "MODIFIED", _values(change, targets)
    if is_known and any(_canonical(actual) != _canonical(wanted) for actual, wanted in values):
        return "Modify"
    return "" if is_known and (None, None) not in values else UNREAD


def _values(change: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]) -> list[tuple[object, object]]:
    """What is there and what is to be there, of each property that CloudFormation calls changed."""
    match [_loaded(change.get(f"{when}Context")) for when in ("Before", "After")]:
        case [{"Properties": dict(are)}, {"Properties": dict(will_be)}]:
            # A path may lead into a document, whose order says nothing. Tags have no name.
            names = [target.get("Name") or target.get("Attribute") for target in targets]
            return [(are.get(name), will_be.get(name)) for name in names]
        case _:
            return [(_loaded(one["Drift"].get("ActualValue")), _loaded(one.get("AfterValue"))) for one in targets]


def _loaded(text: str | None) -> object:
    """A value, as JSON or as it is; one that CloudFormation cut, or with two equal keys, equals nothing."""
    try:
        return strict_json.load(text or "null")
    except DocumentError:
        return object() if text and text[0] in '{["' else text


def _canonical(value: Any) -> object:
    """Without what has several spellings: nothing, numbers, yes and no, the order of policies and tags, documents."""
    match value:
        case {"Statement": _} | {"Effect": _}:
            try:
                return canonical(parse_document(value if "Statement" in value else {"Statement": value}))
            except DocumentError:
                return object()
        case dict():
            return {name: one for name, given in value.items() if (one := _canonical(given))} or None
        case list():
            return sorted(map(_canonical, value), key=_name) or None
        case str() if value[:1] in ("{", "["):
            return _canonical(_loaded(value))
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            return value or None


def _name(item: Any) -> str:
    return str(item.get("PolicyName") or item.get("Key") or "") if isinstance(item, dict) else ""
