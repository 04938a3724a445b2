"""A job whose last attempt failed, for whatever reason, is reported and kept."""

import json
from collections.abc import Callable

import pytest

from ecr_warden.core.job import Queue
from tests.functions.conftest import DEAD, EXHAUSTED, JOBS, QUEUES
from tests.functions.running import CI, Running
from tests.receives import LATER_RECEIVES, MAX_RECEIVES


def test_a_job_that_failed_for_good_is_reported_once_and_kept(running: Running) -> None:
    """Time or memory ends the process at each attempt: no line of its code runs any more."""
    running.begin()
    running.tamper("shop/checkout")
    running.lose(JOBS, MAX_RECEIVES)
    running.settle()
    heard = running.heard()
    assert heard.count("CRITICAL failed: repository shop/checkout: not known whether") == 1
    assert "repository shop/checkout in 222222222222 eu-central-1" in heard
    assert DEAD in heard
    assert len(running.put_away(DEAD)) == 1
    assert running.put_away(EXHAUSTED[Queue.REPAIR]) == []


def _spec(running: Running) -> tuple[Queue, str]:
    running.upload(b"version: 1\n")
    return Queue.ACCEPT, "the uploaded spec"


def _sweep(running: Running) -> tuple[Queue, str]:
    running.send({"kind": "sweep-identities", "account": CI, "cause": {"kind": "sweep", "id": "s-1"}}, "sweep")
    return Queue.COLLECT, f"the sweep of the users and roles of {CI}"


def _audit(running: Running) -> tuple[Queue, str]:
    running.send({"kind": "audit-access", "cause": {"kind": "sweep", "id": "s-1"}}, "audit")
    return Queue.AUDIT, "the audit of access"


@pytest.mark.thorough
@pytest.mark.parametrize("sent", [_spec, _sweep, _audit])
def test_a_killed_job_of_another_queue_is_reported_with_its_log_and_not_kept_because_each_tick_makes_it_anew(
    running: Running, sent: Callable[[Running], tuple[Queue, str]]
) -> None:
    running.begin()
    queue, named = sent(running)
    running.lose(QUEUES[queue], LATER_RECEIVES)
    running.settle()
    heard = running.heard()
    assert heard.count("CRITICAL failed: ") == 1
    assert named in heard
    assert f"ecr-warden-{queue.function}" in heard
    assert "dlq" not in heard
    assert running.put_away(DEAD) == running.put_away(EXHAUSTED[queue]) == []


@pytest.mark.thorough
def test_of_many_jobs_that_fail_for_good_the_first_is_said_at_once_and_the_others_in_one_message(
    running: Running,
) -> None:
    running.begin()
    running.tamper("shop/checkout", "shop/cart", "ecr-pusher")
    running.lose(JOBS, MAX_RECEIVES)
    running.settle()
    heard = running.heard()
    assert heard.count("CRITICAL failed: ") == 2
    assert "CRITICAL failed: 2 jobs failed on their last attempt" in heard
    assert "3 things since" in heard
    for name in ("repository shop/checkout", "repository shop/cart", "registry:role/ecr-pusher"):
        assert name in heard
    assert len(running.put_away(DEAD)) == 3


@pytest.mark.thorough
def test_a_kept_job_can_be_run_again(running: Running) -> None:
    running.begin()
    running.tamper("shop/checkout")
    running.lose(JOBS, MAX_RECEIVES)
    running.settle()
    assert "shop/checkout" in running.differing()
    assert [json.loads(body)["kind"] for body in running.put_away(DEAD)] == ["reconcile-target"]
    running.redrive()
    running.settle()
    assert running.differing() == []


@pytest.mark.thorough
def test_a_job_that_ran_after_its_process_was_killed_is_not_reported_as_failed(running: Running) -> None:
    running.begin()
    running.tamper("shop/checkout")
    running.lose(JOBS, MAX_RECEIVES - 1)
    running.settle()
    assert running.differing() == []
    assert "last attempt" not in running.heard()
    assert running.put_away(DEAD) == []
