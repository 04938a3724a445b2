"""The wording that all sentences about access share."""

from msgspec import Struct

from iam_access.arn import account_of_root
from iam_access.delta.service import ActionGroup
from iam_access.document.principal import is_unique_id


class Phrase(Struct, frozen=True):
    """A difference in printable parts, of which a framing makes a sentence.

    `detail`, `conditions`: the actions and conditions, which end the sentence.
    """

    who: str
    effect: ActionGroup
    """Of the actions on `what`."""
    what: str
    detail: str = ""
    conditions: str = ""
    denies: bool = False
    """The difference is a Deny, not an Allow."""
    gained: bool = True
    """The live document gives it and the desired one does not, else the reverse."""


class Framing(Struct, frozen=True):
    """How a difference is worded, with {who}, {does} or {has}, and {detail}.

    For access gained and lost; for a Deny gained, which only the desired document has, and lost.
    """

    gained: str
    lost: str
    denial_gained: str
    denial_lost: str


COMPARED = Framing(
    "{who} can now {does}{detail}",
    "{who} can no longer {does}{detail}",
    "{who} is no longer denied {has}{detail}",
    "{who} is now denied {has}{detail}",
)
"""Of two documents."""
ANYTHING = "anything"
"""What is acted on with the resource *."""


def wording(phrase: Phrase, framing: Framing) -> str:
    """A phrase as a sentence."""
    who, effect = phrase.who, phrase.effect
    if is_unique_id(who) and not phrase.denies:
        was = "role" if who.startswith("AROA") else "user"
        return f"{who} is the unique ID that AWS shows for a deleted {was}: it gives no access"
    if effect.on_all and phrase.what != ANYTHING:
        return f"{who} needs {effect.actions[0]} on *: on {phrase.what} it has no effect"
    does, has = (words.format(phrase.what) for words in (effect.does, effect.has))
    if account := account_of_root(who):
        who = f"account {account}"
    gain, loss = (framing.denial_gained, framing.denial_lost) if phrase.denies else (framing.gained, framing.lost)
    return (gain if phrase.gained else loss).format(
        who=who, does=does, has=has, detail=phrase.detail + phrase.conditions
    )
