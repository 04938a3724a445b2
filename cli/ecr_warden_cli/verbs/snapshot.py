"""`snapshot`: everything that the questions about access need, as a file."""

import argparse
import json
from base64 import b64decode
from datetime import datetime
from functools import partial
from typing import Any

from ecr_warden.model.codec.base import CodecError
from ecr_warden.model.codec.compressed import decompress
from ecr_warden.model.codec.snapshot import SCHEMA, joined
from ecr_warden.model.reply import EstateReply
from ecr_warden.model.request import AskEstate

from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context, UsageError, Verb
from ecr_warden_cli.estate_input import read_live
from ecr_warden_cli.hub import HubClient, expect, speak, unintelligible
from ecr_warden_cli.inputs import HUB_PROFILE, HUB_REGION, load_compiled
from ecr_warden_cli.live import AtHub, Here, place_of


def _run_snapshot(arguments: argparse.Namespace, context: Context) -> Exit:
    match place_of(arguments):
        case Here(spec, profiles):
            text = read_live(load_compiled(spec, context), profiles, context)
        case AtHub(targets=(target, *_)):
            raise UsageError(
                f"{target} with --hub", remedy="leave it out: the accounts of the accepted spec are written"
            )
        case AtHub() as place:
            text = kept_estate(speak(place, context))
    context.console.block(json.dumps(json.loads(text), indent=1))
    return Exit.FINE


def kept_estate(client: HubClient) -> str:
    """The hub's own pieces of the estate as a snapshot, which is as old as the oldest of them; raises Failure."""
    parts = expect(EstateReply, client.ask(AskEstate())).parts
    pieces = client.console.progress(map(partial(_piece, client), parts), of=len(parts), doing="parts fetched")
    found = dict(zip(parts, pieces, strict=True))
    accounts = joined({part: entry for part, (_, entry) in found.items()})
    taken = min((began for began, _ in found.values()), default=None)
    return json.dumps({"schema": SCHEMA, "takenAt": taken and taken.isoformat(), "accounts": accounts})


def _piece(client: HubClient, part: str) -> tuple[datetime, dict[str, Any]]:
    reply = expect(EstateReply, client.ask(AskEstate(part)))
    try:
        entry = decompress(b64decode(reply.piece, validate=True))
    except (CodecError, ValueError) as error:
        raise unintelligible(f"the piece {part} cannot be opened") from error
    if reply.began is None:
        raise unintelligible(f"the piece {part} has no time")
    return reply.began, entry


def _add_snapshot(parser: argparse.ArgumentParser) -> None:
    name = parser.prog
    parser.usage = (
        f"{name} SPEC [--profile ACCOUNT=PROFILE ...]\n       {name} --hub [--hub-region REGION] [--profile PROFILE]"
    )
    parser.add_argument(
        "places", metavar="SPEC", nargs="*", help="the spec, whose accounts and regions are read; - for stdin"
    )
    parser.add_argument("--hub", action="store_true", help="take what the deployed hub has read of the accounts")
    parser.add_argument("--hub-region", metavar="REGION", help=f"with --hub: its region; {HUB_REGION}")
    parser.add_argument(
        "--profile",
        metavar="[ACCOUNT=]PROFILE",
        action="append",
        default=[],
        help=f"as in plan; once per account. With --hub: one profile, for the hub's account; {HUB_PROFILE}",
    )


SNAPSHOT = Verb(
    "ecr-warden snapshot access.yaml --profile ci=ci-read > estate.json\n"
    "  ecr-warden snapshot --hub --hub-region eu-central-1 > estate.json",
    _add_snapshot,
    _run_snapshot,
)
