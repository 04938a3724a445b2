"""Keeping a compiled spec as a tree (state.tree): only what is not known to be kept is written."""

import hashlib
from collections.abc import Mapping, Sequence

from ecr_warden.core.codec.base import Json, dumps
from ecr_warden.core.desired import CompiledSpec, enforces
from ecr_warden.core.part import part_of_key
from ecr_warden.state.codec_spec import ENTRIES, EntryCodec, manifest_to_json
from ecr_warden.state.tree import SpecTree, place_of
from iam_access.gather import gather

PER_LEAF = 32
"""How many entries a leaf has at most, on average; a power of two of leaves of a part, so that few move."""


class KeptSpecs(SpecTree):
    """Compiled specs that are kept among the objects."""

    def keep(self, spec: CompiledSpec) -> str:
        """Keep a compiled spec, as far as it is not known to be kept, and return the digest of its manifest."""
        leaves = {name: self._keep(entries, ENTRIES[name]) for name, entries in _sections(spec).items()}
        return self._put(_encoded(manifest_to_json(spec) | {"enforces": enforces(spec.targets), "leaves": leaves}))

    def _keep[V](self, entries: Mapping[str, V], entry: EntryCodec[V]) -> dict[str, list[str]]:
        parts = gather((part_of_key(key), key) for key in sorted(entries))
        return {part: [self._leaf_of(entries, some, entry) for some in _divided(keys)] for part, keys in parts.items()}

    def _leaf_of[V](self, entries: Mapping[str, V], keys: Sequence[str], entry: EntryCodec[V]) -> str:
        return self._put(_encoded({key: entry.write(entries[key]) for key in keys})) if keys else ""

    def _put(self, body: bytes) -> str:
        digest = hashlib.sha256(body).hexdigest()
        if digest not in self._sound:
            self._objects.put(digest, body)
            self._sound.add(digest)
        return digest


def _sections(spec: CompiledSpec) -> dict[str, Mapping[str, object]]:
    """All entries of a compiled spec by their targets' keys: who is named where is an index of the others."""
    targets = dict(spec.targets)
    names = gather(
        (identity, key)
        for key, entry in sorted(targets.items())
        for identity in {principal.key for principal in entry.principals.values()}
    )
    return {
        "targets": targets,
        "removed": spec.removed,
        "takenOver": spec.taken_over,
        "literal": spec.literal,
        "names": {identity: tuple(keys) for identity, keys in names.items()},
    }


def _divided(keys: Sequence[str]) -> list[list[str]]:
    """The keys of a part by leaf."""
    leaves: list[list[str]] = [[] for _ in range(1 << (-(-len(keys) // PER_LEAF) - 1).bit_length())]
    for key in keys:
        leaves[place_of(key, len(leaves))].append(key)
    return leaves


def _encoded(value: Json) -> bytes:
    return dumps(value).encode()
