"""Who outside gains by a version (tests/cases/versions/outside.yaml)."""

from pathlib import Path
from typing import Any

import pytest

from ecr_warden.collect.observed import ReadAccounts
from ecr_warden.core.ours import ours_of
from ecr_warden.versions.enforced import step
from ecr_warden.versions.outside_gains import outside_gains
from tests import tables
from tests.unit.versions.rows import live_of, texts_of, versions_of

ROWS: list[dict[str, Any]] = tables.load(Path("tests/cases/versions/outside.yaml").read_text())["rows"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_who_outside_gains(row: dict[str, Any]) -> None:
    versions = versions_of(*texts_of(row))
    change, ours = step(versions.accepted, versions.new), ours_of(versions.baseline)
    found = outside_gains(change, ours, ReadAccounts(live_of(row.get("live", {}), versions)).account)
    assert any(row["why"] in reason for reason in found.reasons) if row["why"] else found.reasons == ()
    assert [row["unread"] in one for one in found.unseen] == [True] if "unread" in row else found.unseen == ()
    without = outside_gains(change, ours, None)
    assert "unseen" not in row or any(row["unseen"] in one for one in without.unseen), without.unseen
    assert set(without.reasons) <= set(found.reasons)


def test_what_gives_nothing_to_live_roles_needs_no_accounts() -> None:
    names = {
        "an own user pulls",
        "the next repository of the GitHub owner",
        "own functions pull",
        "a permission set pulls",
    }
    rows = [row for row in ROWS if row["name"] in names]
    assert len(rows) == len(names)
    for row in rows:
        versions = versions_of(*texts_of(row))
        assert outside_gains(step(versions.accepted, versions.new), ours_of(versions.baseline), None).unseen == ()
