"""`can-i`, `who-can`, `explain-denial`, `snapshot`: answers, exit codes and JSON; and what is asked wrongly."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.testing.printed import complete_account
from tests.cli.command import Command, Ran
from tests.cli.wrong import WRONG, Wrong, name_of
from tests.template.cfn import ROOT
from tests.unit.access.snapshots import AWAY, HOME, TOKEN, allow, document, role, user

_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_BUILDER = f"arn:aws:iam::{AWAY}:user/push-user"
_PULLER = f"arn:aws:iam::{AWAY}:user/pull-user-1"
_LEFT_OUT = f"arn:aws:iam::{AWAY}:user/left-out"
_SHADOW = f"arn:aws:iam::{HOME}:role/shadow-pusher"
_PUSHER = f"arn:aws:iam::{HOME}:role/ecr-pusher"
_MORE = ["ecr:BatchCheckLayerAvailability", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload"]
_PUSH = [*_MORE, "ecr:BatchGetImage", "ecr:PutImage", "ecr:UploadLayerPart"]
_HERE = f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/checkout"
EXAMPLE = ("--snapshot", str(ROOT / "examples/who-can/estate.json"))
SPEC = """\
version: 1
accounts:
  ci: {id: "111111111111"}
  registry: {id: "222222222222", regions: [eu-central-1]}
repositories:
  - name: shop/checkout
    account: registry
    pull: [ci:user/pull-user-1]
    push: [{role: ecr-pusher, by: [ci:user/push-user]}]
