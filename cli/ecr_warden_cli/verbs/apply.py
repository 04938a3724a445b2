"""`apply` and `rollback`: upload a spec, or an earlier version again, after a look at who gains and who loses."""

import argparse
import shlex
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ecr_warden.access_spec import Valid
from ecr_warden.core.codec.base import to_json
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.target import target_named
from ecr_warden.hub.reply import AccountScope, CommandReply, ScopesReply
from ecr_warden.hub.request import AskScopes
from ecr_warden.repair.scope_gap import ScopeGap, ScopeUnread
from ecr_warden.repair.write_scope import WRITES, WriteScope, accounts_with_identities, scope_gap
from ecr_warden.state.commands import Upload
from ecr_warden.versions.access_lines import lines_of
from ecr_warden.versions.changes import changed_targets, succeeding
from ecr_warden.versions.enforced import step
from ecr_warden.versions.removals import document_changes
from ecr_warden_cli.asking.estate_input import seen_by_hub
from ecr_warden_cli.editing.diff_text import names_of
from ecr_warden_cli.editing.spec_diff import diff
from ecr_warden_cli.hub.client import (
    HUB_ARGUMENTS,
    WAIT,
    HubClient,
    expect,
    new_id,
    open_hub,
    parse_version,
    speak,
    text_of,
    version_in_bucket,
)
from ecr_warden_cli.hub.plan_text import write_scope_lines
from ecr_warden_cli.hub.rollout import Published, RollOut, follow, last_looks
from ecr_warden_cli.hub.spec_story import Fate, read_log, stories
from ecr_warden_cli.hub.versions import Version, baseline_of_hub, load_accepted, note_other_file
from ecr_warden_cli.terminal.console import Exit, Style
from ecr_warden_cli.terminal.context import Context, Failure, Hub, Uploaded, UsageError, Verb, argument
from ecr_warden_cli.terminal.inputs import load_bytes, name_of, read_spec
from ecr_warden_cli.verbs.diff import show
from ecr_warden_cli.verbs.hold import accept_here, is_confirmed
from iam_access.errors import NamedError
from iam_access.text.printable import cut


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Read the file, and offer it."""
    targets = shlex.quote(cut(arguments.spec, 80))
    remedy = f"give the path of a spec, or - for stdin; to have targets repaired now: ecr-warden reconcile {targets}"
    return _offer(read_spec(arguments.spec, context.stdin, remedy=remedy), arguments.spec, arguments, context)


def _roll_back(arguments: argparse.Namespace, context: Context) -> Exit:
    """Read the version, by default the one before, and offer it as a new one."""
    version, text = version_in_bucket(arguments.version or _before(speak(arguments, context)), arguments, context)
    return _offer(text, f"version {version}", arguments, context, earlier=version)


def _before(client: HubClient) -> str:
    """The last accepted version with another text than the one in force, which is named; raises Failure."""
    log = read_log(client)
    in_force = b"" if log.kept is None else text_of(log.kept, client.hub)
    for story in stories(client.hub.uploads(), log):
        if story.fate is Fate.HELD:
            raise Failure(
                f"version {story.version} came later and waits for a person",
                remedy="ecr-warden held shows it, and ecr-warden reject ID keeps what is in force; or name a version",
            )
        if story.fate is Fate.ACCEPTED and client.hub.spec(story.version) != in_force:
            client.console.notes(("back to", *story.lines))
            return story.version
    raise Failure(
        "no other version was accepted before",
        code="no-such-version",
        remedy="ecr-warden versions lists all; name one of them: ecr-warden rollback VERSION",
    )


def _offer(
    data: bytes, name: str, arguments: argparse.Namespace, context: Context, *, earlier: str | None = None
) -> Exit:
    """Show who gains and loses and what may not be written, ask, upload, and wait for what becomes of it."""
    _check_accept(arguments)
    console, loaded = context.console, load_bytes(data, name, context)
    client, accepted = speak(arguments, context), load_accepted(arguments, context)
    gaps = _scope_gaps(loaded.compiled, client)
    if not arguments.json:
        _show_effect(accepted, loaded, client, arguments, context, gaps=gaps)
    answer: dict[str, Any] = {"writeScope": to_json(gaps), "earlier": earlier}
    is_in_vain = _gives_in_vain(accepted.compiled, loaded.compiled, gaps)
    if not ((arguments.yes and not is_in_vain) or _is_agreed(name, accepted, arguments, context)):
        if arguments.json:
            console.answer({"uploaded": False, **answer})
        console.note(f"nothing was uploaded: answer yes{_TO_A_PERSON if is_in_vain else ', or add --yes'}")
        return Exit.DIFFERENT
    before = {} if arguments.no_wait else last_looks(client)
    reply, version = _publish(data, client, open_hub(arguments, context))
    if not arguments.json:
        console.line(f"version {version} is uploaded; recorded as uploaded by {reply.caller}", Style.GOOD)
    answer |= {"uploaded": True, "version": version, "id": reply.id, "caller": reply.caller}
    if arguments.no_wait:
        if arguments.json:
            console.answer(answer)
        else:
            console.line("ecr-warden status says whether it is accepted, and ecr-warden held whether it waits")
        return Exit.FINE
    changed = changed_targets(accepted.compiled, succeeding(accepted.compiled, loaded.compiled))
    awaited = Published(Uploaded(version, context.clock.now()), tuple(map(str, changed)), before)
    rolled = _outcome(client, awaited, arguments, context)
    if rolled is None:
        return Exit.DIFFERENT
    if arguments.json:
        console.answer(answer | rolled.to_json())
    else:
        rolled.show(console)
    if earlier:
        note_other_file(client, context)
    return rolled.exit


def _outcome(client: HubClient, awaited: Published, arguments: argparse.Namespace, context: Context) -> RollOut | None:
    """The fate of the version; None if it waits, and whoever was to accept it has not."""
    try:
        rolled = follow(client, awaited, context, arguments.wait)
        if arguments.accept and rolled.story.fate is Fate.HELD:
            if accept_here(rolled.hold, arguments, context) is not Exit.FINE:
                return None
            rolled = follow(client, awaited, context, arguments.wait)
    except KeyboardInterrupt:
        context.console.note("the hub goes on without this command: ecr-warden status shows how it ends")
        raise
    return rolled


def _check_accept(arguments: argparse.Namespace) -> None:
    """Raises UsageError where --accept could ask nobody."""
    for option in ("json", "no_wait"):
        if arguments.accept and getattr(arguments, option):
            raise UsageError(
                f"--accept asks a person, and goes without --{option.replace('_', '-')}",
                remedy="scripts take the ID from apply --json: ecr-warden accept ID --yes",
            )


def _is_agreed(name: str, accepted: Version, arguments: argparse.Namespace, context: Context) -> bool:
    """Whether a person agrees to what was shown; raises Failure if another version was accepted meanwhile."""
    if not is_confirmed(f"upload {name_of(name)}?", context):
        return False
    if load_accepted(arguments, context) != accepted:
        raise Failure(
            "another version was accepted before you answered",
            code="version-moved",
            remedy="repeat the command to see who gains and who loses against that version",
        )
    return True


def _show_effect(
    accepted: Version,
    loaded: Valid,
    client: HubClient,
    arguments: argparse.Namespace,
    context: Context,
    *,
    gaps: tuple[ScopeGap | ScopeUnread, ...],
) -> None:
    """Print who gains and who loses against the accepted version, and what may not be written."""
    console, baseline = context.console, baseline_of_hub(arguments, context)
    live = None
    with suppress(NamedError):
        live = seen_by_hub(client, context)
        # Of an account that the hub has not read yet, the texts say more.
        live = live if {*loaded.compiled.accounts} <= live.estate.accounts.keys() else None
    with console.doing("comparing the versions"):
        spec_diff = diff(
            accepted.compiled,
            loaded.compiled,
            context.clock.now(),
            baseline=baseline.version.compiled,
            live=live,
            removed_before=baseline.removed_before,
            max_removed=baseline.max_removed,
        )
    console.line(f"against {accepted.name}:", Style.HEADING)
    show(spec_diff, lines_of(spec_diff.changes, names_of(accepted.spec, loaded.spec)), console)
    console.lines(write_scope_lines(gaps, writes=True), Style.ODD)


def _publish(data: bytes, client: HubClient, hub: Hub) -> tuple[CommandReply, str]:
    """Upload the spec, and have the hub record by whom; returns its reply and the version."""
    console = client.console
    try:
        with console.doing("uploading the spec"):
            version = hub.upload(data)
    except KeyboardInterrupt:
        console.note("the spec may be uploaded: ecr-warden versions lists its versions")
        raise
    try:
        return client.command(Upload(new_id(), version)), version
    except (NamedError, KeyboardInterrupt):
        console.note(f"version {version} is uploaded, and the hub may not know by whom: see ecr-warden versions")
        raise


def _scope_gaps(compiled: CompiledSpec, client: HubClient) -> tuple[ScopeGap | ScopeUnread, ...]:
    """The identities that no member stack lets ecr-warden write; unknown of accounts that no accepted version has."""
    accounts = accounts_with_identities(target.target for target in compiled.targets.values())
    found = {scope.account: scope for scope in expect(ScopesReply, client.ask(AskScopes(accounts))).scopes}
    return tuple(
        ScopeUnread(account, scope.error)
        if (scope := found.get(account, _NOT_YET)).error
        else scope_gap(compiled, (), account, WriteScope(scope.arns, scope.lists))
        for account in accounts
    )


def _gives_in_vain(accepted: CompiledSpec | None, new: CompiledSpec, gaps: Iterable[ScopeGap | ScopeUnread]) -> bool:
    """Whether a version, as far as it is enforced, gives more to somebody whom a member stack does not cover.

    Where nothing of the kind may be written at all, the hub refuses the version, and says so.
    """
    covering = (gap for gap in gaps if isinstance(gap, ScopeGap) and gap.has_stack and WRITES not in gap.parameters)
    outside = {target_named(arn) for gap in covering for arn in gap.uncovered}
    return any(one.access.gained and one.target in outside for one in document_changes(step(accepted, new)))


_TO_A_PERSON = " at a terminal; --yes does not answer for whom ecr-warden may not write"
_NOT_YET = AccountScope("", error="no accepted version has it yet")


_MORE = (
    argument(
        "--yes",
        action="store_true",
        help="do not ask, unless it gives access to whom ecr-warden may not write: for scripts",
    ),
    argument(
        "--accept",
        action="store_true",
        help="if the version waits for a person, show why and ask you; --yes does not answer this",
    ),
    argument("--no-wait", action="store_true", help="do not wait for what becomes of the version"),
    WAIT,
    *HUB_ARGUMENTS,
)


APPLY = Verb(
    "ecr-warden apply examples/seed/access.yaml --hub-region eu-central-1",
    (
        argument("spec", metavar="FILE", help="the spec (YAML or JSON), or - for stdin"),
        *_MORE,
    ),
    _run,
    "Shows who gains and who loses against the accepted version and whom ecr-warden may not write, asks, uploads the "
    "spec to the hub in your name, and waits until it is rolled out, waits for a person, or was refused.",
)
ROLLBACK = Verb(
    "ecr-warden rollback 3HL4kqtJvjVBH40Nrjfkd",
    (
        argument(
            "version",
            metavar="VERSION",
            nargs="?",
            type=parse_version,
            help="an earlier version, by its ID or its beginning: ecr-warden versions lists them; default: the last "
            "accepted one with another text than the one in force, which is named",
        ),
        *_MORE,
    ),
    _roll_back,
    "Shows who gains and who loses by an earlier version against the accepted one, asks, uploads its text as a new "
    "version in your name, and waits as apply does.",
)
