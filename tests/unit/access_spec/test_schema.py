"""The published JSON Schema: generated from the field tables, and in agreement with the loader about shapes."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ecr_warden.access_spec import Invalid, Valid, load_spec
from iam_access.text.printable import invisible
from tests import examples, tables
from tests.unit.access_spec.cases import ACCOUNTS, CASES, NOW, sections
from tests.unit.access_spec.test_problems import CASES as PROBLEMS
from tests.unit.access_spec.test_problems import places
from tools.make_schema import deployment_schema, spec_schema, written

VALIDATOR = Draft202012Validator(spec_schema())
# The problems that the schema also finds.
SHAPES = {"E004", "E020", "E021", "E022", "E024", "E025", "E026", "E027", "E029", "E030", "E209"}
SHAPES |= {"E101", "E102"}
FLAGS = {"exclusive", "pull", "upstream"}
NUMBERS = {"version", "max_session_duration", "owner_id", "repository_id"}
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def accepted_by_schema(tree: object) -> bool:
    return bool(VALIDATOR.is_valid(tree))


def refused_shapes(tree: object) -> list[str]:
    """The loader's problems with the shape of a tree."""
    loaded = load_spec(json.dumps(tree).encode(), now=NOW)
    found = loaded.problems if isinstance(loaded, Invalid) else ()
    return [
        f"{problem.code} {problem.message}"
        for problem in found
        if problem.code in SHAPES
        or (problem.code == "E105" and problem.message.startswith("a mapping that names no principal"))
    ]


def agree(tree: object) -> None:
    refused = refused_shapes(tree)
    assert accepted_by_schema(tree) is (not refused), refused or "the schema alone refuses it"


def as_json(text: str) -> Any:
    """A case's tree as JSON: everything is text except the flags and numbers of the tables."""

    def typed(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: typed(name, entry) for name, entry in value.items()}
        if isinstance(value, list):
            return [typed(key, entry) for entry in value]
        if key in NUMBERS and JSON_NUMBER.fullmatch(value):
            return json.loads(value)
        return value == "true" if key in FLAGS and value in ("true", "false") else value

    return typed("", tables.load_texts(text))


def readable(case: Any) -> bool:
    return not any(code < "E014" for code, _, _ in case.expected)


@pytest.mark.parametrize(("target", "text"), written().items(), ids=str)
def test_published_schema_is_generated_from_the_tables(target: Path, text: str) -> None:
    assert target.read_text(encoding="utf-8") == text, "run: make schema"


@pytest.mark.parametrize("schema", [spec_schema(), deployment_schema()], ids=["access", "deployment"])
def test_schema_is_valid(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("case", [case for case in PROBLEMS if readable(case)], ids=lambda case: case.name)
def test_schema_and_loader_agree_about_each_case_of_the_loader(case: Any) -> None:
    agree(as_json(case.text))


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[3] / "examples").rglob("*.yaml")), ids=str)
def test_schema_accepts_the_examples(path: Path) -> None:
    assert accepted_by_schema(as_json(path.read_text(encoding="utf-8")))


FULL: dict[str, Any] = tables.load((CASES / "full.yaml").read_text(encoding="utf-8"))
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    -0.0,
    1.0,
    1.5,
    3599,
    3600,
    3600.0,
    43200,
    43200.0,
    43201,
    10**18 - 1,
    10**18,
    1e300,
    "",
    "x",
    "true",
    "observe",
    [],
    ["x"],
    [[]],
    {},
    {"x": 1},
)


def test_both_accept_a_spec_with_every_field() -> None:
    agree(FULL)
    assert accepted_by_schema(FULL)
    assert places(json.dumps(FULL)) == []


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place below the root, except inside policy documents, which the schema does not cover."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield (*path, key)
        if key != "document":
            yield from paths(value, (*path, key))


def changed(path: tuple[Any, ...], change: Any) -> Any:
    """The full spec with `change` made to the container of a place."""
    tree = copy.deepcopy(FULL)
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return tree


@pytest.mark.thorough
@pytest.mark.parametrize("path", list(paths(FULL)), ids=lambda path: ".".join(map(str, path)))
def test_schema_and_loader_agree_when_one_value_is_odd_missing_or_renamed(path: tuple[Any, ...]) -> None:
    for odd in ODD:
        if path[-1] != "document" or not isinstance(odd, dict):
            agree(changed(path, lambda inner, key, odd=odd: inner.__setitem__(key, odd)))
    agree(changed(path, lambda inner, key: inner.__delitem__(key)))
    if isinstance(path[-1], str):
        agree(changed(path, lambda inner, key: inner.__setitem__("unknown", inner.pop(key))))
        agree(changed(path, lambda inner, key: inner.__setitem__("role", "again")))


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 50_000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 50_000).map(float),
    st.sampled_from(["ci", "deployers", "shop/*", "111111111111", "registry", "observe", "account", "repository"]),
    st.sampled_from(["repository-policy", "trust-policy", "identity-policy", "release", "2099-01-01T00:00:00Z"]),
    # Invisible characters are refused before the shape is checked.
    st.text(st.characters(codec="utf-8"), max_size=4).filter(lambda text: not invisible(text)),
)
_NAMES = st.sampled_from(sorted({key for path in paths(FULL) for key in path if isinstance(key, str)}))
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=20,
)


@given(st.data())
@examples.of(200)
def test_schema_and_loader_agree_about_any_tree_in_any_place(data: st.DataObject) -> None:
    tree = copy.deepcopy(FULL)
    for _ in range(data.draw(st.integers(1, 3))):
        inner: Any = tree
        path = data.draw(st.sampled_from(list(paths(tree))))
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = data.draw(_VALUES)
    for document in tree["documents"] if isinstance(tree.get("documents"), list) else ():
        # Policy documents have a grammar of their own.
        if isinstance(document, dict) and isinstance(document.get("document"), dict):
            document["document"] = {"Statement": []}
    agree(tree)


@pytest.mark.parametrize("number", ["3600", "3600.0", "3.6e3", "36E2", "3600.0e-0", "360000E-2", "43200.000"])
def test_a_whole_number_may_have_any_form_of_json(number: str) -> None:
    text = json.dumps(FULL).replace(": 3600", f": {number}", 1)
    assert accepted_by_schema(json.loads(text))
    loaded = load_spec(text.encode(), now=NOW)
    assert isinstance(loaded, Valid)
    assert loaded.spec.repositories[0].push[0].max_session_duration in (3600, 43200)


@pytest.mark.parametrize("number", ["3600.5", "36e-3", "1e999", "1e-999", "-3600", "3599", "43201.0", '"3600"'])
def test_both_refuse_other_numbers(number: str) -> None:
    text = json.dumps(FULL).replace(": 3600", f": {number}", 1)
    assert not accepted_by_schema(json.loads(text))
    assert isinstance(load_spec(text.encode(), now=NOW), Invalid)


@given(_VALUES)
@examples.of(100)
def test_schema_and_loader_agree_about_any_tree(tree: Any) -> None:
    agree(tree)


@pytest.mark.parametrize("case", sections("documents.txt"), ids=lambda case: case[0])
def test_schema_accepts_every_spec_of_documents_txt(case: tuple[str, str]) -> None:
    assert accepted_by_schema(as_json(case[1].replace("@accounts", ACCOUNTS).partition("\n---\n")[0]))
