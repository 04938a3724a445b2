"""The jobs on the queue, each with its cause."""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from ecr_warden.core.codec.base import SCHEMA, CodecError, Json, loads, reader, to_json
from ecr_warden.core.target import REGION, RepositoryTarget, RoleTarget, Target
from ecr_warden.core.value import AccountId, Value

UNKNOWN_CALLER = "an unknown caller"


class CauseKind(StrEnum):
    """What caused a job."""

    EVENT = "event"  # somebody's API call, reported by CloudTrail
    RUN = "run"  # another run of ours that changed something this target depends on
    SWEEP = "sweep"
    SPEC = "spec"  # a spec version was accepted
    CALLER = "caller"  # somebody asked
    PAUSE = "pause"  # the time of a pause has come
    HEARTBEAT = "heartbeat"  # a region of a member says that its events arrive


class Actor(Value, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who made the call that an event reports."""

    type: str
    arn: str = ""
    """The caller as CloudTrail shows it."""
    account: str = ""
    issuer: str = ""
    """The role behind a session."""
    session_name: str = ""
    invoked_by: str = ""
    """The AWS service that called on somebody's behalf (such as CloudFormation)."""
    source_identity: str = ""
    """Set by whoever opened the session."""
    source_ip: str = ""
    user_agent: str = ""

    @property
    def principal(self) -> str:
        """The caller without the session's name, which it may choose anew for each call; empty if that is unknown."""
        identity = self.issuer or self.arn or self.account
        return f"{self.type} {identity}" if identity else ""


def short_name(actor: Actor | None) -> str:
    """The caller in a word or two, for titles: `mallory`, `alice of Admin`.

    Whoever opens a session chooses its name, and may choose somebody else's; so the role is shown with it.
    """
    if actor is None:
        return UNKNOWN_CALLER
    if actor.type == "Root":
        return f"root of {actor.account}"
    role = actor.issuer.rpartition("/")[2]
    if actor.type == "AssumedRole" and actor.session_name and role:
        return f"{actor.session_name} of {role}"
    name = actor.session_name or actor.arn.rpartition("/")[2] or actor.invoked_by
    return name or (f"somebody in {actor.account}" if actor.account else UNKNOWN_CALLER)


class Cause(Value, frozen=True, omit_defaults=True):
    """Why a job exists. `id` groups what belongs together: the ID of the event, run, sweep, spec version,
    request or pause.

    `action` (`iam:PutRolePolicy`, or a command such as `reconcile`), `at` (ISO 8601, when it happened) and `actor`
    are set for events and callers, `error` (the call failed) for events only. If the cause is a run, `root` is what
    caused that run, and `behind` whoever did: both are reported together.
    """

    kind: CauseKind
    id: str
    action: str = ""
    at: str = ""
    error: str = ""
    root: str = ""
    actor: Actor | None = None
    behind: str = ""

    @property
    def principal(self) -> str:
        """Whoever is behind it, without the session's name; empty if nobody is known."""
        return self.actor.principal if self.actor is not None else self.behind

    def followed_by(self, run: str, now: datetime) -> "Cause":
        """The cause of what a run leads to that this one led to."""
        return Cause(CauseKind.RUN, run, at=now.isoformat(), root=self.incident, behind=self.principal)

    @property
    def incident(self) -> str:
        """The key that joins alerts in one message."""
        return self.root or f"{self.kind}/{self.id}"

    @property
    def call(self) -> str:
        """The action without its service: `PutRolePolicy`."""
        return self.action.partition(":")[2]

    @property
    def rolls_out(self) -> bool:
        """Whether it is that a version of the spec was accepted, or follows from that through runs."""
        return self.incident.startswith(f"{CauseKind.SPEC}/")

    @property
    def is_asked(self) -> bool:
        """Whether a version of the spec or a person asks for what follows, and not what somebody does to a document."""
        return self.incident.partition("/")[0] in (CauseKind.SPEC, CauseKind.CALLER)

    @property
    def time(self) -> datetime | None:
        """When it happened, by its own word; None if that says nothing."""
        try:
            at = datetime.fromisoformat(self.at)
        except ValueError:
            return None
        return at if at.tzinfo is not None else None

    def happened(self, now: datetime) -> datetime:
        """When it did, by its own word; now, if that says nothing or is ahead of the hub's clock."""
        return min(self.time or now, now)


class Misplaced(Value, frozen=True):
    """An object in the spec's bucket that looks like a spec and is not read; `version` is empty without versioning."""

    key: str
    version: str = ""


class Queue(StrEnum):
    """The queues of jobs; each has a function of its own, and nothing else in common."""

    REPAIR = "jobs"
    ACCEPT = "accept"
    COLLECT = "collect"
    AUDIT = "audit"

    @property
    def function(self) -> str:
        """The function that does its jobs, without `ecr-warden-`; that of repairs is trusted by the members."""
        return "reconcile" if self is Queue.REPAIR else self.value

    @property
    def sqs_name(self) -> str:
        """Its name on SQS: a fair queue for repairs (docs/adr/0045), FIFO queues for all else."""
        return f"ecr-warden-{self}" if self is Queue.REPAIR else f"ecr-warden-{self}.fifo"

    @property
    def exhausted(self) -> str:
        """The name on SQS of the queue that gets its exhausted jobs; it has to be of the same kind."""
        return self.sqs_name.replace(self, f"{self}-exhausted")


type RegionName = Annotated[str, Meta(pattern=rf"\A(?:{REGION.pattern})\Z")]


class _Job(Value, frozen=True, tag_field="kind", omit_defaults=True):
    # `queue`: where jobs of the kind wait; the others are templates of the two properties, filled with a job's fields.

    queue: ClassVar = Queue.REPAIR
    grouped_by: ClassVar[str]
    apart_by: ClassVar[str] = ""
    cause: Cause

    @property
    def group(self) -> str:
        """Of repairs, the same for those that may have to wait for one another; else, for jobs that never overlap."""
        return self.grouped_by.format(self)

    @property
    def apart(self) -> str:
        """What tells it from other jobs of the same cause and group."""
        return self.apart_by.format(self)


class AcceptSpec(_Job, frozen=True, tag="accept-spec"):
    """Accept or refuse the bucket's CURRENT version of the spec; or report a file under another key.

    They say where to look, and decide nothing.
    """

    queue, grouped_by, apart_by = Queue.ACCEPT, "spec", "{0.request}{0.after_reading}{0.moved}"
    misplaced: Misplaced | None = None
    request: Annotated[str, Meta(pattern=r"\A[0-9a-f]{0,64}\Z")] = ""
    """What audit looked at, the ID of a hold."""
    after_reading: bool = False
    """Whether what that needs was read."""
    moved: Target | None = None
    """A target that the accepted version takes over, and that is not as it was when that was judged."""


class SweepAll(_Job, frozen=True, tag="sweep-all"):
    """Compare everything with the accepted spec: a job for each account, and for each account and region."""

    queue, grouped_by = Queue.COLLECT, "sweep"


class _OfAccount(_Job, frozen=True):
    # Both a sweep and a survey replace the piece of their part: of two at once, the older one could end last.
    queue, grouped_by = Queue.COLLECT, "sweep-{0.account}"
    account: AccountId

    @property
    def part(self) -> str:
        """The part that the job is for, as state.sweeps names parts."""
        return self.account


class _OfRegistry(_Job, frozen=True):
    queue, grouped_by = Queue.COLLECT, "sweep-{0.account}-{0.region}"
    account: AccountId
    region: RegionName

    @property
    def part(self) -> str:
        """The part that the job is for, as state.sweeps names parts."""
        return f"{self.account}/{self.region}"


class SweepIdentities(_OfAccount, frozen=True, tag="sweep-identities"):
    """Compare the users and roles of one account with the accepted spec."""


class SweepRepositories(_OfRegistry, frozen=True, tag="sweep-repositories"):
    """Compare the repositories of one account in one region with the accepted spec."""


class SurveyIdentities(_OfAccount, frozen=True, tag="survey-identities"):
    """Read the users, groups, roles and managed policies of one account, and keep them as a piece of the estate."""

    apart_by = "survey"  # a sweep that could not survey its part makes a job of it, with the same cause
    target: Target | None = None
    """The user or role that the call of its cause names, None if it names none."""


class SurveyRegistry(_OfRegistry, frozen=True, tag="survey-registry"):
    """Read the registry of one account in one region, and keep it."""

    apart_by = "survey"
    repository: Annotated[str, Meta(max_length=256)] = ""
    """Only this one of its repositories."""

    @property
    def target(self) -> Target | None:
        """The repository, None for the whole registry."""
        return RepositoryTarget(self.account, self.region, self.repository) if self.repository else None


class NoteHeartbeat(_OfRegistry, frozen=True, tag="note-heartbeat"):
    """Note that a heartbeat arrived from a region of a member; the cause says when it was sent."""

    grouped_by = "heartbeat-{0.account}-{0.region}"


class _OfVersion(_Job, frozen=True):
    apart_by = "{0.request}"
    request: Annotated[str, Meta(pattern=r"\A[0-9a-f]{1,64}\Z")]


class ReadForVersion(_OfVersion, frozen=True, tag="read-for-version"):
    """Read what a verdict on a version of the spec rests on; `request`: the ID of what accept asks for."""

    queue, grouped_by = Queue.COLLECT, "version"


class JudgeVersion(_OfVersion, frozen=True, tag="judge-version"):
    """Judge a version of the spec, or say what has to be read first; `request`: the ID of what accept asks for."""

    queue, grouped_by, apart_by = Queue.AUDIT, "judge", "{0.request}{0.after_reading}"
    after_reading: bool = False


class AuditAccess(_Job, frozen=True, tag="audit-access"):
    """Compare who can pull and push, by the stored estate, with the accepted spec."""

    queue, grouped_by, apart_by = Queue.AUDIT, "audit", "{0.part}"
    part: Annotated[str, Meta(max_length=64)] = ""
    """Whose survey found a change, named as state.sweeps does; empty at the start of a sweep and for a new spec."""


class ReconcileTarget(_Job, frozen=True, tag="reconcile-target"):
    """Read one target and repair its drift; the only job that writes to an account."""

    # By cause too: who floods an account with events delays no version of the spec that takes their access there.
    grouped_by, apart_by = "{0.target.account}-{0.cause.kind}", "{0.target.key}"
    target: Target


class ReportOwnChange(_Job, frozen=True, tag="report-own-change"):
    """Report that somebody changed one of ecr-warden's own resources."""

    grouped_by = "own-{0.account}"
    account: str
    thing: str
    """Such as `role ecr-warden-read`."""


class ReportCall(_Job, frozen=True, tag="report-call"):
    """Report a call that changes no document and may do harm, if the spec names its target; the cause says which."""

    grouped_by = "call-{0.place}"
    target: Target | None
    """None if it is about the registry of `account` in `region` or, without one, about its identity providers, or about
    whatever else the event does not name."""
    account: str = ""
    region: str = ""

    @property
    def place(self) -> str:
        """The account that it is about."""
        return self.account if self.target is None else self.target.account


class FollowSwitch(_Job, frozen=True, tag="follow-switch"):
    """Announce what is new of the stop switch: a change, or another day in which nothing is written."""

    grouped_by = "switch"


class FollowClock(_Job, frozen=True, tag="follow-clock"):
    """Have done what has come due: the ends of pauses and grants, and repairs that had to wait."""

    grouped_by = "clock"


class Attempt(Struct, frozen=True):
    """Which delivery of a job this is, counted from 1, whether it is the last one, and when the queue got the job."""

    number: int = 1
    is_last: bool = True
    sent: datetime | None = None
    """None if that is not known."""


FIRST_AND_LAST = Attempt()

type SweepPart = SweepIdentities | SweepRepositories
type SurveyPart = SurveyIdentities | SurveyRegistry
type RepairJob = ReconcileTarget | ReportOwnChange | ReportCall | FollowSwitch | FollowClock
type CollectJob = SweepAll | SweepPart | SurveyPart | NoteHeartbeat | ReadForVersion
type AuditJob = AuditAccess | JudgeVersion
type Job = RepairJob | AcceptSpec | CollectJob | AuditJob


def job_to_json(job: Job) -> Json:
    """`{"schema", "kind", "cause", ...}`: the body of a message on the jobs queue."""
    return {"schema": SCHEMA, **to_json(job)}


job_from_json: Callable[[Json], Job] = reader("job", Job, schema=SCHEMA)


def job_from_text(body: str) -> Job:
    """The job in the body of a message; raises CodecError."""
    try:
        return job_from_json(loads(body))
    except CodecError as error:
        raise CodecError(
            error.message, remedy="a newer version or somebody else wrote it: see Dead letters in docs/safety.md"
        ) from error


def survey_of(cause: Cause, target: Target) -> SurveyPart:
    """The job that reads a target for the estate."""
    if isinstance(target, RepositoryTarget):
        return SurveyRegistry(cause, target.account, target.region, target.name)
    return SurveyIdentities(cause, target.account, target)


def reconcile_jobs(cause: Cause, targets: Iterable[Target]) -> tuple[ReconcileTarget, ...]:
    """A job for each target: repositories first, then roles and users, so that access ends first where the images are.

    This is the order of sending; the queue preserves it only within a target (docs/adr/0011).
    """

    def order(target: Target) -> tuple[int, str]:
        rank = 0 if isinstance(target, RepositoryTarget) else 1 if isinstance(target, RoleTarget) else 2
        return rank, target.key

    return tuple(ReconcileTarget(cause, target) for target in sorted(targets, key=order))
