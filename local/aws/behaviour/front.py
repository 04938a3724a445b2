"""What happens in front of a service: throttling, roles not visible yet, the rules, stale reads.

Both emulators use it.
"""

import math
from collections.abc import Callable
from copy import replace
from dataclasses import dataclass, field

from local.aws.behaviour.lagging import READ_LATE, SHOWN_LATE, Past, visible, written
from local.aws.behaviour.outcome import Refused
from local.aws.behaviour.rules import Request, applied
from local.aws.behaviour.throttling import Bucket, rate_exceeded, taken
from local.aws.behaviour.world import World

type _Key = tuple[str, ...]


@dataclass(slots=True)
class Front[T]:
    """`T` is an emulator's type of answer; `now` returns seconds."""

    world: World
    now: Callable[[], float]
    _buckets: dict[_Key, Bucket] = field(default_factory=dict)
    _created: dict[_Key, float] = field(default_factory=dict)
    _past: dict[_Key, tuple[Past[T], ...]] = field(default_factory=dict)

    def enter(self, request: Request) -> Request | Refused:
        """The request as the service receives it, or AWS's error."""
        return self._throttled(request) or self._unseen(request) or applied(request, self.world)

    def late(self, request: Request) -> T | None:
        """The answer of a stale read; None if the read is up to date."""
        key = _shown(request)
        found = visible(self._past.get(key, ()), self.now()) if key else None
        return None if found is None else found.answer

    def shown_late(self, request: Request) -> tuple[Request, ...]:
        """The reads to make before a write, because they will be stale after it; none unless the switch is on."""
        if not self.world.switches.read_lag:
            return ()
        return tuple(
            replace(
                request,
                action=read.action,
                parameters={name: request.parameters.get(name, "") for name in read.parameters},
            )
            for read in SHOWN_LATE.get((request.service, request.action), ())
        )

    def wrote(self, read: Request, before: T) -> None:
        """Let a read return for a while what it returned before a write that was just made."""
        key = _shown(read)
        if key:
            self._past[key] = written(self._past.get(key, ()), before, self.now(), self.world.switches.read_lag)

    def _unseen(self, request: Request) -> Refused | None:
        """IAM's error for any call that names a role that was just created."""
        name = request.parameters.get("RoleName", "")
        if request.service != "iam" or not name or not self.world.switches.role_lag:
            return None
        key, now = (request.account, name), self.now()
        if request.action == "CreateRole":
            if not self.world.has_role(request.account, name):
                self._created[key] = now
            return None
        if now - self._created.get(key, -math.inf) >= self.world.switches.role_lag:
            return None
        return Refused("NoSuchEntity", f"The role with name {name} cannot be found.", 404)

    def _throttled(self, request: Request) -> Refused | None:
        rate = self.world.switches.rates.get(f"{request.service}:{request.action}")
        if rate is None:
            return None
        key, now = (request.service, request.action, request.account), self.now()
        self._buckets[key], let_through = taken(self._buckets.get(key) or Bucket.full(rate, now), rate, now)
        return None if let_through else rate_exceeded(request.service)


def _shown(request: Request) -> _Key:
    """The resource that a read shows; empty for any other call."""
    names = READ_LATE.get((request.service, request.action))
    if names is None:
        return ()
    region = request.region if request.service == "ecr" else ""
    return (request.action, request.account, region, *(request.parameters.get(name, "") for name in names))
