"""The time from somebody's write to our repair, through all deployed functions, one tamper after the other."""

import json
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.figures import Figure
from local.aws.calls import Call
from local.testing.installed import HUB, MEMBER, PUSH_ROLE, REPOSITORY, Installed
from local.testing.waiting import until

EVENTS = 200
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
    tampers = _tampers(installed)
    times: dict[str, list[float]] = {tamper.name: [] for tamper in tampers}
    for number in range(events):
        tamper = tampers[number % len(tampers)]
        installed.settle()
        installed.forget_repairs()
        mark = installed.aws.mark()
        tamper.do()

        def both(mark: int = mark, tamper: _Tamper = tamper) -> tuple[Call, Call] | None:
            writes = [call for call in installed.aws.calls(mark) if call.write and call.service in ("ecr", "iam")]
            ours = [one for one in writes if "/ecr-warden-write/" in one.principal and one.action == tamper.repair]
            return (writes[0], ours[0]) if ours else None

        first, last = until(both, _REPAIR_SECONDS, f"the repair of: {tamper.name}")
        times[tamper.name].append((last.at - first.at) * 1000)
    installed.settle()
    group = f"Event to repaired on the emulator, all deployed functions ({events} events, one after the other)"
    together = sorted(one for some in times.values() for one in some)
    for name, some in times.items():
        yield Figure(group, f"{name}: median", statistics.median(some), "ms")
    yield Figure(group, "all: median", statistics.median(together), "ms")
    yield Figure(group, "all: 95 of 100 within", together[int(len(together) * 0.95)], "ms")
    yield Figure(group, "all: longest", together[-1], "ms")


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
