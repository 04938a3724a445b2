"""How the shape of a file is described: data, so that checking, documenting and publishing a schema share it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Text:
    """Text; `choices` when only some words are allowed, `what` names it in messages."""

    what: str = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountId:
    """Twelve digits, in quotes."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time; YAML may take it for a date."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number in decimal digits, from `least` to `most`; whoever knows what it means checks the bounds."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`: of the many words that YAML 1.1 takes for them, these two, without quotes."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A mapping that another module understands: a policy document."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; `nonempty` refuses one without items."""

    item: "Shape"
    nonempty: bool = False


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping whose keys are names that the file chooses."""

    value: "Shape"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record; `meaning` is what docs and schema say of it.

    `needless`: why it would say nothing in this record, though it does in one like it; then it is refused.
    """

    name: str
    shape: "Shape"
    meaning: str = ""
    required: bool = False
    needless: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with the fields of the table and no others."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Text, or one of some records: the field that a record is found under here is in no other of them."""

    text: Text
    records: Mapping[str, Record]


@dataclass(frozen=True, slots=True)
class Choice:
    """A record whose table depends on the text of one of its fields."""

    name: str
    by: str
    records: Mapping[str, Record] = field(default_factory=dict)


type Shape = Text | AccountId | Moment | Whole | Flag | Raw | ListOf | MapOf | Record | Choice | Either
