"""Ending the sessions that came through a door before it was closed.

A trust policy is read at AssumeRole only, and temporary credentials cannot be revoked, so a repair that narrows one
also denies whatever the role's older sessions do. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

import json
from datetime import UTC, datetime, timedelta

from ecr_warden.model.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS
from ecr_warden.policy.document import Document, parse_document
from ecr_warden.policy.equivalence import Equivalent, equivalent

# No session lives longer than the highest MaxSessionDuration that a role can have had when it was opened.
LONGEST_SESSION = timedelta(hours=12)
# A cut-off farther ahead than that ends no older sessions: it locks everybody out, whoever wrote it.
FARTHEST_AHEAD = timedelta(hours=1)


def deny_older_sessions(cutoff: datetime) -> Document:
    """The document that denies everything to sessions opened before `cutoff` (UTC, rounded down to a second)."""
    text = cutoff.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"DateLessThan": {"aws:TokenIssueTime": text}}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
    return parse_document({"Version": "2012-10-17", "Statement": [statement]})


def cutoff_of(document: Document) -> datetime | None:
    """The cut-off of a document of exactly that shape, else None."""
    statement = json.loads(document.text).get("Statement")
    first = statement[0] if isinstance(statement, list) and len(statement) == 1 else statement
    try:
        value = first["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
        text = value[0] if isinstance(value, list) and len(value) == 1 else value
        # AWS's console writes milliseconds; both forms are ISO 8601.
        written = datetime.fromisoformat(text)
        # At the ends of time its own offset takes a time out of every calendar.
        cutoff = written.astimezone(UTC) if written.tzinfo else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if cutoff is None:
        return None
    shape = json.loads(deny_older_sessions(cutoff).text)
    shape["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"] = text
    same = equivalent(document, parse_document(shape))
    return cutoff if isinstance(same, Equivalent) else None


def is_session_cutoff(name: str, document: Document, latest: datetime) -> bool:
    """Whether an inline policy of a role does nothing but end sessions from before `latest`: ours, or a responder's."""
    if name not in (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS):
        return False
    cutoff = cutoff_of(document)
    return cutoff is not None and cutoff <= latest


def is_spent(document: Document, now: datetime) -> bool:
    """Whether every session that the document denies has expired by itself."""
    cutoff = cutoff_of(document)
    return cutoff is not None and have_expired(cutoff, now)


def have_expired(opened_before: datetime, now: datetime) -> bool:
    """Whether no session that was opened before that moment can still live."""
    return opened_before < now - LONGEST_SESSION


def whole_second(at: datetime) -> datetime:
    """The first moment that a document can name and that is not before `at`."""
    return at if not at.microsecond else at.replace(microsecond=0) + timedelta(seconds=1)
