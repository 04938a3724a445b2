"""`diff`: who gains and who loses what between two versions of the spec."""

import argparse
from collections.abc import Sequence
from typing import Any

from ecr_warden.core.access_change import AccessChange, Direction
from ecr_warden.core.codec.base import to_json
from ecr_warden.versions.access_lines import DiffNames, Line, lines_of
from ecr_warden_cli.asking.estate_input import seen_in
from ecr_warden_cli.deployment.scope import deployment_here, gaps_by
from ecr_warden_cli.editing.diff_text import (
    markdown,
    names_of,
    other_lines,
    summary,
    verdict,
)
from ecr_warden_cli.editing.spec_diff import SpecDiff, diff
from ecr_warden_cli.hub.client import HUB_ARGUMENTS
from ecr_warden_cli.hub.plan_text import write_scope_lines
from ecr_warden_cli.hub.versions import Version, load_baseline, load_versions
from ecr_warden_cli.terminal.console import Console, Exit, Style
from ecr_warden_cli.terminal.context import Context, UsageError, Verb, argument
from ecr_warden_cli.terminal.inputs import DEPLOYMENT_FILE

_DESCRIPTION = """\
Shows who gains and who loses what between two versions of the spec, by the
policy documents of each, and whether the hub would hold NEW for a person:
it takes effect by itself, waits for a person, or may wait, which only the
accounts say. With NEW alone the version before is the one that the hub has
accepted; two versions that are no s3:VERSION_ID ask no hub.

OLD, NEW and the baseline are a file, - for stdin, REF:PATH for a version in git
(main:access.yaml), s3:VERSION_ID for one in the hub's bucket, or /dev/null
for no spec at all."""


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print whether NEW waits, one line for each principal and repository, then what changes without access."""
    if arguments.markdown and arguments.json:
        raise UsageError("--markdown and --json exclude each other")
    if [arguments.old, arguments.new, arguments.baseline, arguments.snapshot].count("-") > 1:
        raise UsageError("stdin can be read once only", remedy="give all but one as a file")
    old, new = load_versions(arguments.old, arguments.new, arguments, context)
    here = deployment_here(context)
    baseline = load_baseline(arguments, old, here, context)
    live = None if arguments.snapshot is None else seen_in(arguments.snapshot, context)
    console = context.console
    with console.doing("comparing the versions"):
        spec_diff = diff(
            old.compiled,
            new.compiled,
            context.clock.now(),
            baseline=baseline.version.compiled,
            live=live,
            removed_before=baseline.removed_before,
            max_removed=baseline.max_removed,
        )
    if baseline.unsure and spec_diff.judgement.removed:
        console.note(baseline.unsure)
    names = names_of(old.spec, new.spec)
    lines, gaps = lines_of(spec_diff.changes, names), gaps_by(here, old.compiled, new.compiled)
    beside = [*write_scope_lines(gaps, writes=True, by=DEPLOYMENT_FILE)]
    if arguments.json:
        console.answer(_to_json(old, new, spec_diff, names) | {"writeScope": to_json(gaps)})
    elif arguments.markdown:
        console.block(markdown(spec_diff, lines, beside).rstrip("\n"))
    else:
        show(spec_diff, lines, console)
        console.lines(beside, Style.ODD)
    if spec_diff.undecided:
        return Exit.ERROR
    return Exit.FINE if spec_diff.is_nothing else Exit.DIFFERENT


def show(found: SpecDiff, lines: Sequence[Line], console: Console) -> None:
    """Print whether the hub would hold it and why, who gains and who loses, and what else changes."""
    what, why = verdict(found)
    if found.is_nothing:
        console.line("nothing changes", Style.GOOD)
    if why or not found.is_nothing:
        style = Style.BAD if found.judgement.held else Style.ODD if why else Style.GOOD
        console.line(f"once it is uploaded, it {what}{':' if why else ''}", style)
    console.lines(f"  {one}" for one in why)
    if not found.is_nothing:
        show_access(found, lines, console)


def show_access(found: SpecDiff, lines: Sequence[Line], console: Console) -> None:
    """Print who gains and who loses, and what else changes."""
    for line in lines:
        console.line(line.text(), Style.ODD if line.direction is Direction.GAINS else None)
    console.lines(other_lines(found), Style.FAINT)
    console.line(summary(found, lines), Style.HEADING)


def _to_json(old: Version, new: Version, found: SpecDiff, names: DiffNames) -> dict[str, Any]:
    return {
        "old": _version_to_json(old),
        "new": _version_to_json(new),
        "changes": [change_to_json(change, names) for change in found.changes],
        "undecided": list(found.undecided),
        "targets": [{"target": key, "what": what} for key, what in found.targets.items()],
        "others": [
            {"target": one.target, **dict.fromkeys(Direction, ""), one.direction: one.text} for one in found.others
        ],
        "settings": [
            {"target": setting.target, "name": setting.name, "before": setting.before, "after": setting.after}
            for setting in found.settings
        ],
        "endings": [{"target": key, "what": ending} for key, ending in found.endings.items()],
        "held": [{"code": reason.code, "reason": reason.reason} for reason in found.judgement.held],
        "unseen": list(found.judgement.unseen),
        "textsAlone": found.texts_alone,
        "observed": found.observed,
    }


def change_to_json(change: AccessChange, names: DiffNames) -> dict[str, Any]:
    """One principal's gain or loss at one repository."""
    return {
        "who": names.principal(change.principal),
        "principal": change.principal,
        "direction": change.direction,
        "access": change.access,
        "repository": change.repository,
        "through": list(change.through),
        "conditions": list(change.conditions),
    }


def _version_to_json(version: Version) -> dict[str, Any]:
    return {"name": version.name, "specVersion": version.compiled.version if version.compiled else ""}


DIFF = Verb(
    "ecr-warden diff examples/seed/access.yaml\n  ecr-warden diff main:access.yaml access.yaml",
    (
        argument("old", metavar="OLD", nargs="?", help="the version before; default: the accepted one"),
        argument("new", metavar="NEW", help="the version after"),
        argument(
            "--baseline",
            metavar="VERSION",
            help="the last version that a person accepted; default: OLD, or without OLD what the hub knows",
        ),
        argument("--snapshot", metavar="FILE", help="the accounts that NEW takes over: a snapshot, or - for stdin"),
        argument("--markdown", action="store_true", help="print a comment for a pull request, of at most 4 kB"),
        *HUB_ARGUMENTS,
    ),
    _run,
    _DESCRIPTION,
)
