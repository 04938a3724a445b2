"""The audit where the roles of one account may all take one another, each by a tag of its own.

Beside it the same accounts without these roles: whatever one account's people write may cost its budget, and no more.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bench.figures import Figure
from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.audit.findings import find
from local.testing.printed import complete
from tests.snapshots import estate_from_text

_GROUP = "audit with an account of roles that may all take one another (processor time, in a process of its own)"
_NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
_CI, _REGISTRY, _REGION = "111111111111", "222222222222", "eu-central-1"
_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_ROLES = (0, 80, 1000)


def run() -> Iterator[Figure]:
    """The figures; the target is what Lambda leaves an audit, less what all other accounts may take."""
    for number in _ROLES:
        ran = subprocess.run([sys.executable, "-m", "bench.dense", str(number)], check=True, capture_output=True)
        found = json.loads(ran.stdout)
        yield Figure(_GROUP, f"{number} roles: the audit", found["audit"], "s", 120)
        yield Figure(_GROUP, f"{number} roles: outsiders found elsewhere", found["outsiders"], "findings")
        yield Figure(_GROUP, f"{number} roles: resident at its peak", found["memory"], "MB")


def roles(account: str, number: int) -> Iterator[dict[str, Any]]:
    """Roles of an account as AWS prints them."""
    for one in range(number):
        trust: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
        trust |= {"Action": ["sts:AssumeRole", "sts:TagSession"]}
        trust |= {"Condition": {"StringLike": {f"aws:PrincipalTag/t{one}": "a*"}}}
        own: dict[str, Any] = {"Effect": "Allow", "Action": ["sts:*", "ecr:*"], "Resource": "*"}
        own |= {"Condition": {"StringNotLike": {f"aws:PrincipalTag/u{one}": "c*"}}}
        yield {
            "Arn": f"arn:aws:iam::{account}:role/r{one}",
            "RoleId": f"AROA{one:08}",
            "AssumeRolePolicyDocument": _policy(trust),
            "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": _policy(own)}],
        }


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def _main(number: int) -> None:
    opened = _policy({"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": _PULL, "Resource": "*"})
    ecr = {_REGION: {"repositories": [{"repositoryName": "shop/x", "policy": None}], "registryPolicy": opened}}
    accounts = {_CI: {"iam": {"RoleDetailList": [*roles(_CI, number)]}, "ecr": {}}, _REGISTRY: {"iam": {}, "ecr": ecr}}
    estate = estate_from_text(json.dumps(complete({"schema": 1, "accounts": accounts})), at=_NOW)
    named = {"ci": {"id": _CI}, "registry": {"id": _REGISTRY, "regions": [_REGION]}}
    entry = {"name": "shop/x", "account": "registry", "pull": [{"account": "ci"}]}
    spec = load_spec(json.dumps({"version": 1, "accounts": named, "repositories": [entry]}).encode(), now=_NOW)
    assert isinstance(spec, Valid), spec
    start = time.process_time()
    audit = find(estate, spec.compiled, None, None)
    taken = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"audit": taken, "outsiders": sum(one.foreign for one in audit.findings), "memory": memory}))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