"""


def _accounts() -> dict[str, Any]:
    policy = document({"Effect": "Allow", "Principal": {"AWS": _PULLER}, "Action": _PULL})
    registry = {"repositories": [{"repositoryName": "shop/checkout", "policy": policy}], "registryPolicy": None}
    away = [
        user("push-user", allow("sts:AssumeRole", _PUSHER), account=AWAY),
        user("pull-user-1", allow(_PULL, _HERE), TOKEN, account=AWAY),
        user("left-out", account=AWAY),
    ]
    home = [
        role("ecr-pusher", {"AWS": _BUILDER}, allow(_PUSH, _HERE), TOKEN),
        role("shadow-pusher", {"AWS": "arn:aws:iam::999999999999:root"}, allow("ecr:*")),
    ]
    accounts: dict[str, dict[str, Any]] = {
        AWAY: {"iam": {"UserDetailList": away, "RoleDetailList": []}, "ecr": {}},
        HOME: {"iam": {"UserDetailList": [], "RoleDetailList": home}, "ecr": {"eu-central-1": registry}},
    }
    return {account: complete_account(entry) for account, entry in accounts.items()}


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    """`ask("can-i", "push", ...)` on the snapshot."""
    (tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": _accounts()}))
    (tmp_path / "access.yaml").write_text(SPEC)
    command = Command()

    def asked(*argv: str, stdin: bytes = b"") -> Ran:
        argv = tuple(str(tmp_path / "access.yaml") if one == "SPEC" else one for one in argv)
        return command(*argv, "--snapshot", str(tmp_path / "estate.json"), stdin=stdin)

    return asked


def test_a_yes_shows_its_chain(ask: Any) -> None:
    ran = ask("can-i", "--as", _BUILDER, "push", "shop/checkout")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == f"yes: {_BUILDER} can push shop/checkout"
    assert f"             as        {_PUSHER}" in ran.out


def test_a_no_says_what_is_missing_on_each_side(ask: Any) -> None:
    ran = ask("can-i", "--as", _LEFT_OUT, "push", "shop/checkout")
    assert ran.code == 2
    assert ran.out.splitlines()[0] == f"no: {_LEFT_OUT} cannot push shop/checkout"
    assert f"missing   no identity policy of {_LEFT_OUT} allows sts:AssumeRole" in ran.out
    assert f"missing   the trust policy of {_PUSHER} does not let {_LEFT_OUT} assume it" in ran.out
    assert " allows it" not in ran.out


def test_a_no_names_the_statement_whose_condition_does_not_hold() -> None:
    where = ("pull", "untagged", "--snapshot", str(ROOT / "bench/who-can/tags/estate.json"))
    ran = Command()("can-i", "--as", f"arn:aws:iam::{HOME}:user/team", *where, "--json")
    whose = f"identity policy own of arn:aws:iam::{HOME}:user/team"
    said = f'statement 1 of {whose} allows it only if aws:ResourceTag/Team is "shop"'
    assert [entry["unmet"] for entry in ran.json["missing"]] == [[said], []]
    assert f"but       {said}" in Command()("can-i", "--as", f"arn:aws:iam::{HOME}:user/team", *where).out
    assert "but " not in Command()("can-i", "--as", f"arn:aws:iam::{HOME}:user/frozen", *where).out


@pytest.mark.parametrize(
    ("access", "change"),
    [
        ("pull", "ecr-warden grant pull shop/checkout SPEC --to ci:user/left-out"),
        ("push", "ecr-warden grant push shop/checkout SPEC --to ci:user/left-out"),
        ("delete", None),
    ],
)
def test_a_no_says_what_the_spec_would_have_to_say(ask: Any, tmp_path: Path, access: str, change: str | None) -> None:
    change = change and change.replace("SPEC", str(tmp_path / "access.yaml"))
    argv = ("can-i", "--as", _LEFT_OUT, access, "shop/checkout", "--spec", "SPEC")
    assert ask(*argv, "--json").json["specChange"] == change
    ran = ask(*argv)
    assert "add       this statement:" not in ran.out
    do = change or "whoever owns shop/checkout decides: no grant gives it"
    assert ran.out.splitlines()[1] == f"do: {do}"


_OWN = "let the identity policy of ci:user/left-out allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer"
_ALREADY = "no grant gives this alone: the spec gives it already: see ecr-warden plan"
# What the spec gives already, of which somebody lacks their own part; whether the repository's is there; what to do.
ALREADY: dict[str, tuple[str, bool, str]] = {
    "to their whole account": ("{account: ci}", True, _OWN),
    "to their whole account, and the repository's part is missing too": ("{account: ci}", False, _ALREADY),
    "to their organization, for all that the spec knows": ("{organization: acme}", True, "ecr-warden grant pull"),
    "to themselves": ("ci:user/left-out", True, _ALREADY),
}


@pytest.mark.parametrize("case", ALREADY)
def test_a_no_of_what_the_spec_gives_says_whose_part_is_missing(case: str, tmp_path: Path) -> None:
    grant, is_there, do = ALREADY[case]
    acme = {"id": "o-a1b2c3d4e5", "path": "o-a1b2c3d4e5/r-ab12/", "management": False}
    accounts = _accounts()
    accounts[AWAY]["organization"] = acme
    let_in = {"Effect": "Allow", "Principal": "*", "Action": _PULL}
    of_acme = let_in | {"Condition": {"StringEquals": {"aws:PrincipalOrgID": acme["id"]}}}
    accounts[HOME]["ecr"]["eu-central-1"]["repositories"][0]["policy"] = document(of_acme) if is_there else None
    (estate := tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": accounts}))
    text = SPEC.replace("[ci:user/pull-user-1]", f"[{grant}]") + f"organizations: {{acme: {{id: {acme['id']}}}}}\n"
    (spec := tmp_path / "access.yaml").write_text(text)
    where = ("--spec", str(spec), "--snapshot", str(estate))
    ran = Command()("can-i", "--as", "ci:user/left-out", "pull", "shop/checkout", *where)
    assert (ran.code, ran.out.splitlines()[1].startswith(f"do: {do}")) == (2, True), ran.out


@pytest.mark.parametrize(
    ("who", "access", "lacking"),
    [
        (_LEFT_OUT, "pull", ["identity policy", "repository policy", "identity policy"]),
        (f"arn:aws:sts::{AWAY}:federated-user/bob", "push", ["repository policy"]),
    ],
    ids=["a pull, which a statement more gives", "a session of GetFederationToken, which cannot assume roles"],
)
def test_no_role_is_opened_in_vain(ask: Any, who: str, access: str, lacking: list[str]) -> None:
    """A role that may pull, such as a machine's or an outsider's, may do other things too."""
    ran = ask("can-i", "--as", who, access, "shop/checkout", "--json")
    assert (ran.json["answer"], ran.json["via"]) == ("no", [])
    assert [one["side"] for one in ran.json["missing"]] == lacking


@pytest.mark.parametrize(("expected", "code"), [("yes", 2), ("no", 0)])
def test_an_expected_answer_decides_the_exit_code(ask: Any, expected: str, code: int) -> None:
    ran = ask("can-i", "--as", _BUILDER, "pull", "shop/checkout", "--expect", expected)
    assert ran.code == code


def test_who_can_names_whom_the_spec_does_not_first(ask: Any, tmp_path: Path) -> None:
    ran = ask("who-can", "push", "222222222222/eu-central-1/shop/checkout", "--spec", "SPEC")
    lines = ran.out.splitlines()
    who = [(line[:5].strip(), *re.split(" {2,}", line[13:])) for line in lines if line[0] != " "]
    assert ("yes", f"{tmp_path}/access.yaml:9", "ci:user/push-user") in who
    assert who[1] == ("yes", "NOT IN SPEC", "registry:role/shadow-pusher")
    anybody = "anybody in account 999999999999 that the account itself allows sts:AssumeRole"
    assert who[0] == ("yes", "NOT IN SPEC", anybody)


def test_who_can_shows_an_outsider_once_more_besides_what_the_spec_gives(tmp_path: Path) -> None:
    accounts, users = _accounts(), {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}
    opening = {"Effect": "Allow", "Principal": "*", "Action": _PULL, "Resource": "*", "Condition": users}
    of_acme = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    given = {"Effect": "Allow", "Principal": "*", "Action": _PULL, "Condition": of_acme}
    registry = accounts[HOME]["ecr"]["eu-central-1"]
    registry["repositories"][0]["policy"] = document(given)
    (spec := tmp_path / "access.yaml").write_text(
        SPEC.replace("repositories:", "organizations: {acme: {id: o-a1b2c3d4e5}}\nrepositories:").replace(
            "pull: [ci:user/pull-user-1]", "pull: [{organization: acme}]"
        )
    )

    def rows(policy: Any) -> list[list[str]]:
        registry["registryPolicy"] = policy
        (estate := tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": accounts}))
        ran = Command()("who-can", "pull", "shop/checkout", "--spec", str(spec), "--snapshot", str(estate), "--json")
        anybody = [one for one in ran.json["classes"] if one["class"].startswith("anyone")]
        return [[str(one["inSpec"]), *one["conditions"]] for one in anybody]

    inside, outside = ('aws:PrincipalOrgID is "o-a1b2c3d4e5"', 'aws:PrincipalOrgID is not "o-a1b2c3d4e5"')
    assert rows(None) == [["True", inside]]
    assert rows(document(opening)) == [
        ["False", outside, 'aws:PrincipalArn matches "arn:aws:iam::*:user/*"'],
        ["True", inside],
    ]


_MFA: dict[str, Any] = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
GROUNDS = {
    "everything": ("administrator", "administrator", allow("*")),
    "everything with MFA": ("NOT IN SPEC", "none", allow("*", **_MFA)),
    "a push": ("NOT IN SPEC", "none", allow("ecr:*")),
}


@pytest.mark.parametrize("may", GROUNDS)
def test_an_administrator_is_called_one_where_the_report_says_so(may: str, tmp_path: Path) -> None:
    word, ground, statement = GROUNDS[may]
    accounts = _accounts()
    boss = user("boss", statement)
    accounts[HOME]["iam"]["UserDetailList"] = [boss]
    (spec := tmp_path / "access.yaml").write_text(SPEC)
    (estate := tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": accounts}))
    where = ("--spec", str(spec), "--snapshot", str(estate))
    (row,) = [
        one
        for one in Command()("who-can", "push", "shop/checkout", *where, "--json").json["principals"]
        if one["principal"] == boss["Arn"]
    ]
    assert (row["inSpec"], row["place"], row["ground"]) == (False, None, ground)
    assert word in Command()("can-i", "push", "shop/checkout", "--as", "boss", *where).out


def test_a_role_with_access_says_which_services_it_may_be_passed_to(tmp_path: Path) -> None:
    accounts = _accounts()
    accounts[HOME]["iam"]["RoleDetailList"].append(
        role("builds", {"Service": "codebuild.amazonaws.com"}, allow("ecr:*"))
    )
    (estate := tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": accounts}))
    ran = Command()("who-can", "push", "shop/checkout", "--snapshot", str(estate))
    lines = ran.out.splitlines()
    assert (
        "passed to    codebuild.amazonaws.com"
        in lines[lines.index(f"yes          arn:aws:iam::{HOME}:role/builds") + 1]
    )
    assert ran.out.count("passed to") == 1


def test_administrators_are_named_where_there_are_repositories_and_counted_elsewhere() -> None:
    ran = Command()("who-can", "admin", *EXAMPLE)
    assert ran.code == 0
    assert [line for line in ran.out.splitlines() if "administer" in line] == [
        "4 administer account 222222222222, by the policies that could be read",
        "0 administer account 111111111111, by the policies that could be read",
    ]
    registry, ci = Command()("who-can", "admin", *EXAMPLE, "--json").json["accounts"]
    found = {one["principal"].rpartition(":")[2]: one for one in registry["administrators"]}
    assert (ci["number"], ci["administrators"]) == (0, None)
    assert {name: (one["call"], one["anyAccess"]) for name, one in found.items()} == {
        "user/helpdesk": ("iam:CreateAccessKey", False),
        "user/admin": ("iam:PutUserPolicy", False),
        "role/shadow-pusher": ("ecr:SetRepositoryPolicy", False),
        "root": ("ecr:SetRepositoryPolicy", False),
    }


_GONE = {"PolicyArn": f"arn:aws:iam::{HOME}:policy/gone"}
_BOUNDED: dict[str, Any] = {"PermissionsBoundary": {"PermissionsBoundaryArn": _GONE["PolicyArn"]}}
# An identity of which a policy was not read, and what is unknown of it.
UNDECIDED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an attached policy": (user("ann", AttachedManagedPolicies=[_GONE]), ["policy/gone"]),
    "a boundary": (user("ann", allow("*"), **_BOUNDED), ["policy/gone"]),
    "the boundary of whoever may do little": (user("ann", allow("s3:*"), **_BOUNDED), []),
    "who may assume an administrator's role": (
        role("ann", {}, allow("*"), AssumeRolePolicyDocument="{"),
        ["trust policy of ann"],
    ),
    "who may assume a weak role": (role("ann", {}, allow("s3:*"), AssumeRolePolicyDocument="{"), []),
}


@pytest.mark.parametrize("case", UNDECIDED)
def test_whoever_may_administer_by_what_was_not_read_is_unknown(case: str, tmp_path: Path) -> None:
    one, expected = UNDECIDED[case]
    accounts = _accounts()
    accounts[HOME]["iam"]["RoleDetailList" if ":role/" in one["Arn"] else "UserDetailList"].append(one)
    (estate := tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": accounts}))
    ran = Command()("who-can", "admin", "--snapshot", str(estate), "--json")
    unknown = [text.partition(" was not read")[0] for text in ran.json["unknown"]]
    assert (ran.code, len(unknown)) == (len(expected), len(expected))
    assert all(text.endswith(end) for text, end in zip(unknown, expected, strict=True)), unknown
    said = Command()("who-can", "admin", "--snapshot", str(estate))
    assert all(text in said.err for text in ran.json["unknown"])


def test_who_can_without_a_repository_is_asked_of_administrators_alone() -> None:
    ran = Command()("who-can", "push", *EXAMPLE)
    assert (ran.code, "who-can without a repository; write who-can push REPOSITORY" in ran.err) == (1, True)


LISTED: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "all that they can do": ((), ["admin", "delete", "push", "pull"]),
    "a kind of access": (("push",), ["push"]),
    "an action": (("ecr:PutImage",), ["ecr:PutImage"]),
    "a repository": (("222222222222/eu-central-1/shop/checkout",), ["admin", "delete", "push", "pull"]),
    "the repositories of a pattern": (("delete", "shop/*"), ["delete"]),
    "a pattern alone": (("shop/*",), ["admin", "delete", "push", "pull"]),
}


@pytest.mark.parametrize("case", LISTED)
def test_what_is_left_out_of_a_question_is_listed(ask: Any, case: str) -> None:
    asked, accesses = LISTED[case]
    ran = ask("can-i", "--as", _SHADOW, *asked, "--json")
    assert {one["repository"] for one in ran.json["repositories"]} <= {"222222222222/eu-central-1/shop/checkout"}
    assert [one["access"] for one in ran.json["repositories"]] == accesses


# Who asks, and what they can do: the access, the answer, and by whom in the end.
LISTS = {
    "a key that can do nothing": (f"arn:aws:iam::{AWAY}:user/newcomer", set()),
    "a role": (_SHADOW, {(one, "yes", "") for one in ("pull", "push", "delete", "admin")}),
    "an account: everybody in it": (
        AWAY,
        {("pull", "yes", "user/pull-user-1"), ("push", "yes", "role/ecr-warden/ecr-pusher")},
    ),
}


@pytest.mark.parametrize("case", LISTS)
def test_what_somebody_can_do_is_listed(case: str) -> None:
    principal, expected = LISTS[case]
    answer = Command()("can-i", "--as", principal, "--json", *EXAMPLE).json
    found = {
        (
            row["access"],
            row["answer"],
            row["chain"][-1].rpartition(":")[2] if row["chain"][-1] != principal else "",
        )
        for row in answer["repositories"]
    }
    assert (answer["principal"], found) == (principal, expected)


DENIAL = (
    f"denied: User: {_BUILDER} is not authorized to perform: ecr:BatchGetImage on resource: {_HERE} "
    "because   no identity-based policy allows the ecr:BatchGetImage action"
)


CONTROL: dict[str, tuple[tuple[str, ...], str]] = {
    "nothing": ((), "yes"),
    "a policy of the pusher's account that denies": (("--scp", f"{HOME}=DENY"), "no"),
    "one of another account": (("--scp", f"{AWAY}=DENY"), "yes"),
    "one of all accounts": (("--scp", "DENY"), "no"),
    "a resource control policy of the repository's account": (("--rcp", f"{HOME}=DENY"), "no"),
    "a resource control policy of another account": (("--rcp", f"{AWAY}=DENY"), "yes"),
}


@pytest.mark.parametrize("name", CONTROL)
def test_control_policies_from_files_count(ask: Any, tmp_path: Path, name: str) -> None:
    options, expected = CONTROL[name]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Resource": "*"}
    if "--scp" in options:
        deny.pop("Principal")
    (tmp_path / "deny.json").write_text(json.dumps(document(deny)))
    options = tuple(one.replace("DENY", str(tmp_path / "deny.json")) for one in options)
    ran = ask("can-i", "--as", _PUSHER, "push", "shop/checkout", *options)
    assert ran.out.partition(":")[0] == expected


def test_control_policies_of_an_account_that_is_not_there_are_refused(ask: Any) -> None:
    ran = ask("can-i", "--as", _PUSHER, "push", "shop/checkout", "--scp", "333333333333=deny.json")
    assert (ran.code, ran.out) == (1, "")
    assert f"account 333333333333 is not in the input; it has {AWAY}, {HOME}" in ran.err


def test_who_and_what_has_the_same_name_elsewhere_is_named_in_full(tmp_path: Path) -> None:
    accounts = _accounts()
    namesake = f"arn:aws:iam::{HOME}:user/pull-user-1"
    accounts[HOME]["iam"]["UserDetailList"] = [user("pull-user-1", allow(_PULL, "*"), TOKEN)]
    accounts[HOME]["ecr"]["us-east-1"] = accounts[HOME]["ecr"]["eu-central-1"]
    snapshot = tmp_path / "estate.json"
    snapshot.write_text(json.dumps({"schema": 1, "accounts": accounts}))

    def ask(*argv: str) -> list[str]:
        return Command(columns=1000)(*argv, "--snapshot", str(snapshot)).out.splitlines()

    here, there = f"{HOME}/eu-central-1/shop/checkout", f"{HOME}/us-east-1/shop/checkout"
    assert [line.split() for line in ask("who-can", "pull", here)[2:5]] == [
        ["yes", _PULLER],
        ["yes", _SHADOW],
        ["yes", namesake],
    ]
    assert ask("can-i", "--as", namesake, "pull", here)[0] == f"yes: {namesake} can pull {here}"
    assert [line.split() for line in ask("can-i", "--as", namesake)[:2]] == [
        ["yes", "pull", here],
        ["yes", "pull", there],
    ]


@pytest.mark.parametrize("case", WRONG["questions"], ids=name_of)
def test_wrong_questions_are_named_errors(ask: Any, case: Wrong) -> None:
    ran = ask(*case["argv"])
    assert ran.code == 1
    assert case["says"] in ran.err
    assert not ran.out


@pytest.mark.parametrize("who", ["ci:user/push-user", "user/push-user", "push-user", f"user/{AWAY}/push-user"])
def test_a_user_is_written_in_any_way(who: str) -> None:
    given = ("--spec", str(ROOT / "examples/seed/access.yaml"))
    for source in ((*EXAMPLE, *given), given):
        for words in (("push", "shop/checkout"), ()):
            by_name, by_arn = (Command()("can-i", "--as", one, *words, *source) for one in (who, _BUILDER))
            assert (by_name, by_name.code) == (by_arn, 0)
            assert "identity-policy" not in by_name.out


def test_of_several_of_one_name_none_is_taken(ask: Any, tmp_path: Path) -> None:
    accounts = _accounts()
    accounts[HOME]["iam"]["UserDetailList"] = [user("push-user")]
    (tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": accounts}))
    ran = ask("can-i", "--as", "push-user", "--spec", "SPEC")
    assert "2 users and roles are called push-user; write one of ci:user/push-user, registry:user/push" in ran.err


def test_whose_credentials_are_used_is_asked_where_nobody_is_named(ask: Any) -> None:
    command = Command(entries=_accounts(), accounts={"ci-read": (AWAY, "eu-central-1"), None: (AWAY, None)})
    assert "user/push-user: " in command("can-i", "--profile", "ci=ci-read").last_line
    assert command("can-i", "push", "shop/checkout", *EXAMPLE).out.startswith(f"yes: {_BUILDER} can push")
    ran = command("can-i", "--profile", "ci=ci-read", "--profile", "ci=other")
    assert "nobody is named, and there are several profiles; add --as WHO" in ran.err


def test_each_access_in_a_list_has_its_line_of_the_spec_or_none(ask: Any, tmp_path: Path) -> None:
    file = f"{tmp_path}/access.yaml"
    rows = [ask("can-i", "--as", who, "--spec", "SPEC").out.splitlines() for who in ("pull-user-1", "shadow-pusher")]
    assert rows[0][0] == f"yes          pull    shop/checkout: {file}:8"
    not_in_spec = [line.split()[1] for line in rows[1] if line.endswith(" shop/checkout: NOT IN SPEC")]
    assert not_in_spec == ["admin", "delete", "push", "pull"]
    [row] = ask("can-i", "--as", "push-user", "--spec", "SPEC", "--json").json["repositories"]
    assert (row["inSpec"], row["place"], row["access"]) == (True, f"{file}:9", "push")
    assert f"spec      {file}:9" in ask("can-i", "push", "shop/checkout", "--as", "push-user", "--spec", "SPEC").out


GIVEN = ROOT / "tests" / "cases" / "access" / "given.yaml"
_JOBS = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"
_CI = f"arn:aws:iam::{AWAY}:root"
_ROLE = f"arn:aws:iam::{HOME}:role/ecr-warden"
# What is asked, and who can, by which line
ALONE: dict[str, tuple[tuple[str, str], set[tuple[str, int]]]] = {
    "a team, a set, a service, an organization, a role that may pull": (
        ("pull", "shop/checkout"),
        {
            *((f"arn:aws:iam::{AWAY}:user/anna", 12), (_CI, 13), ("lambda.amazonaws.com", 14), ("*", 15)),
            *((f"{_ROLE}/ecr-pusher", 17), (f"arn:aws:iam::{AWAY}:user/ben", 17), (_JOBS, 17)),
            (f"arn:aws:iam::{AWAY}:role/build", 15),
        },
    ),
    "a role, a user and jobs": (
        ("push", "shop/checkout"),
        {(f"{_ROLE}/ecr-pusher", 17), (f"arn:aws:iam::{AWAY}:user/ben", 17), (_JOBS, 17)},
    ),
    "a repository of a pattern": (("pull", "shop/cart"), {(_CI, 25), (f"arn:aws:iam::{AWAY}:role/build", 25)}),
    "a pattern": (
        ("push", "shop/*"),
        {(f"{_ROLE}/other-pusher", 26), (f"arn:aws:iam::{AWAY}:role/build", 26)},
    ),
    "a literal document": (("pull", "legacy/app"), {(_CI, 28)}),
}


@pytest.mark.parametrize("case", ALONE)
def test_a_spec_alone_says_whom_it_gives_access_by_which_line(case: str) -> None:
    (access, repository), expected = ALONE[case]
    answer = Command()("who-can", access, repository, "--spec", str(GIVEN), "--json").json
    found = answer["repositories"][-1] if "*" in repository else answer
    rows = [*found["principals"], *found["classes"]]
    assert {(row["principal"], int(row["place"].removeprefix(f"{GIVEN}:"))) for row in rows} == expected
    assert found["notLookedAt"] == [
        "no account was read: this is what the spec gives; to ask the policies, add --profile or --snapshot"
    ]


# Whom a spec does not name: nobody's account
NOBODY = {
    "a user in one of its accounts": ("ci:user/x", "no: ci:user/x cannot pull shop/checkout"),
    "a user elsewhere": ("arn:aws:iam::999999999999:user/x", "no: arn:aws:iam::999999999999:user/x cannot pull"),
}


@pytest.mark.parametrize("case", NOBODY)
def test_whom_a_spec_does_not_name_has_nothing_by_it_alone(case: str, tmp_path: Path) -> None:
    who, said = NOBODY[case]
    (file := tmp_path / "access.yaml").write_text(SPEC)
    ran = Command()("can-i", "pull", "shop/checkout", "--as", who, "--spec", str(file))
    assert (ran.code, ran.out.startswith(said)) == (2, True)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (
            "ecr:PutImages",
            "ecr:PutImages is not an action of ECR as of 2026-04 (did you mean ecr:PutImage?)",
        ),
        ("ecr:Fly", "ecr:Fly is not an action of ECR as of 2026-04"),
        ("ecr:putimage", None),
        ("push", None),
    ],
)
def test_an_action_that_may_not_exist_is_answered_and_named(ask: Any, action: str, said: str | None) -> None:
    ran = ask("who-can", action, "shop/checkout")
    assert _SHADOW.rpartition(":")[2] in ran.out
    noted = [line for line in ran.err.splitlines() if "not an action" in line]
    assert noted == ([f"{said}: to allow it may do nothing"] if said else [])


def test_where_no_repository_was_read_the_hub_is_named(tmp_path: Path) -> None:
    """`--profile ci` is the profile for the hub in `status`, and here the one account that is read."""
    file = tmp_path / "estate.json"
    file.write_text(json.dumps({"schema": 1, "accounts": {AWAY: _accounts()[AWAY]}}))
    ran = Command()("who-can", "pull", "shop/checkout", "--snapshot", str(file))
    assert ran.code == 1
    assert "nor any other; read the account and region that have it, or ask the hub: --hub" in ran.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("who-can", "pull", "shop/checkout", "--snapshot", "-", "--spec", "-"), "- for two files"),
        (("who-can", "pull", "shop/checkout", "--snapshot", "-", "--scp", f"{HOME}=-"), "- for two files"),
        (("explain-denial", "--snapshot", "-"), "- for a file, and the error message from stdin"),
        (("explain-denial", "-", "--snapshot", "-"), "- for a file, and the error message from stdin"),
    ],
)
def test_stdin_is_read_once(argv: tuple[str, ...], said: str) -> None:
    ran = Command()(*argv, stdin=DENIAL.encode())
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


def test_on_a_terminal_explain_denial_says_what_it_reads(tmp_path: Path) -> None:
    (tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": _accounts()}))
    ran = Command(terminal=True)("explain-denial", "--snapshot", str(tmp_path / "estate.json"), stdin=DENIAL.encode())
    assert "paste the message of the denied call, end with Ctrl-D" in ran.err
    assert "cannot pull shop/checkout" in ran.out


NOT_SNAPSHOTS = {
    "a file that was cut off": (b'{"schema": 1', "not JSON at line 1 column 13; write a snapshot with"),
    "a spec": (SPEC.encode(), "not JSON at line 1 column 1; write a snapshot with"),
    "bytes": (b"\xff\xfe\x00", "not JSON; write a snapshot with"),
    "a list": (b"[]", "not an object; write a snapshot with"),
    "an object of something else": (b"{}", "no schema; this version reads schema 1; write a snapshot with"),
}


@pytest.mark.parametrize("case", NOT_SNAPSHOTS)
def test_a_file_that_is_not_a_snapshot_is_named(tmp_path: Path, case: str) -> None:
    content, said = NOT_SNAPSHOTS[case]
    file = tmp_path / "estate.json"
    file.write_bytes(content)
    ran = Command()("who-can", "pull", "shop/checkout", "--snapshot", str(file))
    assert (ran.code, ran.out) == (1, "")
    assert f"{file}: {said}" in ran.err


def test_a_no_about_access_says_that_administering_an_account_is_another_question(ask: Any) -> None:
    for who, asked, says in (
        (_LEFT_OUT, (), True),
        (_LEFT_OUT, ("admin", "shop/checkout"), True),
        (_LEFT_OUT, ("pull", "shop/checkout"), False),
        (_SHADOW, (), False),
        (_SHADOW, ("admin", "shop/checkout"), False),
    ):
        ran = ask("can-i", *asked, "--as", who)
        assert ("see ecr-warden who-can admin, without REPOSITORY" in ran.err) is says
        noted = ask("can-i", *asked, "--as", who, "--json").json["notLookedAt"]
        assert any("see ecr-warden who-can admin" in note for note in noted) is says


@pytest.mark.parametrize(
    ("who", "counted"),
    [(_BUILDER, "user/push-user: 1 kind of access"), (_SHADOW, "role/shadow-pusher: 4 kinds of access")],
)
def test_kinds_of_access_are_counted(ask: Any, who: str, counted: str) -> None:
    assert counted in ask("can-i", "--as", who).out


def test_two_repositories_of_one_name_are_told_apart_by_their_place(tmp_path: Path) -> None:
    accounts = _accounts()
    accounts[HOME]["ecr"]["us-east-1"] = accounts[HOME]["ecr"]["eu-central-1"]
    (tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": accounts}))
    source = ("--snapshot", str(tmp_path / "estate.json"))
    ran = Command()("who-can", "pull", "shop/checkout", *source)
    assert ran.code == 1
    assert "222222222222/us-east-1/shop/checkout" in ran.err
    assert Command()("who-can", "pull", "222222222222/us-east-1/shop/checkout", *source).code == 0


_GITHUB = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"


def _of_jobs(tmp_path: Path, **more: Any) -> str:
    """A snapshot whose push role trusts GitHub's provider for the audience sts."""
    accounts = _accounts()
    jobs = role("ecr-pusher", {"Federated": _GITHUB}, allow(_PUSH, _HERE), TOKEN)
    [statement] = jobs["AssumeRolePolicyDocument"]["Statement"]
    statement["Action"] = "sts:AssumeRoleWithWebIdentity"
    statement["Condition"] = {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts"}}
    accounts[HOME]["iam"]["RoleDetailList"] = [jobs]
    accounts[HOME] |= more
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps({"schema": 1, "accounts": accounts}))
    return str(path)


