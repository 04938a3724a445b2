"""Changes in the text of a YAML or JSON document that leave every other line as it is.

Positions are those of PyYAML's nodes, in characters of the text. A layout that these rules do not know is refused: each
change is read back and compared with the values that it should give.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from msgspec import Struct

from ecr_warden_cli.terminal.context import Failure
from ecr_warden_cli.terminal.yaml_values import quoted, scalar

type Value = str | list["Value"] | dict[str, "Value"]
"""What is written: a text, a list, a mapping; every single value of a document is its text."""


type Node = Any
"""One of PyYAML's nodes, whose stubs lack some attributes."""


type _Splice = tuple[int, int, str]
"""What stands in the text from one position to another, and what shall."""


class Verbatim(str):
    """A text that is copied from the document, such as `true`: it is written as it is, without quotes."""

    __slots__ = ()


def not_editable(node: Node) -> Failure:
    """The error for a place that is written in a way that this command does not change."""
    place = f"{node.start_mark.line + 1}:{node.start_mark.column + 1}"
    return Failure(
        f"what begins at {place} is laid out in a way that this command does not edit",
        remedy="edit it by hand",
        code="not-editable",
    )


class Text(Struct, frozen=True):
    """A document: its text and its nodes."""

    text: str
    root: Node

    def append(self, node: Node, value: Value) -> "Text":
        """With one more item at the end of a list; raises Failure."""
        written = self._written(value, _style_of(node))
        return self._checked(node, [*_value(node), value], lambda: _appended(self.text, node, written))

    def remove(self, node: Node, index: int) -> "Text":
        """Without an item of a list, of which others remain; raises Failure."""
        rest = [_value(item) for number, item in enumerate(node.value) if number != index]
        return self._checked(node, rest, lambda: _removed(self.text, node, index))

    def add_key(self, node: Node, key: str, value: Value) -> "Text":
        """With one more key at the end of a mapping; raises Failure."""
        written = f"{self._written(key, None)}: {self._written(value, _style_of(node))}"
        return self._checked(node, {**_value(node), key: value}, lambda: _appended(self.text, node, written))

    def remove_key(self, node: Node, key: str) -> "Text":
        """Without a key of a mapping, of which others remain; raises Failure."""
        keys = [name.value for name, _ in node.value]
        rest = {name: value for name, value in _value(node).items() if name != key}
        return self._checked(node, rest, lambda: _removed(self.text, node, keys.index(key)))

    def _checked(self, node: Node, value: Value, splice: Callable[[], _Splice]) -> "Text":
        """The changed text, if it says what it should: `value` in place of the node's, and all else as before."""
        try:
            start, end, new = splice()
            changed = text_of(self.text[:start] + new + self.text[end:])
        except (yaml.YAMLError, _Unknown) as error:
            raise not_editable(node) from error
        if _value(changed.root) != _value(self.root, {id(node): value}):
            raise not_editable(node)
        return changed

    def _written(self, value: Value, style: str | None) -> str:
        match value:
            case list():
                return f"[{', '.join(self._written(one, style) for one in value)}]"
            case dict():
                entries = (f"{self._written(key, None)}: {self._written(one, style)}" for key, one in value.items())
                return f"{{{', '.join(entries)}}}"
            case Verbatim():
                return value
            case _:
                return _scalar(value, style)


def text_of(text: str) -> Text:
    """The document that a valid spec's text is; raises Failure for one in JSON."""
    root: Node = yaml.compose(text, Loader=yaml.SafeLoader)
    if root.flow_style:
        raise not_editable(root)
    return Text(text, root)


def _scalar(text: str, style: str | None) -> str:
    """A text as it is written: quoted like its neighbours, or because YAML would read it as something else."""
    if style == "'":
        return f"'{text.replace("'", "''")}'"
    return scalar(text) if style is None else quoted(text)


def _style_of(node: Node) -> str | None:
    """The quotes around the first text in a list or mapping; None if it has none."""
    first = node
    while isinstance(first, yaml.CollectionNode) and first.value:
        first = first.value[0][1] if isinstance(first, yaml.MappingNode) else first.value[0]
    return first.style if isinstance(first, yaml.ScalarNode) and first.style in ("'", '"') else None


def _value(node: Node, instead: Mapping[int, Value] | None = None) -> Any:
    """The value of a node, with others in place of some nodes'."""
    if instead and id(node) in instead:
        return instead[id(node)]
    match node:
        case yaml.SequenceNode(value=items):
            return [_value(item, instead) for item in items]
        case yaml.MappingNode(value=pairs):
            return {key.value: _value(value, instead) for key, value in pairs}
        case _:
            return node.value


class _Unknown(Exception):
    """A layout that no rule covers."""


_BREAK = re.compile(r"\r\n|\n|\r")


def _line_start(text: str, position: int) -> int:
    return max(text.rfind("\n", 0, position), text.rfind("\r", 0, position)) + 1


def _is_first(text: str, position: int) -> bool:
    """Whether only blanks stand before the position on its line."""
    return not text[_line_start(text, position) : position].strip()


def _end(text: str, node: Node) -> int:
    """The end of a node's text; PyYAML lets block nodes end where the next thing begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(node, yaml.MappingNode) else last)
    end: int = node.end_mark.index
    is_block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return len(text[:end].rstrip()) if is_block else end


def _elements(text: str, node: Node) -> list[tuple[int, int]]:
    """The begin and end of each item, or of each key with its value; a block list's item begins at its dash."""
    if isinstance(node, yaml.MappingNode):
        return [(key.start_mark.index, _end(text, value)) for key, value in node.value]
    starts = [item.start_mark.index for item in node.value]
    if not node.flow_style:
        # A dash in a comment before an item gives what is not read back as it should.
        starts = [text.rfind("-", 0, start) for start in starts]
    return [(start, _end(text, item)) for start, item in zip(starts, node.value, strict=True)]


def _appended(text: str, node: Node, written: str) -> _Splice:
    elements = _elements(text, node)
    if node.flow_style:
        _refuse_several_lines(node)
        end = elements[-1][1] if elements else node.start_mark.index + 1
        return end, end, f", {written}" if elements else written
    start, _ = elements[0]
    dash = "" if isinstance(node, yaml.MappingNode) else "- "
    if dash and not _is_first(text, start):
        raise _Unknown
    breaks = [*_BREAK.finditer(text)]
    after = next((found for found in breaks if found.start() >= elements[-1][1]), None)
    end = after.start() if after else len(text)
    indentation = " " * (start - _line_start(text, start))
    return end, end, f"{(after or breaks[-1])[0]}{indentation}{dash}{written}"


def _refuse_several_lines(node: Node) -> None:
    """Raises _Unknown for brackets or braces over several lines, where commas and comments may stand anywhere."""
    if node.start_mark.line != node.end_mark.line:
        raise _Unknown


def _removed(text: str, node: Node, index: int) -> _Splice:
    elements = _elements(text, node)
    start, end = elements[index]
    if node.flow_style:
        _refuse_several_lines(node)
        is_last = index == len(elements) - 1
        return (elements[index - 1][1], end, "") if is_last else (start, elements[index + 1][0], "")
    if _is_first(text, start):
        return _lines(text, start, end)
    if index or not isinstance(node, yaml.MappingNode):
        raise _Unknown
    return start, elements[1][0], ""


def _lines(text: str, start: int, end: int) -> _Splice:
    """The whole lines of an element; if the text ends without a line break, it does so afterwards."""
    first = _line_start(text, start)
    if found := _BREAK.search(text, end):
        return first, found.end(), ""
    return len(text[:first].removesuffix("\n").removesuffix("\r")), len(text), ""
