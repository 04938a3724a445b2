"""What is wrong with the wiring, in sentences: the same in `status` and in messages."""

from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.core.result import Severity

_OLD = "its rules, roles and policies cannot be compared; bring it to the version of the hub: ecr-warden deploy"


def sentence(wire: Wire) -> str:
    """What is wrong with a wire, and what follows from it."""
    match wire.state:
        case WireState.ON:
            return f"the {wire.name} is as its stack deploys it"
        case WireState.UNREADABLE:
            return f"the {wire.name} could not be read: {wire.why}"
        case WireState.OUTDATED:
            return f"the {wire.name} is of another version than the hub"
        case WireState.BOUNDED:
            return f"the {wire.name} has a permissions boundary that its stack does not give it: {wire.why}"
        case WireState.UNDELIVERED:
            return f"the {wire.name} has {wire.why}, which did not reach the hub; sweeps make up for them"
        case WireState.SILENT:
            return f"the {wire.name} is missing: {wire.why}"
        case WireState.TARGETLESS:
            return f"the {wire.name} no longer leads to its target: it delivers {wire.delivers}"
        case WireState.CHANGED:
            return f"the {wire.name} is not as its stack deploys it ({wire.why}): it delivers {wire.delivers}"
        case WireState.UNCONFIRMED:
            return f"the {wire.name} is not in force, for {wire.why}: it delivers {wire.delivers}"
        case WireState.MISSING | WireState.DISABLED:
            why = f" ({wire.why})" if wire.why else ""
            return f"the {wire.name} is {wire.state}{why}: it delivers {wire.delivers}"


def remedy(wire: Wire) -> str:
    """What to do about it."""
    match wire.state:
        case WireState.ON | WireState.UNREADABLE:
            return ""
        case WireState.OUTDATED:
            return _OLD
        case WireState.SILENT:
            return "see its rule ecr-warden-heartbeat and the queue ecr-warden-forward-dlq: docs/safety.md"
        case WireState.BOUNDED:
            return "name it as role_boundary in ecr-warden.yaml and deploy, or take it off: docs/deploy.md"
        case WireState.UNDELIVERED:
            return "see why in the ERROR_CODE of its messages, and purge it: docs/safety.md"
        case WireState.UNCONFIRMED:
            return "confirm it by AWS's e-mail; aws sns subscribe sends another: docs/safety.md"
        case WireState.MISSING | WireState.DISABLED if wire.name.startswith("trail "):
            return "have a trail report it: docs/deploy.md#the-trail"
        case WireState.MISSING | WireState.DISABLED | WireState.TARGETLESS | WireState.CHANGED:
            return "repair its stack: ecr-warden deploy"


def severity(wire: Wire) -> Severity:
    """How soon a person should look at it."""
    match wire.state:
        case WireState.ON:
            return Severity.INFO
        case WireState.UNREADABLE | WireState.OUTDATED | WireState.BOUNDED | WireState.UNDELIVERED:
            return Severity.WARNING
        case _:
            return Severity.CRITICAL
