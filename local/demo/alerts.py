"""What people were told: every repair, by its run, and the first run's outcomes in one message."""

from contextlib import suppress

from local.demo.attack import Ring
from local.demo.chat import Message, as_it_looks
from local.demo.journal import Run
from local.waiting import NeverCame, until


def show(ring: Ring, run: Run) -> None:
    """The alert of a run, as a chat shows it; of somebody who did the same a moment ago it is gathered."""
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
    """Wait for what is gathered; then each repair must have been told, and each version in one message."""
    chat, report = ring.stage.chat, ring.report

    def missing() -> list[str]:
        gone = [f"run {run.id} on {run.target}" for run in ring.repairs if _telling(ring, run) is None]
        return gone + [f"version {version}" for version in versions if not chat.telling_of(version)]

    with suppress(NeverCame):  # what is missing is said below
        until(lambda: not missing(), what="an alert")
    told = f"{len(ring.repairs)} repairs, {len(versions)} versions, {len(chat.messages)} alerts"
    report.check("each repair is told", not missing(), f"{told}; missing: {missing() or 'none'}")
    first = [message for message in chat.telling_of(f"Version: {versions[0]}") if "spec accepted" in message.text]
    one = len(first) == 1 and "5 targets rolled out" in first[0].text
    report.check("the first run is one message", one, "; ".join(m.text.splitlines()[0] for m in first) or "no message")
    report.alerts = len(chat.messages)


def _telling(ring: Ring, run: Run) -> Message | None:
    return next(iter(ring.stage.chat.telling_of(run.id)), None)
