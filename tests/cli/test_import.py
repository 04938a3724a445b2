"""`import`: where it reads and writes, exit codes, and the summary."""

import json
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access_spec import Valid, load_spec
from local.testing.grown import CI, REGISTRY, RUN, grown
from local.testing.printed import complete_account
from tests.cli.command import Command, Ran
from tests.cli.wrong import WRONG, Wrong, name_of
from tests.template.cfn import ROOT

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
NODE = f"arn:aws:iam::{CI}:role/node"


def entries(*actions: str, **more: Any) -> dict[str, dict[str, Any]]:
    """A role that may pull everything, and a repository that lets it do some."""
    statement = {"Effect": "Allow", "Action": [*PULL, "ecr:GetAuthorizationToken"], "Resource": "*"}
    own = [{"PolicyName": "own", "PolicyDocument": {"Statement": statement}}]
    policy = {"Statement": {"Effect": "Allow", "Principal": {"AWS": NODE}, "Action": list(actions)}}
    repository = {"repositoryName": "shop/app", "policy": json.dumps(policy)}
    accounts: dict[str, dict[str, Any]] = {
        CI: {"iam": {"RoleDetailList": [{"Arn": NODE, "RoleId": "AROANODE", "RolePolicyList": own}]}},
        REGISTRY: {"iam": {}, "ecr": {"eu-central-1": {"repositories": [repository]}}, **more},
    }
    return {account: complete_account(entry) for account, entry in accounts.items()}


def command(*actions: str, **more: Any) -> Command:
    profiles = {"ci-read": (CI, "eu-central-1"), "registry-read": (REGISTRY, "eu-central-1"), "bare": (RUN, None)}
    return Command(entries=entries(*(actions or PULL), **more), accounts=profiles)


NAMED = ("--ours", "o-a1b2c3d4e5", "--ours", "github:acme")
BOTH = ("--profile", "ci=ci-read", "--profile", "registry=registry-read")


def test_the_accounts_of_profiles_become_a_spec_on_stdout_and_a_summary_on_stderr() -> None:
    run = command()
    ran = run("import", *BOTH)
    assert ran.code == 0
    loaded = load_spec(ran.out.encode())
    assert isinstance(loaded, Valid)
    assert [account.alias for account in loaded.spec.accounts] == ["ci", "registry"]
    assert "    pull: [ci:role/node]" in ran.out.splitlines()
    assert ran.err.splitlines() == [
        "repositories are read in eu-central-1 only, the profiles' own; to read others: --region",
        "documents: 1 equal, 1 change no access, 0 would change access",
        "pull access: 1 of 1 as grants, 100 %",
    ]
    assert run.profiles == {CI: "ci-read", REGISTRY: "registry-read"}


def test_a_profile_without_an_alias_gives_the_account_one_by_its_digits() -> None:
    assert 'account-2222: {id: "222222222222"' in command()("import", *BOTH[:2], "--profile", "registry-read").out


def test_a_misspelt_region_is_named_with_the_one_that_may_be_meant() -> None:
    said = "the region eu-centrl-1 is not known: did you mean eu-central-1? nothing may be there"
    assert said in command()("import", *BOTH, "--region", "eu-centrl-1").err.splitlines()
    assert "is not known" not in command()("import", *BOTH).err


def test_users_and_repositories_that_were_not_read_are_named_last_and_end_in_1() -> None:
    run = command()
    assert run.entries is not None
    run.entries[CI].pop("iam")
    run.entries[REGISTRY]["ecr"]["eu-central-1"].pop("repositories")
    ran = run("import", *BOTH)
    assert ran.code == 1
    where = "docs/import.md#1-import says what reading takes"
    assert ran.err.splitlines()[-2:] == [
        f"NOT READ, so the spec lacks users and roles of account ci ({CI}); {where}",
        f"NOT READ, so the spec lacks repositories of account registry ({REGISTRY}) in eu-central-1; {where}",
    ]


def test_the_summary_as_json_has_the_spec() -> None:
    ran = command(*PULL, "ecr:DescribeImages")("import", *BOTH, "--json")
    assert ran.code == 0
    answer = ran.json
    assert isinstance(load_spec(answer["spec"].encode()), Valid)
    assert (answer["documents"], answer["changes"]) == ({"equal": 1, "sameAccess": 1, "changed": 0}, [])
    assert answer["pullAccess"] == {"all": 1, "granted": 1}


