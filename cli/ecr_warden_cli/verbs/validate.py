"""`validate SPEC`: everything that is wrong with the file, at once."""

import argparse
from typing import Any

from ecr_warden.spec import Invalid, Problem, Severity, Valid

from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context
from ecr_warden_cli.files import name_of
from ecr_warden_cli.spec_file import add_spec, load

SUMMARY = "check a spec: every problem with its place and what to do"
EXAMPLE = "ecr-warden validate access.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec(parser)


def run(arguments: argparse.Namespace, context: Context) -> Exit:
    """Print the problems, one a line; warnings are printed and refuse nothing."""
    file = name_of(arguments.spec)
    match load(arguments.spec, context):
        case Valid(_, problems):
            valid = True
        case Invalid(problems):
            valid = False
    if arguments.json:
        context.console.answer({"valid": valid, "problems": [problem_to_json(problem) for problem in problems]})
    else:
        for problem in problems:
            style = Style.BAD if problem.severity is Severity.ERROR else Style.ODD
            context.console.line(problem.at(file), style)
        context.console.line(_last_line(file, valid, problems), None if valid else Style.HEADING)
    return Exit.FINE if valid else Exit.ERROR


def problem_to_json(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _last_line(file: str, valid: bool, problems: tuple[Problem, ...]) -> str:
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    counts = [_count(errors, "error"), _count(len(problems) - errors, "warning")]
    found = ", ".join(count for count in counts if count)
    return f"{file}: {'valid' if valid else 'not valid'}" + (f" ({found})" if found else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}" if number else ""
