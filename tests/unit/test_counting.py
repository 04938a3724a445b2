"""The count of work tells growth with the square from growth with the size, and ends what is too much."""

import pytest

from tests.counting import TooMuchWork, counted


def square(size: int) -> int:
    return sum(1 for _ in range(size) for _ in range(size))


def test_work_is_counted_the_same_every_time_and_by_its_growth() -> None:
    small, again, large = (counted(lambda size=size: square(size))[1] for size in (50, 50, 100))  # type: ignore[misc]
    assert small == again
    assert 3.8 < large / small < 4.2


def test_too_much_work_is_cut_off() -> None:
    with pytest.raises(TooMuchWork):
        counted(lambda: square(100), 1_000)
    assert counted(lambda: square(10), 1_000)[0] == 100
