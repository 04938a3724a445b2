"""`event explain [FILE ...]`: what `dispatch` would do about each event, from the same decision."""

import argparse
import re
from collections.abc import Iterator
from typing import Any, assert_never

from ecr_warden.model.codec.jobs import actor_to_json
from ecr_warden.model.job import Actor, TellOwnChange
from ecr_warden.triggers.calls import WATCHED
from ecr_warden.triggers.decide import Decision, SpecPlace, decide
from ecr_warden.triggers.trigger import ApiCall, Ignored, SpecChanged, SweepDue, Trigger, TriggerError

from ecr_warden_cli.console import Exit, escape
from ecr_warden_cli.context import Context, Failure
from ecr_warden_cli.event_input import Broken, Found, read_events
from ecr_warden_cli.files import name_of, open_file, say_awaited

SUMMARY = "say what an event would set off: event explain [FILE ...]"
EXAMPLE = "ecr-warden event explain events.jsonl"
JSON_HELP = "accepted for evenness: the answers are JSON Lines in any case"

# Both names are fixed in template.yaml.
_SPEC_BUCKET = re.compile(r"ecr-warden-spec-[0-9]{12}-[a-z0-9-]+")
_PLACE = SpecPlace("access.yaml", lambda bucket: _SPEC_BUCKET.fullmatch(bucket) is not None)
_REMEDIES = {
    "json": "send one JSON object a line, or one JSON document a file",
    "size": "send one event a line",
    "unreadable": "name a file that can be read, or - for stdin",
    "trigger": "send EventBridge events or CloudTrail records as they came",
}
_SCHEDULE = Actor("AWSService", invoked_by="events.amazonaws.com")


class EventsUnreadable(Failure):
    """The file could not be read."""

    code = "unreadable"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="of_event", metavar="VERB", required=True)
    explain = verbs.add_parser(
        "explain",
        help="what each event would set off, a line of JSON each",
        description="What each event would set off, a line of JSON each, in order: trigger, targets and actor; or why\n"
        "it is ignored; or what is wrong with it.",
        epilog=f"example:\n  {EXAMPLE}\n  aws cloudtrail lookup-events | ecr-warden event explain",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    explain.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="EventBridge events or CloudTrail records, one a line, or CloudTrail's log files; - or none: stdin",
    )
    explain.set_defaults(prog=explain.prog)
    explain.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=JSON_HELP)


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    """One line for each event; an error is a line too and stops none of the rest."""
    code = Exit.FINE
    if not arguments.files:
        say_awaited(context.stdin, context.console, "events")
    for file in arguments.files or ["-"]:
        for item in _read(file, context):
            line = explain(item)
            if "error" in line:
                code = Exit.ERROR
            context.console.record(line)
    return code


def explain(item: Found | Broken) -> dict[str, Any]:
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
        case Decision(trigger, targets, jobs):
            tells = [job.thing for job in jobs if isinstance(job, TellOwnChange)]
            return {
                "trigger": trigger_to_json(trigger),
                "targets": [str(target) for target in targets],
                "actor": actor_to_json(_SCHEDULE if isinstance(trigger, SweepDue) else trigger.actor),
                **({"tells": tells} if tells else {}),
            }
        case _:
            assert_never(decision)


def trigger_to_json(trigger: Trigger) -> dict[str, Any]:
    """`{"kind", "id", "at", ...}`; of a call also why it is watched."""
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
        case SpecChanged():
            place = {"bucket": trigger.bucket, "key": trigger.key, "versionId": trigger.version_id}
            kind = "spec-deleted" if trigger.deleted else "spec-misplaced" if trigger.misplaced else "spec-changed"
            return {"kind": kind, **head, **place}
        case SweepDue():
            return {"kind": "sweep-due", **head}
        case _:
            assert_never(trigger)


def _read(file: str, context: Context) -> Iterator[Found | Broken]:
    try:
        with open_file(file, context.stdin, failure=EventsUnreadable, remedy=_REMEDIES["unreadable"]) as stream:
            yield from read_events(stream, name_of(file))
    except EventsUnreadable as error:
        yield Broken(name_of(file), "unreadable", escape(error.message))


def _error(code: str, message: str, remedy: str, at: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "remedy": remedy, "at": at}}
