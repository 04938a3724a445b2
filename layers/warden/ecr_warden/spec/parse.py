"""YAML or JSON to a tree of nodes: YAML's grammar, without its type conversions, anchors and tags.

PyYAML's pure-Python parser, never libyaml: the two refuse different texts (a tab after a value) and report different
places, and a spec must not be valid on a laptop and invalid in the function.
"""

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum

import yaml

from ecr_warden.invisible import invisible
from ecr_warden.spec.problems import Code, Place, Problem, bare, problem, quote

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


_MOST = 200
# Looks like a space at the start of a line and is none: pages and chat programs put them there.
ODD_SPACE = re.compile("^[ \t-]*([\xa0\u1680\u2000-\u200b\u202f\u205f\u3000])", re.MULTILINE)
_CANNOT_START = re.compile(r"found character '(.)' that cannot start any token")
_NO_VALUE = re.compile(r"expected the node content, but found '(.+)'")
_ITEM = "put it on a line of its own, aligned with the other items"
_INDENTATION = "align this line with those that it belongs to"


def place_of(mark: object) -> Place:
    """The place of a mark; the stubs know two classes of marks, and none: the pure-Python parser marks every event."""
    return Place(mark.line + 1, mark.column + 1) if isinstance(mark, yaml.Mark) else Place(1, 1)


def syntax_problem(error: yaml.MarkedYAMLError, here: object) -> Problem:
    """The problem that ends the reading; `here`: where the reader stands, for errors without a mark."""
    place = place_of(error.problem_mark or error.context_mark or here)
    begin = place_of(error.context_mark or error.problem_mark or here)
    what = error.problem or ""
    if "'\\t'" in what:
        return problem(Code.TAB, place, "a tab where YAML allows only spaces")
    if opened := re.match(r"expected ',' or '([\]}])'", what):
        bracket = "[" if opened[1] == "]" else "{"
        message = f"the {bracket} of line {begin.line} does not end, or a comma or a quote is missing before this"
        return problem(Code.NOT_YAML, place, message)
    if what == "found unexpected end of stream":
        return problem(Code.NOT_YAML, begin, "a quote that is not closed")
    if what == "could not find expected ':'":
        return problem(Code.NOT_YAML, begin, "a key without a colon and a space after it")
    if what == "mapping values are not allowed here":
        remedy = f"{_INDENTATION}, or put a text that holds a colon and a space in quotes"
        return problem(Code.NOT_YAML, place, "a colon where no key can be", remedy=remedy)
    if what.startswith("expected <block end>"):
        return problem(Code.NOT_YAML, place, "indented otherwise than the lines before it", remedy=_INDENTATION)
    if start := _CANNOT_START.match(what):
        message = f"{quote(start[1])} cannot begin a value"
        return problem(Code.NOT_YAML, place, message, remedy="put the value in quotes")
    if error.context in ("while scanning an alias", "while scanning an anchor"):
        remedy = "put a value that begins with * or & in quotes"
        return problem(
            Code.NOT_YAML, begin, f"{error.context.removeprefix('while scanning ')} without a name", remedy=remedy
        )
    if what == "sequence entries are not allowed here":
        return problem(Code.NOT_YAML, place, "a list's - where no item can be", remedy=_ITEM)
    if missing := _NO_VALUE.match(what):
        before = "the end of the file" if missing[1] == "<stream end>" else quote(missing[1])
        return problem(Code.NOT_YAML, place, f"a value is missing before {before}")
    if what.startswith("found unknown escape character"):
        message = "a \\ in double quotes before a character that YAML does not escape"
        return problem(Code.NOT_YAML, place, message, remedy="use single quotes, or write it twice")
    shown = " ".join(part for part in (error.context, what) if part)
    return problem(Code.NOT_YAML, place, f"not YAML: {shown[:_MOST]}")


def odd_space(text: str, found: re.Match[str]) -> Problem:
    """The problem of a line that begins with something like a space, which YAML takes for text."""
    position = found.start(1)
    before = text[:position]
    place = Place(before.count("\n") + 1, position - before.rfind("\n"))
    message = f"the character U+{ord(found[1]):04X} looks like a space and is none"
    return problem(Code.CONTROL_CHARACTER, place, message, remedy="write spaces")


MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20
MAX_NODES = 200_000

_TAGS = {
    "tag:yaml.org,2002:str": Tag.TEXT,
    "tag:yaml.org,2002:value": Tag.TEXT,
    "tag:yaml.org,2002:int": Tag.NUMBER,
    "tag:yaml.org,2002:float": Tag.NUMBER,
    "tag:yaml.org,2002:bool": Tag.BOOLEAN,
    "tag:yaml.org,2002:timestamp": Tag.TIMESTAMP,
    "tag:yaml.org,2002:null": Tag.NULL,
}
# YAML 1.1 ends a line at these and no editor does: every place after one would be wrong.
_INVISIBLE_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Parsed:
    """`root` is None when the text could not be read to its end or holds nothing."""

    root: Node | None
    problems: tuple[Problem, ...] = ()


