"""`stop` and `start`: all writes of the hub."""

import argparse
from contextlib import suppress
from functools import partial

from ecr_warden.hub.request import AskStatus
from ecr_warden.state.switch import Position
from ecr_warden_cli.hub.client import HUB_ARGUMENTS, HubClient, HubRefused, open_hub
from ecr_warden_cli.terminal.console import Exit, Style
from ecr_warden_cli.terminal.context import Context, Hub, SwitchMissing, Verb
from ecr_warden_cli.verbs.hold import is_confirmed

_SAID = {
    Position.STOPPED: "writes are stopped: drift is found and reported, and nothing is repaired until ecr-warden start",
    Position.ENABLED: "writes are on: everything is compared with the spec now, and what differs is repaired",
}
_DELETED = "somebody deleted the stop switch, so nobody can say whether it was stopped: are writes to go on?"


def _turn(wanted: Position, arguments: argparse.Namespace, context: Context) -> Exit:
    """Turn the stop switch; the hub hears of it from AWS."""
    hub, position = open_hub(arguments, context), wanted
    try:
        with context.console.doing("turning the stop switch"):
            hub.switch_writes(wanted)
    except SwitchMissing:
        position = _make(wanted, hub, context)
    if arguments.json:
        context.console.answer({"writes": position})
    else:
        context.console.line(_SAID[position], Style.ODD if position is Position.STOPPED else Style.GOOD)
    return Exit.FINE if position is wanted else Exit.DIFFERENT


def _make(wanted: Position, hub: Hub, context: Context) -> Position:
    """Make a switch that somebody deleted, stopped unless a person lets writes go on, and return what it says."""
    # Where no hub is, it would stop nothing.
    with suppress(HubRefused):
        HubClient(hub, context.console).ask(AskStatus())
    is_stopped = wanted is Position.STOPPED or not is_confirmed(_DELETED, context)
    position = Position.STOPPED if is_stopped else Position.ENABLED
    hub.make_switch(position)
    return position


STOP = Verb(
    "ecr-warden stop --hub-region eu-central-1",
    HUB_ARGUMENTS,
    partial(_turn, Position.STOPPED),
    "Stops all writes of the hub, in your name, until somebody starts them. A write that has begun ends. To stop a few "
    "targets for a while, use pause.",
)
START = Verb(
    "ecr-warden start",
    HUB_ARGUMENTS,
    partial(_turn, Position.ENABLED),
    "Lets the hub write again, after stop: everything is compared with the spec, and what differs is repaired. A "
    "switch that somebody deleted is recreated, stopped unless a person says yes.",
)
