"""`init`: the two files that it writes, what it asks for, and what it says of trails."""

import json
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.collect.wiring import SeenWire
from ecr_warden.core.desired import Mode
from ecr_warden_cli.deployment.sessions import Ways
from ecr_warden_cli.terminal.context import Failure
from local.testing.grown import CI, REGISTRY
from tests.cli.command import Command
from tests.cli.test_import import BOTH, NODE, PULL, command
from tests.clouds import MemoryCloud, MemoryEntered
from tests.template.cfn import ROOT

ORGANIZATION = "o-a1b2c3d4e5"
TRAIL = {
    "name": "arn:aws:cloudtrail:us-east-1:333333333333:trail/aws-controltower-BaselineCloudTrail",
    "multi": True,
    "home": "us-east-1",
    "global": True,
    "organization": True,
    "logging": True,
}
GIVEN = (*BOTH, "--hub-account", "ci", "--email", "team@example.com")
PLACES = ((CI, "us-east-1"), (REGISTRY, "eu-central-1"), (REGISTRY, "us-east-1"))
TEXT = """\
# What ecr-warden deploys, and where; written by ecr-warden init. ecr-warden deploy makes it so: it
#   shows what it would do, and asks.
# docs/schema/deployment.schema.json has every field. Profiles are none of them: they differ by
#   person.
version: 1
hub: {account: ci, region: eu-central-1}

# writes: what ecr-warden may write there (none; identities, inline policies of the owners; all,
#   also repository policies and push roles). Nothing is written while the spec says mode: observe.
# Whoever may write the spec administers the owners: leave out who administers anything else.
accounts:
  ci: {id: "111111111111", writes: identities, owners: [role/node]}
  registry: {id: "222222222222", regions: [eu-central-1], writes: all}

alerts: {email: team@example.com}

# Further fields: schedule: rate(1 hour) (by default every 15 minutes up to 20 accounts, hourly
#   above); assume_role: ROLE, for whoever deploys; role_boundary: POLICY, where your company
#   demands one on roles; tags: {team: platform}, of every stack.
# With organization: {id: o-a1b2c3d4e5} any account of yours may send events, and more than 120 can
#   be members; with account: and units: besides, one stack makes all accounts of some units
#   members.

# Who reports changes to ecr-warden:
# - the organization's trail aws-controltower-BaselineCloudTrail (only the management account can
#   see which events it selects) reports the changes of ci (111111111111) in us-east-1, registry
#   (222222222222) in eu-central-1, registry (222222222222) in us-east-1
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def seen(account: str, region: str, *trails: Any, error: str = "") -> SeenWire:
    """What was read of a region's trails, each like the organization's but for what is given."""
    found = None if error else {"trails": [TRAIL | one for one in trails]}
    return SeenWire(f"trail of {account} in {region}", "the calls that change anything", found, error)


def at(
    *trails: SeenWire, organizations: Sequence[str] = (ORGANIZATION, ORGANIZATION), terminal: bool = False
) -> Command:
    """Two accounts of one organization, whose trail reports everything but where others are given."""
    ran = command(*PULL)
    given = [*(seen(*place, {}) for place in PLACES), *trails]
    by_place = {(one.name.split()[2], one.name.split()[4]): one for one in given}
    entries = ran.entries or {}
    for account, identifier in zip((CI, REGISTRY), organizations, strict=False):
        entries[account]["organization"] = {"id": identifier}
    cloud = MemoryCloud(entries=entries, trails=by_place)
    ran.entered, ran.terminal = MemoryEntered(cloud), terminal
    return ran


def written() -> str:
    return Path("ecr-warden.yaml").read_text()


def test_two_files_say_what_is_there_and_what_is_to_be_deployed() -> None:
    run = at()
    ran = run("init", *GIVEN)
    assert ran.code == 0
    assert written() == TEXT
    assert isinstance(load_spec(Path("access.yaml").read_bytes()), Valid)
    assert run.ways == Ways({CI: "ci-read", REGISTRY: "registry-read"})
    assert ran.out.splitlines()[1:] == [
        "access.yaml says who has access now; its mode is observe, so nothing is written",
        "ecr-warden.yaml says what is to be deployed to 2 accounts: read both, then",
        "  ecr-warden deploy --profile ci=ci-read --profile registry=registry-read",
    ]
    assert ran.err.splitlines()[-1] == "pull access: 1 of 1 as grants, 100 %"


NEEDS = "aws service-quotas request-service-quota-increase --region eu-central-1 --service-code lambda"
IN_THE_WAY: Mapping[str, tuple[int | Failure, tuple[str, ...], str]] = {
    "nothing": (1000, GIVEN, ""),
    "ten functions at once": (
        10,
        GIVEN,
        f"{CI}/eu-central-1 may run 10 functions at once, and the hub needs 34: its queues",
    ),
    "with what to do": (10, GIVEN, NEEDS),
    "what may not be asked": (Failure("AccessDenied", remedy="ask"), GIVEN, "at once is not known: AccessDenied; ask"),
    "a region that has to be enabled": (
        1000,
        (*BOTH, "--hub-account", "ci/eu-south-2"),
        "eu-south-2 has to be enabled",
    ),
}


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_what_may_be_in_the_way_of_the_hub_is_said(case: str) -> None:
    limit, argv, said = IN_THE_WAY[case]
    run = at()
    assert isinstance(run.entered, MemoryEntered)
    run.entered.cloud.executions = limit
    ran = run("init", *argv)
    assert (ran.code, said in " ".join(ran.err.split())) == (0, True)
    assert said or "at once" not in ran.err


ANSWERS = {
    "everything": (
        ("init",),
        ["ci=ci-read", "registry=registry-read", "", "nobody", "ci", "team at example", "team@example.com"],
        TEXT,
    ),
    "what no option says": (("init", *BOTH, "--hub-account", "ci"), ["team@example.com"], TEXT),
    "a hub elsewhere, and nobody to be informed": (
        ("init", *BOTH),
        ["333333333333/eu-west-1", ""],
        TEXT.replace("account: ci, region: eu-central-1", 'account: "333333333333", region: eu-west-1').replace(
            "alerts: {email: team@example.com}",
            "# Nobody is informed yet. alerts: {email: team@example.com}, or {webhook: ssm:/NAME} for a chat.",
        ),
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_no_option_says_is_asked_at_a_terminal(case: str) -> None:
    argv, answers, text = ANSWERS[case]
    ran = at(terminal=True)(*argv, stdin="".join(f"{one}\n" for one in answers).encode())
    assert ran.code == 0
    assert written() == text


def test_a_wrong_answer_is_asked_for_again_with_the_reason() -> None:
    said = at(terminal=True)(*ANSWERS["everything"][0], stdin="\n".join(ANSWERS["everything"][1]).encode()).err
    assert "'nobody' is no account: write ci, registry, or another account's ID" in said
    assert "'team at example' is not an e-mail address" in said


WRONG = {
    "no profile": ((), "--profile: '' is no profile: write --profile ALIAS=PROFILE for each account, and --hub-ac"),
    "no account of the hub": (BOTH, "--hub-account: '' is no account: write ci, registry, or another account's ID"),
    "another account of the hub": ((*BOTH, "--hub-account", "co"), "--hub-account: 'co' is no account: write ci, reg"),
    "no address": ((*GIVEN[:-1], "me"), "argument --email: 'me' is not an e-mail address"),
    "a webhook's URL": (
        (*GIVEN, "--webhook", "https://x"),
        "argument --webhook: 'https://...' is neither ssm:/NAME nor",
    ),
    "a role's ARN": (
        (*GIVEN, "--assume-role", "arn:aws:iam::1:role/x"),
        "argument --assume-role: 'arn:aws:iam::1:role",
    ),
    "GovCloud": ((*BOTH, "--hub-account", "ci/us-gov-west-1"), "ecr-warden.yaml is not valid; see the problems above"),
}


@pytest.mark.parametrize("case", WRONG)
def test_without_a_terminal_nothing_is_asked_and_nothing_written(case: str) -> None:
    given, says = WRONG[case]
    run = at()
    ran = run("init", *given)
    assert ran.code == 1
    assert (run.ways is not None) == (case == "GovCloud"), "no account is read before the options are right"
    assert ran.err.splitlines()[-1].startswith(f"ecr-warden: {says}")
    assert [*Path().iterdir()] == []


def test_input_that_ends_is_no_answer() -> None:
    ran = at(terminal=True)("init", *BOTH, stdin=b"nobody\n")
    assert (ran.code, [*Path().iterdir()]) == (1, [])


@pytest.mark.parametrize("name", ["access.yaml", "ecr-warden.yaml"])
def test_no_file_is_overwritten(name: str) -> None:
    Path(name).write_text("mine")
    ran = at()("init", *GIVEN)
    assert (ran.code, [one.read_text() for one in Path().iterdir()]) == (1, ["mine"])
    assert f"{name} exists, and nothing is overwritten; give the path of a new file" in ran.err


@pytest.mark.parametrize("path", ["team/a", "file", "file/a"])
def test_both_files_go_to_a_folder_that_is_there_or_nothing_is_read(path: str) -> None:
    Path("file").write_text("mine")
    run = at()
    ran = run("init", *GIVEN, "-o", path)
    assert (ran.code, run.ways, [one.name for one in Path().iterdir()]) == (1, None, ["file"])
    assert f"'{path}' is no directory; make one (mkdir -p) and give it as -o: both files go there" in ran.err


def test_a_folder_of_both_files_is_named_in_the_next_command() -> None:
    Path("team a").mkdir()
    ran = at()("init", *GIVEN, "-o", "team a")
    assert ran.last_line.startswith("  ecr-warden deploy 'team a/ecr-warden.yaml' --profile ci=ci-read")


ECR = (REGISTRY, "eu-central-1")
TRAILS = {
    "none": (seen(*ECR), 2, "the trail of registry (222222222222) in eu-central-1 is missing: it delivers the calls"),
    "one of another region": (
        seen(*ECR, {"multi": False, "selectors": []}),
        2,
        "the trail of registry (222222222222) in eu-central-1 is missing (aws-controltower-BaselineCloudTrail is of "
        "us-east-1 alone): it delivers the calls that change anything",
    ),
    "one that does not log": (seen(*ECR, {"logging": False}), 2, "in eu-central-1 is disabled (aws-controltower-Ba"),
    "nobody may look": (seen(*ECR, error="AWS denied cloudtrail:DescribeTrails"), 1, "in eu-central-1 could not be re"),
}


@pytest.mark.parametrize("case", TRAILS)
def test_a_region_without_a_trail_is_named_with_what_to_create(case: str) -> None:
    trail, code, says = TRAILS[case]
    ran = at(trail)("init", *GIVEN)
    assert ran.code == code
    assert says in ran.out
    assert says in " ".join(written().replace("\n#", "").split())
    command = "To have one: aws cloudtrail create-trail --name NAME --is-multi-region-trail"
    assert command in ran.out
    assert command in written()


@pytest.mark.parametrize("organizations", [(), (ORGANIZATION, "o-z9y8x7w6v5")], ids=["unread", "two"])
def test_an_organization_that_is_not_known_to_be_everybodys_is_not_named(organizations: Sequence[str]) -> None:
    assert at(organizations=organizations)("init", *GIVEN).code == 0
    assert "# With organization: {id: o-...} any account of yours" in written()


def test_what_was_not_read_ends_in_1_and_the_files_are_written() -> None:
    run = at()
    assert isinstance(run.entered, MemoryEntered)
    run.entered.cloud.entries[REGISTRY]["ecr"]["eu-central-1"].pop("repositories")
    ran = run("init", *GIVEN)
    assert ran.code == 1
    assert "NOT READ, so the spec lacks repositories of account registry (222222222222) in eu-central-1" in ran.err
    assert written().split("accounts:\n")[1].splitlines()[1:3] == [
        "  # not all of it could be read, so regions, writes and owners may lack something",
        '  registry: {id: "222222222222", writes: identities}',
    ]


DENIED: tuple[dict[str, Any], dict[str, Any]] = ({"iam": {}}, {"iam": {}, "ecr": {"eu-central-1": {}, "us-east-1": {}}})
READ: Mapping[str, tuple[tuple[dict[str, Any], dict[str, Any]], str]] = {
    "nothing": (
        DENIED,
        "nothing could be read of ci, registry, so no file is written; docs/import.md#1-import says what",
    ),
    "users and roles of one account": (({}, DENIED[1]), ""),
    "repositories of one account": ((DENIED[0], {"iam": {}}), ""),
    "everything, and nothing is there": (({}, {"ecr": {"eu-central-1": {"repositories": []}}}), ""),
}


@pytest.mark.parametrize("case", READ)
def test_where_nothing_could_be_read_no_file_is_written_and_that_is_said(case: str) -> None:
    others, says = READ[case]
    run = at()
    assert isinstance(run.entered, MemoryEntered)
    for account, instead in zip((CI, REGISTRY), others, strict=True):
        run.entered.cloud.entries[account] |= instead
    ran = run("init", *GIVEN)
    assert says in ran.err
    assert sorted(one.name for one in Path().iterdir()) == ([] if says else ["access.yaml", "ecr-warden.yaml"])
    if says:
        assert (ran.code, f"users and roles of account ci ({CI}): UserDetailList not" in ran.err) == (1, True)
        assert run("init", *GIVEN, "--json").json["error"]["code"] == "no-account-readable"


def named(*names: str) -> Command:
    """The account has these roles alone, and all of them pull."""
    run = at()
    assert isinstance(run.entered, MemoryEntered)
    entries = run.entered.cloud.entries
    [role] = entries[CI]["iam"]["RoleDetailList"]
    arns = [f"arn:aws:iam::{CI}:role/{name}" for name in names]
    ids = [f"AROA{number}" for number, _ in enumerate(names)]
    entries[CI]["iam"]["RoleDetailList"] = [
        role | {"Arn": arn, "RoleId": one, "RoleName": arn.rpartition("/")[2]}
        for arn, one in zip(arns, ids, strict=True)
    ]
    [repository] = entries[REGISTRY]["ecr"]["eu-central-1"]["repositories"]
    principals = "[" + ", ".join(f'"{arn}"' for arn in arns) + "]"
    repository["policy"] = repository["policy"].replace(f'"{NODE}"', principals)
    return run


def test_a_path_of_owners_alone_is_proposed_in_a_comment_and_a_name_that_fits_nowhere_is_one() -> None:
    assert named("ci/a", "ci/b", "app/c", "odd,name")("init", *GIVEN).code == 0
    assert (
        written()
        .split("accounts:\n")[1]
        .startswith(
            "  # no owner, for want of room or because of its name: ci:role/odd,name\n"
            "  # role/app/* would be the same today, and covers whoever comes there\n"
            "  # role/ci/* would be the same today, and covers whoever comes there\n"
            '  ci: {id: "111111111111", writes: identities, owners: [role/app/c, role/ci/a, role/ci/b]}\n'
        )
    )


def test_the_answer_as_json_says_where_both_files_are_and_what_comes_next() -> None:
    answer = at(seen(*ECR))("init", *GIVEN, "--json").json
    assert (answer["spec"], answer["deployment"], answer["import"]["spec"]) == ("access.yaml", "ecr-warden.yaml", None)
    assert [(one["account"], one["region"], one["state"]) for one in answer["trails"]] == [
        (CI, "us-east-1", "on"),
        (*ECR, "missing"),
        (REGISTRY, "us-east-1", "on"),
    ]
    assert answer["next"] == "ecr-warden deploy --profile ci=ci-read --profile registry=registry-read"


@pytest.mark.parametrize("page", ["README.md", "docs/deploy.md", "docs/how-to.md"])
def test_the_documented_edit_enforces_and_leaves_a_repository_with_an_outsider_observed(page: str) -> None:
    named = {"AWS": [NODE, "arn:aws:iam::999999999999:root"]}
    run = at()
    assert run.entries is not None
    [repository] = run.entries[REGISTRY]["ecr"]["eu-central-1"]["repositories"]
    statement = {"Effect": "Allow", "Principal": named, "Action": PULL}
    repository["policy"] = json.dumps({"Statement": statement})
    assert run("init", *GIVEN).code == 0
    before = load_spec(Path("access.yaml").read_bytes())
    [edit] = re.findall(r"^ +(sed -i .*)$", (ROOT / page).read_text(), re.MULTILINE)
    subprocess.run(shlex.split(edit), check=True)
    after = load_spec(Path("access.yaml").read_bytes())
    assert isinstance(before, Valid) and isinstance(after, Valid)
    assert [one.compiled.mode for one in (before, after)] == [Mode.OBSERVE, Mode.ENFORCE]
    modes = [spec.mode for key, spec in after.compiled.targets.items() if key.startswith("repository/")]
    assert modes == [Mode.OBSERVE]
