"""`report`: who can pull and push what, as one page to keep, to print and to pass on; nothing is written to AWS."""

import argparse
import getpass
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from ecr_warden.access_spec import Valid
from ecr_warden.audit.finding import AuditRecord, Certainty, Condition, ConditionStatus, RepositoryHealth
from ecr_warden.audit.finding_texts import causes
from ecr_warden.audit.grounds import Ground
from ecr_warden.audit.health import AuditedAccess, Involved
from ecr_warden.audit.unread import lines
from ecr_warden.core.codec.base import to_json
from ecr_warden.core.estate import Estate
from ecr_warden_cli.asking.administering import administrators_in
from ecr_warden_cli.asking.estate_input import OpenedEstate, ReadFrom, open_estate, source_arguments, source_of
from ecr_warden_cli.asking.hub_report import fresh_report
from ecr_warden_cli.asking.local_audit import local_audit
from ecr_warden_cli.page.evidence import evidence_of
from ecr_warden_cli.page.rows import access_to_json, accesses, not_known, sets_of, to_csv
from ecr_warden_cli.report.make import Beside, grants_and_teams, make_report, parts_of_spec
from ecr_warden_cli.report.matrix import Sources
from ecr_warden_cli.report.report import Origin, Report
from ecr_warden_cli.terminal.console import Exit
from ecr_warden_cli.terminal.context import Context, UsageError, Verb, argument
from ecr_warden_cli.terminal.outputs import check_output, is_same_file, write_folder, write_output
from iam_access.text.printable import count, cut

_DEFAULT = "ecr-warden-report.html"
_SCHEMA = 2
"""Of the JSON: accesses are of sets of repositories."""


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    source, page = source_of(arguments), _checked_page(arguments)
    report = _report(source, arguments, context)
    unknown, folder = not_known(report), arguments.evidence
    if page is not None:
        from ecr_warden_cli.page.page import page_of  # noqa: PLC0415 - the other verbs need no HTML

        with context.console.doing("writing the page"):
            _write(page, page_of(report, _user()), arguments)
    if arguments.csv is not None:
        _write(arguments.csv, to_csv(report), arguments)
    if folder is not None:
        folder = _folders(folder)[bool(unknown)]
        write_folder(folder, evidence_of(report, _user()))
    if arguments.json:
        context.console.answer(report_to_json(report))
    else:
        context.console.line(f"{' and '.join(filter(None, (page, arguments.csv, folder)))}: {_summary(report)}")
        context.console.notes(f"not in the report: {note}" for note in unknown)
    return Exit.ERROR if unknown else Exit.FINE


def _checked_page(arguments: argparse.Namespace) -> str | None:
    """Where the page goes, if anywhere; raises UsageError, or Failure where something cannot be written."""
    given = (arguments.output, arguments.csv, arguments.evidence)
    page: str | None = _DEFAULT if given == (None, None, None) and not arguments.json else arguments.output
    if page is not None and page == arguments.csv:
        raise UsageError("-o and --csv name the same file", remedy="give two names")
    if "-" in given:
        raise UsageError("the page and the tables are files", remedy="give a path, or --json for data on stdout")
    for path in filter(lambda one: one is not None, (page, arguments.csv)):
        if any(is_same_file(path, one) for one in filter(None, (arguments.spec, arguments.snapshot))):
            raise UsageError(f"{cut(path, 300)}: the report is made of it", remedy="give another path")
        check_output(path, force=arguments.force)
    for folder in () if arguments.evidence is None else _folders(arguments.evidence):
        check_output(folder, what="folder")
    return page


def _folders(path: str) -> tuple[str, str]:
    """Where evidence goes, and where it goes if something was not read."""
    return path.rstrip("/"), f"{path.rstrip('/')}-INCOMPLETE"


def _summary(report: Report) -> str:
    extra = Counter[Certainty]()
    for access in accesses(report):
        if access.way.ground is Ground.NONE:
            extra[access.way.answer] += len(access.rows)
    maybe = extra.pop(Certainty.UNKNOWN, 0)
    rows, principals = count(len(report.matrix.rows), "repository"), count(len(report.matrix.principals), "principal")
    more = f"{count(extra.total(), 'access')} that the spec does not give{f' and {maybe} unknown' if maybe else ''}"
    return f"{rows}, {principals}, {more}, {count(len(causes(report.findings)), 'finding')}"


