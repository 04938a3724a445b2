"""The nodes of a spec's text: values with their places, before anything is made of them."""

import re
from enum import StrEnum

from msgspec import Struct

from ecr_warden.access_spec.problems import Place, bare, quote

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""A number in JSON and YAML 1.2; YAML 1.1 reads some with an exponent as text."""


class Tag(StrEnum):
    """The type that YAML resolves a scalar to; the text itself is never converted."""

    TEXT = "text"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    TIMESTAMP = "a date"
    NULL = "no value"
    BROKEN = "a refused value"


class Scalar(Struct, frozen=True):
    """A single value."""

    place: Place
    text: str
    tag: Tag
    plain: bool
    """Without quotes."""


class ListNode(Struct, frozen=True):
    """A YAML sequence."""

    place: Place
    items: tuple["Node", ...]


class MapNode(Struct, frozen=True):
    """A YAML mapping; keys are unique and in the order of the spec."""

    place: Place
    entries: tuple[tuple[Scalar, "Node"], ...]


type Node = Scalar | ListNode | MapNode


def describe(node: Node) -> str:
    """What the node is, in words for a message."""
    match node:
        case Scalar(tag=Tag.NUMBER, text=text):
            return f"the number {bare(text)}"
        case Scalar(tag=Tag.BOOLEAN, text=text):
            # YAML 1.1 has ten more spellings of the two, which people write as words.
            means = "true" if text.lower() in ("yes", "on", "true") else "false"
            return text if text == means else f"{quote(text)}, which YAML reads as {means},"
        case Scalar(tag=tag):
            return str(tag)
        case ListNode():
            return "a list"
        case MapNode():
            return "a mapping"
