"""The accesses that CSV and JSON have, expanded, are those of each repository by itself: each once, and no other."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ecr_warden.audit.finding import AuditRecord
from ecr_warden_cli.page.rows import to_csv
from ecr_warden_cli.report.grant import GrantedAccess
from ecr_warden_cli.report.make import Beside, make_report
from ecr_warden_cli.report.matrix import Sources
from ecr_warden_cli.report.report import EndingGrant, Origin, Report
from ecr_warden_cli.verbs.report import report_to_json
from local.testing.seed import compiled
from tests import examples
from tests.property import estates
from tests.property.test_findings import specs
from tests.property.test_who_can import ASKED
from tests.snapshots import estate_from_text

type Json = dict[str, Any]
NOW = datetime(2026, 11, 24, tzinfo=UTC)
UNTIL = datetime(2026, 12, 24, tzinfo=UTC)
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
_COPIES = {"shop/app": ("other/app", "third/app"), "shop/web": ("other/web",)}


def _with_copies(drawn: Json) -> Json:
    """The snapshot with repositories that have the policy of another one."""
    registry = drawn["accounts"][estates.HOME]["ecr"]["eu-central-1"]
    copies = [
        {**one, "repositoryName": name}
        for one in registry["repositories"]
        for name in _COPIES.get(one["repositoryName"], ())
    ]
    return {
        **drawn,
        "accounts": {
            **drawn["accounts"],
            estates.HOME: {
                **drawn["accounts"][estates.HOME],
                "ecr": {"eu-central-1": {**registry, "repositories": [*registry["repositories"], *copies]}},
            },
        },
    }


def _report(snapshot: Json, spec: Json) -> Report:
    estate, version = estate_from_text(json.dumps(snapshot), at=NOW), compiled(json.dumps(spec), now=NOW)
    beside = Beside(NOW, Origin.LAPTOP, ())
    return make_report(Sources(estate, version), AuditRecord(NOW, version.version, {}), beside)


def _of_csv(report: Report) -> Iterator[tuple[str, ...]]:
    rows = [*csv.DictReader(io.StringIO(to_csv(report), newline=""))]
    members: dict[str, list[str]] = {}
    for row in rows:
        if row["repository"]:
            members.setdefault(row["set"], []).append(row["repository"])
    for row in rows:
        if row["principal"]:
            for repository in members[row["set"]]:
                yield repository, row["principal"], row["access"], row["answer"], row["ground"], row["until"]


def _of_json(report: Report) -> Iterator[tuple[str, ...]]:
    form = json.loads(json.dumps(report_to_json(report)))
    members = {one["set"]: one["repositories"] for one in form["sets"]}
    for one in form["accesses"]:
        for repository in members[one["set"]]:
            who, access = one["principal"], one["access"]
            yield repository, who, access, one["answer"], one["ground"], one["until"] or ""


def _plainly(report: Report) -> Iterator[tuple[str, ...]]:
    """Repository by repository, by the tables of the matrix as docs of the report have them."""
    matrix = report.matrix
    ends = {
        (matrix.principals[end.principal].name, str(end.access), matrix.rows[row].target): "2026-12-24T00:00:00Z"
        for end in report.ends
        if end.principal is not None
        for row in end.rows
    }

    def places(runs: tuple[int, ...]) -> list[int]:
        flags = [index % 2 == 1 for index, length in enumerate(runs) for _ in range(length)]
        return [place for place, is_taken in enumerate(flags) if is_taken]

    for row in matrix.rows:
        for group in (matrix.groups[place] for place in places(row.groups or ())):
            way = matrix.ways[group.way]
            for who in (matrix.principals[place].name for place in places(group.runs)):
                until = ends.get((who, str(group.access), row.target), "")
                yield row.target, who, str(group.access), str(way.answer), str(way.ground), until


@st.composite
def _ends(draw: st.DrawFn) -> list[tuple[int, GrantedAccess, frozenset[int]]]:
    """Of some principals' access to some rows, by numbers that are taken as far as they go."""
    ways = st.sampled_from((GrantedAccess.PULL, GrantedAccess.PUSH))
    return draw(st.lists(st.tuples(st.integers(0, 20), ways, st.frozensets(st.integers(0, 4), max_size=3)), max_size=3))


def _with_ends(report: Report, drawn: list[tuple[int, GrantedAccess, frozenset[int]]]) -> Report:
    size, rows = len(report.matrix.principals), len(report.matrix.rows)
    ends = tuple(
        EndingGrant(access, "", "", "", UNTIL, who % size, tuple(sorted(row for row in chosen if row < rows)))
        for who, access, chosen in drawn
        if size
    )
    return replace(report, ends=ends)


def _check(drawn: Json, spec: Json, ends: list[tuple[int, GrantedAccess, frozenset[int]]]) -> None:
    snapshot = _with_copies(drawn)
    report = _with_ends(_report(snapshot, spec), ends)
    plain, table, form = Counter(_plainly(report)), Counter(_of_csv(report)), Counter(_of_json(report))
    assert table == form == plain
    assert {*Counter(one[:3] for one in table.elements()).values()} <= {1}
    known = {one["Arn"] for one in estates.identities_of(snapshot)}
    for name in estates.REPOSITORIES:
        place = f"repository/{estates.HOME}/eu-central-1/{name}"
        for access in ("pull", "push"):
            by_force = estates.who_can(snapshot, name, ASKED[access]).keys()
            assert {one[1] for one in table if one[0] == place and one[2] == access} & known == by_force & known


@settings(examples.of(50, 100), phases=_PHASES)
@given(estates.estates(), specs(), _ends())
def test_each_access_is_there_once(
    drawn: Json, spec: Json, ends: list[tuple[int, GrantedAccess, frozenset[int]]]
) -> None:
    _check(drawn, spec, ends)


@pytest.mark.thorough
@settings(max_examples=1000, phases=_PHASES)
@given(estates.estates(), specs(), _ends())
def test_each_access_is_there_once_in_a_thousand_estates(
    drawn: Json, spec: Json, ends: list[tuple[int, GrantedAccess, frozenset[int]]]
) -> None:
    _check(drawn, spec, ends)


@pytest.mark.thorough
def test_sets_of_several_repositories_and_ends_are_drawn() -> None:
    def kinds(drawn: Json, spec: Json, ends: list[tuple[int, GrantedAccess, frozenset[int]]]) -> Iterator[str]:
        report = _with_ends(_report(_with_copies(drawn), spec), ends)
        sizes = [len(one["repositories"]) for one in report_to_json(report)["sets"]]
        expires = any(one[5] for one in _of_csv(report))
        yield from examples.true(several=max(sizes, default=0) > 1, two=len(sizes) > 1, ends=expires)

    seen = examples.seen(60, estates.estates(), specs(), _ends(), by=kinds)
    assert min(seen["several"], seen["two"], seen["ends"]) > 5
