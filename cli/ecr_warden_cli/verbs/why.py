"""`why`: which grant gives somebody access to a repository, since when, by whom, and whether the policies give it."""

import argparse
from collections.abc import Callable, Iterator
from copy import replace
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec import Spec, Valid
from ecr_warden.audit.health import Involved
from ecr_warden.audit.prove import is_left
from ecr_warden.audit.repaired import as_repaired
from ecr_warden.core.codec.base import to_json
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import Actor, short_name
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.hub.reply import StatusReply
from ecr_warden.hub.request import AskStatus
from ecr_warden.state.decisions import AuditKind
from ecr_warden.state.target_status import Standing
from ecr_warden_cli.access import can_i, find_subject, question
from ecr_warden_cli.console import Console, Exit, Style
from ecr_warden_cli.context import Context, Failure, UsageError, Verb
from ecr_warden_cli.estate_input import estate_from
from ecr_warden_cli.hub import HubClient, add_hub_arguments, expect, open_hub
from ecr_warden_cli.inputs import load_bytes
from ecr_warden_cli.spec_edit import Access, LiteralDocument, NoSuchRepository, Source, covers, literal_place, sources
from ecr_warden_cli.spec_story import FIRST, Log, read_log
from ecr_warden_cli.verbs.snapshot import kept_estate
from iam_access.arn import iam_arn, parse_arn
from iam_access.errors import WardenError
from iam_access.text.nearest import advice, nearest
from iam_access.text.printable import cut, show_time
from iam_access.who_can.decide import Answer

_ACCESSES: tuple[Access, ...] = ("pull", "push")
_MOST_VERSIONS = 50


type _Story = tuple[Callable[[str], tuple[str, Valid]], Log]
"""What reads a version's text, and the audit log."""


class Since(Struct, frozen=True):
    """The version with which a grant came: when it was accepted and by whom, and who uploaded it, where known.

    `earlier`: it may have come earlier, because older versions could not be read.
    """

    version: str
    at: datetime | None
    accepted_by: Actor | None
    uploaded_by: Actor | None
    earlier: bool


