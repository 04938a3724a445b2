"""The count of operations tells growth with the square from growth with the size."""

from tests.counting import operations


def square(size: int) -> None:
    for _ in range(size):
        for _ in range(size):
            pass


def test_work_is_counted_the_same_every_time_and_by_its_growth() -> None:
    small, again, large = (operations(lambda size=size: square(size)) for size in (50, 50, 100))  # type: ignore[misc]
    assert small == again
    assert 3.8 < large / small < 4.2
