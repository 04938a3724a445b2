"""Alerts on what an audit found."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import replace
from itertools import product
from typing import Any

from ecr_warden.audit.alerts import AccessAudited, Openers
from ecr_warden.audit.finding import FindingGroup, FindingKind
from ecr_warden.audit.finding_texts import FindingCause, causes, details, effect, sentence
from ecr_warden.core.alert import Alert
from ecr_warden.core.listing import Entry, Listing, listing
from ecr_warden.core.result import Severity
from ecr_warden.core.target import parse_target
from ecr_warden.notify.incident import Fact
from ecr_warden.notify.kinds.kind import Kind, OneByOne
from ecr_warden.notify.layout import Parts
from ecr_warden.notify.message import NOTHING, Field, MessageState
from ecr_warden.notify.wording import LOOK, by, command, describe_cause, images_of, to_do
from iam_access.text.printable import count, first, listed, show_time

_CALLS = 3
_AGAIN = "Read again, gone, or without effect now:"
_TO_READ = (
    "as an administrator of the account, look at what could not be read, and end what keeps ecr-warden from it; "
    "whoever did that may have let in anybody. Where permissions are missing: ecr-warden deploy"
)


class _AccessAudited(OneByOne[AccessAudited]):
    def severity(self, alert: AccessAudited) -> Severity:
        """CRITICAL: an outsider gets in or gets images, or may unseen, as the audit failed or a document was hidden.

        INFO: findings ended, or what was not read is.
        """
        if alert.failure or alert.is_hidden or any(group.finding.lets_in_outsider for group in alert.appeared):
            return Severity.CRITICAL
        return Severity.WARNING if alert.appeared or alert.unread else Severity.INFO

    def is_news(self, alert: AccessAudited) -> bool:
        return bool(
            alert.appeared or alert.ended or alert.unread or alert.read_again or alert.failure or alert.is_first
        )

    def facts(self, alert: AccessAudited, news: Fact) -> Sequence[Fact]:
        lasts = replace(news, closed=None, is_news=False)
        # Its words once: a finding may be about thousands of places.
        found = [
            replace(said, key=key)
            for group in alert.appeared
            for said in [
                replace(
                    lasts,
                    title=effect(group),
                    severity=_severity_of(group),
                    lets_in=group.finding.lets_in_outsider,
                )
            ]
            for key in _keys(group)
        ]
        unread = [replace(lasts, key=_unread(line), title=f"not read: {line}") for line in alert.unread]
        # Of what the alert had no room for nobody knows the key by which it ends.
        left_out = alert.left_out[0] + sum(group.left_out for group in alert.appeared)
        rest = [replace(news, title=count(left_out, "more finding"))] if left_out else []
        return [*found, *unread, *rest, *([replace(lasts, key=_FAILED)] if alert.failure else [])]

    def ends(self, alert: AccessAudited) -> Sequence[str]:
        over = [key for group in alert.ended for key in _keys(group)]
        return [*over, *map(_unread, alert.read_again), *([] if alert.failure else [_FAILED])]

    def describe_one(self, alert: AccessAudited) -> Parts:
        appeared, ended = alert.left_out
        after = {group: _after(one) for group, one in zip(alert.appeared, alert.openers, strict=False)}
        found = tuple(_entry(cause, after.get(cause.group, "")) for cause in causes(alert.appeared))
        over = [f"no longer: {effect(group)} (found {show_time(group.first_seen)})" for group in alert.ended]
        opened = [
            group.places[0]
            for group in (*alert.appeared, *alert.ended)
            if group.finding.lets_in_outsider and group.places[0].startswith("repository/")
        ]
        unread = "Not known, because it could not be read:"
        return Parts(
            _state(alert),
            _title(alert),
            [
                Field("Found after", _found_after(alert, after.values())),
                to_do(_to_do(alert)),
                command("ecr-warden status"),
                *map(images_of, map(parse_target, opened[:1])),
            ],
            [
                Listing("finding", found, "Found:", appeared),
                listing("ended finding", over, title="Ended:", rest=ended),
                listing("document", alert.unread, title=unread, rest=alert.unread_left_out),
                listing("document", alert.read_again, title=_AGAIN, rest=alert.read_again_left_out),
            ],
        )


_FAILED = "audit"
"""The fact that nothing could be audited."""


def _unread(line: str) -> str:
    return f"unread/{line}"


def _severity_of(group: FindingGroup) -> Severity:
    return Severity.CRITICAL if group.finding.lets_in_outsider else Severity.WARNING


def _keys(group: FindingGroup) -> Iterator[str]:
    """Of each finding of the group the key by which it ends, however it is grouped then."""
    for place, access in product(group.places, group.accesses):
        yield "\n".join(replace(group.finding, place=place, access=access).deed)


def _found_after(audited: AccessAudited, after: Iterable[str]) -> str:
    """The calls that may have opened what was found; of a single one who, from where, when, and its event."""
    match list(dict.fromkeys(audited.openers)):
        case [Openers(calls=(call,), left_out=0)]:
            return by(call).text
        case _:
            return "; ".join(first(list(dict.fromkeys(after)), _CALLS)) or describe_cause(audited.cause)


def _entry(cause: FindingCause, after: str) -> Entry:
    group, others = cause.group, cause.others
    if group.finding.lets_in_outsider:
        group = replace(group, finding=replace(group.finding, accept=""))  # nobody names an outsider in a hurry
    return Entry(sentence(group, len(others)), details(group, others, after), cause.number)


def _after(openers: Openers) -> str:
    """The calls that may have opened findings, in words."""
    calls = list(dict.fromkeys(map(describe_cause, openers.calls)))
    number = len(calls) + openers.left_out
    one_of = "one of " if number > 1 else ""
    return f"{one_of}{listed(calls, _CALLS, more=openers.left_out)}" if calls else "no call that is known"


def _is_of_unread(audited: AccessAudited) -> bool:
    """Is what could not be read the gravest of it?"""
    graver = (group for group in audited.appeared if not audited.is_hidden or group.finding.lets_in_outsider)
    return bool(audited.unread) and not any(graver)


def _state(audited: AccessAudited) -> MessageState:
    if audited.failure or _is_of_unread(audited):
        return MessageState.UNKNOWN
    return MessageState.OPEN if audited.appeared else MessageState.CLOSED


def _to_do(audited: AccessAudited) -> str:
    """What closes the gravest finding."""
    if audited.failure:
        return "see the log of ecr-warden-audit; meanwhile nobody knows who else can pull and push"
    if _is_of_unread(audited):
        return _TO_READ
    found = next((group.finding for group in audited.appeared if group.finding.remedy), None)
    if found is None:
        return "see each finding" if audited.appeared else _once_over(audited)
    then = "; then see each of the others" if len(audited.appeared) + audited.left_out[0] > 1 else ""
    is_ours = found.kind is not FindingKind.MISSING and not found.foreign
    return f"{found.remedy}{', or name them in the spec' if is_ours else ''}{then}"


def _once_over(audited: AccessAudited) -> str:
    """What to do about findings that have ended: whoever could push may have left something."""
    pushed = [group.first_seen for group in audited.ended if group.finding.lets_in_outsider]
    return f"{LOOK} since {show_time(min(pushed))}" if pushed else NOTHING


def _title(audited: AccessAudited) -> str:
    more, less = audited.left_out
    appeared, ended = len(audited.appeared) + more, len(audited.ended) + less
    if audited.failure:
        return f"who has access could not be audited: {audited.failure}"
    if audited.is_first:
        return f"first audit of access: {count(appeared, 'finding')}"
    if _is_of_unread(audited):
        return f"who has access is not known, without {listed(audited.unread, 1, more=audited.unread_left_out)}"
    if not appeared and not ended:
        return f"no longer unread: {listed(audited.read_again, 1, more=audited.read_again_left_out)}"
    if not appeared:
        return f"no longer: {effect(audited.ended[0])}{f' (and {ended - 1} more)' if ended > 1 else ''}"
    return f"{effect(audited.appeared[0])}{f' (and {appeared - 1} more)' if appeared > 1 else ''}"


AUDITS: Mapping[type[Alert], Kind[Any]] = {AccessAudited: _AccessAudited()}
