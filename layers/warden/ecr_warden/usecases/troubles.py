"""What is wrong with the whole: with the spec, the switch, the sweeps, and what brings the hub its events."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import assert_never

from ecr_warden.model.audit import AuditEntry
from ecr_warden.model.look import Look
from ecr_warden.model.reply import Trouble
from ecr_warden.model.wire import Wire, WireState
from ecr_warden.ports.errors import PortError
from ecr_warden.ports.specs import SpecUnusable

_NAMED_AT_MOST = 3
_RATE = re.compile(r"rate\(([0-9]{1,5}) (minute|hour|day)s?\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
# A sweep that takes its time, or is tried again after an error, is not overdue; nor is one that was just missed.
_GRACE = timedelta(minutes=10)
# Of a cron expression it is not said here when it is due.
_CRON_AT_MOST = timedelta(days=1)


def of_spec(
    accepted: str, current: str | PortError, refused: str, last_refusal: AuditEntry | None
) -> Iterator[Trouble]:
    """Whether what stands in the bucket is what is enforced.

    `current`: its version, or why it cannot be read; `refused`: what Specs.refused says.
    """
    stays = f"version {accepted} stays in force"
    match current:
        case SpecUnusable():
            yield Trouble(current.code, f"{current.message}; {stays}", current.remedy)
        case PortError():
            known = f"whether version {accepted}, which is in force, is the current one is not known"
            yield Trouble("spec-unread", f"{known}: {current.message}", current.remedy)
        case str() if current == accepted:
            pass
        case str() if current == refused:
            why = ""
            if last_refusal is not None and last_refusal.id == current:
                why = f" at {_time(last_refusal.at)}: {last_refusal.text}"
            remedy = "ecr-warden validate shows all that is wrong with it"
            yield Trouble("spec-refused", f"version {current} of the spec was refused{why}; {stays}", remedy)
        case str():
            message = f"version {current} of the spec was uploaded and not looked at yet; {stays}"
            yield Trouble("spec-pending", message, "it is within seconds, or by the next sweep")
        case _:
            assert_never(current)


def of_switch(stopped: str | None) -> Iterator[Trouble]:
    if stopped is not None:
        yield Trouble("writes-stopped", stopped)


def of_wires(wires: Sequence[Wire]) -> Iterator[Trouble]:
    """Each that is not as the hub's stack makes it."""
    for wire in wires:
        match wire.state:
            case WireState.ON:
                pass
            case WireState.UNREADABLE:
                yield Trouble("wiring-unread", f"whether the {wire.name} is on is not known: {wire.why}")
            case WireState.MISSING | WireState.DISABLED | WireState.TARGETLESS:
                how = "no longer leads to its function" if wire.state is WireState.TARGETLESS else f"is {wire.state}"
                remedy = "deploy the hub's stack as it was: docs/deploy.md"
                yield Trouble("wiring-cut", f"the {wire.name} {how}: it brings {wire.brings}", remedy)


def of_sweeps(
    parts: Collection[str], looks: Sequence[Look], wires: Sequence[Wire], *, accepted_at: datetime | None, now: datetime
) -> Iterator[Trouble]:
    """The parts that no sweep has looked at for too long; `accepted_at`: since when there is what to look at."""
    schedule = next((wire.schedule for wire in wires if wire.schedule), "")
    allowed = _allowed(schedule)
    looked = {look.part: look.at for look in looks}
    late = sorted(part for part in parts if _since(looked.get(part), accepted_at, now) > allowed)
    if not late:
        return
    oldest = min((looked[part] for part in late if part in looked), default=None)
    since = f"since {_time(oldest)}" if oldest is not None else "yet"
    whole = "anything" if len(late) == len(parts) else _named(late)
    due = f" (its schedule is {schedule})" if schedule else ""
    remedy = "see the log group /aws/lambda/ecr-warden-reconcile and the dead letters: docs/deploy.md"
    yield Trouble("sweep-overdue", f"no sweep has looked at {whole} {since}{due}", remedy)


def _since(looked: datetime | None, accepted_at: datetime | None, now: datetime) -> timedelta:
    known = [at for at in (looked, accepted_at if looked is None else None) if at is not None]
    return now - known[0] if known else timedelta.max


def _allowed(schedule: str) -> timedelta:
    found = _RATE.fullmatch(schedule)
    return 2 * int(found[1]) * _UNITS[found[2]] + _GRACE if found else _CRON_AT_MOST


def _named(parts: Sequence[str]) -> str:
    named = ", ".join(parts[:_NAMED_AT_MOST])
    more = len(parts) - _NAMED_AT_MOST
    return f"{named} and {more} more" if more > 0 else named


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
