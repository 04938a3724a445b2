"""`grants`: whom a spec gives access."""

import argparse

from ecr_warden.core.codec.base import to_json
from ecr_warden.core.grant import Grant
from ecr_warden.hub.selecting import NothingAccepted
from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, UsageError, Verb
from ecr_warden_cli.estate_input import ReadFrom, add_source, asking_hub, source_of
from ecr_warden_cli.grants import GrantList, concerning, grants_in, similar
from ecr_warden_cli.hub import accepted_version, checked, text_of
from ecr_warden_cli.inputs import load_bytes, load_compiled
from ecr_warden_cli.naming import in_full
from iam_access.text.nearest import advice
from iam_access.text.printable import count, show_time


def _grants(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line per grant, by repository; DIFFERENT if none is about what was asked for. No account is read."""
    console, now = context.console, context.clock.now()
    every = found = _read_grants(arguments, context)
    about = arguments.about
    if about is not None:
        found = concerning(every, in_full(checked(about), every.accounts))
    code = Exit.DIFFERENT if about is not None and not (found.grants or found.literals) else Exit.FINE
    ended = [grant.until is not None and grant.until <= now for grant in found.grants]
    if arguments.json:
        form = to_json(found)
        for entry, is_over in zip(form["grants"], ended, strict=True):
            entry["ended"] = is_over
        console.answer(form)
        return code
    if code is Exit.DIFFERENT:
        near = advice(f'"{one}"' for one in similar(every, about))
        console.line(f'no grant of the spec is about "{about}"; {near}ecr-warden grants lists all', Style.ODD)
    heading, width = "", max((len(grant.access) for grant in found.grants), default=0)
    for grant, is_over in zip(found.grants, ended, strict=True):
        if grant.repository != heading:
            heading = grant.repository
            console.line(heading + (f" (except {', '.join(grant.excluded)})" if grant.excluded else ""), Style.HEADING)
        console.line(f"  {grant.access:<{width}}  {_line(grant, is_over)}", Style.FAINT if is_over else None)
    if found.literals:
        console.line("literal documents; the access they give is not listed above:", Style.ODD)
        for address in found.literals:
            console.line(f"  {address}")
    over = f", {sum(ended)} ended" if any(ended) else ""
    console.line(f"{count(len(found.grants), 'grant')}{over}; spec {found.version}", Style.HEADING)
    return code


def _read_grants(arguments: argparse.Namespace, context: Context) -> GrantList:
    """The grants of the spec that is named, or of the one that the hub has accepted; raises Failure."""
    match source_of(arguments):
        case ReadFrom.HUB:
            with asking_hub(arguments, context) as client:
                kept = accepted_version(client)
                if kept is None:
                    raise NothingAccepted
                valid = load_bytes(text_of(kept, client.hub), "the accepted version", context)
                return grants_in(kept.version, valid.spec)
        case ReadFrom.SPEC if not arguments.profile:
            valid = load_compiled(arguments.spec, context)
            return grants_in(valid.compiled.version, valid.spec)
        case _:
            remedy = "give --hub or --spec SPEC alone; who-can says who has access in the accounts"
            raise UsageError("grants are of a spec, and no account is read", remedy=remedy)


def _line(grant: Grant, is_over: bool) -> str:
    through = f" through {grant.through}" if grant.through else ""
    word = ", ended at" if is_over else " until"
    until = f"{word} {show_time(grant.until)}" if grant.until else ""
    return f"{grant.who}{through}{until}"


def _add_grants_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "about",
        metavar="REPOSITORY | PRINCIPAL",
        nargs="?",
        help="a repository's name, a pattern of names ('shop/*'), an image, ALIAS:user/NAME, ALIAS:role/NAME, an ARN, "
        "or the ID of an account or organization; default: all",
    )
    add_source(parser, hub="the version of the spec that the hub accepted")


GRANTS = Verb(
    "ecr-warden grants shop/checkout --hub-region eu-central-1\n"
    "  ecr-warden grants ci:user/push-user --spec examples/seed/access.yaml",
    _add_grants_arguments,
    _grants,
)
