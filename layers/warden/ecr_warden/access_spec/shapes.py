"""The shapes of a spec's values, as data, and the remedies for values that do not fit."""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from ecr_warden.access_spec.nodes import ListNode, MapNode, Node, Scalar, Tag
from ecr_warden.access_spec.problems import Code, bare


class TextShape(Struct, frozen=True):
    """Text; `choices` if only some words are allowed; `what` names the value in messages."""

    what: str = "text"
    choices: tuple[str, ...] = ()
    form: str = ""
    """A regular expression that the whole text matches, for Python and JavaScript alike."""
    example: str = ""
    """Text of that form."""


class AccountId(Struct, frozen=True):
    """Twelve digits, in quotes."""


class Moment(Struct, frozen=True):
    """A date and time, which YAML may read as a date."""


class Whole(Struct, frozen=True):
    """A whole number in decimal digits, from `least` to `most`."""

    least: int
    most: int
    outside: Code = Code.WRONG_TYPE
    """The problem of another, `what` in words."""
    what: str = "the number {}"
    choices: tuple[int, ...] = ()
    """If only some numbers are allowed."""


class Flag(Struct, frozen=True):
    """`true` or `false`, without quotes; YAML 1.1's other words for them are refused."""


class Raw(Struct, frozen=True):
    """A mapping that another module parses: a policy document."""


class ListOf(Struct, frozen=True):
    """A list; `nonempty` refuses one without items."""

    item: "Shape"
    nonempty: bool = False
    or_one: bool = False
    """A single item may stand without the list."""


class MapOf(Struct, frozen=True):
    """A mapping whose keys are names of the author's choice."""

    value: "Shape"


class SpecField(Struct, frozen=True):
    """One field of a record; `meaning` is its description in the documentation and the schema."""

    name: str
    shape: "Shape"
    meaning: str = ""
    required: bool = False
    needless: str = ""
    """Why the field is refused in this record, although a similar record has it."""


class Record(Struct, frozen=True):
    """A mapping with exactly the listed fields."""

    name: str
    fields: tuple[SpecField, ...]
    gone: Mapping[str, str] = {}
    """Those that it had once, with what to write instead."""
    gone_text: str = ""
    """What to write instead of a text that once stood for it; "" if none did."""


class Either(Struct, frozen=True):
    """Text, or one of several records, each recognized by a field that only it has (the key of `records`)."""

    text: TextShape
    records: Mapping[str, Record]
    otherwise: Code = Code.PRINCIPAL
    """The problem of a mapping with none of these fields."""


class Choice(Struct, frozen=True):
    """A record whose fields depend on the value of one of them (`by`)."""

    name: str
    by: str
    records: Mapping[str, Record] = field(default_factory=dict)


type Shape = TextShape | AccountId | Moment | Whole | Flag | Raw | ListOf | MapOf | Record | Choice | Either


def records(shape: Shape) -> tuple[Record, ...]:
    """Every record that the shape reaches, outermost first."""
    match shape:
        case Record(fields=fields):
            return (shape, *(inner for entry in fields for inner in records(entry.shape)))
        case Choice(records=choices) | Either(records=choices):
            return tuple(inner for record in choices.values() for inner in records(record))
        case ListOf(item=inner) | MapOf(value=inner):
            return records(inner)
        case _:
            return ()


_LONGEST_SHOWN = 60
_WIDE = frozenset({"account", "service", "organization"})


def named(record: str) -> str:
    """A record's name with its article: `an account`."""
    return record if record.endswith("ings") else f"{'an' if record[0].lower() in 'aeio' else 'a'} {record}"


def sample(shape: Shape) -> str:
    """An outline of a value of the shape: `{role: ..., by: [...]}`."""
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


def for_text(node: Node, shape: TextShape) -> str:
    """What to write where text is expected."""
    if shape.choices:
        return one_of(shape.choices)
    if shape.example:
        return f"write it as {shape.example}"
    match node:
        case Scalar(tag=Tag.NULL):
            return f"write {shape.what}, or remove the field"
        case Scalar():
            return "put it in quotes" if node.text else f"write {shape.what}"
        case ListNode():
            return f"write {shape.what} alone, without [ ] or -"
        case MapNode(entries=entries):
            return _for_mapping(tuple(key.text for key, _ in entries), entries, shape)


def _for_mapping(keys: tuple[str, ...], entries: tuple[tuple[Scalar, Node], ...], shape: TextShape) -> str:
    principal = "principal" in shape.what
    if principal and _WIDE & set(keys):
        return "it is allowed only under pull:; here, name users and roles as ALIAS:user/NAME or ALIAS:role/NAME"
    if principal and "group" in keys:
        return NO_GROUPS
    match entries:
        case ((Scalar(text=key), Scalar(tag=Tag.TEXT, text=value)),) if principal and key in ("user", "role"):
            return f"write {bare(f'ALIAS:{key}/{value}')}"
        case ((Scalar(text=key), Scalar(tag=Tag.TEXT, text=value)),) if "/" in value:
            return f"remove the space after the colon: {bare(f'{key}:{value}')}"
        case _:
            return f"write {shape.what} as text; text that contains a colon and a space needs quotes"


NO_GROUPS = "AWS accepts no group as a principal: name its users, or a role that they use"


def for_whole(shape: Whole) -> str:
    """What to write where a whole number is expected."""
    if shape.choices:
        return one_of(tuple(map(str, shape.choices)))
    if shape.least == shape.most:
        return f"write {shape.least}, without quotes"
    return f"write a whole number from {shape.least} to {shape.most}, without quotes"


def for_list(node: Node, shape: ListOf) -> str:
    """What to write where a list is expected."""
    if isinstance(node, Scalar) and node.tag is Tag.NULL:
        return "name at least one, or remove the field" if shape.nonempty else "write [], or remove the field"
    if isinstance(node, MapNode):
        return "begin each item with -, or put the items in [ ]"
    match shape.item:
        case TextShape(choices=choices) if choices:
            return f"write [{', '.join(choices)}]"
        case TextShape() | Either() if isinstance(node, Scalar) and node.tag is Tag.TEXT and _is_tame(node.text):
            return f"write [{node.text}]"
        case Record() | Choice():
            return f"write [{sample(shape.item)}]"
        case _:
            return "put it in [ ]"


def for_mapping(shape: Shape) -> str:
    """What to write where a mapping is expected."""
    text = sample(shape)
    return "write it as a mapping, not in quotes" if text == "..." else f"write {text}"


def one_of(words: tuple[str, ...]) -> str:
    """`write observe or enforce`."""
    *others, last = words
    return f"write {', '.join(others)} or {last}" if others else f"write {last}"


def holder(record: Record, name: str) -> str:
    """The field of the record that holds a field of that name, or ""."""
    return next((outer for outer, inner in _below(record) if any(entry.name == name for entry in inner.fields)), "")


def _below(record: Record) -> Iterator[tuple[str, Record]]:
    """The records directly below, first those of which there is only one."""
    for entry in sorted(record.fields, key=lambda entry: not isinstance(entry.shape, Record)):
        shape = entry.shape
        while isinstance(shape, ListOf | MapOf):
            shape = shape.item if isinstance(shape, ListOf) else shape.value
        if isinstance(shape, Record):
            yield entry.name, shape


def _is_tame(text: str) -> bool:
    return len(text) <= _LONGEST_SHOWN and text.isprintable() and not set(text) & set("[]{},\"'#")
