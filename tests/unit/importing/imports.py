"""An import in a test, and a spec put into force on a snapshot by other means than the product's."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import CompiledSpec, Extent, RoleSettings, TargetSpec
from ecr_warden.core.target import RepositoryTarget, RoleTarget
from ecr_warden_cli.asking.naming import aliases_of
from ecr_warden_cli.importing.importing import Imported, import_estate
from iam_access.document.document import Document
from iam_access.who_can.ours import Ours, Owner
from local.testing.printed import complete
from tests.snapshots import estate_from_text

type Json = dict[str, Any]

NOW = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
ALIASES = {"111111111111": "ci", "222222222222": "registry", "333333333333": "run"}


EVERYBODY = Ours(
    frozenset({"999999999999"}),
    frozenset({"o-a1b2c3d4e5", "o-b1b2c3d4e5"}),
    frozenset(
        {
            *(Owner("token.actions.githubusercontent.com", "repo:acme", known) for known in ("", "12")),
            *(
                Owner("token.actions.githubusercontent.com", "repo:beta", "13"),
                Owner("gitlab.com", "project_path:acme"),
            ),
        }
    ),
)
"""Whom somebody named who knows all estates of the tests."""


def imported(snapshot: Json, *, ours: Ours = Ours()) -> Imported:  # noqa: B008
    """The import of a snapshot, with the aliases of the tests; its text says what was loaded."""
    estate = estate_from_text(json.dumps(complete(snapshot)), at=NOW)
    names = {account: alias for account, alias in ALIASES.items() if account in estate.accounts}
    made = import_estate(estate, aliases_of(estate.accounts, names), now=NOW, ours=ours)
    read = load_spec(made.text.encode(), now=NOW)
    assert isinstance(read, Valid), read
    assert (read.spec, read.compiled) == (made.loaded.spec, made.loaded.compiled)
    return made


def enforced(snapshot: Json, compiled: CompiledSpec) -> Json:
    """The snapshot once somebody has written every document of a spec and removed what it does not allow."""
    made = copy.deepcopy(snapshot)
    for account, part in made["accounts"].items():
        for region, registry in part.get("ecr", {}).items():
            for entry in registry["repositories"]:
                spec = compiled.spec_of(RepositoryTarget(account, region, entry["repositoryName"]))
                if spec is not None:
                    entry["policy"] = _policy(spec, entry.get("policy"))
        for kind, entry in _identities(part):
            key = f"{kind}/{account}/{entry['Arn'].rpartition('/')[2]}".lower()
            _write(compiled.targets.get(key), kind, entry)
        for spec in compiled.targets.values():
            if isinstance(spec.target, RoleTarget) and spec.target.account == account:
                _create(spec, part["iam"]["RoleDetailList"])
    return made


def _identities(part: Json) -> Iterator[tuple[str, Json]]:
    for kind in ("User", "Role"):
        yield from ((kind.lower(), entry) for entry in part["iam"].get(f"{kind}DetailList", ()))


def _policy(spec: TargetSpec, live: Any) -> Json | None:
    own = next(json.loads(value.text) if isinstance(value, Document) else None for value in spec.documents.values())
    raw = json.loads(live) if isinstance(live, str) else live
    if not spec.foreign or raw is None:
        return own
    kept = [one for one in raw["Statement"] if one.get("Principal") == {"Service": "lambda.amazonaws.com"}]
    return {"Version": "2012-10-17", "Statement": [*(own["Statement"] if own else []), *kept]} if kept or own else None


def _write(spec: TargetSpec | None, kind: str, entry: Json) -> None:
    key = f"{kind.title()}PolicyList"
    extent = spec.extent if spec else Extent.OURS
    wanted = _inline(spec) if spec else {}
    held = {one["PolicyName"]: one["PolicyDocument"] for one in entry.get(key, ())}
    kept = {
        name: one
        for name, one in held.items()
        if extent is Extent.NAMED or (extent is Extent.OURS and not name.startswith("ecr-warden-"))
    }
    entry[key] = [{"PolicyName": name, "PolicyDocument": one} for name, one in (kept | wanted).items()]
    if extent is Extent.WHOLE:
        entry["AttachedManagedPolicies"] = []
    for address, value in spec.documents.items() if spec else ():
        if address.kind is AddressKind.TRUST_POLICY and isinstance(value, Document):
            entry["AssumeRolePolicyDocument"] = json.loads(value.text)
        if isinstance(value, RoleSettings):
            entry["PermissionsBoundary"] = {"PermissionsBoundaryArn": value.boundary}


def _inline(spec: TargetSpec) -> Json:
    return {
        address.name: json.loads(value.text)
        for address, value in spec.documents.items()
        if address.kind is AddressKind.IDENTITY_POLICY and isinstance(value, Document)
    }


def _create(spec: TargetSpec, roles: list[Json]) -> None:
    settings = next((value for value in spec.documents.values() if isinstance(value, RoleSettings)), None)
    name = spec.target.name
    if settings is not None and not any(one["Arn"].endswith(f"/{name}") for one in roles):
        entry: Json = {"Arn": f"arn:aws:iam::{spec.target.account}:role{settings.path}{name}", "RoleId": ""}
        _write(spec, "role", entry)
        roles.append(entry)
