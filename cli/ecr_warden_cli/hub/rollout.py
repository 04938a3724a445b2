"""What becomes of a version after its upload: accepted and rolled out, held, or refused."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any

from msgspec import Struct

from ecr_warden.core.result import Result
from ecr_warden.core.run import LastSeen
from ecr_warden.hub.reply import HistoryReply, StatusReply
from ecr_warden.hub.request import MAX_ENTRIES, AskHistory, AskStatus
from ecr_warden.state.history import HistoryKind
from ecr_warden.state.target_status import TargetStatus
from ecr_warden_cli.hub.client import HubClient, HubRefused, expect, looks, result_exit
from ecr_warden_cli.hub.spec_story import Fate, Log, Story, stories
from ecr_warden_cli.terminal.console import Console, Exit, Style, worst
from ecr_warden_cli.terminal.context import Context, Uploaded
from iam_access.text.printable import count, cut, first, show_time

_SHOWN = 20
_GONE = "no longer in the spec"
"""A target that is none any more: it had been removed, and has lost its access."""
_LOOKED_BACK = timedelta(days=1)
"""Further than any two clocks differ."""


class RollOut(Struct, frozen=True):
    """What became of a version."""

    story: Story
    hold: str = ""
    ended: Mapping[str, Result | None] = {}
    """How the run of each target that it changes ended, None of one that is gone."""
    waiting: Sequence[str] = ()
    """The targets whose runs have not ended."""

    @property
    def exit(self) -> Exit:
        """ERROR for what failed, was refused or did not end in time; DIFFERENT for what waits or is left."""
        match self.story.fate:
            case Fate.IN_FORCE:
                late = (Exit.ERROR,) if self.waiting else ()
                return worst(Exit.FINE, *late, *map(result_exit, self.ended.values()))
            case Fate.HELD:
                return Exit.DIFFERENT
            case _:
                return Exit.ERROR

    def to_json(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "fate": self.story.fate,
            "text": self.story.text,
            "hold": self.hold or None,
            "results": dict(self.ended),
            "missing": list(self.waiting),
        }

    def show(self, console: Console) -> None:
        """Print what happened."""
        version = f"version {self.story.version}"
        why = cut(self.story.text.removeprefix(f"{version} of the spec").lstrip("; :"), 500)
        match self.story.fate:
            case Fate.IN_FORCE:
                self._show_runs(version, console)
            case Fate.HELD:
                console.line(f"{version} waits for a person: {why}", Style.ODD)
                console.line(f"ecr-warden held {self.hold} shows who gains and who loses; then accept or reject it")
            case Fate.UNKNOWN:
                console.line(f"{version} was not processed in time: ecr-warden status says why", Style.BAD)
            case _:
                console.line(f"{version} was {self.story.fate}: {why}", Style.BAD)

    def _show_runs(self, version: str, console: Console) -> None:
        number, results = (
            len(self.ended) + len(self.waiting),
            Counter(result.words if result else _GONE for result in self.ended.values()),
        )
        ended = ", ".join(f"{many} {result}" for result, many in results.items())
        done = f"; of {count(number, 'target')} that it changes {len(self.ended)} reconciled: {ended}" if ended else ""
        since = f" since {show_time(self.story.since)}" if self.story.since is not None else ""
        console.line(f"{version} is in force{since}{done}", Style.GOOD if self.exit is Exit.FINE else Style.ODD)
        odd = [f"{target}: {result}" for target, result in self.ended.items() if result_exit(result) is not Exit.FINE]
        odd += (f"{target}: no run has ended yet" for target in self.waiting)
        console.lines((f"  {line}" for line in first(odd, _SHOWN, "target")), Style.ODD)
        if self.waiting:
            console.line("the runs go on: ecr-warden status shows how they end")


def last_looks(client: HubClient) -> dict[str, LastSeen | None]:
    """When each target was last looked at; empty before a version is accepted. Raises Failure."""
    return {target: status.last for target, status in _statuses(client).items()}


class Published(Struct, frozen=True):
    """A version that was uploaded, the targets that it changes, and what `last_looks` said before.

    That tells a run since the upload without comparing the clock of this machine with the hub's.
    """

    version: Uploaded
    changed: tuple[str, ...]
    before: Mapping[str, LastSeen | None]


def follow(client: HubClient, awaited: Published, context: Context, seconds: float) -> RollOut:
    """Wait until a version is decided on and the targets that it changes were reconciled, or the time is up."""
    waiting = looks(context.sleep, seconds)
    with context.console.doing("waiting for the hub to look at the version"):
        for _ in waiting:
            story, hold = _story(client, awaited.version, context)
            if story.fate is not Fate.UNKNOWN:
                break
    if story.fate is not Fate.IN_FORCE:
        return RollOut(story, hold)
    ended: dict[str, Result | None] = {}
    coming = _ends(client, awaited, ended, waiting)
    for _ in context.console.progress(coming, of=len(awaited.changed), doing="targets reconciled"):
        pass
    return RollOut(story, "", ended, [target for target in awaited.changed if target not in ended])


def _story(client: HubClient, version: Uploaded, context: Context) -> tuple[Story, str]:
    """The line of the hub's log on a version, and the ID of its hold."""
    since = context.clock.now() - _LOOKED_BACK
    reply = expect(HistoryReply, client.ask(AskHistory((), MAX_ENTRIES, since, None, runs=False)))
    accepted = any(entry.kind is HistoryKind.SPEC_ACCEPTED and entry.id == version.version for entry in reply.log)
    published = [Uploaded(entry.text, entry.at) for entry in reply.log if entry.kind is HistoryKind.PUBLISHED]
    at = next((upload.at for upload in published if upload.version == version.version), context.clock.now())
    later = [upload for upload in published if upload.at > at]
    *_, story = stories([*later, version], Log(reply.log, version.version if accepted else ""))
    kinds = (HistoryKind.HELD, HistoryKind.HOLD_REJECTED)
    return story, next((entry.id for entry in reply.log if entry.kind in kinds and entry.text == story.text), "")


def _ends(
    client: HubClient, awaited: Published, ended: dict[str, Result | None], looking: Iterator[None]
) -> Iterator[str]:
    """The targets as they are reconciled, which are entered in `ended`."""
    for _ in chain([None], looking):
        found = _statuses(client)
        for target in [target for target in awaited.changed if target not in ended]:
            status = found.get(target)
            if status is None:
                ended[target] = None
            elif status.open_run is None and not status.due and status.last not in (None, awaited.before.get(target)):
                ended[target] = status.last.result if status.last is not None else None
            if target in ended:
                yield target
        if len(ended) == len(awaited.changed):
            return


def _statuses(client: HubClient) -> dict[str, TargetStatus]:
    try:
        return {target.target: target for target in expect(StatusReply, client.ask(AskStatus())).targets}
    except HubRefused as error:
        if error.code != "nothing-accepted":
            raise
        return {}
