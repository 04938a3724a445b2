"""`dev policy-evaluate`: do the policies given with a request allow it?"""

import argparse

from ecr_warden_cli.console import Exit
from ecr_warden_cli.context import Context, Verb
from ecr_warden_cli.inputs import say_awaited
from ecr_warden_cli.json_lines import Answer, Fields, LineError, answer_lines, document_in, refuse_unknown
from iam_access.document.document import Document
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.request import ANY_RESOURCE, parse_request
from iam_access.evaluate.statement_match import Reason

_REQUEST = ("principal", "action", "resource", "resourceAccount", "context")
_DOCUMENTS = ("resourcePolicy", "trustPolicy", "permissionBoundary", "sessionPolicy")
_LEVELS = ("serviceControlPolicies", "resourceControlPolicies")
_FIELDS = ("name", *_REQUEST, "identityPolicies", *_DOCUMENTS, *_LEVELS)


def _add_arguments(_: argparse.ArgumentParser) -> None:
    """None: everything comes from stdin."""


def _run(_: argparse.Namespace, context: Context) -> Exit:
    """Answer line by line; ERROR if any line could not be read."""
    say_awaited(context.stdin, context.console, "requests, one JSON object a line,")
    return answer_lines(context.stdin, context.console, _answer, blank={"verdict": None, "because": []})


def _answer(fields: Fields) -> Answer:
    refuse_unknown(fields, _FIELDS)
    resource = fields.get("resource")
    request = parse_request(
        fields.get("principal"),
        fields.get("action"),
        ANY_RESOURCE if resource is None else resource,
        fields.get("context"),
        fields.get("resourceAccount"),
    )
    resource_policy, trust, boundary, session = (_optional(fields, name) for name in _DOCUMENTS)
    service_control, resource_control = (_levels(fields, name) for name in _LEVELS)
    verdict = evaluate(
        request,
        Policies(
            identity=_documents(fields.get("identityPolicies"), "identityPolicies"),
            resource=resource_policy,
            trust=trust,
            boundary=boundary,
            session=session,
            service_control=service_control,
            resource_control=resource_control,
        ),
    )
    return {"verdict": type(verdict).__name__, "because": [_reason(reason) for reason in verdict.because]}


def _optional(fields: Fields, name: str) -> Document | None:
    raw = fields.get(name)
    return None if raw is None else document_in(raw, name)


def _documents(raw: object, place: str) -> tuple[Document, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise LineError("line-type", place, "not a list", remedy="write a list of documents")
    return tuple(document_in(entry, f"{place}[{index}]") for index, entry in enumerate(raw))


def _levels(fields: Fields, name: str) -> tuple[tuple[Document, ...], ...]:
    raw = fields.get(name)
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(level, list) for level in raw):
        raise LineError("line-type", name, "not a list of levels", remedy="write a list of documents for each level")
    return tuple(_documents(level, f"{name}[{index}]") for index, level in enumerate(raw))


def _reason(reason: Reason) -> Answer:
    place = reason.policy if reason.statement is None else f"{reason.policy}.Statement[{reason.statement}]"
    return {"place": place, "sid": reason.sid, "text": reason.text}


EVALUATE = Verb(
    "ecr-warden dev policy-evaluate < examples/policy/requests.jsonl",
    _add_arguments,
    _run,
    "Reads requests from stdin, one JSON object per line, and answers each with one line:\n\n"
    '{"name", "verdict": "Allowed" | "ImplicitlyDenied" | "ExplicitlyDenied", "because": [...]}\n\n'
    "docs/cli.md describes the fields. An unreadable line is answered by its error.",
    "accepted for consistency; the answers are always JSON Lines",
)
