"""Calls of other services that can blind or stop ecr-warden itself.

No job puts these back and no alert tells of them, so they are not forwarded and make no trigger. They are named here
so that `event explain` says what such a call could do and what is left of the watch after it.
"""

import re
from collections.abc import Mapping

# Lambda reports UpdateFunctionCode20150331v2, S3 and others their plain names.
_VERSION = re.compile(r"[0-9]{8}(v[0-9]+)?")

_TRAIL = "can end CloudTrail's reports; the sweep needs none of them"
_RULES = "can end the forwarding of reports, or the schedule; the sweep and the reports do without each other"
_BUS = "can end the reception of reports; the sweep needs none of them"
_SPEC = "can hide or replace the spec; the last accepted one stays enforced"
_QUEUE = "can lose jobs and reports; the next sweep makes them again"
_KEY = "can silence what it encrypts, the alert topic among it; repairs go on"
_FUNCTION = "can stop or replace a function; the hub's alarms tell of its errors and of jobs that wait"

BLINDING_CALLS: Mapping[str, Mapping[str, str]] = {
    "cloudtrail": dict.fromkeys(("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"), _TRAIL),
    "events": dict.fromkeys(("DisableRule", "DeleteRule", "PutRule", "RemoveTargets", "PutTargets"), _RULES)
    | dict.fromkeys(("DeleteEventBus", "RemovePermission", "PutPermission"), _BUS),
    "s3": dict.fromkeys(
        (
            "PutBucketNotification",
            "PutBucketNotificationConfiguration",
            "PutBucketVersioning",
            "PutBucketPolicy",
            "DeleteBucketPolicy",
        ),
        _SPEC,
    ),
    "sqs": dict.fromkeys(("SetQueueAttributes", "PurgeQueue", "DeleteQueue"), _QUEUE),
    "kms": dict.fromkeys(("DisableKey", "ScheduleKeyDeletion"), _KEY),
    "lambda": dict.fromkeys(
        (
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
            "DeleteFunction",
            "PutFunctionConcurrency",
            "UpdateEventSourceMapping",
            "DeleteEventSourceMapping",
            "RemovePermission",
        ),
        _FUNCTION,
    ),
}
"""Service -> call -> what it can do to ecr-warden. Each reads on after `cloudtrail:StopLogging`."""


def blinding_effect(service: str, call: str) -> str:
    """What a call can do to ecr-warden; empty for all others. A version at the end of the name is looked past."""
    rows = BLINDING_CALLS.get(service, {})
    if call in rows:
        return rows[call]
    return next((why for name, why in rows.items() if _is_version_of(call, name)), "")


def _is_version_of(call: str, name: str) -> bool:
    return call.startswith(name) and _VERSION.fullmatch(call, len(name)) is not None
