"""Alerts on what waits for a person."""

from collections.abc import Iterator, Mapping
from copy import replace
from typing import Any, assert_never

from ecr_warden.alerting.delivery import TEXT
from ecr_warden.alerting.kinds.kind import Kind
from ecr_warden.alerting.kinds.specs import whose
from ecr_warden.alerting.layout import Listing, Parts, listing
from ecr_warden.alerting.wording import describe_actor, describe_cause, describe_target
from ecr_warden.model.alert import Alert, Field, HoldOpened, HoldSettled
from ecr_warden.model.hold import Hold, HoldState, OfChange, OfVersion
from ecr_warden.model.job import short_name
from ecr_warden.model.run import Severity
from ecr_warden.policy.printable import count, cut, show_time


class _OfHold[A: (HoldOpened, HoldSettled)](Kind[A]):
    def shorter(self, alert: A) -> Iterator[A]:
        for most in (20, 3):
            hold = alert.hold.shortened(most)
            why, gains, loses = (tuple(cut(one, TEXT) for one in some) for some in (hold.why, hold.gains, hold.loses))
            yield replace(alert, hold=replace(hold, why=why, gains=gains, loses=loses))


class _HoldOpened(_OfHold[HoldOpened]):
    def describe_one(self, alert: HoldOpened) -> Parts:
        hold = alert.hold
        more = f" (and {count(len(hold.why) - 1, 'more reason')})" if len(hold.why) > 1 else ""
        who = whose(alert.cause) if isinstance(hold.ground, OfVersion) else Field("Who", describe_cause(alert.cause))
        return Parts(
            f"{hold.what} waits for a person: {hold.why[0] if hold.why else 'no reason is known'}{more}",
            [
                who,
                Field("Meanwhile", _meanwhile(hold)),
                Field("Accept", f"ecr-warden accept {hold.id}"),
                Field("Reject", f"ecr-warden reject {hold.id}"),
                Field("Until", show_time(hold.until)),
                Field("See", "ecr-warden held"),
            ],
            [listing("reason", hold.why, title="Why:"), *_effects(hold)],
        )


class _HoldSettled(_OfHold[HoldSettled]):
    def severity(self, alert: HoldSettled) -> Severity:
        return Severity.WARNING if alert.hold.state is HoldState.ENDED else Severity.INFO

    def describe_one(self, alert: HoldSettled) -> Parts:
        hold = alert.hold
        decided = [] if hold.decision is None else [Field("Who", describe_actor(hold.decision.by))]
        instead = [Field("Instead", f"ecr-warden held {hold.instead}")] if hold.instead else []
        return Parts(
            f"{hold.what}: {_settled(hold)}",
            [*decided, Field("Hold", hold.id), Field("Held since", show_time(hold.since)), *instead],
            [listing("reason", hold.why, title="It was held because:"), *_effects(hold)],
        )


def _meanwhile(hold: Hold) -> str:
    match hold.ground:
        case OfVersion(accepted=""):
            return "nothing is written: no version is accepted yet"
        case OfVersion(accepted=accepted):
            return f"version {accepted} stays enforced"
        case OfChange(target=target):
            return f"{describe_target(target)} stays as it is there; whatever removes access is not held"
        case _:
            assert_never(hold.ground)


def _settled(hold: Hold) -> str:
    who = "" if hold.decision is None else f" by {short_name(hold.decision.by)}"
    match hold.state:
        case HoldState.WAITING:
            return "waits for a person"
        case HoldState.ACCEPTED:
            return f"accepted{who}"
        case HoldState.REJECTED:
            return f"rejected{who}"
        case HoldState.VOID:
            return "no longer held, because what it was about has changed"
        case HoldState.ENDED:
            return "nobody decided in time, so it does not take effect"
        case _:
            assert_never(hold.state)


def _effects(hold: Hold) -> Iterator[Listing]:
    gains, loses = hold.left_out
    yield listing("gain", hold.gains, title="Who gains:", rest=gains)
    yield listing("loss", hold.loses, title="Who loses:", rest=loses)


HOLDS: Mapping[type[Alert], Kind[Any]] = {HoldOpened: _HoldOpened(), HoldSettled: _HoldSettled()}
