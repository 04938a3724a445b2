"""Alerts as they were published, read again."""

from functools import reduce
from operator import or_
from typing import Any

from ecr_warden.core.alert import Alert
from ecr_warden.core.codec.base import Json, check_schema, read, reading
from ecr_warden.core.codec.runs import REPORT_STEPS, with_drift
from ecr_warden.core.job import SCHEMA
from ecr_warden.notify.kinds import KINDS

_ANY_KIND: Any = reduce(or_, KINDS)
_STEPS = {"run": REPORT_STEPS, "fight": (with_drift,)}


def _alert(value: Json) -> Alert:
    check_schema(value, SCHEMA)
    for step in _STEPS.get(value["kind"], ()):
        value = step(value)
    alert: Alert = read(value, _ANY_KIND)
    return alert


alert_from_json = reading("announcement", _alert)
