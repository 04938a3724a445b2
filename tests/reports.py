"""Reports to look at: an example of everything that a page shows, and one whose every text is hostile."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.audit.finding import AuditFailed, AuditRecord, Condition, ConditionStatus, RepositoryHealth
from ecr_warden.audit.finding_changes import compare
from ecr_warden.audit.findings import find
from ecr_warden.audit.health import AuditedAccess, Involved
from ecr_warden.audit.unread import lines
from ecr_warden.core.codec.base import read, to_json
from ecr_warden.core.target import RepositoryTarget
from ecr_warden_cli.report.make import Beside, grants_and_teams, make_report
from ecr_warden_cli.report.matrix import Sources
from ecr_warden_cli.report.report import Origin, PartRead, Report
from local.testing.printed import complete
from tests.snapshots import estate_from_text

NOW = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
CI, REGISTRY, OUTSIDER, REGION = "111111111111", "222222222222", "999999999999", "eu-central-1"
APPS = ("shop/checkout", "shop/catalogue", "shop/search", "billing/invoices", "billing/ledger", "base/python")
DEPLOYERS, BUILDERS = ("deploy-1", "deploy-2", "auditor"), ("build-shop", "build-billing", "build-base")
_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_PUSH = [
    *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload"),
    *("ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"),
]
UNTIL = NOW + timedelta(days=9)


def spec_text() -> bytes:
    """Two accounts, three groups of repositories, and a grant that ends."""
    pushers = {name: {"role": f"push-{name}", "by": [f"ci:user/build-{name}"]} for name in ("shop", "billing", "base")}
    pushers["billing"]["until"] = f"{UNTIL:%Y-%m-%dT%H:%M:%SZ}"
    repositories = [
        {
            "name": [name for name in APPS if name.partition("/")[0] == group],
            "account": "registry",
            "pull": ["deployers"],
            "push": [pusher],
        }
        for group, pusher in pushers.items()
    ]
    teams = {"deployers": [f"ci:user/{name}" for name in DEPLOYERS]}
    accounts = {"ci": {"id": CI}, "registry": {"id": REGISTRY, "regions": [REGION]}}
    whole = {"version": 1, "accounts": accounts, "teams": teams, "repositories": repositories}
    return json.dumps({**whole, "settings": {"mode": "enforce"}}).encode()


def snapshot() -> dict[str, Any]:
    """The accounts: as the spec says, and besides an administrator, a shadow role, and a repository left open."""
    deployers = [_user(name, _allow(_PULL, "*"), _TOKEN) for name in DEPLOYERS]
    builders = [_user(name, _allow("sts:AssumeRole", _role_arn(_of(name)))) for name in BUILDERS]
    roles = [
        _role(f"push-{name}", f"arn:aws:iam::{CI}:user/build-{name}", _allow(_PUSH, _repository_arn(f"{name}/*")))
        for name in ("shop", "billing", "base")
    ]
    shadow = _role("shadow-pusher", f"arn:aws:iam::{OUTSIDER}:root", _allow("ecr:*", _repository_arn("billing/*")))
    admin = {
        "Arn": f"arn:aws:iam::{REGISTRY}:user/admin",
        "UserId": "AIDAADMIN",
        "UserPolicyList": [{"PolicyName": "all", "PolicyDocument": _document(_allow("*", "*"))}],
    }
    pullers = [f"arn:aws:iam::{CI}:user/{name}" for name in DEPLOYERS]
    repositories: list[dict[str, Any]] = [
        {"repositoryName": name, "policy": _document({**_allow(_PULL), "Principal": {"AWS": pullers}})} for name in APPS
    ]
    repositories += [{"repositoryName": "old/prototype", "policy": None}, {"repositoryName": "base/go"}]
    unread = [{"what": "ecr:GetRepositoryPolicy", "region": REGION, "code": "AccessDeniedException"}]
    estate = {
        "schema": 1,
        "takenAt": f"{NOW - timedelta(minutes=12):%Y-%m-%dT%H:%M:%SZ}",
        "accounts": {
            CI: {"iam": {"UserDetailList": [*deployers, *builders]}},
            REGISTRY: {
                "iam": {"UserDetailList": [admin], "RoleDetailList": [*roles, shadow]},
                "ecr": {REGION: {"repositories": repositories}},
                "unread": unread,
            },
        },
    }
    return complete(estate)


def example(given: dict[str, Any] | None = None, text: bytes = b"") -> Report:
    """A report as the hub makes it, of these accounts and this spec, by default of those above."""
    loaded = load_spec(text or spec_text(), version="93e91ec4-1367-462a-8b9a-09d2e322e07f", now=NOW)
    assert isinstance(loaded, Valid), loaded
    estate = estate_from_text(json.dumps(complete(given or snapshot())), at=NOW)
    audit = find(estate, loaded.compiled, None, None)
    news = compare(None, audit, frozenset(), NOW - timedelta(hours=3))
    record = AuditRecord(
        NOW,
        loaded.compiled.version,
        {},
        news.standing,
        news.left_out,
        audit.administrators,
        unread=audit.unread,
        failure=AuditFailed(audit.failure) if audit.failure else None,
        audited_at=NOW,
    )
    audited = AuditedAccess(Involved(loaded.compiled), record, NOW)
    targets = [one.target for one in estate.repositories() if loaded.compiled.spec_of(one.target) is not None]
    health = {str(one): _health(one, audited.of(one)) for one in targets}
    grants, teams = grants_and_teams(loaded.spec)
    read = NOW - timedelta(minutes=12)
    parts = [PartRead(CI, "ci", read, read), PartRead(REGISTRY, "registry", read, read)]
    parts.append(PartRead(f"{REGISTRY}/{REGION}", "", NOW - timedelta(minutes=4), read))
    return make_report(
        Sources(estate, loaded.compiled, health, teams),
        record,
        Beside(NOW, Origin.HUB, parts, grants, audit.administrators, lines(audit.unread)),
    )


def _health(target: RepositoryTarget, audited: Condition) -> RepositoryHealth:
    in_sync = Condition(ConditionStatus.TRUE, "InSync", "6 targets as the spec says", NOW - timedelta(hours=30))
    if target.name == "shop/search":
        message = f"differs: {target}"
        in_sync = Condition(ConditionStatus.FALSE, "Drifted", message, NOW - timedelta(hours=1))
    fresh = Condition(ConditionStatus.TRUE, "Fresh", "all of it was swept and read lately", NOW - timedelta(minutes=12))
    return RepositoryHealth(in_sync, audited, fresh)


_KEPT = frozenset(
    {
        *("access", "answer", "ground", "status", "kind", "certainty", "origin", "mode", "type", "schema"),
        *("madeAt", "since", "until", "at", "firstSeen", "readAt", "sweptAt"),
    }
)


def hostile(text: str) -> Report:
    """The example with this in every text that comes from outside, and in many that do not."""
    form = to_json(example())
    statements = {place for _, _, _, place in form["matrix"]["statements"]}
    form["matrix"]["texts"] = [
        json.dumps({"Sid": text}) if place in statements else one + text
        for place, one in enumerate(form["matrix"]["texts"])
    ]
    texts = form["matrix"].pop("texts")
    form = _poisoned(form, text)
    form["matrix"]["texts"] = texts
    made: Report = read(form, Report)
    return made


def _poisoned(value: Any, text: str) -> Any:
    match value:
        case dict():
            return {key: one if key in _KEPT else _poisoned(one, text) for key, one in value.items()}
        case list():
            return [_poisoned(one, text) for one in value]
        case str():
            return value + text
        case _:
            return value


def _of(builder: str) -> str:
    return builder.replace("build-", "push-")


def _allow(action: str | list[str], on: str = "") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, **({"Resource": on} if on else {})}


_TOKEN = _allow("ecr:GetAuthorizationToken", "*")


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _repository_arn(name: str) -> str:
    return f"arn:aws:ecr:{REGION}:{REGISTRY}:repository/{name}"


def _role_arn(name: str) -> str:
    return f"arn:aws:iam::{REGISTRY}:role/ecr-warden/{name}"


def _user(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    policies = [{"PolicyName": "own", "PolicyDocument": _document(*statements)}]
    return {"Arn": f"arn:aws:iam::{CI}:user/{name}", "UserId": f"AIDA{name.upper()}", "UserPolicyList": policies}


def _role(name: str, trusted: str, *statements: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
    return {
        "Arn": _role_arn(name),
        "RoleId": f"AROA{name.upper()}",
        "AssumeRolePolicyDocument": _document(trust),
        "RolePolicyList": [{"PolicyName": "push", "PolicyDocument": _document(*statements, _TOKEN)}],
    }
