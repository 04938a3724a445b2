"""The wording that all sentences about access share."""

from enum import StrEnum

from msgspec import Struct

from iam_access.arn import account_of_root
from iam_access.delta.service import ActionGroup
from iam_access.document.principal import is_unique_id


class Perspective(StrEnum):
    """The reader's side of a difference between a live document and the desired one."""

    COMPARED = "compared"  # two documents: can now, can no longer
    DRIFT = "drift"  # what the live document allows, against the spec
    PLAN = "plan"  # what applying the spec will change
    ROLLED_OUT = "rolled-out"  # what applying a version of the spec has changed
    INCIDENT = "incident"  # what was possible until it was repaired
    GIVEN = "given"  # what a document of the spec allows; it is compared with nothing


class Phrase(Struct, frozen=True):
    """A difference in printable parts, of which a framing makes a sentence.

    `effect`: of the actions on `what`. `detail`: the actions and conditions, which end the sentence. `denies`: the
    difference is a Deny, not an Allow.
    """

    who: str
    effect: ActionGroup
    what: str
    detail: str = ""
    denies: bool = False


class Framing(Struct, frozen=True):
    """How a difference is worded. `lasted`: how long an incident did, such as `for 41 s`."""

    perspective: Perspective = Perspective.COMPARED
    lasted: str = "until it was repaired"


COMPARED = Framing()


ANYTHING = "anything"
"""What is acted on with the resource *."""
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


def wording(phrase: Phrase, framing: Framing, *, gained: bool) -> str:
    """A phrase as a sentence; `gained`: the live document gives it and the desired one does not, else the reverse."""
    who, effect = phrase.who, phrase.effect
    if is_unique_id(who) and not phrase.denies:
        was = "role" if who.startswith("AROA") else "user"
        return f"{who} is the unique ID that AWS shows for a deleted {was}: it gives no access"
    if effect.on_all and phrase.what != ANYTHING:
        return f"{who} needs {effect.actions[0]} on *: on {phrase.what} it has no effect"
    does, has = (words.format(phrase.what) for words in (effect.does, effect.has))
    if framing.perspective is not Perspective.COMPARED and (account := account_of_root(who)):
        who = f"account {account}"
    template = _SENTENCES[framing.perspective][2 * phrase.denies + (not gained)]
    return template.format(who=who, does=does, has=has, detail=phrase.detail, lasted=framing.lasted)
