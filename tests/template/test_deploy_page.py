"""docs/deploy.md says of the stacks what the templates say: parameters, alarms, what stays; and its sums are right."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.template.cfn import ALL, EVENTS, HUB, MEMBER, ROOT, Template, load

PAGE = (ROOT / "docs" / "deploy.md").read_text()


def section(heading: str) -> str:
    """The text under a heading, up to the next one of any level."""
    return re.split(r"^#+ ", PAGE.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The rows of the tables in a text, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells[1:] if not set(row[0]) <= {"-"}]


@pytest.mark.parametrize(
    ("heading", "template"),
    [
        ("Hub: template.yaml", HUB),
        ("Member: stacks/member.yaml", MEMBER),
        ("Events: stacks/events.yaml", EVENTS),
    ],
)
def test_each_parameter_stands_in_the_table_with_its_default(heading: str, template: Template) -> None:
    told = [(row[0], row[1].strip("`")) for row in rows(section(heading))]
    assert told == [(name, str(one.get("Default", ""))) for name, one in template.body["Parameters"].items()]


def test_each_parameter_without_a_default_is_given_where_its_stack_is_deployed() -> None:
    commands = section("Deploying")
    for template in ALL:
        needed = [name for name, one in template.body["Parameters"].items() if "Default" not in one]
        for name in needed:
            assert f"{name}=" in commands, (template.name, name)


def test_each_alarm_says_what_to_do() -> None:
    alarms = [
        one["Properties"]["AlarmName"]
        for template in ALL
        for one in template.resources("AWS::CloudWatch::Alarm").values()
    ]
    told = rows(section("Alarms, and what to do"))
    assert sorted(row[0].strip("`") for row in told) == sorted(alarms)
    assert all(row[2] for row in told)


def test_what_outlives_its_stack_is_named() -> None:
    kept = [
        resource
        for template in ALL
        for resource in template.body["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    ]
    assert len(kept) == 4
    told = section("Removing")
    for name in ("ecr-warden-spec-*", "ecr-warden-state-*", "table `ecr-warden`", "/ecr-warden/ecr-warden-boundary"):
        assert name in told, name


def test_the_file_that_imports_the_boundary_holds_it_alone_and_what_an_import_asks_for(tmp_path: Path) -> None:
    command = re.search(r"^    (awk .*?) > boundary\.yaml$", section("Making a member again"), re.DOTALL | re.MULTILINE)
    assert command is not None
    with (tmp_path / "boundary.yaml").open("w") as file:
        subprocess.run(["/bin/sh", "-c", command.group(1)], cwd=ROOT, stdout=file, check=True)
    body = load(str(tmp_path / "boundary.yaml")).body
    boundary = body["Resources"]["Boundary"]
    assert set(body) == {"AWSTemplateFormatVersion", "Resources"}
    assert body["Resources"] == {"Boundary": MEMBER.body["Resources"]["Boundary"]}
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html
    assert boundary["DeletionPolicy"] == "RetainExceptOnCreate"
    assert not [name for name in MEMBER.body["Parameters"] if name in json.dumps(boundary)]


def test_the_sums_are_right() -> None:
    *items, total = rows(section("What it costs"))
    exact = [_value(ast.parse(row[1].strip("`"), mode="eval").body) for row in items]
    assert [row[2] for row in items] == [f"{value:.2f}" for value in exact]
    assert total[2] == f"**{sum(exact):.2f}**"


def test_it_counts_the_alarms_there_are() -> None:
    assert f"`({len(HUB.resources('AWS::CloudWatch::Alarm'))} + 3) * 0.10`" in section("What it costs")


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.BinOp(left, ast.Mult(), right):
            return _value(left) * _value(right)
        case ast.BinOp(left, ast.Div(), right):
            return _value(left) / _value(right)
        case ast.BinOp(left, ast.Add(), right):
            return _value(left) + _value(right)
    raise ValueError(ast.dump(node))


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", PAGE))))
def test_each_link_leads_somewhere(link: str) -> None:
    path, _, anchor = link.partition("#")
    if link.startswith("http"):
        return
    text = (ROOT / "docs" / path).resolve().read_text() if path else PAGE
    headings = [re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in text.splitlines()]
    assert not anchor or anchor in headings
