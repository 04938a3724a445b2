"""Whom a statement lets in who is not shown to be ours: a table of principals and conditions in every form."""

from typing import Any

import pytest

from iam_access.delta.delta import gained_and_lost
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import canonical_statements
from iam_access.who_can.ours import Ours, Owner, outsiders, owners_in
from local.testing.seed import CI, HOME, document

OTHER = "999999999999"
ORGANIZATION = "o-a1b2c3d4e5"
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
TRACKER = "oidc.tracker.example/org"
OURS = Ours(
    frozenset({CI, HOME}),
    frozenset({ORGANIZATION}),
    frozenset(
        {
            Owner(GITHUB, "repo:acme", "1"),
            Owner(GITHUB, "repo:legacy"),
            Owner(GITHUB, "repo:beta", "8"),
            Owner(GITLAB, "project_path:shop/web"),
            Owner(TRACKER, "org:7:project:*"),
        }
    ),
)
ANYBODY = ("anybody",)
FUNCTION = f"arn:aws:lambda:eu-central-1:{HOME}:function"


def pull(principal: Any, /, **condition: dict[str, Any]) -> dict[str, Any]:
    """A statement of a repository policy; a condition's operator is written `ForAnyValue_StringLike`."""
    written = {operator.replace("_", ":"): block for operator, block in condition.items()}
    return {"Effect": "Allow", "Principal": principal, "Action": "ecr:BatchGetImage", "Condition": written}


def assume(principal: Any, /, **condition: dict[str, Any]) -> dict[str, Any]:
    return {**pull(principal, **condition), "Action": "sts:AssumeRole"}


def token(
    issuer: str, *subjects: str, repository: str | list[str] = "", operator: str = "StringLike"
) -> dict[str, Any]:
    """A statement of a trust policy as grants write it: jobs with a token of an issuer."""
    exact = {f"{issuer}:aud": "sts.amazonaws.com"} | ({f"{issuer}:repository_id": repository} if repository else {})
    condition = {"StringEquals": exact}
    condition[operator] = condition.get(operator, {}) | {f"{issuer}:sub": list(subjects)}
    return assume({"Federated": f"arn:aws:iam::{HOME}:oidc-provider/{issuer}"}) | {"Condition": condition}


def by_id(name: str, owner_id: str, repository_id: str = "2") -> dict[str, Any]:
    """As a grant with IDs writes it."""
    by_id = f"repo:{name.partition('/')[0]}@{owner_id}/*@{repository_id}:ref:refs/heads/main"
    return token(GITHUB, f"repo:{name}:ref:refs/heads/main", by_id, repository=repository_id)


def by_name(owner: str, repository: str) -> dict[str, Any]:
    """As a grant without IDs writes it."""
    return token(
        GITHUB, f"repo:{owner}/{repository}:environment:prod", f"repo:{owner}@*/{repository}@*:environment:prod"
    )


def merged(*names: str, owners: tuple[str, ...], repositories: list[str]) -> dict[str, Any]:
    """As grants to repositories of an owner write it that share a statement."""
    subjects = (*(f"repo:{name}:ref:refs/heads/main" for name in names), *(f"repo:{owner}/*@*:x" for owner in owners))
    return token(GITHUB, *subjects, repository=repositories)


