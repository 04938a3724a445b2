"""The policies that apply to a request, and a bound on the work of evaluating them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#access_policy-types
"""

from collections.abc import Iterator

from msgspec import Struct

from iam_access.document.document import Document, Statement
from iam_access.evaluate.request import Request
from iam_access.evaluate.request_principal import RequestError
from iam_access.text.ascii_case import ascii_lower

MAX_COMPARISONS = 300_000
"""Comparisons of one text with another: ten times what all policies at AWS's quotas need, some seconds of work."""

type Levels = tuple[tuple[Document, ...], ...]
"""The documents attached to the organization's root, to each unit below it, and to the account."""


class Policies(Struct, frozen=True):
    """The principal's policies (identity, boundary, session, service control) and the resource's (the others).

    None and () mean that there is none: a role without `boundary` is not limited by one. A session's `identity`
    policies are its role's; a service or an anonymous caller has no policies of its own.
    """

    identity: tuple[Document, ...] = ()
    resource: Document | None = None
    trust: Document | None = None
    boundary: Document | None = None
    session: Document | None = None
    service_control: Levels = ()
    resource_control: Levels = ()

    @property
    def condition_length(self) -> int:
        """How many characters the values in their conditions have."""
        clauses = (
            condition for document in self.documents() for each in document.statements for condition in each.conditions
        )
        return sum(len(value) for clause in clauses for value in clause.values)

    def documents(self) -> Iterator[Document]:
        """All of them."""
        yield from self.identity
        for single in (self.resource, self.trust, self.boundary, self.session):
            if single is not None:
                yield single
        for levels in (self.service_control, self.resource_control):
            for level in levels:
                yield from level


def check_effort(request: Request, policies: Policies) -> int:
    """The number of comparisons, before they are made; raises RequestError above MAX_COMPARISONS."""
    total = sum(_effort(statement, request) for document in policies.documents() for statement in document.statements)
    if total > MAX_COMPARISONS:
        raise RequestError(
            "request-too-large", "", f"{total} comparisons, at most {MAX_COMPARISONS}", remedy="give fewer values"
        )
    return total


def _effort(statement: Statement, request: Request) -> int:
    elements = (statement.actions, statement.resources, statement.principals)
    return sum(len(element.values) for element in elements if element is not None) + sum(
        len(clause.values) * max(1, len(request.context.get(ascii_lower(clause.key), ())))
        for clause in statement.conditions
    )
