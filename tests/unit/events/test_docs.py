"""docs/triggers.md shows the tables of the code."""

from collections import defaultdict
from pathlib import Path

import pytest

from ecr_warden.events.calls import BLINDING_CALLS, CALLS, READS, WATCHED, Irrelevant
from ecr_warden.events.trigger import WatchedService

PAGE = (Path(__file__).parents[3] / "docs/triggers.md").read_text()


def watched() -> list[str]:
    rows: dict[str, list[str]] = defaultdict(list)
    for service in WatchedService:
        for name, row in WATCHED[service].items():
            rows[row.names].append(f"{service}:{name}")
    return _by_reason(rows)


def _by_reason(rows: dict[str, list[str]]) -> list[str]:
    return [f"| {why} | {', '.join(f'`{name}`' for name in names)} |" for why, names in rows.items()]


def irrelevant(service: WatchedService) -> list[str]:
    rows: dict[str, list[str]] = defaultdict(list)
    for name, row in CALLS[service].items():
        if isinstance(row, Irrelevant):
            rows[row.why].append(name)
    return _by_reason(rows)


def blinding() -> list[str]:
    rows: dict[str, list[str]] = defaultdict(list)
    for service, calls in BLINDING_CALLS.items():
        for name, row in calls.items():
            rows[row.effect].append(f"{service}:{name}")
    return _by_reason(rows)


def _tables() -> list[list[str]]:
    """The rows of each table of the page, without its header."""
    tables: list[list[str]] = [[]]
    for line in PAGE.splitlines():
        if line.startswith("|"):
            tables[-1].append(line)
        elif tables[-1]:
            tables.append([])
    return [table[2:] for table in tables if table]


@pytest.mark.parametrize(
    ("number", "expected"),
    list(enumerate([watched(), irrelevant(WatchedService.ECR), irrelevant(WatchedService.IAM), blinding()])),
    ids=["watched", "ecr", "iam", "blinding"],
)
def test_a_table_of_the_page_equals_the_table_of_the_code(number: int, expected: list[str]) -> None:
    assert _tables()[number] == expected


def test_the_page_lists_the_prefixes_of_reads() -> None:
    assert ", ".join(f"`{start}`" for start in READS) in " ".join(PAGE.split())