INSIDE = {
    "a user of ours": pull({"AWS": f"arn:aws:iam::{CI}:user/anna"}),
    "a whole account of ours": pull({"AWS": CI}),
    "a session of a role of ours": pull({"AWS": f"arn:aws:sts::{CI}:assumed-role/r/s"}),
    "anybody in an account of ours": pull("*", StringEquals={"aws:PrincipalAccount": CI}),
    "anybody in accounts of ours": pull("*", ForAnyValue_StringLike={"aws:PrincipalAccount": [CI, HOME]}),
    "roles of ours by a pattern": pull("*", ArnLike={"aws:PrincipalArn": f"arn:*:iam::{CI}:role/*"}),
    "roles of ours by a pattern of text": pull("*", StringLike={"aws:PrincipalArn": f"arn:aws:iam::{CI}:role/*"}),
    "a role of ours by the name of its caller": pull(
        "*", StringLike={"aws:PrincipalArn": f"arn:aws:iam::{CI}:role/${{aws:x}}"}
    ),
    "everybody but one, in an account of ours": {
        **{
            key: value
            for key, value in pull("*", StringEquals={"aws:PrincipalAccount": CI}).items()
            if key != "Principal"
        },
        "NotPrincipal": {"AWS": f"arn:aws:iam::{CI}:user/anna"},
    },
    "an outsider whom a condition shuts out": pull({"AWS": OTHER}, StringEquals={"aws:PrincipalAccount": CI}),
    "our organization": pull("*", StringEquals={"aws:PrincipalOrgID": ORGANIZATION}),
    "a unit of our organization": pull("*", ForAnyValue_StringLike={"aws:PrincipalOrgPaths": f"{ORGANIZATION}/*"}),
    "our functions": pull({"Service": "lambda.amazonaws.com"}, StringLike={"aws:SourceArn": f"{FUNCTION}:*"}),
    "our functions by ArnLike in any region": pull(
        {"Service": "lambda.amazonaws.com"}, ArnLike={"aws:SourceArn": f"arn:aws:lambda:*:{HOME}:function:*"}
    ),
    "a service for an account of ours": pull(
        {"Service": "codebuild.amazonaws.com"}, StringEquals={"aws:SourceAccount": CI}
    ),
    "a service for our organization": pull(
        {"Service": "codebuild.amazonaws.com"}, StringEquals={"aws:SourceOrgID": ORGANIZATION}
    ),
    "a service that is handed the role": assume({"Service": "ecs-tasks.amazonaws.com"}),
    "a service that is handed the role, for an account of ours": assume(
        {"Service": "ecs-tasks.amazonaws.com"}, StringEquals={"aws:SourceAccount": HOME}
    ),
    "the same repository": by_id("acme/app", "1"),
    "the next repository of the owner": by_id("acme/web", "1", "3"),
    "the next repository of an owner by name": by_name("legacy", "web"),
    "a repository of the owner, whatever ID stands beside it": by_id("acme/next", "1", "666"),
    "an owner by name and ID": token(GITHUB, "repo:acme@1/web@3:*"),
    "repositories of an owner in one statement": merged(
        "acme/a", "acme/b", owners=("acme@1",), repositories=["2", "3"]
    ),
    "the same, each with its own ID": token(
        GITHUB, "repo:acme/a:x", "repo:acme/b:x", "repo:acme@1/*@2:x", "repo:acme@1/*@3:x", repository=["2", "3"]
    ),
    "our ID for repositories that no subject names": token(
        GITHUB, "repo:acme/app:*", "repo:acme@1/*@2:*", repository=["3", "4"]
    ),
    "our ID for any repository": token(GITHUB, "repo:acme@1/*:*"),
    "the next project of the group": token(
        GITLAB, "project_path:shop/web/api:ref_type:branch:ref:main", operator="StringEquals"
    ),
    "a project of a group within the group": token(GITLAB, "project_path:shop/web/a/b:*"),
    "a subject that the known pattern covers": token(TRACKER, "org:7:project:3:*"),
}

