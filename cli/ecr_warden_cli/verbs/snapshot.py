"""`snapshot`: everything that the questions about access need, as a file."""

import argparse
import json
from functools import partial

from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context, Verb
from ecr_warden_cli.estate_input import add_source, snapshot_from, source_of
from ecr_warden_cli.inputs import load_compiled


def _run_snapshot(arguments: argparse.Namespace, context: Context) -> Exit:
    source = source_of(arguments)
    spec = load_compiled(arguments.spec, context, accepted=True) if arguments.spec else None
    made, _ = snapshot_from(source, spec, arguments, context, all_tags=True)
    context.console.block(json.dumps(made, indent=1))
    return Exit.FINE


SNAPSHOT = Verb(
    "ecr-warden snapshot --spec access.yaml --profile ci=ci-read > estate.json\n"
    "  ecr-warden snapshot --hub --hub-region eu-central-1 > estate.json",
    partial(add_source, snapshots=False),
    _run_snapshot,
)
