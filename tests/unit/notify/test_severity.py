"""How soon a person should look: each case a sentence, and the table of tests/cases/severity.yaml."""

from copy import replace
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.finding import Certainty, Finding, FindingGroup, FindingKind
from ecr_warden.collect.alerts import Unlisted
from ecr_warden.core.alert import Alert
from ecr_warden.core.desired import Mode
from ecr_warden.core.job import Cause, CauseKind
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.core.result import Result, Severity, highest
from ecr_warden.core.run import Applied, RunReport
from ecr_warden.notify import kinds
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import NOTHING, TO_DO
from ecr_warden.repair.alerts import OwnChanged
from ecr_warden.repair.run_ended import run_ended
from ecr_warden.repair.severity import severity_of_run
from ecr_warden.state.hold import Hold, HoldState, OfVersion
from ecr_warden.versions.alerts import HoldSettled
from iam_access.delta.delta import AccessDelta, PermissionDelta
from iam_access.document.document import Document, Effect, parse_document
from local.testing.seed import (
    CHECKOUT,
    D1,
    PUSHER,
    document,
    plan_for,
    reading,
    spec_of,
)
from tests import tables
from tests.unit.notify.reports import (
    ATTACHED,
    CI,
    EVENT,
    HOME,
    NOW,
    OUTSIDER,
    PULL,
    REOPENED,
    RUN,
    SPEC,
    SPEC_PUSH,
    SWEEP,
    allows,
    pulls,
    repository_drift,
    run_report,
    unexpected_drift,
)
from tests.unit.repair.live import PLACES, live_of

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
KEPT = f"arn:aws:iam::{CI}:user/pull-user-1"
FOREIGN = pulls(KEPT, f"arn:aws:iam::{OUTSIDER}:user/mallory")

# What no page of golden/ shows.
CASES: dict[str, tuple[Alert | RunReport, Severity]] = {
    "a user of the target's own account that could pull": (
        run_report(repository_drift(pulls(KEPT, f"arn:aws:iam::{HOME}:user/x"))),
        WARNING,
    ),
    "an attached policy on the push role": (run_report(ATTACHED), CRITICAL),
    "ended sessions that were reopened before the spec changed": (run_report(REOPENED, cause=SPEC), CRITICAL),
    "ended sessions found reopened after a run of ours": (run_report(REOPENED, cause=RUN), CRITICAL),
    "an unknown policy on a user": (run_report(unexpected_drift(allows("ecr:BatchGetImage"))), WARNING),
    "a new spec version that could not be applied": (
        run_report(repository_drift(None), cause=SPEC, result=Result.FAILED),
        CRITICAL,
    ),
    "an event that changed nothing": (run_report(result=Result.IN_SYNC), INFO),
    "a change of ecr-warden's own role by an unknown caller": (
        OwnChanged(replace(EVENT, actor=None), HOME, "role ecr-warden-write"),
        CRITICAL,
    ),
    "lists that are explicitly denied to ecr-warden": (
        Unlisted(SWEEP, "v2", ("user/1/*: denied",), ("explicitly-denied", "throttled")),
        CRITICAL,
    ),
    "lists on which ecr-warden itself crashes": (
        Unlisted(SWEEP, "v2", ("user/1/*: failed",), ("crashed",)),
        CRITICAL,
    ),
}


def severity(it: Alert | RunReport) -> Severity:
    """That of an alert, or of a run."""
    return severity_of_run(it) if isinstance(it, RunReport) else kinds.severity(it)


@pytest.mark.parametrize("name", CASES)
def test_severity(name: str) -> None:
    alert, expected = CASES[name]
    assert severity(alert) is expected


def test_a_principal_of_an_account_of_the_spec_is_no_outsider() -> None:
    alert = run_report(repository_drift(pulls(KEPT, f"arn:aws:iam::{CI}:user/other")))
    assert severity(replace(alert, accounts=(HOME,))) is CRITICAL
    assert severity(alert) is WARNING


@pytest.mark.parametrize("result", Result)
def test_only_runs_that_end_in_sync_are_information(result: Result) -> None:
    found = severity(run_report(result=result, outcomes=()))
    assert (found is INFO) == (result in (Result.IN_SYNC, Result.CONVERGED))


def _policy(*statements: dict[str, object]) -> Document:
    return parse_document({"Version": "2012-10-17", "Statement": [{"Action": list(PULL), **s} for s in statements]})


ALLOW: dict[str, object] = {"Effect": "Allow", "Principal": {"AWS": KEPT}}


def test_a_removed_deny_does_not_let_in_those_it_named() -> None:
    desired = _policy(ALLOW, {"Effect": "Deny", "Principal": {"AWS": OUTSIDER}})
    assert severity(run_report(repository_drift(_policy(ALLOW), desired))) is WARNING


