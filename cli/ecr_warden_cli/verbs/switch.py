"""`stop` and `start`: all writes of the hub."""

import argparse
from functools import partial

from ecr_warden.state.switch import Position
from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, Verb
from ecr_warden_cli.hub import HUB_ARGUMENTS, open_hub

_SAID = {
    Position.STOPPED: "writes are stopped: drift is found and reported, and nothing is repaired until ecr-warden start",
    Position.ENABLED: "writes are on: everything is compared with the spec now, and what differs is repaired",
}


def _turn(position: Position, arguments: argparse.Namespace, context: Context) -> Exit:
    """Turn the stop switch; the hub hears of it from AWS."""
    hub = open_hub(arguments, context)
    with context.console.doing("turning the stop switch"):
        hub.switch_writes(position)
    if arguments.json:
        context.console.answer({"writes": position})
    else:
        context.console.line(_SAID[position], Style.ODD if position is Position.STOPPED else Style.GOOD)
    return Exit.FINE


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
    "Lets the hub write again, after stop: everything is compared with the spec, and what differs is repaired.",
)
