"""Repositories as what is acted on, each with the policies and condition keys that decide who may."""

from collections.abc import Collection, Mapping
from copy import replace

from ecr_warden.core.actions import REGISTRY_CALLS
from ecr_warden.core.estate import Estate, RegistryScope, Repository
from iam_access.document.document import Document, Effect, Patterns, parse_document
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.inventory import Policy, Unread
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.decide import Resource
from iam_access.who_can.resources import resource_with

TAG_PREFIXES = ("aws:resourcetag/", "ecr:resourcetag/")
"""What the keys of a repository's tags begin with."""


def keys_of_tags(tags: Mapping[str, str], asked: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The condition keys of tags, as far as somebody asks for them."""
    every = {f"{prefix}{ascii_lower(key)}": (value,) for prefix in TAG_PREFIXES for key, value in tags.items()}
    return {key: value for key, value in every.items() if key in asked}


def resource_of_repository(repository: Repository, estate: Estate, tags: Collection[str] = ()) -> Resource:
    """A repository with its own policy and, where it counts, its registry's.

    `tags`: the condition keys of tags that policies ask for; where the tags were not read, they are open.
    """
    registry = estate.registry_of(repository.target)
    account = estate.accounts[repository.target.account]

    def made(*over_all: Policy) -> Resource:
        policies = (repository.policy,) if repository.policy else ()
        resource = resource_with(repository.arn, account, (*policies, *over_all))
        keys = {"aws:requestedregion": (repository.target.region,), **resource.keys}
        if not tags or repository.tags is None:
            return replace(resource, keys=keys)
        return replace(resource, keys=keys | keys_of_tags(repository.tags, tags), closed=TAG_PREFIXES)

    policy, scope = registry.policy, registry.scope
    if policy is None:
        return made()
    if scope is RegistryScope.EVERY_ACTION or (isinstance(scope, Unread) and isinstance(policy.document, Unread)):
        return made(policy)
    if isinstance(scope, Unread):
        ways, in_doubt = (policy, of_registry_calls(policy)), Policy(scope.what, scope)
    elif isinstance(policy.document, Unread):
        allows, denies = (replace(policy, document=document) for document in _ON_REGISTRY_CALLS)
        ways, in_doubt = (allows, denies), policy
    else:
        return made(of_registry_calls(policy))
    first, otherwise = map(made, ways)
    return replace(first, otherwise=otherwise, in_doubt=in_doubt, varies_by_principal=True)


_ON_REGISTRY_CALLS = tuple(
    parse_document({"Statement": {"Effect": effect, "Principal": "*", "Action": [*REGISTRY_CALLS], "Resource": "*"}})
    for effect in Effect
)
"""What a registry policy of the older scope could allow, and what it could deny."""


def of_registry_calls(policy: Policy) -> Policy:
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
