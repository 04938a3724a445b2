"""Which statements of which documents match a request."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ecr_warden.policy.document import Document, Effect
from ecr_warden.policy.evaluate.policies import Levels
from ecr_warden.policy.matching import statement_closeness, statement_reason
from ecr_warden.policy.principal_match import Closeness
from ecr_warden.policy.request import Request
from ecr_warden.policy.verdict import Reason


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that matches, and how closely it names the principal."""

    reason: Reason
    effect: Effect
    closeness: Closeness


@dataclass(frozen=True, slots=True)
class Findings:
    """The statements of one or more documents that match."""

    allows: tuple[Match, ...] = ()
    denies: tuple[Match, ...] = ()

    def allows_by(self, *closeness: Closeness) -> tuple[Reason, ...]:
        """The Allow statements that name the principal in one of these ways."""
        return tuple(match.reason for match in self.allows if match.closeness in closeness)


def find(documents: Iterable[tuple[str, Document]], request: Request, *, hung: bool = False) -> Findings:
    """Look through documents, each with its name; those that hang on a resource (`hung`) name nobody by silence."""
    matches = [match for name, document in documents for match in _matches(name, document, request, hung)]
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


def _matches(name: str, document: Document, request: Request, hung: bool) -> Iterator[Match]:
    for index, statement in enumerate(document.statements):
        if hung and statement.principals is None:
            continue
        closeness = statement_closeness(statement, request, version=document.version)
        if closeness is not Closeness.NONE:
            yield Match(statement_reason(name, statement, index), statement.effect, closeness)
