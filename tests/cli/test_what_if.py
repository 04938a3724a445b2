"""`what-if`: what it prints, and files of changes that are none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command, Ran
from tests.cli.wrong import WRONG, Wrong, name_of
from tests.template.cfn import ROOT

ESTATE = ("--snapshot", str(ROOT / "examples/who-can/estate.json"))
SPEC = ("--spec", str(ROOT / "examples/seed/access.yaml"))
SHADOW = "arn:aws:iam::222222222222:role/shadow-pusher"
MANY_STATEMENTS = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"{number:012}"}, "Action": "ecr:*"} for number in range(200)
    ]
}
ALLOW = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def supposing(changes: object, *more: str) -> Ran:
    text = changes if isinstance(changes, bytes) else json.dumps(changes).encode()
    return Command()("what-if", "-", *ESTATE, *more, stdin=text)


def test_people_may_write_aliases_names_and_images() -> None:
    image = "222222222222.dkr.ecr.eu-central-1.amazonaws.com/shop/checkout:v1"
    for of in ("shop/checkout", "registry/eu-central-1/shop/checkout", image):
        ran = supposing({"change": "repository-policy", "of": of, "document": None}, *SPEC)
        assert (ran.code, "loses        ci:user/pull-user-1" in ran.out) == (2, True), ran.err
    named = {"change": "identity-policy", "of": "ci:user/newcomer", "name": "all", "document": ALLOW}
    assert (
        "gains        ci:user/newcomer" not in supposing(named, *SPEC).out
    )  # no policy of the other account lets it in
    assert (
        supposing({"change": "permissions-boundary", "of": "ci:user/pull-user-1", "document": ALLOW}, *SPEC).code == 0
    )


def test_what_changes_nothing_is_fine() -> None:
    change = {"change": "tags", "of": SHADOW, "tags": {"team": "shop"}}
    for text in (json.dumps(change).encode(), json.dumps(change).encode("utf-8-sig")):
        ran = supposing(text)
        assert (ran.code, ran.out) == (0, "nobody gains or loses access\n")


def test_an_endpoint_of_which_the_policy_is_given_is_looked_at() -> None:
    asked = ("who-can", "pull", "shop/checkout", *ESTATE)
    only_push = {"Effect": "Allow", "Principal": "*", "Action": "ecr:PutImage", "Resource": "*"}
    ran = Command()(*asked, "--vpce", "-", stdin=json.dumps({"Statement": only_push}).encode())
    assert "VPC endpoint" in Command()(*asked, "--json").json["notLookedAt"][0]
    assert "not through the VPC endpoint <stdin>" in ran.out


def test_a_control_policy_of_every_account_says_of_which_accounts_nothing_is_known() -> None:
    deny = {"Effect": "Deny", "Action": "ecr:*", "Resource": "*"}
    said = "the change is laid over the accounts that were read (111111111111, 222222222222), over no others"
    for kind, of, is_said in (
        ("service-control-policy", "*", True),
        ("resource-control-policy", "*", True),
        ("service-control-policy", "222222222222", False),
    ):
        who = {} if kind == "service-control-policy" else {"Principal": "*"}
        change = {"change": kind, "of": of, "document": {"Statement": deny | who}}
        assert (said in supposing(change).err.replace("\n ", "")) is is_said
        assert (said in supposing(change, "--json").json["notLookedAt"]) is is_said


FILES = {
    "trust": {"Statement": {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}},
    "all": ALLOW,
    "everybody": {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}},
    "none": None,
}
# The options, in which a file's name is one of FILES; who gains (+) and who loses (-).
OPTIONS: dict[str, tuple[str, set[str]]] = {
    "a trust policy": ("--role shadow-pusher --trust trust.json", {"- 999999999999:root"}),
    "an inline policy": (
        "--role registry:role/shadow-pusher --policy own=none.json",
        {"- 222222222222:role/shadow-pusher", "- 999999999999:root"},
    ),
    "a user's, by the name": ("--user helpdesk --policy more=all.json", {"+ 222222222222:user/helpdesk"}),
    "both of a role": (
        "--role shadow-pusher --trust trust.json --policy own=none.json",
        {"- 222222222222:role/shadow-pusher", "- 999999999999:root"},
    ),
    "a repository's policy": (
        "--repository shop/checkout --policy none.json",
        {"- 111111111111:user/pull-user-1", "- 111111111111:user/pull-user-2"},
    ),
}


@pytest.fixture
def by_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Ran]:
    """What would be different by options that name the files of FILES."""
    monkeypatch.chdir(tmp_path)
    for name, document in FILES.items():
        Path(f"{name}.json").write_text(json.dumps(document))
    return lambda options: Command()("what-if", *options.split(), *ESTATE, *SPEC, "--json")


@pytest.mark.parametrize("case", OPTIONS)
def test_what_would_be_different_is_said_by_options(case: str, by_options: Callable[[str], Ran]) -> None:
    options, expected = OPTIONS[case]
    ran, signs = by_options(options), {"gains": "+", "loses": "-"}
    found = {f"{signs[one['difference']]} {one['principal'].rpartition('::')[2]}" for one in ran.json["changes"]}
    assert (ran.code, found) == (2, expected)


@pytest.mark.parametrize("case", WRONG["supposed"], ids=name_of)
def test_options_that_say_nothing_are_refused(case: Wrong, by_options: Callable[[str], Ran]) -> None:
    ran = by_options(case["options"])
    assert (ran.code, case["says"] in ran.err) == (1, True), ran.err


def test_a_new_spec_takes_what_it_no_longer_gives(tmp_path: Path) -> None:
    text = (ROOT / "examples/seed/access.yaml").read_text()
    (new := tmp_path / "new.yaml").write_text(
        text.replace("[ci:user/pull-user-1, ci:user/pull-user-2]", "[ci:user/pull-user-1]")
    )
    changes = Command()("what-if", "--new-spec", str(new), *ESTATE, *SPEC, "--json").json["changes"]
    loses = [(one["principal"], one["access"]) for one in changes if one["difference"] == "loses"]
    assert loses == [("arn:aws:iam::111111111111:user/pull-user-2", "pull")]


LARGE: dict[str, tuple[Any, str]] = {
    "nested too deeply": (b"[" * 100_000, "<stdin>: nested too deeply"),
    "too large": (b" " * (1024 * 1024 + 1), "more than 1048576 bytes"),
    "a repository policy over ECR's limit": (
        {"change": "repository-policy", "of": "shop/checkout", "document": MANY_STATEMENTS},
        "the limit is 10240 (repository-policy)",
    ),
}


def refused(given: object, said: str) -> None:
    ran = supposing(given)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("case", WRONG["changes"], ids=name_of)
def test_a_file_that_is_no_change_is_one_line_with_the_remedy(case: Wrong) -> None:
    text = case["text"] if "text" in case else json.dumps(case["given"]).replace('"SHADOW', f'"{SHADOW}')
    refused(text.encode(), case["says"])


@pytest.mark.parametrize("name", LARGE)
def test_a_file_that_is_too_large_is_one_line_with_the_remedy(name: str) -> None:
    refused(*LARGE[name])