def test_the_highest_of_none_is_info() -> None:
    assert highest([]) is INFO
    assert highest([WARNING, INFO, CRITICAL, WARNING]) is CRITICAL


def test_a_run_is_rated_once() -> None:
    rated = run_report(repository_drift(FOREIGN))
    rated = replace(
        rated,
        severity=CRITICAL,
        plan=replace(rated.plan, drifts=tuple(replace(d, access=None) for d in rated.plan.drifts)),
    )
    assert severity(rated) is CRITICAL
    assert severity(replace(rated, severity=None)) is WARNING


def test_what_cannot_be_rated_is_critical() -> None:
    """No text in an account may end a run between its writes and its report."""
    unheard_of = PermissionDelta(Effect.ALLOW, None, 7, "*")  # type: ignore[arg-type]
    drift = replace(unexpected_drift(SPEC_PUSH), access=AccessDelta((unheard_of,)))
    assert severity(run_report(drift)) is CRITICAL


TABLES: dict[str, list[dict[str, Any]]] = tables.load((Path(__file__).parents[2] / "cases/severity.yaml").read_text())
TABLE, FOUND, DECIDED = TABLES["cases"], TABLES["findings"], TABLES["decided"]
CAUSES = {
    "sweep": Cause(CauseKind.SWEEP, "s-1"),
    "spec": Cause(CauseKind.SPEC, "v2"),
    "run": Cause(CauseKind.RUN, "r-0"),
    "command": Cause(CauseKind.CALLER, "c-1", "reconcile"),
}


def test_the_names_of_the_table_are_unique() -> None:
    assert len({case["name"] for case in TABLE}) == len(TABLE)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: str(case["name"]))
def test_the_table(case: dict[str, Any]) -> None:
    rated = severity(_report(case))
    assert rated is Severity(case["severity"])
    assert severity(replace(_report(case), severity=rated)) is rated


@pytest.mark.parametrize("case", TABLE, ids=lambda case: str(case["name"]))
def test_the_table_says_whether_somebody_may_have_got_in_who_is_not_ours(case: dict[str, Any]) -> None:
    assert run_ended(_report(case)).lets_in is case.get("lets_in", case["severity"] == "critical")


@pytest.mark.parametrize("case", FOUND, ids=[case["name"] for case in FOUND])
def test_the_findings_of_the_table(case: dict[str, Any]) -> None:
    certainty = Certainty(case.get("certainty", "yes"))
    finding = Finding(FindingKind(case["kind"]), HOME, certainty=certainty, foreign=case.get("foreign", False))
    mild = Finding(FindingKind.MISSING, HOME)
    groups = tuple(FindingGroup(one, ("pull",), (HOME,), NOW) for one in (mild, finding))
    assert severity(AccessAudited(SWEEP, "v1", groups)) == case["severity"]
    assert severity(AccessAudited(SWEEP, "v1", ended=groups)) is INFO


@pytest.mark.parametrize("case", DECIDED, ids=[case["name"] for case in DECIDED])
def test_what_became_of_a_version_is_rated_by_what_it_gives(case: dict[str, Any]) -> None:
    why = tuple(WaitReason(WaitCode(code), "because") for code in case["why"])
    held = Hold(OfVersion("v2", "v1", ("a", "b", "c")), "version v2", why, NOW, NOW, state=HoldState(case["state"]))
    alert = HoldSettled(EVENT, held)
    assert severity(alert) == case["severity"]
    has_to_look = severity(alert) is not INFO
    assert any(field.label == TO_DO and field.text != NOTHING for field in message_of([alert]).fields) is has_to_look


def _report(case: dict[str, Any]) -> RunReport:
    address = PLACES[case["at"]]
    spec = spec_of(CHECKOUT if address is D1 else PUSHER)
    if "spec" in case:
        spec = replace(spec, documents={**spec.documents, address: document(*case["spec"])})
    seen = reading(spec, live_of({case["at"]: case["live"]}))
    result = Result(case.get("result", "converged"))
    mode = Mode.OBSERVE if result is Result.REPORTED else Mode.ENFORCE
    plan = plan_for(spec, seen, mode=mode, version="v2")
    assert [drift.address for drift in plan.drifts] == [address]
    cause = CAUSES.get(case.get("cause", ""), replace(EVENT, action=case.get("cause", "ecr:SetRepositoryPolicy")))
    done = RunReport("r-1", cause, mode, result, plan, tuple(map(Applied, plan.changes)), NOW, NOW, (CI, HOME))
    return replace(done, again=case.get("again", False))
