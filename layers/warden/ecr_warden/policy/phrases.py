"""What a comparison says, and the words for it that all sentences share."""

import re
from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct

from ecr_warden.policy.action import ActionGroup

if TYPE_CHECKING:  # every run loads phrases, and few load requests
    from ecr_warden.policy.request import Request


class Deed(StrEnum):
    """What somebody can or cannot do."""

    EVERYTHING = "everything"
    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    ADMIN = "administer"
    ASSUME = "assume"
    OTHER = "other"
    LOGIN = "login"


class Perspective(StrEnum):
    """From where a difference between a live document and the desired one is told."""

    COMPARED = "compared"  # a second document beside a first: can now, can no longer
    DRIFT = "drift"  # what is, against the spec
    PLAN = "plan"  # what will be once the spec is carried out, against what is
    ROLLED_OUT = "rolled-out"  # what became of access when a version of the spec was carried out
    INCIDENT = "incident"  # what was, until it was repaired


class Phrase(Struct, frozen=True):
    """Who, what and of which kind, ready to be shown: a perspective makes a sentence of it.

    `detail`: the actions and conditions, for the end. `denies`: the difference is a Deny, not an Allow. `unique_id`:
    `who` is the id that AWS shows in the place of a principal that was deleted.
    """

    who: str
    deed: Deed
    what: str
    detail: str = ""
    denies: bool = False
    unique_id: bool = False


class Framing(Struct, frozen=True):
    """How differences are told. `lasted`: how long an incident did, `for 41 s`."""

    perspective: Perspective = Perspective.COMPARED
    lasted: str = "until it was repaired"


COMPARED = Framing()


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
    group: ActionGroup
    phrase: Phrase
    gained: bool

    @property
    def sentence(self) -> str:
        """What the live document does, beside the desired one."""
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


_LOGIN = frozenset({"ecr:GetAuthorizationToken"})
_DEEDS = {group: Deed[group] for group in ActionGroup}
# To be able to do it, and what one then has.
_WORDS = {
    Deed.EVERYTHING: ("do everything with {}", "everything with {}"),
    Deed.PULL: ("pull from {}", "pull from {}"),
    Deed.PUSH: ("push to {}", "push to {}"),
    Deed.DELETE: ("delete from {}", "deletion from {}"),
    Deed.ADMIN: ("administer {}", "administration of {}"),
    Deed.ASSUME: ("assume {}", "the right to assume {}"),
    Deed.OTHER: ("act on {}", "some access to {}"),
    Deed.LOGIN: ("log in to ECR", "login to ECR"),
}
_ROOT = re.compile(r"arn:[a-z0-9-]+:iam::([0-9]{12}):root")
_UNIQUE_ID = re.compile(r"A(?:ID|RO)A[A-Z0-9]+")


def deed_of(group: ActionGroup, actions: Collection[str]) -> Deed:
    """What a group of actions is good for; `actions` as AWS spells them."""
    # The token opens nothing by itself: which repositories it is good for, other actions say.
    return Deed.LOGIN if _LOGIN.issuperset(actions) else _DEEDS[group]


def is_unique_id(text: str) -> bool:
    """Whether a principal is the unique id of a user (AIDA..) or role (AROA..).

    AWS shows it in the place of an ARN once that is deleted, and never gives it to another.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    return _UNIQUE_ID.fullmatch(text) is not None


def wording(phrase: Phrase, framing: Framing, *, gained: bool) -> str:
    """A phrase as a sentence; `gained`: the live document gives it and the desired one does not, else the reverse."""
    if phrase.unique_id and not phrase.denies:
        was = "role" if phrase.who.startswith("AROA") else "user"
        return f"{phrase.who} is the unique id by which AWS shows a deleted {was}: of such a one it gives nobody access"
    does, has = (words.format(phrase.what) for words in _WORDS[phrase.deed])
    who = phrase.who
    if framing.perspective is not Perspective.COMPARED and (root := _ROOT.fullmatch(who)):
        who = f"account {root.group(1)}"
    if phrase.denies:
        said, after = _denied(who, does, has, framing, gained)
    else:
        said, after = _allowed(who, does, has, framing, gained)
    return f"{said}{phrase.detail}{after}"


def _allowed(who: str, does: str, has: str, framing: Framing, gained: bool) -> tuple[str, str]:
    """What stands before the details, and after them."""
    match framing.perspective:
        case Perspective.COMPARED:
            return f"{who} can {'now' if gained else 'no longer'} {does}", ""
        case Perspective.DRIFT:
            spec = "does not allow it" if gained else "allows it"
            return f"{who} {'can' if gained else 'cannot'} {does}", f", and the spec {spec}"
        case Perspective.PLAN:
            return f"{who} will {'lose' if gained else 'gain'} {has}", ""
        case Perspective.ROLLED_OUT:
            return f"{who} {'lost' if gained else 'gained'} {has}", ""
        case Perspective.INCIDENT:
            return f"{who} {'could' if gained else 'could not'} {does}", f" {framing.lasted}"
        case _:
            assert_never(framing.perspective)


def _denied(who: str, does: str, has: str, framing: Framing, gained: bool) -> tuple[str, str]:
    """Of a Deny: it is gained when the desired document has it and the live one does not."""
    match framing.perspective:
        case Perspective.COMPARED:
            return f"{who} is {'no longer' if gained else 'now'} denied to {does}", ""
        case Perspective.DRIFT:
            spec = "denies it" if gained else "does not deny it"
            return f"{who} is {'not denied' if gained else 'denied'} {has}", f", and the spec {spec}"
        case Perspective.PLAN:
            return f"{who} will {'be denied' if gained else 'no longer be denied'} {has}", ""
        case Perspective.ROLLED_OUT:
            return f"{who} is {'denied' if gained else 'no longer denied'} {has}", " from now on"
        case Perspective.INCIDENT:
            return f"{who} was {'not denied' if gained else 'denied'} {has}", f" {framing.lasted}"
        case _:
            assert_never(framing.perspective)
