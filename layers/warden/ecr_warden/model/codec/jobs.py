"""Jobs, their causes and actors, and pauses."""

from typing import Any

from ecr_warden.model.codec.base import CodecError, Json, check_schema, loads, read, reader, reading, to_json
from ecr_warden.model.job import SCHEMA, Actor, Job, SweepAll
from ecr_warden.model.pause import PatternPause, Pause

# What 0.1.0 wrote for a sweep: one slice, and the only one. Still written, for versions that know no other form.
_WHOLE = {"index": 0, "of": 1}


def job_to_json(job: Job) -> Json:
    """`{"schema", "kind", "cause", ...}`: the body of a message on the jobs queue."""
    return {"schema": SCHEMA, **to_json(job), **(_WHOLE if isinstance(job, SweepAll) else {})}


def with_present_job(value: Json) -> Json:
    """Reads the name that 0.1.0 gave ReportOwnChange."""
    return value | {"kind": "report-own-change"} if value.get("kind") == "tell-own-change" else value


def with_present_actor(*path: str) -> Any:
    """Reads an actor at this path as 0.1.0 wrote it, with keys in snake case."""

    def upgraded(value: Json, keys: tuple[str, ...] = path) -> Json:
        if not keys:
            return {_PRESENT.get(key, key): entry for key, entry in value.items()}
        inner = value.get(keys[0])
        return value if inner is None else value | {keys[0]: upgraded(inner, keys[1:])}

    return upgraded


_PRESENT = dict(zip(Actor.__struct_fields__, Actor.__struct_encode_fields__, strict=True))
with_present_cause = with_present_actor("cause", "actor")


def _job(value: Json) -> Job:
    check_schema(value, SCHEMA)
    if value["kind"] == "sweep-slice" and not 0 <= read(value["index"], int) < read(value["of"], int) <= 1000:
        raise CodecError(f"slice {value['index']} of {value['of']}")
    job: Job = read(with_present_job(with_present_cause(value)), Job)
    return job


job_from_json = reading("job", _job)
pause_from_json = reader("pause", Pause, with_present_actor("by"))
pattern_pause_from_json = reader("pause of patterns", PatternPause)


def job_from_text(body: str) -> Job:
    """The job in the body of a message; raises CodecError."""
    try:
        return job_from_json(loads(body))
    except CodecError as error:
        remedy = "a newer version or somebody else wrote it: see Dead letters in docs/deploy.md"
        raise CodecError(error.message, remedy=remedy) from error
