"""Whom else a witness speaks of: one example hides that a Deny for everybody hits all who are named."""

from copy import replace
from itertools import takewhile

from ecr_warden.policy.compare.budget import Budget
from ecr_warden.policy.compare.caller_keys import OF_CALLERS
from ecr_warden.policy.compare.direction import weight_of
from ecr_warden.policy.document import Document, DocumentKind, Effect
from ecr_warden.policy.phrases import Phrase, Witness
from ecr_warden.policy.printable import printable
from ecr_warden.policy.request import make_request
from ecr_warden.policy.request_principal import RequestError, parse_request_principal
from ecr_warden.policy.statement_match import Allowed, document_verdict

TRIED_AT_MOST = 20
_NAMED = 2
_LIMIT = 160


def phrase_of(witness: Witness, one: Document, other: Document, *, kind: DocumentKind, budget: Budget) -> Phrase:
    """The witness's phrase for everybody whom `one` names and who lose the same by `other`.

    At most TRIED_AT_MOST others are tried, and no more than the budget affords; what is left untried is said.
    """
    if kind is DocumentKind.IDENTITY or witness.phrase.unique_id:
        return witness.phrase
    people = sorted(_named(one) - {witness.request.principal.text})
    price = 20 + weight_of(one) + weight_of(other)
    tried = [*takewhile(lambda _: budget.affords(price), people[:TRIED_AT_MOST])]
    also = [person for person in tried if _is_told_apart(person, witness, one, other, kind)]
    names = [witness.phrase.who, *(printable(person, _LIMIT) for person in also)]
    more = len(names) - _NAMED
    if len(tried) < len(people):
        names[_NAMED:] = [f"at least {more} more" if more > 0 else "perhaps others"]
    elif more > 0:
        names[_NAMED:] = [f"{more} more"]
    *first, last = names
    return replace(witness.phrase, who=f"{', '.join(first)} and {last}" if first else last)


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
