"""What a comparison says."""

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:  # drift speaks of relations in every run, and of requests in none
    from ecr_warden.policy.action import ActionGroup
    from ecr_warden.policy.phrases import Phrase
    from ecr_warden.policy.request import Request


class Relation(StrEnum):
    """The access of the live document against the desired one."""

    EQUAL = "equal"
    MORE = "more"
    LESS = "less"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


class Witness(Struct, frozen=True):
    """A request that one document allows and the other does not, tried on both; `phrase` is for people.

    `gained`: it is the live document that allows it.
    """

    request: "Request"
    group: "ActionGroup"
    phrase: "Phrase"
    gained: bool

    @property
    def sentence(self) -> str:
        """What the live document does, beside the desired one."""
        from ecr_warden.policy.phrases import COMPARED, wording  # noqa: PLC0415 - see above

        return wording(self.phrase, COMPARED, gained=self.gained)


class Comparison(Struct, frozen=True):
    """`gained` is what live allows and desired does not, `lost` the reverse: at most one of each group.

    `undecided` says what could not be decided; it is empty unless `relation` is UNDECIDED.
    """

    relation: Relation
    equivalent: bool
    gained: tuple[Witness, ...] = ()
    lost: tuple[Witness, ...] = ()
    undecided: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """One sentence for people."""
        match self.relation:
            case Relation.EQUAL:
                return "the same document" if self.equivalent else "another document, the same access"
            case Relation.UNDECIDED:
                return f"undecided: {self.undecided[0]}"
            case _:
                return "; ".join(witness.sentence for witness in (*self.gained, *self.lost))
