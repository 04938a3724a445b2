"""Jobs, their causes and actors."""

from ecr_warden.core.codec.base import CodecError, Json, check_schema, loads, read, reading, to_json
from ecr_warden.core.job import SCHEMA, Job


def job_to_json(job: Job) -> Json:
    """`{"schema", "kind", "cause", ...}`: the body of a message on the jobs queue."""
    return {"schema": SCHEMA, **to_json(job)}


def _job(value: Json) -> Job:
    check_schema(value, SCHEMA)
    job: Job = read(value, Job)
    return job


job_from_json = reading("job", _job)


def job_from_text(body: str) -> Job:
    """The job in the body of a message; raises CodecError."""
    try:
        return job_from_json(loads(body))
    except CodecError as error:
        remedy = "a newer version or somebody else wrote it: see Dead letters in docs/deploy.md"
        raise CodecError(error.message, remedy=remedy) from error
