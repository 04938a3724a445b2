"""`what-if`: what it prints, and files of changes that are none."""

import json
from typing import Any

import pytest

from tests.cli.command import Command, Ran
from tests.template.cfn import ROOT

ESTATE = ("--snapshot", str(ROOT / "examples/who-can/estate.json"))
SPEC = ("--spec", str(ROOT / "examples/seed/access.yaml"))
SHADOW = "arn:aws:iam::222222222222:role/shadow-pusher"
LET_EVERYBODY = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}
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


WRONG: dict[str, tuple[Any, str]] = {
    "no JSON": (b"change", "<stdin>: not JSON: Expecting value at line 1 column 1; write {"),
    "nested too deeply": (b"[" * 100_000, "<stdin>: nested too deeply"),
    "no change at all": ([], "<stdin> has 0 changes; give 1 to 100"),
    "too many changes": ([{}] * 101, "<stdin> has 101 changes"),
    "too large": (b" " * (1024 * 1024 + 1), "more than 1048576 bytes"),
    "a text": (["x"], "a string instead of a change"),
    "a key twice": (b'{"of": "a", "of": "b"}', "<stdin>: of: the key occurs twice"),
    "an unknown key": ({"chnge": "tags"}, "unknown key chnge (did you mean change?)"),
    "a policy without what it is of": (ALLOW, 'unknown key Statement; write {"change": "trust-policy", "of": "ARN"'),
    "no kind": ({"of": SHADOW}, "change is missing; write one of identity-policy"),
    "a misspelt kind": ({"change": "trust-polcy"}, "no kind of change: trust-polcy (did you mean trust-policy?)"),
    "nothing that it is of": ({"change": "trust-policy"}, '"of" is missing, or no text; write the ARN of a role'),
    "no document": ({"change": "trust-policy", "of": SHADOW}, "document is missing"),
    "no trust policy": (
        {"change": "trust-policy", "of": SHADOW, "document": None},
        "there is always a document for a trust-policy",
    ),
    "a document that is none": (
        {"change": "trust-policy", "of": SHADOW, "document": {"Statements": []}},
        "document: Statements: unknown element",
    ),
    "an inline policy without a name": (
        {"change": "identity-policy", "of": SHADOW, "document": ALLOW},
        "name is missing",
    ),
    "a name for a boundary": (
        {"change": "permissions-boundary", "of": SHADOW, "name": "x", "document": ALLOW},
        "has no meaning for permissions-boundary",
    ),
    "tags that are none": ({"change": "tags", "of": SHADOW, "tags": ["team"]}, "tags are missing"),
    "a tag that is a number": ({"change": "tags", "of": SHADOW, "tags": {"team": 1}}, "the value of a tag is no text"),
    "a role that is not there": (
        {"change": "permissions-boundary", "of": f"{SHADOW}s", "document": ALLOW},
        "there is no user or role",
    ),
    "an identity policy in place of a repository's": (
        {"change": "repository-policy", "of": "shop/checkout", "document": ALLOW},
        "document.Statement: a statement of a repository policy without Principal (repository-policy)",
    ),
    "a repository's policy in place of an identity policy": (
        {"change": "identity-policy", "of": SHADOW, "name": "x", "document": LET_EVERYBODY},
        "Principal in a statement of an identity policy (identity-policy)",
    ),
    "a role's policy in place of who may assume it": (
        {"change": "trust-policy", "of": SHADOW, "document": ALLOW},
        "Resource in a statement of a trust policy (trust-policy)",
    ),
    "a service control policy that names somebody": (
        {"change": "service-control-policy", "of": "*", "document": LET_EVERYBODY},
        "Principal in a statement of an identity policy (service-control-policy)",
    ),
    "a resource control policy that allows": (
        {"change": "resource-control-policy", "of": "*", "document": LET_EVERYBODY},
        "a resource-control-policy that allows something",
    ),
    "a repository policy over ECR's limit": (
        {"change": "repository-policy", "of": "shop/checkout", "document": MANY_STATEMENTS},
        "the limit is 10240 (repository-policy)",
    ),
    "an organizational unit that nobody is in": (
        {"change": "service-control-policy", "of": "ou-ab12-99999999", "document": ALLOW},
        "there is no account ou-ab12-99999999",
    ),
    "a repository that is not there": (
        {"change": "repository-policy", "of": "shop/chekout", "document": None},
        "did you mean shop/checkout?",
    ),
    "the second of two": (
        [{"change": "tags", "of": SHADOW, "tags": {"a": "b"}}, {"change": "tags", "of": SHADOW}],
        "change 2 of <stdin>: tags are missing",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_no_change_is_one_line_with_the_remedy(case: str) -> None:
    given, said = WRONG[case]
    ran = supposing(given)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
