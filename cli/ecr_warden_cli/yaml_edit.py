"""Changes in the text of a YAML or JSON document that leave every other line as it is.

Positions are those of PyYAML's nodes, in characters of the text. A layout that these rules do not know is refused: each
change is read back and compared with the values that it should give.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from msgspec import Struct

from ecr_warden_cli.context import Failure
from ecr_warden_cli.yaml_values import quoted, scalar

type Value = str | list["Value"] | dict[str, "Value"]
"""What is written: a text, a list, a mapping; every single value of a document is its text."""


type Node = Any
"""One of PyYAML's nodes, whose stubs lack some attributes."""


class Verbatim(str):
    """A text that is copied from the document, such as `true`: it is written as it is, without quotes."""

    __slots__ = ()


def not_editable(node: Node) -> Failure:
    """The error for a place that is written in a way that this command does not change."""
    place = f"{node.start_mark.line + 1}:{node.start_mark.column + 1}"
    message = f"what begins at {place} is laid out in a way that this command does not edit"
    return Failure(message, remedy="edit it by hand", code="not-editable")


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

    def _checked(self, node: Node, value: Value, splices: Any) -> "Text":
        """The changed text, if it says what it should: `value` in place of the node's, and all else as before."""
        try:
            changed = text_of(_spliced(self.text, splices()))
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
    """What a node says, with other values in place of some nodes'."""
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


class _Splice(Struct, frozen=True):
    """What replaces the text from `start` to `end`."""

    start: int
    end: int
    new: str = ""


def _spliced(text: str, splices: Sequence[_Splice]) -> str:
    """The text with all splices; those at one place in the order in which they are given."""
    parts, at = [], 0
    for splice in sorted(splices, key=lambda splice: splice.start):
        parts += [text[at : splice.start], splice.new]
        at = splice.end
    return "".join([*parts, text[at:]])


_BREAK = re.compile(r"\r\n|\n|\r")
_DASH = re.compile(r"^ *(-)(?=\s)", re.MULTILINE)


def _line_break(text: str, position: int) -> str:
    """The line break of the position's line, or at the end of the text of the line before."""
    found = _BREAK.search(text, position)
    if found is None:
        start = _line_start(text, position)
        found = _BREAK.search(text, start - 2 if text.endswith("\r\n", 0, start) else max(start - 1, 0))
    return found[0] if found else "\n"


def _line_start(text: str, position: int) -> int:
    return max(text.rfind("\n", 0, position), text.rfind("\r", 0, position)) + 1


def _line_end(text: str, position: int) -> int:
    """Where the position's line ends, before its line break."""
    found = _BREAK.search(text, position)
    return found.start() if found else len(text)


def _indentation(text: str, position: int) -> str | None:
    """The blanks before the position on its line; None if there is anything else."""
    before = text[_line_start(text, position) : position]
    return None if before.strip() else before


def _end(text: str, node: Node) -> int:
    """Where the last character of a node's text ends; PyYAML lets block nodes end where the next thing begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(node, yaml.MappingNode) else last)
    end: int = node.end_mark.index
    while isinstance(node, yaml.ScalarNode) and node.style in ("|", ">") and text[end - 1].isspace():
        end -= 1
    return end


def _elements(text: str, node: Node) -> list[tuple[int, int]]:
    """Where each item or each key with its value begins and ends; of a block list's item: at its dash."""
    if isinstance(node, yaml.MappingNode):
        return [(key.start_mark.index, _end(text, value)) for key, value in node.value]
    spans = [(item.start_mark.index, _end(text, item)) for item in node.value]
    return spans if node.flow_style else list(_from_dashes(text, node, spans))


def _from_dashes(text: str, node: Node, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    before = node.start_mark.index
    for number, (start, end) in enumerate(spans):
        found = _DASH.search(text, before, start) if number else None
        if number and found is None:
            raise _Unknown
        yield (found.start(1) if found else before), end
        before = end


def _appended(text: str, node: Node, written: str) -> list[_Splice]:
    if not node.flow_style:
        return [_new_line(text, node, written)]
    _refuse_several_lines(node)
    elements = _elements(text, node)
    if not elements:
        return [_Splice(node.start_mark.index + 1, node.start_mark.index + 1, written)]
    _, end = elements[-1]
    return [_Splice(end, end, f", {written}")]


def _refuse_several_lines(node: Node) -> None:
    """Raises _Unknown for brackets or braces over several lines, where commas and comments may stand anywhere."""
    if node.start_mark.line != node.end_mark.line:
        raise _Unknown


def _new_line(text: str, node: Node, written: str) -> _Splice:
    """A line after a block list or mapping."""
    start, _ = _elements(text, node)[0]
    dash = "" if isinstance(node, yaml.MappingNode) else "- "
    if dash and _indentation(text, start) is None:
        raise _Unknown
    end = _line_end(text, _end(text, node))
    indentation = " " * (start - _line_start(text, start))
    return _Splice(end, end, f"{_line_break(text, end)}{indentation}{dash}{written}")


def _removed(text: str, node: Node, index: int) -> list[_Splice]:
    elements = _elements(text, node)
    start, end = elements[index]
    if node.flow_style:
        _refuse_several_lines(node)
        is_last = index == len(elements) - 1
        return [_Splice(elements[index - 1][1], end) if is_last else _Splice(start, elements[index + 1][0])]
    if _indentation(text, start) is not None:
        return [_lines(text, start, end)]
    if index or not isinstance(node, yaml.MappingNode):
        raise _Unknown
    return [_Splice(start, elements[1][0])]


def _lines(text: str, start: int, end: int) -> _Splice:
    """The whole lines of an element; if the text ends without a line break, it does so afterwards."""
    first = _line_start(text, start)
    found = _BREAK.search(text, end)
    if found:
        return _Splice(first, found.end())
    before = 2 if text.endswith("\r\n", 0, first) else min(first, 1)
    return _Splice(first - before, len(text))
