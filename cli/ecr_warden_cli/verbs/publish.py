"""`publish`: upload a spec, or an earlier version again, in one's own name, after a look at who gains and who loses."""

import argparse
import hashlib

from ecr_warden.core.desired import Mode
from ecr_warden.state.commands import Publish
from ecr_warden_cli.console import Console, Exit, Style
from ecr_warden_cli.context import Context, Hub, UsageError, Verb
from ecr_warden_cli.diff_text import lines_of, names_of
from ecr_warden_cli.hub import HubRefused, add_hub_arguments, new_id, open_hub, speak, spec_of
from ecr_warden_cli.inputs import load_bytes, matching, name_of, read_spec
from ecr_warden_cli.spec_diff import diff
from ecr_warden_cli.verbs.diff import show
from ecr_warden_cli.verbs.hold import is_confirmed
from ecr_warden_cli.versions import Version, baseline_of_hub, load_accepted
from iam_access.errors import WardenError

_version = matching("[A-Za-z0-9._-]{1,1024}", "is not a version: ecr-warden history --versions lists them")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="FILE", nargs="?", help="the spec (YAML or JSON), or - for stdin")
    parser.add_argument(
        "--rollback",
        metavar="VERSION",
        type=_version,
        help="in place of FILE: upload an earlier version again, as a new one; history --versions lists them",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask: for scripts")
    add_hub_arguments(parser)


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Read the file or the version, and offer it."""
    if (arguments.spec is None) is (arguments.rollback is None):
        raise UsageError("publish uploads one spec", remedy="give FILE, or --rollback VERSION")
    if arguments.rollback is not None:
        data = spec_of(arguments.rollback, arguments, context)
        return _offer(data, f"version {arguments.rollback}", arguments, context)
    return _offer(read_spec(arguments.spec, context.stdin), arguments.spec, arguments, context)


def _offer(data: bytes, name: str, arguments: argparse.Namespace, context: Context) -> Exit:
    """Show who gains and loses against the accepted version, ask, upload, and say that it was this caller."""
    console, loaded = context.console, load_bytes(data, name, context)
    client, hub = speak(arguments, context), open_hub(arguments, context)
    accepted, baseline = _accepted(arguments, context), baseline_of_hub(arguments, context)
    with console.doing("comparing the versions"):
        found = diff(
            accepted.compiled,
            loaded.compiled,
            context.clock.now(),
            baseline=baseline.version.compiled,
            removed_before=baseline.removed_before,
        )
    if not arguments.json:
        console.line(f"against {accepted.name}:", Style.HEADING)
        show(found, lines_of(found.changes, names_of(accepted.spec, loaded.spec)), console)
        if loaded.compiled.overall_mode is Mode.OBSERVE:
            console.line("this version says mode: observe, so ecr-warden reports what differs and writes nothing")
    if not (arguments.yes or is_confirmed(f"upload {name_of(name)}?", context)):
        if arguments.json:
            console.answer({"published": False})
        console.note("nothing was uploaded: answer yes, or add --yes")
        return Exit.DIFFERENT
    version = _upload(data, hub, console)
    try:
        reply = client.command(Publish(new_id(), version, hashlib.sha256(data).hexdigest()))
    except (WardenError, KeyboardInterrupt):
        console.note(
            f"version {version} is uploaded, and the hub may not know by whom: see ecr-warden history --versions"
        )
        raise
    if arguments.json:
        console.answer({"published": True, "version": version, "id": reply.id, "caller": reply.caller})
    else:
        console.line(f"version {version} is uploaded; recorded as published by {reply.caller}", Style.GOOD)
        console.line("ecr-warden status says whether it is accepted, and ecr-warden held whether it waits")
    return Exit.FINE


def _upload(data: bytes, hub: Hub, console: Console) -> str:
    try:
        with console.doing("uploading the spec"):
            return hub.upload(data)
    except KeyboardInterrupt:
        console.note("the spec may be uploaded: ecr-warden history --versions lists its versions")
        raise


def _accepted(arguments: argparse.Namespace, context: Context) -> Version:
    try:
        return load_accepted(arguments, context)
    except HubRefused as error:
        if error.code != "nothing-accepted":
            raise
        return Version("nothing, because no version is accepted yet")


PUBLISH = Verb(
    "ecr-warden publish examples/seed/access.yaml --hub-region eu-central-1\n"
    "  ecr-warden publish --rollback 3HL4kqtJvjVBH40Nrjfkd",
    _add_arguments,
    _run,
    "Shows who gains and who loses against the accepted version, asks, and uploads the spec to the hub in your name.",
)
