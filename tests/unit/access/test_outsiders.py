"""The table of whoever is not ours: windows, halves, half for everybody, and whom a Deny spares."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import AuditResult, Finding, SeenFinding
from ecr_warden.audit.finding_changes import grouped
from ecr_warden.audit.findings import find
from ecr_warden.audit.repaired import none_repaired
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.result import Severity
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.notify import kinds
from iam_access.document.document import Document
from local.testing.printed import NOBODY, complete
from local.testing.seed import compiled
from tests import tables
from tests.snapshots import estate_from_text
from tests.unit.access.snapshots import short

type Json = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TABLE = tables.load(Path("tests/cases/access/outsiders.yaml").read_text())
FORMS = {form: rows for form, rows in TABLE.items() if form != "pieces"}
CI, HOME, REGION = "111111111111", "222222222222", "eu-central-1"
EVERY = f"arn:aws:ecr:{REGION}:{HOME}:repository/*"
ACTIONS = {
    "pull": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    "manifests": ["ecr:BatchGetImage"],
    "layers": ["ecr:GetDownloadUrlForLayer"],
    "nothing": ["ecr:DescribeRegistry"],
    "ecr-warden/ecr-pusher": ["ecr:PutImage", "ecr:BatchGetImage"],
}


def spec_of(row: Json) -> Json:
    """A role of ours would pull as one of the organization, so where somebody takes one, a user has the grant."""
    grant: Any = (
        "ci:user/ann"
        if "roles" in row
        else {"organization": "acme"} | {key: row[key] for key in ("until",) if key in row}
    )
    entry: Json = {"name": "shop/x", "account": "registry", "pull": [grant]}
    if "push" in row:
        entry["push"] = [{"role": "ecr-pusher", "by": ["ci:user/ann"]}]
    return {
        "version": 1,
        "accounts": {"ci": {"id": CI}, "registry": {"id": HOME, "regions": [REGION]}},
        "organizations": {"acme": {"id": "o-a1b2c3d4e5"}},
        "settings": {"mode": "enforce"},
        "repositories": [entry],
        "also_allowed": row.get("also_allowed", []),
    }


def policy(statements: list[Json]) -> Json | None:
    return {"Version": "2012-10-17", "Statement": statements} if statements else None


def granted(spec: CompiledSpec) -> list[Json]:
    """The statements of the grants in the repository's policy."""
    (document,) = spec.targets[RepositoryTarget(HOME, REGION, "shop/x").key].documents.values()
    assert isinstance(document, Document)
    statements: list[Json] = json.loads(document.text)["Statement"]
    return statements


def snapshot_of(row: Json, spec: CompiledSpec) -> Json:
    trusts = dict(row.get("roles", {}))
    if "push" in row:
        trusts["ecr-warden/ecr-pusher"] = [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CI}:user/ann"}, "Action": "sts:AssumeRole"}
        ]
    roles = [
        {
            "Arn": f"arn:aws:iam::{HOME}:role/{name}",
            "RoleId": f"AROA{name[-4:].upper()}",
            "AssumeRolePolicyDocument": policy(trust) or NOBODY,
            "MaxSessionDuration": row.get("longest", 43_200),
            "RolePolicyList": [
                {
                    "PolicyName": "own",
                    "PolicyDocument": policy([{"Effect": "Allow", "Action": ACTIONS[name], "Resource": "*"}]),
                }
            ],
        }
        for name, trust in trusts.items()
    ]
    repositories: list[Json] = [
        {"repositoryName": "shop/x", "policy": policy([*granted(spec), *row.get("named", [])]), "tags": []},
        {"repositoryName": "team/y", "policy": policy(row.get("unnamed", [])), "tags": []},
    ]
    registry = {
        "repositories": repositories,
        "registryPolicy": policy([{"Resource": EVERY, **one} for one in row.get("registry", [])]),
        "creationTemplates": [{"prefix": "new", "repositoryPolicy": policy(row["template"])}]
        if "template" in row
        else [],
    }
    organization = {"id": "o-a1b2c3d4e5", "path": "o-a1b2c3d4e5/r-ab12/", "management": False}
    accounts: Json = {name: {"iam": {}, "organization": organization} for name in (CI, HOME)}
    accounts[CI]["iam"] = {"UserDetailList": [{"Arn": f"arn:aws:iam::{CI}:user/ann", "UserId": "AIDAANN"}]}
    accounts[HOME] |= {"iam": {"RoleDetailList": roles}, "ecr": {REGION: registry}}
    return complete({"schema": 1, "accounts": accounts})


def audited(row: Json) -> AuditResult:
    spec = compiled(json.dumps(spec_of(row)), now=NOW)
    estate = estate_from_text(json.dumps(snapshot_of(row, spec)), at=NOW)
    return find(estate, spec, None, None, live=none_repaired)


def lines(finding: Finding) -> Iterator[str]:
    """What a finding says of whom, in one line for each access."""
    who = finding.principal.replace("anybody in account", "account").replace("the root user of account", "root of")
    who = "anyone" if who.startswith("anyone ") else short(who) if who.startswith("arn:") else who
    yield from (f"{access}: {who}" for access in finding.access.split(", "))


def severity_of(findings: Iterable[Finding]) -> Severity:
    """How soon a person should look."""
    groups = grouped(SeenFinding(one, NOW) for one in findings)
    return kinds.severity(AccessAudited(Cause(CauseKind.SWEEP, "s-1"), "v1", groups))


@pytest.mark.parametrize(("form", "case"), [(form, case) for form, rows in FORMS.items() for case in rows])
def test_the_audit_finds_of_whoever_is_not_ours(form: str, case: str) -> None:
    row = FORMS[form][case]
    audit = audited(row)
    found = [one for one in audit.findings if one.foreign]
    assert {line for one in found for line in lines(one)} == {*row["finds"]}
    assert not audit.unread and not audit.failure
    if "severity" in row:
        assert severity_of(found) == row["severity"]
    for text in row.get("says", ()):
        assert all(text in " ".join(one.conditions) for one in found)


def test_who_is_let_in_by_one_of_two_hundred_statements_is_found() -> None:
    reading = {"Effect": "Allow", "Principal": "*", "Action": "ecr:ListImages", "Resource": "*"}
    later = {"DateGreaterThan": {"aws:CurrentTime": "2031-01-01"}}
    window = {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "ecr:PutImage", "Condition": later}
    row = {"registry": [*([reading] * 100), window, *([reading] * 99)]}
    audit = audited(row)
    assert {line for one in audit.findings for line in lines(one)} == {"push: account 999999999999"}
    assert not audit.unread
