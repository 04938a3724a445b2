"""The base of values that are stored or sent as JSON; `codec` writes and reads them."""

from abc import ABCMeta
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from iam_access.arn import ACCOUNT_ID


class Value(Struct, frozen=True, rename="camel"):
    """A value whose JSON is an object of its fields, in camelCase."""


type Count = Annotated[int, Meta(ge=0)]
type Moment = Annotated[datetime, Meta(tz=True)]
"""An aware time: one without an offset cannot be compared with the clock's."""
type AccountId = Annotated[str, Meta(pattern=rf"\A{ACCOUNT_ID.pattern}\Z")]


def opaque(name: str, *classes: type) -> Any:
    """One class that stands for several classes at run time.

    msgspec would read a union of Structs by their tags. It hands a field of this class to the codec instead, because
    the JSON is not an object of fields; a target, for example, is a text.
    """
    made = ABCMeta(name, (), {})
    for each in classes:
        made.register(each)
    return made
