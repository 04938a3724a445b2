"""How the shape of a spec is described, as data, and what a remedy says to write where a value does not fit."""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from ecr_warden.spec.parse import ListNode, MapNode, Node, Scalar, Tag
from ecr_warden.spec.problems import bare


class Text(Struct, frozen=True):
    """Text; `choices` when only some words are allowed, `what` names it in messages."""

    what: str = "text"
    choices: tuple[str, ...] = ()


class AccountId(Struct, frozen=True):
    """Twelve digits, in quotes."""


class Moment(Struct, frozen=True):
    """A date and time; YAML may take it for a date."""


class Whole(Struct, frozen=True):
    """A whole number in decimal digits, from `least` to `most`; whoever knows what it means checks the bounds."""

    least: int
    most: int


class Flag(Struct, frozen=True):
    """`true` or `false`: of the many words that YAML 1.1 takes for them, these two, without quotes."""


class Raw(Struct, frozen=True):
    """A mapping that another module understands: a policy document."""


class ListOf(Struct, frozen=True):
    """A list; `nonempty` refuses one without items."""

    item: "Shape"
    nonempty: bool = False


class MapOf(Struct, frozen=True):
    """A mapping whose keys are names that the file chooses."""

    value: "Shape"


class Field(Struct, frozen=True):
    """One field of a record; `meaning` is what docs and schema say of it.

    `needless`: why it would say nothing in this record, though it does in one like it; then it is refused.
    """

    name: str
    shape: "Shape"
    meaning: str = ""
    required: bool = False
    needless: str = ""


class Record(Struct, frozen=True):
    """A mapping with the fields of the table and no others."""

    name: str
    fields: tuple[Field, ...]


class Either(Struct, frozen=True):
    """Text, or one of some records: the field that a record is found under here is in no other of them."""

    text: Text
    records: Mapping[str, Record]


class Choice(Struct, frozen=True):
    """A record whose table depends on the text of one of its fields."""

    name: str
    by: str
    records: Mapping[str, Record] = field(default_factory=dict)


type Shape = Text | AccountId | Moment | Whole | Flag | Raw | ListOf | MapOf | Record | Choice | Either


_LONGEST_SHOWN = 60
_WIDE = frozenset({"account", "service", "organization"})


def named(record: str) -> str:
    """A record's name with its article: `an account`."""
    return record if record.endswith("ings") else f"{'an' if record[0] in 'aeio' else 'a'} {record}"


def sample(shape: Shape) -> str:
    """How a value of the shape is written: `{role: ..., by: [...]}`."""
    match shape:
        case Record(fields=fields):
            shown = [entry for entry in fields if entry.required] or [entry for entry in fields if not entry.needless]
            return "{" + ", ".join(f"{entry.name}: {sample(entry.shape)}" for entry in shown) + "}"
        case MapOf(value=value):
            return f"{{NAME: {sample(value)}}}"
        case Choice(by=by):
            return f"{{{by}: ..., ...}}"
        case ListOf():
            return "[...]"
        case _:
            return "..."


def for_text(node: Node, shape: Text) -> str:
    """What to write where text is expected."""
    if shape.choices:
        return one_of(shape.choices)
    match node:
        case Scalar(tag=Tag.NULL):
            return f"write {shape.what}, or remove the field"
        case Scalar():
            return "put it in quotes"
        case ListNode():
            return f"write {shape.what} alone, without [ ] or -"
        case MapNode(entries=entries):
            return _for_mapping(tuple(key.text for key, _ in entries), entries, shape)


def _for_mapping(keys: tuple[str, ...], entries: tuple[tuple[Scalar, Node], ...], shape: Text) -> str:
    principal = "principal" in shape.what
    if principal and _WIDE & set(keys):
        return "that stands under pull: only; name users and roles here, as ALIAS:user/NAME or ALIAS:role/NAME"
    if principal and "group" in keys:
        return NO_GROUPS
    match entries:
        case ((Scalar(text=key), Scalar(tag=Tag.TEXT, text=value)),) if principal and key in ("user", "role"):
            return f"write {bare(f'ALIAS:{key}/{value}')}"
        case ((Scalar(text=key), Scalar(tag=Tag.TEXT, text=value)),) if "/" in value:
            return f"remove the space after the colon: {bare(f'{key}:{value}')}"
        case _:
            return f"write {shape.what} as text; a text that holds a colon and a space needs quotes"


NO_GROUPS = "AWS takes no group as a principal: name its users, or a role that they use"


def for_whole(shape: Whole) -> str:
    """What to write where a whole number is expected."""
    if shape.least == shape.most:
        return f"write {shape.least}, without quotes"
    return f"write a number from {shape.least} to {shape.most}, in digits and without quotes"


def for_list(node: Node, shape: ListOf) -> str:
    """What to write where a list is expected."""
    item = shape.item
    if isinstance(node, Scalar) and node.tag is Tag.NULL:
        return "name at least one, or remove the field" if shape.nonempty else "write [], or remove the field"
    if isinstance(node, MapNode):
        return "begin each item with -, or write [ ] around it"
    match item:
        case Text(choices=choices) if choices:
            return f"write [{', '.join(choices)}]"
        case Text() | Either() if isinstance(node, Scalar) and node.tag is Tag.TEXT and _is_tame(node.text):
            return f"write [{node.text}]"
        case Record() | Choice():
            return f"write [{sample(item)}]"
        case _:
            return "write [ ] around it"


def for_mapping(shape: Shape) -> str:
    """What to write where a mapping is expected."""
    text = sample(shape)
    return "write it as a mapping, not in quotes" if text == "..." else f"write {text}"


def one_of(words: tuple[str, ...]) -> str:
    """`write observe or enforce`."""
    *others, last = words
    return f"write {', '.join(others)} or {last}" if others else f"write {last}"


def holder(record: Record, name: str) -> str:
    """The field of the record under which something has a field of that name, or nothing."""
    return next((outer for outer, inner in _below(record) if any(entry.name == name for entry in inner.fields)), "")


def _below(record: Record) -> Iterator[tuple[str, Record]]:
    for entry in record.fields:
        shape = entry.shape
        while isinstance(shape, ListOf | MapOf):
            shape = shape.item if isinstance(shape, ListOf) else shape.value
        if isinstance(shape, Record):
            yield entry.name, shape


def _is_tame(text: str) -> bool:
    return len(text) <= _LONGEST_SHOWN and text.isprintable() and not set(text) & set("[]{},\"'#")
