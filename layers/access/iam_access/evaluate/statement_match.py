"""Whether a statement matches a request, and the verdicts.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterator
from copy import replace
from functools import lru_cache

from msgspec import Struct

from iam_access.document.document import VARIABLES_VERSION, Document, Effect, Patterns, Statement
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import ANYONE, Principals
from iam_access.document.variables import completed_arn, literal_glob
from iam_access.evaluate.condition_match import clause_holds
from iam_access.evaluate.principal_match import NOBODY, Naming, named_ways
from iam_access.evaluate.request import Request
from iam_access.evaluate.resolved import Context, resolved_glob
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import printable


class Reason(Struct, frozen=True):
    """One reason for a decision: a statement that decided, or what is missing.

    `policy` is the document as the input names it ("" for the only one); `statement` counts from 0, None if there is
    none; `text` is a printable sentence for people.
    """

    policy: str
    text: str
    statement: int | None = None
    sid: str | None = None


class Allowed(Struct, frozen=True):
    """Everything that must allow it does, and nothing denies it; `because` names the statements."""

    because: tuple[Reason, ...] = ()


class ExplicitlyDenied(Struct, frozen=True):
    """A Deny statement matches; `because` names every one that does."""

    because: tuple[Reason, ...] = ()


class ImplicitlyDenied(Struct, frozen=True):
    """Nothing denies it, but not everything that must allow it does; `because` says what is missing."""

    because: tuple[Reason, ...] = ()


type Decision = Allowed | ExplicitlyDenied | ImplicitlyDenied


def statement_naming(statement: Statement, request: Request, *, version: str, completes: bool = False) -> Naming:
    """Does a statement of a document of this version match the request, and in which ways does it name the principal?

    NOBODY: it does not match. Without Principal it names the document's own identity (ITSELF), without Resource the
    document's own resource. `completes`: ARNs that lack parts are completed, as in identity policies.
    """
    variables = version == VARIABLES_VERSION
    principals = statement.principals
    named = Naming.ITSELF if principals is None else named_ways(principals, request.principal, statement.effect)
    if (
        named
        and action_matches(statement.actions, request.action)
        and resource_matches(
            statement.resources, request.resource, request.context, variables=variables, completes=completes
        )
        and all(clause_holds(clause, request.context, variables=variables) for clause in statement.conditions)
    ):
        return named
    return NOBODY


@lru_cache(maxsize=1024)
def action_matches(element: Patterns, action: str) -> bool:
    """Does an Action or NotAction element match? Case does not count."""
    lowered = ascii_lower(action)
    return any(literal_glob(ascii_lower(value)).matches(lowered) for value in element.values) is not element.negated


def resource_matches(
    element: Patterns | None, resource: str, context: Context, *, variables: bool, completes: bool
) -> bool:
    """Does a Resource or NotResource element match? A pattern whose variable has no value matches no resource."""
    if element is None:
        return True
    values = map(completed_arn, element.values) if completes else element.values
    patterns = (resolved_glob(value, context if variables else None) for value in values)
    return any(pattern is not None and pattern.matches(resource) for pattern in patterns) is not element.negated


_EVERYBODY = Principals(negated=False, values=(ANYONE,))


def matching_statements(
    document: Document, request: Request, *, kind: DocumentKind | None, bounded: bool = False
) -> Iterator[tuple[int, Naming]]:
    """Which statements of a document match a request, by index, and in which ways they name the principal.

    In a resource or trust policy a statement without Principal names no one; in an identity policy ARNs are
    completed. A Deny with NotPrincipal spares nobody who is `bounded`, that is, has a permissions boundary.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    attached = kind in (DocumentKind.RESOURCE, DocumentKind.TRUST)
    completes = kind is DocumentKind.IDENTITY
    for index, statement in enumerate(document.statements):
        named = statement.principals
        if attached and named is None:
            continue
        if bounded and named is not None and named.negated and statement.effect is Effect.DENY:
            statement = replace(statement, principals=_EVERYBODY)  # noqa: PLW2901
        naming = statement_naming(statement, request, version=document.version, completes=completes)
        if naming:
            yield index, naming


def statement_reason(policy: str, statement: Statement, index: int) -> Reason:
    """The statement that matched, by its number from 1 and its Sid."""
    named = f' ("{printable(statement.sid, 60)}")' if statement.sid else ""
    where = f" of {policy}" if policy else ""
    verb = "allows" if statement.effect is Effect.ALLOW else "denies"
    return Reason(policy, f"statement {index + 1}{named}{where} {verb} it", index, statement.sid)
