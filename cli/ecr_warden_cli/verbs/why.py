"""`why`: which grant gives somebody access to a repository, since when, by whom, and whether the policies give it."""

import argparse
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from msgspec import Struct

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.access_spec import Spec, Valid
from ecr_warden.audit.words import unread_text
from ecr_warden.core.codec.base import to_json
from ecr_warden.core.job import Actor, short_name
from ecr_warden.core.selection import is_pattern
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.state.history import HistoryKind
from ecr_warden_cli.access import can_i, find_subject, question
from ecr_warden_cli.console import Console, Exit, Style
from ecr_warden_cli.context import Context, Failure, UsageError, Verb
from ecr_warden_cli.estate_input import ReadFrom, add_source, asking_hub, hub_graph, open_estate, source_of
from ecr_warden_cli.hub import text_of
from ecr_warden_cli.inputs import load_bytes, name_of, read_spec
from ecr_warden_cli.naming import in_full
from ecr_warden_cli.spec_edit import Access, Source, covers, literal_place, sources
from ecr_warden_cli.spec_story import FIRST, Log, read_log
from iam_access.arn import iam_arn, parse_arn
from iam_access.errors import NamedError
from iam_access.text.nearest import advice, nearest
from iam_access.text.printable import cut, show_time
from iam_access.who_can.decide import Answer

_ACCESSES: tuple[Access, ...] = ("pull", "push")
_MOST_VERSIONS = 50
_ASKING = "reading versions and policies"


class _Versions(Struct, frozen=True):
    """The version that is in force, and the log of those before it; None where there is only a file.

    `read`: the text of a version. `file`, `version`: how the lines of the text are named.
    """

    spec: Valid
    read: Callable[[str], tuple[str, Valid]]
    log: Log | None
    file: str = "access.yaml"
    version: str = ""


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
    parser.add_argument(
        "repository", metavar="REPOSITORY", help="its name, if unique, ACCOUNT/REGION/NAME, or an image"
    )
    add_source(parser)


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    if is_pattern(arguments.repository):
        remedy = f"name one; ecr-warden grants '{cut(arguments.repository, 80)}' lists those of several"
        raise UsageError("why is about one repository", remedy=remedy)
    if source_of(arguments) is ReadFrom.HUB:
        return _of_hub(arguments, context)
    if not arguments.spec:
        raise UsageError("why is about a grant of a spec", remedy="add --spec SPEC, or ask the hub with --hub")
    if arguments.spec == "-":
        raise UsageError("the lines of a spec are those of its file", remedy="give the path of the spec")
    text = read_spec(arguments.spec, context.stdin).decode("utf-8-sig", errors="replace")
    asked = open_estate(arguments, context)
    assert asked.spec is not None
    spec = asked.spec
    versions = _Versions(spec, lambda _: (text, spec), None, name_of(arguments.spec))
    return _say(arguments, asked.graph, None, versions, context)


def _of_hub(arguments: argparse.Namespace, context: Context) -> Exit:
    """Read the accepted version and those before it, the history log, and the estate that the hub has kept."""
    with asking_hub(arguments, context) as client, context.console.doing(_ASKING):
        hub = client.hub
        log = read_log(client)
        kept = log.kept
        if kept is None:
            raise Failure("no version of the spec is accepted yet", remedy="upload one: ecr-warden apply FILE")

        @cache
        def read(version: str) -> tuple[str, Valid]:
            data = text_of(kept, hub) if version == kept.version else hub.spec(version)
            return data.decode("utf-8-sig"), load_bytes(data, f"version {version}", context)

        accepted = read(kept.version)[1]
        versions = _Versions(accepted, read, log, version=kept.version)
        graph: RepositoryGraph | NamedError
        try:
            graph, began = hub_graph(client, accepted.compiled, context)
            read_at = min(began.values(), default=None)
        except NamedError as error:  # the grants are known all the same
            graph, read_at = error, None
    return _say(arguments, graph, read_at, versions, context)


def _say(
    arguments: argparse.Namespace,
    graph: RepositoryGraph | NamedError,
    read_at: datetime | None,
    versions: _Versions,
    context: Context,
) -> Exit:
    spec = versions.spec.spec
    who, arn = _names(arguments.principal, spec)
    target = _target(in_full(arguments.repository, spec.ids), spec, versions.file)
    with context.console.doing(_ASKING):
        found = [_why(access, (who, arn), target, graph, versions) for access in _ACCESSES]
    if arguments.json:
        age = {"readAt": None if read_at is None else show_time(read_at)}
        context.console.answer({"principal": arn, "repository": str(target), "accesses": [*map(_to_json, found)]} | age)
    else:
        for why in found:
            _show(why, who, target, versions, context.console)
        if read_at is not None:
            context.console.note(f"by the policies as the hub has read them since {show_time(read_at)}")
    if any(why.answer is Answer.UNKNOWN for why in found):
        return Exit.ERROR
    return Exit.FINE if any(why.grants for why in found) else Exit.DIFFERENT


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
    raise UsageError(f"{text!a:.100} is no user or role in an account of the spec", remedy=remedy)