@pytest.mark.parametrize(
    ("providers", "classes", "problem"),
    [
        ({}, 1, ""),
        ({"oidcProviders": []}, 0, "missing"),
        ({"oidcProviders": [_GITHUB]}, 1, ""),
        ({"oidcProviders": [{"Arn": _GITHUB, "ClientIDList": ["other"]}]}, 1, "audience"),
        ({"oidcProviders": [{"Arn": _GITHUB, "ClientIDList": ["sts"]}]}, 1, ""),
        ({"unread": [{"what": "iam:ListOpenIDConnectProviders", "code": "AccessDenied"}]}, 1, ""),
    ],
    ids=["not in the snapshot", "none", "by its ARN alone", "another audience", "its audience", "not read"],
)
def test_who_can_says_whose_identity_provider_is_not_there(
    tmp_path: Path, providers: dict[str, Any], classes: int, problem: str
) -> None:
    path = _of_jobs(tmp_path, **providers)
    answer = Command()("who-can", "push", "shop/checkout", "--snapshot", path, "--json").json
    assert len(answer["classes"]) == classes
    assert [gap["problem"] for gap in answer["providerGaps"]] == ([problem] if problem else [])
    ran = Command()("who-can", "push", "shop/checkout", "--snapshot", path)
    assert ("the identity provider token.actions.githubusercontent.com" in ran.out) is bool(problem)
    assert ("  aws iam " in ran.out) is bool(problem)


def test_a_provider_that_does_not_exist_is_no_principal(tmp_path: Path) -> None:
    asked = ("can-i", "--as", _GITHUB, "push", "shop/checkout", "--snapshot")
    ran = Command()(*asked, _of_jobs(tmp_path, oidcProviders=[]))
    assert ran.code == 1
    assert f"account {HOME} has no oidc-provider/token.actions.githubusercontent.com" in ran.err
    assert Command()(*asked, _of_jobs(tmp_path, oidcProviders=[_GITHUB])).code == 2
