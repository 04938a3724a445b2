"""Alerts as they were published, read again."""

from functools import reduce
from operator import or_
from typing import Any

from ecr_warden.core.codec.base import SCHEMA, reader
from ecr_warden.notify.kinds import KINDS

_ANY_KIND: Any = reduce(or_, KINDS)

alert_from_json = reader("announcement", _ANY_KIND, schema=SCHEMA)