def _write(path: str, text: str, arguments: argparse.Namespace) -> None:
    """For its owner alone: it is the map of all access."""
    write_output(path, text, force=arguments.force, mode=0o600)


def _user() -> str:
    """As the system calls whoever runs the command; "" where it has no name for them."""
    try:
        return getpass.getuser()
    except OSError:
        return ""


def _report(source: ReadFrom, arguments: argparse.Namespace, context: Context) -> Report:
    if source is ReadFrom.HUB:
        return fresh_report(arguments, context)
    if arguments.spec is None:
        raise UsageError("a report says what a spec gives", remedy="add --spec SPEC, or ask the hub with --hub")
    return _of_laptop(open_estate(arguments, context), context)


def _of_laptop(asked: OpenedEstate, context: Context) -> Report:
    estate, spec, now = asked.estate, asked.spec, context.clock.now()
    assert spec is not None
    with context.console.doing("finding out who can pull and push"):
        record = local_audit(estate, spec.compiled, now)
        grants, teams = grants_and_teams(spec.spec)
        sources = Sources(estate, spec.compiled, _health(estate, spec, record, now), teams)
        named = [one for one in estate.accounts.values() if one.id in spec.spec.aliases]
        read = [one.id for one in named if one.is_listed]
        read += [f"{one.id}/{region}" for one in named for region in one.registries]
        parts = parts_of_spec(spec.compiled, spec.spec.aliases, dict.fromkeys(read, estate.taken_at))
        beside = Beside(now, Origin.LAPTOP, parts, grants, administrators_in(asked), lines(record.unread))
        return make_report(sources, record, beside)


def _health(estate: Estate, spec: Valid, record: AuditRecord, now: datetime) -> dict[str, RepositoryHealth]:
    """Of the repositories of the spec: documents are compared by `plan` and by the hub."""
    audited = AuditedAccess(Involved(spec.compiled), record, now)
    compared = Condition(
        ConditionStatus.UNKNOWN, "NotCompared", "ecr-warden plan and the hub compare the documents", now
    )
    is_old = now - estate.taken_at > timedelta(days=1)
    read = Condition(
        ConditionStatus.FALSE if is_old else ConditionStatus.TRUE,
        "Overdue" if is_old else "Fresh",
        "read once",
        estate.taken_at,
    )
    return {
        str(one.target): RepositoryHealth(compared, audited.of(one.target), read)
        for one in estate.repositories()
        if spec.compiled.spec_of(one.target) is not None
    }


def report_to_json(report: Report) -> dict[str, Any]:
    """`{"madeAt", "origin", ..., "repositories", "sets", "accesses"}`: the report without its tables."""
    matrix, found = report.matrix, [*accesses(report)]
    sets = sets_of(found)
    form: dict[str, Any] = {"schema": _SCHEMA, **to_json(report)}
    del form["matrix"]
    for end in form["ends"]:
        del end["principal"], end["rows"]
    names = ("inSync", "audited", "fresh")
    form["repositories"] = [
        {
            "repository": row.target,
            "health": {name: to_json(matrix.conditions[at]) for name, at in zip(names, row.health, strict=False)}
            or None,
            "unread": row.unread,
            "observed": row.observed,
            "leftOut": row.groups is None,
        }
        for row in matrix.rows
    ]
    form["sets"] = [
        {"set": name, "repositories": [matrix.rows[number].target for number in rows]} for rows, name in sets.items()
    ]
    form["accesses"] = [access_to_json(access, matrix, sets) for access in found]
    return form


REPORT = Verb(
    "ecr-warden report --example -o report.html\n  ecr-warden report --hub -o report.html",
    (
        argument("-o", "--output", metavar="FILE", help=f"where the page goes; default: {_DEFAULT}"),
        argument("--csv", metavar="FILE", help="write the accesses as a table; without -o no page"),
        argument(
            "--evidence",
            metavar="DIR",
            help="write a new folder of tables for a review, with a manifest of their hashes; DIR-INCOMPLETE if "
            "something was not read; without -o no page",
        ),
        argument("--force", action="store_true", help="replace files that exist"),
        *source_arguments(hub="what the hub has read and found"),
    ),
    _run,
    json_help="print one JSON object, and write files only if they are named; docs/schema/command.md describes it",
)
