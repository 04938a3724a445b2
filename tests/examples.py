"""How many examples a test of generated values tries: by the profile (tests/conftest.py)."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st


def number(fixed: int, more: int = 0) -> int:
    """The same each time, `fixed` in `make prove` and a fifth in `make test`, though not below 5; else others.

    `more`: how many others; by default twice as many.
    """
    match settings.get_current_profile_name():
        case "gate":
            return min(fixed, max(5, fixed // 5))
        case "prove":
            return fixed
        case _:
            return more or 2 * fixed


def of(fixed: int, more: int = 0) -> settings:
    """That number, for hypothesis."""
    return settings(max_examples=number(fixed, more))


def seen(number: int, *strategies: st.SearchStrategy[Any], by: Callable[..., Iterable[Hashable]]) -> Counter[Any]:
    """How often each of what `by` sees comes among so many examples, the same each time.

    Where a property holds of everything that is drawn, this shows that what it is about is drawn.
    """
    found: Counter[Any] = Counter()

    @settings(max_examples=number, database=None, derandomize=True)
    @given(st.tuples(*strategies))
    def draw(values: tuple[Any, ...]) -> None:
        found.update(by(*values))

    draw()
    return found


def true(**kinds: object) -> Iterable[str]:
    """The names of what is true."""
    return (name for name, holds in kinds.items() if holds)
