"""Checks the alerts: every repair is reported by its run, and each version that was accepted."""

import re
from collections import Counter
from contextlib import suppress

from local.demo.attack import Ring
from local.demo.chat import Message, as_it_looks
from local.demo.journal import Run
from local.testing.waiting import NeverCame, until


def show(ring: Ring, run: Run) -> None:
    """Show the alert of a run as a chat does; it may be in one message with others."""
    try:
        message = until(lambda: _telling(ring, run), what=f"the alert of run {run.id}")
    except NeverCame as never:
        ring.report.check("an alert can be shown", False, str(never))
        return
    ring.report.screen.plain()
    for line in as_it_looks(message):
        ring.report.screen.plain(f"    \N{BOX DRAWINGS HEAVY VERTICAL} {line}".rstrip())
    ring.report.screen.plain()


def judge(ring: Ring, versions: tuple[str, ...]) -> None:
    """Wait for collected alerts; then each repair must be named or counted, and each version reported."""
    chat, report = ring.stage.chat, ring.report

    def missing() -> list[str]:
        gone = [f"run {run.id} on {run.target}" for run in _unreported(ring)]
        lacking = len(versions) - len(chat.telling_of("spec accepted"))
        return gone + ([f"{lacking} versions"] if lacking > 0 else [])

    with suppress(NeverCame):  # reported below
        until(lambda: not missing(), what="an alert")
    report.reported = len(ring.repairs) - len(_unreported(ring))
    seen = f"{report.reported} of {len(ring.repairs)} repairs, {len(versions)} versions, {len(chat.messages)} alerts"
    report.check("each repair is reported by its run", not missing(), f"{seen}; missing: {missing() or 'none'}")
    report.alerts = len(chat.messages)


def _unreported(ring: Ring) -> list[Run]:
    """The repairs that no message names by their run, except those that a message or an incident counts.

    A message that has collected many runs on one target names the first of them: `(runs A, B, and 3 more)`. What comes
    again is counted by its incident, until the message about its end.
    """
    unnamed = [run for run in ring.repairs if _telling(ring, run) is None]
    counted = Counter({target: _counted(ring, target) for target in {run.target for run in unnamed}})
    gone: list[Run] = []
    for run in unnamed:
        counted[run.target] -= 1
        gone += [run] if counted[run.target] < 0 else []
    return gone[sum(ring.stage.counted) + ring.stage.counting() :]


def _counted(ring: Ring, target: str) -> int:
    """How many runs on a target are counted in all messages without their names."""
    _, account, *_, name = target.split("/", 3 if target.startswith("repository/") else 2)
    line = re.compile(rf"^\s*\w+ {re.escape(name)} in {account}.*\(runs [^()]*, and (\d+) more\)$", re.MULTILINE)
    return sum(int(more) for message in ring.stage.chat.messages for more in line.findall(message.text))


def _telling(ring: Ring, run: Run) -> Message | None:
    return next(iter(ring.stage.chat.telling_of(run.id)), None)
