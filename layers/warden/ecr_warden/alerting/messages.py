"""From alerts to the message that people get: what happened, by whom, whether it is over, and what it meant."""

from collections.abc import Collection, Iterator, Sequence
from typing import assert_never

from ecr_warden.alerting.failed_jobs import describe_failed_job, title_of_failed_jobs
from ecr_warden.alerting.layout import Listing, count, lay_out, listing
from ecr_warden.alerting.own import describe_own_change
from ecr_warden.alerting.runs import call_fields, parts_of_run, parts_of_runs
from ecr_warden.alerting.severity import highest, severity
from ecr_warden.alerting.text import FIELDS, LINE, LINES, TEXT, TITLE, clean
from ecr_warden.alerting.who import describe_actor, uploader
from ecr_warden.alerting.words import (
    show_time,
)
from ecr_warden.model.alert import (
    Alert,
    Field,
    JobFailed,
    Message,
    OwnChanged,
    SpecAccepted,
    SpecRefused,
    TargetsPaused,
    TargetsResumed,
    Unlisted,
)
from ecr_warden.model.job import short_name
from ecr_warden.model.outcome import RunReport
from ecr_warden.model.severity import Severity

_UNLISTED = "repositories, users or roles cannot be listed"


def message_of(alerts: Sequence[Alert], *, known_accounts: Collection[str] = (), is_follow_up: bool = False) -> Message:
    """One message for one alert or for all alerts of an incident; `alerts` is not empty.

    Its text is printable and bounded, and not yet escaped. `known_accounts`: see `severity`. `is_follow_up`: people
    were told of the first of this incident by itself.
    """
    level = highest([severity(alert, known_accounts=known_accounts) for alert in alerts])
    match list(alerts):
        case [RunReport() as report]:
            parts = parts_of_run(report)
            return _message(level, parts.title, parts.fields, parts.sections)
        case [SpecRefused() as refused]:
            return _of_refused(refused, level)
        case [Unlisted() as unlisted]:
            return _of_unlisted(unlisted, level)
        case [OwnChanged() as changed]:
            return _of_own_change(changed, level)
        case [TargetsPaused() as paused]:
            return _of_paused(paused, level)
        case [TargetsResumed() as resumed]:
            return _of_resumed(resumed, level)
        case [JobFailed(), *_]:
            return _of_failed_jobs([alert for alert in alerts if isinstance(alert, JobFailed)], level)
        case several:
            return _of_many(several, level, known_accounts, is_follow_up)


def plain_message(alerts: Sequence[Alert], error: str) -> Message:
    """What is left to say of alerts for which `message_of` failed with `error`: what they are about."""
    fields = [Field("See", "ecr-warden history; ecr-warden show RUN")]
    lines = [
        f"{alert.plan.target}: {alert.result} (run {alert.run_id})"
        if isinstance(alert, RunReport)
        else type(alert).__name__
        for alert in alerts
    ]
    title = f"{count(len(alerts), 'alert')} that ecr-warden failed to describe ({error})"
    return _message(Severity.CRITICAL, title, fields, [listing("alert", lines)])


def _of_refused(refused: SpecRefused, level: Severity) -> Message:
    kept = f"version {refused.enforced}" if refused.enforced else "none: nothing is enforced yet"
    deleted = refused.cause.action == "s3:DeleteObject"
    fields = [
        Field("Deleted by" if deleted else "Uploaded by", uploader(refused.cause.actor)),
        Field("Version", refused.version),
        Field("Still enforced", kept),
        Field("See", "ecr-warden validate access.yaml"),
    ]
    problems = listing("problem", refused.problems, rest=refused.left_out)
    title = f"spec refused: {count(len(refused.problems) + refused.left_out, 'problem')}"
    return _message(level, title, fields, [problems])


def _of_own_change(changed: OwnChanged, level: Severity) -> Message:
    fields = [
        Field("Who", describe_actor(changed.cause.actor)),
        *call_fields(changed.cause),
        Field("Where", f"account {changed.account}" if changed.account else "the hub"),
    ]
    title = f"ecr-warden's own {changed.thing} was changed by {short_name(changed.cause.actor)}"
    return _message(level, title, fields, [listing("line", list(describe_own_change(changed)))])


def _of_unlisted(unlisted: Unlisted, level: Severity) -> Message:
    fields = [
        Field("Spec", unlisted.version),
        Field(
            "Meanwhile",
            "sweeps find nothing there that the spec does not name; an event of a change is acted on as ever",
        ),
        Field("See", "ecr-warden verify --hub"),
    ]
    places = count(len(unlisted.problems) + unlisted.left_out, "place")
    title = f"{_UNLISTED} in {places}: what stands there is unknown"
    return _message(level, title, fields, [listing("place", unlisted.problems, rest=unlisted.left_out)])


