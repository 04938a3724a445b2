"""The audit and the report of an organization whose repositories are open to all of its accounts."""

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
from ecr_warden.audit.finding import AuditRecord
from ecr_warden.audit.finding_changes import compare
from ecr_warden.audit.findings import find
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.estate import Estate
from ecr_warden_cli.report.make import Beside, make_report
from ecr_warden_cli.report.matrix import Sources
from ecr_warden_cli.report.report import Origin, Report
from local.testing.printed import complete
from tests.snapshots import estate_from_text

_GROUP = "audit of an organization: accounts x roles each x repositories (processor time, in a process of its own)"
_NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
_REGION, _ORGANIZATION = "eu-central-1", "o-a1b2c3d4e5"
_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_SIZES = ((2, 100, 50, 3), (10, 100, 100, 5), (60, 100, 200, 10), (60, 400, 2000, 60))


def run() -> Iterator[Figure]:
    """The figures, each with its target."""
    for accounts, roles, repositories, seconds in _SIZES:
        sizes = (str(accounts), str(roles), str(repositories))
        ran = subprocess.run([sys.executable, "-m", "bench.open_to_all", *sizes], check=True, capture_output=True)
        found = json.loads(ran.stdout)
        name = " x ".join(sizes)
        yield Figure(_GROUP, f"{name}: the audit", found["audit"], "s", seconds)
        yield Figure(_GROUP, f"{name}: the report", found["report"], "s")
        yield Figure(_GROUP, f"{name}: resident at its peak", found["memory"], "MB", 250 if seconds == 10 else None)


def account(number: int) -> str:
    """The ID of an account; the first one has the registry."""
    return f"{100000000000 + number}"


def snapshot(accounts: int, roles: int, repositories: int) -> dict[str, Any]:
    """Roles that may pull from anywhere, each by a policy of its own, and repositories that let the organization in."""
    found = {account(number): _account(number, roles) for number in range(accounts)}
    listed = [_repository(number) for number in range(repositories)]
    found[account(0)]["ecr"] = {_REGION: {"repositories": listed}}
    return complete({"schema": 1, "takenAt": "2026-11-28T05:00:00Z", "accounts": found})


def spec_of(accounts: int, repositories: int) -> CompiledSpec:
    """A spec that names every account and each second repository, which one role pulls from."""
    named: dict[str, Any] = {f"a{number}": {"id": account(number)} for number in range(1, accounts)}
    named["registry"] = {"id": account(0), "regions": [_REGION]}
    pull = ["a1:role/r0"]
    listed = [
        {"name": _name(number), "account": "registry", "pull": pull, "pull_scope": "account"}
        for number in range(0, repositories, 2)
    ]
    text = json.dumps({"version": 1, "accounts": named, "repositories": listed})
    loaded = load_spec(text.encode(), now=_NOW)
    assert isinstance(loaded, Valid), loaded
    return loaded.compiled


def _name(number: int) -> str:
    return f"team{number % 40}/app{number}"


def _repository(number: int) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": _PULL}
    statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": _ORGANIZATION}}
    return {"repositoryName": _name(number), "policy": {"Version": "2012-10-17", "Statement": [statement]}}


def _account(number: int, roles: int) -> dict[str, Any]:
    iam = {"RoleDetailList": [_role(number, one) for one in range(roles)]}
    return {"iam": iam, "organization": {"id": _ORGANIZATION, "path": f"{_ORGANIZATION}/r-ab12/ou-ab12-11111111/"}}


def _role(number: int, one: int) -> dict[str, Any]:
    own: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bucket-{number}-{one}/*"},
        {"Effect": "Allow", "Action": [*_PULL, "ecr:GetAuthorizationToken"], "Resource": "*"},
    ]
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Arn": f"arn:aws:iam::{account(number)}:role/r{one}",
        "RoleId": f"AROA{number:04}{one:012}",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": own}}],
    }


def report_of(accounts: int, roles: int, repositories: int) -> Report:
    """The report of such an organization."""
    estate, compiled = _estate(accounts, roles, repositories)
    return _reported(estate, compiled, _audited(estate, compiled))


def _estate(accounts: int, roles: int, repositories: int) -> tuple[Estate, CompiledSpec]:
    estate = estate_from_text(json.dumps(snapshot(accounts, roles, repositories)), at=_NOW)
    return estate, spec_of(accounts, repositories)


def _audited(estate: Estate, compiled: CompiledSpec) -> AuditRecord:
    audit = find(estate, compiled, None, None)
    assert not audit.failure, audit.failure
    news = compare(None, audit, frozenset(), _NOW)
    return AuditRecord(_NOW, compiled.version, {}, news.standing, news.left_out)


def _reported(estate: Estate, compiled: CompiledSpec, record: AuditRecord) -> Report:
    return make_report(Sources(estate, compiled), record, Beside(_NOW, Origin.HUB, ()))


def _main(accounts: int, roles: int, repositories: int) -> None:
    estate, compiled = _estate(accounts, roles, repositories)
    start = time.process_time()
    record = _audited(estate, compiled)
    audited = time.process_time() - start
    start = time.process_time()
    _reported(estate, compiled, record)
    reported = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"audit": audited, "report": reported, "memory": memory}))


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
