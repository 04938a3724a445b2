"""The digest of what a version of the spec says: by it a rejected version is known, however it comes back."""

import hashlib
import json
from collections.abc import Mapping
from copy import replace
from typing import TYPE_CHECKING

from ecr_warden.core.address import Address, repository_policy
from ecr_warden.core.desired import AlsoAllowed, CompiledSpec, RepositoryPattern, TargetSpec
from ecr_warden.state.codec_spec import ENTRIES, manifest_to_json
from iam_access.document.document import Document
from iam_access.equivalent.canonical import canonical_document

if TYPE_CHECKING:
    from ecr_warden.core.desired import DesiredValue


def digest_of(compiled: CompiledSpec) -> str:
    """SHA-256 in hex of what a version says, whatever its ID in the bucket and the versions before it are.

    Documents that AWS treats alike, the order of lists and the reasons of `also_allowed` make no difference.
    """
    said = replace(
        compiled,
        version="",
        targets={key: _target(spec) for key, spec in sorted(compiled.targets.items())},
        patterns=tuple(sorted(map(_pattern, compiled.patterns), key=lambda pattern: pattern.target)),
        also_allowed=tuple(sorted(map(_without_reason, compiled.also_allowed), key=repr)),
        removed={},
        removed_patterns=(),
        released=(),
        removals=(),
        taken_over={},
    )
    return hashlib.sha256(json.dumps(_to_json(said), sort_keys=True).encode()).hexdigest()


def _to_json(spec: CompiledSpec) -> object:
    targets, literal = ENTRIES["targets"], ENTRIES["literal"]
    entries = {key: targets.write(target_spec) for key, target_spec in spec.targets.items()}
    return [manifest_to_json(spec), entries, {key: literal.write(one) for key, one in spec.literal.items()}]


def _target(spec: TargetSpec) -> TargetSpec:
    return replace(spec, documents=_canonical(spec.documents), observed=_canonical(spec.observed))


def _pattern(pattern: RepositoryPattern) -> RepositoryPattern:
    policy = _value(repository_policy(pattern.target), pattern.policy)
    return replace(pattern, policy=policy, excluded=tuple(sorted(pattern.excluded)))


def _canonical(documents: Mapping[Address, "DesiredValue"]) -> dict[Address, "DesiredValue"]:
    return {address: _value(address, documents[address]) for address in sorted(documents, key=str)}


def _value[T](address: Address, value: T | Document) -> T | Document:
    return canonical_document(value, kind=address.document_kind) if isinstance(value, Document) else value


def _without_reason(entry: AlsoAllowed) -> AlsoAllowed:
    return replace(
        entry,
        reason="",
        principals=tuple(sorted({*entry.principals})),
        access=tuple(sorted({*entry.access})),
        repositories=tuple(sorted({*entry.repositories})),
    )
