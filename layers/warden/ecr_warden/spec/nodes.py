"""The file as a tree of values with their places, before anything is known about what they mean."""

import re
from dataclasses import dataclass
from enum import StrEnum

from ecr_warden.spec.problems import Place, bare, quote

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""A number in JSON, and in YAML 1.2; YAML 1.1 takes some of those with an exponent for text."""


class Tag(StrEnum):
    """What YAML takes a scalar for; the text itself is never converted."""

    TEXT = "text"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    TIMESTAMP = "a date"
    NULL = "nothing"
    BROKEN = "a value refused already"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value; `plain` when it stands without quotes."""

    place: Place
    text: str
    tag: Tag
    plain: bool


@dataclass(frozen=True, slots=True)
class ListNode:
    """A YAML sequence."""

    place: Place
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class MapNode:
    """A YAML mapping; each key once, in the order of the file."""

    place: Place
    entries: tuple[tuple[Scalar, "Node"], ...]


type Node = Scalar | ListNode | MapNode


def describe(node: Node) -> str:
    """What the node is, in the words of messages."""
    match node:
        case Scalar(tag=Tag.NUMBER, text=text):
            return f"the number {bare(text)}"
        case Scalar(tag=Tag.BOOLEAN, text=text):
            # YAML 1.1 has ten more spellings of the two, of which people mean the word.
            means = "true" if text.lower() in ("yes", "on", "true") else "false"
            return text if text == means else f"{quote(text)}, which YAML takes for {means},"
        case Scalar(tag=tag):
            return str(tag)
        case ListNode():
            return "a list"
        case MapNode():
            return "a mapping"