def test_a_new_file_is_written_and_an_existing_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "access.yaml"
    run = command()
    ran = run("import", *BOTH, "-o", str(file))
    assert (ran.code, ran.out) == (0, "")
    written = file.read_bytes()
    assert isinstance(load_spec(written), Valid)
    again = run("import", *BOTH, "-o", str(file), "--json")
    assert again.code == 1
    assert again.json["error"]["code"] == "output-exists"
    assert file.read_bytes() == written


def test_an_existing_file_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    assert "exists, and nothing is overwritten" in Command()("import", *BOTH, "-o", str(tmp_path)).err
    assert "the name of the file is empty" in Command()("import", *BOTH, "-o", "").err


def test_a_file_in_no_folder_is_an_error(tmp_path: Path) -> None:
    ran = command()("import", *BOTH, "-o", str(tmp_path / "no" / "access.yaml"))
    assert ran.code == 1
    assert "cannot be written: No such file or directory; give another path" in ran.err


def test_with_a_file_json_has_no_spec(tmp_path: Path) -> None:
    assert command()("import", *BOTH, "-o", str(tmp_path / "a.yaml"), "--json").json["spec"] is None


def test_accounts_of_a_snapshot_are_named_by_their_last_digits() -> None:
    ran = _snapshot()
    loaded = load_spec(ran.out.encode())
    assert isinstance(loaded, Valid)
    assert {account.alias for account in loaded.spec.accounts} == {"account-1111", "account-2222", "account-3333"}
    assert ran.code == 0


def _snapshot(*argv: str, **parts: Any) -> Ran:
    snapshot = grown(12, 3).snapshot()
    snapshot["accounts"][REGISTRY] |= parts
    return Command()("import", "--snapshot", "-", *argv, stdin=json.dumps(snapshot).encode())


def test_the_page_shows_what_it_says_of_200_repositories_and_the_recipe_leads_there() -> None:
    snapshot = json.dumps(grown(200).snapshot()).encode()
    run = Command()("import", "--snapshot", "-", *NAMED, stdin=snapshot)
    page = (ROOT / "docs/import.md").read_text().partition("### The summary\n")[2]
    assert [line for line in run.err.splitlines()[:3] if f"\n{line}\n" not in page] == []
    assert "](import.md#the-summary)" in (ROOT / "docs/how-to.md").read_text()


def _with_outsiders() -> dict[str, dict[str, Any]]:
    """A repository that lets in an organization and somebody's account, and a role for the jobs of an owner."""
    named = {"AWS": [NODE, "arn:aws:iam::999999999999:root"]}
    statements = [{"Effect": "Allow", "Principal": named, "Action": PULL}]
    members = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    statements.append({"Effect": "Allow", "Principal": "*", "Action": PULL, "Condition": members})
    issuer = "token.actions.githubusercontent.com"
    claims = {
        "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": "repo:acme/shop:ref:refs/heads/main"}
    }
    provider = {"Federated": f"arn:aws:iam::{REGISTRY}:oidc-provider/{issuer}"}
    trust = {"Effect": "Allow", "Principal": provider, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": claims}
    push = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}
    made = entries(*PULL)
    made[REGISTRY]["ecr"]["eu-central-1"]["repositories"][0]["policy"] = json.dumps({"Statement": statements})
    made[REGISTRY]["iam"]["RoleDetailList"] = [
        {
            "Arn": f"arn:aws:iam::{REGISTRY}:role/github",
            "RoleId": "AROAGITHUB",
            "AssumeRolePolicyDocument": {"Statement": trust},
            "RolePolicyList": [{"PolicyName": "push", "PolicyDocument": {"Statement": push}}],
        }
    ]
    return made


NOBODY: tuple[str, ...] = ()
OF_GITHUB = "identity provider arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com, repo:acme"


