"""`snapshot`: everything that the questions about access need, as a file."""

import argparse
import json

from ecr_warden_cli.asking.estate_input import snapshot_from, source_arguments, source_of
from ecr_warden_cli.terminal.console import Exit
from ecr_warden_cli.terminal.context import Context, Verb, argument
from ecr_warden_cli.terminal.inputs import load_compiled
from ecr_warden_cli.terminal.outputs import check_output, write_output


def _run_snapshot(arguments: argparse.Namespace, context: Context) -> Exit:
    if arguments.output is not None:
        check_output(arguments.output)
    arguments = argparse.Namespace(snapshot=None, scp=[], rcp=[], vpce=[], **vars(arguments))
    source = source_of(arguments)
    spec = load_compiled(arguments.spec, context, accepted=True) if arguments.spec else None
    made, _ = snapshot_from(source, spec, arguments, context, all_tags=True)
    text = json.dumps(made, indent=1)
    if arguments.output is not None:
        write_output(arguments.output, f"{text}\n")
    if arguments.output is None or arguments.json:
        context.console.block(text)
    return Exit.FINE


SNAPSHOT = Verb(
    "ecr-warden snapshot --spec access.yaml --profile ci=ci-read -o estate.json\n"
    "  ecr-warden snapshot --hub --hub-region eu-central-1 > estate.json",
    (
        argument("-o", "--output", metavar="FILE", help="write it to a new file; default: stdout"),
        *source_arguments(snapshots=False),
    ),
    _run_snapshot,
)
