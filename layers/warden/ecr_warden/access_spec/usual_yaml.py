"""YAML as specs are usually written, read fast: of a large spec PyYAML would take most of the time.

Lines of a key, of a list's item or of both, with a value on the same line: a word, words, a quoted text without
escapes, or a list or mapping in brackets. Of anything else (an anchor, a tag, a block of text, a value that is missing
or goes on in the next line, a key that is there twice, a letter outside ASCII) the reader says nothing at all, so that
PyYAML reads the text and its problems are reported. What it does say is what PyYAML would.
"""

import re

import yaml

from ecr_warden.access_spec.nodes import JSON_NUMBER, MAX_DEPTH, MAX_NODES, TAGS, ListNode, MapNode, Node, Scalar, Tag
from ecr_warden.access_spec.problems import Place

_QUOTED = r""" "(?P<double>[^"\\]*)" | '(?P<single>[^']*)' """
# PyYAML ends a plain scalar at `: ` and ` #`, and in brackets also at one of `,?[]{}`.
_SCALAR = rf"(?:{_QUOTED} | (?P<plain>[A-Za-z0-9_/.](?:[^\s:\#] | :(?=\S) | (?<=\S)\# | [ ](?=[^\s\#:]))*))"
_IN_BRACKETS = rf"""(?:{_QUOTED} |
    (?P<plain>[A-Za-z0-9_/.](?:[^\s:\#,?\[\]{{}}] | :(?=[^\s,\[\]{{}}]) | [ ](?=[^\s\#:,?\[\]{{}}]))*))"""
_KEY = re.compile(rf"{_SCALAR}:(?:$|[ ]+(?:\#.*)?)", re.VERBOSE)
_VALUE = re.compile(rf"{_SCALAR}(?:[ ]+\#.*|[ ]*)$", re.VERBOSE)
_ITEM = re.compile(r"- +(?=[^ #])")
_IN_FLOW = re.compile(_IN_BRACKETS, re.VERBOSE)
_END = re.compile(r"(?: +#.*| *)$")
_COLON, _COMMA, _GAP = re.compile(": +"), re.compile(r" *, *(?=[^\]} ])"), re.compile(" *")
_UNUSUAL = re.compile("[^\n -~]")
_LONGEST_KEY = 1000  # PyYAML takes none of more than 1,024 characters
_RESOLVERS = yaml.SafeLoader.yaml_implicit_resolvers


class _UnusualError(Exception):
    """PyYAML has to read the text."""


def read_usual(text: str) -> Node | None:
    """The root of the text; None if PyYAML has to read it."""
    if _UNUSUAL.search(text):
        return None
    try:
        return _Reader(text).root()
    except _UnusualError:
        return None


def tag_of(plain: str) -> Tag:
    """What YAML takes a scalar without quotes for."""
    # 1e3 is text to PyYAML and a number to every JSON parser.
    if JSON_NUMBER.fullmatch(plain):
        return Tag.NUMBER
    found = (name for name, pattern in _RESOLVERS.get(plain[:1], ()) if pattern.match(plain))
    return TAGS.get(next(found, ""), Tag.TEXT)


class _Reader:
    """Stands on a line, or on the rest of one: `_text`, which begins at `_column`; -1 at the end."""

    def __init__(self, text: str) -> None:
        lines = ((number, line, line.lstrip(" ")) for number, line in enumerate(text.split("\n"), 1))
        self._lines = (
            (number, len(line) - len(rest), rest) for number, line, rest in lines if rest[:1] not in ("", "#")
        )
        self._nodes = 0
        self._next()

    def root(self) -> Node:
        if self._text == "---" and self._column == 0:
            self._next()
        is_empty = self._column < 0
        root = self._block(1)
        if is_empty or self._column >= 0 or self._nodes > MAX_NODES:
            raise _UnusualError
        return root

    def _next(self) -> None:
        self._line, self._column, self._text = next(self._lines, (0, -1, ""))

    def _move(self, characters: int) -> None:
        self._column, self._text = self._column + characters, self._text[characters:]

    def _place(self, at: int = 0) -> Place:
        self._nodes += 1
        return Place(self._line, self._column + at + 1)

    def _block(self, depth: int) -> Node:
        """The list or mapping that begins here; it ends before a line that is not of it."""
        if depth >= MAX_DEPTH:
            raise _UnusualError
        return self._list(depth) if _ITEM.match(self._text) else self._mapping(depth)

    def _list(self, depth: int) -> ListNode:
        column, place, items = self._column, self._place(), list[Node]()
        while self._column == column and (dash := _ITEM.match(self._text)):
            self._move(dash.end())
            is_block = _ITEM.match(self._text) or _KEY.match(self._text)
            items.append(self._block(depth + 1) if is_block else self._value(depth + 1))
        return ListNode(place, tuple(items))

    def _mapping(self, depth: int) -> MapNode:
        column, place, entries = self._column, self._place(), list[tuple[Scalar, Node]]()
        while self._column == column and (found := _KEY.match(self._text)):
            key = self._scalar(found)
            self._move(found.end())
            if self._text:
                entries.append((key, self._value(depth + 1)))
                continue
            self._next()
            if self._column < column or (self._column == column and not _ITEM.match(self._text)):
                raise _UnusualError
            entries.append((key, self._block(depth + 1)))
        return _map(place, entries)

    def _value(self, depth: int) -> Node:
        """The value to the end of the line."""
        if self._text[0] in "[{":
            node, at = self._flow(0, depth)
            end = _END.match(self._text, at)
        else:
            end = _VALUE.match(self._text)
            node = self._scalar(end)
        if end is None:
            raise _UnusualError
        self._next()
        return node

    def _scalar(self, found: re.Match[str] | None) -> Scalar:
        if found is None or found.lastgroup is None:
            raise _UnusualError
        text, is_plain = found[found.lastgroup], found.lastgroup == "plain"
        return Scalar(self._place(found.start()), text, tag_of(text) if is_plain else Tag.TEXT, is_plain)

    def _flow(self, at: int, depth: int) -> tuple[Node, int]:
        """The list or mapping in brackets at a place in the line, and where it ends."""
        text, place, closing = self._text, self._place(at), "]" if self._text[at] == "[" else "}"
        entries, items = list[tuple[Scalar, Node]](), list[Node]()
        at = _after(_GAP, text, at + 1)
        while text[at : at + 1] != closing:
            key = None
            if closing == "}":
                key, at = self._in_flow(at)
                at = _after(_COLON, text, at)
            value, at = self._flow(at, depth + 1) if text[at : at + 1] in ("[", "{") else self._in_flow(at)
            if key is None:
                items.append(value)
            else:
                entries.append((key, value))
            comma = _COMMA.match(text, at)
            at = comma.end() if comma else _after(_GAP, text, at)
            if depth >= MAX_DEPTH or (comma is None and text[at : at + 1] != closing):
                raise _UnusualError
        return (ListNode(place, tuple(items)) if closing == "]" else _map(place, entries)), at + 1

    def _in_flow(self, at: int) -> tuple[Scalar, int]:
        found = _IN_FLOW.match(self._text, at)
        scalar = self._scalar(found)
        return scalar, found.end() if found else at


def _map(place: Place, entries: list[tuple[Scalar, Node]]) -> MapNode:
    names = {key.text for key, _ in entries if key.tag is Tag.TEXT and len(key.text) <= _LONGEST_KEY}
    if len(names) != len(entries):
        raise _UnusualError
    return MapNode(place, tuple(entries))


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    if found is None:
        raise _UnusualError
    return found.end()
