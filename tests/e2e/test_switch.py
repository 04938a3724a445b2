"""The stop switch, at the deployed product."""

import time

import pytest

from local.demo.places import REPOSITORY_TARGET
from local.testing.waiting import until
from tests.e2e.house import House

OPEN = "Done: nothing: writes are stopped by the switch"


@pytest.mark.journey
def test_stopped_writes_are_reported_and_done_by_the_sweep_once_they_are_enabled(house: House) -> None:
    house.writes("stopped")
    began, moment = time.time(), house.now()
    house.tamper()
    house.hears(moment, OPEN)
    [message] = house.messages(moment, OPEN)
    assert "user/mallory" in message.text
    assert not house.is_right()
    assert house.product_writes(moment) == []

    house.writes("enabled")
    until(house.is_right, what="the sweep that the event of the switch begins")
    house.quiet.wait(moment.mark)
    [run] = [run for run in house.runs(began) if run.applied]
    assert (run.target, run.cause, run.result) == (REPOSITORY_TARGET, "event", "converged")
    assert len(house.product_writes(moment)) == 1
