"""What becomes of an event: the one answer that `dispatch` acts on and `event explain` prints."""

from collections.abc import Callable
from dataclasses import dataclass

from ecr_warden.model.job import Job
from ecr_warden.model.target import Target
from ecr_warden.triggers.parse import parse_trigger
from ecr_warden.triggers.targets import jobs_of, look_up
from ecr_warden.triggers.trigger import ApiCall, Ignored, SpecChanged, Trigger


@dataclass(frozen=True, slots=True)
class Decision:
    """What set ecr-warden to work, the targets it names (none: all of them), and the jobs it makes."""

    trigger: Trigger
    targets: tuple[Target, ...]
    jobs: tuple[Job, ...]


def decide(event: object, is_spec: Callable[[SpecChanged], bool]) -> Decision | Ignored:
    """Decide about an EventBridge event or a bare CloudTrail record; raises TriggerError if it is neither.

    `is_spec`: whether the object that somebody wrote is the spec.
    """
    trigger = parse_trigger(event)
    match trigger:
        case Ignored():
            return trigger
        case SpecChanged() if not is_spec(trigger):
            return Ignored("another object than the spec")
        case ApiCall():
            targets = look_up(trigger)
            return targets if isinstance(targets, Ignored) else Decision(trigger, targets, jobs_of(trigger))
        case _:
            return Decision(trigger, (), jobs_of(trigger))
