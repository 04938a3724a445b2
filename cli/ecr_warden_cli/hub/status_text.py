"""`status` in lines: what is wrong with the whole, then groups; what is in order is counted."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ecr_warden.audit.finding import Condition, ConditionStatus, RepositoryHealth
from ecr_warden.audit.finding_texts import place_name
from ecr_warden.core.desired import Mode
from ecr_warden.core.job import short_name
from ecr_warden.core.pause import Pause
from ecr_warden.core.result import Result
from ecr_warden.hub.reply import StatusReply
from ecr_warden.notify.wording import describe_address
from ecr_warden.notify.writers import tool_of
from ecr_warden.repair.fights import QUIET
from ecr_warden.state.fight import Fight
from ecr_warden.state.target_status import Standing, TargetStatus
from ecr_warden_cli.hub.client import say_unread
from ecr_warden_cli.hub.comparison import differ
from ecr_warden_cli.hub.condition_words import CONDITION_WORDS
from ecr_warden_cli.hub.findings_text import show_access
from ecr_warden_cli.hub.headline import headline, standings
from ecr_warden_cli.terminal.console import Style
from ecr_warden_cli.terminal.context import Context
from iam_access.gather import gather
from iam_access.text.printable import count, listed, show_time

_NAMED_SHOWN, _ALIKE_SHOWN, _NAMES_SHOWN = 40, 5, 3
"""Targets that somebody named and of a group that are shown one by one; names of a larger group."""
_MANY = 5
"""Repositories for which a condition of the same reason is said once."""
_MOST_URGENT_FIRST = (Standing.DIFFERS, Standing.UNKNOWN, Standing.PENDING, Standing.OK)
_STYLES = {Standing.OK: Style.GOOD, Standing.UNKNOWN: Style.BAD}


def show_status(reply: StatusReply, context: Context, *, is_named: bool) -> None:
    """Print the whole in a sentence, then what is wrong, then the totals.

    `is_named`: whether somebody asked for these targets, so that those in order are listed too.
    """
    console, now = context.console, context.clock.now()
    said, is_fine = headline(reply)
    console.line(said, Style.GOOD if is_fine else Style.BAD)
    console.lines(map(str, reply.troubles), Style.BAD)
    console.lines((f"{pause} ({count(paused, 'target')})" for pause, paused in _pauses(reply.targets)), Style.ODD)
    console.lines(map(_fight_line, _by_writer(reply.targets, now)), Style.BAD)
    words = standings(reply)
    _show_targets(reply, words, context, is_named=is_named)
    say_unread(reply.unread, context)
    show_access(reply.access, context, whole="ecr-warden status --json, ecr-warden report --hub")
    console.lines(reply.notes, Style.ODD)
    if reply.mode is Mode.OBSERVE:
        console.line("the spec says mode: observe, so the hub reports and writes nothing", Style.ODD)
    counted = Counter(words.values())
    counts = ", ".join(
        differ(counted[word]) if word is Standing.DIFFERS else f"{counted[word]} {word}" for word in Standing
    )
    suspended = sum(status.pause is not None for status in reply.targets)
    console.line(
        f"{count(len(reply.targets), 'target')}: {counts}; {suspended} paused; spec {reply.version}", Style.HEADING
    )


def _show_targets(reply: StatusReply, words: Mapping[str, Standing], context: Context, *, is_named: bool) -> None:
    """Print what is the same for many repositories once, then the targets in groups."""
    untrue = {
        repository.target: [*_untrue(repository.health, words.get(repository.target))]
        for repository in reply.repositories
    }
    shared = _shared(untrue)
    context.console.lines((_of_many(said, found, len(untrue)) for (said, _), found in shared.items()), Style.ODD)
    own = {target: [one for one in found if _kind(*one) not in shared] for target, found in untrue.items()}
    for word, alike in _groups(reply.targets, words, own):
        _show_group(word, alike, own, context, is_named=is_named)


type _Conditions = Mapping[str, Sequence[tuple[str, Condition]]]
"""The conditions of repositories that do not hold, each with its words, by target."""


def _groups(
    targets: Sequence[TargetStatus], words: Mapping[str, Standing], own: _Conditions
) -> list[tuple[Standing, list[TargetStatus]]]:
    """Targets that stand alike, the most urgent first; one with a condition of its own stands alone."""
    groups: defaultdict[tuple[object, ...], list[TargetStatus]] = defaultdict(list)
    for status in targets:
        word, alone = words[status.target], status.target if own.get(status.target) else ""
        looked = "" if word is Standing.OK else _looked(status)
        groups[word, looked, status.pause is not None, status.open_run or alone].append(status)
    by_word = [(words[alike[0].target], alike) for alike in groups.values()]
    return sorted(by_word, key=lambda group: _MOST_URGENT_FIRST.index(group[0]))


def _show_group(
    word: Standing, alike: Sequence[TargetStatus], own: _Conditions, context: Context, *, is_named: bool
) -> None:
    console, style = context.console, _STYLES.get(word, Style.ODD)
    odd = [
        target_status for target_status in alike if own.get(target_status.target) or target_status.open_run is not None
    ]
    most = _NAMED_SHOWN if is_named else len(odd) if word is Standing.OK else _ALIKE_SHOWN
    if len(alike) <= most:
        for status in alike:
            _show_target(status, word, own.get(status.target, ()), context)
        return
    first = alike[0]
    kinds = Counter(status.target.partition("/")[0] for status in alike)
    whose = ", ".join(count(number, kind) for kind, number in kinds.items())
    names = listed([_name(status.target) for status in alike], _NAMES_SHOWN)
    looked = _looked(first) + (", paused" if first.pause is not None else "")
    reads = [status.last.at for status in alike if status.last is not None]
    since = f", last read at {show_time(min(reads))} or later" if reads else ""
    console.line(f"{word:<8}  {whose}{'' if word is Standing.OK else f' ({names})'}{looked}{since}", style)
    console.lines(_why(first, "why, for example"), Style.ODD)


def _show_target(
    status: TargetStatus, word: Standing, conditions: Sequence[tuple[str, Condition]], context: Context
) -> None:
    console = context.console
    looked = _looked(status)
    looked += f" at {show_time(status.last.at)}" if status.last is not None else ""
    looked += ", and access is not as the spec says" if word is not status.standing else ""
    looked += ", paused" if status.pause is not None else ""
    console.line(f"{word:<8}  {status.target}{looked}", _STYLES.get(word, Style.ODD))
    for words, condition in conditions:
        console.line(f"          {words} since {show_time(condition.since)}: {condition.message}", Style.ODD)
    console.lines(_why(status, "why"), Style.ODD)
    if status.open_run is not None:
        console.line(f"          run {status.open_run} has not ended", Style.ODD)


def _name(target: str) -> str:
    """`shop/checkout`, `user pull-user-1`."""
    return (
        place_name(target)
        if target.startswith("repository/")
        else f"{target.partition('/')[0]} {target.rpartition('/')[2]}"
    )


def _looked(status: TargetStatus) -> str:
    """The result of the last run or sweep, in words."""
    if status.last is None:
        return ""
    if status.due:
        ended = f"its last run ended: {status.last.result.words}" if status.last.result else "no run has ended"
        return f", {ended}, the sweep found drift"
    return f", {status.last.result.words if status.last.result else 'no result'}"


def _why(status: TargetStatus, word: str) -> Iterator[str]:
    """The command that says why a target could not be repaired: its status has no reason."""
    if status.last is not None and status.last.result is Result.FAILED and status.last.run_id:
        yield f"          {word}: ecr-warden history {status.last.run_id}"


type _Kind = tuple[str, str]
"""A condition that does not hold, in words, and its reason."""


def _kind(words: str, condition: Condition) -> _Kind:
    return words, condition.reason


def _shared(untrue: _Conditions) -> Mapping[_Kind, Sequence[tuple[str, Condition]]]:
    """The conditions that many repositories have alike, each with one of them."""
    found = gather(
        (_kind(words, condition), (target, condition))
        for target, conditions in untrue.items()
        for words, condition in conditions
    )
    return {kind: those for kind, those in found.items() if len(those) >= _MANY}


def _of_many(words: str, found: Sequence[tuple[str, Condition]], repositories: int) -> str:
    """`access not known, all 217 repositories since ..: there was no audit yet`."""
    names = [place_name(target) for target, _ in found]
    whose = f"{count(len(found), 'repository')} ({listed(names, _NAMES_SHOWN)})"
    whose = f"all {count(len(found), 'repository')}" if len(found) == repositories else whose
    since = show_time(min(condition.since for _, condition in found))
    messages = [*dict.fromkeys(condition.message for _, condition in found)]
    example = f", for example {names[0]}" if len(messages) > 1 else ""
    return f"{words}, {whose} since {since}{example}: {messages[0]}"


def _untrue(health: RepositoryHealth, word: Standing | None) -> Iterator[tuple[str, Condition]]:
    """The conditions of a repository that do not hold, but for what its own line and the findings say."""
    compared, access, read = CONDITION_WORDS
    if health.in_sync.status is not ConditionStatus.TRUE and word is Standing.OK:
        yield f"with its users and roles {compared[health.in_sync.status]}", health.in_sync
    if health.audited.status is ConditionStatus.UNKNOWN:
        yield access[health.audited.status], health.audited
    if health.fresh.status is not ConditionStatus.TRUE:
        yield read[health.fresh.status], health.fresh


def _by_writer(targets: Sequence[TargetStatus], now: datetime) -> list[list[tuple[str, Fight]]]:
    """The fights that go on, those of one writer together, each with its target."""
    found = gather(
        (f"{short_name(fight.writer)} ({tool_of(fight.writer)})", (status.target, fight))
        for status in targets
        for fight in status.fights
        if now - fight.last <= QUIET or status.standing is not Standing.OK
    )
    return [*found.values()]


def _fight_line(fights: Sequence[tuple[str, Fight]]) -> str:
    """`FIGHT with ci of deploy (Terraform) over repository policy of shop/checkout since ..: 41 repairs, ..`."""
    _, first = fights[0]
    documents = [f"{describe_address(fight.address)} of {_name(target)}" for target, fight in fights]
    over = listed([*dict.fromkeys(documents)], _NAMES_SHOWN)
    since, last = min(fight.since for _, fight in fights), max(fight.last for _, fight in fights)
    repairs = count(sum(fight.repairs for _, fight in fights), "repair")
    writer = f"{short_name(first.writer)} ({tool_of(first.writer)})"
    return f"FIGHT with {writer} over {over} since {show_time(since)}: {repairs}, last at {show_time(last)}"


def _pauses(targets: Sequence[TargetStatus]) -> list[tuple[Pause, int]]:
    """Each pause and its number of targets, the longest-lasting first."""
    by_id = {status.pause.id: status.pause for status in targets if status.pause is not None}
    counts = Counter(status.pause.id for status in targets if status.pause is not None)
    return [(pause, counts[pause.id]) for pause in sorted(by_id.values(), key=lambda pause: pause.until, reverse=True)]
