"""Switch: only a clear yes lets a write through; what was announced of it is remembered until the next announcement."""

from datetime import UTC, datetime

import pytest

from ecr_warden.state.switch import STOPPED, Position, SwitchSeen
from tests.contracts.hubs import Hub

# What somebody wrote, which an editor may have added to, and whether writes are enabled.
POSITIONS = [("enabled", True), ("stopped", False), ("enabled ", True), ("enabled\n", True), (" stopped\n", False)]


@pytest.mark.parametrize(("position", "enabled"), POSITIONS)
def test_switch_says_whether_writes_are_enabled(hub: Hub, position: str, enabled: bool) -> None:
    hub.throw(position)
    assert (hub.switch.reason_to_stop() is None) is enabled


def test_switch_is_read_again_each_time(hub: Hub) -> None:
    for position in ("enabled", "stopped", "enabled"):
        hub.throw(position)
        assert (hub.switch.reason_to_stop() is None) is (position == "enabled")


@pytest.mark.parametrize("position", ["Enabled", "ENABLED", "true", "x", "enabled stopped", "enabled,", "not enabled"])
def test_anything_else_is_a_stop(hub: Hub, position: str) -> None:
    hub.throw(position)
    assert hub.switch.reason_to_stop() == STOPPED


def test_the_last_announcement_is_remembered(hub: Hub) -> None:
    assert hub.switch_record.last() is None
    for position in (Position.STOPPED, Position.ENABLED):
        seen = SwitchSeen(position, datetime(2026, 1, 1, 12, tzinfo=UTC))
        hub.switch_record.note(seen)
        assert hub.switch_record.last() == seen
