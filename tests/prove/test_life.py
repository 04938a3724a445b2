"""A few lives of a hub; `make prove` lives hundreds."""

from tests.prove.life import live


def test_after_quiet_and_one_sweep_access_is_as_the_spec_says_whatever_happened_before() -> None:
    assert live(12, 30) >= 300
