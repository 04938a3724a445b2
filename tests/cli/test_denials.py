"""`explain-denial`: AWS's message is believed, whichever policy it names, and whoever it leaves out is asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command, Ran
from tests.cli.test_access import _BUILDER, _HERE, _LEFT_OUT, _PUSHER, _accounts
from tests.unit.access.snapshots import AWAY, HOME, allow, document, role

_PROVIDER = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"
_CI = f"arn:aws:iam::{HOME}:role/from-github"
_MAIN = "repo:acme/shop:ref:refs/heads/main"
_PUSHES = f"arn:aws:iam::{AWAY}:user/push-user"
_SESSION = f"arn:aws:sts::{HOME}:assumed-role/ecr-pusher/build-7"


@pytest.fixture
def explain(tmp_path: Path) -> Any:
    accounts = _accounts()
    trust = document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": _PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": _MAIN}},
        }
    )
    job = role("from-github", "*", allow("ecr:*")) | {"AssumeRolePolicyDocument": trust}
    accounts[HOME]["iam"]["RoleDetailList"].append(job)
    accounts[HOME]["oidcProviders"] = [_PROVIDER]
    (tmp_path / "estate.json").write_text(json.dumps({"schema": 1, "accounts": accounts}))

    def asked(message: str, *argv: str) -> Ran:
        return Command()("explain-denial", *argv, "--snapshot", str(tmp_path / "estate.json"), stdin=message.encode())

    return asked


def denial(reason: str, who: str = _BUILDER, action: str = "ecr:PutImage", resource: str = _HERE) -> str:
    return f"User: {who} is not authorized to perform: {action} on resource: {resource}{reason}"


@pytest.mark.parametrize("kind", ["identity-based policy", "resource-based policy", "permissions boundary"])
def test_what_aws_says_is_the_answer_also_where_what_was_read_allows_it(explain: Any, kind: str) -> None:
    ran = explain(denial(f" because no {kind} allows the ecr:PutImage action", _SESSION))
    assert (ran.code, ran.out.partition(":")[0]) == (2, "no")
    assert f"because no {kind} allows it" in ran.out
    assert "what was read at" in ran.out.splitlines()[1]


def test_without_a_reason_the_policies_answer(explain: Any) -> None:
    ran = explain(denial("", _SESSION), "--json")
    assert (ran.code, ran.json["answer"], ran.json["denied"]) == (0, "yes", None)
    ran = explain(denial(""))
    assert (ran.code, ran.out.splitlines()[0]) == (2, f"no: {_PUSHES} cannot push shop/checkout as itself")


@pytest.mark.parametrize(
    ("who", "role", "code"),
    [(_BUILDER, _PUSHER, 0), (_LEFT_OUT, "arn:aws:iam::333333333333:role/x", 2)],
    ids=["whoever may", "a role of an account that was not read"],
)
def test_a_role_that_could_not_be_assumed_needs_no_repository(explain: Any, who: str, role: str, code: int) -> None:
    ran = explain(denial("", who, "sts:AssumeRole", role))
    assert (ran.code, ran.out.partition(":")[0]) == (code, "no" if code else "yes")
    assert " assume arn:aws:" in ran.out


def test_the_message_may_be_an_argument_longer_than_the_name_of_a_file(explain: Any, tmp_path: Path) -> None:
    message = denial(" because no identity-based policy allows the ecr:PutImage action" + " again" * 60)
    assert len(message) > 255
    (tmp_path / "denied.log").write_text(message)
    assert explain("", message).out == explain("", str(tmp_path / "denied.log")).out == explain(message).out


_SURROUNDINGS = {"at the end": (1 << 20, 0), "at the beginning": (0, 1 << 21), "in UTF-16": (0, 0)}


@pytest.mark.parametrize("where", _SURROUNDINGS)
@pytest.mark.parametrize("form", ["stdin", "a file"])
def test_a_denial_in_a_log_of_megabytes_is_found(explain: Any, tmp_path: Path, where: str, form: str) -> None:
    before, after = _SURROUNDINGS[where]
    log = f"{'compiling it '.ljust(64) * (before // 64)}\n{denial('')}\n{'cleaning up'.ljust(64) * (after // 64)}"
    (tmp_path / "build.log").write_bytes(log.encode("utf-16" if "UTF" in where else "utf-8"))
    ran = (
        explain("", str(tmp_path / "build.log"))
        if form == "a file"
        else Command()(
            "explain-denial",
            "--snapshot",
            str(tmp_path / "estate.json"),
            stdin=(tmp_path / "build.log").read_bytes(),
        )
    )
    assert (ran.code, ran.out.splitlines()[0]) == (2, f"no: {_PUSHES} cannot push shop/checkout as itself")
    assert ("first and the last 524,288 characters" in ran.err) is (where != "in UTF-16")


TOKENS = "An error occurred (AccessDenied): Not authorized to perform sts:AssumeRoleWithWebIdentity"


def record(sub: str, **more: Any) -> dict[str, Any]:
    return {
        "eventName": "AssumeRoleWithWebIdentity",
        "errorCode": "AccessDenied",
        "userIdentity": {
            "type": "WebIdentityUser",
            "principalId": f"{_PROVIDER}:sts.amazonaws.com:{sub}",
            "userName": sub,
            "identityProvider": _PROVIDER,
        },
        "requestParameters": {"roleArn": _CI, "roleSessionName": "GitHubActions"},
    } | more


@pytest.mark.parametrize(("sub", "answer"), [(_MAIN, "yes"), ("repo:acme/shop:environment:prod", "no")])
@pytest.mark.parametrize("form", ["--sub", "--record", "an event"])
def test_of_a_token_its_record_or_its_subject_says_whose_it_is(
    explain: Any, tmp_path: Path, form: str, sub: str, answer: str
) -> None:
    argv = ("--sub", sub)
    if form != "--sub":
        found = record(sub) if form == "--record" else {"detail": record(sub)}
        (tmp_path / "record.json").write_text(json.dumps(found))
        argv = ("--record", str(tmp_path / "record.json"))
    ran = explain("", *argv)
    assert (ran.code, ran.out.partition(":")[0]) == (0 if answer == "yes" else 2, answer)
    assert "role/from-github" in ran.out
    assert sub in " ".join(ran.out.split())


def test_of_a_role_that_trusts_no_provider_its_owner_is_asked(explain: Any, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(json.dumps(record(_MAIN, requestParameters={"roleArn": _PUSHER})))
    ran = explain("", "--record", str(tmp_path / "record.json"))
    assert (ran.code, ran.out.partition(":")[0]) == (2, "no")
    assert "ask whoever owns the role" in " ".join(ran.out.split())


WRONG: dict[str, tuple[str, tuple[str, ...], str]] = {
    "a message that names nobody": (TOKENS, (), "add --record FILE, the CloudTrail record of the call or --sub"),
    "a record that is not JSON": (TOKENS, ("--record", "{"), "not JSON: Expecting property name"),
    "a record of another call": (TOKENS, ("--record", '{"eventName": "PutImage"}'), "no record of AssumeRoleWith"),
    "a record that is a list": (TOKENS, ("--record", "[]"), "no record of AssumeRoleWith"),
    "a record nested without end": (TOKENS, ("--record", "[" * 100_000), "nested too deeply"),
    "a record of a provider that is none": (
        TOKENS,
        ("--record", json.dumps(record(_MAIN, userIdentity={"identityProvider": "x", "userName": "y"}))),
        "nobody is called",
    ),
    "a token of a provider that is not said": (TOKENS, ("--as", "x"), "whose token it was"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_explained_is_named(explain: Any, tmp_path: Path, case: str) -> None:
    message, argv, says = WRONG[case]
    if argv:
        (tmp_path / "record.json").write_text(argv[1])
        argv = (argv[0], str(tmp_path / "record.json"))
    ran = explain(message, *argv)
    assert ran.code == 1
    assert says in ran.err
