"""Sessions of a role by the time of their issue, and the policy that denies them.

Nothing else tells them apart: a session carries neither its assumer's ARN nor account, and its name and source identity
are its caller's choice. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tokenissuetime
"""

import re
from datetime import UTC, datetime, timedelta
from itertools import permutations

from msgspec import Struct

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS
from ecr_warden.core.target import Target
from ecr_warden.core.value import Moment, Value
from iam_access.document.document import Document, parse_document
from iam_access.equivalent.canonical import equivalent
from iam_access.text.printable import show_time

# As AWS and its console write times; of other forms it is not known how IAM reads them.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")

# A cut-off farther in the future does not end older sessions but denies all access, whoever wrote it.
FARTHEST_AHEAD = timedelta(hours=1)


class Sessions(Struct, frozen=True):
    """The sessions of a role that were issued before a time, and at or after `since` unless that is None."""

    before: datetime
    since: datetime | None = None

    def covers(self, other: "Sessions") -> bool:
        """Whether every session of the other is one of these."""
        return other.before <= self.before and (
            self.since is None or (other.since is not None and self.since <= other.since)
        )

    def joined(self, other: "Sessions | None") -> "Sessions":
        """Both, and those in between: a policy names one period."""
        if other is None:
            return self
        since = None if self.since is None or other.since is None else min(self.since, other.since)
        return Sessions(max(self.before, other.before), since)

    def __str__(self) -> str:
        if self.since is None:
            return f"issued before {show_time(self.before)}"
        return f"issued between {show_time(self.since)} and {show_time(self.before)}"


class TrustLook(Value, frozen=True):
    """A look that read a role's trust policy in sync."""

    at: Moment
    """When it began."""
    digest: str
    """Of the policy that was desired."""


def whole_second(at: datetime) -> datetime:
    """The first full second that is not before `at`: a policy names no smaller time."""
    return at if not at.microsecond else at.replace(microsecond=0) + timedelta(seconds=1)


def denial_of(sessions: Sessions) -> Document:
    """The document that denies everything to these sessions; times are rounded down to a second."""
    return _denying(show_time(sessions.before), None if sessions.since is None else show_time(sessions.since))


def denied_by(document: Document) -> Sessions | None:
    """The sessions that a document equivalent to that denies; None for any other document."""
    times = [value for statement in document.statements for clause in statement.conditions for value in clause.values]
    moments = {time: moment for time in times[:3] if (moment := _moment(time)) is not None}
    if len(times) not in (1, 2) or not moments.keys() >= {*times}:
        return None
    for before, *since in permutations(times):
        if equivalent(document, _denying(before, *since)):
            return Sessions(moments[before], *(moments[time] for time in since))
    return None


def ending_sessions(role: Target, before: datetime) -> str:
    """The command that ends a role's sessions issued before a time, as AWS's console does."""
    denial = denial_of(Sessions(before)).text
    return (
        f"aws iam put-role-policy --profile ... --role-name {role.name} --policy-name {AWS_REVOKE_OLDER_SESSIONS} "
        f"--policy-document '{denial}'"
    )


def _denying(before: str, since: str | None = None) -> Document:
    # Both hold of a session that is denied: a statement's conditions are all required.
    bounds = {} if since is None else {"DateGreaterThanEquals": {"aws:TokenIssueTime": since}}
    condition = {**bounds, "DateLessThan": {"aws:TokenIssueTime": before}}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
    return parse_document({"Version": "2012-10-17", "Statement": [statement]})


def _moment(time: str) -> datetime | None:
    if not _TIME.fullmatch(time):
        return None
    try:
        return datetime.fromisoformat(time).astimezone(UTC)
    except (ValueError, OverflowError):  # the first and last times of a calendar overflow in UTC
        return None
