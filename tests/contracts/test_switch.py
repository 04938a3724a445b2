"""Switch: only a clear yes lets a write through."""

import pytest

from ecr_warden.state.switch import STOPPED
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
