"""What stays of an announcement that is too long."""

from dataclasses import replace

from ecr_warden.adapters.aws.shorter import forms
from ecr_warden.model.outcome import RunReport

from tests.unit.alerting.reports import CI, HOME, OUTSIDER, allows, also, pulls, push_drift, report, repository_drift

EVE = f"arn:aws:iam::{OUTSIDER}:user/eve"
CROWD = [f"arn:aws:iam::{CI}:user/u{number:02}" for number in range(40)]
OTHERS = [allows(f"ecr:Action{number:02}") for number in range(40)]


def _third_form(made: RunReport) -> RunReport:
    _, _, bare, _ = forms(made)
    assert isinstance(bare, RunReport)
    return bare


def test_a_stranger_is_not_left_out_for_a_crowd() -> None:
    drift = repository_drift(pulls(*CROWD, EVE))
    [kept] = _third_form(replace(report(drift), accounts=(CI, HOME))).plan.drifts
    assert drift.access is not None and kept.access is not None
    assert len(kept.access.gained) < len(drift.access.gained)
    assert EVE in repr(kept.access.gained)


def test_a_power_is_not_left_out_for_a_crowd() -> None:
    [kept] = _third_form(report(push_drift(also(*OTHERS, allows("iam:PutRolePolicy"))))).plan.drifts
    assert "iam:putrolepolicy" in repr(kept.gained)
