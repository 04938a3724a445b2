"""The forms in docs/schema/command.md and their examples, one by one against what the verbs print."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command
from tests.cli.scenes import SCENES, begun
from tests.cli.test_hub import over
from tests.template.cfn import ROOT
from tests.usecases.world import tampered

SCHEMA = ROOT / "docs" / "schema"
PAGE = (SCHEMA / "command.md").read_text()
PARTS = dict(re.findall(r"^\| (plan|drift|change) \| (.+) \|$", PAGE, re.MULTILINE))
# By the heading: the form of the object and what is said of it.
ROWS = {title.strip("`"): form for title, form in re.findall(r"^## (.+?)\n\n(`\{(?:(?!^## ).)+)", PAGE, re.M | re.S)}
EXAMPLES = json.loads((SCHEMA / "command.examples.json").read_text())
ERROR = "Any verb, on an error"
ANY_ERROR = ROWS[ERROR]


@dataclass(slots=True)
class Form:
    """An object: its fields, and the forms of nested objects."""

    fields: dict[str, "Form | None"] = field(default_factory=dict)


def form_of(row: str) -> tuple[Form, frozenset[str]]:
    """The object at the start of a section, and the fields that its text adds in some cases."""
    main, *others = re.findall(r"`([^`]+)`", row)
    tokens = re.findall(r'"(\w+)"(:?)|([{}])', main)
    assert tokens.pop(0)[2] == "{"
    besides = {name for other in others if other.startswith('"') for name in re.findall(r'"(\w+)"', other)}
    return _read(tokens), frozenset(besides)


def _read(tokens: list[tuple[str, str, str]]) -> Form:
    form = Form()
    while True:
        name, colon, brace = tokens.pop(0)
        if brace == "}":
            return form
        form.fields[name] = None
        if colon and tokens[0][2] == "{":
            tokens.pop(0)
            form.fields[name] = _read(tokens)


def misfits(form: Form, value: Any, besides: frozenset[str] = frozenset(), at: str = "") -> list[str]:
    """Where a printed object deviates from the form."""
    if isinstance(value, list):
        return [wrong for item in value for wrong in misfits(form, item, besides, at)]
    if not isinstance(value, dict):
        return [] if value is None else [f"{at} is no object"]
    wrong = [f"{at}.{name} is not printed" for name in form.fields.keys() - value.keys() - {"error"}]
    wrong += [f"{at}.{name} is not documented" for name in value.keys() - form.fields.keys() - besides]
    for name, inner in form.fields.items():
        if inner is not None and name in value:
            wrong += misfits(inner, value[name], at=f"{at}.{name}")
    return wrong


def test_an_error_has_the_form_of_any_error(command: Command, tmp_path: Path) -> None:
    form, besides = form_of(ANY_ERROR)
    assert besides == {"problems"}
    broken = command("render", "-", "--json", stdin=b"versio: 1").json
    assert misfits(form, broken, besides) == []
    assert broken["problems"][0].keys() == form_of(ROWS["validate"])[0].fields["problems"].fields.keys()  # type: ignore[union-attr]
    absent = command("render", str(tmp_path / "absent.yaml"), "--json").json
    assert (misfits(form, absent), absent["error"]["code"]) == ([], "spec-unreadable")


def test_plans_drifts_and_changes_have_the_forms_of_their_parts() -> None:
    plans = over(tampered())("plan", "--json").json["plans"]
    changes = [change for plan in plans for change in plan["changes"]]
    drifts = [drift for plan in plans for drift in plan["drifts"]]
    assert len(changes) >= len(drifts) >= 2
    assert misfits(form_of(PARTS["plan"])[0], plans) == []
    assert misfits(form_of(PARTS["change"])[0], changes) == []
    # Some fields of a drift depend on its kind.
    assert {name for drift in drifts for name in drift} <= form_of(PARTS["drift"])[0].fields.keys()
    assert all({"address", "kind", "explain", "access"} <= drift.keys() for drift in drifts)


CAMEL_CASE = re.compile(r"[a-z][a-zA-Z0-9]*")
# The keys inside these are AWS's: policy documents, condition keys, stack parameters, accounts.
OF_AWS = {"add", "document", "trust", "context", "parameters", "administrators", "watched", "statement"}


def odd_keys(value: Any, at: str = "") -> list[str]:
    """The paths of keys that are not camelCase."""
    if isinstance(value, list):
        return [odd for item in value for odd in odd_keys(item, f"{at}[]")]
    if not isinstance(value, dict):
        return []
    odd = [f"{at}.{key}" for key in value if not CAMEL_CASE.fullmatch(key)]
    return odd + [each for key, inner in value.items() if key not in OF_AWS for each in odd_keys(inner, f"{at}.{key}")]


def test_odd_keys_are_found() -> None:
    assert odd_keys({"a": [{"b_c": {"D": 1}}], "document": {"Statement": []}}) == [".a[].b_c", ".a[].b_c.D"]


def test_every_form_has_a_scene() -> None:
    assert {row["form"] for row in SCENES.values() if "form" in row} == ROWS.keys() - {ERROR}


def test_every_form_has_an_example() -> None:
    assert [*EXAMPLES] == [*ROWS]


@pytest.mark.parametrize("verb", ROWS)
def test_an_example_has_its_form(verb: str) -> None:
    form, besides = form_of(ROWS[verb])
    assert misfits(form, EXAMPLES[verb], besides) == []


@pytest.mark.parametrize("scene", [name for name, row in SCENES.items() if "form" in row])
def test_a_verb_prints_what_its_form_says_in_camel_case(command: Command, tmp_path: Path, scene: str) -> None:
    form, besides = form_of(ROWS[SCENES[scene]["form"]])
    run, words, _ = begun(scene, command, tmp_path)
    printed = run(*words, "--json").json
    assert (misfits(form, printed, besides), odd_keys(printed)) == ([], [])
