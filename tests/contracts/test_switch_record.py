"""What was announced of the stop switch is remembered until the next announcement."""

from datetime import UTC, datetime

from ecr_warden.state.switch import Position, SwitchSeen
from tests.contracts.hubs import Hub

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_last_announcement_is_remembered(hub: Hub) -> None:
    assert hub.switch_record.last() is None
    for seen in (SwitchSeen(Position.STOPPED, NOON), SwitchSeen(Position.ENABLED, NOON)):
        hub.switch_record.note(seen)
        assert hub.switch_record.last() == seen
