"""The JSON objects in docs/schema/command.md, one by one against what the verbs print."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.testing.seed import CHECKOUT, D1, SPEC_FILE, allow, document
from tests.cli.command import HERE, Command
from tests.cli.test_hold import over as over_holds
from tests.cli.test_hub import over
from tests.template.cfn import ROOT
from tests.usecases.test_holds import held
from tests.usecases.uploads import first
from tests.usecases.world import World, tampered, world_in_sync

PAGE = (ROOT / "docs" / "schema" / "command.md").read_text()
PARTS = dict(re.findall(r"^\| (plan|drift|change) \| (.+) \|$", PAGE, re.MULTILINE))
# By the heading: the form of the object and what is said of it; its example.
SECTIONS = {
    title.strip("`"): (form, json.loads(example))
    for title, form, example in re.findall(r"^## (.+?)\n\n(`\{(?:(?!^## ).)+?)```json\n(.+?)```$", PAGE, re.M | re.S)
}
ANY_ERROR, _ = SECTIONS.pop("Any verb, on an error")
ROWS = {verb: form for verb, (form, _) in SECTIONS.items()}
PATTERNS = b"""
version: 1
accounts: {registry: {id: "222222222222", regions: [eu-central-1]}}
repositories: [{name: shop/*, except: [shop/old], account: registry, pull: [registry:user/anna]}]
documents: [{kind: repository-policy, account: registry, repository: legacy/app,
  document: {Statement: {Effect: Deny, Principal: "*", Action: "ecr:PutImage"}}}]
"""


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


def spec_file(tmp_path: Path, text: bytes = PATTERNS) -> str:
    path = tmp_path / "access.yaml"
    path.write_bytes(text)
    return str(path)


def changed_file(tmp_path: Path) -> str:
    path = tmp_path / "changed.yaml"
    path.write_bytes(PATTERNS.replace(b"anna", b"eve").replace(b"Put", b"Get"))
    return str(path)


def paused() -> Command:
    world = world_in_sync()
    command = over(world)
    assert command("pause", "shop/checkout", "--for", "2h", "--reason", "a migration").code == 0
    world.put(D1, document(allow("ecr:BatchGetImage", who="*")))
    world.run(CHECKOUT)
    return command


ID = held(first()).id


def holding() -> World:
    world = first()
    assert held(world).id == ID
    return world


def shown() -> tuple[Command, tuple[str, ...]]:
    command = paused()
    (run,) = command("history", "--json").json["runs"]
    return command, ("history", run["runId"])


CHANGE = str(ROOT / "examples/who-can/change.json")
WHO_CAN = (
    *("--snapshot", str(ROOT / "examples/who-can/estate.json")),
    *("--spec", str(ROOT / "examples/seed/access.yaml")),
)
NEWCOMER, PULLER = (f"arn:aws:iam::111111111111:user/{name}" for name in ("newcomer", "pull-user-1"))


def verb_of(row: str) -> str:
    """The verb that a form is of, without the argument or option that makes it print another form."""
    return row.split(maxsplit=1)[0]


type Asked = tuple[Command, tuple[str, ...]]
"""A command, and the words that it is run with."""
SCENES: dict[str, tuple[str, Callable[[Command, Path], Asked]]] = {
    "a file with problems": ("validate", lambda run, tmp: (run, ("validate", spec_file(tmp, b"versio: 1")))),
    "a script": ("completion", lambda run, _: (run, ("completion", "bash"))),
    "a file with a pattern": ("render", lambda run, tmp: (run, ("render", spec_file(tmp)))),
    "a file and a changed one": ("diff", lambda run, tmp: (run, ("diff", spec_file(tmp), changed_file(tmp)))),
    "a grant": (
        "grant",
        lambda run, tmp: (run, ("grant", "pull", "shop/*", spec_file(tmp), "--to", "registry:user/eve")),
    ),
    "a plan from a laptop": ("plan", lambda run, _: (run, ("plan", str(SPEC_FILE), *HERE))),
    "a plan by the hub": ("plan", lambda _, __: (over(tampered()), ("plan",))),
    "drift from a laptop": ("check", lambda run, _: (run, ("check", str(SPEC_FILE), *HERE))),
    "drift by the hub": ("check", lambda _, __: (over(tampered()), ("check",))),
    "targets, one of them paused": ("status", lambda _, __: (paused(), ("status",))),
    "runs": ("history", lambda _, __: (paused(), ("history",))),
    "a run": ("history RUN", lambda _, __: shown()),
    "a run that is asked for": ("reconcile", lambda _, __: (over(tampered()), ("reconcile",))),
    "nothing to reconcile": ("reconcile", lambda _, __: (over(world_in_sync()), ("reconcile",))),
    "a pause": (
        "pause",
        lambda _, __: (over(world_in_sync()), ("pause", "all", "--for", "1h", "--reason", "a holiday")),
    ),
    "the end of a pause": ("resume", lambda _, __: (paused(), ("resume", "shop/checkout"))),
    "all writes stopped": ("stop", lambda _, __: (over(world_in_sync()), ("stop",))),
    "writes on again": ("start", lambda _, __: (over(world_in_sync()), ("start",))),
    "an upload": ("apply", lambda _, __: (over_holds(first()), ("apply", str(SPEC_FILE), "--yes"))),
    "no upload": ("apply", lambda _, __: (over_holds(first()), ("apply", str(SPEC_FILE)))),
    "the spec in force": ("versions VERSION", lambda _, __: (over_holds(first()), ("versions", "accepted"))),
    "versions of the spec": ("versions", lambda _, __: (over_holds(first()), ("versions",))),
    "what is held": ("held", lambda _, __: (over(holding()), ("held",))),
    "a decision": ("accept", lambda _, __: (over_holds(holding()), ("accept", ID, "--yes", "--wait", "1"))),
    "no decision": ("accept", lambda _, __: (over_holds(holding()), ("accept", ID))),
    "nothing to resume": ("resume", lambda _, __: (over(world_in_sync()), ("resume", "all"))),
    "somebody who can": ("can-i", lambda run, _: (run, ("can-i", "--as", PULLER, "pull", "shop/checkout", *WHO_CAN))),
    "somebody who cannot": (
        "can-i",
        lambda run, _: (run, ("can-i", "--as", NEWCOMER, "push", "shop/checkout", *WHO_CAN)),
    ),
    "everybody who can": ("who-can", lambda run, _: (run, ("who-can", "push", "shop/checkout", *WHO_CAN))),
    "who administers": ("who-can admin", lambda run, _: (run, ("who-can", "admin", *WHO_CAN))),
    "what would change": ("what-if", lambda run, _: (run, ("what-if", CHANGE, *WHO_CAN[:2]))),
    "what somebody can": ("can-i --as", lambda run, _: (run, ("can-i", "--as", PULLER, *WHO_CAN))),
    "a spec of what is there": ("import", lambda run, _: (run, ("import", *WHO_CAN[:2]))),
    "a report of a snapshot": (
        "report",
        lambda run, _: (run, ("report", "--spec", str(ROOT / "examples/who-can/access.yaml"), *WHO_CAN[:2])),
    ),
}


def test_an_error_has_the_form_of_any_error(command: Command, tmp_path: Path) -> None:
    form, besides = form_of(ANY_ERROR)
    assert besides == {"problems"}
    broken = command("render", spec_file(tmp_path, b"versio: 1"), "--json").json
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
OF_AWS = {"add", "document", "trust", "context", "parameters", "administrators"}


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
    assert {verb for verb, _ in SCENES.values()} == ROWS.keys()


@pytest.mark.parametrize("verb", SECTIONS)
def test_an_example_has_the_form_above_it(verb: str) -> None:
    row, example = SECTIONS[verb]
    form, besides = form_of(row)
    assert misfits(form, example, besides) == []


@pytest.mark.parametrize("scene", SCENES)
def test_a_verb_prints_what_its_form_says_in_camel_case(command: Command, tmp_path: Path, scene: str) -> None:
    row, ask = SCENES[scene]
    form, besides = form_of(ROWS[row])
    run, words = ask(command, tmp_path)
    printed = run(*words, "--json").json
    assert (misfits(form, printed, besides), odd_keys(printed)) == ([], [])
