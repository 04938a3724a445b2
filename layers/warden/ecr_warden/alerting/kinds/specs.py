"""Alerts on the spec: versions that were accepted or refused, and grants that end."""

from collections.abc import Iterator, Mapping
from copy import replace
from typing import Any, assert_never

from ecr_warden.alerting.delivery import Collected, Routing
from ecr_warden.alerting.kinds.kind import KEYS, PROBLEMS, Kind, few_texts
from ecr_warden.alerting.layout import Parts, listing
from ecr_warden.alerting.wording import describe_actor, uploader
from ecr_warden.model.alert import Alert, EndMoment, Field, GrantsEnd, SpecAccepted, SpecRefused
from ecr_warden.model.job import Cause, CauseKind
from ecr_warden.model.run import Severity
from ecr_warden.policy.printable import count, few


def whose(cause: Cause) -> Field:
    """Who uploaded a version, or the person who accepted one that was held."""
    if cause.kind is CauseKind.CALLER:
        return Field("Accepted by", describe_actor(cause.actor))
    return Field("Uploaded by", uploader(cause.actor))


class _SpecAccepted(Kind[SpecAccepted]):
    def severity(self, alert: SpecAccepted) -> Severity:
        return Severity.WARNING if alert.released or alert.warnings else Severity.INFO

    def route(self, alert: SpecAccepted) -> Routing:
        # With the runs that roll it out: the version is their cause's ID.
        return Collected(f"{CauseKind.SPEC}/{alert.version}")

    def describe_one(self, alert: SpecAccepted) -> Parts:
        changed, released, warnings = alert.left_out
        return Parts(
            f"spec accepted, {count(len(alert.changed) + changed, 'target')} changed",
            [
                whose(alert.cause),
                Field("Version", alert.version),
                Field("Replaces", alert.replaces or ""),
            ],
            [
                listing("warning", alert.warnings, title="Warnings:", rest=warnings),
                listing("target", alert.released, title="Released, their documents stay:", rest=released),
            ],
        )

    def shorter(self, alert: SpecAccepted) -> Iterator[SpecAccepted]:
        changed, more_changed = few(alert.changed, KEYS, alert.left_out[0])
        released, more_released = few(alert.released, KEYS, alert.left_out[1])
        warnings, more_warnings = few_texts(alert.warnings, PROBLEMS, alert.left_out[2])
        left_out = (more_changed, more_released, more_warnings)
        yield replace(alert, changed=changed, released=released, warnings=warnings, left_out=left_out)


class _SpecRefused(Kind[SpecRefused]):
    def describe_one(self, alert: SpecRefused) -> Parts:
        deleted = alert.cause.action == "s3:DeleteObject"
        return Parts(
            f"spec refused: {count(len(alert.problems) + alert.left_out, 'problem')}",
            [
                Field("Deleted by" if deleted else "Uploaded by", uploader(alert.cause.actor)),
                Field("Version", alert.version),
                Field("Still enforced", f"version {alert.enforced}" if alert.enforced else "nothing yet"),
                Field("See", "ecr-warden validate access.yaml"),
            ],
            [listing("problem", alert.problems, rest=alert.left_out)],
        )

    def shorter(self, alert: SpecRefused) -> Iterator[SpecRefused]:
        problems, left_out = few_texts(alert.problems, PROBLEMS, alert.left_out)
        yield replace(alert, problems=problems, left_out=left_out)


_PROLONG = "to prolong one, change its until:"


class _GrantsEnd(Kind[GrantsEnd]):
    def severity(self, alert: GrantsEnd) -> Severity:
        return Severity.WARNING if alert.moment is EndMoment.DAY else Severity.INFO

    def describe_one(self, alert: GrantsEnd) -> Parts:
        grants = count(len(alert.grants) + alert.left_out, "grant")
        match alert.moment:
            case EndMoment.WEEK:
                when, remedy = "is a week away", _PROLONG
            case EndMoment.DAY:
                when, remedy = "is a day away", _PROLONG
            case EndMoment.ENDED:
                when, remedy = "has come", "remove what has ended from the spec"
            case _:
                assert_never(alert.moment)
        return Parts(
            f"{grants} of the spec: the end {when}",
            [Field("Spec", alert.version), Field("Next", remedy), Field("See", "ecr-warden grants")],
            [listing("grant", alert.grants, rest=alert.left_out)],
        )

    def shorter(self, alert: GrantsEnd) -> Iterator[GrantsEnd]:
        grants, left_out = few_texts(alert.grants, PROBLEMS, alert.left_out)
        yield replace(alert, grants=grants, left_out=left_out)


SPECS: Mapping[type[Alert], Kind[Any]] = {
    SpecRefused: _SpecRefused(),
    SpecAccepted: _SpecAccepted(),
    GrantsEnd: _GrantsEnd(),
}
