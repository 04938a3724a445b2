"""YAML or JSON to a tree of nodes: YAML's grammar, without its type conversions, anchors and tags.

PyYAML's pure-Python parser, never libyaml: the two refuse different texts (a tab after a value) and report different
places, and a spec must not be valid on a laptop and invalid in the function.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ecr_warden.access_spec.nodes import JSON_NUMBER, ListNode, MapNode, Node, Scalar, Tag
from ecr_warden.access_spec.problems import Code, Place, Problem, ProblemReport, problem, quote
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES
from iam_access.text.printable import cut, invisible

_MAX_SHOWN = 200
# Looks like a space at the start of a line but is not one: web pages and chat programs insert them.
ODD_SPACE = re.compile("^[ \t-]*([\xa0\u1680\u2000-\u200b\u202f\u205f\u3000])", re.MULTILINE)
_INDENTATION = "align this line with the others at its level"
_TO_QUOTE = "put a value that begins with * or & in quotes"
_SYNTAX: Sequence[tuple[str, bool, str, str]] = (
    (
        r"expected ',' or '[\]}]'",
        False,
        "what opens on line {line} is not closed, or a comma or quote is missing before this",
        "",
    ),
    (r"found unexpected end of stream", True, "a quote that is not closed", ""),
    (r"could not find expected ':'", True, "a key without a colon and a space after it", ""),
    (
        r"mapping values are not allowed here",
        False,
        "a colon in an unexpected place",
        f"{_INDENTATION}, or put text that contains a colon and a space in quotes",
    ),
    (r"expected <block end>", False, "indented differently from the lines before it", _INDENTATION),
    (r"found character '(.)' that cannot start any", False, "{} cannot begin a value", "put the value in quotes"),
    (r"^while scanning an alias", True, "an alias without a name", _TO_QUOTE),
    (r"^while scanning an anchor", True, "an anchor without a name", _TO_QUOTE),
    (
        r"sequence entries are not allowed here",
        False,
        "a list item's - in an unexpected place",
        "put it on its own line, aligned with the other items",
    ),
    (r"node content, but found '<stream end>'", False, "a value is missing before the end", ""),
    (r"node content, but found '(.+)'", False, "a value is missing before {}", ""),
    (
        r"found unknown escape character",
        False,
        "a \\ in double quotes before a character that is not a YAML escape",
        "use single quotes, or write \\\\",
    ),
)
"""What PyYAML says, whether its context rather than the problem is the place, and what people read instead."""


def place_of(mark: object) -> Place:
    """The place of a mark; the type stubs also allow other marks, which the pure-Python parser never makes."""
    return Place(mark.line + 1, mark.column + 1) if isinstance(mark, yaml.Mark) else Place(1, 1)


def syntax_problem(error: yaml.MarkedYAMLError, here: object) -> Problem:
    """The problem that a syntax error is; `here`: the parser's position, for errors without a mark."""
    place = place_of(error.problem_mark or error.context_mark or here)
    begin = place_of(error.context_mark or error.problem_mark or here)
    said = ": ".join(filter(None, (error.context, error.problem)))
    if "'\\t'" in said:
        return problem(Code.TAB, place, "a tab where YAML allows only spaces")
    for pattern, is_of_context, message, remedy in _SYNTAX:
        if found := re.search(pattern, said):
            text = message.format(*map(quote, found.groups()), line=begin.line)
            return problem(Code.NOT_YAML, begin if is_of_context else place, text, remedy=remedy or None)
    return problem(Code.NOT_YAML, place, f"not YAML: {cut(said, _MAX_SHOWN)}")


MAX_DEPTH = 20
MAX_NODES = 1_000_000

_TAGS = {
    "tag:yaml.org,2002:str": Tag.TEXT,
    "tag:yaml.org,2002:value": Tag.TEXT,
    "tag:yaml.org,2002:int": Tag.NUMBER,
    "tag:yaml.org,2002:float": Tag.NUMBER,
    "tag:yaml.org,2002:bool": Tag.BOOLEAN,
    "tag:yaml.org,2002:timestamp": Tag.TIMESTAMP,
    "tag:yaml.org,2002:null": Tag.NULL,
}
# YAML 1.1 ends lines at these characters and editors do not, so every later place would be wrong.
_INVISIBLE_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_MERGE = "tag:yaml.org,2002:merge"


