"""Where versions of the spec come from: files, git, the hub's bucket, or the hub itself."""

import argparse
import os
import subprocess
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from ecr_warden.access_spec import Spec
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.spec_failures import MAX_SPEC_BYTES
from ecr_warden.hub.reply import KeptVersion, VersionsReply
from ecr_warden.hub.request import AskVersions
from ecr_warden_cli.deployment.scope import Here, limit_by
from ecr_warden_cli.hub.client import (
    HubClient,
    accepted_version,
    expect,
    parse_version,
    speak,
    text_of,
    version_in_bucket,
)
from ecr_warden_cli.terminal.context import Context, Failure, UsageError
from ecr_warden_cli.terminal.inputs import DEFAULT_SPEC, load_bytes, name_of, read_spec
from iam_access.errors import NamedError
from iam_access.text.printable import cut

_REMEDY = "give a file, - for stdin, REF:PATH for a version in git, or s3:VERSION_ID"
_GIT_SECONDS = 60
ACCEPTED = "accepted"
"""In place of the ID of the version that is in force."""


class Version(Struct, frozen=True):
    """One version of the spec: its name in messages, and what it says; nothing at all for no version."""

    name: str
    spec: Spec | None = None
    compiled: CompiledSpec | None = None


def load_versions(
    old: str | None, new: str, arguments: argparse.Namespace, context: Context
) -> tuple[Version, Version]:
    """Both versions; an `old` of None is the accepted one. Raises Failure."""
    if old == new == "-":
        raise UsageError("stdin can be read once only", remedy="give one of the versions as a file")
    # Its problems are said without a hub too.
    after = _load(new, arguments, context, accepted=False)
    before = load_accepted(arguments, context) if old is None else _load(old, arguments, context, accepted=True)
    return before, after


def load_accepted(arguments: argparse.Namespace, context: Context) -> Version:
    """The version that the hub has accepted, no version if there is none; raises Failure."""
    client = speak(arguments, context)
    accepted = accepted_version(client)
    if accepted is None:
        return Version("nothing, because no version is accepted yet")
    return _kept(accepted, "the accepted version", client, context)


def note_other_file(client: HubClient, context: Context) -> None:
    """Say if the spec's file here has another text than the version in force: its next upload would bring it back."""
    with suppress(NamedError):  # as far as both can be read
        here, accepted = read_spec(DEFAULT_SPEC, context.stdin), accepted_version(client)
        if accepted is not None and here != text_of(accepted, client.hub):
            what = f"your {DEFAULT_SPEC} still says something else than version {accepted.version}, which is in force"
            context.console.note(f"{what}: ecr-warden versions {ACCEPTED} --write {DEFAULT_SPEC}")


class Baseline(Struct, frozen=True):
    """The last version that a person accepted, how many grants versions removed in the 24 hours before, and may."""

    version: Version
    removed_before: int = 0
    max_removed: int | None = None
    """None for a share of those that there are."""
    unsure: str = ""
    """Why that may be another number."""


def load_baseline(arguments: argparse.Namespace, old: Version, here: Here, context: Context) -> Baseline:
    """The version that --baseline names, else the old one, else the hub's; raises Failure."""
    if arguments.old is None and arguments.baseline is None:
        return baseline_of_hub(arguments, context)
    given = arguments.baseline
    return Baseline(old if given is None else _load(given, arguments, context, accepted=True), 0, *limit_by(here))


def baseline_of_hub(arguments: argparse.Namespace, context: Context) -> Baseline:
    """The baseline that the hub keeps, no version if it has none; raises Failure if the hub does not know it."""
    client = speak(arguments, context)
    reply = expect(VersionsReply, client.ask(AskVersions()))
    if reply.lost:
        raise Failure(
            f"the hub does not know its baseline: {reply.lost}",
            code="no-such-version",
            remedy="give one with --baseline",
        )
    kept = reply.baseline
    version = Version("nothing") if kept is None else _kept(kept, "the hub's baseline", client, context)
    return Baseline(version, reply.removed, reply.max_removed)


def _kept(kept: KeptVersion, name: str, client: HubClient, context: Context) -> Version:
    loaded = load_bytes(text_of(kept, client.hub), name, context, accepted=True)
    return Version(name, loaded.spec, loaded.compiled)


def _load(text: str, arguments: argparse.Namespace, context: Context, *, accepted: bool) -> Version:
    if text == os.devnull:
        return Version("nothing")
    name, data = _read(text, arguments, context)
    loaded = load_bytes(data, name, context, accepted=accepted)
    return Version(name, loaded.spec, loaded.compiled)


def _read(text: str, arguments: argparse.Namespace, context: Context) -> tuple[str, bytes]:
    if _is_file(text):
        return name_of(text), read_spec(text, context.stdin, remedy=_REMEDY)
    if text.startswith("s3:") and not text.startswith("s3://"):
        try:
            version = parse_version(text.removeprefix("s3:"))
        except argparse.ArgumentTypeError as error:
            raise UsageError(str(error)) from error
        return cut(text, 80), version_in_bucket(version, arguments, context)[1]
    return cut(text, 200), _from_git(text)


def _is_file(text: str) -> bool:
    """A file by this name comes before a git reference; what has no colon can be nothing else."""
    try:
        return ":" not in text or text.startswith("s3://") or Path(text).exists()
    except (OSError, ValueError):
        return True  # reading it says what is wrong


def _from_git(text: str) -> bytes:
    """`REF:PATH`, as git reads it; at most one byte over the limit."""
    command = ["git", "cat-file", "blob", text]
    if text.startswith("-"):
        raise UsageError(f"{cut(text, 80)!a} is not REF:PATH")
    remedy = "write REF:PATH as git does, for example main:access.yaml; git fetch what is not there yet"
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as git:
            assert git.stdout is not None and git.stderr is not None
            data = git.stdout.read(MAX_SPEC_BYTES + 1)
            git.stdout.close()
            said = git.stderr.read(10_000).decode(errors="replace").strip()
            code = git.wait(_GIT_SECONDS)
    except FileNotFoundError as error:
        raise Failure(
            "git is not installed", code="no-such-version", remedy="install git, or give two files"
        ) from error
    except ValueError as error:  # a null byte
        raise Failure(f"git cannot look up {text!a:.80}", code="no-such-version", remedy=remedy) from error
    if code and len(data) <= MAX_SPEC_BYTES:
        why = said.splitlines()[-1] if said else f"git ended with {code}"
        raise Failure(f"git has no {cut(text, 200)}: {cut(why, 300)}", code="no-such-version", remedy=remedy)
    return data