@pytest.mark.parametrize(
    ("named", "left"),
    [
        (NOBODY, ["account 999999999999", OF_GITHUB, "organization o-a1b2c3d4e5"]),
        (NAMED, ["account 999999999999"]),
        ((*NAMED, "--ours", "999999999999"), []),
        (("--ours", "999999999999", "--ours", "github:other"), [OF_GITHUB, "organization o-a1b2c3d4e5"]),
        (("--ours", "github:acme@12"), ["account 999999999999", OF_GITHUB, "organization o-a1b2c3d4e5"]),
        (
            ("--ours", "token.actions.githubusercontent.com:repo:acme"),
            ["account 999999999999", "organization o-a1b2c3d4e5"],
        ),
        (("--ours", "gitlab.com:repo:acme", "--ours", "o-a1b2c3d4e5"), ["account 999999999999", OF_GITHUB]),
    ],
)
def test_whom_nobody_named_is_left_out_of_the_spec(named: tuple[str, ...], left: list[str]) -> None:
    run = command()
    run.entries = _with_outsiders()
    ran = run("import", *BOTH, *named, "--json")
    assert ran.json["outsiders"] == left
    loaded = load_spec(ran.json["spec"].encode())
    assert isinstance(loaded, Valid)
    assert ("mode: observe\n    pull" in ran.json["spec"]) == bool({*left} - {OF_GITHUB})
    assert [one.addresses[0].target.name for one in loaded.spec.literals] == (
        [] if OF_GITHUB in left else ["github"] * 2
    )
    said = " ".join(run("import", *BOTH, *named).err.split())
    assert f"left out, as nobody has named them: {', '.join(left)}; see outsider in the spec" in said or not left
    assert ("left out, as" in said) == bool(left)


def test_whoever_the_given_spec_names_is_named(tmp_path: Path) -> None:
    spec = tmp_path / "access.yaml"
    spec.write_text("""\
version: 1
accounts: {ci: {id: "111111111111"}, registry: {id: "222222222222", regions: [eu-central-1]}}
organizations: {acme: {id: o-a1b2c3d4e5}}
repositories:
  - {name: shop/x, account: registry, push: [{role: x, by: [{github: acme/other, branch: main}]}]}
""")
    run = command()
    run.entries = _with_outsiders()
    ran = run("import", "--spec", str(spec), *BOTH, "--json")
    assert ran.json["outsiders"] == ["account 999999999999"]


def test_the_repositories_of_a_half_readable_account_are_said_and_left_out() -> None:
    ran = command(unread=[{"what": "iam:GetAccountAuthorizationDetails", "code": "AccessDenied"}])("import", *BOTH)
    assert "not read: users and roles of account 222222222222: AccessDenied" in ran.out
    assert "pull: [ci:role/node]" in ran.out
    run = command()
    assert run.entries is not None
    registry = run.entries[REGISTRY]
    registry["ecr"]["eu-central-1"]["repositories"] = [{"repositoryName": "shop/app"}]
    registry["unread"] = [{"what": "ecr:GetRepositoryPolicy", "region": "eu-central-1", "code": "AccessDenied"}]
    left = run("import", *BOTH)
    assert left.code == 0
    assert "#   unread: its policy could not be read: AccessDenied" in left.out
    assert "1 target left out: see the end of the spec" in left.err


def test_pullers_of_an_account_that_was_not_read_stay_beside_no_grant() -> None:
    run = command()
    assert run.entries is not None
    run.entries[CI] = {"unread": [{"what": "iam:GetAccountAuthorizationDetails", "code": "AccessDenied"}]}
    ran = run("import", *BOTH)
    assert "    beside:" in ran.out.splitlines()
    assert "unread: arn:aws:iam::111111111111:role/node: the users and roles of its account were" in ran.out


@pytest.mark.parametrize("case", WRONG["import"], ids=name_of)
def test_wrong_usage_is_an_error(case: Wrong) -> None:
    argv = [word for given in case["argv"] for word in (BOTH if given == "BOTH" else (given,))]
    ran = command()("import", *argv)
    assert (ran.code, ran.out) == (1, "")
    assert case["says"] in ran.err


def test_given_regions_are_read() -> None:
    ran = command()("import", "--profile", "bare", "--region", "eu-west-1")
    assert (ran.code, "only, the profiles' own" in ran.err) == (0, False)
