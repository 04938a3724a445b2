"""Versions of the spec, uploaded into a world."""

from typing import Any

from ecr_warden.model.alert import SpecAccepted, SpecRefused
from ecr_warden.model.job import AcceptSpec, Cause, CauseKind, ReconcileTarget
from ecr_warden.ports.store import SpecVersion
from ecr_warden.usecases.accept import Accept

from local.testing.seed import SPEC_FILE
from tests.usecases.world import World, bare_world

JOB = AcceptSpec(Cause(CauseKind.EVENT, "s3", action="s3:PutObject"))
TEXT = SPEC_FILE.read_text()


def upload(world: World, text: str, version: str) -> SpecAccepted | SpecRefused | None:
    world.specs.file = SpecVersion(version, text.encode())
    return look(world)


def look(world: World) -> SpecAccepted | SpecRefused | None:
    return accept_of(world)(JOB)


def accept_of(world: World, specs: Any = None) -> Accept:
    return Accept(specs or world.specs, world.jobs, world.alerts, world.audit, world.clock, "access.yaml")


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
