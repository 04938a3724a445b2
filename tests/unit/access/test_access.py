"""The table of estates: each question has the answer that AWS's rules give."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.core.codec.snapshot import estate_from_text
from ecr_warden_cli.access import can_i, find_subject, question
from tests import tables

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ESTATES = tables.load(Path("tests/cases/access/estates.yaml").read_text())
CASES = [
    pytest.param(estate, name, id=f"{estate['name']}: {name}") for estate in ESTATES for name in estate["questions"]
]


def _arn(text: str) -> str:
    account, _, rest = text.partition(":")
    return f"arn:aws:iam::{account}:{rest}" if account.isdigit() else text


@pytest.mark.parametrize(("estate", "name"), CASES)
def test_the_answer_follows_awss_rules(estate: dict[str, Any], name: str) -> None:
    asked = estate["questions"][name]
    graph = RepositoryGraph(estate_from_text(json.dumps({"schema": 1, "accounts": estate["accounts"]}), at=NOW))
    access, repository, principal = asked["ask"].split(" ")
    found = can_i(graph, find_subject(graph, _arn(principal)), question(graph, access, repository))
    assert found.answer == asked["answer"]
    if "docker" in asked:
        assert found.docker is not None
        assert found.docker.text == asked["docker"]
    if "chain" in asked:
        assert found.path is not None
        assert found.path.chain == (_arn(principal), *map(_arn, asked["chain"]))
    if "change" in asked:
        assert found.change is not None
        assert [edit.side for edit in found.change.edits] == asked["change"]
