"""How much there is to compare, counted before it is done: what no real request comes near is refused."""

from collections.abc import Iterator

from ecr_warden.policy.ascii_case import ascii_lower
from ecr_warden.policy.document import Document, Statement
from ecr_warden.policy.evaluate.policies import Policies
from ecr_warden.policy.request import Request
from ecr_warden.policy.request_principal import RequestError

MAX_COMPARISONS = 300_000
"""Of one text with another: ten times what all policies at AWS's quotas ask for; some seconds of work."""


def check_effort(request: Request, policies: Policies) -> None:
    """Raises RequestError where evaluating would take more than some seconds."""
    total = sum(_effort(statement, request) for document in _documents(policies) for statement in document.statements)
    if total > MAX_COMPARISONS:
        raise RequestError(
            "request-too-large", "", f"{total} comparisons, at most {MAX_COMPARISONS}", remedy="give fewer values"
        )


def _effort(statement: Statement, request: Request) -> int:
    count = len(statement.actions.values)
    count += len(statement.resources.values) if statement.resources else 0
    count += len(statement.principals.values) if statement.principals else 0
    for clause in statement.conditions:
        count += len(clause.values) * max(1, len(request.context.get(ascii_lower(clause.key), ())))
    return count


def _documents(policies: Policies) -> Iterator[Document]:
    yield from policies.identity
    for single in (policies.resource, policies.trust, policies.boundary, policies.session):
        if single is not None:
            yield single
    for levels in (policies.service_control, policies.resource_control):
        for level in levels:
            yield from level
