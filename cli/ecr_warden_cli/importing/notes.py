"""What looks wrong in an estate: what it is, what to do instead, and how to accept it."""

from enum import StrEnum

from msgspec import Struct


class NoteKind(StrEnum):
    """Every kind of note."""

    PUBLIC = "public"
    NOT_PRINCIPAL = "not-principal"
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
    PATTERN = "pattern"
    ATTACHED_POLICY = "attached-policy"
    PUSH_ROLE = "push-role"
    OTHER_TOOL = "other-tool"
    NO_PROVIDER = "no-provider"
    DOUBTFUL = "doubtful"
    REFUSED = "refused"
    UNPARSEABLE = "unparseable"
    UNREAD = "unread"


class Note(Struct, frozen=True, order=True):
    """One thing that looks wrong. `instead` and `accept` are sentences without a full stop, and may be empty."""

    kind: NoteKind
    what: str
    instead: str = ""
    accept: str = ""

    def __str__(self) -> str:
        rest = [f"better: {self.instead}"] if self.instead else []
        rest += [f"to accept: {self.accept}"] if self.accept else []
        return "; ".join((f"{self.kind}: {self.what}", *rest))
