"""Jobs and their causes: the bodies of messages on the jobs queue."""

from typing import assert_never

from ecr_warden.arn import ACCOUNT_ID
from ecr_warden.model.codec.base import CodecError, Json, check_schema, loads, number, reading, text
from ecr_warden.model.job import (
    SCHEMA,
    AcceptSpec,
    Actor,
    Cause,
    CauseKind,
    Job,
    Misplaced,
    ReconcileTarget,
    ReportOwnChange,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.model.target import REGION, parse_target

# What 0.1.0 wrote for a sweep: one slice, and the only one. It is written on, for versions that know no other.
_WHOLE = {"kind": "sweep-slice", "index": 0, "of": 1}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


_ACTOR_KEYS = {_camel(name): name for name in Actor.__struct_fields__}


def job_to_json(job: Job) -> Json:
    """`{"schema", "kind", "cause", ...}`: the body of a message on the jobs queue."""
    head = {"schema": SCHEMA, "cause": cause_to_json(job.cause)}
    match job:
        case AcceptSpec():
            stray = job.misplaced
            more = {} if stray is None else {"misplaced": {"key": stray.key, "version": stray.version}}
            return head | {"kind": "accept-spec", **more}
        case SweepAll():
            return head | _WHOLE
        case SweepIdentities():
            return head | {"kind": "sweep-identities", "account": job.account}
        case SweepRepositories():
            return head | {"kind": "sweep-repositories", "account": job.account, "region": job.region}
        case ReconcileTarget():
            return head | {"kind": "reconcile-target", "target": str(job.target)}
        case ReportOwnChange():
            return head | {"kind": "report-own-change", "account": job.account, "thing": job.thing}
        case _:
            assert_never(job)


def _job(value: Json) -> Job:
    check_schema(value, SCHEMA)
    cause = cause_from_json(value["cause"])
    match value["kind"]:
        case "accept-spec":
            return AcceptSpec(cause, _misplaced(value.get("misplaced")))
        case "sweep-slice":
            index, of = number(value["index"]), number(value["of"])
            if not 0 <= index < of <= 1000:
                raise CodecError(f"slice {index} of {of}")
            return SweepAll(cause)
        case "sweep-identities":
            return SweepIdentities(cause, _account(value["account"]))
        case "sweep-repositories":
            return SweepRepositories(cause, _account(value["account"]), _region(value["region"]))
        case "reconcile-target":
            return ReconcileTarget(cause, parse_target(value["target"]))
        case "report-own-change" | "tell-own-change":  # the second by 0.1.0
            return ReportOwnChange(cause, text(value["account"]), text(value["thing"]))
        case kind:
            raise CodecError(f"unknown kind {kind!r:.40}")


def _account(value: object) -> str:
    found = text(value)
    if not ACCOUNT_ID.fullmatch(found):
        raise CodecError(f"no account: {found!r:.40}")
    return found


def _region(value: object) -> str:
    found = text(value)
    if not REGION.fullmatch(found):
        raise CodecError(f"no region: {found!r:.40}")
    return found


def _misplaced(value: Json | None) -> Misplaced | None:
    return None if value is None else Misplaced(text(value["key"]), text(value["version"]))


def cause_to_json(cause: Cause) -> Json:
    """Fields that are empty are left out."""
    rows = {
        "kind": cause.kind,
        "id": cause.id,
        "action": cause.action,
        "at": cause.at,
        "error": cause.error,
        "root": cause.root,
    }
    result: Json = {key: value for key, value in rows.items() if value}
    if cause.actor:
        result["actor"] = actor_to_json(cause.actor)
    return result


def actor_to_json(actor: Actor) -> Json:
    """Who made a call; fields that are empty are left out, but for the type."""
    given = {key: getattr(actor, name) for key, name in _ACTOR_KEYS.items()}
    # An event may leave out even the type of its caller.
    return {key: entry for key, entry in given.items() if entry or key == "type"}


def actor_from_json(value: Json) -> Actor:
    """The inverse of actor_to_json.

    Also reads the field's own names: jobs in flight, and what was journalled, before the keys were as all others are.
    """
    return Actor(**{_ACTOR_KEYS.get(key, key): text(given) for key, given in value.items()})


def cause_from_json(value: Json) -> Cause:
    actor = value.get("actor")
    return Cause(
        kind=CauseKind(value["kind"]),
        id=text(value["id"]),
        action=text(value.get("action", "")),
        at=text(value.get("at", "")),
        error=text(value.get("error", "")),
        root=text(value.get("root", "")),
        actor=actor_from_json(actor) if actor is not None else None,
    )


job_from_json = reading("job", _job)


def job_from_text(body: str) -> Job:
    """The job that is the body of a message; raises CodecError."""
    try:
        return job_from_json(loads(body))
    except CodecError as error:
        remedy = "a newer version wrote it, or somebody else did: see Dead letters in docs/deploy.md"
        raise CodecError(error.message, remedy=remedy) from error
