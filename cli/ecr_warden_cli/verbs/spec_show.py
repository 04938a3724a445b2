"""`spec show`: the text of the version of the spec that is in force, or of an earlier one."""

import argparse

from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context, Failure, Verb
from ecr_warden_cli.hub import accepted_version, add_hub_arguments, parse_version, speak, text_of, version_in_bucket


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "version",
        metavar="VERSION",
        nargs="?",
        type=parse_version,
        help="an earlier version, or the beginning of its ID; history --versions lists them; default: the one in force",
    )
    add_hub_arguments(parser)


def _show(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print the text as it was uploaded."""
    if arguments.version is not None:
        version, data = version_in_bucket(arguments.version, arguments, context)
    else:
        client = speak(arguments, context)
        accepted = accepted_version(client)
        if accepted is None:
            raise Failure("no version of the spec is in force", remedy="ecr-warden status says why")
        version, data = accepted.version, text_of(accepted, client.hub)
    text = data.decode(errors="replace")
    if arguments.json:
        context.console.answer({"version": version, "text": text})
        return Exit.FINE
    context.console.note(f"version {version}")
    context.console.block(text.rstrip("\n"))
    return Exit.FINE


SHOW = Verb(
    "ecr-warden spec show --hub-region eu-central-1 > accepted.yaml",
    _add_arguments,
    _show,
)
