"""`dev policy-lint FILE...`: problems in policy documents."""

import argparse
from typing import Any

from msgspec import Struct

from ecr_warden.core.ecr import ECR
from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, Verb
from ecr_warden_cli.inputs import name_of, read_file, say_awaited
from ecr_warden_cli.json_lines import error_to_json
from iam_access.document.document import parse_document
from iam_access.document.kind import DocumentKind
from iam_access.errors import NamedError
from iam_access.lint import Level, LintFinding, guessed_kind, lint
from iam_access.text.printable import count
from iam_access.text.strict_json import MAX_CHARACTERS

KINDS = {
    "repository": DocumentKind.RESOURCE,
    "trust": DocumentKind.TRUST,
    "identity": DocumentKind.IDENTITY,
}
UNREADABLE = "document-unreadable"
_NAMES = {kind: name for name, kind in KINDS.items()}
_STYLES = {Level.ERROR: Style.BAD, Level.WARNING: Style.ODD, Level.NOTE: Style.FAINT}


class _Examined(Struct, frozen=True):
    """One file: its kind, why that was assumed, and its findings; or the error that prevented reading it."""

    file: str
    kind: DocumentKind | None = None
    guess: str = ""
    findings: tuple[LintFinding, ...] = ()
    error: NamedError | None = None

    def count(self, level: Level) -> int:
        refused = self.error is not None and level is Level.ERROR
        return refused + sum(finding.level is level for finding in self.findings)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help="a document as JSON; - or none for stdin")
    parser.add_argument("--kind", choices=list(KINDS), help="the kind of the documents; default: guessed for each")


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Examine each file, unreadable ones notwithstanding. ERROR if there is any error."""
    kind = KINDS.get(arguments.kind)
    if not arguments.files:
        say_awaited(context.stdin, context.console, "a policy document")
    files = [_examine(path, kind, context) for path in arguments.files or ["-"]]
    counts = {level: sum(file.count(level) for file in files) for level in Level}
    if arguments.json:
        summary = {"files": len(files), **{f"{severity}s": count for severity, count in counts.items()}}
        context.console.answer({"files": [_file_to_json(file) for file in files], "summary": summary})
    else:
        for file in files:
            _show(file, context)
        context.console.line(_last_line(counts, len(files)), Style.HEADING)
    return Exit.ERROR if counts[Level.ERROR] else Exit.FINE


def _examine(path: str, kind: DocumentKind | None, context: Context) -> _Examined:
    file = name_of(path)
    remedy = "give the path of a policy document, or - to read it from stdin"
    try:
        data = read_file(path, context.stdin, MAX_CHARACTERS, code=UNREADABLE, remedy=remedy)
        document = parse_document(data)
    except NamedError as error:
        return _Examined(file, kind, error=error)
    guess = ""
    if kind is None:
        kind, guess = guessed_kind(document)
    return _Examined(file, kind, guess, lint(document, kind, ECR, now=context.clock.now()))


def _show(file: _Examined, context: Context) -> None:
    console = context.console
    if file.guess and file.kind is not None:
        taken = f"{file.file}: assuming kind {_NAMES[file.kind]}, because {file.guess}"
        console.note(f"{taken}; use --kind to override")
    if file.error is not None:
        console.line(f"{Level.ERROR} {file.error.code} {file.file}: {file.error}", Style.BAD)
    for finding in file.findings:
        where = f"{file.file}:{finding.place}" if finding.place else file.file
        line = f"{finding.level} {finding.code} {where} {finding.message}; {finding.remedy}"
        console.line(line, _STYLES[finding.level])


def _last_line(counts: dict[Level, int], files: int) -> str:
    found = [count(number, severity) for severity, number in counts.items() if number]
    return f"{count(files, 'document')}: {', '.join(found) or 'nothing found'}"


def _file_to_json(file: _Examined) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "file": file.file,
        "kind": None if file.kind is None else _NAMES[file.kind],
        "guessed": bool(file.guess),
        "findings": [
            {
                "code": finding.code,
                "severity": finding.level,
                "place": finding.place,
                "message": finding.message,
                "remedy": finding.remedy,
            }
            for finding in file.findings
        ],
    }
    if file.error is not None:
        answer["error"] = error_to_json(file.error)
    return answer


LINT = Verb(
    "ecr-warden dev policy-lint examples/policy/live.json --kind repository",
    _add_arguments,
    _run,
    "Examines policy documents (JSON) and prints one entry per finding: severity, code, FILE:JSON PATH, what is wrong, "
    "and what to do. docs/policy-lint.md lists the codes.",
)
