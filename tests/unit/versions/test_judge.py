"""The one rule for what waits, in the rows that define it (tests/cases/versions/judge.yaml)."""

from typing import Any

import pytest
from ecr_warden.versions.judge import judge

from tests.unit.versions.rows import NOW, ROWS, live_of, versions_of


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_what_waits(row: dict[str, Any]) -> None:
    versions = versions_of(row)
    found = judge(versions, live_of(row, versions), removed_before=row.get("removed_before", 0), now=NOW)
    assert sorted({one.code for one in found.held}) == sorted(row["held"]), found.held
    assert found.unseen == ()
    assert any(row.get("gains", "") in one for one in (*found.gains, "")), found.gains
    assert any(row.get("loses", "") in one for one in (*found.loses, "")), found.loses
