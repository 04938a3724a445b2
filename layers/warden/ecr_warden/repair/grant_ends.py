"""Which ends of grants (`until`) people hear of now: pure judgement over the accepted spec and the clock."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ecr_warden.core.desired import GrantEnd
from ecr_warden.repair.alerts import EndMoment
from iam_access.gather import gather

_BEFORE = {EndMoment.WEEK: timedelta(days=7), EndMoment.DAY: timedelta(days=1), EndMoment.ENDED: timedelta()}


def reached(
    ends: Iterable[GrantEnd], since: datetime, now: datetime
) -> tuple[tuple[EndMoment, tuple[GrantEnd, ...]], ...]:
    """The ends of which a moment has come after `since`; of several moments of one end only the last."""

    def passed(end: GrantEnd) -> list[EndMoment]:
        return [moment for moment, before in _BEFORE.items() if since + before < end.until <= now + before]

    found = gather((moments[-1], end) for end in ends if (moments := passed(end)))
    return tuple((moment, tuple(found[moment])) for moment in _BEFORE if moment in found)
