"""A literal document's nodes to a policy document, its errors at their places in the file."""

import re
from collections.abc import Iterator

from ecr_warden.arn import ArnError, parse_arn
from ecr_warden.policy.document import Document, DocumentError, DocumentKind, Effect, Statement, parse_document
from ecr_warden.policy.principal import is_account
from ecr_warden.spec.accounts import Accounts
from ecr_warden.spec.conform import lost_its_quotes
from ecr_warden.spec.nodes import ListNode, MapNode, Node, Scalar, Tag
from ecr_warden.spec.problems import Code, Place, quote
from ecr_warden.spec.report import Report

_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 30
_TOKEN_ACTION = "ecr:getauthorizationtoken"  # noqa: S105 - an action's name


def build_document(root: MapNode, kind: DocumentKind, accounts: Accounts, report: Report) -> Document | None:
    """The document, or None; every statement's first error is reported, and what its kind may not hold."""
    # A value refused here stands in the document as its text, so that the rest is still checked.
    raw = {key.text: _plain(value, report) for key, value in root.entries}
    try:
        document = parse_document(raw)
    except DocumentError as error:
        _report(error, root, report)
        for rest in _further_errors(raw, error):
            _report(rest, root, report)
        return None
    for index, statement in enumerate(document.statements):
        _check(statement, f"Statement[{index}]", kind, root, report)
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
        case Scalar(tag=Tag.NUMBER, text=text) if _JSON_NUMBER.fullmatch(text) and len(text) <= _LONGEST_NUMBER:
            return float(text) if set(text) & set(".eE") else int(text)
        case Scalar(tag=Tag.NUMBER | Tag.BOOLEAN, text=text):
            report.add(Code.UNSURE_SCALAR, node.place, f"{quote(text)} reads as {node.tag} in YAML 1.1")
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


def place_at(node: Node, path: str) -> Place:
    """The place of a path such as `Statement[1].Condition.StringEquals`, or of what of it can be found."""
    place = node.place
    while path:
        path = path.removeprefix(".")
        if isinstance(node, MapNode) and path.startswith("[0]"):
            path = path.removeprefix("[0]")  # a single statement, without brackets
        elif isinstance(node, ListNode):
            index, _, rest = path.removeprefix("[").partition("]")
            if not index.isdigit() or int(index) >= len(node.items):
                return place
            node, path = node.items[int(index)], rest
            place = node.place
        elif isinstance(node, MapNode):
            # A condition key may hold a dot: the longest key that the path begins with.
            fitting = [entry for entry in node.entries if path.startswith(entry[0].text) and entry[0].text]
            if not fitting:
                return place
            key, node = max(fitting, key=lambda entry: len(entry[0].text))
            place, path = key.place, path[len(key.text) :]
        else:
            return place
    return place


def _check(statement: Statement, where: str, kind: DocumentKind, root: MapNode, report: Report) -> None:
    """What the kind of document may not hold, or needs."""
    resource = "Resource" if statement.resources is None or not statement.resources.negated else "NotResource"
    principal = "Principal" if statement.principals is None or not statement.principals.negated else "NotPrincipal"
    if kind is DocumentKind.IDENTITY:
        wrong = (principal,) if statement.principals is not None else ()
        needed = "Resource" if statement.resources is None else ""
    else:
        wrong = (resource,) if statement.resources is not None else ()
        needed = "Principal" if statement.principals is None else ""
        if principal == "NotPrincipal" and kind is DocumentKind.TRUST:
            wrong = (*wrong, principal)
    for element in wrong:
        place = place_at(root, f"{where}.{element}")
        if kind is DocumentKind.REPOSITORY:
            report.add(Code.RESOURCE_IN_REPOSITORY_POLICY, place, f"{element} in a repository policy")
        else:
            message = f"{element} in a statement of {_ARTICLES[kind]}"
            report.add(Code.ELEMENT_OF_KIND, place, message, remedy=f"remove {element}")
    if needed:
        message = f"a statement of {_ARTICLES[kind]} without {needed}"
        report.add(Code.ELEMENT_OF_KIND, place_at(root, where), message, remedy=f"add {needed}")
    if kind is DocumentKind.REPOSITORY:
        for index, action in enumerate(statement.actions.values):
            if action.lower() == _TOKEN_ACTION:
                report.add(Code.NO_EFFECT_IN_REPOSITORY_POLICY, place_at(root, f"{where}.Action[{index}]"))


_ARTICLES = {
    DocumentKind.REPOSITORY: "a repository policy",
    DocumentKind.TRUST: "a trust policy",
    DocumentKind.IDENTITY: "an identity policy",
}


def _check_principals(statement: Statement, where: str, accounts: Accounts, root: MapNode, report: Report) -> None:
    if statement.principals is None or statement.effect is not Effect.ALLOW:
        return
    element = "NotPrincipal" if statement.principals.negated else "Principal"
    place = place_at(root, f"{where}.{element}")
    if statement.principals.negated:
        report.add(Code.ANYBODY, place, "Allow with NotPrincipal is everybody else", remedy="use Principal")
        return
    for kind, value in statement.principals.values:
        if value == "*" and not statement.conditions:
            report.add(Code.ANYBODY, place, "the principal * without a Condition is anybody")
        elif kind == "AWS" and value != "*" and ("*" in value or "?" in value):
            message = f"{quote(value)}: a pattern in a principal, which AWS refuses"
            report.add(Code.DOCUMENT, place, message, remedy="use a condition on aws:PrincipalArn")
        elif kind == "AWS" and (account := _account_of(value)) and accounts.with_id(account) is None:
            report.add(Code.FOREIGN_IN_DOCUMENT, place, f"{quote(value)} is of an account that is not under accounts")


def _account_of(value: str) -> str:
    if is_account(value):
        return value
    try:
        return parse_arn(value).account
    except ArnError:
        return ""
