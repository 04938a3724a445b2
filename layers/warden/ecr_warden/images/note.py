"""Keeps who pushed to repositories of the spec, and announces what somebody pushed without a right."""

from collections.abc import Mapping, Sequence
from copy import replace

from msgspec import Struct

from ecr_warden.core.alert import AlertBus
from ecr_warden.core.clock import CLOCKS, Clock
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.failures import Throttled
from ecr_warden.core.target import RepositoryTarget, RoleTarget, target_named
from ecr_warden.images.alerts import alerts_of
from ecr_warden.images.judge import right_of
from ecr_warden.images.push import FIRST, ImageEvent, ImageRecords, Right, noted
from ecr_warden.state.accepted import AcceptedSpecs
from ecr_warden.state.state import State, TargetRecord

_TRIES = 5


class NoteImages(Struct, frozen=True):
    """The use case over its ports."""

    specs: AcceptedSpecs
    state: State
    records: ImageRecords
    alerts: AlertBus
    clock: Clock

    def note(self, repository: RepositoryTarget, events: Sequence[ImageEvent], *, is_first: bool) -> None:
        """Keep events on a repository of the spec, and announce what is new.

        `is_first`: they were not looked at before. Raises PortError.
        """
        accepted, replaced = self.specs.accepted(), self.specs.replaced()
        if accepted is None or accepted.spec_of(repository) is None:
            return
        named = {target_named(one.by.issuer) for one in events if one.by is not None}
        records = self.state.records([one for one in named if isinstance(one, RoleTarget)])
        judged = [
            _judged(
                replaced.spec if replaced is not None and one.at < replaced.at else accepted, repository, one, records
            )
            for one in events
        ]
        # A push concerns its own day alone.
        is_own = all(one.act == "pushed" for one in events)
        since = f"{min(one.at for one in events) - CLOCKS:%Y-%m-%d}" if is_own else FIRST
        for _ in range(_TRIES):
            before = self.records.days(repository, since)
            after = noted(before, judged, is_first=is_first)
            for alert in alerts_of(repository, before.values(), after.values()):
                # Published first: what is announced twice is sent once.
                if alert.images[0].right is not Right.NO or accepted.mode_of(repository) is not Mode.OBSERVE:
                    self.alerts.publish(alert)
            if all(
                self.records.keep(repository, name, replace(day, revision=day.revision + 1))
                for name, day in after.items()
                if day != before.get(name)
            ):
                return
        raise Throttled(f"the images of {repository} are being noted by others", retryable=True)


def _judged(
    spec: CompiledSpec, repository: RepositoryTarget, event: ImageEvent, records: Mapping[str, TargetRecord]
) -> ImageEvent:
    role, target = target_named(event.by.issuer if event.by else ""), spec.spec_of(repository)
    if event.act != "pushed" or target is None:
        return event
    record = records.get(role.key) if role is not None else None
    return replace(event, right=right_of(spec, target, event, record.debts.sessions if record else None))
