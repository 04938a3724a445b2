"""`incidents`, `ack` and `test-alert`: what people were alerted of, who works on it, and whether they hear of it."""

import argparse
from collections.abc import Iterator
from datetime import datetime, timedelta

from ecr_warden.core.lasting import duration
from ecr_warden.core.result import Severity
from ecr_warden.hub.reply import MESSAGES_WAIT, IncidentFact, IncidentsReply, IncidentStatus, StatusReply
from ecr_warden.hub.request import AskIncidents, AskStatus
from ecr_warden.notify.incident import IncidentState
from ecr_warden.notify.kinds.pauses import tested_title
from ecr_warden.state.commands import Acknowledge, TryChannels
from ecr_warden_cli.hub.client import HUB_ARGUMENTS, REASON, expect, json_of, looks, new_id, speak
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Context, UsageError, Verb, argument
from ecr_warden_cli.terminal.dates import PAST, past, shifted
from ecr_warden_cli.terminal.inputs import matching
from iam_access.text.printable import and_more, count, show_time

_DAYS = 7
_CLOCKS_APART = timedelta(minutes=5)
_LEFT_WITHIN = 120
"""Seconds: it is gathered as any other for twenty, and where the function fails it is tried again after as many."""
_incident_id = matching(
    "[0-9a-f]{4,8}", "is not the ID of an incident, or 4 or more digits of it: ecr-warden incidents lists them"
)


def _incidents(arguments: argparse.Namespace, context: Context) -> Exit:
    """List incidents, or show one in full."""
    console, now = context.console, context.clock.now()
    if arguments.incident and (arguments.open or arguments.since):
        raise UsageError("--open or --from with one incident", remedy="leave them out")
    if arguments.incident:
        asked = AskIncidents(arguments.incident)
    elif arguments.open:
        asked = AskIncidents()
    else:
        asked = AskIncidents(since=arguments.since(now) if arguments.since else shifted(now, timedelta(days=-_DAYS)))
    reply = expect(IncidentsReply, speak(arguments, context).ask(asked))
    if arguments.json:
        console.answer(json_of(reply))
    else:
        _show(reply, console, now, whole=bool(arguments.incident))
    return Exit.DIFFERENT if any(not _is_past(one) for one in reply.incidents) else Exit.FINE


def _show(reply: IncidentsReply, console: Console, now: datetime, *, whole: bool) -> None:
    for incident in reply.incidents:
        style = Style.BAD if incident.severity is Severity.CRITICAL else Style.HEADING
        console.line(_headline(incident, now), None if _is_past(incident) else style)
        console.lines(_lines(incident))
        if whole:
            console.lines(map(_fact_line, incident.facts))
            if incident.left_out:
                console.line(f"  {and_more(incident.left_out)}", Style.ODD)
    if reply.left_out:
        console.line(f"{and_more(reply.left_out, 'incident')}; see them with a later --from, or --open", Style.ODD)
    if not reply.incidents:
        console.line("no incident", Style.GOOD)


def _is_past(incident: IncidentStatus) -> bool:
    """Whether nothing of it is known to last."""
    return incident.state in (IncidentState.OVER, IncidentState.REPORTED)


def _headline(incident: IncidentStatus, now: datetime) -> str:
    lasted = duration(round(((incident.ended or now) - incident.since).total_seconds()))
    match incident.state:
        case IncidentState.OVER:
            stands = f"over after {lasted}"
        case IncidentState.REPORTED:
            stands = f"reported {lasted} ago"
        case _:
            stands = f"open for {lasted}"
    return f"{incident.id}  {incident.severity.upper()} {stands}: {incident.title}"


def _lines(incident: IncidentStatus) -> Iterator[str]:
    by = f"by {incident.by}, " if incident.by else ""
    things = f", {count(incident.things, 'thing')}" if incident.things > 1 else ""
    said = count(incident.messages, "message") if incident.messages else "about to be said"
    yield f"  {by}since {show_time(incident.since)}{things}, {said}"
    if (by_whom := incident.acknowledged) is not None:
        yield f"  {by_whom.by} works on it since {show_time(by_whom.at)}: {by_whom.reason}"
    if incident.to_do:
        yield f"  To do: {incident.to_do}"
    if incident.command:
        yield f"  {incident.command}"


