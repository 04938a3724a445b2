"""`status` and `grants`: what the hub remembers of its targets, and whom the accepted spec gives access."""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ecr_warden.audit.finding import Condition, ConditionStatus, RepositoryHealth
from ecr_warden.audit.finding_texts import place_name
from ecr_warden.core.desired import Mode
from ecr_warden.core.grant import Grant
from ecr_warden.core.job import short_name
from ecr_warden.core.pause import Pause
from ecr_warden.hub.queries import grants_reply
from ecr_warden.hub.reply import GrantsReply, StatusReply
from ecr_warden.hub.request import AskGrants, AskStatus
from ecr_warden.notify.wording import describe_address
from ecr_warden.notify.writers import tool_of
from ecr_warden.state.fight import Fight
from ecr_warden.state.target_status import Standing, TargetStatus
from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, UsageError, Verb
from ecr_warden_cli.estate_input import ReadFrom, add_source, asking_hub, source_of
from ecr_warden_cli.findings_text import show_access
from ecr_warden_cli.grants import concerning, similar
from ecr_warden_cli.hub import (
    add_hub_arguments,
    add_selection,
    checked,
    expect,
    json_of,
    say_unread,
    selection_of,
    speak,
)
from ecr_warden_cli.inputs import load_bytes, read_spec
from ecr_warden_cli.naming import in_full
from iam_access.text.nearest import advice
from iam_access.text.printable import and_more, count, listed, show_time

_TARGETS_SHOWN, _NAMES_SHOWN = 40, 3
_MANY = 5
"""Repositories for which a condition of the same reason is said once."""
_MOST_URGENT_FIRST = (Standing.DIFFERS, Standing.UNKNOWN, Standing.PENDING, Standing.OK)
_STYLES = {Standing.OK: Style.GOOD, Standing.UNKNOWN: Style.BAD}


def _add_status_arguments(parser: argparse.ArgumentParser) -> None:
    add_selection(parser, required=False)
    add_hub_arguments(parser)


