"""`what-if`: what it prints, and files of changes that are none."""

import json
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
