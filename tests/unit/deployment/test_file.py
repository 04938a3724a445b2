"""ecr-warden.yaml: what it says, and each kind of nonsense in it, met by one line with its place and a remedy."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ecr_warden.access_spec.shapes import TextShape, Whole
from ecr_warden.core.own_access import Writes
from ecr_warden_cli.deployment.fields import BOUNDARY, OWNER, PARAMETERS, ROLE
from ecr_warden_cli.deployment.file import MAX_BYTES, DeploymentInvalid, load_deployment
from ecr_warden_cli.deployment.wanted import Deployment, MemberAccount, Organization
from ecr_warden_cli.terminal.console import Console
from ecr_warden_cli.terminal.context import Context, Failure
from local.testing.memory.hub import ManualClock
from tests import tables
from tests.template.cfn import HUB, MEMBER
from tools.make_schema import deployment_schema

FULL = (Path(__file__).parent / "full.yaml").read_text()
LEAST = """\
version: 1
hub: {account: "333333333333", region: eu-central-1}
accounts: {registry: {id: "222222222222", regions: [eu-central-1], writes: none}}
"""


def loaded(text: str) -> tuple[Deployment, str]:
    """The deployment, and what was said."""
    err = io.StringIO()
    console = Console(io.StringIO(), err, {}, 1000)

    def none() -> Any:
        raise AssertionError("AWS was loaded")

    context = Context(io.BytesIO(text.encode()), console, ManualClock(), none, lambda _: None)
    return load_deployment("-", context), err.getvalue()


def problems(text: str) -> list[str]:
    with pytest.raises(DeploymentInvalid) as caught:
        loaded(text)
    assert (caught.value.code, caught.value.message) == ("deployment-invalid", "<stdin> is not valid")
    return [line.replace(" <stdin>:", " ") for line in caught.value.lines]


def test_every_field_is_read() -> None:
    assert loaded(FULL) == (
        Deployment(
            hub_account="111111111111",
            hub_region="eu-central-1",
            members=(
                MemberAccount("ci", "111111111111", (), Writes.IDENTITIES, ("user/push-user", "user/ci/*")),
                MemberAccount(
                    "registry", "222222222222", ("eu-central-1", "us-east-1"), Writes.ALL, (), ("role/app/node",)
                ),
            ),
            organization=Organization(
                "o-a1b2c3d4e5",
                "333333333333",
                ("ou-ab12-34567890",),
                ("eu-central-1",),
                Writes.IDENTITIES,
                ("role/ci/*",),
            ),
            email="registry-team@example.com",
            webhook="ssm:/ecr-warden/webhook",
            pagerduty="secretsmanager:pager",
            schedule="rate(30 minutes)",
            role_boundary="company/boundary",
            assume_role="OrganizationAccountAccessRole",
            tags={"team": "platform", "cost center": "42"},
            parameters={"LogRetentionDays": "30", "LogLevel": "DEBUG"},
        ),
        "",
    )


def test_the_hub_may_be_no_member_and_most_fields_may_be_missing() -> None:
    found, _ = loaded(LEAST)
    assert found == Deployment(
        "333333333333",
        "eu-central-1",
        (MemberAccount("registry", "222222222222", ("eu-central-1",), Writes.NONE),),
    )


MANY = ", ".join(f'a{number}: {{id: "{number:012}", writes: none}}' for number in range(121))
OWNERS = ", ".join(f"user/{'x' * 200}{number}" for number in range(60))
NO_TAG = "use letters, digits and _.:/=+-@, at most 128, and begin with neither aws: nor ecr-warden"
WRONG = (
    ("no text", FULL, "", "E004 1:1 empty; begin with version: 1"),
    ("no YAML", "version: 1\n", "version: [1\n", "E003 3:4 what opens on line 2 is not closed"),
    ("another version", "version: 1", "version: 2", 'E024 2:10 version "2" is not supported; write version: 1'),
    (
        "a misspelt region of the hub",
        "region: eu-central-1",
        "region: eu-cental-1",
        'E110 3:28 the region "eu-cental-1" is not known (did you mean "eu-central-1"?); write it as AWS does',
    ),
    ("a misspelt field", "schedule:", "shedule:", 'E021 15:1 unknown field "shedule" of a deployment (did you mean'),
    (
        "a field of the spec",
        "tags:",
        "on_remove: x\ntags:",
        'E021 18:1 unknown field "on_remove" of a deployment; known',
    ),
    ("no hub", "hub: {account: ci, region: eu-central-1}\n", "", "E022 2:1 a deployment has no hub; add hub:"),
    ("a hub without account", "{account: ci, region", "{region", "E022 3:6 a hub has no account; add account:"),
    (
        "an unknown alias",
        "account: ci,",
        "account: registri,",
        'E103 3:16 unknown account "registri" (did you mean "registry"?)',
    ),
    ("a hub by a number", "account: ci,", "account: 111111111111,", "E020 3:16 the number 111111111111 instead of"),
    ("no region", "region: eu-central-1}", "region: Frankfurt}", 'E110 3:28 "Frankfurt" is not a region; write it as'),
    ("GovCloud", "region: eu-central-1}", "region: us-gov-west-1}", 'E023 3:28 "us-gov-west-1" is in AWS GovCloud'),
    ("China", "[eu-central-1, us", "[cn-north-1, us", 'E023 6:44 "cn-north-1" is in AWS China, which'),
    ("Europe", "[eu-central-1, us", "[eusc-de-east-1, us", 'E023 6:44 "eusc-de-east-1" is in the AWS European'),
    ("an ID without quotes", '"111111111111"', "111111111111", "E101 5:12 the account ID 111111111111 has no quotes"),
    ("an ID twice", '"222222222222"', '"111111111111"', 'E109 6:18 the account 111111111111 is already called "ci"'),
    ("an odd alias", "  registry: {", "  reg istry: {", 'E108 6:3 "reg istry" is not a valid name for an account'),
    (
        "a profile",
        "writes: all",
        "profile: x, writes: all",
        "E029 6:70 profile of a member account: profiles differ by person",
    ),
    ("no choice of writes", "writes: identities, ", "", "E022 5:7 a member account has no writes; add writes:"),
    ("another choice", "writes: all", "writes: everything", 'E026 6:78 "everything" is not a choice of writes; write'),
    ("every user", "user/ci/*", "user/*", 'E026 5:73 "user/*" is not a user, a role or a path of them; write it as'),
    ("an owner as ARN", "user/push-user", "arn:aws:iam::1:user/x", 'E026 5:57 "arn:aws:iam::1:user/x" is not a user'),
    ("our own role", "role/app/node", "role/ecr-warden/x", 'E026 6:91 "role/ecr-warden/x" is not a role; write it as'),
    ("owners without room", "user/push-user", OWNERS, "E113 5:48 more owners than the parameters of the member"),
    ("121 accounts", FULL, f"{LEAST.rpartition('accounts')[0]}accounts: {{{MANY}}}", "E023 3:1 121 accounts; without"),
    ("no account", FULL, f"{LEAST.rpartition('accounts')[0]}accounts: {{}}", "E025 3:1 no account is a member; add an"),
    ("no organization", "id: o-a1b2c3d4e5", "id: acme", 'E026 8:7 "acme" is not an organization\'s ID; write it as o-'),
    ("no unit", "[ou-ab12-34567890]", "[all]", 'E026 10:11 "all" is not an organizational unit or a root; write it as'),
    ("units without account", '  account: "333333333333"\n', "", "E022 8:3 an organization with units has no account"),
    (
        "without units",
        "  units: [ou-ab12-34567890]\n",
        "",
        "E022 9:3 an organization with account, regions, writes, owners has no units; add",
    ),
    ("no address", "registry-team@", "registry-team at ", 'E026 14:17 "registry-team at example.com" is not an e-mail'),
    ("a webhook's URL", "ssm:/ecr-warden/webhook", "https://chat/x", 'E026 14:53 "https://..." is not a place of'),
    ("rate(1 minutes)", "(30 minutes)", "(1 minutes)", 'E026 15:11 "rate(1 minutes)" is not a schedule of at most'),
    ("once a day", "rate(30 minutes)", "rate(1 day)", 'E026 15:11 "rate(1 day)" is not a schedule of at most 23 hours'),
    ("half a cron", "rate(30 minutes)", "cron(0 *)", 'E026 15:11 "cron(0 *)" is not a schedule of at most 23 hours'),
    ("a role's ARN", "OrganizationAccountAccessRole", "arn:aws:iam::1:role/x", 'E026 16:14 "arn:aws:iam::1:role/x"'),
    ("an ARN", "company/b", "arn:aws:iam::1:policy/b", 'E026 17:16 "arn:aws:iam::1:policy/boundary" is not a managed'),
    ("a tag of AWS", "team: pl", "aws:team: pl", f'E026 18:8 "aws:team" is not a name for a tag; {NO_TAG}'),
    ("a tag of ours", "team: pl", "ecr-warden-stack: pl", 'E026 18:8 "ecr-warden-stack" is not a name for a tag'),
    ("an odd tag", "platform,", '"a;b",', 'E026 18:14 "a;b" is not a tag\'s value; write it as letters, digits and'),
    ("46 tags", "team: platform", ", ".join(f"t{n}: x" for n in range(46)), "E023 18:7 47 tags; AWS allows 45 beside"),
    ("a field as parameter", "LogLevel", "AlertEmail", 'E021 19:36 unknown field "AlertEmail" of a list of parameters'),
    ("a share as a limit", "30, Log", "30, MaxRemoved: 20%, Log", 'E020 19:48 "20%" is not a whole number'),
    ("a limit above all", "30, Log", "30, MaxRemoved: 100001, Log", "E020 19:48 the number 100001; write a whole"),
    ("8 days of logs", "30, Log", "8, Log", "E020 19:32 the number 8; write 7, 14, 30, 60, 90, 120, 180, 365, 400,"),
    ("an anchor", "{account: ci", "{account: &x ci", 'E006 3:16 an anchor, "&x"; write the value out'),
)


@pytest.mark.parametrize(("old", "new", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_nonsense_is_one_line_with_its_place_and_a_remedy(old: str, new: str, says: str) -> None:
    assert old in FULL
    [found] = problems(FULL.replace(old, new, 1))
    assert found.startswith(says)


def test_what_is_only_doubtful_is_said_and_deployed() -> None:
    found, said = loaded(LEAST.replace("[eu-central-1]", "[eu-centrl-1]"))
    assert found.members[0].regions == ("eu-centrl-1",)
    assert said.startswith('W506 <stdin>:3:53 the region "eu-centrl-1" is not known (did you mean "eu-central-1"?)')


def test_a_region_of_the_hub_may_be_a_new_one() -> None:
    found, said = loaded(LEAST.replace("region: eu-central-1", "region: eu-central-9"))
    assert (found.hub_region, 'the region "eu-central-9" is not known' in said) == ("eu-central-9", True)


def test_a_file_is_bounded() -> None:
    with pytest.raises(Failure, match=f"<stdin> has more than {MAX_BYTES} bytes"):
        loaded(f"# {'x' * MAX_BYTES}\n{LEAST}")


def test_the_schema_takes_what_the_loader_takes_and_refuses_each_shape_that_it_refuses() -> None:
    schema = Draft202012Validator(deployment_schema())
    assert schema.is_valid(tables.load(FULL))
    assert schema.is_valid(tables.load(LEAST))
    shapes = [row for row in WRONG if row[3].startswith(("E02", "E101")) and "tag;" not in row[3]]
    of_loader = ("no account", "46 tags", "without units", "units without account", "121 accounts")
    names = ("a tag of AWS", "a tag of ours", "GovCloud", "China", "Europe", *of_loader)
    accepted = [
        name
        for name, old, new, _ in shapes
        if name not in names and schema.is_valid(tables.load(FULL.replace(old, new, 1)))
    ]
    assert accepted == []


def test_forms_and_parameters_are_those_of_the_templates() -> None:
    member, hub = (template.body["Parameters"] for template in (MEMBER, HUB))
    assert f":{OWNER})?" in member["ManagedOwners"]["AllowedPattern"]
    assert f":{ROLE})?" in member["ManagedRoles"]["AllowedPattern"]
    assert member["RoleBoundary"]["AllowedPattern"] == hub["RoleBoundary"]["AllowedPattern"] == f"{BOUNDARY}|"
    for entry in PARAMETERS.fields:
        given, shape = hub[entry.name], entry.shape
        assert isinstance(shape, TextShape | Whole)
        assert shape.choices == tuple(given.get("AllowedValues", ())), entry.name
        if isinstance(shape, Whole) and "MinValue" in given:
            assert (shape.least, shape.most) == (given["MinValue"], given["MaxValue"]), entry.name
        elif isinstance(shape, Whole) and not shape.choices:
            bounds = [shape.least - 1, shape.least, shape.most, shape.most + 1]
            fit = [re.fullmatch(given["AllowedPattern"], str(number)) is not None for number in bounds]
            assert fit == [False, True, True, False], entry.name


def many(number: int) -> str:
    return "".join(f'  a{one}: {{id: "{500000000000 + one}", writes: none}}\n' for one in range(number))


UNITS = "organization: {id: o-a1b2c3d4e5, account: hub, units: [UNITS], writes: identities, owners: [OWNERS]}\n"
LISTS = {
    "as many accounts as fit beside units": (315, 1, 1, []),
    "one more": (316, 1, 1, ["OwnStacks of the stack ecr-warden-organization would have 4107 of 4096 bytes"]),
    "too many units": (1, 300, 1, ["MemberUnits of the stack ecr-warden-organization would have 5299 of 4096 bytes"]),
    "too many owners": (1, 1, 400, ["more owners than the parameters of the member stack hold"]),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_that_no_parameter_holds_is_refused_here_and_not_by_cloudformation(case: str) -> None:
    accounts, units, owners, said = LISTS[case]
    given = UNITS.replace("UNITS", ", ".join(f"ou-ab{one:02}-{one:08}" for one in range(units)))
    given = given.replace("OWNERS", ", ".join(f"user/pull-user-{one:04}" for one in range(owners)))
    hub = "version: 1\nhub: {account: hub, region: eu-central-1}\naccounts:\n"
    file = f'{hub}  hub: {{id: "333333333333", writes: none}}\n{many(accounts - 1)}{given}'
    if not said:
        loaded(file)
        return
    [found] = problems(file)
    assert said[0] in found