class _Why(Struct, frozen=True):
    """What is known of one access; `unknown`: why the policies do not answer."""

    access: Access
    answer: Answer
    unknown: str
    grants: tuple[Source, ...]
    since: Since | None


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("principal", metavar="PRINCIPAL", help="ALIAS:user/NAME or ALIAS:role/NAME, or the ARN")
    parser.add_argument("repository", metavar="REPOSITORY", help="its name, if unique, or ACCOUNT/REGION/NAME")
    add_hub_arguments(parser)


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Read the accepted version and those before it, the audit log, and the estate that the hub has kept."""
    hub = open_hub(arguments, context)
    client = HubClient(hub, context.console)
    with context.console.doing("the hub and S3 are asked"):
        log = read_log(client)
        if not log.accepted:
            raise Failure("no version of the spec is accepted yet", remedy="upload one: ecr-warden publish FILE")

        @cache
        def read(version: str) -> tuple[str, Valid]:
            data = hub.spec(version)
            return data.decode("utf-8-sig"), load_bytes(data, f"version {version}", context)

        accepted = read(log.accepted)[1]
        who, arn = _names(arguments.principal, accepted.spec)
        target = _target(arguments.repository, accepted.spec)
        found_graph = _graph(client, target, accepted.compiled, context)
        graph, read_at = found_graph if isinstance(found_graph, tuple) else (found_graph, None)
        found = [_why(access, (who, arn), target, graph, (read, log)) for access in _ACCESSES]
    if arguments.json:
        age = {"readAt": None if read_at is None else show_time(read_at)}
        context.console.answer({"principal": arn, "repository": str(target), "accesses": [*map(_to_json, found)]} | age)
    else:
        for one in found:
            _show(one, who, target, log.accepted, context.console)
        if read_at is not None:
            context.console.note(f"by the policies as the hub has read them since {show_time(read_at)}")
    return Exit.FINE if any(one.grants for one in found) else Exit.DIFFERENT


def _names(text: str, spec: Spec) -> tuple[str, str]:
    """A user or role as the spec writes it, and its ARN."""
    arn = parse_arn(text)
    alias, _, rest = text.partition(":")
    for account in spec.accounts:
        if arn is not None and arn.account == account.id:
            return f"{account.alias}:{arn.resource}", text
        if arn is None and alias == account.alias and rest.startswith(("user/", "role/")):
            return text, iam_arn(account.id, rest)
    remedy = "write ALIAS:user/NAME or ALIAS:role/NAME with an alias of the spec"
    raise UsageError(f"{text!a:.100} is no user or role in an account of the accepted spec", remedy=remedy)


def _target(text: str, spec: Spec) -> RepositoryTarget:
    """The repository, in the first account and region whose entries are about it."""
    aliases = {account.id: account.alias for account in spec.accounts}
    for entry in spec.repositories:
        for one in entry.targets:
            names = [text.removeprefix(f"{name}/{one.region}/") for name in (one.account, aliases[one.account])]
            name = min(names, key=len)
            target = RepositoryTarget(one.account, one.region, name)
            if covers(entry, target):
                return target
    if (place := literal_place(text, spec)) is not None:
        message = f"the policy of {cut(text, 300)} is a literal document, access.yaml:{place.line}, which has no grants"
        raise LiteralDocument(message, remedy="ecr-warden can-i says whom it lets in")
    near = advice(nearest(text, sorted({one.name for entry in spec.repositories for one in entry.targets}), most=3))
    remedy = f"{near}see ecr-warden grants"
    raise NoSuchRepository(f"no entry of the accepted spec is about {text!a:.100}", remedy=remedy)


def _graph(
    client: HubClient, target: RepositoryTarget, accepted: CompiledSpec, context: Context
) -> tuple[RepositoryGraph, datetime] | WardenError:
    """What the hub has read last, asked for now, and the age of its oldest part.

    What its runs wrote since then is in it, of each target that is in sync and that somebody repairs.
    """
    involved = {target.key: target} | {one.key: one for one in Involved(accepted).of(target)}
    try:
        estate = estate_from(kept_estate(client), None, context)
        status = expect(StatusReply, client.ask(AskStatus(tuple(involved))))
    except WardenError as error:
        return error
    seen = {one.target.lower(): one for one in status.targets}

    def is_live(key: str) -> bool:
        found = seen.get(key.lower())
        is_ok = found is not None and found.standing is Standing.OK
        return not is_ok or found is None or is_left(accepted, involved[key], found)

    now = replace(estate, taken_at=context.clock.now())
    return RepositoryGraph(as_repaired(now, accepted, is_live)), estate.taken_at


def _why(
    access: Access,
    names: tuple[str, str],
    target: RepositoryTarget,
    graph: RepositoryGraph | WardenError,
    story: _Story,
) -> _Why:
    answer, unknown = _answer(access, names[1], target, graph)
    grants, since = _grants(access, names[0], target, story)
    return _Why(access, answer, unknown, grants, since)


def _answer(
    access: Access, arn: str, target: RepositoryTarget, graph: RepositoryGraph | WardenError
) -> tuple[Answer, str]:
    if isinstance(graph, WardenError):
        return Answer.UNKNOWN, graph.message
    try:
        asked = question(graph, access, f"{target.account}/{target.region}/{target.name}")
        return can_i(graph, find_subject(graph, arn), asked).answer, ""
    except WardenError as error:
        return Answer.UNKNOWN, error.message


def _grants(
    access: Access, who: str, target: RepositoryTarget, story: _Story
) -> tuple[tuple[Source, ...], Since | None]:
    """The grants of the accepted version, and the oldest of the versions in a row that have any."""
    read, log = story
    now: tuple[Source, ...] = ()
    first, earlier = "", True
    for version in islice(_accepted(log), _MOST_VERSIONS):
        try:
            text, loaded = read(version)
        except WardenError:
            break
        found = sources(text, loaded.spec, access, target, who)
        if version == log.accepted:
            now = found
        if not found:
            earlier = False
            break
        first = version
        earlier = not any(one.id == version and one.text.startswith(FIRST) for one in log.entries)
    return now, _since(first, log, earlier=earlier) if now else None


def _accepted(log: Log) -> Iterator[str]:
    """The versions that were in force, from the accepted one back."""
    yield log.accepted
    entries = [entry for entry in log.entries if entry.kind is AuditKind.SPEC_ACCEPTED]
    newest = next((number for number, entry in enumerate(entries) if entry.id == log.accepted), len(entries))
    yield from (entry.id for entry in entries[newest + 1 :])


def _since(version: str, log: Log, *, earlier: bool) -> Since:
    accepted = [one for one in log.entries if one.kind is AuditKind.SPEC_ACCEPTED and one.id == version]
    published = [one for one in log.entries if one.kind is AuditKind.PUBLISHED and one.text == version]
    at, by = (accepted[-1].at, accepted[-1].by) if accepted else (None, None)
    return Since(version, at, by, published[-1].by if published else None, earlier)


def _to_json(one: _Why) -> dict[str, Any]:
    since = one.since
    return {
        "access": one.access,
        "answer": one.answer.value,
        "unknown": one.unknown,
        "grants": [
            {"line": at.line, "column": at.column, "name": at.name, "role": at.role, "teamLine": at.team_line or None}
            for at in one.grants
        ],
        "since": None
        if since is None
        else {
            "version": since.version,
            "at": None if since.at is None else show_time(since.at),
            "acceptedBy": None if since.accepted_by is None else to_json(since.accepted_by),
            "uploadedBy": None if since.uploaded_by is None else to_json(since.uploaded_by),
            "earlier": since.earlier,
        },
    }


_STYLES = {Answer.YES: Style.GOOD, Answer.NO: Style.BAD}


def _show(one: _Why, who: str, target: RepositoryTarget, accepted: str, console: Console) -> None:
    because = f": {one.unknown}" if one.unknown else ""
    console.line(f"{one.answer.value:<13}{who} {one.access} {target.name}{because}", _STYLES.get(one.answer, Style.ODD))
    for at in one.grants:
        role = f" through {at.role}" if at.role else ""
        team = f", a team with this member (line {at.team_line})" if at.team_line else ""
        console.line(f"{'':<13}by access.yaml:{at.line}:{at.column} of version {accepted}{role}: {at.name}{team}")
    if one.since is not None:
        for line in _since_lines(one.since):
            console.line(f"{'':<13}{line}")
    if not one.grants:
        console.line(f"{'':<13}no grant of the accepted spec names them")


def _since_lines(since: Since) -> Iterator[str]:
    at = "" if since.at is None else f", accepted at {show_time(since.at)}"
    by = f" by {short_name(since.accepted_by)}" if since.accepted_by is not None else ""
    yield f"since version {since.version}{at}{by}" + (", or earlier" if since.earlier else "")
    if since.uploaded_by is None:
        yield "the hub does not know who uploaded that version"
    else:
        yield f"which {short_name(since.uploaded_by)} uploaded"


WHY = Verb(
    "ecr-warden why ci:user/push-user shop/checkout --hub-region eu-central-1",
    _add_arguments,
    _run,
)
