"""A job whose last attempt failed, for whatever reason, is reported and kept."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from ecr_warden.adapters.aws.queues import MAX_RECEIVES

from tests.functions.conftest import Deployed, Handler
from tests.functions.running import Running
from tests.functions.running import running as made


@pytest.fixture
def running(
    deployed: Deployed, handler_of: Callable[[str], Handler], logged: Callable[[], list[dict[str, Any]]]
) -> Running:
    return made(deployed, handler_of, logged)


type Ending = Callable[[Running], str]
"""Lets a job come to its end in some way, and returns what the report has to name."""


def _killed(running: Running) -> str:
    """Time or memory ends the process at each attempt: no line of its code runs any more."""
    running.tamper("shop/checkout")
    running.lose("jobs.fifo", MAX_RECEIVES)
    return "repository shop/checkout in 222222222222 eu-central-1"


def _unreadable(running: Running) -> str:
    running.send('{"schema": 99}', "somebody's")
    return "a job that cannot be read"


def _spec(running: Running) -> str:
    running.upload(b"version: 1\n")
    running.lose("jobs.fifo", MAX_RECEIVES)
    return "the uploaded spec"


ENDINGS: dict[str, Ending] = {"killed": _killed, "not to be read": _unreadable, "a spec, killed": _spec}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_job_that_failed_for_good_is_reported_once_and_kept(running: Running, ending: str) -> None:
    running.begin()
    named = ENDINGS[ending](running)
    running.settle()
    heard = running.heard()
    assert heard.count("failed on its last attempt") == 1
    assert named in heard
    assert "ecr-warden-jobs-dlq.fifo" in heard
    assert len(running.put_away("dead.fifo")) == 1
    assert running.put_away("exhausted.fifo") == []


def test_many_jobs_that_fail_for_good_are_one_message_that_names_each(running: Running) -> None:
    running.begin()
    running.tamper("shop/checkout", "shop/cart", "ecr-pusher")
    running.lose("jobs.fifo", MAX_RECEIVES)
    running.settle()
    heard = running.heard()
    assert "3 jobs failed on their last attempt" in heard
    for name in ("repository shop/checkout", "repository shop/cart", "role ecr-pusher"):
        assert name in heard
    assert len(running.put_away("dead.fifo")) == 3


def test_a_kept_job_can_be_run_again(running: Running) -> None:
    running.begin()
    running.tamper("shop/checkout")
    running.lose("jobs.fifo", MAX_RECEIVES)
    running.settle()
    assert "shop/checkout" in running.differing()
    assert [json.loads(body)["kind"] for body in running.put_away("dead.fifo")] == ["reconcile-target"]
    running.redrive()
    running.settle()
    assert running.differing() == []


def test_a_job_that_ran_after_its_process_was_killed_is_not_reported_as_failed(running: Running) -> None:
    running.begin()
    running.tamper("shop/checkout")
    running.lose("jobs.fifo", MAX_RECEIVES - 1)
    running.settle()
    assert running.differing() == []
    assert "last attempt" not in running.heard()
    assert running.put_away("dead.fifo") == []
