"""Whom the documents of a spec let in without a user or role of the spec: jobs of issuers, and permission sets."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.access_spec.compile import written_by_hand
from ecr_warden.audit.findings import find
from ecr_warden.audit.repaired import as_repaired
from ecr_warden.core.address import trust_policy
from ecr_warden.core.estate import Estate
from ecr_warden.core.target import RoleTarget
from iam_access.document.document import Document
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.statement_match import Allowed
from local.testing.printed import complete
from tests.snapshots import estate_from_text
from tests.tables import load
from tests.unit.iam_access.evaluations import requested

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
ROLE = RoleTarget("222222222222", "pusher")


def loaded(push: str = "[]", pull: str = "[]") -> Valid:
    spec = load_spec(
        f"""
version: 1
accounts: {{ci: {{id: "111111111111"}}, registry: {{id: "222222222222", regions: [eu-central-1]}}}}
repositories: [{{name: shop/checkout, account: registry, pull: {pull}, push: {push}}}]
""".encode(),
        now=NOW,
    )
    assert isinstance(spec, Valid), spec
    return spec


def pushers(*by: str) -> Valid:
    return loaded(f"[{{role: pusher, by: [{', '.join(by)}]}}]")


def may_push(spec: Valid, issuer: str, claims: dict[str, str]) -> bool:
    """Whether a token with these claims opens the push role, by the evaluator."""
    trust = spec.compiled.targets[ROLE.key].documents[trust_policy(ROLE)]
    assert isinstance(trust, Document)
    request = requested(
        f"arn:aws:iam::222222222222:oidc-provider/{issuer}",
        "sts:AssumeRoleWithWebIdentity",
        "arn:aws:iam::222222222222:role/ecr-warden/pusher",
        {f"{issuer}:{name}": value for name, value in claims.items()},
    )
    return isinstance(evaluate(request, Policies(trust=trust)), Allowed)


TABLE: dict[str, Any] = load((Path(__file__).parents[2] / "cases/access/tokens.yaml").read_text())
WITH_IDS, BY_NAME = (TABLE["grants"][name] for name in ("with IDs", "by name"))


@pytest.mark.parametrize("name", TABLE["tokens"])
def test_a_token_of_github_opens_the_push_role_only_if_it_is_meant(name: str) -> None:
    row = TABLE["tokens"][name]
    grant, expected = TABLE["grants"][row["grant"]], row["opens"]
    claims = {"aud": "sts.amazonaws.com", "sub": row["sub"], "repository_id": row["repository_id"]}
    assert may_push(pushers(grant), GITHUB, claims) is expected
    # With other grants of the role beside it, too, and where they share a statement.
    for ref in ("branch: dev", "branch: main", "tag: 'v*'", "environment: prod"):
        others = (f"{{github: acme/other{n}, owner_id: 12, repository_id: 56{n}, {ref}}}" for n in range(4))
        assert may_push(pushers(grant, *others), GITHUB, claims) is expected


@pytest.mark.parametrize("lacking", ["aud", "sub", "repository_id"])
def test_a_token_without_a_claim_does_not_open_it(lacking: str) -> None:
    claims = {"aud": "sts.amazonaws.com", "sub": "repo:acme@12/shop@34:ref:refs/heads/main", "repository_id": "34"}
    assert may_push(pushers(WITH_IDS), GITHUB, claims)
    assert not may_push(pushers(WITH_IDS), GITHUB, {name: claims[name] for name in claims if name != lacking})
    assert not may_push(pushers(WITH_IDS), GITHUB, claims | {lacking: "other"})


def test_a_token_of_another_issuer_needs_its_own_audience_and_subject() -> None:
    spec = pushers("{oidc: gitlab.com, audience: ecr, subject: 'project_path:acme/shop:ref_type:branch:ref:rel-*'}")
    claims = {"aud": "ecr", "sub": "project_path:acme/shop:ref_type:branch:ref:rel-1"}
    assert may_push(spec, GITLAB, claims)
    assert not may_push(spec, GITLAB, claims | {"aud": "https://gitlab.com"})
    assert not may_push(spec, GITLAB, claims | {"sub": "project_path:acme/shop:ref_type:branch:ref:main"})
    assert not may_push(spec, "gitlab.example.com", claims)


POLICY = {"Effect": "Allow", "Action": ["ecr:*", "sts:AssumeRole"], "Resource": "*"}


def estate(*roles: str, account: str = "111111111111") -> Estate:
    """Roles in an account, each allowed to pull and to assume anything by its own policy."""

    def role(path: str) -> dict[str, Any]:
        provider = {"Federated": f"arn:aws:iam::{account}:saml-provider/AWSSSO"}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRoleWithSAML", "Principal": provider}
        trust = {"Version": "2012-10-17", "Statement": statement}
        own = {"PolicyName": "AwsSSOInlinePolicy", "PolicyDocument": {"Version": "2012-10-17", "Statement": POLICY}}
        return {
            "Arn": f"arn:aws:iam::{account}:role/{path}",
            "RoleId": f"AROA{len(path)}",
            "AssumeRolePolicyDocument": trust,
            "RolePolicyList": [own],
        }

    registry = {"eu-central-1": {"repositories": [{"repositoryName": "shop/checkout"}]}}
    accounts: dict[str, Any] = {"111111111111": {"iam": {}}, "222222222222": {"iam": {}, "ecr": registry}}
    accounts[account]["iam"] = {"RoleDetailList": list(map(role, roles))}
    return estate_from_text(json.dumps(complete({"schema": 1, "accounts": accounts})), at=NOW)


RESERVED = "aws-reserved/sso.amazonaws.com/"
SUFFIX = "0123456789abcdef"
ROLES: dict[str, bool] = {
    f"{RESERVED}AWSReservedSSO_Developer_{SUFFIX}": True,
    f"{RESERVED}eu-central-1/AWSReservedSSO_Developer_{SUFFIX}": True,
    f"{RESERVED}eu-central-1/AWSReservedSSO_Developer_Admin_{SUFFIX}": False,
    f"{RESERVED}eu-central-1/AWSReservedSSO_SeniorDeveloper_{SUFFIX}": False,
    f"{RESERVED}AWSReservedSSO_Developer_{SUFFIX}0": False,
    f"{RESERVED}AWSReservedSSO_Developer_{SUFFIX[1:]}": False,
    f"{RESERVED}AWSReservedSSO_developer_{SUFFIX}": False,
    f"AWSReservedSSO_Developer_{SUFFIX}": False,
    f"sso.amazonaws.com/AWSReservedSSO_Developer_{SUFFIX}": False,
}
SSO = "{sso: {permission_set: Developer, account: ci}}"


@pytest.mark.parametrize("path", ROLES)
def test_only_the_role_of_the_permission_set_pulls_and_pushes(path: str) -> None:
    spec = loaded(f"[{{role: pusher, by: [{SSO}]}}]", f"[{SSO}]")
    graph = RepositoryGraph(as_repaired(estate(path), spec.compiled))
    [repository] = graph.estate.accounts["222222222222"].registries["eu-central-1"].repositories.values()
    role = f"arn:aws:iam::111111111111:role/{path}"
    for access in ("pull", "push"):
        able = graph.who_can(graph.permissions(access, repository))
        assert (role in able) is ROLES[path], access


def test_what_a_permission_set_gives_is_no_finding() -> None:
    spec = loaded(f"[{{role: pusher, by: [{SSO}]}}]", f"[{SSO}]")
    found = find(estate(f"{RESERVED}eu-central-1/AWSReservedSSO_Developer_{SUFFIX}"), spec.compiled, None, None)
    assert found.findings == ()


@pytest.mark.parametrize(
    "grant", [WITH_IDS, BY_NAME, "{oidc: gitlab.com, audience: ecr, subject: 'project_path:a/b:ref:c'}"]
)
def test_jobs_that_the_spec_lets_push_are_no_finding(grant: str) -> None:
    assert find(estate("somebody"), pushers(grant).compiled, None, None).findings == ()


def test_jobs_of_repositories_that_share_a_statement_are_no_finding() -> None:
    grants = [f"{{github: acme/shop{n}, owner_id: 12, repository_id: 3{n}, branch: main}}" for n in range(9)]
    assert find(estate("somebody"), pushers(*grants).compiled, None, None).findings == ()


def test_the_policy_that_a_permission_set_needs_is_what_an_identity_would_get() -> None:
    spec = loaded(f"[{{role: pusher, by: [{SSO}]}}]", f"[{SSO}]")
    [(name, document)] = written_by_hand(spec.spec).items()
    assert str(name) == "the permission set Developer in 111111111111"
    assert [(one["Sid"], one["Resource"]) for one in json.loads(document.text)["Statement"]] == [
        ("AllowLogin", "*"),
        ("AllowPull", "arn:aws:ecr:eu-central-1:222222222222:repository/shop/checkout"),
        ("AllowAssume", "arn:aws:iam::222222222222:role/ecr-warden/pusher"),
    ]
    assert not any(entry.target.account == "111111111111" for entry in spec.compiled.targets.values())
