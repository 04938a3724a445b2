"""The compiled spec as it is kept: a manifest, and leaves with some of its entries each.

Each is an object under the digest of its content, and never changes. The manifest has all that is not an entry, and the
digests of the leaves; the table has the digest of the accepted manifest. So whoever can write objects decides nothing,
nobody reads half a version, and a version that changes a few entries writes a few leaves. Whoever asks for one entry
reads the manifest and one leaf, however many there are (docs/adr/0044).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Protocol

import msgspec

from ecr_warden.core.codec.base import CodecError, Json, loads
from ecr_warden.core.desired import CompiledSpec, LazyTargets, TargetSpec
from ecr_warden.core.lazy_entries import LazyEntries
from ecr_warden.core.part import part_of_key
from ecr_warden.state.accepted import CompiledUnusable
from ecr_warden.state.codec_spec import ENTRIES, EntryCodec, rest_from_json, spec_from_json

_HELD = 32
"""How many leaves a container holds, of some 50 kB each."""
_AT_ONCE = 100
"""How many leaves are asked for together, so that calls wait for one another seldom."""

type _Leaf = Mapping[str, msgspec.Raw]
type _Digests = Mapping[str, Sequence[str]]
"""By the part of a sweep, the digests of its leaves, empty for an empty leaf."""


class Objects(Protocol):
    """What is kept under the digest of its content; whoever reads checks it."""

    def place(self, digest: str) -> str:
        """Where an object is, for people."""

    def get(self, digests: Sequence[str]) -> Iterable[bytes | None]:
        """Whatever is there, in the same order; None for nothing."""

    def put(self, digest: str, body: bytes) -> None:
        """Keep an object."""


class SpecTree:
    """Compiled specs among the objects; it holds the leaves that were read last, and knows which it has seen whole."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._held: OrderedDict[str, _Leaf] = OrderedDict()
        self._sound: set[str] = set()

    def read(self, digest: str, version: str) -> CompiledSpec:
        """A compiled spec, whose entries are read when they are asked for; `version`: of the spec, for the error.

        Raises CompiledUnusable, now or when an entry is asked for.
        """
        [body] = self._read([digest], _Rest(self, version))
        rest = _Rest(self, version)
        try:
            rest.manifest = manifest = loads(body)
            leaves = manifest["leaves"]
            entries = {name: _Leaves(self, leaves[name], ENTRIES[name], rest) for name in ENTRIES}
            targets = _Targets(self, leaves["targets"], entries.pop("names"), manifest["enforces"], rest)
            return spec_from_json(manifest | entries | {"targets": targets})
        except (CodecError, LookupError, TypeError, AttributeError) as error:
            raise rest.unusable(f"it has another form: {error!s:.200}") from error

    def leaves(self, digests: Sequence[str], rest: "_Rest") -> Iterator[_Leaf]:
        """Leaves as they are kept now, in this order."""
        for some in batched([one for one in digests if one], _AT_ONCE, strict=False):
            for digest, body in zip(some, self._read(some, rest), strict=True):
                self._held[digest] = leaf = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
                while len(self._held) > _HELD:
                    self._held.popitem(last=False)
                yield leaf

    def leaf(self, digest: str, rest: "_Rest") -> _Leaf:
        """One leaf, as it was read last."""
        if not digest:
            return {}
        if digest in self._held:
            self._held.move_to_end(digest)
            return self._held[digest]
        return next(self.leaves([digest], rest))

    def _read(self, digests: Sequence[str], rest: "_Rest") -> list[bytes]:
        """What is kept under these digests; raises CompiledUnusable if one is gone or is not what was kept."""
        found: list[bytes] = []
        for digest, body in zip(digests, self._objects.get(digests), strict=True):
            if body is None or hashlib.sha256(body).hexdigest() != digest:
                self._sound.clear()  # the next version writes all, for what else was lost is not known
                place = self._objects.place(digest)
                why = "there is no" if body is None else "somebody else wrote"
                raise rest.unusable(f"{why} {place}", place)
            self._sound.add(digest)
            found.append(body)
        return found


class _Leaves[V](LazyEntries[V]):
    """The entries in some leaves."""

    __slots__ = ("_digests", "_entry", "_rest", "_tree")

    def __init__(self, tree: SpecTree, digests: _Digests, entry: EntryCodec[V], rest: "_Rest") -> None:
        self._tree, self._digests, self._entry, self._rest = tree, digests, entry, rest

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(self._digests)

    def of_part(self, part: str) -> Mapping[str, V]:
        leaves = self._tree.leaves(self._digests.get(part, ()), self._rest)
        return {key: self._value(raw) for leaf in leaves for key, raw in leaf.items()}

    def __getitem__(self, key: str) -> V:
        return self._value(self._leaf(key)[key])

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self._leaf(key)

    def __iter__(self) -> Iterator[str]:
        every = [digest for digests in self._digests.values() for digest in digests]
        for leaf in self._tree.leaves(every, self._rest):
            yield from leaf

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _leaf(self, key: str) -> _Leaf:
        digests = self._digests.get(part_of_key(key), ())
        return self._tree.leaf(digests[place_of(key, len(digests))], self._rest) if digests else {}

    def _value(self, raw: msgspec.Raw) -> V:
        try:
            return self._entry.read(msgspec.json.decode(raw))
        except CodecError as error:
            raise self._rest.unusable(error.message) from error


class _Targets(_Leaves[TargetSpec], LazyTargets):
    """The targets' entries, and whom each identity is named by."""

    __slots__ = ("_names", "enforces")

    def __init__(
        self,
        tree: SpecTree,
        digests: _Digests,
        names: Mapping[str, Sequence[str]],
        enforces: bool,
        rest: "_Rest",
    ) -> None:
        super().__init__(tree, digests, ENTRIES["targets"], rest)
        self._names, self.enforces = names, enforces

    def naming(self, identity: str) -> Iterable[TargetSpec]:
        return [self[key] for key in self._names.get(identity, ())]

    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        # Whoever reads all notices what is lost of this, too.
        for _ in self._names:
            pass


class _Rest:
    """What no text has of a compiled spec that cannot be used, read when somebody compiles it again."""

    def __init__(self, tree: SpecTree, version: str) -> None:
        self._tree, self._version = tree, version
        self.manifest: Json = {}

    def __call__(self) -> CompiledSpec:
        leaves = self.manifest.get("leaves", {})
        lists = {name: self._readable(leaves.get(name, {}), ENTRIES[name]) for name in ("removed", "takenOver")}
        return rest_from_json(self._version, self.manifest | lists)

    def _readable[V](self, parts: _Digests, entry: EntryCodec[V]) -> dict[str, V]:
        found: dict[str, V] = {}
        for digest in (one for digests in parts.values() for one in digests):
            try:
                for leaf in self._tree.leaves([digest], self):
                    found |= {key: entry.read(msgspec.json.decode(raw)) for key, raw in leaf.items()}
            except (CompiledUnusable, CodecError):
                continue
        return found

    def unusable(self, why: str, place: str = "") -> CompiledUnusable:
        """The error; `place`: of the object that somebody else deleted or wrote."""
        return CompiledUnusable(why, version=self._version, rest=self, place=place)


def place_of(key: str, leaves: int) -> int:
    """Which of the leaves of a part has the key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % leaves
