"""Which statements of which documents match a request."""

from collections.abc import Iterable, Iterator
from copy import replace

from msgspec import Struct

from ecr_warden.policy.document import Document, Effect, Statement
from ecr_warden.policy.evaluate.policies import Levels
from ecr_warden.policy.principal import ANYONE, Principals
from ecr_warden.policy.principal_match import Naming
from ecr_warden.policy.request import Request
from ecr_warden.policy.statement_match import Reason, statement_naming, statement_reason

_EVERYBODY = Principals(negated=False, values=(ANYONE,))


class Match(Struct, frozen=True):
    """A statement that matches, and the ways in which it names the principal."""

    reason: Reason
    effect: Effect
    naming: Naming


class Findings(Struct, frozen=True):
    """The statements of one or more documents that match."""

    allows: tuple[Match, ...] = ()
    denies: tuple[Match, ...] = ()

    def allows_by(self, ways: Naming) -> tuple[Reason, ...]:
        """The Allow statements that name the principal in at least one of these ways."""
        return tuple(match.reason for match in self.allows if match.naming & ways)


def find(documents: Iterable[tuple[str, Document]], request: Request, *, completes: bool = False) -> Findings:
    """Look through documents, each with its name; `completes` where they read an ARN that lacks parts as AWS does."""
    return _findings(
        match
        for name, document in documents
        for index, statement in enumerate(document.statements)
        for match in _matches(name, document, index, statement, request, completes=completes)
    )


def find_on_resource(name: str, document: Document, request: Request, *, bounded: bool) -> Findings:
    """Look through a document that hangs on a resource: it names nobody by silence.

    Deny with NotPrincipal spares nobody who is `bounded`, that is, has a permissions boundary.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    matches: list[Match] = []
    for index, statement in enumerate(document.statements):
        named = statement.principals
        if named is None:
            continue
        spares_nobody = bounded and named.negated and statement.effect is Effect.DENY
        read = replace(statement, principals=_EVERYBODY) if spares_nobody else statement
        matches += _matches(name, document, index, read, request)
    return _findings(matches)


def _findings(found: Iterable[Match]) -> Findings:
    matches = list(found)
    return Findings(
        tuple(match for match in matches if match.effect is Effect.ALLOW),
        tuple(match for match in matches if match.effect is Effect.DENY),
    )


def find_in_levels(levels: Levels, name: str, request: Request) -> list[Findings]:
    """Look through the levels of an organization, one by one."""
    return [
        find(((f"{name}[{above}][{index}]", document) for index, document in enumerate(level)), request)
        for above, level in enumerate(levels)
    ]


def _matches(
    name: str, document: Document, index: int, statement: Statement, request: Request, *, completes: bool = False
) -> Iterator[Match]:
    named = statement_naming(statement, request, version=document.version, completes=completes)
    if named:
        yield Match(statement_reason(name, statement, index), statement.effect, named)
