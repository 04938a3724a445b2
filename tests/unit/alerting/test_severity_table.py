"""The table of severities: what is planned for a live document, rated as a run rates it."""

from collections.abc import Mapping
from copy import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ecr_warden.alerting.kinds import severity
from ecr_warden.model.address import Address
from ecr_warden.model.desired import Mode
from ecr_warden.model.job import Cause, CauseKind
from ecr_warden.model.observed import Absent, LiveValue, Observed, TargetMissing
from ecr_warden.model.run import Applied, Result, RunReport, Severity
from ecr_warden.planning.explain import Explainer
from ecr_warden.planning.planner import Circumstances, make_plan

from local.testing.seed import (
    CHECKOUT,
    CI,
    D1,
    D2,
    D3,
    HOME,
    PUSHER,
    ROLE,
    SETTINGS,
    document,
    reading,
    spec_of,
    unparseable,
)
from tests.unit.alerting.reports import EVENT, NOW

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[2] / "cases/severity.yaml").read_text())["cases"]
PLACES: Mapping[str, Address] = {"repository": D1, "trust": D2, "push": D3, "settings": ROLE}
CAUSES = {
    "sweep": Cause(CauseKind.SWEEP, "s-1"),
    "spec": Cause(CauseKind.SPEC, "v2"),
    "run": Cause(CauseKind.RUN, "r-0"),
    "command": Cause(CauseKind.CALLER, "c-1", "apply"),
}


def test_names_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_severity_of(case: dict[str, Any]) -> None:
    rated = severity(_report(case))
    assert rated is Severity(case["severity"])
    assert severity(replace(_report(case), severity=rated)) is rated


def _report(case: dict[str, Any]) -> RunReport:
    address = PLACES[case["at"]]
    spec = spec_of(CHECKOUT if address is D1 else PUSHER)
    if "spec" in case:
        spec = replace(spec, documents={**spec.documents, address: document(*case["spec"])})
    seen = reading(spec, {address: _live(case["live"])})
    result = Result(case.get("result", "converged"))
    mode = Mode.OBSERVE if result is Result.REPORTED else Mode.ENFORCE
    plan = make_plan(spec, seen, spec_version="v2", mode=mode, circumstances=Circumstances(now=NOW))
    assert [drift.address for drift in plan.drifts] == [address]
    cause = CAUSES.get(case.get("cause", ""), replace(EVENT, action=case.get("cause", "ecr:SetRepositoryPolicy")))
    plan = Explainer(60)(plan, spec, seen)
    return RunReport("r-1", cause, mode, result, plan, tuple(map(Applied, plan.changes)), NOW, NOW, (CI, HOME))


def _live(given: list[dict[str, Any]] | str) -> Observed | LiveValue:
    match given:
        case "absent":
            return Absent()
        case "owner-missing":
            return TargetMissing()
        case "unparseable":
            return unparseable()
        case str():
            name, value = given.split(" ")
            if name == "session":
                return replace(SETTINGS, max_session_duration=int(value))
            return replace(SETTINGS, boundary=None if value == "none" else value)
        case _:
            return document(*given)
