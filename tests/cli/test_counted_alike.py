"""Who can, as `who-can` and as the report have it: the same people, on the same grounds, and the same is unread."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.testing.seed import compiled
from tests import tables
from tests.cli.command import Command
from tests.unit.access import test_findings as findings
from tests.unit.access import test_outsiders as outsiders

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "who-can"

ENDED = "a grant that has ended gives nothing, and its documents let nobody in"
"""Its spec is refused now."""
OFTEN = (
    "a registry policy that was not read leads to no finding",
    "an account that was not read leads to no finding",
    "a policy that was not read makes access unknown",
    "a policy of a user's own under another condition than that of the grant, and one under a part of it",
    "a repository that the spec does not name is nobody's business within its account",
)
"""On which they differed."""

type Json = dict[str, Any]


def _of_findings(name: str) -> tuple[Json, Json]:
    row = findings.TABLE["cases"][name]
    spec = tables.load(row.get("spec", findings.TABLE["spec"])) | {"also_allowed": row.get("also_allowed", [])}
    return spec, findings.snapshot_of(row)


def _of_outsiders(form: str, name: str) -> tuple[Json, Json]:
    row = outsiders.FORMS[form][name]
    spec = outsiders.spec_of(row)
    return spec, outsiders.snapshot_of(row, compiled(json.dumps(spec), now=outsiders.NOW))


def _cases() -> Iterator[Any]:
    cases: list[tuple[Any, tuple[str, ...]]] = [
        *((_of_findings, (name,)) for name in findings.TABLE["cases"] if name != ENDED),
        *((_of_outsiders, (form, name)) for form, rows in outsiders.FORMS.items() for name in rows),
    ]
    for number, (make, of) in enumerate(cases):
        marks = () if of[-1] in OFTEN or number % 20 == 0 else pytest.mark.thorough
        yield pytest.param(make, of, id=": ".join(of), marks=marks)


def differing(spec: Path, estate: Path) -> Iterator[str]:
    """What the two say of each repository, where it is not the same."""
    source = ("--spec", str(spec), "--snapshot", str(estate), "--json")
    shown: dict[tuple[str, str], list[Json]] = {}
    report = Command()("report", *source).json
    members = {one["set"]: one["repositories"] for one in report["sets"]}
    for one in report["accesses"]:
        for repository in members[one["set"]]:
            shown.setdefault((repository, one["access"]), []).append(one)
    said: list[str] = []
    for access in ("pull", "push"):
        for found in Command()("who-can", access, "*", *source).json["repositories"]:
            said += [*found["notLookedAt"], *found["unknown"]]
            asked = {one["principal"]: one for one in sorted(found["principals"], key=_is_extra)}
            classes = {one["class"]: one for one in sorted(found["classes"], key=_is_extra)}
            rows = shown.get((f"repository/{found['repository']}", access), [])
            people = {one["principal"]: one for one in rows}
            here = Counter((one["ground"], one["answer"]) for one in (*asked.values(), *classes.values()))
            there = Counter((one["ground"], one["answer"]) for one in rows)
            if here != there or not asked.keys() <= people.keys() or len(rows) != len(people):
                yield f"{access} {found['repository']}: who-can {dict(here)}, report {dict(there)}"
    yield from _unread_differing(report["unread"], said)


def _unread_differing(report: list[str], who_can: list[str]) -> Iterator[str]:
    """What of the accounts only one of the two says was not read.

    who-can says some of it of whom it is about, and of identity providers only where somebody gets in by them.
    """
    of_accounts = [text for text in who_can if re.match(r"\d{12}[/:]", text)]
    yield from (f"{text}: in who-can alone" for text in dict.fromkeys(of_accounts) if text not in report)
    for text in (text for text in report if "identity provider" not in text):
        what = text.split(": ")[1].rpartition(" ")[2]
        if text not in of_accounts and not any(what in said for said in who_can):
            yield f"{text}: in the report alone"


def _is_extra(row: Json) -> bool:
    return bool(row["ground"] == "none")


def test_they_agree_on_every_example(tmp_path: Path) -> None:
    specs = [*(ROOT / "examples").glob("*/*.yaml")]
    estates = [one for one in EXAMPLES.glob("*.json") if "accounts" in json.loads(one.read_text())]
    assert len(specs) >= 12
    assert estates
    assert [*(one for spec in specs for estate in estates for one in differing(spec, estate))] == []


@pytest.mark.parametrize(("make", "of"), [*_cases()])
def test_they_agree_on_the_estates_of_the_tables(make: Any, of: tuple[str, ...], tmp_path: Path) -> None:
    (spec, estate) = (tmp_path / "access.yaml", tmp_path / "estate.json")
    for file, value in zip((spec, estate), make(*of), strict=True):
        file.write_text(json.dumps(value, default=str))
    assert [*differing(spec, estate)] == []
