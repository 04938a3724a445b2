"""`import`: the spec that describes what is there."""

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecr_warden.access_spec.accounts import ORGANIZATION_ID
from ecr_warden.access_spec.federation import GITHUB
from ecr_warden.core.estate import Estate
from ecr_warden.core.ours import ours_of
from ecr_warden_cli.asking.estate_input import (
    ReadFrom,
    accepted_of_hub,
    asking_hub,
    estate_from,
    snapshot_from,
    source_arguments,
    source_of,
)
from ecr_warden_cli.asking.naming import aliases_of
from ecr_warden_cli.importing.effects import ImportEffect, Outcome
from ecr_warden_cli.importing.importing import Imported, import_estate
from ecr_warden_cli.terminal.console import Console, Exit
from ecr_warden_cli.terminal.context import Argument, Context, UsageError, Verb, argument
from ecr_warden_cli.terminal.inputs import load_compiled
from ecr_warden_cli.terminal.outputs import check_output, write_output
from iam_access.arn import ACCOUNT_ID
from iam_access.text.printable import count, cut, first, listed
from iam_access.who_can.ours import Ours, Owner

_CHANGES_SHOWN = 50
_OURS = re.compile(rf"{ACCOUNT_ID.pattern}|{ORGANIZATION_ID.pattern}|github:[\w.-]+(@[0-9]+)?|(?!github:)[^:\s]+:\S+")
_COUNTED = {"equal": ImportEffect.EQUAL, "sameAccess": ImportEffect.NONE, "changed": ImportEffect.CHANGE}


def ours_argument(besides: str) -> Argument:
    """--ours; `besides`: who is no outsider anyway."""
    return argument(
        "--ours",
        metavar="WHO",
        action="append",
        default=[],
        help=f"who is no outsider beside {besides}: an account's ID, an organization's, github:OWNER, or "
        "ISSUER:SUBJECT as tokens of another issuer begin; others wait in comments",
    )


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """ERROR if users, roles or repositories were not read; DIFFERENT if what the spec would write changes access."""
    if arguments.output is not None:
        check_output(arguments.output)
    estate, aliases, ours = _input(arguments, context)
    with context.console.doing("importing"):
        imported = import_estate(estate, aliases, now=context.clock.now(), ours=ours)
    if arguments.output is not None:
        write_output(arguments.output, imported.text)
    elif not arguments.json:
        context.console.block(imported.text.removesuffix("\n"))
    if arguments.json:
        context.console.answer(import_to_json(imported, in_file=arguments.output is not None))
    return summarize(imported, estate, context.console)


# Input


def _input(arguments: argparse.Namespace, context: Context) -> tuple[Estate, Mapping[str, str], Ours]:
    """The estate, the name of each account, and who is ours beside these; raises Failure."""
    source = source_of(arguments)
    if source is ReadFrom.HUB:
        with asking_hub(arguments, context) as client:
            spec = accepted_of_hub(client, context)
    else:
        spec = load_compiled(arguments.spec, context, accepted=True) if arguments.spec else None
    given, accounts = snapshot_from(source, spec, arguments, context)
    estate = estate_from(given, arguments.snapshot, context)
    aliases = aliases_of(estate.accounts, {account: alias for alias, account in accounts.items()})
    return estate, aliases, ours_given(arguments.ours, ours_of(spec.compiled if spec else None))


def ours_given(texts: Sequence[str], known: Ours) -> Ours:
    """Those whom the texts name beside those who are known; raises UsageError."""
    for text in texts:
        if not _OURS.fullmatch(text):
            raise UsageError(
                f"--ours {cut(text, 200)}",
                remedy="write an account's ID, an organization's, github:OWNER or ISSUER:SUBJECT",
            )
    return Ours(
        known.accounts.union(filter(ACCOUNT_ID.fullmatch, texts)),
        known.organizations.union(filter(ORGANIZATION_ID.fullmatch, texts)),
        known.owners.union(_owner(*text.split(":", 1)) for text in texts if ":" in text),
    )