def _fact_line(fact: IncidentFact) -> str:
    stands = "open" if fact.lasts else "reported"
    end = stands if fact.closed is None else f"{'until' if fact.lasts else 'over at'} {show_time(fact.closed)}"
    return f"  {show_time(fact.opened)}  {fact.severity.upper()} {end}: {fact.title}"


def _acknowledge(arguments: argparse.Namespace, context: Context) -> Exit:
    """Acknowledge an incident, and say what that does."""
    console, client = context.console, speak(arguments, context)
    [incident] = expect(IncidentsReply, client.ask(AskIncidents(arguments.incident))).incidents
    reply = client.command(Acknowledge(new_id(), incident.id, arguments.reason))
    if arguments.json:
        console.answer({"id": reply.id, "caller": reply.caller, "incident": incident.id, "reason": arguments.reason})
        return Exit.FINE
    console.line(_headline(incident, context.clock.now()))
    console.line(
        f"recorded as worked on by {reply.caller}: nobody is reminded of it unless it grows or comes again", Style.GOOD
    )
    return Exit.FINE


def _test(arguments: argparse.Namespace, context: Context) -> Exit:
    """Have a message sent, wait until it has left, and say for which channels it waits."""
    console, client, began = context.console, speak(arguments, context), shifted(context.clock.now(), -_CLOCKS_APART)
    reply = client.command(TryChannels(new_id()))
    incident, waits = None, list[str]()
    with console.doing("waiting until it has left"):
        for _ in looks(context.sleep, _LEFT_WITHIN):
            known = expect(IncidentsReply, client.ask(AskIncidents(since=began))).incidents
            incident = next((one for one in known if one.title == tested_title(reply.id) and one.messages), None)
            if incident is not None:
                troubles = expect(StatusReply, client.ask(AskStatus())).troubles
                waits = [trouble.message for trouble in troubles if trouble.code == MESSAGES_WAIT]
                break
    if arguments.json:
        left = None if incident is None else incident.id
        console.answer({"id": reply.id, "caller": reply.caller, "incident": left, "waiting": waits})
    elif incident is None:
        console.error(f"no message has left within {_LEFT_WITHIN} s: see the log group /aws/lambda/ecr-warden-alert")
    else:
        console.line(f"sent by every channel, as incident {incident.id}: {incident.title}")
        console.lines((f"  but {waiting}" for waiting in waits), Style.BAD)
        console.line("see that it came: what a channel took, and lost, nobody here knows")
    if incident is None:
        return Exit.ERROR
    return Exit.DIFFERENT if waits else Exit.FINE


INCIDENTS = Verb(
    "ecr-warden incidents --open --hub-region eu-central-1",
    (
        argument(
            "incident",
            metavar="ID",
            nargs="?",
            type=_incident_id,
            help="one incident, by its ID from a message or 4 or more digits of it, with all that it is about; "
            "default: all",
        ),
        argument("--open", action="store_true", help="only what lasts"),
        argument(
            "--from",
            metavar="TIME",
            dest="since",
            type=past,
            help=f"of what is over, when it began at the earliest: {PAST}; default: {_DAYS} days; a year is kept",
        ),
        *HUB_ARGUMENTS,
    ),
    _incidents,
    "Lists what people were alerted of and lasts, the gravest first, with who works on it and what is to do; then what "
    "is over, the newest first.",
)
ACK = Verb(
    "ecr-warden ack 3f2a9c1b --reason 'looking into it, ticket 4711'",
    (
        argument(
            "incident",
            metavar="ID",
            type=_incident_id,
            help="the incident, by its ID from a message or 4 or more digits of it",
        ),
        REASON,
        *HUB_ARGUMENTS,
    ),
    _acknowledge,
    "Says that you work on an incident. Nobody is reminded of it then, unless it grows or comes again. It repairs and "
    "decides nothing.",
)
TEST_ALERT = Verb(
    "ecr-warden test-alert --hub-region eu-central-1",
    HUB_ARGUMENTS,
    _test,
    "Sends a message that means nothing by each channel, as any incident is said: by e-mail, chat and PagerDuty, where "
    "it opens an alert, and on the bus. Waits until it has left, and says for which channels messages wait.",
)
