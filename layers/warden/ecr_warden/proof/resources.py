"""What is acted on: repositories and roles, each with the policies and condition keys that decide who may."""

from collections.abc import Iterable, Sequence
from copy import replace

from ecr_warden.model.estate import (
    Account,
    Estate,
    Identity,
    Levels,
    Policy,
    RegistryScope,
    Repository,
    Unread,
)
from ecr_warden.policy.ascii_case import ascii_lower
from ecr_warden.policy.document import Document, Effect, Patterns, Statement, parse_document
from ecr_warden.policy.statement_match import action_matches
from ecr_warden.proof.decide import Resource
from ecr_warden.proof.evidence import varies
from ecr_warden.proof.subject import in_force, organization_keys

REGISTRY_CALLS = ("ecr:ReplicateImage", "ecr:CreateRepository", "ecr:BatchImportUpstreamImage")
"""What a registry policy decides in either scope."""
TAG_PREFIXES = ("aws:resourcetag/", "iam:resourcetag/")
"""What the keys of a user's or role's tags begin with where it is the resource."""


def resource_of_repository(repository: Repository, estate: Estate) -> Resource:
    """A repository with its own policy and, where it counts, its registry's."""
    registry = estate.registry_of(repository.target)
    account = estate.accounts[repository.target.account]

    def made(*over_all: Policy) -> Resource:
        policies = (repository.policy,) if repository.policy else ()
        found = _resource(repository.arn, account, (*policies, *over_all))
        return replace(found, keys={"aws:requestedregion": (repository.target.region,), **found.keys})

    policy, scope = registry.policy, registry.scope
    if policy is None:
        return made()
    if scope is RegistryScope.EVERY_ACTION or (isinstance(scope, Unread) and isinstance(policy.document, Unread)):
        return made(policy)
    if isinstance(scope, Unread):
        ways, in_doubt = (policy, _of_registry_calls(policy)), Policy(scope.what, scope)
    elif isinstance(policy.document, Unread):
        allows, denies = (replace(policy, document=one) for one in _ON_REGISTRY_CALLS)
        ways, in_doubt = (allows, denies), policy
    else:
        return made(_of_registry_calls(policy))
    first, otherwise = map(made, ways)
    return replace(first, otherwise=otherwise, in_doubt=in_doubt, varies_by_principal=True)


_ON_REGISTRY_CALLS = tuple(
    parse_document({"Statement": {"Effect": effect, "Principal": "*", "Action": [*REGISTRY_CALLS], "Resource": "*"}})
    for effect in Effect
)
"""What a registry policy of the older scope could allow, and what it could deny."""


def resource_of_role(role: Identity, estate: Estate) -> Resource:
    """A role with its trust policy, which decides who may assume it."""
    made = _resource(role.arn, estate.accounts[role.account], (role.trust,) if role.trust else ())
    return replace(made, trust=True, keys={**made.keys, **tag_keys(role)}, closed=TAG_PREFIXES)


def _resource(arn: str, account: Account, policies: tuple[Policy, ...]) -> Resource:
    control, named = in_force(account.resource_control, account), _named(policies)
    return Resource(
        arn,
        account.id,
        policies,
        control=control,
        keys=organization_keys(account, "resource"),
        named=named,
        varies_by_principal=_vary_by_principal(policies, control, named),
    )


def _named(policies: Sequence[Policy]) -> dict[str, tuple[tuple[int, Statement], ...]]:
    """The principals that policies name, each with the statements that do, numbered as in all policies together."""
    found: dict[str, dict[int, Statement]] = {}
    for number, statement in enumerate(one for policy in policies for one in policy.statements):
        for principal in statement.principals.values if statement.principals else ():
            found.setdefault(principal.value, {})[number] = statement
    return {name: tuple(places.items()) for name, places in found.items()}


def _vary_by_principal(policies: Sequence[Policy], control: Levels, named: Iterable[str]) -> bool:
    """Can the answer of a resource's policies depend on more than what they say of a principal by its name?"""
    controls = [one for level in control for one in level]
    return (
        not all(isinstance(one.document, Document) for one in (*policies, *controls))
        or any(":assumed-role/" in name for name in named)
        or any(one.principals is not None and one.principals.negated for each in policies for one in each.statements)
        or any(varies(one) for each in controls for one in each.statements)
    )


def tag_keys(identity: Identity) -> dict[str, tuple[str, ...]]:
    """The condition keys of an identity's tags where it is the resource."""
    tags = identity.tags.items()
    return {f"{prefix}{ascii_lower(key)}": (value,) for prefix in TAG_PREFIXES for key, value in tags}


def _of_registry_calls(policy: Policy) -> Policy:
    """The part of a registry policy that takes effect in the older scope: it governs only three actions."""
    document = policy.document
    if not isinstance(document, Document):
        return policy
    kept = []
    for statement in document.statements:
        # A statement without any stays, so that the others keep their numbers.
        actions = tuple(one for one in REGISTRY_CALLS if action_matches(statement.actions, one))
        kept.append(replace(statement, actions=Patterns(negated=False, values=actions)))
    return Policy(policy.name, replace(document, statements=tuple(kept)))
