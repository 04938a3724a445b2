"""Entries by the keys of their targets, of which only those that are asked for have to be read."""

from abc import abstractmethod
from collections.abc import Mapping

from ecr_warden.core.part import part_of_key


class LazyEntries[V](Mapping[str, V]):
    """Entries that are read when they are asked for. Whoever goes through all of them reads everything, each time."""

    __slots__ = ()

    @property
    @abstractmethod
    def parts(self) -> frozenset[str]:
        """The parts of a sweep that have entries."""

    @abstractmethod
    def of_part(self, part: str) -> Mapping[str, V]:
        """The entries of one part of a sweep."""


def parts_in(entries: Mapping[str, object]) -> frozenset[str]:
    """The parts of a sweep that have entries."""
    return entries.parts if isinstance(entries, LazyEntries) else frozenset(map(part_of_key, entries))


def entries_in[V](entries: Mapping[str, V], part: str) -> Mapping[str, V]:
    """The entries of one part of a sweep; of LazyEntries, no other is read."""
    if isinstance(entries, LazyEntries):
        return entries.of_part(part)
    return {key: entry for key, entry in entries.items() if part_of_key(key) == part}