def _of_paused(paused: TargetsPaused, level: Severity) -> Message:
    fields = [
        Field("Who", describe_actor(paused.cause.actor)),
        Field("Reason", paused.reason),
        Field("Until", show_time(paused.until)),
        Field("Undo", f"ecr-warden resume {paused.targets[0] if len(paused.targets) == 1 else 'TARGET'}"),
    ]
    targets = _targets(len(paused.targets) + paused.left_out)
    title = f"{targets} paused by {short_name(paused.cause.actor)}: watched, not written to"
    return _message(level, title, fields, [listing("target", paused.targets, rest=paused.left_out)])


def _of_resumed(resumed: TargetsResumed, level: Severity) -> Message:
    fields = [Field("Who", describe_actor(resumed.cause.actor)), Field("See", "ecr-warden status")]
    title = f"{_targets(len(resumed.targets) + resumed.left_out)} resumed by {short_name(resumed.cause.actor)}"
    return _message(level, title, fields, [listing("target", resumed.targets, rest=resumed.left_out)])


def _of_failed_jobs(failed: Sequence[JobFailed], level: Severity) -> Message:
    fields = [
        Field("Why", "see the log of ecr-warden-reconcile: `failed`, `Task timed out`, or memory used up"),
        Field(
            "Kept", "in the queue ecr-warden-jobs-dlq.fifo; docs/deploy.md, Dead letters, says how to run them again"
        ),
        Field("See", "ecr-warden status"),
    ]
    lines = dict.fromkeys(line for job in failed for line in describe_failed_job(job))
    return _message(level, title_of_failed_jobs(failed), fields, [listing("job", list(lines))])


def _of_many(alerts: Sequence[Alert], level: Severity, known_accounts: Collection[str], is_follow_up: bool) -> Message:
    """The alerts of one incident: each kind in a section of its own."""
    runs = [alert for alert in alerts if isinstance(alert, RunReport)]
    titles: list[str] = []
    fields: list[Field] = []
    sections: list[Listing] = []
    for alert in alerts:
        match alert:
            case SpecAccepted():
                changed = len(alert.changed) + alert.left_out[0]
                titles.append(f"spec accepted, {_targets(changed)} changed by it")
                fields += [Field("Uploaded by", uploader(alert.cause.actor)), Field("Version", alert.version)]
                fields += [Field("Replaces", alert.replaces)] if alert.replaces else []
                sections += _of_accepted(alert)
            case RunReport() | JobFailed():
                pass  # runs come together below, and failed jobs are gathered with no other kind
            case SpecRefused():
                title = f"spec version {alert.version} refused"
                sections.append(listing("problem", alert.problems, title=f"{title}:", rest=alert.left_out))
            case OwnChanged():
                title = f"ecr-warden's own roles in account {alert.account} were changed"
                titles += [title] if title not in titles else []
                sections.append(
                    listing("change", [f"{alert.thing}: {alert.cause.action} by {describe_actor(alert.cause.actor)}"])
                )
            case Unlisted():
                titles += [_UNLISTED] if _UNLISTED not in titles else []
                sections.append(listing("place", alert.problems, title="Cannot be listed:", rest=alert.left_out))
            case TargetsPaused():
                sections.append(listing("target", alert.targets, title="Paused:", rest=alert.left_out))
            case TargetsResumed():
                sections.append(listing("target", alert.targets, title="Resumed:", rest=alert.left_out))
            case _:
                assert_never(alert)
    if runs:
        parts = parts_of_runs(runs, known_accounts, is_follow_up=is_follow_up)
        titles.append(parts.title)
        fields += parts.fields
        sections = [*parts.sections, *sections]
    return _message(level, "; ".join(titles) or "spec", fields, sections)


def _of_accepted(accepted: SpecAccepted) -> Iterator[Listing]:
    _, released, warnings = accepted.left_out
    yield listing("warning", accepted.warnings, title="Warnings:", rest=warnings)
    yield listing("target", accepted.released, title="Released, their documents stay:", rest=released)


def _targets(number: int) -> str:
    return count(number, "target")


def _message(level: Severity, title: str, fields: Sequence[Field], sections: Sequence[Listing]) -> Message:
    given = [field for field in fields if field.text]
    return Message(
        level,
        clean(title, TITLE),
        tuple(Field(field.label, clean(field.text, TEXT)) for field in given[:FIELDS]),
        tuple(clean(line, LINE) for line in lay_out(_joined(sections), LINES)),
    )


def _joined(sections: Sequence[Listing]) -> list[Listing]:
    """Sections without a title that count the same, as one: each of many changes is no list of its own."""
    joined: list[Listing] = []
    for one in sections:
        before = joined[-1] if joined else None
        if before is not None and not one.title and (before.title, before.noun) == ("", one.noun):
            joined[-1] = Listing(one.noun, before.entries + one.entries, "", before.rest + one.rest)
        else:
            joined.append(one)
    return joined
