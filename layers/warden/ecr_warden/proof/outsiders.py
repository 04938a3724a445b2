"""Outsiders of an account whom a policy lets in: other accounts, the public, services that act for others."""

import re
from collections.abc import Collection, Iterator
from copy import replace

from ecr_warden.arn import ACCOUNT_ID
from ecr_warden.model.estate import Policy
from ecr_warden.policy.condition import CanonicalClause
from ecr_warden.policy.request_principal import CallerKind
from ecr_warden.proof.access import AccessPath, Graph
from ecr_warden.proof.decide import Answer, Permission
from ecr_warden.proof.missing import located

_NOBODYS_ACCOUNT = "000000000000"


def let_in(graph: Graph, permissions: tuple[Permission, ...], policy: Policy) -> Iterator[AccessPath]:
    """Everybody outside the resource's account whom this policy of the resource lets in directly."""
    resource = permissions[0].resource
    for path in graph.from_outside(permissions, str(resource.account)):
        if not is_outside(graph, path, [str(resource.account)]):
            continue
        edits = (located(path.subject, resource, reason) for reason in path.steps[0].decision.because)
        if any(edit is not None and edit.policy == policy.name for edit in edits):
            yield path


def is_outside(graph: Graph, path: AccessPath, accounts: Collection[str]) -> bool:
    """Whether the path begins in none of these accounts; a service's path begins in the account for which it acts."""
    subject = path.subject
    if subject.principal.kind is not CallerKind.SERVICE:
        return subject.principal.account not in accounts
    permissions = path.steps[0].permissions
    named = {found for policy in permissions[0].resource.policies for found in _accounts_in(policy)}
    for account in sorted((named | {_NOBODYS_ACCOUNT}) - {*accounts}):
        arns = CanonicalClause("ArnLike", "aws:sourcearn", frozenset({f"arn:*:*:*:{account}:*"}))
        acting = replace(subject, keys={**subject.keys, "aws:sourceaccount": (account,)}, always=(arns,))
        if graph.decide(acting, permissions).answer in (Answer.YES, Answer.CONDITIONAL):
            return True
    return False


def _accounts_in(policy: Policy) -> Iterator[str]:
    """Every account that a policy's conditions name."""
    for statement in policy.statements:
        for clause in statement.conditions:
            for value in clause.values:
                yield from re.findall(rf"(?<![0-9]){ACCOUNT_ID.pattern}(?![0-9])", value)