OUTSIDE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "another account": (pull({"AWS": OTHER}), (f"account {OTHER}",)),
    "another account among ours": (pull({"AWS": [CI, f"arn:aws:iam::{OTHER}:role/x"]}), (f"account {OTHER}",)),
    "anybody": (pull("*"), ANYBODY),
    "anybody by the AWS element": (pull({"AWS": "*"}), ANYBODY),
    "everybody but one of ours": ({**assume(None), "NotPrincipal": {"AWS": CI}}, ANYBODY),
    "a unique ID": (pull({"AWS": "AROAQHBJ5XEXAMPLE00001"}), ("principal AROAQHBJ5XEXAMPLE00001",)),
    "a canonical user": (pull({"CanonicalUser": "a" * 64}), (f"principal {'a' * 64}",)),
    "a canonical user that looks like an account of ours": (pull({"CanonicalUser": CI}), (f"principal {CI}",)),
    "an ARN of another service": (pull({"AWS": f"arn:aws:s3::{CI}:x"}), (f"principal arn:aws:s3::{CI}:x",)),
    "an account of thirteen digits": (
        pull({"AWS": f"arn:aws:iam::{CI}1:root"}),
        (f"principal arn:aws:iam::{CI}1:root",),
    ),
    "another account by condition": (
        pull("*", StringEquals={"aws:PrincipalAccount": [CI, OTHER]}),
        (f"account {OTHER}",),
    ),
    "an account of ours, if the key exists": (pull("*", StringEqualsIfExists={"aws:PrincipalAccount": CI}), ANYBODY),
    "for all values of a key that may be absent": (
        pull("*", ForAllValues_StringEquals={"aws:PrincipalAccount": CI}),
        ANYBODY,
    ),
    "not another account": (pull("*", StringNotEquals={"aws:PrincipalAccount": OTHER}), ANYBODY),
    "anybody with an account": (pull("*", Null={"aws:PrincipalAccount": "false"}), ANYBODY),
    "accounts that begin with a digit": (pull("*", StringLike={"aws:PrincipalAccount": "1*"}), ANYBODY),
    "an account by a variable": (pull("*", StringEquals={"aws:PrincipalAccount": "${aws:ResourceAccount}"}), ANYBODY),
    "no account at all": (pull("*", StringEquals={"aws:PrincipalAccount": []}), ANYBODY),
    "roles by a pattern whose wildcard takes the account": (
        pull("*", StringLike={"aws:PrincipalArn": f"arn:aws:iam::*:role/{CI}"}),
        ANYBODY,
    ),
    "roles by a pattern of text whose wildcard takes colons": (
        pull("*", StringLike={"aws:PrincipalArn": f"arn:*:iam::{CI}:role/x"}),
        ANYBODY,
    ),
    "roles by a wildcard in the account": (
        pull("*", ArnLike={"aws:PrincipalArn": "arn:aws:iam::11111111111?:role/x"}),
        ANYBODY,
    ),
    "roles by a variable before the account": (
        pull("*", ArnLike={"aws:PrincipalArn": f"arn:aws:${{aws:x}}::{CI}:role/x"}),
        ANYBODY,
    ),
    "a network": (pull("*", IpAddress={"aws:SourceIp": "10.0.0.0/8"}), ANYBODY),
    "an external ID": (assume({"AWS": OTHER}, StringEquals={"sts:ExternalId": "x"}), (f"account {OTHER}",)),
    "another organization": (
        pull("*", StringEquals={"aws:PrincipalOrgID": "o-zzzzzzzzzz"}),
        ("organization o-zzzzzzzzzz",),
    ),
    "organizations by a wildcard": (pull("*", StringLike={"aws:PrincipalOrgID": "o-*"}), ANYBODY),
    "a source of a caller who is no service": (pull("*", StringEquals={"aws:SourceAccount": CI}), ANYBODY),
    "a service that pulls for anybody": (
        pull({"Service": "lambda.amazonaws.com"}),
        ("anybody through lambda.amazonaws.com",),
    ),
    "a service for another account": (
        pull({"Service": "lambda.amazonaws.com"}, StringEquals={"aws:SourceAccount": OTHER}),
        (f"account {OTHER} through lambda.amazonaws.com",),
    ),
    "a service for sources of text whose wildcard takes colons": (
        pull({"Service": "lambda.amazonaws.com"}, StringLike={"aws:SourceArn": f"arn:aws:lambda:*:{HOME}:function:*"}),
        ("anybody through lambda.amazonaws.com",),
    ),
    "a service for a bucket, whose ARN has no account": (
        pull({"Service": "s3.amazonaws.com"}, ArnLike={"aws:SourceArn": "arn:aws:s3:::bucket"}),
        ("anybody through s3.amazonaws.com",),
    ),
    "a service by its caller's account": (
        pull({"Service": "lambda.amazonaws.com"}, StringEquals={"aws:PrincipalAccount": CI}),
        ("anybody through lambda.amazonaws.com",),
    ),
    "a service that takes the role for another account": (
        assume({"Service": "ecs-tasks.amazonaws.com"}, StringEquals={"aws:SourceAccount": OTHER}),
        (f"account {OTHER} through ecs-tasks.amazonaws.com",),
    ),
    "a service that takes the role for whomever it names": (
        assume({"Service": "ecs-tasks.amazonaws.com"}, StringLike={"aws:SourceAccount": "*"}),
        ("anybody through ecs-tasks.amazonaws.com",),
    ),
    "a login that anybody may have": (
        assume({"Federated": "accounts.google.com"}, StringEquals={"accounts.google.com:aud": "x"}),
        ("identity provider accounts.google.com, anybody",),
    ),
    "users of a SAML provider": (
        assume({"Federated": f"arn:aws:iam::{HOME}:saml-provider/idp"}, StringEquals={"SAML:aud": "x"}),
        (f"identity provider arn:aws:iam::{HOME}:saml-provider/idp, anybody",),
    ),
}

