"""The command on an organization: 60 grown accounts with 11,006 repositories and 3,720 users and roles."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figures import Figure
from local.testing.grown import grown
from local.testing.printed import complete

_GROUP = "the command on 11,006 repositories and 3,720 users and roles in 60 accounts (processor time)"
_GROUPS, _REPOSITORIES, _ROLES = 20, 500, 50
_DEPARTMENTS = ("shop", "billing", "search", "data", "platform", "mobile")
_SECONDS, _MEGABYTES = 20, 1500
_PULLED, _ALSO = "pull: [{account: account-0003}]", "pull: [{account: account-0003}, {account: account-0001}]"


def run() -> Iterator[Figure]:
    """The figures, each with its target."""
    with tempfile.TemporaryDirectory() as folder:
        estate, spec, changed, page = (str(Path(folder) / name) for name in ("e.json", "a.yaml", "b.yaml", "page.html"))
        Path(estate).write_text(json.dumps(snapshot()))
        read = "--snapshot", estate
        yield from _figures("import", "import", *read, "-o", spec)
        text = Path(spec).read_text()
        assert _PULLED in text
        Path(changed).write_text(text.replace(_PULLED, _ALSO, 1))
        yield from _figures("diff: one more account pulls from a repository", "diff", spec, changed)
        yield from _figures("who-can pull '*'", "who-can", "pull", "*", *read)
        builder = "arn:aws:iam::100000000001:user/shop-builder"
        yield from _figures("can-i: all that a user can do", "can-i", "--as", builder, *read)
        yield from _figures("report, with an audit", "report", *read, "--spec", spec, "-o", page)


def snapshot() -> dict[str, Any]:
    """Grown accounts in groups of three, each with further roles that have managed policies."""
    accounts: dict[str, Any] = {}
    for group in range(_GROUPS):
        names = [f"{100_000_000_001 + 3 * group + each}" for each in range(3)]
        made = grown(_REPOSITORIES, seed=group + 1).moved(*names).snapshot()["accounts"]
        for name in names:
            for number in range(_ROLES):
                policy, role = _team(name, names[1], number)
                made[name]["iam"]["Policies"].append(policy)
                made[name]["iam"]["RoleDetailList"].append(role)
        accounts |= made
    return complete({"schema": 1, "takenAt": "2026-11-29T04:00:00Z", "accounts": accounts})


def _team(account: str, registry: str, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A managed policy, and a role that has it."""
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    other = ["s3:GetObject", *pull] if number % 3 == 0 else ["s3:*", "dynamodb:Query"]
    some = f"arn:aws:ecr:*:{registry}:repository/{_DEPARTMENTS[number % 6]}/*{number % 5}"
    allowed = {"Action": ["ecr:*"] if number % 10 == 0 else other, "Resource": "*" if number % 7 == 0 else some}
    token = {"Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    trust = {"Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    arn, name = f"arn:aws:iam::{account}:policy/team-{number}", f"team-{number}"
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": _document(allowed, token)}
    return {"Arn": arn, "PolicyVersionList": [version]}, {
        "Arn": f"arn:aws:iam::{account}:role/app-{number}",
        "RoleId": f"AROA{account}{number}",
        "AssumeRolePolicyDocument": _document(trust),
        "RolePolicyList": [],
        "AttachedManagedPolicies": [{"PolicyArn": arn, "PolicyName": name}],
    }


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}


def _figures(name: str, *arguments: str) -> Iterator[Figure]:
    command = [sys.executable, "-c", "from ecr_warden_cli.entry import main; main()", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0  # waited for already; what it found is its exit code
    yield Figure(_GROUP, name, used.ru_utime + used.ru_stime, "s", _SECONDS)
    yield Figure(_GROUP, f"{name}: resident at its peak", used.ru_maxrss / 1024, "MB", _MEGABYTES)
