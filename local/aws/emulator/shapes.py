"""Parameters and answers as CloudTrail shows them: first letter in lower case, lists as lists, numbers as numbers."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser


@cache
def model(service: str) -> ServiceModel:
    """The service's own description of its operations."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def small(value: Any) -> Any:
    """Every key with its first letter in lower case, times as text."""
    match value:
        case dict():
            return {key[:1].lower() + key[1:]: small(one) for key, one in value.items()}
        case list():
            return [small(one) for one in value]
        case datetime():
            return value.isoformat()
        case _:
            return value


def form_parameters(service: str, action: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a call in the query protocol; an unknown action keeps its form fields."""
    operations = model(service)
    if action not in operations.operation_names:
        return small({name: value for name, value in form.items() if name not in ("Action", "Version")}) or {}
    shape: Any = operations.operation_model(action).input_shape
    found = None if shape is None else _read(shape, "", form)
    return small(found) if isinstance(found, dict) else {}


def _read(shape: Any, prefix: str, form: Mapping[str, str]) -> Any:
    match shape.type_name:
        case "structure":
            members = {
                name: _read(one, f"{prefix}.{name}" if prefix else name, form) for name, one in shape.members.items()
            }
            return {name: one for name, one in members.items() if one is not None} or None
        case "list":
            found: list[Any] = []
            while (one := _read(shape.member, f"{prefix}.member.{len(found) + 1}", form)) is not None:
                found.append(one)
            return found or None
        case "boolean":
            return form[prefix] == "true" if prefix in form else None
        case "integer" | "long":
            return int(form[prefix]) if prefix in form else None
        case _:
            return form.get(prefix)


def answer(service: str, action: str, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """The answer of a successful call as responseElements, or None if it is empty."""
    if body[:1] == b"{":
        return small(json.loads(body)) or None
    operations = model(service)
    shape = operations.operation_model(action).output_shape if action in operations.operation_names else None
    if shape is None:
        return None
    parser = create_parser(operations.metadata["protocol"])
    parsed = parser.parse({"status_code": status, "headers": dict(headers), "body": body}, shape)
    return small({name: one for name, one in parsed.items() if name != "ResponseMetadata"}) or None
