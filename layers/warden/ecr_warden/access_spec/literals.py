"""`documents:`: literal policy documents, parsed and linted, with every error at its place in the spec."""

import re

from ecr_warden.access_spec.accounts import SpecAccounts, narrowed, refuse_cloud
from ecr_warden.access_spec.check_shape import Fields, has_lost_quotes
from ecr_warden.access_spec.fields import IDENTITY_FIELDS
from ecr_warden.access_spec.grants import repository_name
from ecr_warden.access_spec.nodes import ListNode, MapNode, Node, Scalar, Tag
from ecr_warden.access_spec.principals import Directory, check_iam_name, check_writable
from ecr_warden.access_spec.problems import Code, Place, ProblemReport, quote
from ecr_warden.access_spec.spec import Literal, SpecAccount
from ecr_warden.core.address import (
    DOCUMENT_KINDS,
    OUR_POLICY_PREFIX,
    Address,
    AddressKind,
    identity_policy,
    repository_policy,
    trust_policy,
)
from ecr_warden.core.ecr import ECR
from ecr_warden.core.own_access import denials_of_own_calls
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, Target, UserTarget, target_arn
from iam_access.arn import account_of
from iam_access.document.document import Document, DocumentError, Effect, Statement, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import named_partition
from iam_access.lint import Level, LintRule, lint
from iam_access.who_can.power import administering

_MAX_POLICY_NAME = 128
# A number in YAML 1.1 too, where 1e3 and 1.5e3 are text.
_SURE_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+([eE][+-][0-9]+)?)?")
_LONGEST_NUMBER = 30
# Findings with their own code; the errors among the others are what AWS would refuse.
_CODES = {
    LintRule.PRINCIPAL_ANYONE: Code.ANYONE,
    LintRule.ALLOW_NOT_PRINCIPAL: Code.ANYONE,
    LintRule.RESOURCE_IN_RESOURCE_POLICY: Code.RESOURCE_IN_REPOSITORY_POLICY,
    LintRule.ELEMENT_OF_KIND: Code.ELEMENT_OF_KIND,
    LintRule.ELEMENT_MISSING: Code.ELEMENT_OF_KIND,
    LintRule.SERVICE_WITHOUT_SOURCE: Code.SERVICE_WITHOUT_SOURCE,
    LintRule.ACTION_WITHOUT_RESOURCE: Code.NO_EFFECT_IN_REPOSITORY_POLICY,
}
# The spec counts all policies of a user or role together.
_COUNTED_ELSEWHERE = frozenset({LintRule.SIZE_OVER})


def build_literal(entry: Fields, directory: Directory) -> Literal | None:
    """One item of `documents:`; None if its address or document is invalid."""
    kind_text, raw = entry.text("kind"), entry.raw("document")
    account = directory.accounts.referred(entry.text("account"), directory.report)
    if kind_text is None:
        return None
    kind = DOCUMENT_KINDS[AddressKind(kind_text.text)]
    document = None if raw is None else build_document(raw, kind, directory.accounts, directory.report)
    match kind:
        case DocumentKind.RESOURCE:
            addresses = _repository(entry, account, directory)
        case DocumentKind.TRUST:
            addresses = _trust(entry, account, directory)
        case DocumentKind.IDENTITY:
            addresses = _identity(entry, account, directory)
    if not addresses or document is None or raw is None:
        return None
    if kind is DocumentKind.IDENTITY:
        _check_admin(addresses[0].target, document, raw, directory)
    elif kind is DocumentKind.RESOURCE:
        check_own_calls(document, addresses[0].target.account, raw, directory.report)
    return Literal(addresses, document, entry.flag("exclusive"), entry.place)


def _check_admin(identity: Target, document: Document, raw: MapNode, directory: Directory) -> None:
    """Report a document that makes its user or role an administrator."""
    path = directory.path_of(identity) if isinstance(identity, UserTarget | RoleTarget) else "/"
    found = next(administering(document, identity.account, target_arn(identity, path=path)), None)
    if found is not None:
        place = place_at(raw, f"Statement[{found}].Effect")
        directory.report.add(
            Code.ADMIN, place, f"statement {found + 1} makes {identity} an administrator of the account"
        )


def check_own_calls(document: Document, account: str, raw: MapNode, report: ProblemReport) -> None:
    """Warn of statements of a repository policy in the account that may lock ecr-warden out."""
    for index in denials_of_own_calls(document, account):
        calls = "the calls by which it repairs the repository policy"
        report.add(
            Code.OWN_CALLS_DENIED,
            place_at(raw, f"Statement[{index}].Effect"),
            f"statement {index + 1} may deny ecr-warden {calls}, so it writes it only where it is already",
        )


def _repository(entry: Fields, account: SpecAccount | None, directory: Directory) -> tuple[Address, ...]:
    name = repository_name(entry.text("repository"), directory.report)
    if account is None:
        return ()
    regions = narrowed(account, directory.accounts, entry, directory.report)
    return tuple(repository_policy(RepositoryTarget(account.id, region, name)) for region in regions if name)


def _trust(entry: Fields, account: SpecAccount | None, directory: Directory) -> tuple[Address, ...]:
    role = entry.text("role")
    identity = None if role is None else _target(role, "role", account, directory)
    return (trust_policy(identity),) if isinstance(identity, RoleTarget) else ()


