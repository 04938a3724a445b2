"""What YAML's grammar refused, in words about the file: the parser's own speak of blocks, flows and tokens."""

import re

import yaml

from ecr_warden.spec.problems import Code, Place, Problem, problem, quote

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
