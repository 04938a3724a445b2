"""Alerts on what an audit found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import replace
from typing import Any

from ecr_warden.audit.alerts import AccessAudited, Openers
from ecr_warden.audit.finding import Certainty, Finding, FindingGroup, FindingKind
from ecr_warden.audit.finding_texts import FindingCause, causes, details, sentence
from ecr_warden.core.alert import Alert
from ecr_warden.core.listing import Entry, Listing, listing
from ecr_warden.core.result import Severity
from ecr_warden.notify.kinds.kind import TEXT, Kind, OneByOne, few_texts
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import NOTHING, Field, State
from ecr_warden.notify.wording import command, describe_cause, to_do
from iam_access.text.printable import count, cut, few, first, listed, show_time

_ENDS, _CALLS = 4, 3


class _AccessAudited(OneByOne[AccessAudited]):
    def severity(self, alert: AccessAudited) -> Severity:
        """CRITICAL: an outsider gets in or gets images, or may unseen, as the audit failed. INFO: findings ended."""
        if alert.failure or any(_lets_in_outsider(group.finding) for group in alert.appeared):
            return Severity.CRITICAL
        return Severity.WARNING if alert.appeared else Severity.INFO

    def describe_one(self, alert: AccessAudited) -> Parts:
        appeared, ended = alert.left_out
        after = {group: _after(one) for group, one in zip(alert.appeared, alert.openers, strict=False)}
        found = tuple(_entry(cause, after.get(cause.group, "")) for cause in causes(alert.appeared))
        over = [f"no longer: {sentence(group)} (found {show_time(group.first_seen)})" for group in alert.ended]
        unread = "Not known, because it could not be read:"
        calls = first(dict.fromkeys(after.values()), _CALLS)
        return Parts(
            _state(alert),
            _title(alert),
            [
                Field("Found after", "; ".join(calls) or describe_cause(alert.cause)),
                to_do(_to_do(alert)),
                command("ecr-warden status"),
            ],
            [
                Listing("finding", found, "Found:", appeared),
                listing("ended finding", over, title="Ended:", rest=ended),
                listing("place", alert.unread, title=unread, rest=alert.unread_left_out),
            ],
        )

    def shorter(self, alert: AccessAudited) -> Iterator[AccessAudited]:
        for groups, places in ((100, 50), (20, 5), (5, 2), (1, 1)):
            yield shorter(alert, groups=groups, places=places)


def _entry(cause: FindingCause, after: str) -> Entry:
    group, others = cause.group, cause.others
    return Entry(sentence(group, len(others)), details(group, others, after), cause.number)


def _after(openers: Openers) -> str:
    """The calls that may have opened findings, in words."""
    calls = list(dict.fromkeys(map(describe_cause, openers.calls)))
    number = len(calls) + openers.left_out
    one_of = "one of " if number > 1 else ""
    return f"{one_of}{listed(calls, _CALLS, more=openers.left_out)}" if calls else "no call that is known"


def _lets_in_outsider(finding: Finding) -> bool:
    opens_up = finding.kind not in (FindingKind.MISSING, FindingKind.UPSTREAM)
    return finding.foreign and opens_up and finding.certainty is not Certainty.UNKNOWN


def _state(audited: AccessAudited) -> State:
    if audited.failure:
        return State.UNKNOWN
    return State.OPEN if audited.appeared else State.CLOSED


def _to_do(audited: AccessAudited) -> str:
    """What closes the gravest finding."""
    if audited.failure:
        return "see the log of ecr-warden-audit; meanwhile nobody knows who else can pull and push"
    found = next((group.finding for group in audited.appeared if group.finding.remedy), None)
    if found is None:
        return "see each finding" if audited.appeared else NOTHING
    return found.remedy if found.kind is FindingKind.MISSING else f"{found.remedy}, or name them in the spec"


def _title(audited: AccessAudited) -> str:
    more, less = audited.left_out
    appeared, ended = len(audited.appeared) + more, len(audited.ended) + less
    if audited.failure:
        return f"who has access could not be audited: {audited.failure}"
    if audited.is_first:
        return f"first audit of access: {count(appeared, 'finding')}"
    if not appeared:
        gone = [sentence(group) for group in audited.ended[:1]] if ended == 1 else []
        return f"no longer: {gone[0]}" if gone else f"{count(ended, 'finding')} of access ended"
    gravest = [sentence(group) for group in audited.appeared[:1]]
    return gravest[0] if gravest and appeared == 1 else ": ".join([f"{count(appeared, 'finding')} of access", *gravest])


def shorter(audited: AccessAudited, *, groups: int, places: int) -> AccessAudited:
    """At most so many findings of each list, with at most so many places; what is left out is counted."""
    appeared, more_appeared = few(audited.appeared, groups, audited.left_out[0])
    ended, more_ended = few(audited.ended, groups, audited.left_out[1])
    unread, more_unread = few_texts(audited.unread, groups, audited.unread_left_out)
    return replace(
        audited,
        appeared=_shortened(appeared, places),
        openers=audited.openers[:groups],
        ended=_shortened(ended, places),
        left_out=(more_appeared, more_ended),
        unread=unread,
        unread_left_out=more_unread,
        failure=cut(audited.failure, TEXT),
    )


def _shortened(groups: Sequence[FindingGroup], most: int) -> tuple[FindingGroup, ...]:
    return tuple(
        replace(group, finding=_cut(group.finding), accesses=group.accesses[:most], places=places, left_out=left_out)
        for group in groups
        for places, left_out in [few(group.places, most, group.left_out)]
    )


def _cut(finding: Finding) -> Finding:
    return replace(
        finding,
        principal=cut(finding.principal, TEXT),
        chain=tuple(cut(arn, TEXT) for arn in _ends_of(finding.chain)),
        conditions=_some(finding.conditions),
        because=_some(finding.because),
        remedy=cut(finding.remedy, TEXT),
        accept=cut(finding.accept, TEXT),
        scope=cut(finding.scope, TEXT),
    )


def _ends_of(chain: tuple[str, ...]) -> tuple[str, ...]:
    """Where a long chain begins and ends: who gets in, and who uses the repository."""
    between = chain[_ENDS:-_ENDS]
    return chain if len(between) < 2 else (*chain[:_ENDS], f"{len(between)} more roles", *chain[-_ENDS:])


def _some(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(cut(text, TEXT) for text in first(texts, 5))


AUDITS: Mapping[type[Alert], Kind[Any]] = {AccessAudited: _AccessAudited()}
