"""When the sweeps looked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ecr_warden.model.look import Look


@dataclass(slots=True)
class MemoryLooks:
    """The last look of each part."""

    noted: dict[str, Look] = field(default_factory=dict)

    def note(self, look: Look) -> None:
        self.noted[look.part] = look

    def all(self) -> Sequence[Look]:
        return [*self.noted.values()]
