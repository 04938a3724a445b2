"""Which ends of grants (`until`) people hear of now: pure judgement over the accepted spec and the clock."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ecr_warden.core.desired import GrantEnd
from ecr_warden.repair.alerts import EndMoment

_BEFORE = {EndMoment.WEEK: timedelta(days=7), EndMoment.DAY: timedelta(days=1), EndMoment.ENDED: timedelta()}


def reached(
    ends: Iterable[GrantEnd], since: datetime, now: datetime
) -> tuple[tuple[EndMoment, tuple[GrantEnd, ...]], ...]:
    """The ends of which a moment has come after `since`; of several moments of one end only the last."""
    found: dict[EndMoment, list[GrantEnd]] = {}
    for end in ends:
        passed = [moment for moment, before in _BEFORE.items() if since + before < end.until <= now + before]
        if passed:
            found.setdefault(passed[-1], []).append(end)
    return tuple((moment, tuple(found[moment])) for moment in _BEFORE if moment in found)