def _target(text: str, spec: Spec, file: str) -> RepositoryTarget:
    """The repository, in the first account and region whose entries are about it."""
    aliases = spec.aliases
    for entry in spec.repositories:
        for repository_target in entry.targets:
            names = [
                text.removeprefix(f"{name}/{repository_target.region}/")
                for name in (repository_target.account, aliases[repository_target.account])
            ]
            name = min(names, key=len)
            target = RepositoryTarget(repository_target.account, repository_target.region, name)
            if covers(entry, target):
                return target
    if (place := literal_place(text, spec)) is not None:
        message = f"the policy of {cut(text, 300)} is a literal document, {file}:{place.line}, which has no grants"
        raise Failure(message, code="literal-document", remedy="ecr-warden can-i says whom it lets in")
    near = advice(nearest(text, sorted({one.name for entry in spec.repositories for one in entry.targets}), most=3))
    remedy = f"{near}see ecr-warden grants"
    raise Failure(f"no entry of the spec is about {text!a:.100}", code="no-such-repository", remedy=remedy)


def _why(
    access: Access,
    names: tuple[str, str],
    target: RepositoryTarget,
    graph: RepositoryGraph | NamedError,
    versions: _Versions,
) -> _Why:
    answer, unknown = _answer(access, names[1], target, graph)
    grants, since = _grants(access, names[0], target, versions)
    return _Why(access, answer, unknown, grants, since)


def _answer(
    access: Access, arn: str, target: RepositoryTarget, graph: RepositoryGraph | NamedError
) -> tuple[Answer, str]:
    if isinstance(graph, NamedError):
        return Answer.UNKNOWN, graph.message
    try:
        asked = question(graph, access, f"{target.account}/{target.region}/{target.name}")
        found = can_i(graph, find_subject(graph, arn), asked)
    except NamedError as error:
        return Answer.UNKNOWN, error.message
    return found.answer, "; ".join(map(unread_text, found.path.unread)) if found.path else ""


def _grants(
    access: Access, who: str, target: RepositoryTarget, versions: _Versions
) -> tuple[tuple[Source, ...], Since | None]:
    """The grants of the accepted version, and the oldest of the versions in a row that have any."""
    read, log = versions.read, versions.log
    if log is None:
        text, loaded = read("")
        return sources(text, loaded.spec, access, target, who), None
    now: tuple[Source, ...] = ()
    first, earlier = "", True
    for version in islice(_accepted(log), _MOST_VERSIONS):
        try:
            text, loaded = read(version)
        except NamedError:
            break
        found = sources(text, loaded.spec, access, target, who)
        if version == log.accepted:
            now = found
        if not found:
            earlier = False
            break
        first = version
        earlier = not any(entry.id == version and entry.text.startswith(FIRST) for entry in log.entries)
    return now, _since(first, log, earlier=earlier) if now else None


def _accepted(log: Log) -> Iterator[str]:
    """The versions that were in force, from the accepted one back."""
    yield log.accepted
    entries = [entry for entry in log.entries if entry.kind is HistoryKind.SPEC_ACCEPTED]
    newest = next((number for number, entry in enumerate(entries) if entry.id == log.accepted), len(entries))
    yield from (entry.id for entry in entries[newest + 1 :])


def _since(version: str, log: Log, *, earlier: bool) -> Since:
    accepted = [entry for entry in log.entries if entry.kind is HistoryKind.SPEC_ACCEPTED and entry.id == version]
    published = [entry for entry in log.entries if entry.kind is HistoryKind.PUBLISHED and entry.text == version]
    at, by = (accepted[-1].at, accepted[-1].by) if accepted else (None, None)
    return Since(version, at, by, published[-1].by if published else None, earlier)


def _to_json(why: _Why) -> dict[str, Any]:
    since = why.since
    return {
        "access": why.access,
        "answer": why.answer.value,
        "unknown": why.unknown,
        "grants": [
            {"line": at.line, "column": at.column, "name": at.name, "role": at.role, "teamLine": at.team_line or None}
            for at in why.grants
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


def _show(why: _Why, who: str, target: RepositoryTarget, versions: _Versions, console: Console) -> None:
    because = f": {why.unknown}" if why.unknown else ""
    console.line(f"{why.answer.value:<13}{who} {why.access} {target.name}{because}", _STYLES.get(why.answer, Style.ODD))
    version = f" of version {versions.version}" if versions.version else ""
    for at in why.grants:
        role = f" through {at.role}" if at.role else ""
        team = f", a team with this member (line {at.team_line})" if at.team_line else ""
        console.line(f"{'':<13}by {versions.file}:{at.line}:{at.column}{version}{role}: {at.name}{team}")
    if why.since is not None:
        for line in _since_lines(why.since):
            console.line(f"{'':<13}{line}")
    if not why.grants:
        console.line(f"{'':<13}no grant of the spec names them")


def _since_lines(since: Since) -> Iterator[str]:
    at = "" if since.at is None else f", accepted at {show_time(since.at)}"
    by = f" by {short_name(since.accepted_by)}" if since.accepted_by is not None else ""
    yield f"since version {since.version}{at}{by}" + (", or earlier" if since.earlier else "")
    if since.uploaded_by is None:
        yield "the hub does not know who uploaded that version"
    else:
        yield f"which {short_name(since.uploaded_by)} uploaded"


WHY = Verb(
    "ecr-warden why ci:user/pull-user-1 shop/checkout --hub-region eu-central-1\n"
    "  ecr-warden why ci:user/push-user shop/checkout \\\n"
    "    --spec examples/seed/access.yaml --snapshot examples/who-can/estate.json",
    _add_arguments,
    _run,
)
