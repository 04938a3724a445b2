"""What became of each version of the spec: S3's versions joined with the hub's history log."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from ecr_warden.core.job import Actor, short_name
from ecr_warden.hub.reply import HistoryReply, KeptVersion
from ecr_warden.hub.request import MAX_ENTRIES, AskHistory
from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden_cli.hub.client import HubClient, accepted_version, expect
from ecr_warden_cli.terminal.context import Uploaded
from iam_access.text.printable import show_time

# Two thousand entries: what people and files do in a year.
_PAGES = 20


class Fate(StrEnum):
    """What became of a version."""

    IN_FORCE = "in-force"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    HELD = "held"
    REJECTED = "rejected"
    ENDED = "ended"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


class Story(Struct, frozen=True):
    """A version, what became of it, since when (None: unknown), by whose decision, and why."""

    version: str
    uploaded_at: datetime
    uploaded_by: Actor | None
    fate: Fate
    since: datetime | None = None
    decided_by: Actor | None = None
    text: str = ""

    @property
    def lines(self) -> tuple[str, str]:
        """`v1  in force since 2026-11-24T10:00:00Z, by bob`, and below who uploaded it when."""
        word, since = ("in force", "since") if self.fate is Fate.IN_FORCE else (self.fate, "at")
        at = "" if self.since is None else f" {since} {show_time(self.since)}"
        decided = f", by {short_name(self.decided_by)}" if self.decided_by is not None else ""
        by = f" by {short_name(self.uploaded_by)}" if self.uploaded_by else ", the hub does not know by whom"
        return f"{self.version}  {word}{at}{decided}", f"  uploaded at {show_time(self.uploaded_at)}{by}"


class Log(Struct, frozen=True):
    """The history log as far as it was read: back to `since`, or (None) all that is kept; newest first."""

    entries: tuple[HistoryEntry, ...]
    accepted: str
    """The version that is in force."""
    since: datetime | None = None
    kept: KeptVersion | None = None
    """The same as the hub keeps it."""


def read_log(client: HubClient) -> Log:
    """Read the history log page by page; raises Failure."""
    found: dict[tuple[object, ...], HistoryEntry] = {}
    until = None
    for _ in range(_PAGES):
        reply = expect(HistoryReply, client.ask(AskHistory((), MAX_ENTRIES, None, until, runs=False)))
        found |= {(entry.kind, entry.at, entry.id, entry.text): entry for entry in reply.log}
        oldest = min((entry.at for entry in reply.log), default=None)
        if not reply.omitted:
            until = None
            break
        if oldest is None or oldest == until:
            break
        until = oldest
    # In one second, what is held is so before anybody decides.
    entries = sorted(found.values(), key=lambda entry: (entry.at, entry.kind is not HistoryKind.HELD), reverse=True)
    kept = accepted_version(client)
    return Log(tuple(entries), "" if kept is None else kept.version, until, kept)


_FATES = {
    HistoryKind.SPEC_ACCEPTED: Fate.ACCEPTED,
    HistoryKind.SPEC_REFUSED: Fate.REFUSED,
    HistoryKind.HELD: Fate.HELD,
    HistoryKind.HOLD_REJECTED: Fate.REJECTED,
    HistoryKind.HOLD_ENDED: Fate.ENDED,
}


def stories(uploads: Iterable[Uploaded], log: Log) -> Iterator[Story]:
    """The versions, the newest first, each with its upload and the last that became of it."""
    is_later_decided = False
    for upload in uploads:
        about = [entry for entry in log.entries if _is_about(entry, upload.version)]
        by = next((entry.by for entry in about if entry.kind is HistoryKind.PUBLISHED), None)
        last = next((entry for entry in about if entry.kind in _FATES), None)
        fate = Fate.UNKNOWN if last is None else _FATES[last.kind]
        if upload.version == log.accepted:
            last = next((entry for entry in about if entry.kind is HistoryKind.SPEC_ACCEPTED), None)
            fate = Fate.IN_FORCE
        if last is None and by is not None and is_later_decided:
            # The hub looks at the newest version only.
            yield Story(upload.version, upload.at, by, Fate.REPLACED, text="a later one came before the hub looked")
        elif last is None:
            yield Story(upload.version, upload.at, by, fate)
        else:
            # An upload alone is no decision: S3's event names no more than an account.
            decided_by = last.by if last.by is not None and last.by.arn else None
            yield Story(upload.version, upload.at, by, fate, last.at, decided_by, last.text)
        is_later_decided = is_later_decided or fate is not Fate.UNKNOWN


def _is_about(entry: HistoryEntry, version: str) -> bool:
    match entry.kind:
        case HistoryKind.SPEC_ACCEPTED | HistoryKind.SPEC_REFUSED:
            return entry.id == version
        case HistoryKind.PUBLISHED:
            return entry.text == version
        case HistoryKind.HELD | HistoryKind.HOLD_REJECTED | HistoryKind.HOLD_ENDED:
            # The text begins with what is held; more follows after one of these.
            what = f"version {version} of the spec"
            return entry.text == what or entry.text.startswith((f"{what};", f"{what}:"))
        case _:
            return False
