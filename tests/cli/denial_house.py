"""The example's accounts with more people: nodes, tasks, builds, jobs, and whoever a policy keeps out."""

import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.audit.repaired import as_repaired
from ecr_warden_cli.asking.access import can_assume, can_i, find_subject, question, subject_named
from ecr_warden_cli.asking.naming import in_full
from ecr_warden_cli.asking.snapshot import estate_of
from ecr_warden_cli.editing.spec_edit import GrantEdit, edited
from iam_access.who_can.decide import Answer
from local.testing.printed import complete
from tests.template.cfn import ROOT
from tests.unit.access.snapshots import AWAY, HOME, TOKEN, allow, document, managed, role, user

_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_HERE = f"arn:aws:ecr:eu-central-1:{HOME}:repository/shop/checkout"
_PROVIDER = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"
_MAIN = "repo:acme/shop:ref:refs/heads/main"
_SSO = "aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Developer_0123456789abcdef"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
SPEC = ROOT / "examples/who-can/access.yaml"


GRANT = re.compile(r"ecr-warden grant (pull|push) (\S+) \S+ --to (\S+)(?: --role (\S+))?")


def answers_after(grant: re.Match[str], snapshot: Any, asked: Any) -> str:
    """What the policies say of the denied call once the grant is written, and every document is repaired."""
    access, repository, who, role = grant.groups()
    before = load_spec(SPEC.read_bytes(), now=NOW)
    assert isinstance(before, Valid)
    edit = GrantEdit("push" if access == "push" else "pull", repository, who, role=role or "")
    after = load_spec(edited(SPEC.read_text(), before.spec, edit).encode(), now=NOW)
    assert isinstance(after, Valid)
    # Which the stacks make, and push roles have.
    boundary = managed("ecr-warden/ecr-warden-boundary", document(allow("ecr:*")))
    snapshot["accounts"][HOME]["iam"].setdefault("Policies", []).append(boundary)
    estate = as_repaired(estate_of(complete(snapshot), at=NOW), after.compiled)
    graph, ids = RepositoryGraph(estate), {alias: account for account, alias in after.spec.aliases.items()}
    subject = subject_named(graph, who, ids)
    if asked["access"] == "assume":
        return can_assume(graph, subject, find_subject(graph, asked["on"])).answer.value
    found = can_i(graph, subject, question(graph, access, in_full(repository, ids)))
    return "no" if found.docker is not None and found.docker.answer is Answer.NO else found.answer.value


def example() -> Any:
    """examples/who-can."""
    return json.loads((ROOT / "examples/who-can/estate.json").read_text())


def house() -> Any:
    """The same with more people, and with a repository that the spec does not name."""
    found = deepcopy(example())
    away, home = (found["accounts"][one]["iam"] for one in (AWAY, HOME))
    away["RoleDetailList"] += [
        _of("eks-node", "ec2.amazonaws.com"),
        _of("app-pod", "pods.eks.amazonaws.com"),
        _of("ecsTaskExecutionRole", "ecs-tasks.amazonaws.com", allow(_PULL), TOKEN),
        _of("bare-execution", "ecs-tasks.amazonaws.com"),
        _of("codebuild-role", "codebuild.amazonaws.com", allow(_PULL), TOKEN),
        _of("apprunner-access", "build.apprunner.amazonaws.com"),
        _of("apprunner-instance", "tasks.apprunner.amazonaws.com"),
        _of("ci-runner", "ec2.amazonaws.com"),
        _of(_SSO, "ec2.amazonaws.com"),
        _bounded(),
    ]
    away["UserDetailList"] += [
        user("barred", allow(_PULL), TOKEN, {"Effect": "Deny", "Action": "ecr:*", "Resource": "*"}, account=AWAY),
        user("at-office", _at_office(), TOKEN, account=AWAY),
    ]
    away["Policies"] = [_boundary()]
    home["RoleDetailList"].append(_job())
    found["accounts"][HOME]["oidcProviders"] = [_PROVIDER]
    repositories = found["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"]
    repositories[0]["policy"]["Statement"][0]["Principal"]["AWS"] += [
        f"arn:aws:iam::{AWAY}:user/at-office",
        f"arn:aws:iam::{AWAY}:user/barred",
        f"arn:aws:iam::{AWAY}:role/bounded",
    ]
    repositories.append({"repositoryName": "shop/cart", "policy": None})
    return found


def _of(name: str, service: str, *statements: Any) -> Any:
    return role(name, {"Service": service}, *statements, account=AWAY)


def _bounded() -> Any:
    own = _of("bounded", "ec2.amazonaws.com", allow(_PULL), TOKEN)
    arn = _boundary()["Arn"]
    return own | {"PermissionsBoundary": {"PermissionsBoundaryArn": arn, "PermissionsBoundaryType": "Policy"}}


def _boundary() -> Any:
    versions = [{"VersionId": "v1", "IsDefaultVersion": True, "Document": document(allow("s3:*"))}]
    return {"Arn": f"arn:aws:iam::{AWAY}:policy/bounds", "PolicyVersionList": versions}


def _at_office() -> Any:
    return allow(_PULL, _HERE, Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})


def _job() -> Any:
    claims = {"token.actions.githubusercontent.com:sub": _MAIN}
    claims["token.actions.githubusercontent.com:aud"] = "sts.amazonaws.com"
    trust = document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": _PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": claims},
        }
    )
    return role("gha-push", "*", allow("ecr:DescribeImages", _HERE), TOKEN) | {"AssumeRolePolicyDocument": trust}
