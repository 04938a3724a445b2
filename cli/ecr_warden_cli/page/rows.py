"""The accesses of a report, one by one, as CSV and JSON have them."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from ecr_warden.audit.grounds import Ground
from ecr_warden_cli.report.matrix import taken
from ecr_warden_cli.report.report import (
    REPOSITORY,
    WHOEVER,
    Allowing,
    Matrix,
    Report,
    ReportGroup,
    ReportPrincipal,
    Row,
    Way,
)
from iam_access.text.printable import show_time

_COLUMNS = (
    *("repository", "principal", "account", "teams", "access", "answer", "inSpec", "ground"),
    *("through", "conditions", "because", "until"),
)
# A spreadsheet takes a cell that begins like this for a formula.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class RowAccess(Struct, frozen=True):
    """One access: a principal's kind of access to a repository."""

    row: Row
    principal: ReportPrincipal
    group: ReportGroup
    way: Way
    until: datetime | None


def accesses(report: Report) -> Iterator[RowAccess]:
    """Every access, repository by repository."""
    matrix = report.matrix
    untils = {
        (row, end.principal, str(end.access)): end.until
        for end in report.ends
        if end.principal is not None
        for row in end.rows
    }
    members = [[*taken(group.runs)] for group in matrix.groups]
    for number, row in enumerate(matrix.rows):
        for place in taken(row.groups or ()):
            group = matrix.groups[place]
            way = matrix.ways[group.way]
            for member in members[place]:
                until = untils.get((number, member, str(group.access)))
                yield RowAccess(row, matrix.principals[member], group, way, until)


def access_to_json(access: RowAccess, matrix: Matrix) -> dict[str, Any]:
    """`{"repository", "principal", ...}`, as docs/schema/command.md has it."""
    return {
        "repository": access.row.target,
        "principal": access.principal.name,
        "account": access.principal.account,
        "teams": list(access.principal.teams),
        "access": str(access.group.access),
        "answer": str(access.way.answer),
        "inSpec": access.way.ground is Ground.SPEC,
        "ground": str(access.way.ground),
        "through": [matrix.texts[place] for place in access.way.through],
        "conditions": [matrix.texts[place] for place in access.way.conditions],
        "because": [_allowing(because, access, matrix) for because in access.way.because],
        "until": show_time(access.until) if access.until is not None else None,
    }


def _allowing(because: Allowing, access: RowAccess, matrix: Matrix) -> str:
    policy, allows = matrix.texts[because.policy], matrix.texts[because.allows]
    if not because.statement:
        return f"{policy} allows {allows}"
    owners = {WHOEVER: access.principal.name, REPOSITORY: access.row.target}
    owner = owners[because.holder] if because.holder < 0 else matrix.texts[because.holder]
    return f"statement {because.statement} of {policy} of {owner} allows {allows}"


def to_csv(report: Report) -> str:
    """A row for each access, RFC 4180; what a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for access in accesses(report):
        form = access_to_json(access, report.matrix)
        writer.writerow(_cell(form[name]) for name in _COLUMNS)
    return text.getvalue()


def _cell(value: object) -> str:
    text = "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
