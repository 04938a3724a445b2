"""The JSON of a compiled spec: of all that is not an entry, and of each kind of entry."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ecr_warden.core.codec.base import READERS, CodecError, Json
from ecr_warden.core.codec.values import fields, reader, to_json
from ecr_warden.core.desired import (
    CompiledSpec,
    Documents,
    DocumentTakeover,
    Mode,
    Removed,
    TargetSpec,
    TargetSpecs,
)
from ecr_warden.core.value import Count

_SCHEMA = 2
"""Another one whenever a release compiles a spec to something else, so that it compiles the accepted one again."""
_UNWRITTEN = ("removals", "removed", "removedPatterns", "takenOver")
"""What no text of a spec has: it holds even if its text is not valid any more."""


class EntryCodec[V](NamedTuple):
    """How the entries of one kind are written and read."""

    write: Callable[[V], Any]
    read: Callable[[Any], V]


def manifest_to_json(spec: CompiledSpec) -> Json:
    """All of a compiled spec but its entries: `{"schema", "version", "mode", "accounts", ...}`."""
    return {"schema": _SCHEMA, **fields(spec, "targets", "removed", "taken_over", "literal")}


def _target_spec_to_json(spec: TargetSpec) -> Json:
    lists = {
        "documents": _documents_to_json(spec.documents),
        "widenAfter": [{"address": to_json(at), "roles": to_json(roles)} for at, roles in spec.widen_after.items()],
        "observed": _documents_to_json(spec.observed),
    }
    return fields(spec, "documents", "widen_after", "observed", "given") | lists


def _documents_to_json(documents: Documents) -> list[Json]:
    return [{"address": to_json(address), "value": to_json(value)} for address, value in documents.items()]


def _complete(value: Json) -> Json:
    """What lacks a field was compiled by an ecr-warden that did not know it: its text is compiled again."""
    missing = {*CompiledSpec.__struct_encode_fields__} - {*value}
    if missing:
        raise CodecError(f"{', '.join(sorted(missing))} is missing")
    return value


READERS |= {TargetSpecs: lambda entries: entries}  # which were read elsewhere
ENTRIES: Mapping[str, EntryCodec[Any]] = {
    "targets": EntryCodec(_target_spec_to_json, reader("target of the spec", TargetSpec)),
    "removed": EntryCodec(to_json, reader("removed target", Removed)),
    "takenOver": EntryCodec(to_json, reader("list of what is taken over", dict[str, DocumentTakeover])),
    "literal": EntryCodec(to_json, reader("list of literal documents", dict[str, Count])),
    "names": EntryCodec(to_json, reader("list of targets", tuple[str, ...])),
}
"""The kinds of entries of a compiled spec, by their targets' keys."""
spec_from_json = reader("compiled spec", CompiledSpec, _complete, schema=_SCHEMA)
_any_schema = reader("compiled spec", CompiledSpec)


def rest_from_json(version: str, value: Json) -> CompiledSpec:
    """Of a compiled spec that cannot be read: what no text has, each as far as it can be read."""
    rest: Json = {"version": version, "mode": Mode.OBSERVE, "accounts": [], "targets": {}}
    compiled_spec = _any_schema(rest)
    for key in _UNWRITTEN:
        if key in value:
            try:
                compiled_spec = _any_schema(rest | {key: value[key]})
            except CodecError:
                continue
            rest[key] = value[key]
    return compiled_spec
