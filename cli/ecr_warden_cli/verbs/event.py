"""`dev event [FILE ...]`: what `dispatch` would do about each event, by the same code."""

import argparse
import re
from collections.abc import Iterator
from typing import Any, assert_never

from ecr_warden.core.codec.base import to_json
from ecr_warden.core.job import (
    Actor,
    Job,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.events.calls import WATCHED
from ecr_warden.events.decide import EventDecision, SpecPlace, decide
from ecr_warden.events.trigger import (
    ApiCall,
    BlindingCall,
    HeartbeatSent,
    Ignored,
    SpecChanged,
    SweepDue,
    Trigger,
    TriggerError,
)
from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context, Failure, Verb
from ecr_warden_cli.event_input import Broken, PlacedValue, read_events
from ecr_warden_cli.inputs import name_of, open_file, say_awaited
from iam_access.text.printable import escape

# Both names are fixed in template.yaml.
_SPEC_BUCKET = re.compile(r"ecr-warden-spec-[0-9]{12}-[a-z0-9-]+")
_PLACE = SpecPlace("access.yaml", lambda bucket: _SPEC_BUCKET.fullmatch(bucket) is not None)
_REMEDIES = {
    "json": "send one JSON object per line, or JSON documents",
    "size": "send it in parts",
    "unreadable": "name a readable file, or - for stdin",
    "trigger": "send EventBridge events or CloudTrail records unchanged",
}
_SCHEDULE = Actor("AWSService", invoked_by="events.amazonaws.com")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="EventBridge events or CloudTrail records, one per line, or CloudTrail's log files; - or none: stdin",
    )


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """One line per event; an error is a line too, and the rest go on."""
    code = Exit.FINE
    if not arguments.files:
        say_awaited(context.stdin, context.console, "events")
    for file in arguments.files or ["-"]:
        for item in _read(file, context):
            line = _explain(item)
            if "error" in line:
                code = Exit.ERROR
            context.console.record(line)
    return code


def _explain(item: PlacedValue | Broken) -> dict[str, Any]:
    """`{"trigger", "targets", "actor"}`, `{"ignored"}` or `{"error": {"code", "message", "remedy", "at"}}`."""
    if isinstance(item, Broken):
        return _error(item.code, item.message, _REMEDIES[item.code], item.place)
    try:
        decision = decide(item.value, _PLACE)
    except TriggerError as error:
        return _error(error.code, error.message, error.remedy or _REMEDIES["trigger"], item.place)
    match decision:
        case Ignored(why):
            return {"ignored": why}
        case EventDecision(trigger, targets, jobs):
            reports = [job.thing for job in jobs if isinstance(job, ReportOwnChange)]
            surveys = list(filter(None, map(_surveyed, jobs)))
            return {
                "trigger": _trigger_to_json(trigger),
                "targets": [str(target) for target in targets],
                "actor": to_json(_SCHEDULE if isinstance(trigger, SweepDue | HeartbeatSent) else trigger.actor),
                **({"reports": reports} if reports else {}),
                **({"surveys": surveys} if surveys else {}),
            }
        case _:
            assert_never(decision)


def _surveyed(job: Job) -> str:
    """What is read: `ACCOUNT`, `ACCOUNT/REGION` or a repository's target."""
    match job:
        case SurveyRegistry(account=account, region=region, repository=name) if name:
            return str(RepositoryTarget(account, region, name))
        case SurveyIdentities() | SurveyRegistry() | SweepIdentities() | SweepRepositories():
            return job.part
        case _:
            return ""


def _trigger_to_json(trigger: Trigger) -> dict[str, Any]:
    """`{"kind", "id", "at", ...}`; for a call also why it is watched."""
    head = {"id": trigger.event_id, "at": trigger.at}
    match trigger:
        case ApiCall():
            return {
                "kind": "api-call",
                **head,
                "action": trigger.action,
                "account": trigger.account,
                "region": trigger.region,
                "why": WATCHED[trigger.service][trigger.name].why,
            }
        case BlindingCall():
            place = {"account": trigger.account, "region": trigger.region}
            return {"kind": "api-call", **head, "action": trigger.action, **place, "why": trigger.effect}
        case SpecChanged():
            place = {"bucket": trigger.bucket, "key": trigger.key, "versionId": trigger.version_id}
            kind = "spec-deleted" if trigger.deleted else "spec-misplaced" if trigger.misplaced else "spec-changed"
            return {"kind": kind, **head, **place}
        case SweepDue():
            return {"kind": "sweep-due", **head}
        case HeartbeatSent():
            return {"kind": "heartbeat", **head, "account": trigger.account, "region": trigger.region}
        case _:
            assert_never(trigger)


def _read(file: str, context: Context) -> Iterator[PlacedValue | Broken]:
    try:
        with open_file(file, context.stdin, code="unreadable", remedy=_REMEDIES["unreadable"]) as stream:
            yield from read_events(stream, name_of(file))
    except Failure as error:
        yield Broken(name_of(file), "unreadable", escape(error.message))


def _error(code: str, message: str, remedy: str, at: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "remedy": remedy, "at": at}}


EXPLAIN = Verb(
    "ecr-warden dev event events/iam-UpdateAssumeRolePolicy.json\n"
    "  aws cloudtrail lookup-events | ecr-warden dev event",
    _add_arguments,
    _run,
    "Answers each event, in order, with one line of JSON: its trigger, targets and actor, or why it is ignored, or "
    "what is wrong with it.",
    "accepted for consistency; the answers are always JSON Lines",
)