def _identity(entry: Fields, account: SpecAccount | None, directory: Directory) -> tuple[Address, ...]:
    report, name = directory.report, entry.text("name")
    named = name is not None and check_iam_name(name.text, name.place, "policy", report, longest=_MAX_POLICY_NAME)
    if name is not None and name.text.lower().startswith(OUR_POLICY_PREFIX):
        report.add(Code.RESERVED_POLICY, name.place, f"the policy name {quote(name.text)} is reserved for ecr-warden")
    kinds = tuple(kind for kind in IDENTITY_FIELDS if kind in entry.keys)
    if len(kinds) != 1:
        has = "both role and user" if kinds else "neither role nor user"
        report.add(Code.ONE_IDENTITY, entry.place, f"an identity policy with {has}")
        return ()
    text = entry.text(kinds[0])
    identity = None if text is None else _target(text, kinds[0], account, directory)
    return (identity_policy(identity, name.text),) if identity is not None and name is not None and named else ()


def _target(name: Scalar, kind: str, account: SpecAccount | None, directory: Directory) -> IdentityTarget | None:
    if not check_iam_name(name.text, name.place, kind, directory.report) or account is None:
        return None
    if kind == "role" and not check_writable(name.text, "/", name.place, account, directory.report):
        return None
    identity: IdentityTarget = (
        UserTarget(account.id, name.text) if kind == "user" else RoleTarget(account.id, name.text)
    )
    # A literal document names a role or user without its path, so only the name can differ.
    directory.spell(identity, name.place, path=directory.path_of(identity))
    directory.places.setdefault(identity, name.place)
    return identity


def build_document(root: MapNode, kind: DocumentKind, accounts: SpecAccounts, report: ProblemReport) -> Document | None:
    """The document, or None; its first error and the findings of lint are reported."""
    before = len(report.found)
    # A value that is refused here becomes its text, so that the rest is still checked.
    raw = {key.text: _plain(value, report) for key, value in root.entries}
    try:
        document = parse_document(raw)
    except DocumentError as error:
        report.add(Code.DOCUMENT, place_at(root, error.place), error.message, remedy=error.remedy)
        return None
    lint_literal(document, kind, root, report, has_refused=len(report.found) > before)
    for index, statement in enumerate(document.statements):
        _check_principals(statement, f"Statement[{index}]", accounts, root, report)
    return document


def _plain(node: Node, report: ProblemReport) -> object:
    match node:
        case MapNode(entries=entries):
            return {key.text: _plain(value, report) for key, value in entries}
        case ListNode(items=items):
            return [_plain(item, report) for item in items]
        case Scalar(tag=Tag.TEXT | Tag.TIMESTAMP | Tag.NUMBER) if has_lost_quotes(node):
            report.add(Code.UNQUOTED_ACCOUNT_ID, node.place, f"the account ID {node.text} has no quotes")
            return node.text
        case Scalar(tag=Tag.NULL):
            return None
        case Scalar(tag=Tag.BOOLEAN, text=text) if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case Scalar(tag=Tag.NUMBER, text=text) if _SURE_NUMBER.fullmatch(text) and len(text) <= _LONGEST_NUMBER:
            return float(text) if set(text) & set(".eE") else int(text)
        case Scalar(tag=Tag.NUMBER | Tag.BOOLEAN, text=text):
            report.add(Code.AMBIGUOUS_SCALAR, node.place, f"only some YAML parsers read {quote(text)} as {node.tag}")
            return text
        case Scalar(text=text):
            return text


def _check_principals(
    statement: Statement, where: str, accounts: SpecAccounts, root: MapNode, report: ProblemReport
) -> None:
    named, place = statement.principals, place_at(root, f"{where}.Principal")
    for principal in named.values if named is not None and not report.accepted else ():
        if (partition := named_partition(principal) or "aws") != "aws":
            refuse_cloud(principal.value, place, partition, report)
    if named is None or named.negated or statement.effect is not Effect.ALLOW:
        return
    for kind, value in named.values:
        if kind == "AWS" and (account := account_of(value)) and accounts.with_id(account) is None:
            report.add(Code.FOREIGN_IN_DOCUMENT, place, f"{quote(value)} is in an account that is not under accounts:")


def lint_literal(
    document: Document, kind: DocumentKind, root: MapNode, report: ProblemReport, *, has_refused: bool
) -> None:
    """Report the errors and warnings of a document; `has_refused`: some of its values are already reported."""
    for finding in lint(document, kind, ECR):
        rule = finding.rule
        if rule in _COUNTED_ELSEWHERE or (has_refused and rule is LintRule.VALUE_MALFORMED):
            continue
        place = place_at(root, finding.place)
        if rule in _CODES:
            report.add(_CODES[rule], place, finding.message, remedy=finding.remedy)
        else:
            code = Code.DOCUMENT if rule.level is Level.ERROR else Code.DOUBTFUL_DOCUMENT
            report.add(code, place, f"{finding.code}: {finding.message}", remedy=finding.remedy)


def place_at(node: Node, path: str) -> Place:
    """The place of a path such as `Statement[1].Condition.StringEquals`, or of the part of it that exists."""
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
