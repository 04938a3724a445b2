"""docs/schema/outcomes.md: an example of each kind of alert, in the very form that is published."""

import json
import re

from ecr_warden.notify.aws_bus import detail_of
from ecr_warden.notify.kinds import KINDS
from ecr_warden.notify.reading import alert_from_json
from tests.template.cfn import ROOT

EXAMPLES = {
    name: json.loads(detail)
    for name, detail in re.findall(
        r"^## (\w+)$.*?^```json$(.*?)^```$",
        (ROOT / "docs/schema/outcomes.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
}


def test_each_kind_of_alert_is_shown_as_it_is_published() -> None:
    alerts = {name: alert_from_json(example) for name, example in EXAMPLES.items()}
    published = {kind: json.loads(detail) for kind, detail in map(detail_of, alerts.values())}
    assert published == EXAMPLES
    assert {type(alert) for alert in alerts.values()} == set(KINDS)
