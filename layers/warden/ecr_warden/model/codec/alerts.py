"""What is announced on the outcomes bus."""

from typing import assert_never

from ecr_warden.model.alert import (
    Alert,
    JobFailed,
    OwnChanged,
    SpecAccepted,
    SpecRefused,
    TargetsPaused,
    TargetsResumed,
    Unlisted,
)
from ecr_warden.model.codec.base import (
    CodecError,
    Json,
    check_schema,
    entries,
    moment,
    number,
    optional_text,
    reading,
    text,
    texts,
)
from ecr_warden.model.codec.jobs import cause_from_json, cause_to_json, job_from_json, job_to_json
from ecr_warden.model.codec.runs import report_from_json, report_to_json
from ecr_warden.model.job import SCHEMA
from ecr_warden.model.run import RunReport


def alert_to_json(alert: Alert) -> Json:
    """The detail of an event on the outcomes bus.

    `kind` is run, spec-refused, spec-accepted, unlisted, own-changed, paused, resumed or job-failed.
    """
    if isinstance(alert, RunReport):
        return report_to_json(alert)
    kind, told = _kind_and_told(alert)
    return {"schema": SCHEMA, "kind": kind, "cause": cause_to_json(alert.cause), **told}


def _kind_and_told(
    alert: SpecRefused | SpecAccepted | Unlisted | OwnChanged | TargetsPaused | TargetsResumed | JobFailed,
) -> tuple[str, Json]:
    match alert:
        case SpecRefused():
            return "spec-refused", {
                "version": alert.version,
                "enforced": alert.enforced,
                "problems": list(alert.problems),
                "leftOut": alert.left_out,
            }
        case SpecAccepted():
            return "spec-accepted", {
                "version": alert.version,
                "replaces": alert.replaces,
                "changed": list(alert.changed),
                "released": list(alert.released),
                "warnings": list(alert.warnings),
                "leftOut": list(alert.left_out),
            }
        case Unlisted():
            return "unlisted", {
                "version": alert.version,
                "problems": list(alert.problems),
                "codes": list(alert.codes),
                "leftOut": alert.left_out,
            }
        case OwnChanged():
            return "own-changed", {"account": alert.account, "thing": alert.thing}
        case TargetsPaused():
            return "paused", {
                "targets": list(alert.targets),
                "reason": alert.reason,
                "until": alert.until.isoformat(),
                "leftOut": alert.left_out,
            }
        case TargetsResumed():
            return "resumed", {"targets": list(alert.targets), "leftOut": alert.left_out}
        case JobFailed():
            return "job-failed", {"job": job_to_json(alert.job) if alert.job else None, "error": alert.error}
        case _:
            assert_never(alert)


def _alert(value: Json) -> Alert:
    check_schema(value, SCHEMA)
    match value["kind"]:
        case "run":
            return report_from_json(value)
        case "spec-refused":
            return SpecRefused(
                cause=cause_from_json(value["cause"]),
                version=text(value["version"]),
                enforced=optional_text(value["enforced"]),
                problems=texts(value["problems"]),
                left_out=number(value.get("leftOut", 0)),
            )
        case "spec-accepted":
            return SpecAccepted(
                cause=cause_from_json(value["cause"]),
                version=text(value["version"]),
                replaces=optional_text(value["replaces"]),
                changed=texts(value["changed"]),
                released=texts(value["released"]),
                warnings=texts(value["warnings"]),
                left_out=_three(value.get("leftOut", [0, 0, 0])),
            )
        case "unlisted":
            return Unlisted(
                cause=cause_from_json(value["cause"]),
                version=text(value["version"]),
                problems=texts(value["problems"]),
                codes=texts(value["codes"]),
                left_out=number(value.get("leftOut", 0)),
            )
        case "own-changed":
            return OwnChanged(cause_from_json(value["cause"]), text(value["account"]), text(value["thing"]))
        case "paused":
            return TargetsPaused(
                cause=cause_from_json(value["cause"]),
                targets=texts(value["targets"]),
                reason=text(value["reason"]),
                until=moment(value["until"]),
                left_out=number(value.get("leftOut", 0)),
            )
        case "resumed":
            left_out = number(value.get("leftOut", 0))
            return TargetsResumed(cause_from_json(value["cause"]), texts(value["targets"]), left_out)
        case "job-failed":
            job = value["job"]
            return JobFailed(
                cause_from_json(value["cause"]), None if job is None else job_from_json(job), text(value["error"])
            )
        case kind:
            raise CodecError(f"unknown kind {kind!r:.40}")


def _three(value: object) -> tuple[int, int, int]:
    changed, released, warnings = map(number, entries(value))
    return changed, released, warnings


alert_from_json = reading("announcement", _alert)
