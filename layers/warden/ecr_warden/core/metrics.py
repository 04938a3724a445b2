"""What is measured, by its name in CloudWatch; whoever computes a value emits it.

A value that is not known is not emitted: 0 says that there is none.
"""

from collections.abc import Callable, Mapping
from typing import Literal

type Metric = Literal[
    "FindingsCritical",
    "FindingsOther",
    "NotDelivered",
    "OldestLookSeconds",
    "OutsidersIn",
    "Repairs",
    "SecondsToRepair",
    "SweepsFinished",
    "TargetsDiffer",
    "WaitsForPersonHours",
]
type Values = Mapping[Metric, float]
type Emit = Callable[[Values], None]
"""Emits values of this moment; without any it emits nothing."""

UNITS: Mapping[Metric, str] = {
    "FindingsCritical": "Count",  # outsiders certainly get in, or get images, by them
    "FindingsOther": "Count",
    "NotDelivered": "Count",  # alerts that a channel has not taken for longer than a digest takes
    "OldestLookSeconds": "Seconds",  # since the part that was not swept for longest was
    "OutsidersIn": "Count",  # whom the last audit found, each once
    "Repairs": "Count",  # runs that took back what somebody else wrote
    "SecondsToRepair": "Seconds",  # from the call that opened a target until it was read in sync
    "SweepsFinished": "Count",
    "TargetsDiffer": "Count",
    "WaitsForPersonHours": "None",  # how long the oldest hold has; CloudWatch knows no hours
}
"""Each metric's, as CloudWatch names units."""