def _owner(issuer: str, subject: str) -> Owner:
    name, _, identifier = subject.partition("@")
    return Owner(GITHUB, f"repo:{name}", identifier) if issuer == "github" else Owner(issuer, subject)


def _unlisted(estate: Estate) -> Iterator[str]:
    """The parts that nobody would miss in the spec, because they were not read."""
    for account in estate.accounts.values():
        if not account.is_listed:
            yield f"users and roles of account {account.id}"
        for registry in account.registries.values():
            if not registry.is_listed:
                yield f"repositories of account {account.id} in {registry.region}"


# Output


def summarize(imported: Imported, estate: Estate, console: Console) -> Exit:
    """Say what the spec is worth: ERROR if it lacks what was not read, DIFFERENT if it would change access."""
    numbers = Counter(outcome.effect for outcome in imported.outcomes)
    console.note(
        f"documents: {numbers[ImportEffect.EQUAL]} equal, {numbers[ImportEffect.NONE]} change no access, "
        f"{numbers[ImportEffect.CHANGE]} would change access"
    )
    changes = [outcome for outcome in imported.outcomes if outcome.effect is ImportEffect.CHANGE]
    console.notes(first((line for change in changes for line in _lines(change)), _CHANGES_SHOWN, "line"))
    shares = imported.pull_access
    share = f", {100 * shares.granted // shares.all} %" if shares.all else ""
    console.note(f"pull access: {shares.granted} of {shares.all} as grants{share}")
    if imported.outsiders:
        who = listed(imported.outsiders, 8)
        console.note(f"left out, as nobody has named them: {who}; see outsider in the spec, or use --ours")
    kinds = Counter(note.kind for notes in imported.notes.values() for note in notes)
    if kinds:
        console.note("comments: " + ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())))
    if imported.left_out:
        console.note(f"{count(len(imported.left_out), 'target')} left out: see the end of the spec")
    unlisted = [*_unlisted(estate)]
    for what in unlisted:
        console.note(f"NOT READ, so the spec lacks {what}; docs/import.md#1-import says what reading takes")
    if unlisted:
        return Exit.ERROR
    return Exit.DIFFERENT if changes else Exit.FINE


def _lines(outcome: Outcome) -> list[str]:
    marked = [*(f"  + {text}" for text in outcome.gained), *(f"  - {text}" for text in outcome.lost)]
    return [f"{outcome.address}:", *marked]


def import_to_json(imported: Imported, *, in_file: bool) -> dict[str, Any]:
    """The JSON form."""
    numbers = Counter(outcome.effect for outcome in imported.outcomes)
    return {
        "spec": None if in_file else imported.text,
        "documents": {name: numbers[effect] for name, effect in _COUNTED.items()},
        "changes": [
            {"document": str(outcome.address), "gained": list(outcome.gained), "lost": list(outcome.lost)}
            for outcome in imported.outcomes
            if outcome.effect is ImportEffect.CHANGE
        ],
        "pullAccess": {"all": imported.pull_access.all, "granted": imported.pull_access.granted},
        "notes": [
            {"target": target, "kind": note.kind, "what": note.what, "instead": note.instead, "accept": note.accept}
            for target, notes in sorted(imported.notes.items())
            for note in notes
        ],
        "leftOut": list(imported.left_out),
        "outsiders": list(imported.outsiders),
    }


IMPORT = Verb(
    "ecr-warden import --example\n"
    "  ecr-warden import --profile ci=ci-read --profile registry=registry-read \\\n"
    "    -o access.yaml",
    (
        ours_argument("these accounts and whoever --spec or the hub's spec names"),
        argument("-o", "--output", metavar="FILE", help="write the spec to a new file; default: stdout"),
        *source_arguments(hub="what the hub has read of the accounts; the names of the accounts are those of its spec"),
    ),
    _run,
    "Writes a spec of the policies of some accounts: grants where grants say exactly what the policies say, literal "
    "documents where not, and comments on what looks wrong. Its mode is observe. A summary on stderr says what "
    "enforcing it would change: exit code 0 if nothing changes access, 2 if something would, 1 if some was not read.",
)
