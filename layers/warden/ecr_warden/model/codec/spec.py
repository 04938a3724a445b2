"""The compiled spec, as it is kept at acceptance and read by every reconcile."""

from ecr_warden.model.address import Address
from ecr_warden.model.codec.base import CodecError, Json, check_schema, entries, flag, reading, text, texts
from ecr_warden.model.codec.values import address_from_json, address_to_json, value_from_json, value_to_json
from ecr_warden.model.desired import (
    CompiledSpec,
    DesiredValue,
    Extent,
    ForeignStatement,
    Mode,
    MustNotExist,
    Removed,
    RepositoryPattern,
    TargetSpec,
)
from ecr_warden.model.job import SCHEMA
from ecr_warden.model.plan import NewRole
from ecr_warden.model.target import RepositoryTarget, parse_target
from ecr_warden.policy.document import Document


def spec_to_json(spec: CompiledSpec) -> Json:
    """The compiled spec: `{"schema", "version", "mode", "accounts", "targets": [...]}`."""
    return {
        "schema": SCHEMA,
        "version": spec.version,
        "mode": spec.mode,
        "accounts": list(spec.accounts),
        "targets": [_target_spec_to_json(target) for target in spec.targets.values()],
        "patterns": [_pattern_to_json(pattern) for pattern in spec.patterns],
        **_removed_to_json(spec),
    }


def _removed_to_json(spec: CompiledSpec) -> Json:
    rows: dict[str, list[Json]] = {"departed": [], "departedOwners": []}
    for entry in spec.removed.values():
        kind = "departed" if isinstance(entry.target, RepositoryTarget) else "departedOwners"
        rows[kind].append({"target": str(entry.target), "since": entry.since})
    return dict(rows)


def _target_spec_to_json(spec: TargetSpec) -> Json:
    return {
        "target": str(spec.target),
        "extent": spec.extent,
        "documents": [
            {"address": address_to_json(address), "value": value_to_json(value)}
            for address, value in spec.documents.items()
        ],
        "widenAfter": [
            {"address": address_to_json(address), "roles": [str(role) for role in roles]}
            for address, roles in spec.widen_after.items()
        ],
        "dependents": [str(target) for target in spec.dependents],
        "principals": {arn: str(target) for arn, target in spec.principals.items()},
        "foreign": list(spec.foreign),
        "revokeOnRemove": spec.revoke_on_remove,
        "mayBeMissing": spec.may_be_missing,
        "exact": spec.exact,
    }


def _pattern_to_json(pattern: RepositoryPattern) -> Json:
    return {
        "account": pattern.account,
        "region": pattern.region,
        "name": pattern.name,
        "excluded": list(pattern.excluded),
        "policy": value_to_json(pattern.policy),
        "principals": {arn: str(target) for arn, target in pattern.principals.items()},
        "foreign": list(pattern.foreign),
        "exact": pattern.exact,
    }


def _spec(value: Json) -> CompiledSpec:
    check_schema(value, SCHEMA)
    targets = [target_spec_from_json(entry) for entry in entries(value["targets"])]
    return CompiledSpec(
        version=text(value["version"]),
        mode=Mode(value["mode"]),
        accounts=texts(value["accounts"]),
        targets={spec.target.key: spec for spec in targets},
        patterns=tuple(map(_pattern, entries(value.get("patterns", [])))),
        removed={entry.target.key: entry for entry in _removed(value)},
    )


def _pattern(value: Json) -> RepositoryPattern:
    policy = value_from_json(value["policy"])
    if not isinstance(policy, Document | MustNotExist):
        raise CodecError("a pattern without a policy")
    return RepositoryPattern(
        account=text(value["account"]),
        region=text(value["region"]),
        name=text(value["name"]),
        excluded=texts(value["excluded"]),
        policy=policy,
        principals={arn: parse_target(target) for arn, target in value["principals"].items()},
        foreign=tuple(map(ForeignStatement, entries(value["foreign"]))),
        exact=flag(value.get("exact", False)),
    )


def _removed(value: Json) -> tuple[Removed, ...]:
    """Owners stand apart: a version of ecr-warden that knows repositories only reads the rest."""
    rows = (*entries(value.get("departed", [])), *entries(value.get("departedOwners", [])))
    return tuple(Removed(parse_target(row["target"]), text(row["since"])) for row in rows)


def target_spec_from_json(value: Json) -> TargetSpec:
    documents: dict[Address, DesiredValue] = {}
    for entry in entries(value["documents"]):
        desired = value_from_json(entry["value"])
        if desired is None or isinstance(desired, NewRole):
            raise CodecError("a target's document without a desired value")
        documents[address_from_json(entry["address"])] = desired
    return TargetSpec(
        target=parse_target(value["target"]),
        extent=Extent(value["extent"]),
        documents=documents,
        widen_after={
            address_from_json(entry["address"]): tuple(parse_target(role) for role in entries(entry["roles"]))
            for entry in entries(value["widenAfter"])
        },
        dependents=tuple(parse_target(target) for target in entries(value["dependents"])),
        principals={arn: parse_target(target) for arn, target in value["principals"].items()},
        # A spec that was accepted by an earlier version has none of these.
        foreign=tuple(map(ForeignStatement, entries(value.get("foreign", [])))),
        revoke_on_remove=flag(value.get("revokeOnRemove", False)),
        may_be_missing=flag(value.get("mayBeMissing", False)),
        exact=flag(value.get("exact", False)),
    )


spec_from_json = reading("compiled spec", _spec)
removed_from_json = reading("list of what has removed", _removed)
