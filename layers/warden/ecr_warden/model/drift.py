"""A difference between desired and observed, and what it means for access."""

from enum import StrEnum

from msgspec import Struct

from ecr_warden.model.address import Address
from ecr_warden.policy.access import AccessChange, Permission
from ecr_warden.policy.phrases import Phrase
from ecr_warden.policy.relation import Relation


class DriftKind(StrEnum):
    """In what way an address differs."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    UNPARSEABLE = "unparseable"
    OWNER_MISSING = "owner-missing"
    UNREADABLE = "unreadable"
    PRINCIPAL_RECREATED = "principal-recreated"
    SETTLING = "settling"  # AWS does not show yet what was written a moment ago


# The code of an error: a policy in the account denies ecr-warden the call in so many words.
EXPLICITLY_DENIED = "explicitly-denied"
# The same of an exception in ecr-warden itself.
CRASHED = "crashed"
PRINCIPAL_NOT_FOUND = "principal-not-found"


class Loosening(StrEnum):
    """What a drift loosens that no list of permissions shows."""

    TIME_LIMIT = "time-limit"  # access that outlives the end which the spec gives it
    BOUNDARY = "boundary"  # the permissions boundary of a role is another one, or gone


class Compared(Struct, frozen=True):
    """What the engine said of a live document against the desired one (policy.compare), a phrase for each example."""

    relation: Relation
    gained: tuple[Phrase, ...] = ()
    lost: tuple[Phrase, ...] = ()
    undecided: tuple[str, ...] = ()


class Drift(Struct, frozen=True):
    """`access` is what the live document gives (gained) and lacks (lost) against the desired one, erring to that side.

    None: not known, as for an attached policy or a document that cannot be parsed. `compared` is the same exactly,
    with examples, where both documents stand. `same_access`: the target allows what it should, written otherwise.
    `left_out`: how many differences of access an announcement had to leave out of `access`.
    """

    address: Address
    kind: DriftKind
    explain: str
    access: AccessChange | None = None
    compared: Compared | None = None
    same_access: bool = False
    loosens: tuple[Loosening, ...] = ()
    left_out: int = 0
    code: str = ""
    """Of the error by which it could not be read."""

    @property
    def gained(self) -> tuple[Permission, ...]:
        """What the live document gives beyond the desired one, or may give.

        Whatever `compared` says: who wrote the document may have chosen a condition that holds for callers whom the
        engine does not know.
        """
        return self.access.gained if self.access is not None else ()
