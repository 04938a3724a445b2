"""What ecr-warden itself may write in an account, and which statements of a repository's policy may deny that."""

from collections.abc import Iterator
from enum import StrEnum

from ecr_warden.core.address import OWN_ROLES
from iam_access.document.document import Document, Effect, Statement
from iam_access.document.pattern import patterns_meet
from iam_access.document.principal import Principal
from iam_access.text.ascii_case import ascii_lower


class Writes(StrEnum):
    """What a member stack lets ecr-warden write, as its parameter of that name says."""

    NONE = "none"
    IDENTITIES = "identities"  # those of its lists
    ALL = "all"  # also repositories' policies, and push roles


OWN_ACTIONS = (
    "ecr:DescribeRepositories",
    "ecr:GetRepositoryPolicy",
    "ecr:SetRepositoryPolicy",
    "ecr:DeleteRepositoryPolicy",
)
"""The calls by which a repository's policy is read and repaired."""


def denials_of_own_calls(document: Document, account: str) -> Iterator[int]:
    """The Deny statements of a repository policy, from 0, that may keep ecr-warden from repairing it."""
    for index, statement in enumerate(document.statements):
        if (
            statement.effect is Effect.DENY
            and not _is_for_plain_http(statement)
            and _reaches_own_actions(statement)
            and _reaches_own_roles(statement, account)
        ):
            yield index


def _is_for_plain_http(statement: Statement) -> bool:
    """Whether a condition holds for no request over TLS, as all calls of ecr-warden are; doubt counts as no."""
    return any(
        clause.operator in ("Bool", "BoolIfExists")
        and clause.key.lower() == "aws:securetransport"
        and {value.lower() for value in clause.values} == {"false"}
        for clause in statement.conditions
    )


def _reaches_own_actions(statement: Statement) -> bool:
    listed = [
        any(patterns_meet(ascii_lower(value), ascii_lower(action)) for value in statement.actions.values)
        for action in OWN_ACTIONS
    ]
    return not all(listed) if statement.actions.negated else any(listed)


def _reaches_own_roles(statement: Statement, account: str) -> bool:
    """Doubt counts as yes: a condition may hold, and a NotPrincipal may not exclude the roles."""
    principals = statement.principals
    return principals is None or principals.negated or any(_is_own(value, account) for value in principals.values)


def _is_own(principal: Principal, account: str) -> bool:
    if principal.kind != "AWS":
        return False
    value = principal.value
    if value in ("*", account) or value.endswith(f":{account}:root"):
        return True
    return f":{account}:" in value and any(name in value.lower() for name in OWN_ROLES)
