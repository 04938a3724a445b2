"""What looks wrong in an estate: what it is, what to do instead, and how to accept it."""

from collections.abc import Iterable
from copy import replace
from enum import StrEnum
from itertools import chain

from msgspec import Struct

from iam_access.gather import gather
from iam_access.text.printable import listed

_WHO_SHOWN = 8


class NoteKind(StrEnum):
    """Every kind of note."""

    OUTSIDER = "outsider"
    WHOLE_ACCOUNT = "whole-account"
    UNKNOWN_ACCOUNT = "unknown-account"
    UNKNOWN_PRINCIPAL = "unknown-principal"
    DELETED_PRINCIPAL = "deleted-principal"
    NO_EFFECT = "no-effect"
    NO_IDENTITY_POLICY = "no-identity-policy"
    NOT_NAMEABLE = "not-nameable"
    MORE_THAN_PULL = "more-than-pull"
    PUSHES = "pushes"
    DENIES = "denies"
    OTHER_FORM = "other-form"
    PER_REGION = "per-region"
    OVER_QUOTA = "over-quota"
    ATTACHED_POLICY = "attached-policy"
    PUSH_ROLE = "push-role"
    NO_PROVIDER = "no-provider"
    DOUBTFUL = "doubtful"
    REFUSED = "refused"
    UNPARSEABLE = "unparseable"
    UNREAD = "unread"


class Note(Struct, frozen=True, order=True):
    """One thing that looks wrong, of those in `who`. `instead` and `accept` have no full stop, and may be empty."""

    kind: NoteKind
    what: str
    instead: str = ""
    accept: str = ""
    who: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = f"{listed(self.who, _WHO_SHOWN)}: {self.what}" if self.who else self.what
        rest = [f"better: {self.instead}"] if self.instead else []
        rest += [f"to accept: {self.accept}"] if self.accept else []
        return "; ".join((f"{self.kind}: {what}", *rest))


def together(notes: Iterable[Note]) -> tuple[Note, ...]:
    """The notes, sorted, with one for all of whom the same is said."""
    found = gather((replace(note, who=()), note.who) for note in notes)
    return tuple(sorted(replace(note, who=tuple(sorted({*chain(*who)}))) for note, who in found.items()))
