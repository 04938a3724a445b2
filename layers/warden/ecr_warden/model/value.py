"""What the values that are kept or sent as JSON have in common; `codec` writes and reads them."""

from abc import ABCMeta
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from ecr_warden.arn import ACCOUNT_ID


class Value(Struct, frozen=True, rename="camel"):
    """A value whose JSON is an object of its fields, in camelCase."""


type Count = Annotated[int, Meta(ge=0)]
type Moment = Annotated[datetime, Meta(tz=True)]
"""An aware time: one without an offset cannot be compared with the clock's."""
type AccountId = Annotated[str, Meta(pattern=rf"\A{ACCOUNT_ID.pattern}\Z")]


def opaque(name: str, *classes: type) -> Any:
    """One class that stands for several, at run time.

    msgspec reads a union of Structs by their tags. A field of this class it hands to the codec instead, for its JSON
    is no object of fields: a target is a text, for example.
    """
    made = ABCMeta(name, (), {})
    for each in classes:
        made.register(each)
    return made
