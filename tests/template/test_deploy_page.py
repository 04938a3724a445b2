"""The pages on deploying and operating say what the templates say: alarms, what stays; and the sums are right."""

import ast
import re
import shlex
from collections.abc import Iterator

import pytest
from botocore import xform_name
from botocore.session import get_session

from tests import tables
from tests.template.cfn import ALL, HUB, MEMBER, ROOT, Template

# What the AWS CLI has of its own: its options there.
OWN = {
    ("cloudformation", "deploy"): {"--stack-name", "--template-file", "--capabilities", "--parameter-overrides"},
    ("s3", "cp"): set(),
    # The command has an option --endpoint-url of its own, and so another name for the address.
    ("sns", "subscribe"): {"--topic-arn", "--protocol", "--notification-endpoint"},
}
REVIEWED = ("it may do in a member account", "its functions may do in the hub's account")
COSTS: list[list[str]] = tables.load((ROOT / "tests/cases/costs.yaml").read_text())
PAGE = "\n".join((ROOT / "docs" / name).read_text() for name in ("deploy.md", "safety.md"))


def section(heading: str) -> str:
    """The text under a heading, up to the next one of any level."""
    return re.split(r"^#+ ", PAGE.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The rows of the tables in a text, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells[1:] if not row[0].startswith("---")]


@pytest.mark.parametrize("template", ALL, ids=lambda one: one.name)
def test_each_parameter_says_what_it_is(template: Template) -> None:
    assert [name for name, one in template.body["Parameters"].items() if "Description" not in one] == []


def test_each_alarm_says_what_to_do() -> None:
    alarms = [
        one["Properties"]["AlarmName"]
        for template in ALL
        for one in template.resources("AWS::CloudWatch::Alarm").values()
    ]
    alarm_rows = rows(section("Alarms, and what to do"))
    assert sorted(name for row in alarm_rows for name in re.findall(r"`([^`]+)`", row[0])) == sorted(alarms)
    assert all(row[2] for row in alarm_rows)


def test_what_outlives_its_stack_is_named() -> None:
    kept = [
        resource
        for template in ALL
        for resource in template.body["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    ]
    assert len(kept) == 5
    page = section("Removing")
    retained = ("ecr-warden-spec-*", "ecr-warden-state-*", "table `ecr-warden`", "/ecr-warden/writes")
    for name in (*retained, "/ecr-warden/ecr-warden-boundary"):
        assert name in page, name


def test_the_review_names_each_statement_of_each_role_and_no_other() -> None:
    review = (ROOT / "docs" / "review.md").read_text()
    of_members, of_hub = (rows(review.split(f"## What {what}", 1)[1].split("\n## ")[0]) for what in REVIEWED)
    said = [name for row in of_members for name in re.findall(r"`([A-Z]\w+)`", row[1])]
    assert sorted(said) == sorted(sid for _, sid in _statements(MEMBER))
    functions = [name.removesuffix("Role").lower() for name in HUB.resources("AWS::IAM::Role")]
    assert sorted(
        (f"{role.title()}Role", sid)
        for row in of_hub
        for sid in re.findall(r"`(\w+)`", row[0])
        for role in (functions if row[1] == "all nine" else row[1].split(", "))
    ) == sorted((role, sid) for role, sid in _statements(HUB) if role.endswith("Role"))
    people = {sid for role, sid in _statements(HUB) if role.endswith("Policy")}
    assert {sid for sid in people if f"`{sid}`" in review} == people


def _statements(template: Template) -> Iterator[tuple[str, str]]:
    """The role or policy and the Sid of each statement of what somebody may do; the forwarding role's, too."""
    for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
        for name, resource in template.resources(kind).items():
            properties = {key: one for key, one in resource["Properties"].items() if key != "AssumeRolePolicyDocument"}
            yield from ((name, sid) for sid in re.findall(r"'Sid': '(\w+)'", str(properties)))


def test_the_sums_are_right() -> None:
    every = rows(section("What it costs"))
    [total] = [number for number, row in enumerate(every) if row[0] == "**all**"]
    sums = [(item, _value(ast.parse(text, mode="eval").body)) for item, text in COSTS]
    assert [*every[:total], *every[total + 1 :]] == [[item, f"{value:.2f}"] for item, value in sums]
    assert every[total][1] == f"**{sum(value for _, value in sums[:total]):.2f}**"


def test_it_counts_the_alarms_there_are() -> None:
    assert ["Alarms [1]", f"{len(HUB.resources('AWS::CloudWatch::Alarm'))} * 0.10"] in COSTS


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


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command of the AWS CLI in a text, in blocks and in lines; variables as they stand."""
    lines = iter(text.replace("\\\n", " ").splitlines())
    for line in lines:
        if found := re.match(r"    .*?(\baws [a-z0-9]+ [a-z].*)", line):
            said = found.group(1)
            while (words := _words(said)) is None:
                said += f"\n{next(lines)}"
            yield words
    for said in re.findall(r"`(aws [a-z0-9]+ [a-z][^`]*)`", " ".join(text.splitlines())):
        yield said.split()


def _words(said: str) -> list[str] | None:
    """None while a quotation is open."""
    try:
        return shlex.split(said)
    except ValueError:
        return None


SAID = [
    (page, " ".join(one[:3]), one)
    for page in ("README.md", "docs/deploy.md", "docs/safety.md", "docs/security.md")
    for one in commands((ROOT / page).read_text())
]


@pytest.mark.parametrize(("page", "name", "words"), SAID)
def test_each_command_names_its_account_and_region(page: str, name: str, words: list[str]) -> None:
    assert "--profile" in words, (page, words)
    assert "--region" in words, (page, words)


@pytest.mark.parametrize(("page", "name", "words"), SAID)
def test_each_command_is_one_of_the_aws_cli_and_its_options_are_of_it(page: str, name: str, words: list[str]) -> None:
    _, service, operation, *rest = words
    given = {word.split("=")[0] for word in rest if word.startswith("--")}
    given -= {"--profile", "--region", "--output", "--query"}
    if (service, operation) in OWN:
        assert given <= OWN[service, operation], (page, words)
        return
    client = get_session().get_service_model(service.replace("s3api", "s3"))
    shape = client.operation_model({xform_name(one, "-"): one for one in client.operation_names}[operation]).input_shape
    assert shape is not None
    known = {f"--{xform_name(member, '-')}": member in shape.required_members for member in shape.members}
    assert given <= known.keys(), (page, words)
    if "..." not in words:
        assert {option for option, required in known.items() if required} <= given, (page, words)


def test_there_are_commands_to_look_at() -> None:
    assert {page for page, _, _ in SAID} == {"docs/deploy.md", "docs/safety.md", "docs/security.md"}
