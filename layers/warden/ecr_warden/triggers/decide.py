"""What becomes of an event: the one answer that `dispatch` acts on and `event explain` prints."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ecr_warden.model.job import Job
from ecr_warden.model.target import Target
from ecr_warden.triggers.parse import parse_trigger
from ecr_warden.triggers.targets import jobs_of, look_up
from ecr_warden.triggers.trigger import ApiCall, Ignored, SpecChanged, Trigger

SPEC_ENDINGS = (".yaml", ".yml", ".json")
"""What a file that somebody takes for the spec ends in, in any case; other objects of the bucket are nobody's error."""


@dataclass(frozen=True, slots=True)
class SpecPlace:
    """Where the spec stands: its key, and whether a bucket is the spec's."""

    key: str
    is_bucket: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Decision:
    """What set ecr-warden to work, the targets it names (none: all of them), and the jobs it makes."""

    trigger: Trigger
    targets: tuple[Target, ...]
    jobs: tuple[Job, ...]


def decide(event: object, place: SpecPlace) -> Decision | Ignored:
    """Decide about an EventBridge event or a bare CloudTrail record; raises TriggerError if it is neither."""
    trigger = parse_trigger(event)
    match trigger:
        case Ignored():
            return trigger
        case SpecChanged() if not place.is_bucket(trigger.bucket):
            return Ignored("another object than the spec")
        case SpecChanged() if trigger.key != place.key:
            return _of_another_key(trigger)
        case ApiCall():
            targets = look_up(trigger)
            return targets if isinstance(targets, Ignored) else Decision(trigger, targets, jobs_of(trigger))
        case _:
            return Decision(trigger, (), jobs_of(trigger))


def _of_another_key(written: SpecChanged) -> Decision | Ignored:
    """A file that was to be the spec and has another name: whoever wrote it waits, and is told."""
    if written.deleted or not written.key.lower().endswith(SPEC_ENDINGS):
        return Ignored("another object than the spec")
    misplaced = replace(written, misplaced=True)
    return Decision(misplaced, (), jobs_of(misplaced))
