"""What a comparison says."""

from enum import StrEnum

from msgspec import Struct

from iam_access.delta.phrases import COMPARED, Phrase, wording
from iam_access.evaluate.request import Request


class Relation(StrEnum):
    """The access of the live document against the desired one."""

    EQUAL = "equal"
    MORE = "more"
    LESS = "less"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


class Witness(Struct, frozen=True):
    """A request that one document allows and the other does not, confirmed on both; `phrase` is for people.

    `gained`: the live document allows it. `example`: its principal is made up, and stands for others like it.
    """

    request: Request
    group: str
    phrase: Phrase
    gained: bool
    example: bool = False

    @property
    def sentence(self) -> str:
        """What the live document changes, against the desired one."""
        return wording(self.phrase, COMPARED, gained=self.gained)


class Comparison(Struct, frozen=True):
    """`gained`: what live allows and desired does not; `lost`: the reverse; at most one witness of each group.

    `undecided`: what could not be decided; empty unless `relation` is UNDECIDED.
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
