"""Which bugs are planted: a sample of each area's modules, the same wherever a module stands.

`areas.yaml` names each area's modules, how many bugs it gets and the tests that must notice them; `survivors.yaml` the
bugs that none of them notices, with the reason.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct, convert

from tests import tables
from tests.mutants.operators import Bug, bugs, names_at_import

ROOT = Path(__file__).parents[2]
_HERE = Path(__file__).parent
_ROOTS = ROOT / "layers" / "access", ROOT / "layers" / "warden", ROOT / "cli"
_SEED = "1"
_SHARE = 6
"""At most one in so many bugs of an area is of one operator, while others are left."""


class Area(Struct, frozen=True, forbid_unknown_fields=True):
    """Some modules, by globs below the packages' roots, and the tests, by paths below the root, that guard them.

    `but`: modules that only cost time or print. `floor`: the share of its bugs, without those that change nothing, that
    the tests must notice.
    """

    name: str
    modules: list[str]
    tests: list[str]
    bugs: int
    floor: float
    but: list[str] = []

    def files(self) -> list[Path]:
        """Its modules, sorted; raises ValueError for a glob that names none."""
        found: set[Path] = set()
        for glob in self.modules:
            named = {path for root in _ROOTS for path in root.glob(glob)}
            if not named:
                raise ValueError(f"{self.name}: there is no module {glob}")
            found |= named
        return sorted(found - {path for glob in self.but for root in _ROOTS for path in root.glob(glob)})


class Survivor(Struct, frozen=True, forbid_unknown_fields=True):
    """A bug that no test notices; `why` nobody could, or None while no test does yet."""

    bug: str
    what: str
    why: str | None = None


def areas() -> list[Area]:
    """All of areas.yaml."""
    return convert(_read("areas.yaml"), list[Area])


def survivors() -> dict[str, Survivor]:
    """All of survivors.yaml, by the name of the bug."""
    return {one.bug: one for one in convert(_read("survivors.yaml"), list[Survivor])}


def _read(name: str) -> Any:
    return tables.load((_HERE / name).read_text()) or []


def chosen(area: Area) -> list[Bug]:
    """The bugs that are planted into an area."""
    everywhere = _times()
    possible = sorted(
        (bug for path in area.files() for bug in _of(path) if everywhere[bug.what] == 1),
        key=lambda bug: sha256(f"{_SEED} {bug.name}".encode()).digest(),
    )
    most = max(1, area.bugs // _SHARE)
    of_operator: Counter[str] = Counter()
    first: list[Bug] = []
    rest: list[Bug] = []
    for bug in possible:
        of_operator[bug.operator] += 1
        (first if of_operator[bug.operator] <= most else rest).append(bug)
    return (first + rest)[: area.bugs]


@cache
def _times() -> Counter[tuple[str, str, str, str, int]]:
    """How often each name stands: two functions of one name and text in two modules are not told apart."""
    return Counter(bug.what for path in _all_files() for bug in _of(path))


def _all_files() -> Iterator[Path]:
    for root in _ROOTS:
        yield from sorted(root.rglob("*.py"))


@cache
def _of(path: Path) -> list[Bug]:
    return bugs(path.read_text(), str(path), _at_import())


@cache
def _at_import() -> frozenset[str]:
    return frozenset[str]().union(*(names_at_import(path.read_text()) for path in _all_files()))
