"""Bytes to a tree of nodes: YAML's grammar and nothing of its magic.

PyYAML's pure-Python reader everywhere, never libyaml: the two differ in what they refuse (a tab after a value) and in
where they point, and a file must not be valid on a laptop and invalid in the function.
"""

import json
import re
from dataclasses import dataclass, field

import yaml

from ecr_warden.invisible import invisible
from ecr_warden.spec.nodes import JSON_NUMBER, ListNode, MapNode, Node, Scalar, Tag
from ecr_warden.spec.problems import Code, Place, Problem, problem, quote
from ecr_warden.spec.syntax import ODD_SPACE, odd_space, place_of, syntax_problem

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
