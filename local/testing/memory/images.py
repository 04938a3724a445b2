"""The ImageRecords port in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecr_warden.core.target import RepositoryTarget
from ecr_warden.images.push import Day


@dataclass(slots=True)
class MemoryImageRecords:
    """`meanwhile`: days that somebody else keeps before the next writes."""

    kept: dict[RepositoryTarget, dict[str, Day]] = field(default_factory=dict)
    meanwhile: list[Day] = field(default_factory=list)

    def days(self, repository: RepositoryTarget, since: str) -> Mapping[str, Day]:
        return {name: day for name, day in self.kept.get(repository, {}).items() if name >= since}

    def keep(self, repository: RepositoryTarget, day: str, pushes: Day) -> bool:
        days = self.kept.setdefault(repository, {})
        if self.meanwhile:
            days[day] = self.meanwhile.pop()
        if days.get(day, Day()).revision != pushes.revision - 1:
            return False
        days[day] = pushes
        return True
