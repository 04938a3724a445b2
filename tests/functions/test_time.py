"""A job ends before its function does, and one that hangs keeps no other."""

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.contracts.aws import Call
from tests.functions.conftest import DEAD, JOBS, TIME
from tests.functions.running import Running

TARGETS = ("pull-user-1", "shop/checkout", "shop/cart", "ecr-pusher")
HUNG = "shop/checkout"
SECONDS = 1000


def hang(running: Running, name: str, *, takes: int) -> None:
    """The endpoint takes a call about a repository and never answers; all attempts together take so many seconds."""

    def fault(call: Call) -> None:
        if call.parameters.get("repositoryName") == name:
            running.deployed.context.left -= takes * SECONDS
            raise ReadTimeoutError(endpoint_url="https://ecr.invalid")

    running.wire.faults["ecr:GetRepositoryPolicy"] = fault


@pytest.mark.thorough
def test_a_job_that_hangs_keeps_no_other_and_comes_back(running: Running) -> None:
    running.begin()
    hang(running, HUNG, takes=75)
    running.tamper(*TARGETS)
    running.deliver_once()
    assert running.differing() == [HUNG]
    running.settle()
    assert running.differing() == [HUNG]
    assert running.put_away(DEAD) == []
    assert "shop/checkout" in running.heard()
    running.wire.faults.clear()
    running.sweep()
    running.settle()
    assert running.differing() == []


def test_no_call_is_made_after_the_time_is_up_and_the_journalled_run_comes_back(running: Running) -> None:
    running.begin()

    def slow(_: Call) -> None:
        running.deployed.context.left = 15 * SECONDS

    running.wire.faults["ecr:GetRepositoryPolicy"] = slow
    running.tamper("shop/cart")
    running.wire.calls.clear()
    running.deliver_once()
    assert "ecr:SetRepositoryPolicy" not in running.wire.actions
    assert [line["error"] for line in running.logged() if line["message"] == "failed"]
    assert running.put_away(JOBS) != []
    running.wire.faults.clear()
    running.settle()
    assert running.differing() == []
    assert running.deployed.context.left == TIME
