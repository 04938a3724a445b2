"""What is acted on, such as roles, each with the policies and condition keys that decide who may."""

from collections.abc import Iterable, Sequence
from copy import replace

from iam_access.document.document import Document, Statement
from iam_access.document.variables import variables_in
from iam_access.gather import gather
from iam_access.inventory.inventory import Account, Identity, Inventory, Levels, Policy
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.decide import OF_TAGGING, Resource
from iam_access.who_can.evidence import varies
from iam_access.who_can.subject import in_force, organization_keys, takes

TAG_PREFIXES = ("aws:resourcetag/", "iam:resourcetag/")
"""What the keys of a user's or role's tags begin with where it is the resource."""
OF_SESSIONS = {
    "sts:TagSession": (*OF_TAGGING, "sts:transitivetagkeys"),
    "sts:SetSourceIdentity": ("sts:sourceidentity",),
}
"""What whoever assumes a role has to be allowed besides, by both sides, for the request to have some keys.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
"""


def resource_of_role(role: Identity, inventory: Inventory) -> Resource:
    """A role with its trust policy, which decides who may assume it."""
    made = resource_with(role.arn, inventory.accounts[role.account], (role.trust,) if role.trust else ())
    never = (prefix for action, keys in OF_SESSIONS.items() if not takes(role.trust, action) for prefix in keys)
    return replace(made, trust=True, keys={**made.keys, **tag_keys(role)}, closed=(*TAG_PREFIXES, *never))


def resource_with(arn: str, account: Account, policies: tuple[Policy, ...]) -> Resource:
    control, keys = in_force(account.resource_control, account), organization_keys(account, "resource")
    return with_policies(Resource(arn, account.id, control=control, keys=keys), policies)


def with_policies(resource: Resource, policies: tuple[Policy, ...]) -> Resource:
    """The resource with these policies of its own, of which nothing is in doubt."""
    named = named_in(policies)
    varies = _vary_by_principal(policies, resource.control, named)
    return replace(resource, policies=policies, named=named, varies_by_principal=varies, otherwise=None, in_doubt=None)


def named_in(policies: Sequence[Policy]) -> dict[str, tuple[tuple[int, Statement], ...]]:
    """The principals that policies name, each with the statements that do, numbered as in all policies together."""
    found = gather(
        (principal.value, (number, statement))
        for number, statement in enumerate(one for policy in policies for one in policy.statements)
        for principal in (statement.principals.values if statement.principals else ())
    )
    return {name: tuple(dict(places).items()) for name, places in found.items()}


def _vary_by_principal(policies: Sequence[Policy], control: Levels, named: Iterable[str]) -> bool:
    """Can the answer of a resource's policies depend on more than what they say of a principal by its name?"""
    controls = [policy for level in control for policy in level]
    return (
        not all(isinstance(policy.document, Document) for policy in (*policies, *controls))
        or any(":assumed-role/" in name for name in named)
        or any(
            statement.principals is not None and statement.principals.negated
            for each in policies
            for statement in each.statements
        )
        or any(varies(statement) for each in controls for statement in each.statements)
    )


def keys_asked_for(policies: Iterable[Policy], prefixes: tuple[str, ...]) -> frozenset[str]:
    """The condition keys (in lower case) that begin with one of these and that some policy asks for."""
    statements = [statement for policy in policies for statement in policy.statements]
    clauses = [clause for statement in statements for clause in statement.conditions]
    texts = [value for clause in clauses for value in clause.values]
    texts += [value for statement in statements if statement.resources for value in statement.resources.values]
    variables = (one.key for text in texts if "${" in text for one in variables_in(text))
    keys = map(ascii_lower, (*(clause.key for clause in clauses), *variables))
    return frozenset(key for key in keys if key.startswith(prefixes))


def tag_keys(identity: Identity) -> dict[str, tuple[str, ...]]:
    """The condition keys of an identity's tags where it is the resource."""
    tags = identity.tags.items()
    return {f"{prefix}{ascii_lower(key)}": (value,) for prefix in TAG_PREFIXES for key, value in tags}
