"""How many examples a costly test tries: few in the fixed part, which every run repeats, more by random ones."""

from hypothesis import settings


def of(fixed: int, more: int) -> settings:
    """`more` is for `--hypothesis-profile=random`, and so for `make fuzz`."""
    return settings(max_examples=fixed if settings().derandomize else more)
