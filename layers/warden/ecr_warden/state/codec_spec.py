"""The compiled spec, as it is stored at acceptance and read by every reconcile."""

import hashlib
from copy import replace
from typing import Any

from ecr_warden.core.address import Address
from ecr_warden.core.codec.base import READERS, CodecError, Json, dumps
from ecr_warden.core.codec.values import fields, read, reader, to_json
from ecr_warden.core.desired import (
    CompiledSpec,
    Documents,
    Mode,
    PatternAddress,
    Removed,
    RemovedTargets,
    TargetSpec,
    TargetSpecs,
)
from ecr_warden.core.job import SCHEMA
from ecr_warden.core.target import RepositoryTarget

_UNWRITTEN = ("limits", "removals", "removed", "removedPatterns", "released", "takenOver")
"""What no text of a spec has, and its limits: they hold even if its text is not valid any more."""


def spec_to_json(spec: CompiledSpec) -> Json:
    """The compiled spec: `{"schema", "version", "mode", "accounts", "targets": [...], ...}`."""
    lists = {
        "targets": list(map(_target_spec_to_json, spec.targets.values())),
        "removed": to_json(tuple(spec.removed.values())),
    }
    return {"schema": SCHEMA, **fields(spec, "targets", "removed"), **lists}


def spec_body(spec: CompiledSpec) -> tuple[str, bytes]:
    """A compiled spec as it is kept, after the digest by which it is known there."""
    body = dumps(spec_to_json(spec)).encode()
    return hashlib.sha256(body).hexdigest(), body


def _target_spec_to_json(spec: TargetSpec) -> Json:
    lists = {
        "documents": _documents_to_json(spec.documents),
        "widenAfter": [{"address": to_json(at), "roles": to_json(roles)} for at, roles in spec.widen_after.items()],
        "observed": _documents_to_json(spec.observed),
    }
    return fields(spec, "documents", "widen_after", "observed", "given") | lists


def _documents_to_json(documents: Documents) -> list[Json]:
    return [{"address": to_json(address), "value": to_json(value)} for address, value in documents.items()]


def _targets(rows: object) -> dict[str, TargetSpec]:
    return {spec.target.key: spec for spec in read(rows, tuple[TargetSpec, ...])}


def _removed(rows: object) -> dict[str, Removed]:
    return {entry.target.key: entry for entry in read(rows, tuple[Removed, ...])}


def _pattern_address(value: dict[str, Any]) -> Address:
    """An address whose target may be a pattern: no name has the `*` that stands in its place."""
    text = str(value["target"])
    address: Address = read(value | {"target": text.replace("*", "xx")}, Address)
    if "*" not in text or not isinstance(address.target, RepositoryTarget):
        return address
    return replace(address, target=replace(address.target, name=text.split("/", 3)[3]))


def _complete(value: Json) -> Json:
    """What lacks a field was compiled by an ecr-warden that did not know it: its text is compiled again."""
    missing = {*CompiledSpec.__struct_encode_fields__} - {*value}
    if missing:
        raise CodecError(f"{', '.join(sorted(missing))} is missing")
    return value


READERS |= {TargetSpecs: _targets, RemovedTargets: _removed, PatternAddress: _pattern_address}
spec_from_json = reader("compiled spec", CompiledSpec, _complete, schema=SCHEMA)
_any_schema = reader("compiled spec", CompiledSpec)


def rest_from_json(version: str, value: Json) -> CompiledSpec:
    """Of a compiled spec that cannot be read: its limits and what no text has, each as far as it can be read."""
    rest: Json = {"version": version, "mode": Mode.OBSERVE, "accounts": [], "targets": []}
    found = _any_schema(rest)
    for key in _UNWRITTEN:
        if key in value:
            try:
                found = _any_schema(rest | {key: value[key]})
            except CodecError:
                continue
            rest[key] = value[key]
    return found