class _Stop(Exception):
    """The rest of the spec cannot be read."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found)
        self.found = found


def parse_text(data: bytes, report: ProblemReport) -> Node | None:
    """The root of YAML or JSON text, or None when it cannot be read to its end; never raises."""
    try:
        return _composer(spaces_in_json(_decoded(data)), report).compose()
    except _Stop as stop:
        report.found.append(stop.found)
        return None


def _decoded(data: bytes) -> str:
    if len(data) > MAX_SPEC_BYTES:
        raise _Stop(
            problem(
                Code.TOO_LARGE,
                _place_in(data, MAX_SPEC_BYTES),
                f"the spec goes on after {MAX_SPEC_BYTES} bytes, which is the limit",
            )
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Stop(problem(Code.NOT_UTF8, _place_in(data, error.start))) from error


def _place_in(data: bytes, at: int) -> Place:
    """The place of a byte, by its line and its position there."""
    before = data[:at]
    return Place(before.count(b"\n") + 1, at - before.rfind(b"\n"))


def _composer(text: str, report: ProblemReport) -> "_Composer":
    if found := _INVISIBLE_LINE_ENDS.search(text):
        raise _Stop(_control_character(text, found.start()))
    if found := ODD_SPACE.search(text):
        raise _Stop(_control_character(text, found.start(1)))
    try:
        return _Composer(text, report)
    except yaml.reader.ReaderError as error:
        raise _Stop(_control_character(text, error.position)) from error


def spaces_in_json(text: str) -> str:
    """The text as it is read as YAML: of the same length, and JSON without tabs."""
    # JSON may be indented with tabs and YAML may not. A valid JSON string contains no tab, so replacing tabs by spaces
    # changes neither the meaning nor a column.
    if "\t" not in text or not text.lstrip().startswith("{"):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text.replace("\t", " ")


class _Composer(yaml.SafeLoader):
    """PyYAML's composer, bounded and building our nodes; nothing is ever constructed from them."""

    def __init__(self, text: str, report: ProblemReport) -> None:
        super().__init__(text)
        self._report = report
        self._depth = self._nodes = 0

    def compose(self) -> Node:
        """The root of the only document; raises _Stop where the text cannot be read on."""
        try:
            root: Any = self.compose_document() if self.check_node() else None
            if root is None or (isinstance(root, Scalar) and root.tag is Tag.NULL):
                raise _Stop(problem(Code.EMPTY, Place(1, 1) if root is None else root.place))
            if self.check_node():
                raise _Stop(problem(Code.MANY_DOCUMENTS, place_of(self._next().start_mark)))
        except yaml.MarkedYAMLError as error:
            raise _Stop(syntax_problem(error, self.get_mark())) from error
        except (ValueError, OverflowError) as error:
            # chr() and int() inside PyYAML's scanner on "\UFFFFFFFF" and on an endless %YAML version.
            raise _Stop(problem(Code.NOT_YAML, place_of(self.get_mark()), "a number out of range")) from error
        composed: Node = root
        return composed

    def _next(self) -> Any:
        return self.peek_event()  # type: ignore[no-untyped-call]

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self._next()
        place = place_of(event.start_mark)
        self._nodes += 1
        self._depth += 1
        if self._nodes > MAX_NODES:
            raise _Stop(problem(Code.TOO_MANY_NODES, place, f"more than {MAX_NODES} values"))
        if self._depth > MAX_DEPTH:
            raise _Stop(problem(Code.TOO_DEEP, place, f"nested deeper than {MAX_DEPTH}"))
        if isinstance(event, yaml.AliasEvent):
            self._report.add(Code.ALIAS, place, f"an alias, {quote(f'*{event.anchor}')}")
            self.get_event()  # type: ignore[no-untyped-call]
            node: Node = _broken(place)
        else:
            refused = self._refuse(event, place)
            composed = super().compose_node(parent, index)
            node = _broken(place) if refused else self._node(composed, place)
        self._depth -= 1
        return node

    def _refuse(self, event: Any, place: Place) -> bool:
        """Report an anchor, which is then dropped, and a tag, which refuses the node."""
        if event.anchor is not None:
            self._report.add(Code.ALIAS, place, f"an anchor, {quote(f'&{event.anchor}')}")
            event.anchor = None
        if event.tag is not None:
            self._report.add(Code.TAG, place, f"a YAML tag, {quote(str(event.tag))}")
        return event.tag is not None

    def _node(self, node: Any, place: Place) -> Node:
        match node:
            case yaml.SequenceNode(value=items):
                return ListNode(place, tuple(items))
            case yaml.MappingNode(value=entries):
                return MapNode(place, self._entries(entries))
            case _:
                return self._scalar(node, place)

    def _entries(self, pairs: list[tuple[Node, Node]]) -> tuple[tuple[Scalar, Node], ...]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in pairs:
            if not isinstance(key, Scalar):
                self._report.add(Code.NOT_TEXT_KEY, key.place, "the key is not text")
            elif key.tag is Tag.TEXT:
                first, _ = entries.setdefault(key.text, (key, value))
                if first is not key:
                    message = f"the key {quote(key.text)} is already on line {first.place.line}"
                    self._report.add(Code.DUPLICATE_KEY, key.place, message)
            elif key.tag is not Tag.BROKEN:
                message = f"the key is not text: YAML reads {quote(key.text)} as {key.tag}"
                self._report.add(Code.NOT_TEXT_KEY, key.place, message)
        return tuple(entries.values())

    def _scalar(self, node: Any, place: Place) -> Scalar:
        if node.tag == _MERGE:
            self._report.add(Code.ALIAS, place, 'a merge key, "<<"')
            return _broken(place)
        text = _readable(node.value, place, self._report)
        if text is None:
            return _broken(place)
        plain = node.style is None
        # 1e3 is text to PyYAML and a number to every JSON parser.
        tag = Tag.NUMBER if plain and JSON_NUMBER.fullmatch(text) else _TAGS.get(node.tag, Tag.TEXT)
        return Scalar(place, text, tag, plain)


