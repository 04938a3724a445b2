"""How a hold is named: by people, in commands and in the table."""

from typing import Annotated

from msgspec import Meta

ID_LENGTH = 12
type HoldId = Annotated[str, Meta(pattern=rf"\A[0-9a-f]{{{ID_LENGTH}}}\Z")]
