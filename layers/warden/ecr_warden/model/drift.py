"""A difference between desired and observed, and what it means for access."""

from enum import StrEnum
from typing import TYPE_CHECKING

from ecr_warden.model.address import Address
from ecr_warden.model.value import Count, Value, opaque
from ecr_warden.policy.access import AccessChange, Permission
from ecr_warden.policy.phrases import Phrase, Relation
from ecr_warden.policy.relate import Interchangeable


class DriftKind(StrEnum):
    """In what way an address differs."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    UNPARSEABLE = "unparseable"
    TARGET_MISSING = "owner-missing"
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

    TIME_LIMIT = "time-limit"  # access outlasts the end that the spec gives it
    BOUNDARY = "boundary"  # the permissions boundary of a role is missing or another one


class Compared(Value, frozen=True):
    """What the engine said of a live document against the desired one (policy.compare), a phrase for each example."""

    relation: Relation
    gained: tuple[Phrase, ...] = ()
    lost: tuple[Phrase, ...] = ()
    undecided: tuple[str, ...] = ()


if TYPE_CHECKING:
    type Access = AccessChange
    type Verdict = AccessChange | Interchangeable
else:
    Access, Verdict = opaque("Access", AccessChange), opaque("Verdict", AccessChange, Interchangeable)


class Drift(Value, frozen=True, omit_defaults=True):
    """One address that differs; `explain` says in what.

    `access`: what the live document gives and lacks against the desired one, too much rather than too little;
    Interchangeable where the target allows what it should and only the wording differs; None where nothing is known, as
    for an attached policy or a document that cannot be parsed. `compared`: the same exactly and with examples, for
    people. `code`: of the error that kept the document from being read. `left_out`: how many differences of access an
    announcement had to leave out.
    """

    address: Address
    kind: DriftKind
    explain: str
    access: Verdict | None = None
    compared: Compared | None = None
    loosens: tuple[Loosening, ...] = ()
    left_out: Count = 0
    code: str = ""

    @property
    def change(self) -> AccessChange | None:
        """What the live document gives and lacks, if it differs in access and that is known.

        Whatever `compared` says: who wrote the document may have chosen a condition that holds for callers whom the
        engine does not know.
        """
        return self.access if isinstance(self.access, AccessChange) else None

    @property
    def gained(self) -> tuple[Permission, ...]:
        """What the live document gives beyond the desired one, or may give."""
        return self.change.gained if self.change else ()

    @property
    def same_access(self) -> bool:
        """Whether the target allows what it should, and only the wording differs."""
        return isinstance(self.access, Interchangeable)
