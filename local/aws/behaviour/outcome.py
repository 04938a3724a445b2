"""What happens to a document that is sent to AWS: it is stored, perhaps rewritten, or refused with an error."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stored:
    """The text that AWS stores and returns on the next read."""

    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """AWS's error, as its SDK shows it. `status` is the HTTP status code."""

    code: str
    message: str
    status: int = 400


type Outcome = Stored | Refused
