"""What changed documents give and lack, exactly and with examples: for people, never for a decision.

Plans are made and applied by structure alone. Explaining comes afterwards, so a failure costs only a sentence.
"""

import time
from collections.abc import Callable, Mapping
from copy import replace

from msgspec import Struct, field

from ecr_warden.core.address import Address
from ecr_warden.core.desired import DesiredValue, TargetSpec
from ecr_warden.core.drift import Compared, Drift, DriftKind
from ecr_warden.core.observed import Observation, Observed, Present
from ecr_warden.core.plan import Plan
from iam_access.delta.phrases import Relation
from iam_access.document.document import Document
from iam_access.errors import site_of

type Clock = Callable[[], float]
"""Seconds of processor time."""


class Explainer(Struct):
    """Explains plans while processor time is left; the last comparison may take as long as the engine lets it.

    `seconds`: for all plans together. It raises nothing: a drift that cannot be explained says so.
    """

    seconds: float
    clock: Clock = time.thread_time
    compare: Callable[[Drift, Document, Document], Compared] = field(default_factory=lambda: _compare)
    _since: float = 0

    def __post_init__(self) -> None:
        self._since = self.clock()

    def __call__(self, plan: Plan, spec: TargetSpec, observation: Observation) -> Plan:
        """The plan with the engine's examples for each changed document; it was made from `spec` and `observation`."""
        if not any(drift.kind is DriftKind.CHANGED for drift in plan.drifts):
            return plan
        drifts = (self._drift(one, spec.documents, observation.documents) for one in plan.drifts)
        return replace(plan, drifts=tuple(drifts))

    def _drift(
        self, drift: Drift, desired: Mapping[Address, DesiredValue], observed: Mapping[Address, Observed]
    ) -> Drift:
        match drift.kind, desired.get(drift.address), observed.get(drift.address):
            case DriftKind.CHANGED, Document() as wanted, Present(Document() as live):
                return self.drift(drift, wanted, live)
            case _:
                return drift

    def drift(self, drift: Drift, desired: Document, live: Document) -> Drift:
        """The drift of two documents with what the engine says about them."""
        if self.clock() - self._since > self.seconds:
            return _without(drift, "there was no time left to compare the documents")
        try:
            return replace(drift, compared=self.compare(drift, desired, live))
        except Exception as error:
            return _without(drift, f"ecr-warden failed to compare the documents ({site_of(error)})")


def _without(drift: Drift, reason: str) -> Drift:
    return replace(drift, compared=Compared(Relation.UNDECIDED, undecided=(f"{reason}; look at both documents",)))


def _compare(drift: Drift, desired: Document, live: Document) -> Compared:
    # Large to load, and most runs explain nothing.
    from iam_access.compare import compare  # noqa: PLC0415
    from iam_access.compare.budget import EXPLAINING, Budget, Deadline  # noqa: PLC0415
    from iam_access.compare.witnesses import phrase_for_all  # noqa: PLC0415

    kind, target = drift.address.document_kind, drift.address.target
    assert kind is not None
    deadline = Deadline()
    found = compare(live, desired, kind=kind, account=target.account, subject=target.name, deadline=deadline)
    budget = Budget(EXPLAINING, deadline)
    gained = tuple(phrase_for_all(witness, live, desired, kind=kind, budget=budget) for witness in found.gained)
    lost = tuple(phrase_for_all(witness, desired, live, kind=kind, budget=budget) for witness in found.lost)
    return Compared(found.relation, gained, lost, found.undecided)
