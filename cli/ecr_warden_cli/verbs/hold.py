"""`held`, `accept` and `reject`: what waits for a person, and the person's decision."""

import argparse
import gzip
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from typing import Any

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden.core.codec.base import to_json
from ecr_warden.hub.reply import CommandReply, HeldReply, VersionsReply
from ecr_warden.hub.request import AskHeld, AskVersions
from ecr_warden.state.commands import Accept, Decide, Reject
from ecr_warden.state.hold import OPEN, Hold, HoldState
from ecr_warden.versions.access_changes import access_changes
from ecr_warden.versions.access_lines import lines_of
from ecr_warden_cli.editing.diff_text import names_of
from ecr_warden_cli.hub.client import HUB_ARGUMENTS, WAIT, HubClient, expect, looks, new_id, speak
from ecr_warden_cli.hub.versions import note_other_file
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Context, Verb, argument
from ecr_warden_cli.terminal.inputs import matching
from iam_access.text.printable import and_more, show_time

_hold_id = matching("[0-9a-f]{4,12}", "is not the ID of a hold, or 4 or more digits of it: ecr-warden held lists them")
_BOTH = 2


def _held(arguments: argparse.Namespace, context: Context) -> Exit:
    """List what waits, or show one hold."""
    console, reply = context.console, _ask(speak(arguments, context), arguments.hold or "")
    waits = any(hold.state is HoldState.WAITING for hold in reply.holds)
    if arguments.json:
        console.answer({"holds": list(map(_json_of, reply.holds)), "leftOut": reply.left_out})
        return Exit.DIFFERENT if waits else Exit.FINE
    for hold in reply.holds:
        _show(hold, console)
    if reply.left_out:
        console.line(and_more(reply.left_out, "hold"), Style.ODD)
    if not reply.holds:
        console.line("nothing is held", Style.GOOD)
    return Exit.DIFFERENT if waits else Exit.FINE


def _ask(client: HubClient, hold_id: str = "") -> HeldReply:
    return expect(HeldReply, client.ask(AskHeld(hold_id)))


def _json_of(hold: Hold) -> dict[str, Any]:
    return {"id": hold.id, **to_json(hold)}


def _show(hold: Hold, console: Console) -> None:
    console.line(f"{hold.id}  {hold.what}: {_standing(hold)}", Style.HEADING)
    console.lines(_lines(hold))


def _standing(hold: Hold) -> str:
    decided = f", {hold.decision}" if hold.decision is not None else ""
    if hold.state is HoldState.WAITING:
        return f"waits until {show_time(hold.until)}{decided}"
    if hold.state is HoldState.BEGUN:
        return f"takes effect{decided}"
    if hold.state is HoldState.JUDGING:
        return f"is being judged since {show_time(hold.since)}{decided}"
    if hold.decision is not None and hold.state in (HoldState.ACCEPTED, HoldState.REJECTED):
        return str(hold.decision)
    instead = f"; replaced by {hold.instead}" if hold.instead else ""
    return f"{hold.state}{decided}{instead}"


def _lines(hold: Hold) -> Iterator[str]:
    yield from (f"  because {reason.reason} ({reason.code})" for reason in hold.why)
    for title, entries, left_out in (
        ("who gains", hold.gains, hold.left_out[0]),
        ("who loses", hold.loses, hold.left_out[1]),
    ):
        if entries or left_out:
            yield f"  {title}:"
            yield from (f"    {entry}" for entry in entries)
        if left_out:
            yield f"    {and_more(left_out)}"


def accept_here(hold_id: str, arguments: argparse.Namespace, context: Context) -> Exit:
    """Show what waits, and accept it if a person at the terminal says yes; `arguments`: of a verb without --json."""
    return _decide(Accept, argparse.Namespace(**vars(arguments) | {"hold": hold_id, "yes": False}), context)