PROVIDER = f"identity provider arn:aws:iam::{HOME}:oidc-provider/{GITHUB}"
OTHERS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "a group that is ours at another issuer": (
        token(GITHUB, "project_path:shop/web/api:ref_type:branch:ref:main"),
        ("project_path:shop/web",),
    ),
    "another owner": (by_id("evil/app", "9"), ("repo:evil", "repo:evil@9")),
    "the same name with another ID": (by_id("acme/app", "9"), ("repo:acme", "repo:acme@9")),
    "another name with our ID": (by_id("evil/app", "1"), ("repo:evil", "repo:evil@1")),
    "an ID that nobody knows, added to a name that is known": (by_id("legacy/app", "5"), ("repo:legacy@5",)),
    "the known ID of another owner, added to a name that is known": (by_id("legacy/app", "1"), ("repo:legacy@1",)),
    "a name that is known by another ID than the one beside it": (
        by_id("acme/app", "8"),
        ("repo:acme", "repo:acme@8"),
    ),
    "our ID with any name": (
        token(GITHUB, "repo:acme/app:x", "repo:*@1/*@2:x", repository="2"),
        ("repo:acme", "repo:*@1/*@2:x"),
    ),
    "our ID with any name, for any repository that is named": (
        token(GITHUB, "repo:acme/app:x", "repo:*@1/*@*:x", repository="666"),
        ("repo:acme", "repo:*@1/*@*:x"),
    ),
    "our ID with a name that ends alike": (
        token(GITHUB, "repo:*acme@1/*@2:x", repository="2"),
        ("repo:*acme@1/*@2:x",),
    ),
    "an ID beside a known one, added to a known name": (
        token(GITHUB, "repo:legacy/app:x", "repo:acme@1/*@2:x", "repo:legacy@5/*@2:x", repository="2"),
        ("repo:legacy@5",),
    ),
    "the ID dropped": (by_name("acme", "app"), ("repo:acme", "repo:acme@*")),
    "any ID beside ours": (
        token(GITHUB, "repo:acme/a:x", "repo:acme@1/*@2:x", "repo:acme@*/*:x", repository="2"),
        ("repo:acme@*",),
    ),
    "another ID in full": (token(GITHUB, "repo:acme@9/app@2:*"), ("repo:acme@9",)),
    "an ID that begins alike": (token(GITHUB, "repo:acme@1*/app@2:*"), ("repo:acme@1*/app@2:*",)),
    "our name without its ID, for any repository": (
        token(GITHUB, "repo:acme/app:*", "repo:acme@1/*@2:*"),
        ("repo:acme",),
    ),
    "another name among ours in one statement": (
        merged("acme/a", "evil/b", owners=("acme@1",), repositories=["2", "3"]),
        ("repo:evil",),
    ),
    "another ID beside ours in one statement": (
        merged("acme/a", "acme/b", owners=("acme@1", "acme@9"), repositories=["2", "3"]),
        ("repo:acme@9",),
    ),
    "another ID for our names in one statement": (
        merged("acme/a", "acme/b", owners=("acme@9",), repositories=["2", "3"]),
        ("repo:acme", "repo:acme@9"),
    ),
    "names that begin alike": (token(GITHUB, "repo:legacy*/app:*"), ("repo:legacy*/app:*",)),
    "any owner": (token(GITHUB, "repo:*/app:*"), ("repo:*/app:*",)),
    "any owner with any ID": (token(GITHUB, "repo:*@*/app@*:*"), ("repo:*@*/app@*:*",)),
    "any subject": (token(GITHUB, "*"), ("*",)),
    "no subject": (token(GITHUB, operator="StringEquals") | {"Condition": {}}, ("anybody",)),
    "a subject, if there is one": (token(GITHUB, "repo:legacy/app:*", operator="StringLikeIfExists"), ("anybody",)),
    "every subject but one": (token(GITHUB, "repo:evil/app:*", operator="StringNotLike"), ("anybody",)),
    "a known owner among others": (token(GITHUB, "repo:legacy/app:*", "repo:evil/app:*"), ("repo:evil",)),
    "an ID for a name that is known by another, beside one that is known by none": (
        token(GITHUB, "repo:acme/a:*", "repo:legacy/a:*", "repo:legacy@9/*@2:*", repository="2"),
        ("repo:acme", "repo:legacy@9"),
    ),
}


