"""The file as a tree of values with their places, before anything is known about what they mean."""

from dataclasses import dataclass
from enum import StrEnum

from ecr_warden.spec.problems import Place


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
        case Scalar(tag=tag):
            return str(tag)
        case ListNode():
            return "a list"
        case MapNode():
            return "a mapping"
