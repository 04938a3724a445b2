"""The hub's answers."""

from datetime import datetime
from typing import assert_never

from ecr_warden.errors import WardenError
from ecr_warden.model.codec.audit import audit_from_json, audit_to_json
from ecr_warden.model.codec.base import (
    Json,
    check_schema,
    entries,
    flag,
    moment,
    number,
    optional_text,
    reading,
    text,
    texts,
)
from ecr_warden.model.codec.entries import answer_from_json, answer_to_json, entry_from_json, entry_to_json
from ecr_warden.model.codec.pauses import pause_from_json, pause_to_json
from ecr_warden.model.codec.plans import drift_from_json, drift_to_json, plan_from_json, plan_to_json
from ecr_warden.model.codec.runs import open_run_from_json, open_run_to_json, report_to_json, run_report_from_json
from ecr_warden.model.desired import Mode
from ecr_warden.model.reply import (
    Access,
    CallReply,
    CommandReply,
    Grant,
    GrantsReply,
    HistoryReply,
    PlanReply,
    Reply,
    RunReply,
    ScopeGap,
    ScopeUnread,
    StatusReply,
    TargetStatus,
    Trouble,
    Verified,
    VerifyReply,
)
from ecr_warden.model.run import LastSeen, OpenRun, Result

SCHEMA = 1


def reply_to_json(reply: Reply) -> Json:
    """`{"schema", "kind", ...}`."""
    return {"schema": SCHEMA, **_to_json(reply)}


def _to_json(reply: Reply) -> Json:
    match reply:
        case StatusReply():
            return {
                "kind": "status",
                "specVersion": reply.version,
                "mode": reply.mode,
                "stopped": reply.stopped,
                "targets": [_status_to_json(status) for status in reply.targets],
                "unread": list(reply.unread),
                "troubles": [
                    {"code": one.code, "message": one.message, "remedy": one.remedy} for one in reply.troubles
                ],
            }
        case PlanReply():
            return {
                "kind": "plan",
                "specVersion": reply.version,
                "mode": reply.mode,
                "targets": reply.targets,
                "plans": [plan_to_json(plan) for plan in reply.plans],
                "omitted": reply.omitted,
                "unread": list(reply.unread),
                "left": [{"target": target, "why": why} for target, why in reply.left],
                "madeAgain": list(reply.made_again),
                "writeScope": [write_scope_to_json(one) for one in reply.write_scope],
            }
        case VerifyReply():
            return {
                "kind": "verify",
                "specVersion": reply.version,
                "targets": [
                    {"target": one.target, "drifts": [drift_to_json(drift) for drift in one.drifts]}
                    for one in reply.targets
                ],
                "omitted": reply.omitted,
                "unread": list(reply.unread),
            }
        case GrantsReply():
            return {
                "kind": "grants",
                "specVersion": reply.version,
                "grants": [_grant_to_json(grant) for grant in reply.grants],
                "literals": list(reply.literals),
            }
        case HistoryReply():
            return {
                "kind": "history",
                "since": reply.since.isoformat(),
                "until": reply.until.isoformat(),
                "runs": [entry_to_json(entry) for entry in reply.entries],
                "audit": [audit_to_json(entry) for entry in reply.audit],
                "omitted": reply.omitted,
            }
        case RunReply(run):
            known = open_run_to_json(run) if isinstance(run, OpenRun) else report_to_json(run)
            return {"kind": "run", "run": known, "open": isinstance(run, OpenRun)}
        case CallReply(answers):
            return {"kind": "call", "answers": [answer_to_json(answer) for answer in answers]}
        case CommandReply():
            return {
                "kind": "command",
                "id": reply.id,
                "caller": reply.caller,
                "mode": reply.mode,
                "targets": list(reply.targets),
                "enqueued": reply.enqueued,
            }
        case _:
            assert_never(reply)


def write_scope_to_json(scope: ScopeGap | ScopeUnread) -> Json:
    """`memberStack` is null where it could not be read, with the reason under `error`."""
    match scope:
        case ScopeUnread(account, error):
            return {"account": account, "memberStack": None, "error": error}
        case ScopeGap():
            return {
                "account": scope.account,
                "memberStack": scope.has_stack,
                "uncovered": list(scope.uncovered),
                "parameters": dict(scope.parameters),
                "withoutRoom": list(scope.without_room),
            }
        case _:
            assert_never(scope)


def _status_to_json(status: TargetStatus) -> Json:
    last = status.last
    return {
        "target": status.target,
        "lookedAt": last.at.isoformat() if last else None,
        "lastRun": last.run_id if last else "",
        "lastResult": last.result if last else None,
        "pause": pause_to_json(status.pause) if status.pause else None,
        "openRun": status.open_run,
        "trouble": status.trouble,
        "due": status.due,
    }