def found(statement: dict[str, Any], ours: Ours = OURS) -> tuple[str, ...]:
    if statement.get("Principal", "") is None:
        del statement["Principal"]
    gained = gained_and_lost(None, document(statement)).gained
    return tuple(dict.fromkeys(who for one in gained for who in outsiders(one, ours, home=HOME)))


@pytest.mark.parametrize("name", INSIDE)
def test_everybody_is_ours(name: str) -> None:
    assert found(INSIDE[name]) == ()


@pytest.mark.parametrize("name", OUTSIDE)
def test_somebody_is_outside(name: str) -> None:
    statement, who = OUTSIDE[name]
    assert found(statement) == who


@pytest.mark.parametrize("name", OTHERS)
def test_another_owner_at_a_provider_is_outside(name: str) -> None:
    statement, who = OTHERS[name]
    assert {*found(statement)} == {f"{PROVIDER}, {one}" for one in who}


def test_what_is_ours_in_a_grant_is_outside_in_a_literal_document() -> None:
    by_account = (
        "account",
        "role",
        "user",
        "function",
        "service that",
        "service for an account",
        "everybody",
        "outsider whom",
    )
    for name, statement in INSIDE.items():
        assert bool(found(statement, OURS.in_literal)) is not any(word in name for word in by_account), name


NAMED = {
    "an owner by name and ID": (by_id("acme/app", "1"), {Owner(GITHUB, "repo:acme", "1")}),
    "an owner by name": (by_name("legacy", "web"), {Owner(GITHUB, "repo:legacy")}),
    "a group": (token(GITLAB, "project_path:shop/web:ref_type:tag:ref:v1"), {Owner(GITLAB, "project_path:shop")}),
    "an owner of merged repositories": (
        merged("acme/a", "acme/b", owners=("acme@1",), repositories=["2", "3"]),
        {Owner(GITHUB, "repo:acme", "1")},
    ),
    "an owner by name, and another by ID": (
        token(GITHUB, "repo:legacy/a:x", "repo:acme@1/*@2:x"),
        {Owner(GITHUB, "repo:legacy"), Owner(GITHUB, "repo:acme", "1")},
    ),
    "any owner": (token(GITHUB, "repo:*"), set()),
    "a user": (assume({"AWS": f"arn:aws:iam::{CI}:user/anna"}), set()),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_grant_names_owners(name: str) -> None:
    statement, owners = NAMED[name]
    written = canonical_statements(document(statement), kind=DocumentKind.TRUST)
    assert {owner for one in written for owner in owners_in(one)} == owners


def test_nobody_is_ours_without_a_baseline() -> None:
    assert all(found(statement, Ours()) for statement in INSIDE.values())


def test_an_identity_of_a_new_account_is_outside() -> None:
    statement = {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}
    (gained,) = gained_and_lost(None, document(statement)).gained
    assert outsiders(gained, OURS, home=OTHER) == (f"account {OTHER}",)
    assert outsiders(gained, OURS, home=CI) == ()
