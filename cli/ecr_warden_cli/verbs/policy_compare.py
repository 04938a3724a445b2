"""`dev policy-compare`: does a live document allow the same as the desired one, more, less, or something else?"""

import argparse
from typing import Any

from msgspec import Struct, field

from ecr_warden.core.ecr import ECR
from ecr_warden_cli.console import Exit, Style
from ecr_warden_cli.context import Context, UsageError, Verb
from ecr_warden_cli.inputs import name_of, read_file, say_awaited
from ecr_warden_cli.json_lines import Answer, Fields, LineError, answer_lines, document_in, refuse_unknown
from ecr_warden_cli.verbs.policy_lint import KINDS, UNREADABLE
from iam_access.arn import ACCOUNT_ID
from iam_access.compare import Comparison, Relation, Witness, compare
from iam_access.delta.relate import Same, relate
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind
from iam_access.lint import guessed_kind
from iam_access.text.strict_json import MAX_CHARACTERS

_FIELDS = ("name", "kind", "desired", "live", "account")
_BLANK: Answer = {
    "relation": None,
    "equivalent": None,
    "gained": [],
    "lost": [],
    "undecided": [],
    "summary": "",
}
_HEADINGS = {
    Relation.EQUAL: "allow the same",
    Relation.MORE: "live allows more",
    Relation.LESS: "live allows less",
    Relation.DIFFERENT: "live allows more in one way and less in another",
    Relation.UNDECIDED: "undecided",
}
_STYLES = {
    Relation.EQUAL: Style.GOOD,
    Relation.MORE: Style.BAD,
    Relation.LESS: Style.ODD,
    Relation.DIFFERENT: Style.BAD,
    Relation.UNDECIDED: Style.ODD,
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help="the live document, then the desired one (JSON)")
    parser.add_argument("--kind", choices=list(KINDS), help="the kind of both documents; default: guessed")
    parser.add_argument("--account", metavar="ID", help="the account of the resource or identity")


def _run(arguments: argparse.Namespace, context: Context) -> Exit:
    """DIFFERENT unless all pairs allow the same; ERROR if a document could not be read."""
    match arguments.files:
        case []:
            return _lines(context)
        case [live, desired]:
            return _files(live, desired, arguments, context)
        case _:
            remedy = f"give LIVE and DESIRED, or neither and JSON Lines; see {arguments.prog} --help"
            raise UsageError("one file or more than two", remedy=remedy)


class _Lines(Struct):
    """Answers lines, and records whether any differed."""

    differs: bool = field(default=False)

    def answer(self, fields: Fields) -> Answer:
        refuse_unknown(fields, _FIELDS)
        kind = fields.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise LineError("line-kind", "kind", "not a kind of document", remedy=f"write one of {', '.join(KINDS)}")
        account = fields.get("account")
        if account is not None:
            account = _account(account, "account")
        live, desired = _document(fields, "live"), _document(fields, "desired")
        comparison = compare(live, desired, kind=KINDS[kind], service=ECR, account=account)
        self.differs |= comparison.relation is not Relation.EQUAL
        return comparison_to_json(comparison)


def _lines(context: Context) -> Exit:
    say_awaited(context.stdin, context.console, "pairs of documents, one JSON object a line,")
    lines = _Lines()
    code = answer_lines(context.stdin, context.console, lines.answer, blank=_BLANK)
    return Exit.DIFFERENT if code is Exit.FINE and lines.differs else code


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "relation": comparison.relation,
        "equivalent": comparison.equivalent,
        "gained": [_witness_to_json(witness) for witness in comparison.gained],
        "lost": [_witness_to_json(witness) for witness in comparison.lost],
        "undecided": list(comparison.undecided),
        "summary": comparison.summary,
    }


def _witness_to_json(witness: Witness) -> dict[str, Any]:
    """A request as `dev policy-evaluate` reads it, and what it demonstrates."""
    request = witness.request
    return {
        "principal": request.principal.text,
        "action": request.action,
        "resource": request.resource,
        **({"resourceAccount": request.resource_account} if request.resource_account else {}),
        "context": {key: values[0] if len(values) == 1 else list(values) for key, values in request.context.items()},
        "group": witness.group,
        "sentence": witness.sentence,
        "example": witness.example,
    }


def _files(live_path: str, desired_path: str, arguments: argparse.Namespace, context: Context) -> Exit:
    if live_path == desired_path == "-":
        raise UsageError("both documents from stdin", remedy="give one of them as a file")
    live, desired = _read(live_path, context), _read(desired_path, context)
    kind = KINDS.get(arguments.kind)
    if kind is None:
        kind, why = guessed_kind(desired)
        context.console.note(
            f"{name_of(desired_path)}: assuming {_article(kind)}, because {why}; use --kind to override"
        )
    account = None
    if arguments.account is not None:
        account = _account(arguments.account, "--account")
    comparison = compare(live, desired, kind=kind, service=ECR, account=account)
    if arguments.json:
        context.console.answer(comparison_to_json(comparison))
    else:
        _show(comparison, live, desired, kind, context)
    return Exit.FINE if comparison.relation is Relation.EQUAL else Exit.DIFFERENT


def _show(comparison: Comparison, live: Document, desired: Document, kind: DocumentKind, context: Context) -> None:
    console = context.console
    console.line(_HEADINGS[comparison.relation], _STYLES[comparison.relation])
    for mark, witnesses, style in (("+", comparison.gained, Style.BAD), ("-", comparison.lost, Style.ODD)):
        for witness in witnesses:
            console.line(f"  {mark} {witness.sentence}", style)
    for reason in comparison.undecided:
        console.line(f"  ? {reason}", Style.ODD)
    verdict = relate(live, desired, kind=kind)
    if isinstance(verdict, Same):
        console.line("  and are equivalent documents to AWS", Style.FAINT)
    else:
        console.line(f"  as text, the first difference is {verdict.reason}", Style.FAINT)


def _article(kind: DocumentKind) -> str:
    match kind:
        case DocumentKind.RESOURCE:
            return "a repository policy"
        case DocumentKind.TRUST:
            return "a trust policy"
        case DocumentKind.IDENTITY:
            return "an identity policy"


def _read(path: str, context: Context) -> Document:
    remedy = "give the paths of two policy documents; one may be - for stdin"
    data = read_file(path, context.stdin, MAX_CHARACTERS, code=UNREADABLE, remedy=remedy)
    return document_in(data, name_of(path), joint=":")


def _account(raw: object, place: str) -> str:
    if not isinstance(raw, str) or not ACCOUNT_ID.fullmatch(raw):
        raise LineError("line-account", place, "not an account ID", remedy="write twelve digits as a string")
    return raw


def _document(fields: Fields, name: str) -> Document:
    if name not in fields:
        raise LineError("line-missing", name, "missing", remedy="give desired and live")
    return document_in(fields[name], name)


COMPARE = Verb(
    "ecr-warden dev policy-compare examples/policy/live.json \\\n    examples/policy/desired.json --kind repository",
    _add_arguments,
    _run,
    "Compares the access of two documents: live allows equal, more, less, different, or the answer is undecided. Two "
    "files are compared for people. Without files, JSON Lines are read, and each is answered by one line:\n\n"
    '{"name", "kind": "repository" | "trust" | "identity", "desired", "live", "account"?}\n\n'
    "docs/cli.md describes both.",
    "with two files, print one JSON object; JSON Lines are always answered by JSON Lines",
)
