"""Versions of the spec, uploaded into a world."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ecr_warden.model.alert import HoldOpened, SpecAccepted, SpecRefused
from ecr_warden.model.hold import Decision, Hold, Verdict
from ecr_warden.model.job import AcceptSpec, Actor, Cause, CauseKind, ReconcileTarget
from ecr_warden.ports.store import SpecVersion
from ecr_warden.proof.changes import access_changes
from ecr_warden.usecases.accept import Accept
from ecr_warden.usecases.holds import Judge

from local.testing.seed import SPEC_FILE
from tests.usecases.world import World, bare_world

ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
JOB = AcceptSpec(Cause(CauseKind.EVENT, "s3", action="s3:PutObject"))
TEXT = SPEC_FILE.read_text()


type Seen = SpecAccepted | SpecRefused | HoldOpened | None


def upload(world: World, text: str, version: str) -> Seen:
    """A version is uploaded, and a person accepts it if it waits."""
    world.specs.file = SpecVersion(version, text.encode())
    seen = look(world)
    return decide(world, seen.hold, Verdict.ACCEPT) if isinstance(seen, HoldOpened) else seen


def offer(world: World, text: str, version: str) -> Seen:
    """A version is uploaded, and nobody decides."""
    world.specs.file = SpecVersion(version, text.encode())
    return look(world)


def look(world: World) -> Seen:
    return accept_of(world)(JOB)


def decide(world: World, hold: Hold, verdict: Verdict) -> Seen:
    """A person decides, and the hub looks again."""
    world.holds.decide(hold, Decision(f"command-{hold.id}", verdict, ALICE, world.clock.now()))
    return look(world)


def accept_of(world: World, specs: Any = None, *, has_time: Callable[[], bool] = lambda: True) -> Accept:
    judge = Judge(world.documents, world.clock, partial(access_changes, has_time=has_time), has_time)
    ports = (specs or world.specs, world.jobs, world.alerts, world.audit, world.clock)
    return Accept(*ports, "access.yaml", world.holds, judge)


def enqueued(world: World) -> list[str]:
    """The targets that wait, in order."""
    return [job.target.key for job in world.jobs.sent if isinstance(job, ReconcileTarget)]


def first(text: str = TEXT) -> World:
    """A world whose first version is accepted and reported."""
    world = bare_world()
    world.specs.compiled = None
    assert isinstance(upload(world, text, "v1"), SpecAccepted)
    world.forget()
    return world
