"""The rows of tests/cases/versions/judge.yaml as values: versions, and the accounts as they were read."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from ecr_warden.collect.observed import LiveEstate, NotRead
from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import RoleSettings, TargetSpec
from ecr_warden.core.target import RepositoryTarget, UserTarget, target_arn
from ecr_warden.versions.changes import Versions
from iam_access.document.document import Document
from local.testing import seed
from local.testing.printed import complete_account
from tests import tables
from tests.snapshots import estate_from_text

type Json = dict[str, Any]

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HOME, REGION = "222222222222", "eu-central-1"
_TABLE = tables.load(Path("tests/cases/versions/judge.yaml").read_text())
ROWS: list[Json] = _TABLE["rows"]
_TEAM = "".join(
    f"  - {{name: team/r{number:02}, account: registry, pull: [deployers], pull_scope: account}}\n"
    for number in range(32)
)
HOUSE: str = _TABLE["house"].replace("{team}\n", _TEAM)


def edited(text: str, edits: Sequence[Sequence[str]]) -> str:
    """The text with each pair's first, which occurs once, replaced by its second."""
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


compiled = cache(seed.compiled)


def texts_of(row: Json) -> tuple[str | None, str | None, str]:
    """The texts of the baseline, of the accepted version and of the new one."""
    accepted = None if row.get("accepted", []) is None else edited(HOUSE, row.get("accepted", []))
    baseline = None if row.get("baseline", []) is None else accepted
    if "baseline" in row and row["baseline"] is not None:
        baseline = edited(HOUSE, row["baseline"])
    new = row.get("new") or edited(HOUSE if accepted is None else accepted, row.get("edit", []))
    return baseline, accepted, _with_more(new, row.get("add", [])) if "add" in row else new


def _with_more(text: str, added: Sequence[Json] | Mapping[str, Any]) -> str:
    whole = dict(tables.load(text))
    more = added if isinstance(added, Mapping) else {"repositories": added}
    for name, entries in more.items():
        whole[name] = [*whole[name], *entries]
    return json.dumps(whole, default=datetime.isoformat)


def versions_of(baseline: str | None, accepted: str | None, new: str) -> Versions:
    """The versions of three texts."""
    first, second = (None if text is None else compiled(text) for text in (baseline, accepted))
    return Versions(first, second, compiled(new, "v2"))


def live_of(added: Json, versions: Versions) -> LiveEstate:
    """The accounts as the accepted version has them, with what a row adds."""
    accounts = {account for one in (versions.accepted, versions.new) if one is not None for account in one.accounts}
    snapshot = {"schema": 1, "accounts": snapshot_of(versions, sorted(accounts), added)}
    unread = {part: NotRead(f"{part}: AccessDenied") for part in added.get("unread", ())}
    return LiveEstate(estate_from_text(json.dumps(snapshot), at=NOW), unread)


def snapshot_of(versions: Versions, accounts: Sequence[str], added: Mapping[str, Any]) -> Json:
    """The accounts' entries of a snapshot."""
    documents: Json = {}
    users: dict[str, Json] = {}
    roles: dict[str, Json] = {}
    for spec in versions.accepted.targets.values() if versions.accepted is not None else ():
        if isinstance(spec.target, RepositoryTarget):
            (value,) = spec.documents.values()
            documents[spec.target.name] = json.loads(value.text) if isinstance(value, Document) else None
        else:
            arn = _arn(spec)
            (users if isinstance(spec.target, UserTarget) else roles)[arn] = _identity(spec, arn)
    documents |= added.get("repositories", {})
    for arn, policies in added.get("identities", {}).items():
        held = users if ":user/" in arn else roles
        held[arn] = _with_policies(held.get(arn) or {"Arn": arn}, policies)
    return {account: complete_account(_account(account, users, roles, documents)) for account in accounts}


def _account(account: str, users: Mapping[str, Json], roles: Mapping[str, Json], documents: Json) -> Json:
    entry: Json = {
        "iam": {
            "UserDetailList": [one for arn, one in users.items() if f"::{account}:" in arn],
            "RoleDetailList": [one for arn, one in roles.items() if f"::{account}:" in arn],
            "GroupDetailList": [],
            "Policies": [],
        }
    }
    if account == HOME:
        repositories = [
            {"repositoryName": name, "policy": policy} for name, policy in documents.items() if policy != "?"
        ]
        repositories += [{"repositoryName": name} for name, policy in documents.items() if policy == "?"]
        unread = [
            {"what": "ecr:GetRepositoryPolicy", "region": REGION, "repository": name, "code": "AccessDenied"}
            for name, policy in documents.items()
            if policy == "?"
        ]
        regions = (REGION, "eu-west-1")
        entry |= {"ecr": {region: {"repositories": []} for region in regions}, "unread": unread}
        entry["ecr"][REGION] = {"repositories": repositories}
    return entry


def _arn(spec: TargetSpec) -> str:
    settings = next((value for value in spec.documents.values() if isinstance(value, RoleSettings)), None)
    return target_arn(spec.target, path=settings.path if settings else "/")


def _identity(spec: TargetSpec, arn: str) -> Json:
    """A user or role as a version has it."""
    entry: Json = {"Arn": arn}
    policies = {}
    for address, value in spec.documents.items():
        if isinstance(value, RoleSettings):
            entry["PermissionsBoundary"] = {"PermissionsBoundaryArn": value.boundary}
        elif isinstance(value, Document) and address.kind is AddressKind.TRUST_POLICY:
            entry["AssumeRolePolicyDocument"] = json.loads(value.text)
        elif isinstance(value, Document):
            policies[address.name] = json.loads(value.text)
    return _with_policies(entry, policies)


def _with_policies(entry: Json, policies: Mapping[str, Any]) -> Json:
    """An identity with more inline policies; `trust` is its trust policy, `attached` a list of ARNs."""
    policies = dict(policies)
    is_user = ":user/" in entry["Arn"]
    trust, attached = policies.pop("trust", None), policies.pop("attached", None)
    key = "UserPolicyList" if is_user else "RolePolicyList"
    held = {one["PolicyName"]: one["PolicyDocument"] for one in entry.get(key, ())} | policies
    entry = entry | {key: [{"PolicyName": name, "PolicyDocument": one} for name, one in held.items()]}
    if trust is not None:
        entry["AssumeRolePolicyDocument"] = trust
    if attached is not None:
        entry["AttachedManagedPolicies"] = [{"PolicyArn": arn} for arn in attached]
    return entry