def tree_of(value: object, place: Place, report: ProblemReport) -> Node:
    """The tree of a value of JSON, as its text would be parsed; `place`: of all that is in it."""
    match value:
        case str():
            return _quoted(value, place, report)
        case dict() | Mapping():
            entries = ((_quoted(key, place, report), tree_of(entry, place, report)) for key, entry in value.items())
            return MapNode(place, tuple(entries))
        case Sequence():
            return ListNode(place, tuple(tree_of(item, place, report) for item in value))
        case bool():
            tag = Tag.BOOLEAN
        case None:
            tag = Tag.NULL
        case _:
            tag = Tag.NUMBER
    return Scalar(place, json.dumps(value), tag, plain=True)


def _quoted(given: str, place: Place, report: ProblemReport) -> Scalar:
    text = _readable(given, place, report)
    return _broken(place) if text is None else Scalar(place, text, Tag.TEXT, plain=False)


def _readable(given: str, place: Place, report: ProblemReport) -> str | None:
    """The text of a scalar; None, after reporting it, if people could not see what it says."""
    # JSON writes characters outside the basic plane as two \u escapes, which PyYAML does not join.
    text = given if given.isascii() else given.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "\ufffd" in text and "\ufffd" not in given:
        report.add(Code.CONTROL_CHARACTER, place, "half of a surrogate pair")
        return None
    if unseen := invisible(text):
        report.add(
            Code.CONTROL_CHARACTER,
            place,
            f"an invisible character, {unseen}",
            remedy="type it again: it was probably copied from a web page or a chat",
        )
        return None
    return text


def _broken(place: Place) -> Scalar:
    return Scalar(place, "", Tag.BROKEN, plain=False)


def _control_character(text: str, position: int) -> Problem:
    before = text[:position]
    place = Place(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
    return problem(Code.CONTROL_CHARACTER, place, f"the character U+{ord(text[position]):04X}")
