"""The Outcomes port on an EventBridge bus."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from ecr_warden.adapters.aws.errors import HUB, translated
from ecr_warden.model.alert import Alert, SpecAccepted, SpecRefused
from ecr_warden.model.codec.alerts import alert_to_json
from ecr_warden.model.codec.base import dumps
from ecr_warden.model.outcome import RunReport
from ecr_warden.ports import Throttled

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "ecr-warden"
# PutEvents takes 256 KB for an entry with all its parts.
_DETAIL_BYTES = 250_000


@dataclass(frozen=True, slots=True)
class EventBridgeOutcomes:
    """Announcements as events: source `ecr-warden`, detail-type `Run`, `SpecAccepted` or `SpecRefused`."""

    client: "EventBridgeClient"
    bus: str

    def publish(self, alert: Alert) -> None:
        detail = dumps(alert_to_json(alert))
        if len(detail) > _DETAIL_BYTES and isinstance(alert, RunReport):
            detail = dumps(alert_to_json(without_documents(alert)))
        entry = {"Source": SOURCE, "DetailType": _detail_type(alert), "Detail": detail, "EventBusName": self.bus}
        with translated(HUB, "announcing an outcome"):
            answer = self.client.put_events(Entries=[entry])  # type: ignore[list-item]
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode", "")
            raise Throttled(f"the outcomes bus did not take an event: {code}", retryable=True)


def _detail_type(alert: Alert) -> str:
    match alert:
        case RunReport():
            return "Run"
        case SpecAccepted():
            return "SpecAccepted"
        case SpecRefused():
            return "SpecRefused"
        case _:
            assert_never(alert)


def without_documents(report: RunReport) -> RunReport:
    """A report too large for an event, without pre-images: the journal has them."""
    small = {change: replace(change, before=None) for change in report.plan.changes}
    outcomes = tuple(replace(outcome, change=small[outcome.change]) for outcome in report.outcomes)
    return replace(report, plan=replace(report.plan, changes=tuple(small.values())), outcomes=outcomes)