def _status(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line per target, as far as there is room, then the totals; no account is read."""
    reply = expect(StatusReply, speak(arguments, context).ask(AskStatus(selection_of(arguments))))
    words = [status.standing for status in reply.targets]
    if arguments.json:
        form = json_of(reply)
        for entry, word in zip(form["targets"], words, strict=True):
            entry["status"] = word.value
        context.console.answer(form)
    else:
        _show(reply, words, context)
    if Standing.UNKNOWN in words or reply.unread:
        return Exit.ERROR
    is_proved = all(one.health.proved.status is not ConditionStatus.FALSE for one in reply.repositories)
    return Exit.FINE if {*words} <= {Standing.OK} and not reply.troubles and is_proved else Exit.DIFFERENT


def _show(reply: StatusReply, words: list[Standing], context: Context) -> None:
    console = context.console
    for trouble in reply.troubles:
        console.line(str(trouble), Style.BAD)
    for pause, held in pauses_of(reply.targets):
        console.line(f"{pause} ({count(held, 'target')})", Style.ODD)
    standings = {status.target: word for status, word in zip(reply.targets, words, strict=True)}
    untrue = {one.target: [*_untrue(one.health, standings.get(one.target))] for one in reply.repositories}
    shared = _shared(untrue)
    for kind, found in shared.items():
        console.line(_of_many(kind, found, len(untrue)), Style.ODD)
    own = {target: [one for one in found if _kind(*one) not in shared] for target, found in untrue.items()}
    shown = _most_urgent(reply.targets, standings, own)
    for status in shown:
        _show_target(status, standings[status.target], own.get(status.target, ()), context)
    if rest := standings.keys() - {status.target for status in shown}:
        numbers = Counter(standings[target] for target in rest)
        counts = ", ".join(f"{numbers[word]} {word}" for word in Standing if numbers[word])
        every = "all of them: ecr-warden status --json, some: ecr-warden status TARGET"
        console.line(f"{and_more(len(rest), 'target')} ({counts}); {every}", Style.ODD)
    for left in reply.left:
        console.line(str(left), Style.ODD)
    if reply.left_more:
        console.line(f"{and_more(reply.left_more, 'document')} left open", Style.ODD)
    say_unread(reply.unread, context)
    show_access(reply.access, context, whole="ecr-warden status --json, ecr-warden report --hub")
    for note in reply.notes:
        console.line(note, Style.ODD)
    if reply.mode is Mode.OBSERVE:
        console.line("the spec says mode: observe, so the hub reports and writes nothing", Style.ODD)
    paused = sum(status.pause is not None for status in reply.targets)
    counts = ", ".join(f"{words.count(word)} {word}" for word in Standing)
    console.line(f"{count(len(words), 'target')}: {counts}; {paused} paused; spec {reply.version}", Style.HEADING)


def _show_target(
    status: TargetStatus, word: Standing, conditions: Sequence[tuple[str, Condition]], context: Context
) -> None:
    console = context.console
    looked = _last_look(status)
    looked += ", paused" if status.pause is not None else ""
    console.line(f"{word:<8}  {status.target}{looked}", _STYLES.get(word, Style.ODD))
    for name, condition in conditions:
        since = f"{name} {condition.status} since {show_time(condition.since)}"
        console.line(f"          {since}: {condition.message} ({condition.reason})", Style.ODD)
    for fight in status.fights:
        console.line(f"          {_fight(fight)}", Style.BAD)
    if status.open_run is not None:
        console.line(f"          run {status.open_run} has not ended", Style.ODD)


def _most_urgent(
    targets: Sequence[TargetStatus],
    standings: Mapping[str, Standing],
    conditions: Mapping[str, Sequence[tuple[str, Condition]]],
) -> Sequence[TargetStatus]:
    """All targets in their order, or as many as are shown: fights first, then by what is wrong."""
    if len(targets) <= _TARGETS_SHOWN:
        return targets

    def urgency(status: TargetStatus) -> tuple[bool, int, bool]:
        place = _MOST_URGENT_FIRST.index(standings[status.target])
        return not status.fights, place, not conditions.get(status.target)

    return sorted(targets, key=urgency)[:_TARGETS_SHOWN]


type _Kind = tuple[str, ConditionStatus, str]
"""A condition, its status and its reason."""


def _kind(name: str, condition: Condition) -> _Kind:
    return name, condition.status, condition.reason


def _shared(
    untrue: Mapping[str, Sequence[tuple[str, Condition]]],
) -> Mapping[_Kind, Sequence[tuple[str, Condition]]]:
    """What is the same for many repositories, each with its condition."""
    found: defaultdict[_Kind, list[tuple[str, Condition]]] = defaultdict(list)
    for target, conditions in untrue.items():
        for name, condition in conditions:
            found[_kind(name, condition)].append((target, condition))
    return {kind: those for kind, those in found.items() if len(those) >= _MANY}


def _of_many(kind: _Kind, found: Sequence[tuple[str, Condition]], repositories: int) -> str:
    """`Proved unknown of all 217 repositories since ..: there was no proof yet (NotProved)`."""
    name, status, reason = kind
    names = [place_name(target) for target, _ in found]
    whose = f"{count(len(found), 'repository')} ({listed(names, _NAMES_SHOWN)})"
    whose = f"all {count(len(found), 'repository')}" if len(found) == repositories else whose
    since = show_time(min(condition.since for _, condition in found))
    messages = [*dict.fromkeys(condition.message for _, condition in found)]
    said = f"{name} {status} of {whose} since {since}"
    if len(messages) == 1:
        return f"{said}: {messages[0]} ({reason})"
    # What is wrong with who has access is listed as findings, each once.
    example = "" if status is ConditionStatus.FALSE else f", for example {names[0]}: {messages[0]}"
    return f"{said} ({reason}){example}"


def _fight(fight: Fight) -> str:
    """`FIGHT over its repository policy since ..: 41 repairs, last at ..; writer: ..`."""
    about = f"FIGHT over its {describe_address(fight.address)} since {show_time(fight.since)}"
    done = f"{count(fight.repairs, 'repair')}, last at {show_time(fight.last)}"
    return f"{about}: {done}; writer: {short_name(fight.writer)} ({tool_of(fight.writer)})"


def _untrue(health: RepositoryHealth, word: Standing | None) -> Iterator[tuple[str, Condition]]:
    """The conditions of a repository that do not hold; of InSync its own line says the most."""
    if health.in_sync.status is not ConditionStatus.TRUE and word is Standing.OK:
        yield "InSync", health.in_sync
    for name, condition in (("Proved", health.proved), ("Fresh", health.fresh)):
        if condition.status is not ConditionStatus.TRUE:
            yield name, condition


def pauses_of(targets: Sequence[TargetStatus]) -> list[tuple[Pause, int]]:
    """Each pause and its number of targets, the longest-lasting first."""
    by_id = {status.pause.id: status.pause for status in targets if status.pause is not None}
    counts = Counter(status.pause.id for status in targets if status.pause is not None)
    return [(pause, counts[pause.id]) for pause in sorted(by_id.values(), key=lambda pause: pause.until, reverse=True)]


def _last_look(status: TargetStatus) -> str:
    """What the last run or sweep found, and when."""
    if status.last is None:
        return ""
    if status.due:
        ended = f"its last run ended {status.last.result}" if status.last.result else "no run has ended"
        return f", the sweep found drift at {show_time(status.last.at)} ({ended})"
    return f", {status.last.result or 'no result'} at {show_time(status.last.at)}"


def _grants(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print one line per grant, by repository; DIFFERENT if none is about what was asked for. No account is read."""
    console, now = context.console, context.clock.now()
    every = reply = _read_grants(arguments, context)
    about = arguments.about
    if about is not None:
        reply = concerning(every, in_full(checked(about), every.accounts))
    code = Exit.DIFFERENT if about is not None and not (reply.grants or reply.literals) else Exit.FINE
    ended = [grant.until is not None and grant.until <= now for grant in reply.grants]
    if arguments.json:
        form = json_of(reply)
        for entry, is_over in zip(form["grants"], ended, strict=True):
            entry["ended"] = is_over
        console.answer(form)
        return code
    if code is Exit.DIFFERENT:
        near = advice(f'"{one}"' for one in similar(every, about))
        console.line(f'no grant of the spec is about "{about}"; {near}ecr-warden grants lists all', Style.ODD)
    heading, width = "", max((len(grant.access) for grant in reply.grants), default=0)
    for grant, is_over in zip(reply.grants, ended, strict=True):
        if grant.repository != heading:
            heading = grant.repository
            console.line(heading + (f" (except {', '.join(grant.excluded)})" if grant.excluded else ""), Style.HEADING)
        console.line(f"  {grant.access:<{width}}  {_line(grant, is_over)}", Style.FAINT if is_over else None)
    if reply.literals:
        console.line("literal documents; the access they give is not listed above:", Style.ODD)
        for address in reply.literals:
            console.line(f"  {address}")
    over = f", {sum(ended)} ended" if any(ended) else ""
    console.line(f"{count(len(reply.grants), 'grant')}{over}; spec {reply.version}", Style.HEADING)
    return code


def _read_grants(arguments: argparse.Namespace, context: Context) -> GrantsReply:
    """The grants of the spec that is named, or of the one that the hub has accepted; raises Failure."""
    match source_of(arguments):
        case ReadFrom.HUB:
            with asking_hub(arguments, context) as client:
                return expect(GrantsReply, client.ask(AskGrants()))
        case ReadFrom.SPEC if not arguments.profile:
            data = read_spec(arguments.spec, context.stdin)
            return grants_reply(load_bytes(data, arguments.spec, context).compiled.version, data)
        case _:
            remedy = "give --hub or --spec SPEC alone; who-can says who has access in the accounts"
            raise UsageError("grants are of a spec, and no account is read", remedy=remedy)


def _line(grant: Grant, is_over: bool) -> str:
    through = f" through {grant.through}" if grant.through else ""
    word = ", ended at" if is_over else " until"
    until = f"{word} {show_time(grant.until)}" if grant.until else ""
    return f"{grant.who}{through}{until}"


STATUS = Verb(
    "ecr-warden status --hub-region eu-central-1",
    _add_status_arguments,
    _status,
)


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
