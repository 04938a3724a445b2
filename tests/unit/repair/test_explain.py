"""An explanation that fails or would take too long becomes a sentence, and nothing else changes."""

from copy import replace

import pytest

from ecr_warden.core.drift import Compared, Drift
from ecr_warden.core.plan import Plan
from ecr_warden.repair.explain import Explainer
from iam_access.delta.phrases import Relation
from iam_access.document.document import Document
from local.testing.seed import D2, D3, EVERYTHING, MORE_TRUST, PUSHER, plan_for, reading, spec_of

SPEC = spec_of(PUSHER)
SEEN = reading(SPEC, {D2: MORE_TRUST, D3: EVERYTHING})
PLAN: Plan = plan_for(SPEC, SEEN)
MORE = Compared(Relation.MORE)


class Ticking:
    """A second of processor time passes at each comparison."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def compare(self, _drift: Drift, _desired: Document, _live: Document) -> Compared:
        self.seconds += 1
        return MORE


def _said(plan: Plan) -> list[Compared | None]:
    return [drift.compared for drift in plan.drifts]


def _without_words(plan: Plan) -> Plan:
    return replace(plan, drifts=tuple(replace(drift, compared=None) for drift in plan.drifts))


def test_planning_explains_nothing() -> None:
    assert [drift.address for drift in PLAN.drifts] == [D3, D2]
    assert _said(PLAN) == [None, None]


@pytest.mark.parametrize("error", [ValueError("text of an attacker"), RecursionError(), MemoryError()])
def test_a_failing_engine_costs_a_sentence_without_the_error_text(error: Exception) -> None:
    def compare(*_: object) -> Compared:
        raise error

    explained = Explainer(60, compare=compare)(PLAN, SPEC, SEEN)
    assert _without_words(explained) == PLAN
    for compared in _said(explained):
        assert compared is not None
        assert compared.relation is Relation.UNDECIDED
        [reason] = compared.undecided
        where = f"{type(error).__name__} in test_explain.py, line "
        assert reason.startswith(f"ecr-warden failed to compare the documents ({where}")
        assert reason.endswith("); look at both documents")
        assert "text of an attacker" not in reason


def test_nothing_is_compared_once_no_time_is_left() -> None:
    ticking = Ticking()
    explain = Explainer(0.5, ticking.clock, ticking.compare)
    first, second = _said(explain(PLAN, SPEC, SEEN))
    assert first == MORE
    assert second is not None
    assert second.undecided == ("there was no time left to compare the documents; look at both documents",)
    assert ticking.seconds == 1


def test_plans_share_the_time() -> None:
    ticking = Ticking()
    explain = Explainer(2.5, ticking.clock, ticking.compare)
    assert _said(explain(PLAN, SPEC, SEEN)) == [MORE, MORE]
    assert _said(explain(PLAN, SPEC, SEEN))[0] == MORE
