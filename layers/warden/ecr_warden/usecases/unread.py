"""Lists that AWS did not give: told once, and again when the reason changes or had been gone."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ecr_warden.model.alert import Unlisted
from ecr_warden.model.job import Cause
from ecr_warden.model.target import Target
from ecr_warden.ports.alerts import AlertBus
from ecr_warden.ports.errors import PortError
from ecr_warden.ports.state import State, TargetRecord

PROBLEMS_TOLD = 50


@dataclass(frozen=True, slots=True)
class TellUnread:
    """The use case over its ports. Sweeps of one part never run side by side, so no lease guards what was told."""

    state: State
    alerts: AlertBus

    def __call__(
        self,
        cause: Cause,
        version: str,
        asked: Iterable[tuple[Target, PortError | None]],
        remembered: Mapping[str, TargetRecord],
    ) -> None:
        """Tell of lists by what asking AWS for each of them came to; `version`: the accepted spec's.

        `asked`: by what stands for all that a list would have had. A process that dies in between tells twice, never
        not at all.
        """
        marks: list[tuple[Target, str | None]] = []
        unread: list[tuple[Target, PortError]] = []
        for listed, error in asked:
            told = remembered.get(listed.key, TargetRecord()).reported
            mark = None if error is None else _mark(error)
            if mark != told:
                marks.append((listed, mark))
                unread += [] if error is None else [(listed, error)]
        if unread:
            problems = tuple(f"{listed}: {error}" for listed, error in unread[:PROBLEMS_TOLD])
            codes = tuple(sorted({error.code for _, error in unread}))
            self.alerts.publish(Unlisted(cause, version, problems, codes, len(unread) - len(problems)))
        for listed, mark in marks:
            self.state.note_reported(listed, mark)


def _mark(error: PortError) -> str:
    """What a standing error is recognised by: AWS's message names a request or a session, never the same twice."""
    return hashlib.sha256(f"{error.code}\n{error.remedy}".encode()).hexdigest()[:32]
