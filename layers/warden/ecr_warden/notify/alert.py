"""Alerts, and the message that people get.

`left_out` in an alert: how many entries its list omits. alerting/kinds words each kind.
"""

from msgspec import Struct

from ecr_warden.audit.alerts import AccessProved
from ecr_warden.collect.alerts import EventMissed, Unlisted, WiringChanged
from ecr_warden.core.run import RunReport, Severity
from ecr_warden.repair.alerts import (
    Fought,
    GrantsEnd,
    HarmfulCall,
    JobFailed,
    OwnChanged,
    PauseReached,
    TargetsPaused,
    TargetsResumed,
    WritesSwitched,
)
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused

type Alert = (
    RunReport
    | Fought
    | SpecRefused
    | SpecAccepted
    | GrantsEnd
    | HoldOpened
    | HoldSettled
    | Unlisted
    | OwnChanged
    | HarmfulCall
    | AccessProved
    | TargetsPaused
    | TargetsResumed
    | PauseReached
    | WritesSwitched
    | WiringChanged
    | EventMissed
    | JobFailed
)


class Field(Struct, frozen=True):
    """A labelled line of a message."""

    label: str
    text: str


class Message(Struct, frozen=True):
    """What a channel renders; all text is plain and unescaped, because each channel escapes in its own way."""

    severity: Severity
    title: str
    fields: tuple[Field, ...] = ()
    lines: tuple[str, ...] = ()
