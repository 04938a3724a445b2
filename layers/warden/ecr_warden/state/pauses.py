"""What pauses hold: each target by the latest pause that concerns it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from ecr_warden.core.pause import PatternPause, Pause, latest_pause
from ecr_warden.core.target import EVERYTHING, Target
from ecr_warden.state.commands import BadRequest, CommandRecords, PauseUntil, command_from_text
from ecr_warden.state.state import State, TargetRecord


class Holding(Struct, frozen=True):
    """What a pause holds: the targets that its command named and no later one took over; and its patterns, if any."""

    pause: Pause
    targets: tuple[Target, ...]
    patterns: tuple[str, ...] = ()


def held_by(pause_id: str, command_records: CommandRecords, state: State) -> Holding | None:
    """What a pause holds, ended or not; None if nothing. Raises PortError."""
    try:
        command = command_from_text(command_records.text(pause_id))
    except BadRequest:
        return None  # nobody recorded it, or another version did
    if not isinstance(command, PauseUntil):
        return None
    given = state.pattern_pauses() if command.patterns else ()
    own = next((pattern_pause for pattern_pause in given if pattern_pause.pause.id == pause_id), None)
    patterns = () if own is None else tuple(text for text in own.patterns if not _is_replaced(text, own, given))
    pauses = {target: pause for target, pause in latest_pauses(command.targets, state).items() if pause.id == pause_id}
    pause = next(iter(pauses.values()), own.pause if own is not None and patterns else None)
    return None if pause is None else Holding(pause, tuple(pauses), patterns)


def goes_on_by_pattern(state: State, now: datetime) -> bool:
    """Is there a pause of a pattern in force that no later command for this pattern replaced? Raises PortError."""
    given = state.pattern_pauses()
    return any(not _is_replaced(text, own, given) for own in given if own.pause.is_on(now) for text in own.patterns)


def _is_replaced(pattern: str, own: PatternPause, given: Iterable[PatternPause]) -> bool:
    later = (text for pause in given if pause.pause.at > own.pause.at for text in pause.patterns)
    return any(text in (pattern, EVERYTHING) for text in later)


def latest_pauses(targets: Iterable[Target], state: State) -> Mapping[Target, Pause]:
    """The latest pause of each target that has one, ended or not; raises PortError."""
    asked = tuple(dict.fromkeys(targets))
    records, by_pattern = state.records(asked), state.pattern_pauses()
    latest = {
        target: latest_pause(target, records.get(target.key, TargetRecord()).pause, by_pattern) for target in asked
    }
    return {target: pause for target, pause in latest.items() if pause is not None}
