"""`can-i`, `who-can`, `explain-denial`, `snapshot`: answers, exit codes and JSON; and what is asked wrongly."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.testing.printed import complete_account
from tests.cli.command import Command, Ran
from tests.template.cfn import ROOT
from tests.unit.access.snapshots import AWAY, HOME, TOKEN, allow, document, role, user

_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_BUILDER = f"arn:aws:iam::{AWAY}:user/push-user"
_PULLER = f"arn:aws:iam::{AWAY}:user/pull-user-1"
_SHADOW = f"arn:aws:iam::{HOME}:role/shadow-pusher"
_PUSHER = f"arn:aws:iam::{HOME}:role/ecr-pusher"
_MORE = ["ecr:BatchCheckLayerAvailability", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload"]
_PUSH = [*_MORE, "ecr:BatchGetImage", "ecr:PutImage", "ecr:UploadLayerPart"]
_HERE = f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/checkout"
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
    ran = ask("can-i", _BUILDER, "push", "shop/checkout")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == "yes: user/push-user can push shop/checkout"
    assert "             as        role/ecr-pusher" in ran.out


def test_a_no_says_what_is_missing_on_each_side(ask: Any) -> None:
    ran = ask("can-i", f"arn:aws:iam::{AWAY}:user/left-out", "push", "shop/checkout")
    assert ran.code == 2
    assert ran.out.splitlines()[0] == "no: user/left-out cannot push shop/checkout"
    assert "missing   no identity policy of user/left-out allows sts:AssumeRole" in ran.out
    assert "missing   the trust policy of role/ecr-pusher does not let user/left-out assume it" in ran.out
    assert " allows it" not in ran.out


def test_a_no_names_the_statement_whose_condition_does_not_hold() -> None:
    where = ("pull", "untagged", "--snapshot", str(ROOT / "bench/who-can/tags/estate.json"))
    ran = Command()("can-i", f"arn:aws:iam::{HOME}:user/team", *where, "--json")
    said = 'statement 1 of identity policy own of user/team allows it only if aws:ResourceTag/Team is "shop"'
    assert [entry["unmet"] for entry in ran.json["missing"]] == [[said], []]
    assert f"but       {said}" in Command()("can-i", f"arn:aws:iam::{HOME}:user/team", *where).out
    assert "but " not in Command()("can-i", f"arn:aws:iam::{HOME}:user/frozen", *where).out


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
    argv = ("can-i", f"arn:aws:iam::{AWAY}:user/left-out", access, "shop/checkout", "--spec", "SPEC")
    assert ask(*argv, "--json").json["specChange"] == change
    ran = ask(*argv)
    assert "add       this statement:" not in ran.out
    do = change or "whoever owns shop/checkout decides: no grant gives it"
    assert ran.out.splitlines()[1] == f"do: {do}"


def test_no_role_is_opened_for_a_pull_which_a_statement_more_gives_without_it(ask: Any) -> None:
    """A role that may pull, such as a machine's or an outsider's, may do other things too."""
    ran = ask("can-i", f"arn:aws:iam::{AWAY}:user/left-out", "pull", "shop/checkout", "--json")
    assert (ran.json["answer"], ran.json["via"]) == ("no", [])
    sides = [one["side"] for one in ran.json["missing"]]
    assert sides == ["identity policy", "repository policy", "identity policy"]


@pytest.mark.parametrize(("expected", "code"), [("yes", 2), ("no", 0)])
def test_an_expected_answer_decides_the_exit_code(ask: Any, expected: str, code: int) -> None:
    ran = ask("can-i", _BUILDER, "pull", "shop/checkout", "--expect", expected)
    assert ran.code == code


def test_can_i_as_json(ask: Any) -> None:
    ran = ask("can-i", _BUILDER, "push", "shop/checkout", "--json")
    assert set(ran.json) == {
        *(
            "schema",
            "answer",
            "chain",
            "because",
            "missing",
            "do",
            "commands",
            "via",
            "conditions",
            "docker",
            "unknown",
            "notLookedAt",
            "specChange",
        ),
    }
    assert ran.json["answer"] == "yes"
    assert ran.json["chain"] == [_BUILDER, _PUSHER]


def test_who_can_names_whom_the_spec_does_not(ask: Any) -> None:
    ran = ask("who-can", "push", "222222222222/eu-central-1/shop/checkout", "--spec", "SPEC")
    lines = ran.out.splitlines()
    assert "yes          spec         user/push-user" in lines
    assert "yes          NOT IN SPEC  role/shadow-pusher" in lines
    anybody = "yes          NOT IN SPEC  anybody in account 999999999999 that the account itself allows sts:AssumeRole"
    assert anybody in lines


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
        ["True", inside],
        ["False", outside, 'aws:PrincipalArn matches "arn:aws:iam::*:user/*"'],
    ]


def test_who_can_as_json(ask: Any) -> None:
    ran = ask("who-can", "push", "shop/checkout", "--spec", "SPEC", "--json")
    found = {one["principal"]: (one["inSpec"], one["via"]) for one in ran.json["principals"]}
    assert found == {_BUILDER: (True, "role"), _PUSHER: (True, "direct"), _SHADOW: (False, "direct")}
    (anybody,) = ran.json["classes"]
    assert anybody["inSpec"] is False
    assert anybody["chain"][-1] == _SHADOW


LISTED: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "all that they can do": ((), ["pull", "push", "delete", "admin"]),
    "a kind of access": (("push",), ["push"]),
    "an action": (("ecr:PutImage",), ["ecr:PutImage"]),
    "a repository": (("222222222222/eu-central-1/shop/checkout",), ["pull", "push", "delete", "admin"]),
    "the repositories of a pattern": (("delete", "shop/*"), ["delete"]),
    "a pattern alone": (("shop/*",), ["pull", "push", "delete", "admin"]),
}


@pytest.mark.parametrize("case", LISTED)
def test_what_is_left_out_of_a_question_is_listed(ask: Any, case: str) -> None:
    asked, accesses = LISTED[case]
    ran = ask("can-i", _SHADOW, *asked, "--json")
    assert {one["repository"] for one in ran.json["repositories"]} <= {"222222222222/eu-central-1/shop/checkout"}
    assert [one["access"] for one in ran.json["repositories"]] == accesses


EXAMPLE = ("--snapshot", str(ROOT / "examples/who-can/estate.json"))
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
    answer = Command()("can-i", principal, "--json", *EXAMPLE).json
    found = {
        (
            row["access"],
            row["answer"],
            row["chain"][-1].rpartition(":")[2] if row["chain"][-1] != principal else "",
        )
        for row in answer["repositories"]
    }
    assert (answer["principal"], found) == (principal, expected)


def test_an_account_that_was_not_read_is_an_error() -> None:
    ran = Command()("can-i", "333333333333", *EXAMPLE)
    assert (ran.code, "account 333333333333 was not read" in ran.err) == (1, True)


DENIAL = (
    f"denied: User: {_BUILDER} is not authorized to perform: ecr:BatchGetImage on resource: {_HERE} "
    "because   no identity-based policy allows the ecr:BatchGetImage action"
)


def test_a_denial_is_explained_from_its_message(ask: Any) -> None:
    ran = ask("explain-denial", stdin=DENIAL.encode())
    assert ran.code == 2
    assert "no: user/push-user cannot pull shop/checkout" in ran.out
    assert "changed after this message" not in ran.out
    assert "missing   no identity policy of user/push-user allows ecr:BatchGetImage" in ran.out


@pytest.mark.parametrize(
    ("message", "means"),
    [
        ("no basic auth credentials", "docker has no credentials for 222222222222.dkr.ecr"),
        ("denied: Your authorization token has expired. Reauthenticate and try again.", "have expired"),
        ("denied: Your Authorization Token has expired. Please run 'aws ecr get-login'", "have expired"),
    ],
)
def test_a_denial_without_credentials_says_how_to_sign_in(ask: Any, message: str, means: str) -> None:
    image = f"{HOME}.dkr.ecr.eu-central-1.amazonaws.com/shop/checkout:1"
    ran = ask("explain-denial", "--as", _PULLER, stdin=f"{image}: {message}".encode())
    assert means in ran.out.splitlines()[0]
    assert "aws ecr get-login-password --region eu-central-1" in ran.out
    assert ran.code == 1
    assert not ran.out.startswith(("yes", "no:"))


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
    ran = ask("can-i", _PUSHER, "push", "shop/checkout", *options)
    assert ran.out.partition(":")[0] == expected


def test_control_policies_of_an_account_that_is_not_there_are_refused(ask: Any) -> None:
    ran = ask("can-i", _PUSHER, "push", "shop/checkout", "--scp", "333333333333=deny.json")
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
    assert [line.split() for line in ask("who-can", "pull", here)[:3]] == [
        ["yes", _PULLER],
        ["yes", "role/shadow-pusher"],
        ["yes", namesake],
    ]
    assert ask("can-i", namesake, "pull", here)[0] == f"yes: {namesake} can pull {here}"
    assert [line.split() for line in ask("can-i", namesake)[:2]] == [["yes", "pull", here], ["yes", "pull", there]]


def test_a_snapshot_is_written_and_read(tmp_path: Path) -> None:
    (tmp_path / "access.yaml").write_text(SPEC)
    command = Command(entries=_accounts())
    written = command("snapshot", "--spec", str(tmp_path / "access.yaml"))
    assert written.json["takenAt"]
    read = command("can-i", _BUILDER, "push", "shop/checkout", "--snapshot", "-", stdin=written.out.encode())
    assert read.out.startswith("yes: ")


WRONG = {
    "an answer that is expected of a list": (
        ("can-i", _PULLER, "pull", "--expect", "yes"),
        "--expect without one question; add ACCESS and the name of one REPOSITORY",
    ),
    "a repository that is not there": (("can-i", _PULLER, "pull", "other"), 'no repository "other" in'),
    "a repository without a name": (("who-can", "pull", ""), 'no repository "" in'),
    "a misspelt repository": (("who-can", "pull", "shop/chekout"), "(did you mean shop/checkout?)"),
    "a misspelt region": (
        ("who-can", "pull", f"{HOME}/eu-centrl-1/shop/checkout"),
        f"(did you mean {HOME}/eu-central-1/shop/checkout?)",
    ),
    "an access that is none": (("can-i", _PULLER, "read", "shop/checkout"), "not a kind of access: read"),
    "an action of another service": (("who-can", "s3:GetObject", "shop/checkout"), "not a kind of access"),
    "an action with a wildcard": (("who-can", "ecr:*", "shop/checkout"), "not a kind of access"),
    "a user who is not there": (("can-i", f"arn:aws:iam::{HOME}:user/none"), "has no user/none"),
    "a misspelt user": (("can-i", f"{_PULLER}s"), f"(did you mean {_PULLER.rpartition(':')[2]}?); get its ARN"),
    "a misspelt access": (("who-can", "psh", "shop/checkout"), "not a kind of access: psh (did you mean push?)"),
    "a user as in a spec that is not given": (
        ("can-i", "ci:user/push-user"),
        f"not the ARN of a principal: ci:user/push-user (did you mean {_BUILDER}?); write the ARN",
    ),
    "a role as who-can prints it": (("can-i", "role/shadow-pusher"), f"(did you mean {_SHADOW}?)"),
    "control policies in no file": (
        ("who-can", "pull", "shop/checkout", "--scp", "gone"),
        "there is no file gone; give a policy document, or a list of documents for each level",
    ),
    "control policies that are a spec": (
        ("who-can", "pull", "shop/checkout", "--scp", "SPEC"),
        "access.yaml: not JSON",
    ),
    "control policies that are none": (
        ("who-can", "pull", "shop/checkout", "--scp", f"{HOME}=examples/who-can/estate.json"),
        f"estate.json: service control policy 1.1 of account {HOME}: not a policy document",
    ),
    "a second snapshot": (
        ("who-can", "pull", "shop/checkout", "--snapshot", "examples/who-can/estate.json"),
        "--snapshot is given twice",
    ),
    "an account ID that lacks a digit": (("can-i", "arn:aws:iam::11111111111:user/push-user"), "with all 12 digits"),
    "an ARN of a bucket": (("can-i", "arn:aws:s3:::bucket"), "not the ARN of a principal"),
    "a name without an ARN": (("can-i", "push-user"), f"(did you mean {_BUILDER}?)"),
    "a name without an ARN, of nobody": (
        ("can-i", "user"),
        "not the ARN of a principal: user; write the ARN of a user, role or session, ALIAS:user/NAME as in the spec",
    ),
    "everybody": (("can-i", "*"), "not the ARN of a principal"),
    "a message that says nothing": (("explain-denial",), "the message is empty; paste what docker"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_questions_are_named_errors(ask: Any, name: str) -> None:
    argv, words = WRONG[name]
    ran = ask(*argv)
    assert ran.code == 1
    assert words in ran.err
    assert not ran.out


def test_a_user_is_written_as_in_the_spec_where_one_is_given() -> None:
    given = (
        "--snapshot",
        str(ROOT / "examples/who-can/estate.json"),
        "--spec",
        str(ROOT / "examples/seed/access.yaml"),
    )
    for words in (("push", "shop/checkout"), ()):
        by_name, by_arn = (Command()("can-i", who, *words, *given) for who in ("ci:user/push-user", _BUILDER))
        assert by_name == by_arn
        assert by_name.code == 0


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("ecr:PutImages", "ecr:PutImages is not an action of ECR as of 2026-04 (did you mean ecr:PutImage?)"),
        ("ecr:Fly", "ecr:Fly is not an action of ECR as of 2026-04"),
        ("ecr:putimage", None),
        ("push", None),
    ],
)
def test_an_action_that_may_not_exist_is_answered_and_named(ask: Any, action: str, said: str | None) -> None:
    ran = ask("who-can", action, "shop/checkout")
    assert _SHADOW.rpartition(":")[2] in ran.out
    assert [line for line in ran.err.splitlines() if "not an action" in line] == ([said] if said else [])


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("who-can", "pull", "shop/checkout", "--snapshot", "-", "--spec", "-"), "- for two files"),
        (("who-can", "pull", "shop/checkout", "--snapshot", "-", "--scp", f"{HOME}=-"), "- for two files"),
        (("explain-denial", "--snapshot", "-"), "- for a file, and the error message from stdin"),
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


@pytest.mark.parametrize(
    ("who", "counted"),
    [(_BUILDER, "user/push-user: 1 kind of access"), (_SHADOW, "role/shadow-pusher: 4 kinds of access")],
)
def test_kinds_of_access_are_counted(ask: Any, who: str, counted: str) -> None:
    assert counted in ask("can-i", who).out


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
    asked = ("can-i", _GITHUB, "push", "shop/checkout", "--snapshot")
    ran = Command()(*asked, _of_jobs(tmp_path, oidcProviders=[]))
    assert ran.code == 1
    assert f"account {HOME} has no oidc-provider/token.actions.githubusercontent.com" in ran.err
    assert Command()(*asked, _of_jobs(tmp_path, oidcProviders=[_GITHUB])).code == 2