def _decide(kind: type[Decide], arguments: argparse.Namespace, context: Context) -> Exit:
    console, client, verb = context.console, speak(arguments, context), kind.__struct_config__.tag
    [hold] = _ask(client, arguments.hold).holds
    command = kind(new_id(), hold.id)
    if not arguments.json:
        _show(hold, console)
        if isinstance(command, Accept):
            _show_baseline(client, console)
    if not (arguments.yes or is_confirmed(f"{verb} {hold.id}?", context)):
        if arguments.json:
            console.answer({"hold": _json_of(hold), "decided": False})
        console.note(f"nothing was decided: answer yes at a terminal, or: ecr-warden {verb} {hold.id} --yes")
        return Exit.DIFFERENT
    reply = client.command(command)
    after = _wait_for(client, hold, context, arguments.wait)
    if arguments.json:
        console.answer({"hold": _json_of(after), "decided": True, "id": reply.id, "caller": reply.caller})
    else:
        console.line(_effect(after, reply), Style.ODD if _is_undone(after, command) else Style.GOOD)
    if after.state not in OPEN:
        note_other_file(client, context)
    return Exit.DIFFERENT if _is_undone(after, command) else Exit.FINE


def _show_baseline(client: HubClient, console: Console) -> None:
    """The lines on what changed by itself since the baseline: all of it is accepted too."""
    reply = expect(VersionsReply, client.ask(AskVersions()))
    texts = [version.text for version in (reply.baseline, reply.accepted) if version is not None and version.text]
    if len(texts) < _BOTH:
        console.line("  there is no baseline to compare the accepted version with" if not reply.lost else reply.lost)
        return
    loaded = [load_spec(gzip.decompress(b64decode(text)), accepted=True) for text in texts]
    (old, before), (new, after) = (
        (one.spec, one.compiled) if isinstance(one, Valid) else (None, None) for one in loaded
    )
    changes = access_changes(before, after).changes if after is not None else ()
    console.line(
        "  changed by itself since the baseline:" if changes else "  nothing changed by itself since the baseline"
    )
    console.lines(f"    {line.text()}" for line in lines_of(changes, names_of(old, new)))


def is_confirmed(question: str, context: Context) -> bool:
    """Whether a person at a terminal answers yes."""
    if not context.stdin.isatty():
        return False
    context.console.note(f"{question} Type yes to do it:")
    return context.stdin.readline(100).strip() == b"yes"


def _wait_for(client: HubClient, hold: Hold, context: Context, seconds: float) -> Hold:
    """The hold once the hub has acted on the decision, or as it is when the time is up."""
    with context.console.doing("the hub acts on it"):
        for _ in looks(context.sleep, seconds):
            [hold] = _ask(client, hold.id).holds
            if hold.state not in OPEN:
                break
    return hold


def _is_undone(hold: Hold, command: Decide) -> bool:
    return hold.state is not (HoldState.ACCEPTED if isinstance(command, Accept) else HoldState.REJECTED)


def _effect(hold: Hold, reply: CommandReply) -> str:
    if hold.state in OPEN:
        return f"recorded as decided by {reply.caller}; the hub has not acted on it yet: ecr-warden held {hold.id}"
    next_step = "; to upload it again, change it first" if hold.state is HoldState.REJECTED else ""
    return f"{hold.what}: {_standing(hold)}{next_step}"


_DECISION = (
    argument(
        "hold",
        metavar="ID",
        type=_hold_id,
        help="what is decided on, or the first digits of it: ecr-warden held lists it",
    ),
    argument("--yes", action="store_true", help="do not ask: for scripts"),
    WAIT,
    *HUB_ARGUMENTS,
)


HELD = Verb(
    "ecr-warden held --hub-region eu-central-1",
    (
        argument(
            "hold",
            metavar="ID",
            nargs="?",
            type=_hold_id,
            help="one hold, also a decided one; of one that waits its first digits are enough; default: all",
        ),
        *HUB_ARGUMENTS,
    ),
    _held,
    "Lists what waits for a person: why, who gains and who loses by it, until when. accept and reject decide.",
)
ACCEPT = Verb(
    "ecr-warden accept 3f2a9c1b7d40",
    _DECISION,
    partial(_decide, Accept),
    "Shows what waits, and who gained and lost by what took effect by itself since a person last accepted a version; "
    "asks, and lets it take effect.",
)
REJECT = Verb(
    "ecr-warden reject 3f2a9c1b7d40",
    _DECISION,
    partial(_decide, Reject),
    "Shows what waits, asks, and keeps it from taking effect; before you upload it again, change it.",
)
