"""How many examples a test of generated values tries: by the profile (tests/conftest.py)."""

from hypothesis import settings


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
