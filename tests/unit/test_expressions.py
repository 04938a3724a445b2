"""No text from outside becomes a regular expression, and no expression of ours can be made to try for ever."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

# Without a name in the stubs of `re`; whether mypy knows it depends on what else it has loaded.
parser: Any = import_module("re._parser")
_FOLDERS = ("layers/access", "layers/warden", "cli", "functions")
_FUNCTIONS = {"compile", "search", "match", "fullmatch", "sub", "split", "findall", "finditer"}

# By file and argument: why the expression may be made of a value.
_MADE = {
    (
        "ecr_warden/repair/aws_edits.py",
        "_FUNCTION.format(region=re.escape(target.region), account=target.account)",
    ): "escaped",
    ("ecr_warden/access_spec/parse.py", "pattern"): "a constant of a table, on what PyYAML says",
    ("ecr_warden_cli/terminal/inputs.py", "pattern"): "a constant of each verb",
    ("ecr_warden/access_spec/check_shape.py", "shape.form"): "a constant of a table of fields",
    ("ecr_warden_cli/deployment/propose.py", "OWNER"): "a constant of the table of fields",
    ("ecr_warden_cli/deployment/remedies.py", "words"): "a constant of a table, on what AWS says",
    ("ecr_warden_cli/asking/denials.py", "caller.pattern"): "a constant of a table, on a message of bounded length",
    ("ecr_warden_cli/asking/denials.py", "form.pattern"): "a constant of a table, on a message of bounded length",
}
_CHARACTERS = frozenset(range(256))


def _calls() -> Iterator[tuple[str, ast.expr]]:
    """The file and the expression of each call of `re`."""
    for folder in _FOLDERS:
        for path in sorted(Path(folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(ast.Attribute(ast.Name("re"), name), [given, *_]) if name in _FUNCTIONS:
                        yield str(path.relative_to(folder)), given


def _constants(given: ast.expr) -> str | None:
    """The expression, if it is a constant but for other expressions' constants; None for any other."""
    match given:
        case ast.Constant(str(text)):
            return text
        case ast.Constant(bytes(text)):
            return text.decode("latin-1")
        case ast.JoinedStr(parts):
            found = []
            for part in parts:
                match part:
                    case ast.Constant(str(text)):
                        found.append(text)
                    case ast.FormattedValue(ast.Attribute(ast.Name(), "pattern") | ast.Name() as value):
                        if not ast.unparse(value).removesuffix(".pattern").isupper():
                            return None
                        found.append("x")
                    case ast.FormattedValue(ast.Call()):
                        found.append("x")
                    case _:
                        return None
            return "".join(found)
        case _:
            return None


def test_no_expression_is_made_of_text_from_outside() -> None:
    made = {(file, ast.unparse(given)) for file, given in _calls() if _constants(given) is None}
    assert made == {*_MADE}


def _taken(pattern: Any) -> frozenset[int]:
    """The characters that a part of an expression can take."""
    found: set[int] = set()
    for kind, given in pattern:
        match str(kind), given:
            case "LITERAL", code:
                found.add(code)
            case "NOT_LITERAL", code:
                found |= _CHARACTERS - {code}
            case "ANY", _:
                found |= _CHARACTERS
            case "IN", items:
                text = "".join(_class_text(item) for item in items)
                found |= {code for code in _CHARACTERS if re.fullmatch(f"[{text}]", chr(code), re.ASCII)}
            case "BRANCH", (_, branches):
                found |= {code for branch in branches for code in _taken(branch)}
            case "SUBPATTERN", (*_, inner):
                found |= _taken(inner)
            case "ATOMIC_GROUP", inner:
                found |= _taken(inner)
            case "MAX_REPEAT" | "MIN_REPEAT", (_, _, inner):
                found |= _taken(inner)
            case _:
                pass  # an assertion or a place
    return frozenset(found)


def _class_text(item: Any) -> str:
    match str(item[0]), item[1]:
        case "NEGATE", _:
            return "^"
        case "LITERAL", code:
            return f"\\x{code:02x}" if code < 256 else ""
        case "RANGE", (first, last):
            return f"\\x{min(first, 255):02x}-\\x{min(last, 255):02x}" if first < 256 else ""
        case "CATEGORY", category:
            return {"CATEGORY_WORD": r"\w", "CATEGORY_SPACE": r"\s", "CATEGORY_NOT_SPACE": r"\S"}[str(category)]
        case other:
            raise AssertionError(other)


def _ambiguous(pattern: Any, *, repeated: bool = False) -> Iterator[str]:
    """The repeats within repeats that can share one text in many ways: no part between two turns keeps them apart."""
    for at, (kind, given) in enumerate(pattern):
        match str(kind), given:
            case "MAX_REPEAT" | "MIN_REPEAT", (_, most, inner):
                is_endless = most > 1000
                apart = (part for part in _but(pattern, at) if _least(part) > 0)
                if repeated and is_endless and all(_taken([part]) & _taken(inner) for part in apart):
                    yield str(inner)
                yield from _ambiguous(inner, repeated=repeated or is_endless)
            case "SUBPATTERN", (*_, inner):
                yield from _ambiguous([*inner, *_but(pattern, at)], repeated=repeated)
            case "BRANCH", (_, branches):
                for branch in branches:
                    yield from _ambiguous([*branch, *_but(pattern, at)], repeated=repeated)
            case _:
                pass


def _but(pattern: Any, at: int) -> list[Any]:
    return [part for place, part in enumerate(pattern) if place != at]


def _least(part: Any) -> int:
    return int(parser.SubPattern(parser.State(), [part]).getwidth()[0])


@pytest.mark.parametrize("text", sorted({text for _, given in _calls() if (text := _constants(given)) is not None}))
def test_no_expression_can_take_a_text_in_exponentially_many_ways(text: str) -> None:
    assert [*_ambiguous(parser.parse(text))] == []


@pytest.mark.parametrize("text", ["/([!-~]+/)*", "(a+)+b", "(a|b+c*)*", "((x+,?)+;)*"])
def test_an_expression_that_can_is_found(text: str) -> None:
    assert [*_ambiguous(parser.parse(text))]
