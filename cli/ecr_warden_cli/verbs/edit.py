"""`grant` and `revoke`: change who may pull and push in the spec's file, and leave the rest of its text as it is."""

import argparse
import difflib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from ecr_warden.access_spec import Problem, Valid
from ecr_warden.core.codec.base import to_json
from ecr_warden.repair.scope_gap import ScopeGap, ScopeUnread
from ecr_warden.versions.access_lines import DiffNames, lines_of
from ecr_warden_cli.deployment.scope import deployment_here, gaps_by, limit_by
from ecr_warden_cli.editing.diff_text import names_of
from ecr_warden_cli.editing.spec_diff import SpecDiff, diff
from ecr_warden_cli.editing.spec_edit import Edit, GrantEdit, Revoke, edited
from ecr_warden_cli.hub.plan_text import write_scope_lines
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Argument, Context, UsageError, Verb, argument
from ecr_warden_cli.terminal.dates import COMING, coming
from ecr_warden_cli.terminal.inputs import (
    DEFAULT_SPEC,
    DEPLOYMENT_FILE,
    SpecInvalid,
    load_bytes,
    matching,
    name_of,
    problem_to_json,
    read_spec,
)
from ecr_warden_cli.terminal.outputs import replace_file
from ecr_warden_cli.verbs.diff import change_to_json, show

_name = matching("[!-~]{1,700}", "is not a name: it is printable ASCII without spaces")
_MARK = b"\xef\xbb\xbf"


def _arguments(principal: str) -> tuple[Argument, ...]:
    return (
        argument("access", metavar="ACCESS", choices=["pull", "push"], help="pull or push"),
        argument("repository", metavar="REPOSITORY", help="as the spec names it, if unique, or ACCOUNT/REGION/NAME"),
        argument("file", metavar="FILE", nargs="?", default=DEFAULT_SPEC, help=f"the spec; default: {DEFAULT_SPEC}"),
        argument(
            principal,
            dest="who",
            metavar="PRINCIPAL",
            required=True,
            type=_name,
            help="as the spec writes it: ALIAS:user/NAME, ALIAS:role/NAME, or a team",
        ),
        argument("--role", metavar="ROLE", type=_name, help="push: the push role, if not the only one"),
        argument("--dry-run", action="store_true", help="write nothing: print the change as a patch"),
    )


def _grant(arguments: argparse.Namespace, context: Context) -> Exit:
    until: datetime | None = arguments.until(context.clock.now()) if arguments.until is not None else None
    if until is not None and until <= context.clock.now():
        raise UsageError("--until is in the past", remedy="give a time to come")
    one = arguments
    if one.new_role and not _role(one):
        raise UsageError("--new-role without --role", remedy="give its name with --role")
    return _edit(GrantEdit(one.access, one.repository, one.who, until, _role(one), one.new_role), arguments, context)


def _revoke(arguments: argparse.Namespace, context: Context) -> Exit:
    one = arguments
    return _edit(Revoke(one.access, one.repository, one.who, _role(one), one.from_team), arguments, context)


def _role(arguments: argparse.Namespace) -> str:
    if arguments.role and arguments.access == "pull":
        raise UsageError("--role is for push", remedy="leave it out")
    return arguments.role or ""


class _Edited(Struct, frozen=True):
    """The spec before and after, and what differs."""

    file: str
    """Its name in messages."""
    old: Valid
    new: Valid
    patch: list[str]
    found: SpecDiff
    gaps: tuple[ScopeGap | ScopeUnread, ...]
    """Whom it concerns and ecr-warden may not write."""

    @property
    def names(self) -> DiffNames:
        """How people name what the spec is about."""
        return names_of(self.old.spec, self.new.spec)

    @property
    def warnings(self) -> list[Problem]:
        """The warnings that the spec did not have before."""
        return _added(self.old, self.new.warnings)


def _added(old: Valid, problems: Iterable[Problem]) -> list[Problem]:
    """The problems that a spec did not have before, of which the lines may have moved."""
    known = {(warning.code, warning.message) for warning in old.warnings}
    return [problem for problem in problems if (problem.code, problem.message) not in known]


def _checked(data: bytes, path: str, old: Valid, context: Context) -> Valid:
    """The spec with the edit; raises SpecInvalid with what the edit adds."""
    try:
        return load_bytes(data, f"{path} with this change", context)
    except SpecInvalid as error:
        raise SpecInvalid(error.file, tuple(_added(old, error.problems))) from error


def _edit(edit: Edit, arguments: argparse.Namespace, context: Context) -> Exit:
    """Edit, check the result, write it, and show who gains and who loses."""
    path, console = arguments.file, context.console
    if path == "-":
        raise UsageError("this verb edits a file", remedy="give its path")
    data = read_spec(path, context.stdin)
    old = load_bytes(data, path, context)
    before = data.decode("utf-8-sig")
    after = edited(before, old.spec, edit)
    changed = (_MARK if data.startswith(_MARK) else b"") + after.encode()
    new = _checked(changed, path, old, context)
    here = deployment_here(context)
    max_removed, unsure = limit_by(here)
    with console.doing("comparing the versions"):
        now = context.clock.now()
        spec_diff = diff(old.compiled, new.compiled, now, baseline=old.compiled, max_removed=max_removed)
    gaps = gaps_by(here, old.compiled, new.compiled)
    name = name_of(path)
    # By lines that end with LF alone.
    patch = [*difflib.unified_diff(before.split("\n"), after.split("\n"), name, name, lineterm="")]
    done = _Edited(name, old, new, patch, spec_diff, gaps)
    if unsure and spec_diff.judgement.removed:
        console.note(unsure)
    if not arguments.json:
        console.notes(write_scope_lines(gaps, writes=True, by=DEPLOYMENT_FILE))
    writes = changed != data and not arguments.dry_run
    if writes:
        replace_file(path, data, changed)
    if arguments.json:
        console.answer(_to_json(done, written=writes))
    elif arguments.dry_run:
        for line in done.patch:
            console.block(line.rstrip("\r"))
    else:
        _show(done, console)
    return Exit.DIFFERENT if changed != data and arguments.dry_run else Exit.FINE


def _to_json(done: _Edited, *, written: bool) -> dict[str, Any]:
    return {
        "file": done.file,
        "written": written,
        "patch": "\n".join(done.patch),
        "changes": [change_to_json(change, done.names) for change in done.found.changes],
        "undecided": list(done.found.undecided),
        "writeScope": to_json(done.gaps),
        "warnings": [problem_to_json(warning) for warning in done.warnings],
    }


def _show(done: _Edited, console: Console) -> None:
    if not done.patch:
        console.line(f"{done.file} says so already; nothing was written", Style.GOOD)
        return
    for warning in done.warnings:
        console.line(warning.at(done.file), Style.ODD)
    show(done.found, lines_of(done.found.changes, done.names), console)
    console.line(f"{done.file} is written; to upload it: ecr-warden apply {done.file}")


GRANT = Verb(
    "ecr-warden grant pull shop/checkout examples/seed/access.yaml \\\n    --to ci:user/anna --dry-run",
    (
        *_arguments("--to"),
        argument("--new-role", action="store_true", help="push: the push role is new, and no other is meant"),
        argument("--until", metavar="TIME", type=coming, help=f"when it ends: {COMING}"),
    ),
    _grant,
)
REVOKE = Verb(
    "ecr-warden revoke push shop/checkout examples/seed/access.yaml \\\n    --from ci:user/push-user --dry-run",
    (
        *_arguments("--from"),
        argument("--from-team", action="store_true", help="remove a member from the teams that give the access"),
    ),
    _revoke,
)
