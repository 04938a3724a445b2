"""The time from somebody's write to our repair, through all deployed functions, one tamper after the other."""

import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from bench.figures import Figure
from local.aws.calls import Call
from local.demo.quiet import queues_of
from local.testing.failing import Failing, failing, fill
from local.testing.installed import HUB, MEMBER, PUSH_ROLE, REPOSITORY, Installed
from local.testing.waiting import until

EVENTS, BESIDE, WAITING = 200, 40, 200
_MOST = 1.25
_HANGING: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("accept", "accept-spec", {}),
    ("collect", "sweep-identities", {"account": HUB}),
    ("audit", "audit-access", {}),
)
"""Function, the job in which it hangs, and its fields; in the order of the queues."""
_REPAIR_SECONDS = 30.0
_USER = "push-user"


@dataclass(frozen=True, slots=True)
class _Tamper:
    """What somebody does, and the action that undoes it."""

    name: str
    do: Callable[[], object]
    repair: str


def repaired(installed: Installed, events: int = EVENTS) -> Iterator[Figure]:
    """Times by the emulator's clock, between the answers to both writes."""
    times = _times(installed, events, repairs_alone=False)
    installed.settle()
    group = f"Event to repaired on the emulator, all deployed functions ({events} events, one after the other)"
    together = sorted(one for some in times.values() for one in some)
    for name, some in times.items():
        yield Figure(group, f"{name}: median", statistics.median(some), "ms")
    yield Figure(group, "all: median", statistics.median(together), "ms")
    yield Figure(group, "all: 95 of 100 within", together[int(len(together) * 0.95)], "ms")
    yield Figure(group, "all: longest", together[-1], "ms")


def beside_failing(installed: Installed, events: int = BESIDE) -> Iterator[Figure]:
    """The same while every other function that does jobs hangs and its queue is full, between two quiet series."""
    before = _times(installed, events)
    lambdas, sqs = installed.aws.client(HUB, "lambda"), installed.aws.client(HUB, "sqs")
    installed.settle()
    with ExitStack() as stack:
        for url, (function, kind, of) in zip(queues_of(installed.stack.outputs)[1:], _HANGING, strict=True):
            stack.enter_context(failing(lambdas, function, kind, Failing.HANGS))
            stack.callback(sqs.purge_queue, QueueUrl=url)
            fill(sqs, url, kind, WAITING, **of)
        beside = _times(installed, events)
    installed.settle()
    quiet = [one for times in (before, _times(installed, events)) for some in times.values() for one in some]
    hanging = [one for some in beside.values() for one in some]
    group = f"Event to repaired while accept, collect and audit hang, {WAITING} jobs in each queue ({events} events)"
    yield Figure(group, "median without", statistics.median(quiet), "ms")
    yield Figure(group, "median beside them", statistics.median(hanging), "ms")
    yield Figure(group, "ratio of the medians", statistics.median(hanging) / statistics.median(quiet), "x", _MOST)


def _times(installed: Installed, events: int, *, repairs_alone: bool = True) -> dict[str, list[float]]:
    """In milliseconds, by the tamper; `repairs_alone`: other jobs may be under way."""
    tampers = _tampers(installed)
    times: dict[str, list[float]] = {tamper.name: [] for tamper in tampers}
    for number in range(events):
        tamper = tampers[number % len(tampers)]
        installed.settle(repairs_alone=repairs_alone)
        installed.forget_repairs()
        mark = installed.aws.mark()
        tamper.do()

        def both(mark: int = mark, tamper: _Tamper = tamper) -> tuple[Call, Call] | None:
            writes = [call for call in installed.aws.calls(mark) if call.write and call.service in ("ecr", "iam")]
            ours = [one for one in writes if "/ecr-warden-write/" in one.principal and one.action == tamper.repair]
            return (writes[0], ours[0]) if ours else None

        first, last = until(both, _REPAIR_SECONDS, f"the repair of: {tamper.name}")
        times[tamper.name].append((last.at - first.at) * 1000)
    return times


def _tampers(installed: Installed) -> tuple[_Tamper, ...]:
    ecr, iam = installed.aws.client(MEMBER, "ecr"), installed.aws.client(MEMBER, "iam")
    users = installed.aws.client(HUB, "iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "sts:AssumeRole"}
    everybody: Any = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    pushes = iam.list_role_policies(RoleName=PUSH_ROLE)["PolicyNames"][0]
    assumes = users.list_user_policies(UserName=_USER)["PolicyNames"][0]
    return (
        _Tamper(
            "repository policy deleted",
            lambda: ecr.delete_repository_policy(repositoryName=REPOSITORY),
            "SetRepositoryPolicy",
        ),
        _Tamper(
            "trust policy opened to an account",
            lambda: iam.update_assume_role_policy(RoleName=PUSH_ROLE, PolicyDocument=everybody),
            "UpdateAssumeRolePolicy",
        ),
        _Tamper(
            "push role's policy deleted",
            lambda: iam.delete_role_policy(RoleName=PUSH_ROLE, PolicyName=pushes),
            "PutRolePolicy",
        ),
        _Tamper(
            "user's policy deleted",
            lambda: users.delete_user_policy(UserName=_USER, PolicyName=assumes),
            "PutUserPolicy",
        ),
    )
