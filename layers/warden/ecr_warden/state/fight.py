"""Others who keep writing a document: what is remembered of the repairs of each document of a target."""

from collections.abc import Iterable
from datetime import datetime

from ecr_warden.core.address import Address
from ecr_warden.core.codec.base import SCHEMA, Json, reader, to_json
from ecr_warden.core.job import Actor
from ecr_warden.core.value import Count, Moment, Value

RESTORED = 3
"""From this time on that a version comes back, it is fought over."""


class OthersVersion(Value, frozen=True, omit_defaults=True):
    """A version of a document that one writer left and runs replaced.

    `since`, `last`: the first and the latest of its `repairs`.
    """

    digest: str
    """Empty if there was no document."""
    since: Moment
    last: Moment
    repairs: Count = 1
    writer: Actor | None = None
    """None while nobody is known to have written it."""

    @property
    def is_fought_over(self) -> bool:
        """Whether somebody keeps restoring it."""
        return self.repairs >= RESTORED

    def may_be_of(self, writer: Actor | None) -> bool:
        """Whether a writer may be this one: the same principal, or one of them is unknown."""
        return self.writer is None or writer is None or self.writer.principal == writer.principal


class Repairs(Value, frozen=True, omit_defaults=True):
    """What is remembered of the repairs of one document."""

    address: Address
    written_at: Moment
    versions: tuple[OthersVersion, ...] = ()
    """Of others."""
    narrowed: tuple[Moment, ...] = ()
    """When access that others gave was taken away."""
    left: str | None = None
    """The digest of what the last run wrote, None if it has none."""
    seen: bool = True
    """AWS showed that afterwards."""
    whole: str | None = None
    """The digest of what a run last wrote that gave all of what the spec gives."""
    given_back_at: Moment | None = None
    """When a run last gave access back."""

    @property
    def is_fought_over(self) -> bool:
        """Whether somebody keeps restoring a version of it."""
        return any(version.is_fought_over for version in self.versions)

    @property
    def latest(self) -> OthersVersion | None:
        """The version of others that was replaced last."""
        return max(self.versions, key=lambda version: version.last, default=None)


class Fight(Value, frozen=True):
    """A fight, for people: `since` and `last` are the first and the latest of its `repairs`."""

    address: Address
    since: Moment
    last: Moment
    repairs: Count
    writer: Actor | None


def fights(known: Iterable[Repairs]) -> tuple[Fight, ...]:
    """The fights over a target's documents, for people."""
    return tuple(fights_by_version(known).values())


def fights_by_version(known: Iterable[Repairs]) -> dict[tuple[Address, str, datetime], Fight]:
    """The fights by the address, the digest and the beginning of what is fought over."""
    return {
        (repairs.address, version.digest, version.since): Fight(
            repairs.address, version.since, version.last, version.repairs, version.writer
        )
        for repairs in known
        for version in repairs.versions
        if version.is_fought_over
    }


def repairs_to_json(repairs: tuple[Repairs, ...]) -> Json:
    """What a target's record holds of the repairs of its documents."""
    return {"schema": SCHEMA, "documents": to_json(repairs)}


repairs_from_json = reader("record of repairs", tuple[Repairs, ...], lambda value: value["documents"], schema=SCHEMA)
