"""What live documents lack of grants that are only observed, where they share documents with enforced ones."""

from collections.abc import Iterator
from copy import replace
from datetime import datetime

from ecr_warden.core.desired import TargetSpec
from ecr_warden.core.drift import Drift
from ecr_warden.core.observed import Observation
from ecr_warden.repair.diff import diff


def observed_drift(
    spec: TargetSpec, observation: Observation, drifts: tuple[Drift, ...], now: datetime
) -> Iterator[Drift]:
    """What the live documents lack of the observed grants, where they are otherwise as they should be."""
    if not spec.observed:
        return
    known = {drift.address for drift in drifts}
    for drift in diff(replace(spec, documents=spec.granted), observation, now=now):
        if drift.address in spec.observed and drift.address not in known:
            yield drift
