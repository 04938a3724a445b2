"""The compiled spec, as it is stored at acceptance and read by every reconcile."""

import hashlib
from collections.abc import Callable
from copy import replace
from typing import Any

from ecr_warden.model.codec.base import CodecError, Json, check_schema, dumps, reading
from ecr_warden.model.codec.values import fields, read, to_json
from ecr_warden.model.desired import (
    AlsoAllowed,
    CompiledSpec,
    Documents,
    EndSessions,
    GrantEnd,
    HoldLimits,
    Mode,
    Released,
    Removal,
    Removed,
    RemovedPattern,
    RepositoryPattern,
    Taken,
    TargetSpec,
)
from ecr_warden.model.job import SCHEMA
from ecr_warden.model.target import RepositoryTarget
from ecr_warden.model.value import Count


def spec_to_json(spec: CompiledSpec) -> Json:
    """The compiled spec: `{"schema", "version", "mode", "accounts", "targets": [...]}`."""
    return {
        "schema": SCHEMA,
        "version": spec.version,
        "mode": spec.mode,
        "endSessions": spec.end_sessions,
        "accounts": list(spec.accounts),
        "organizations": list(spec.organizations),
        "literal": to_json(spec.literal),
        **({"accountModes": to_json(spec.account_modes)} if spec.account_modes else {}),
        "targets": list(map(_target_spec_to_json, spec.targets.values())),
        "patterns": to_json(spec.patterns),
        **({"limits": limits} if (limits := to_json(spec.limits)) else {}),
        **({"removals": to_json(spec.removals)} if spec.removals else {}),
        **({"alsoAllowed": to_json(spec.also_allowed)} if spec.also_allowed else {}),
        **({"ends": to_json(spec.ends)} if spec.ends else {}),
        **({"removed": to_json(tuple(spec.removed.values()))} if spec.removed else {}),
        **({"removedPatterns": to_json(spec.removed_patterns)} if spec.removed_patterns else {}),
        **({"released": to_json(spec.released)} if spec.released else {}),
        **({"takenOver": to_json(spec.taken_over)} if spec.taken_over else {}),
    }


def spec_body(spec: CompiledSpec) -> tuple[str, bytes]:
    """A compiled spec as it is kept, after the digest by which it is known there."""
    body = dumps(spec_to_json(spec)).encode()
    return hashlib.sha256(body).hexdigest(), body


def _target_spec_to_json(spec: TargetSpec) -> Json:
    widen_after = [{"address": to_json(at), "roles": to_json(roles)} for at, roles in spec.widen_after.items()]
    return (
        fields(spec, "documents", "widen_after", "mode", "observed", "given", "ends")
        | {"documents": _documents_to_json(spec.documents), "widenAfter": widen_after}
        | ({"mode": spec.mode} if spec.mode else {})
        | ({"observed": _documents_to_json(spec.observed)} if spec.observed else {})
        | ({"ends": to_json(spec.ends)} if spec.ends else {})
    )


def _documents_to_json(documents: Documents) -> list[Json]:
    return [{"address": to_json(address), "value": to_json(value)} for address, value in documents.items()]


def _spec(value: Json) -> CompiledSpec:
    check_schema(value, SCHEMA)
    return CompiledSpec(
        version=read(value["version"], str),
        mode=Mode(value["mode"]),
        accounts=read(value["accounts"], tuple[str, ...]),
        # What is compiled again where an older version wrote none: without them nothing that grants name is ours.
        organizations=read(value["organizations"], tuple[str, ...]),
        literal=read(value["literal"], dict[str, Count]),
        targets={spec.target.key: spec for spec in read(value["targets"], tuple[TargetSpec, ...])},
        patterns=read(value.get("patterns", []), tuple[RepositoryPattern, ...]),
        also_allowed=read(value.get("alsoAllowed", []), tuple[AlsoAllowed, ...]),
        end_sessions=EndSessions(value.get("endSessions", EndSessions.SINCE_IN_SYNC)),
        ends=read(value.get("ends", []), tuple[GrantEnd, ...]),
        account_modes=read(value.get("accountModes", {}), dict[str, Mode]),
        limits=_limits(value),
        removals=_removals(value),
        removed=_removed(value),
        removed_patterns=_removed_patterns(value),
        released=_released(value),
        taken_over=_taken_over(value),
    )


def _limits(value: Json) -> HoldLimits:
    limits: HoldLimits = read(value.get("limits", {}), HoldLimits)
    return limits


def _removals(value: Json) -> tuple[Removal, ...]:
    removals: tuple[Removal, ...] = read(value.get("removals", []), tuple[Removal, ...])
    return removals


def _removed(value: Json) -> dict[str, Removed]:
    return {entry.target.key: entry for entry in read(value.get("removed", []), tuple[Removed, ...])}


def _removed_patterns(value: Json) -> tuple[RemovedPattern, ...]:
    patterns: tuple[RemovedPattern, ...] = read(value.get("removedPatterns", []), tuple[RemovedPattern, ...])
    return patterns


def _released(value: Json) -> tuple[Released, ...]:
    return tuple(map(_released_at, read(value.get("released", []), list[dict[str, Any]])))


def _released_at(value: Json) -> Released:
    """A released document; what is released of a pattern has the pattern in place of a repository's name."""
    text = str(value["address"]["target"])
    one: Released = read({**value, "address": {**value["address"], "target": text.replace("*", "xx")}}, Released)
    target = one.address.target
    if "*" not in text or not isinstance(target, RepositoryTarget):
        return one
    return replace(one, address=replace(one.address, target=replace(target, name=text.split("/", 3)[3])))


def _taken_over(value: Json) -> dict[str, Taken]:
    taken: dict[str, Taken] = read(value.get("takenOver", {}), dict[str, Taken])
    return taken


spec_from_json = reading("compiled spec", _spec)


def rest_from_json(version: str, value: Json) -> CompiledSpec:
    """Of a compiled spec that cannot be read: its limits and what no text has, each as far as it can be read."""

    def part[T](by: Callable[[Json], T], otherwise: T) -> T:
        try:
            return reading("part of a compiled spec", by)(value)
        except CodecError:
            return otherwise

    return CompiledSpec(
        version,
        Mode.OBSERVE,
        (),
        {},
        limits=part(_limits, HoldLimits()),
        removals=part(_removals, ()),
        removed=part(_removed, {}),
        removed_patterns=part(_removed_patterns, ()),
        released=part(_released, ()),
        taken_over=part(_taken_over, {}),
    )
