"""Versions of the spec, uploaded into a world, and what reads and judges them."""

from collections.abc import Callable
from copy import copy, replace
from datetime import timedelta
from typing import Any

from ecr_warden.bootstrap import accept, audit, collect
from ecr_warden.collect.version_readings import ReadForVersions
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import AcceptSpec, Actor, Cause, CauseKind, Job, JudgeVersion, ReadForVersion, ReconcileTarget
from ecr_warden.core.judgement import WaitCode
from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden.state.hold import Decision, Hold, Verdict
from ecr_warden.state.specs import SpecVersion
from ecr_warden.versions.accept import AcceptVersions
from ecr_warden.versions.alerts import HoldOpened, SpecAccepted, SpecRefused
from ecr_warden.versions.verdicts import JudgeVersions
from local.testing.seed import SPEC_FILE, compiled
from tests.usecases.world import World, bare_world

ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
JOB = AcceptSpec(Cause(CauseKind.EVENT, "s3", action="s3:PutObject"))
TEXT = SPEC_FILE.read_text()
PATIENCE, YOUNG = timedelta(minutes=15), timedelta(minutes=30)


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
    """The hub looks at the bucket, and has judged what has to be."""
    job = replace(JOB, cause=replace(JOB.cause, id=f"s3-{next(world.ids)}"))
    seen = accept_of(world).process(job)
    return judged(world) or seen


def judged(world: World) -> Seen:
    """What accept asks for is read and judged, and accept looks at it; other jobs stay."""
    seen: Seen = None
    while asked := [job for job in world.jobs.sent if is_of_a_verdict(job)]:
        seen = once(world, asked[0]) or seen
    return seen


def once(world: World, job: Job) -> Seen:
    """A job of a question for a verdict is done."""
    world.jobs.sent.remove(job)
    if isinstance(job, AcceptSpec):
        return accept_of(world).process(job)
    world.do(job)
    return None


def is_of_a_verdict(job: object) -> bool:
    """Whether a job follows from the question for a verdict."""
    return isinstance(job, ReadForVersion | JudgeVersion) or (isinstance(job, AcceptSpec) and job.request != "")


def decide(world: World, hold: Hold, verdict: Verdict) -> Seen:
    """A person decides, and the hub looks again."""
    world.holds.decide(hold, Decision(f"command-{hold.id}", verdict, ALICE, world.clock.now()))
    return look(world)


def accept_of(world: World, specs: Any = None, *, holds: Any = None) -> AcceptVersions:
    over = copy(world)
    over.specs, over.holds = specs or world.specs, holds or world.holds
    return accept.accept_versions(over.adapters)


def reads_of(world: World, *, has_time: Callable[[], bool] = lambda: True) -> ReadForVersions:
    return replace(collect.read_for_versions(world.adapters), has_time=has_time)


def judges_of(world: World, *, has_time: Callable[[], bool] = lambda: True) -> JudgeVersions:
    return replace(audit.judge_versions(world.adapters), has_time=has_time)


def codes(hold: Hold) -> list[WaitCode]:
    return [one.code for one in hold.why]


def enqueued(world: World) -> list[str]:
    """The targets that wait, in order."""
    return [job.target.key for job in world.jobs.sent if isinstance(job, ReconcileTarget)]


def first(text: str = TEXT) -> World:
    """A world whose first version a person accepted, as it is once that is rolled out."""
    world, data, spec = bare_world(), text.encode(), compiled(text)
    world.specs.file, world.specs.compiled = SpecVersion(spec.version, data), spec
    world.specs.base = world.specs.keep(spec), world.specs.keep_text(data), spec.version
    world.log.record(HistoryEntry(HistoryKind.SPEC_ACCEPTED, world.clock.now(), spec.version, ALICE, "the first"))
    return world


def accepted(world: World) -> CompiledSpec:
    """What is in force."""
    assert world.specs.compiled is not None
    return world.specs.compiled
