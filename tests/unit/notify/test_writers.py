"""The tool behind a call, as CloudTrail shows it, and what to change in it."""

from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.address import AddressKind, attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.job import Actor
from ecr_warden.notify.writers import Tool, advice, tool_of
from tests.tables import load
from tests.unit.notify.reports import REPOSITORY, ROLE, USER

CASES: dict[str, dict[str, Any]] = load((Path(__file__).parents[2] / "cases/writers.yaml").read_text())["writers"]


def writer(row: dict[str, Any]) -> Actor | None:
    return Actor("AssumedRole", session_name="s", **row["actor"]) if "actor" in row else None


@pytest.mark.parametrize("name", CASES)
def test_tool(name: str) -> None:
    assert tool_of(writer(CASES[name])) == CASES[name]["tool"]


ADDRESSES = (
    repository_policy(REPOSITORY),
    role(ROLE),
    trust_policy(ROLE),
    *(identity_policy(one, "p") for one in (ROLE, USER)),
    *(attached_policy(one, "arn:aws:iam::aws:policy/P") for one in (ROLE, USER)),
)
WRITERS = {row["tool"]: writer(row) for row in CASES.values()}


@pytest.mark.parametrize("tool", Tool)
def test_each_tool_has_advice_on_each_document(tool: Tool) -> None:
    assert {address.kind for address in ADDRESSES} == {*AddressKind}
    for address in ADDRESSES:
        *_, other, page = advice(WRITERS[tool], address, lets_in=False)
        assert f"ecr-warden pause {address.target} " in other
        assert "docs/beside-other-tools.md" in page
        against = " ".join(advice(WRITERS[tool], address, lets_in=True))
        assert "agree with" not in against
        assert "pause" not in against
        assert "out of the spec" not in against
