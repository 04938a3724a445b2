"""Reading and writing policy text the way the services do. Documents stay plain JSON values here: AWS's own
model of a policy is what is imitated, so this must not share a line with the product's policy engine."""

import json
from collections.abc import Iterable

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type Object = dict[str, Json]


class NotAPolicy(Exception):
    """The text is not a JSON object, or repeats a key (aws-facts 3.3: the same key twice is invalid)."""


def parse(text: str) -> Object:
    """The JSON object in a policy text. Raises NotAPolicy."""
    try:
        value: Json = json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        raise NotAPolicy(str(error)) from error
    if not isinstance(value, dict):
        raise NotAPolicy("not an object")
    return value


def _unique(pairs: list[tuple[str, Json]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotAPolicy("a key is repeated")
    return found


def statements(document: Object) -> list[Object]:
    """The statements, a single one included (aws-facts 3.3: brackets are optional). Raises NotAPolicy."""
    value = document.get("Statement")
    found = value if isinstance(value, list) else [value]
    objects = [one for one in found if isinstance(one, dict)]
    if not objects or len(objects) != len(found):
        raise NotAPolicy("Statement is not a list of objects")
    return objects


def strings(value: Json) -> list[str]:
    """A string or a list of strings as a list. Raises NotAPolicy."""
    found = value if isinstance(value, list) else [value]
    texts = [one for one in found if isinstance(one, str)]
    if len(texts) != len(found):
        raise NotAPolicy("not a string or a list of strings")
    return texts


def compact(document: Object) -> str:
    """The text without white space, as IAM stores it (aws-facts 2.1, ACK)."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def size(text: str) -> int:
    """The number of characters except white space, which is what IAM's quotas count (aws-facts 2.3)."""
    return sum(1 for character in text if not character.isspace())


def total_size(texts: Iterable[str]) -> int:
    """The same for several documents together."""
    return sum(size(text) for text in texts)


def pretty(value: Json, depth: int = 0) -> str:
    """ECR's own spelling: a space before the colon, lists on one line (aws-facts 1.6, the recorded pair of 2020)."""
    match value:
        case dict() if value:
            inner = "  " * (depth + 1)
            members = (f"{inner}{json.dumps(key)} : {pretty(one, depth + 1)}" for key, one in value.items())
            return "{\n" + ",\n".join(members) + "\n" + "  " * depth + "}"
        case dict():
            return "{ }"
        case list():
            return "[ " + ", ".join(pretty(one, depth) for one in value) + " ]"
        case _:
            return json.dumps(value, ensure_ascii=False)
