"""Bugs planted into the layer: that each still has its place; `make prove` plants them."""

from tests.mutants.runner import bugs


def test_each_bug_has_a_name_of_its_own_and_a_place_to_change() -> None:
    planted = bugs()
    assert len({bug.name for bug in planted}) == len(planted) >= 200
    assert [bug.name for bug in planted if bug.source().count(bug.old) != 1] == []