def _reply(value: Json) -> Reply:
    check_schema(value, SCHEMA)
    match value["kind"]:
        case "status":
            return StatusReply(
                version=text(value["specVersion"]),
                mode=Mode(value["mode"]),
                stopped=optional_text(value["stopped"]),
                targets=tuple(map(_status, entries(value["targets"]))),
                unread=texts(value["unread"]),
                troubles=tuple(map(_trouble, entries(value["troubles"]))),
            )
        case "plan":
            return PlanReply(
                version=text(value["specVersion"]),
                mode=Mode(value["mode"]),
                targets=number(value["targets"]),
                plans=tuple(map(plan_from_json, entries(value["plans"]))),
                omitted=number(value["omitted"]),
                unread=texts(value["unread"]),
                left=tuple((text(each["target"]), text(each["why"])) for each in entries(value["left"])),
                made_again=texts(value["madeAgain"]),
                # A hub of the version before sends none.
                write_scope=tuple(map(_write_scope, entries(value.get("writeScope", [])))),
            )
        case "verify":
            return VerifyReply(
                version=text(value["specVersion"]),
                targets=tuple(map(_verified, entries(value["targets"]))),
                omitted=number(value["omitted"]),
                unread=texts(value["unread"]),
            )
        case "grants":
            return GrantsReply(
                version=text(value["specVersion"]),
                grants=tuple(map(_grant, entries(value["grants"]))),
                literals=texts(value["literals"]),
            )
        case "history":
            return HistoryReply(
                entries=tuple(map(entry_from_json, entries(value["runs"]))),
                since=moment(value["since"]),
                until=moment(value["until"]),
                audit=tuple(map(audit_from_json, entries(value["audit"]))),
                omitted=number(value["omitted"]),
            )
        case "run":
            read = open_run_from_json if flag(value["open"]) else run_report_from_json
            return RunReply(read(value["run"]))
        case "call":
            return CallReply(tuple(map(answer_from_json, entries(value["answers"]))))
        case "command":
            return CommandReply(
                id=text(value["id"]),
                caller=text(value["caller"]),
                mode=Mode(value["mode"]),
                targets=texts(value["targets"]),
                enqueued=flag(value["enqueued"]),
            )
        case kind:
            raise ValueError(f"unknown kind {kind!r:.40}")


def _status(value: Json) -> TargetStatus:
    pause = value["pause"]
    return TargetStatus(
        target=text(value["target"]),
        last=_last(value),
        pause=None if pause is None else pause_from_json(pause),
        open_run=optional_text(value["openRun"]),
        trouble=flag(value["trouble"]),
        due=flag(value["due"]),
    )


def _trouble(value: Json) -> Trouble:
    return Trouble(text(value["code"]), text(value["message"]), text(value["remedy"]))


def _grant_to_json(grant: Grant) -> Json:
    return {
        "access": grant.access,
        "repository": grant.repository,
        "who": grant.who,
        "through": grant.through,
        "until": grant.until.isoformat() if grant.until else None,
        "excluded": list(grant.excluded),
    }


def _grant(value: Json) -> Grant:
    until = value["until"]
    return Grant(
        access=Access(value["access"]),
        repository=text(value["repository"]),
        who=text(value["who"]),
        through=text(value["through"]),
        until=None if until is None else moment(until),
        excluded=texts(value["excluded"]),
    )


def _last(value: Json) -> LastSeen | None:
    if value["lookedAt"] is None:
        return None
    at: datetime = moment(value["lookedAt"])
    result = value["lastResult"]
    return LastSeen(at, text(value["lastRun"]), None if result is None else Result(result))


def _write_scope(value: Json) -> ScopeGap | ScopeUnread:
    if value["memberStack"] is None:
        return ScopeUnread(text(value["account"]), text(value["error"]))
    return ScopeGap(
        account=text(value["account"]),
        has_stack=flag(value["memberStack"]),
        uncovered=texts(value["uncovered"]),
        parameters={name: text(given) for name, given in value["parameters"].items()},
        without_room=texts(value["withoutRoom"]),
    )


def _verified(value: Json) -> Verified:
    return Verified(text(value["target"]), tuple(map(drift_from_json, entries(value["drifts"]))))


reply_from_json = reading("reply", _reply)


def error_to_json(error: WardenError) -> Json:
    """`{"schema", "kind": "error", "error": {"code", "message", "remedy"}}`."""
    told = {"code": error.code, "message": error.message, "remedy": error.remedy}
    return {"schema": SCHEMA, "kind": "error", "error": told}
