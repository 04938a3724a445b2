"""Others who keep writing a document: what is remembered of the repairs of each document of a target."""

from typing import Annotated

from msgspec import Meta

from ecr_warden.model.address import Address
from ecr_warden.model.job import Actor
from ecr_warden.model.value import Count, Moment, Value


class Fight(Value, frozen=True, omit_defaults=True):
    """Somebody keeps restoring one version of a document.

    `since`: the first of the repairs by which it was noticed. `repairs`: so far. `announced_at`: when people last heard
    of it, `announced`: after how many repairs.
    """

    since: Moment
    repairs: Count
    announced_at: Moment
    announced: Count


class OthersVersion(Value, frozen=True, omit_defaults=True):
    """A version of a document that others wrote and runs replaced.

    `digest`: empty if there was no document. `at`: when it was replaced, the latest last. `writer`: the last who is
    known to have written it.
    """

    digest: str
    at: Annotated[tuple[Moment, ...], Meta(min_length=1)]
    writer: Actor | None = None
    fight: Fight | None = None


class Repairs(Value, frozen=True, omit_defaults=True):
    """What is remembered of the repairs of one document.

    `versions`: of others. `narrowed`: when access that others gave was taken away. `left`: the digest
    of what the last run wrote, None if it has none; `seen`: AWS showed that afterwards. `given_back_at`: when a run
    last gave access back.
    """

    address: Address
    written_at: Moment
    versions: tuple[OthersVersion, ...] = ()
    narrowed: tuple[Moment, ...] = ()
    left: str | None = None
    seen: bool = True
    given_back_at: Moment | None = None

    @property
    def is_fought_over(self) -> bool:
        """Whether somebody keeps restoring a version of it."""
        return any(version.fight is not None for version in self.versions)


class FightStatus(Value, frozen=True):
    """A fight, for people. `gives_back_at`: access of the spec that is missing now is not given back before."""

    address: Address
    since: Moment
    last: Moment
    repairs: Count
    writer: Actor | None = None
    gives_back_at: Moment | None = None
