"""The result of a comparison, and the wording that all sentences about access share."""

import re
from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from iam_access.arn import account_of_root
from iam_access.delta.action import TAGGING, ActionGroup

if TYPE_CHECKING:  # every run loads phrases, and few load requests
    from iam_access.evaluate.request import Request


class Deed(StrEnum):
    """What a principal can or cannot do."""

    EVERYTHING = "everything"
    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    ADMIN = "administer"
    ASSUME = "assume"
    TAG = "tag"
    OTHER = "other"
    LOGIN = "login"


class Perspective(StrEnum):
    """The reader's side of a difference between a live document and the desired one."""

    COMPARED = "compared"  # two documents: can now, can no longer
    DRIFT = "drift"  # what the live document allows, against the spec
    PLAN = "plan"  # what applying the spec will change
    ROLLED_OUT = "rolled-out"  # what applying a version of the spec has changed
    INCIDENT = "incident"  # what was possible until it was repaired
    GIVEN = "given"  # what a document of the spec allows; it is compared with nothing


class Phrase(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A difference in printable parts, of which a framing makes a sentence.

    `detail`: the actions and conditions, which end the sentence. `denies`: the difference is a Deny, not an Allow.
    `unique_id`: `who` is the ID that AWS shows for a deleted principal.
    """

    who: str
    deed: Deed
    what: str
    detail: str = ""
    denies: bool = False
    unique_id: bool = False


class Framing(Struct, frozen=True):
    """How a difference is worded. `lasted`: how long an incident did, such as `for 41 s`."""

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
    """A request that one document allows and the other does not, confirmed on both; `phrase` is for people.

    `gained`: the live document allows it.
    """

    request: "Request"
    group: ActionGroup
    phrase: Phrase
    gained: bool

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


ANYTHING = "anything"
"""What is acted on with the resource *."""
_LOGIN = frozenset({"ecr:GetAuthorizationToken"})
# A push needs it too, and alone it only says whether a layer is there: many pull policies have it.
_LOOK = frozenset({"ecr:BatchCheckLayerAvailability"})
_DEEDS = {group: Deed[group] for group in ActionGroup}
# As a verb, and as a noun.
_WORDS = {
    Deed.EVERYTHING: ("do everything with {}", "full access to {}"),
    Deed.PULL: ("pull from {}", "pull access to {}"),
    Deed.PUSH: ("push to {}", "push access to {}"),
    Deed.DELETE: ("delete from {}", "delete access to {}"),
    Deed.ADMIN: ("administer {}", "admin access to {}"),
    Deed.ASSUME: ("assume {}", "the right to assume {}"),
    Deed.TAG: ("tag sessions of {}", "the right to tag sessions of {}"),
    Deed.OTHER: ("act on {}", "some access to {}"),
    Deed.LOGIN: ("log in to ECR", "login to ECR"),
}
_SENTENCES = {
    Perspective.COMPARED: (
        "{who} can now {does}{detail}",
        "{who} can no longer {does}{detail}",
        "{who} is no longer denied {has}{detail}",
        "{who} is now denied {has}{detail}",
    ),
    Perspective.DRIFT: (
        "{who} can {does}{detail}, and the spec does not allow it",
        "{who} cannot {does}{detail}, and the spec allows it",
        "{who} is not denied {has}{detail}, and the spec denies it",
        "{who} is denied {has}{detail}, and the spec does not deny it",
    ),
    Perspective.PLAN: (
        "{who} will lose {has}{detail}",
        "{who} will gain {has}{detail}",
        "{who} will be denied {has}{detail}",
        "{who} will no longer be denied {has}{detail}",
    ),
    Perspective.ROLLED_OUT: (
        "{who} lost {has}{detail}",
        "{who} gained {has}{detail}",
        "{who} is denied {has}{detail} from now on",
        "{who} is no longer denied {has}{detail} from now on",
    ),
    Perspective.INCIDENT: (
        "{who} could {does}{detail} {lasted}",
        "{who} could not {does}{detail} {lasted}",
        "{who} was not denied {has}{detail} {lasted}",
        "{who} was denied {has}{detail} {lasted}",
    ),
    Perspective.GIVEN: (
        "{who} can {does}{detail}",
        "{who} cannot {does}{detail}",
        "{who} is not denied {has}{detail}",
        "{who} is denied {has}{detail}",
    ),
}
"""For access gained and lost; for a Deny gained, which only the desired document has, and lost."""
_UNIQUE_ID = re.compile(r"A(?:ID|RO)A[A-Z0-9]+")


def deed_of(group: ActionGroup, actions: Collection[str]) -> Deed:
    """What a group of actions lets a principal do; `actions` as AWS spells them."""
    # The token gives no access by itself: other actions say to which repositories.
    if _LOGIN.issuperset(actions):
        return Deed.LOGIN
    if TAGGING.issuperset(actions):
        return Deed.TAG
    return Deed.OTHER if _LOOK.issuperset(actions) else _DEEDS[group]


def is_unique_id(text: str) -> bool:
    """Whether a principal is the unique ID of a user (AIDA..) or role (AROA..).

    AWS shows it in place of the ARN once the user or role is deleted, and never assigns it again.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    return _UNIQUE_ID.fullmatch(text) is not None


def wording(phrase: Phrase, framing: Framing, *, gained: bool) -> str:
    """A phrase as a sentence; `gained`: the live document gives it and the desired one does not, else the reverse."""
    if phrase.unique_id and not phrase.denies:
        was = "role" if phrase.who.startswith("AROA") else "user"
        return f"{phrase.who} is the unique ID that AWS shows for a deleted {was}: it gives no access"
    if phrase.deed is Deed.LOGIN and phrase.what != ANYTHING:
        return f"{phrase.who} needs ecr:GetAuthorizationToken on *: on {phrase.what} it has no effect"
    does, has = (words.format(phrase.what) for words in _WORDS[phrase.deed])
    who = phrase.who
    if framing.perspective is not Perspective.COMPARED and (account := account_of_root(who)):
        who = f"account {account}"
    template = _SENTENCES[framing.perspective][2 * phrase.denies + (not gained)]
    return template.format(who=who, does=does, has=has, detail=phrase.detail, lasted=framing.lasted)
