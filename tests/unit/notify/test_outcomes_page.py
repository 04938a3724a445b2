"""docs/schema: an example of each kind of alert, in the very form that is published, and of a run in the journal."""

import json
import re

from ecr_warden.core.codec.runs import report_to_json, run_report_from_json
from ecr_warden.notify.aws_bus import detail_of
from ecr_warden.notify.kinds import KINDS, alert_from_json
from ecr_warden.repair.run_ended import run_ended
from tests.template.cfn import ROOT

RUN = json.loads((ROOT / "docs/schema/runs.example.json").read_text())
EXAMPLES = json.loads((ROOT / "docs/schema/outcomes.examples.json").read_text())


def test_each_kind_has_its_section_and_its_example() -> None:
    page = (ROOT / "docs/schema/outcomes.md").read_text()
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == [*EXAMPLES]


def test_a_run_is_shown_as_it_is_journalled_and_as_it_is_announced() -> None:
    run = run_report_from_json(RUN)
    assert report_to_json(run) == RUN
    assert json.loads(detail_of(run_ended(run))[1]) == EXAMPLES["Run"]


def test_each_kind_of_alert_is_shown_as_it_is_published() -> None:
    alerts = {name: alert_from_json(example) for name, example in EXAMPLES.items()}
    published = {kind: json.loads(detail) for kind, detail in map(detail_of, alerts.values())}
    assert published == EXAMPLES
    assert {type(alert) for alert in alerts.values()} == set(KINDS)
