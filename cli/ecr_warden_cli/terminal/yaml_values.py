"""Values as YAML that every parser reads alike: outside text is quoted and escaped wherever it could be misread."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from iam_access.text.printable import printable

WIDTH = 100
_LONGEST_COMMENT = 2_000
_DEEPEST = 1
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./:+=@-]*(?<!:)")
_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
# What YAML 1.1 does not read as text.
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])

type Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"] | None


def scalar(text: str) -> str:
    """Text as a plain scalar where no parser can misread it, else in double quotes."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else quoted(text)


def quoted(text: str) -> str:
    """Text in double quotes, as YAML and JSON read it."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    """As in double quotes; JSON's escapes of two halves are not joined by every YAML parser."""
    if character in '"\\':
        return f"\\{character}"
    if " " <= character <= "~":
        return character
    return f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}"


def _key(text: str) -> str:
    return text if _PLAIN_KEY.fullmatch(text) and text.lower() not in _WORDS else quoted(text)


def flow(value: Value) -> str:
    """The value on one line."""
    match value:
        case str():
            return scalar(value)
        case Mapping():
            return "{" + ", ".join(f"{_key(name)}: {flow(one)}" for name, one in value.items()) + "}"
        case Sequence():
            return "[" + ", ".join(map(flow, value)) + "]"
        case _:
            return json.dumps(value)


def block(value: Value, indent: int = 0) -> Iterator[str]:
    """The lines of a mapping or list; a part that fits on its line stays there."""
    pad = " " * indent
    match value:
        case Mapping():
            for name, one in value.items():
                yield from _after(f"{pad}{_key(name)}:", one, indent)
        case Sequence() if not isinstance(value, str):
            for one in value:
                yield from item(one, indent) if _is_long(one, indent + 2) else (f"{pad}- {flow(one)}",)
        case _:
            yield pad + flow(value)


def item(value: Value, indent: int) -> Iterator[str]:
    """The lines of one item of a list, in block form."""
    lines = block(value, indent + 2)
    yield f"{' ' * indent}- {next(lines)[indent + 2 :]}"
    yield from lines


def _after(head: str, value: Value, indent: int) -> Iterator[str]:
    if _is_long(value, len(head) + 1):
        yield head
        yield from block(value, indent + 2)
    else:
        yield f"{head} {flow(value)}"


def _is_long(value: Value, column: int) -> bool:
    """Whether a mapping or list needs lines of its own."""
    if not isinstance(value, Mapping | Sequence) or isinstance(value, str) or not value:
        return False
    return _depth(value) > _DEEPEST or column + len(flow(value)) > WIDTH


def _depth(value: Value) -> int:
    """The number of mappings within one another."""
    match value:
        case Mapping():
            return 1 + max(map(_depth, value.values()), default=0)
        case Sequence() if not isinstance(value, str):
            return max(map(_depth, value), default=0)
        case _:
            return 0


def comment(text: str, indent: int = 0) -> Iterator[str]:
    """The lines of a comment; whatever the text holds, it stays in the comment."""
    start = f"{' ' * indent}# "
    for line in text.split("\n"):
        shown = printable(line, _LONGEST_COMMENT)
        # No outside text begins a line as what is to be taken over does.
        further = " " * (len(shown) - len(shown.lstrip(" ")) + 2)
        lines = wrap(shown, WIDTH - len(start), break_on_hyphens=False, subsequent_indent=further)
        yield from (start + one for one in lines)
