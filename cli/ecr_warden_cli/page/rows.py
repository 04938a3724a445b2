"""The accesses of a report as CSV and JSON have them: the same access to several repositories is one entry."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from msgspec import Struct

from ecr_warden.audit.grounds import Ground
from ecr_warden.core.actions import Access
from ecr_warden_cli.report.matrix import taken
from ecr_warden_cli.report.report import REPOSITORY, WHOEVER, Allowing, Matrix, Report, ReportPrincipal, Way
from iam_access.text.printable import count, show_time

_COLUMNS = (
    *("set", "repository", "principal", "account", "teams", "access", "answer", "inSpec", "ground"),
    *("through", "conditions", "because", "until"),
)
# A spreadsheet takes a cell that begins like this for a formula.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class SharedAccess(Struct, frozen=True):
    """A principal's kind of access to repositories, in the same way; `rows`: their places in the matrix."""

    rows: tuple[int, ...]
    principal: ReportPrincipal
    access: Access
    way: Way
    until: datetime | None


def accesses(report: Report) -> Iterator[SharedAccess]:
    """Every access, once: no two of them have a principal, a kind of access and a repository in common."""
    matrix = report.matrix
    ends: dict[tuple[int, str], dict[int, datetime]] = defaultdict(dict)
    for end in report.ends:
        if end.principal is not None:
            ends[end.principal, str(end.access)] |= dict.fromkeys(end.rows, end.until)
    where: list[list[int]] = [[] for _ in matrix.groups]
    for number, row in enumerate(matrix.rows):
        for place in taken(row.groups or ()):
            where[place].append(number)
    found: dict[tuple[int, Access, int], list[int]] = defaultdict(list)
    for place, group in enumerate(matrix.groups):
        for member in taken(group.runs):
            found[member, group.access, group.way].append(place)
    rows_of = cache(lambda places: sorted(number for place in places for number in where[place]))
    for (member, access, way), places in found.items():
        by_end: dict[datetime | None, list[int]] = defaultdict(list)
        own = ends[member, str(access)]
        for number in rows_of(tuple(places)):
            by_end[own.get(number)].append(number)
        for until, numbers in by_end.items():
            yield SharedAccess(tuple(numbers), matrix.principals[member], access, matrix.ways[way], until)


def not_known(report: Report) -> list[str]:
    """What is not in the report: what was not read or not audited, and what there was no room for."""
    said = [*filter(None, [report.failure]), *report.unread]
    said += [
        f"{one.part}: not read"
        for one in report.parts
        if one.read_at is None and not any(note.startswith(f"{one.part}:") for note in said)
    ]
    findings_left_out = report.findings_left_out + sum(group.left_out for group in report.findings)
    room = (report.matrix.left_out, "repository", "who has access to "), (findings_left_out, "finding", "")
    return said + [f"{what}{count(number, one)}: there was no room" for number, one, what in room if number]


def sets_of(found: Iterable[SharedAccess]) -> dict[tuple[int, ...], str]:
    """The names of the sets of repositories."""
    return {rows: f"R{number}" for number, rows in enumerate(dict.fromkeys(one.rows for one in found), 1)}


def access_to_json(access: SharedAccess, matrix: Matrix, sets: Mapping[tuple[int, ...], str]) -> dict[str, Any]:
    """`{"set", "principal", ...}`, as docs/schema/command.md has it."""
    return {
        "set": sets[access.rows],
        "principal": access.principal.name,
        "account": access.principal.account,
        "teams": list(access.principal.teams),
        "access": str(access.access),
        "answer": str(access.way.answer),
        "inSpec": access.way.ground is Ground.SPEC,
        "ground": str(access.way.ground),
        "through": [matrix.texts[place] for place in access.way.through],
        "conditions": [matrix.texts[place] for place in access.way.conditions],
        "because": [_allowing(because, access, matrix) for because in access.way.because],
        "until": show_time(access.until) if access.until is not None else None,
    }


def _allowing(because: Allowing, access: SharedAccess, matrix: Matrix) -> str:
    policy, allows = matrix.texts[because.policy], matrix.texts[because.allows]
    if not because.statement:
        return f"{policy} allows {allows}"
    owners = {WHOEVER: access.principal.name, REPOSITORY: "the repository"}
    owner = owners[because.holder] if because.holder < 0 else matrix.texts[because.holder]
    return f"statement {because.statement} of {policy} of {owner} allows {allows}"


def to_csv(report: Report) -> str:
    """The repositories of each set, a row each, then a row for each access to all of a set."""
    found = [*accesses(report)]
    sets = sets_of(found)
    members = [
        {"set": name, "repository": report.matrix.rows[number].target} for rows, name in sets.items() for number in rows
    ]
    return table(_COLUMNS, [*members, *(access_to_json(access, report.matrix, sets) for access in found)])


def table(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """RFC 4180; what a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    text = "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
