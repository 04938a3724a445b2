"""A literal document's nodes to a policy document, its errors at their places in the file."""

import re
from collections.abc import Iterator
from datetime import datetime

from ecr_warden.arn import ArnError, parse_arn
from ecr_warden.policy.document import Document, DocumentError, DocumentKind, Effect, Statement, parse_document
from ecr_warden.policy.principal import is_account
from ecr_warden.spec.accounts import Accounts
from ecr_warden.spec.lint_literals import lint_literal, place_at
from ecr_warden.spec.nodes import ListNode, MapNode, Node, Scalar, Tag
from ecr_warden.spec.problems import Code, quote
from ecr_warden.spec.report import Report
from ecr_warden.spec.scalars import lost_its_quotes

# What is a number in YAML 1.1 too: 1e3 and 1.5e3 are text there.
_SURE_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+([eE][+-][0-9]+)?)?")
_LONGEST_NUMBER = 30


def build_document(
    root: MapNode, kind: DocumentKind, accounts: Accounts, report: Report, *, now: datetime
) -> Document | None:
    """The document, or None; every statement's first error is reported, and what lint finds at this moment."""
    before = len(report.found)
    # A value refused here stands in the document as its text, so that the rest is still checked.
    raw = {key.text: _plain(value, report) for key, value in root.entries}
    try:
        document = parse_document(raw)
    except DocumentError as error:
        _report(error, root, report)
        for rest in _further_errors(raw, error):
            _report(rest, root, report)
        return None
    lint_literal(document, kind, root, report, now=now, has_refused=len(report.found) > before)
    for index, statement in enumerate(document.statements):
        _check_principals(statement, f"Statement[{index}]", accounts, root, report)
    return document


def _plain(node: Node, report: Report) -> object:
    match node:
        case MapNode(entries=entries):
            return {key.text: _plain(value, report) for key, value in entries}
        case ListNode(items=items):
            return [_plain(item, report) for item in items]
        case Scalar(tag=Tag.TEXT | Tag.TIMESTAMP | Tag.NUMBER) if lost_its_quotes(node):
            report.add(Code.UNQUOTED_ACCOUNT_ID, node.place, f"the account id {node.text} has no quotes")
            return node.text
        case Scalar(tag=Tag.NULL):
            return None
        case Scalar(tag=Tag.BOOLEAN, text=text) if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case Scalar(tag=Tag.NUMBER, text=text) if _SURE_NUMBER.fullmatch(text) and len(text) <= _LONGEST_NUMBER:
            return float(text) if set(text) & set(".eE") else int(text)
        case Scalar(tag=Tag.NUMBER | Tag.BOOLEAN, text=text):
            report.add(Code.UNSURE_SCALAR, node.place, f"{quote(text)} reads as {node.tag} to some YAML readers only")
            return text
        case Scalar(text=text):
            return text


def _further_errors(raw: dict[str, object], first: DocumentError) -> Iterator[DocumentError]:
    # parse_document stops at its first error; the other statements are tried singly so that all are seen at once.
    statements = raw.get("Statement")
    if not isinstance(statements, list) or not first.place.startswith("Statement["):
        return
    for index, statement in enumerate(statements):
        if first.place == f"Statement[{index}]" or first.place.startswith(f"Statement[{index}]."):
            continue
        try:
            parse_document({"Version": "2012-10-17", "Statement": [statement]})
        except DocumentError as error:
            moved = error.place.replace("Statement[0]", f"Statement[{index}]", 1)
            message = error.message.removeprefix(f"{error.place}: ")
            yield DocumentError(error.code, moved, message, remedy=error.remedy)


def _report(error: DocumentError, root: MapNode, report: Report) -> None:
    report.add(Code.DOCUMENT, place_at(root, error.place), error.message, remedy=error.remedy)


def _check_principals(statement: Statement, where: str, accounts: Accounts, root: MapNode, report: Report) -> None:
    if statement.principals is None or statement.principals.negated or statement.effect is not Effect.ALLOW:
        return
    place = place_at(root, f"{where}.Principal")
    for kind, value in statement.principals.values:
        if kind == "AWS" and (account := _account_of(value)) and accounts.with_id(account) is None:
            report.add(Code.FOREIGN_IN_DOCUMENT, place, f"{quote(value)} is of an account that is not under accounts")


def _account_of(value: str) -> str:
    if is_account(value):
        return value
    try:
        return parse_arn(value).account
    except ArnError:
        return ""
