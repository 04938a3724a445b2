"""Whom else a witness speaks of: one example hides that a Deny for everybody hits all who are named."""

from dataclasses import replace

from ecr_warden.policy.compare.derived import OF_CALLERS
from ecr_warden.policy.document import Document, DocumentKind, Effect
from ecr_warden.policy.matching import document_verdict
from ecr_warden.policy.phrases import Phrase
from ecr_warden.policy.relation import Witness
from ecr_warden.policy.request import make_request
from ecr_warden.policy.request_error import RequestError
from ecr_warden.policy.request_principal import parse_request_principal
from ecr_warden.policy.shown import shown
from ecr_warden.policy.verdict import Allowed

TRIED_AT_MOST = 20
_NAMED = 2
_LIMIT = 160


def phrase_of(witness: Witness, one: Document, other: Document, *, kind: DocumentKind) -> Phrase:
    """The witness's phrase for everybody whom `one` names and who lose the same by `other`.

    At most TRIED_AT_MOST others are tried; what is left untried is said.
    """
    if kind is DocumentKind.IDENTITY or witness.phrase.unique_id:
        return witness.phrase
    people = sorted(_named(one) - {witness.request.principal.text})
    also = [person for person in people[:TRIED_AT_MOST] if _is_told_apart(person, witness, one, other, kind)]
    if not also:
        return witness.phrase
    names = [witness.phrase.who, *(shown(person, _LIMIT) for person in also)]
    more = len(names) - _NAMED
    who = " and ".join(names) if more <= 0 else f"{', '.join(names[:_NAMED])} and {more} more"
    if len(people) > TRIED_AT_MOST:
        who = f"{', '.join(names[:_NAMED])} and at least {more} more"
    return replace(witness.phrase, who=who)


def _named(document: Document) -> set[str]:
    """The users, roles and accounts that its Allow statements name."""
    return {
        principal.value
        for statement in document.statements
        if statement.effect is Effect.ALLOW and statement.principals is not None and not statement.principals.negated
        for principal in statement.principals.values
        if principal.kind == "AWS" and principal.value != "*"
    }


def _is_told_apart(person: str, witness: Witness, one: Document, other: Document, kind: DocumentKind) -> bool:
    """Whether the same request, made by somebody else, is allowed by `one` alone."""
    asked = witness.request
    context = {key: values for key, values in asked.context.items() if key not in OF_CALLERS}
    try:
        principal = parse_request_principal(person)
        request = make_request(
            principal, asked.action, asked.resource, context, resource_account=asked.resource_account
        )
    except RequestError:
        return False
    verdicts = [isinstance(document_verdict(document, request, kind=kind), Allowed) for document in (one, other)]
    return verdicts == [True, False]
