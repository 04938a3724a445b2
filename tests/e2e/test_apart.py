"""Repairs owe nothing to accept, collect and audit: whatever becomes of their processes and queues, they come."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import pytest

from ecr_warden.core.job import Queue
from local.demo.places import CI, REGION
from local.demo.quiet import queues_of
from local.testing.failing import Failing, failing, fill
from local.testing.waiting import until
from tests.e2e.house import House
from tests.e2e.steps import REPOSITORY_STEP, TRUST_STEP, USER_STEP

# More than are ever done before the repair, which none of them must delay.
WAITING = 200


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a function, by the job in which it fails."""

    function: str
    kind: str
    of: dict[str, str] = field(default_factory=dict)


STEPS = {
    "accepting": Step("accept", "accept-spec"),
    "sweeping": Step("collect", "sweep-identities", {"account": CI}),
    "reading for a verdict": Step("collect", "read-for-version", {"request": "0123456789ab"}),
    "judging": Step("audit", "judge-version", {"request": "0123456789ab"}),
    "auditing and reporting": Step("audit", "audit-access"),
}


def counts(house: House, url: str) -> tuple[int, int]:
    """How many messages wait, and how many a function was given."""
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    sqs = house.stage.aws.client(CI, "sqs", REGION)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def given(house: House, url: str) -> int:
    return counts(house, url)[1]


ALL = ["accepting", "sweeping", "auditing and reporting"]
"""A step of each function."""


@pytest.mark.parametrize(
    ("steps", "how"),
    [
        pytest.param(ALL, Failing.HANGS, marks=pytest.mark.journey),
        (ALL, Failing.IS_KILLED),
        *(([name], Failing.HANGS) for name in STEPS),
    ],
    ids=lambda one: one.name if isinstance(one, Failing) else ", ".join(one),
)
def test_repairs_come_while_other_functions_fail_for_ever_with_full_queues(
    house: House, steps: list[str], how: Failing
) -> None:
    urls = {queue.function: url for queue, url in zip(Queue, queues_of(house.stage.hub), strict=True)}
    aws, failed = house.stage.aws, [STEPS[name] for name in steps]
    with ExitStack() as stack:
        for step in failed:
            stack.enter_context(failing(aws.client(CI, "lambda", REGION), step.function, step.kind, how))
            stack.callback(aws.client(CI, "sqs", REGION).purge_queue, QueueUrl=urls[step.function])
            fill(aws.client(CI, "sqs", REGION), urls[step.function], step.kind, WAITING, **step.of)
        for step in failed:
            until(partial(given, house, urls[step.function]), what=f"a {step.kind} in progress")
        for tampered in (REPOSITORY_STEP, TRUST_STEP, USER_STEP):
            tampered.begin(house)
        until(house.is_right, what="the repairs")
        assert all(sum(counts(house, urls[step.function])) >= WAITING for step in failed), "and nothing else was done"