class _Stop(Exception):
    """The rest of the text cannot be read."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found)
        self.found = found


def parse_text(data: bytes) -> Parsed:
    """Read YAML or JSON; never raises, whatever the bytes are."""
    if len(data) > MAX_BYTES:
        return Parsed(None, (problem(Code.TOO_LARGE, Place(1, 1), f"the file is larger than {MAX_BYTES} bytes"),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        place = Place(before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        return Parsed(None, (problem(Code.NOT_UTF8, place),))
    composer = _Composer()
    try:
        root = composer.compose(_spaces_in_json(text))
    except _Stop as stop:
        return Parsed(None, (*composer.problems, stop.found))
    return Parsed(root, tuple(composer.problems))


def _spaces_in_json(text: str) -> str:
    # JSON may be indented with tabs and YAML may not. A tab in valid JSON never stands inside a string, so a space
    # in its place changes neither the meaning nor a column.
    if "\t" not in text or not text.lstrip().startswith("{"):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text.replace("\t", " ")


@dataclass(slots=True)
class _Composer:
    """Builds the tree from parser events, so that depth and number are bounded before anything is built."""

    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0
    _loader: yaml.SafeLoader | None = None

    def compose(self, text: str) -> Node | None:
        if found := _INVISIBLE_LINE_ENDS.search(text):
            raise _Stop(_control_character(text, found.start()))
        if found := ODD_SPACE.search(text):
            raise _Stop(odd_space(text, found))
        try:
            self._loader = yaml.SafeLoader(text)
        except yaml.reader.ReaderError as error:
            raise _Stop(_control_character(text, error.position)) from error
        if isinstance(self._skip_to_document(), yaml.StreamEndEvent):
            raise _Stop(problem(Code.EMPTY, Place(1, 1)))
        root = self._node(self._event(), 1)
        if isinstance(root, Scalar) and root.tag is Tag.NULL:
            raise _Stop(problem(Code.EMPTY, root.place))
        after = self._skip_to_document()
        if isinstance(after, yaml.DocumentStartEvent):
            raise _Stop(problem(Code.MANY_DOCUMENTS, place_of(after.start_mark)))
        return root

    def _skip_to_document(self) -> yaml.Event:
        event = self._event()
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentEndEvent):
            event = self._event()
        return event

    def _event(self) -> yaml.Event:
        loader = self._loader
        assert loader is not None
        try:
            event: yaml.Event = loader.get_event()  # type: ignore[no-untyped-call]
        except yaml.MarkedYAMLError as error:
            raise _Stop(syntax_problem(error, loader.get_mark())) from error
        except (ValueError, OverflowError) as error:
            # chr() and int() inside PyYAML's scanner on "\UFFFFFFFF" and on an endless %YAML version.
            raise _Stop(problem(Code.NOT_YAML, place_of(loader.get_mark()), "a number out of range")) from error
        return event

    def _node(self, event: yaml.Event, depth: int) -> Node:
        place = place_of(event.start_mark)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _Stop(problem(Code.TOO_MANY_NODES, place, f"more than {MAX_NODES} values"))
        if depth > MAX_DEPTH:
            raise _Stop(problem(Code.TOO_DEEP, place, f"nested deeper than {MAX_DEPTH}"))
        refused = self._refuse(event, place)
        match event:
            case yaml.SequenceStartEvent():
                items = []
                while not isinstance(inner := self._event(), yaml.SequenceEndEvent):
                    items.append(self._node(inner, depth + 1))
                return _broken(place) if refused else ListNode(place, tuple(items))
            case yaml.MappingStartEvent():
                entries = self._entries(depth)
                return _broken(place) if refused else MapNode(place, entries)
            case yaml.ScalarEvent():
                return _broken(place) if refused else self._scalar(event, place)
            case _:
                return _broken(place)

    def _refuse(self, event: yaml.Event, place: Place) -> bool:
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            self.problems.append(problem(Code.ALIAS, place, f"an alias, {quote(f'*{anchor}')}"))
            return True
        if anchor is not None:
            self.problems.append(problem(Code.ALIAS, place, f"an anchor, {quote(f'&{anchor}')}"))
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.problems.append(problem(Code.TAG, place, f"a YAML tag, {quote(str(tag))}"))
        return tag is not None

    def _entries(self, depth: int) -> tuple[tuple[Scalar, Node], ...]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := self._event(), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(self._event(), depth + 1)
            if not isinstance(key, Scalar) or key.tag is not Tag.TEXT:
                if not (isinstance(key, Scalar) and key.tag is Tag.BROKEN):
                    shown = f" ({quote(key.text)} reads as {key.tag})" if isinstance(key, Scalar) else ""
                    self.problems.append(problem(Code.NOT_TEXT_KEY, key.place, f"the key is not text{shown}"))
            elif key.text in entries:
                first = entries[key.text][0].place
                message = f"the key {quote(key.text)} is on line {first.line} already"
                self.problems.append(problem(Code.DUPLICATE_KEY, key.place, message))
            else:
                entries[key.text] = (key, value)
        return tuple(entries.values())

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Scalar:
        assert self._loader is not None
        resolved = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        if resolved == _MERGE:
            self.problems.append(problem(Code.ALIAS, place, 'a merge key, "<<"'))
            return _broken(place)
        # JSON writes characters outside the basic plane as two \u escapes, which PyYAML does not join.
        text = event.value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if "\ufffd" in text and "\ufffd" not in event.value:
            self.problems.append(problem(Code.CONTROL_CHARACTER, place, "half of a surrogate pair"))
            return _broken(place)
        if unseen := invisible(text):
            remedy = "write it again by hand: it was copied from a page or a chat"
            message = f"a character that cannot be seen, {unseen}"
            self.problems.append(problem(Code.CONTROL_CHARACTER, place, message, remedy=remedy))
            return _broken(place)
        plain = event.style is None
        # 1e3 is text to PyYAML and a number to every reader of JSON.
        tag = Tag.NUMBER if plain and JSON_NUMBER.fullmatch(text) else _TAGS.get(str(resolved), Tag.TEXT)
        return Scalar(place, text, tag, plain)


def _broken(place: Place) -> Scalar:
    return Scalar(place, "", Tag.BROKEN, plain=False)


def _control_character(text: str, position: int) -> Problem:
    before = text[:position]
    place = Place(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
    return problem(Code.CONTROL_CHARACTER, place, f"the character U+{ord(text[position]):04X}")
