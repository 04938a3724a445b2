"""A batch ends before its function does: results are kept, and what was not begun is handed back."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.contracts.aws import Call
from tests.functions.conftest import DEAD, JOBS, TIME, Deployed, Handler
from tests.functions.running import Running, key_of
from tests.functions.running import running as made

TARGETS = (
    *("pull-user-1", "pull-user-2", "shop/checkout", "push-user-1", "push-user-2"),
    *("shop/cart", "old-ci", "ecr-pusher", "cart-pusher"),
)
HUNG = "shop/checkout"
SECONDS = 1000


@pytest.fixture
def running(
    deployed: Deployed, handler_of: Callable[[str], Handler], logged: Callable[[], list[dict[str, Any]]]
) -> Running:
    return made(deployed, handler_of, logged)


def hang(running: Running, name: str, *, takes: int) -> None:
    """The endpoint takes a call about a repository and never answers; all attempts together take so many seconds."""

    def fault(call: Call) -> None:
        if call.parameters.get("repositoryName") == name:
            running.deployed.context.left -= takes * SECONDS
            raise ReadTimeoutError(endpoint_url="https://ecr.invalid")

    running.wire.faults["ecr:GetRepositoryPolicy"] = fault


def logged(running: Running) -> list[tuple[str, str]]:
    """The result of each message of a batch, and its target where that is logged."""
    lines = [line for line in running.logged() if line["message"] in ("done", "failed", "not begun")]
    return [(line["message"], line.get("job", {}).get("target", "")) for line in lines]


def test_a_batch_whose_third_message_hangs_keeps_two_results_and_hands_the_rest_back(running: Running) -> None:
    running.begin()
    hang(running, HUNG, takes=75)
    running.tamper(*TARGETS)
    running.logged()
    hidden = running.deliver_once()
    assert logged(running) == [
        ("done", key_of(TARGETS[0])),
        ("done", key_of(TARGETS[1])),
        ("failed", ""),
        *[("not begun", "")] * 6,
    ]
    assert sorted(running.differing()) == sorted(TARGETS[2:])
    assert hidden == {key_of(HUNG): 5} | {key_of(name): 1 for name in TARGETS[3:]}
    running.settle()
    assert running.differing() == [HUNG], "one that hangs for good keeps no other back"
    assert running.put_away(DEAD) == []
    assert "shop/checkout" in running.heard()
    running.wire.faults.clear()
    running.sweep()
    running.settle()
    assert running.differing() == []


@pytest.mark.thorough
def test_calls_that_hang_one_after_another_end_in_time_and_in_order(running: Running) -> None:
    """Thirty-three seconds each: the second leaves too little for a third."""
    running.begin()
    hang(running, HUNG, takes=33)
    running.tamper(HUNG)
    for name in ("shop/checkout",) * 2:
        running.report(name)
    running.tamper("old-ci")
    running.deliver_once()
    assert running.deployed.context.left > 0
    running.wire.faults.clear()
    running.settle()
    assert running.differing() == []


@pytest.mark.thorough
def test_a_message_handed_back_repeatedly_runs_before_its_receives_are_used_up(
    running: Running,
) -> None:
    """Each invocation has time for one job alone."""
    running.begin()

    def slow(_: Call) -> None:
        running.deployed.context.left = min(running.deployed.context.left, 50 * SECONDS)

    for action in ("ecr:GetRepositoryPolicy", "iam:GetRole", "iam:GetUser"):
        running.wire.faults[action] = slow
    running.tamper(*TARGETS)
    running.settle()
    assert running.differing() == []
    assert running.put_away(DEAD) == []


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
