"""Alerts on what a sweep found besides drift: what cannot be listed, lost events, the wiring."""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from typing import Any

from ecr_warden.alerting import wiring
from ecr_warden.alerting.delivery import TEXT, Collected, Routing
from ecr_warden.alerting.kinds.kind import PROBLEMS, Kind, few_texts
from ecr_warden.alerting.layout import Parts, listing
from ecr_warden.alerting.severity import highest
from ecr_warden.alerting.wording import describe_cause, describe_target
from ecr_warden.model.alert import Alert, EventMissed, Field, Unlisted, WiringChanged
from ecr_warden.model.drift import CRASHED, EXPLICITLY_DENIED
from ecr_warden.model.run import Severity
from ecr_warden.model.watch import HUB_PART, Wire
from ecr_warden.policy.printable import count, cut, few, show_time


class _Unlisted(Kind[Unlisted]):
    def severity(self, alert: Unlisted) -> Severity:
        return Severity.CRITICAL if {EXPLICITLY_DENIED, CRASHED} & {*alert.codes} else Severity.WARNING

    def route(self, alert: Unlisted) -> Routing:
        # Each account and region of a sweep has a job of its own.
        return Collected(alert.cause.incident)

    def describe(self, alerts: Sequence[Unlisted], *, is_follow_up: bool) -> Parts:
        places = count(sum(len(alert.problems) + alert.left_out for alert in alerts), "place")
        whole = super().describe(alerts, is_follow_up=is_follow_up)
        title = f"repositories, users or roles cannot be listed in {places}: their state is unknown"
        return Parts(title, whole.fields, whole.sections)

    def describe_one(self, alert: Unlisted) -> Parts:
        return Parts(
            "",
            [
                Field("Spec", alert.version),
                Field("Meanwhile", "sweeps cannot find there what the spec does not name; events are handled as usual"),
                Field("See", "ecr-warden verify --hub"),
            ],
            [listing("place", alert.problems, rest=alert.left_out)],
        )

    def shorter(self, alert: Unlisted) -> Iterator[Unlisted]:
        problems, left_out = few_texts(alert.problems, PROBLEMS, alert.left_out)
        yield replace(alert, problems=problems, left_out=left_out)


class _EventMissed(Kind[EventMissed]):
    def route(self, alert: EventMissed) -> Routing:
        return Collected(alert.cause.incident)

    def describe(self, alerts: Sequence[EventMissed], *, is_follow_up: bool) -> Parts:  # noqa: ARG002
        one = describe_target(alerts[0].target) if len(alerts) == 1 else count(len(alerts), "target")
        lines = [
            f"{describe_target(alert.target)}: {' or '.join(alert.calls)}, found at {show_time(alert.found)}"
            for alert in alerts
        ]
        return Parts(
            f"no event reported who changed {one}: the sweep found it",
            [
                Field("Why", "CloudTrail lost the event, or somebody keeps it from arriving"),
                Field("See", "ecr-warden status; docs/safety.md, The watcher is watched"),
            ],
            [listing("call", lines, title="Expected, and not reported within 20 minutes:")],
        )


class _WiringChanged(Kind[WiringChanged]):
    def severity(self, alert: WiringChanged) -> Severity:
        return highest([wiring.severity(wire) for wire in (*alert.broken, *alert.ended)])

    def route(self, alert: WiringChanged) -> Routing:
        # Each account and region of a sweep has a job of its own.
        return Collected(alert.cause.incident)

    def describe(self, alerts: Sequence[WiringChanged], *, is_follow_up: bool) -> Parts:
        whole = super().describe(alerts, is_follow_up=is_follow_up)
        broken = [wire for alert in alerts for wire in alert.broken]
        rest = sum(alert.left_out[0] for alert in alerts)
        ended = sum(len(alert.ended) + alert.left_out[1] for alert in alerts)
        return Parts(_title_of_wiring(broken, rest, ended), whole.fields, whole.sections)

    def describe_one(self, alert: WiringChanged) -> Parts:
        place = "the hub" if alert.part == HUB_PART else alert.part
        remedies = dict.fromkeys(filter(None, map(wiring.remedy, alert.broken)))
        broken, ended = alert.left_out
        return Parts(
            "",
            [
                Field("Where", place),
                Field("Found after", describe_cause(alert.cause)),
                Field("See", "ecr-warden status; docs/safety.md"),
            ],
            [
                listing("wire", [wiring.sentence(wire) for wire in alert.broken], rest=broken),
                listing("line", list(remedies)),
                listing("wire", [wire.name for wire in alert.ended], title="As it should be again:", rest=ended),
            ],
        )

    def shorter(self, alert: WiringChanged) -> Iterator[WiringChanged]:
        for most in (20, 3):
            broken, more_broken = few(alert.broken, most, alert.left_out[0])
            ended, more_ended = few(alert.ended, most, alert.left_out[1])
            broken = tuple(replace(wire, why=cut(wire.why, TEXT)) for wire in broken)
            yield replace(alert, broken=broken, ended=ended, left_out=(more_broken, more_ended))


def _title_of_wiring(broken: Sequence[Wire], rest: int, ended: int) -> str:
    if not broken:
        return f"{count(ended, 'thing')} through which ecr-warden works as it should again"
    if len(broken) == 1 and not rest:
        return wiring.sentence(broken[0])
    return f"{len(broken) + rest} things through which ecr-warden sees or works are not as they should be"


SWEEPS: Mapping[type[Alert], Kind[Any]] = {
    WiringChanged: _WiringChanged(),
    EventMissed: _EventMissed(),
    Unlisted: _Unlisted(),
}
