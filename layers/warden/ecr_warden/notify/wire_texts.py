"""What is wrong with the wiring, in sentences: the same in `status` and in messages."""

from collections.abc import Mapping
from typing import NamedTuple

from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.core.result import Severity

_OLD = "its rules, roles and policies cannot be compared; bring it to the version of the hub: ecr-warden deploy"
_IS_OFF = "is {0.state}{1}: it delivers {0.delivers}"
_REPAIR = "repair its stack: ecr-warden deploy"


class _Words(NamedTuple):
    """What is wrong with a wire, {0}, with why in brackets, {1}; how soon to look at it; what to do about it."""

    says: str
    severity: Severity
    remedy: str = ""


_WORDS: Mapping[WireState, _Words] = {
    WireState.ON: _Words("is as its stack deploys it", Severity.INFO),
    WireState.UNREADABLE: _Words("could not be read: {0.why}", Severity.WARNING),
    WireState.OUTDATED: _Words("is of another version than the hub", Severity.WARNING, _OLD),
    WireState.BOUNDED: _Words(
        "has a permissions boundary that its stack does not give it: {0.why}",
        Severity.WARNING,
        "name it as role_boundary in ecr-warden.yaml and deploy, or take it off: docs/deploy.md",
    ),
    WireState.UNDELIVERED: _Words(
        "has {0.why}, which did not reach the hub; sweeps make up for them",
        Severity.WARNING,
        "see why in the ERROR_CODE of its messages, and purge it: docs/safety.md",
    ),
    WireState.SILENT: _Words(
        "is missing: {0.why}",
        Severity.CRITICAL,
        "see its rule ecr-warden-heartbeat and the queue ecr-warden-forward-dlq: docs/safety.md",
    ),
    WireState.TARGETLESS: _Words("no longer leads to its target: it delivers {0.delivers}", Severity.CRITICAL, _REPAIR),
    WireState.CHANGED: _Words(
        "is not as its stack deploys it ({0.why}): it delivers {0.delivers}", Severity.CRITICAL, _REPAIR
    ),
    WireState.UNCONFIRMED: _Words(
        "is not in force, for {0.why}: it delivers {0.delivers}",
        Severity.CRITICAL,
        "confirm it by AWS's e-mail; aws sns subscribe sends another: docs/safety.md",
    ),
    WireState.MISSING: _Words(_IS_OFF, Severity.CRITICAL, _REPAIR),
    WireState.DISABLED: _Words(_IS_OFF, Severity.CRITICAL, _REPAIR),
}


def sentence(wire: Wire) -> str:
    """What is wrong with a wire, and what follows from it."""
    says = _WORDS[wire.state].says.format(wire, f" ({wire.why})" if wire.why else "")
    return f"the {wire.name} {says}"


def remedy(wire: Wire) -> str:
    """What to do about it."""
    if wire.state in (WireState.MISSING, WireState.DISABLED) and wire.name.startswith("trail "):
        return "have a trail report it: docs/deploy.md#the-trail"
    return _WORDS[wire.state].remedy


def severity(wire: Wire) -> Severity:
    """How soon a person should look at it."""
    return _WORDS[wire.state].severity
