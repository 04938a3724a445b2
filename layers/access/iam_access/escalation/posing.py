"""Whom a principal could pose as: by a provider that it writes, as a federated user, or as a member's root user.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_saml.html (who writes the metadata signs
the assertions), https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html and
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import replace
from itertools import chain, product

from iam_access.arn import iam_arn
from iam_access.document.condition import CanonicalClause
from iam_access.document.document import Effect, parse_document
from iam_access.escalation.become import Become
from iam_access.escalation.calls import CAN, Caller
from iam_access.escalation.tagging import TAG_KEYS, limits, spellings
from iam_access.evaluate.request_principal import CallerKind, parse_request_principal
from iam_access.inventory.inventory import Account, Policy
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.decide import Permission, Resource
from iam_access.who_can.graph import Graph
from iam_access.who_can.resources import TAG_PREFIXES
from iam_access.who_can.subject import TAG, Subject, outside_subject, root_of

_SAML, _OIDC = ":saml-provider/", ":oidc-provider/"
_ADDS_AUDIENCE = "iam:AddClientIDToOpenIDConnectProvider"
_WRITES = {
    _SAML: (
        *(("iam:UpdateSAMLProvider",), ("iam:CreateSAMLProvider",)),
        ("iam:DeleteSAMLProvider", "iam:CreateSAMLProvider"),
    ),
    _OIDC: (
        *(("iam:UpdateOpenIDConnectProviderThumbprint",), (_ADDS_AUDIENCE,)),
        ("iam:CreateOpenIDConnectProvider",),
        ("iam:DeleteOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider"),
    ),
}


def posing(caller: Caller, graph: Graph) -> Iterator[Become]:
    """Everybody but federated users: whoever may make the same calls poses as the same."""
    yield from _by_providers(caller, graph)
    yield from _as_root(caller, graph)


def _by_providers(caller: Caller, graph: Graph) -> Iterator[Become]:
    account = graph.inventory.accounts[caller.account]
    for role in graph.identities_of(caller.account):
        for provider in dict.fromkeys(_providers(role)):
            kind = _SAML if _SAML in provider else _OIDC
            subject = outside_subject(parse_request_principal(provider), graph.inventory, is_class=True)
            is_unknown = kind == _SAML and account.saml is None
            for calls in _WRITES[kind]:
                allowed = [caller.allows(call, provider, tagged=False) for call in calls]
                is_vain = not is_unknown and calls[0].startswith("iam:Create") is graph.exists(subject)
                if None in allowed or is_vain:
                    continue
                poses = _for_another_audience(subject, account) if _ADDS_AUDIENCE in calls else subject
                decision = graph.ask(poses, graph.assuming(poses, role))
                if decision.answer in CAN:
                    steps = (*(f"{call} on {provider}" for call in calls), f"assume {role.arn} with its tokens")
                    conditions = chain.from_iterable(filter(None, allowed))
                    yield Become(role, steps, (*conditions, *decision.conditions))
                    break


def _for_another_audience(provider: Subject, account: Account) -> Subject:
    """Whoever has a token for an audience that the provider does not have, as far as its audiences are known.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
    """
    known = account.providers.get(provider.arn) if isinstance(account.providers, Mapping) else None
    if not known:
        return provider
    audience = f"{ascii_lower(provider.arn.partition(_OIDC)[2])}:aud"
    others = CanonicalClause("StringNotEquals", audience, frozenset(known))
    return replace(provider, always=(*provider.always, others, CanonicalClause("Null", audience, frozenset({"false"}))))


def _providers(role: Subject) -> Iterator[str]:
    """The providers of its own account whose tokens a role takes."""
    trust = role.identity.trust if role.identity is not None else None
    for statement in trust.statements if trust is not None else ():
        for principal in statement.principals.values if statement.principals is not None else ():
            is_provider = principal.kind == "Federated" and (_SAML in principal.value or _OIDC in principal.value)
            if statement.effect is Effect.ALLOW and is_provider:
                yield principal.value


def as_federated(caller: Caller, graph: Graph, federated: Iterable[str], tags: Iterable[str]) -> Iterator[Become]:
    """Sessions of federated users, with the policies and tags of their user, and tags that it may set.

    `federated`: those of the account, by ARN, whom policies name; `tags`: keys that policies ask for, in lower case.
    """
    user = caller.subject
    if user.principal.kind is not CallerKind.USER:
        return
    own = f"arn:{user.principal.partition}:sts::{caller.account}:federated-user/"
    for arn in dict.fromkeys((*federated, f"{own}x")):
        is_name = "/" not in arn.removeprefix(own)
        conditions = caller.allows("sts:GetFederationToken", arn) if is_name else None
        if conditions is None:
            continue
        session = replace(
            user,
            principal=replace(parse_request_principal(arn), issuer=user.arn),
            keys={key: values for key, values in user.keys.items() if not key.startswith("aws:user")},
            identity=None,
            presumed_allowed=True,
            open_keys=frozenset(TAG + key for key in tags if _may_tag(user, graph, arn, key)),
            always=tuple(one for key in tags for one in _limits(user, arn, key)),
        )
        yield Become(session, (f"sts:GetFederationToken for {arn}",), conditions)


def _may_tag(user: Subject, graph: Graph, session: str, key: str) -> bool:
    """May a user open a session with this tag, perhaps beside others? It may be the user or the session that is tagged.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
    """
    account = user.principal.account
    # Only roles have a trust policy.
    leaves = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:TagSession"}
    policies = (Policy("the account", parse_document({"Statement": leaves})),)
    is_there = CanonicalClause("Null", f"aws:requesttag/{key}", frozenset({"false"}))
    for written, on in product(spellings(user, key), (session, user.arn)):
        is_named = CanonicalClause("ForAnyValue:StringEquals", TAG_KEYS, frozenset({written}))
        tagged = Resource(on, account, policies, trust=True, closed=TAG_PREFIXES, always=(is_there, is_named))
        if graph.ask(user, (Permission("sts:TagSession", tagged),)).answer in CAN:
            return True
    return False


def _limits(user: Subject, session: str, key: str) -> Iterator[CanonicalClause]:
    """What a tag of the session is if it is set; of a tag that the user has by itself nothing is said."""
    if TAG + key not in user.keys:
        for one in limits(user, "sts:TagSession", session, key, TAG + key):
            if not one.operator.startswith("Null"):
                yield one._replace(operator=f"{one.operator.removesuffix('IfExists')}IfExists")


def _as_root(caller: Caller, graph: Graph) -> Iterator[Become]:
    """The root user of a member, whose password the management account may create."""
    for member in members_of(caller.account, graph.inventory.accounts.values()):
        root = iam_arn(member.id, "root", caller.subject.principal.partition)
        conditions = caller.allows("sts:AssumeRoot", root, {"sts:taskpolicyarn": (_task(caller),)}, tagged=False)
        if conditions is not None:
            to = root_of(parse_request_principal(root), graph.inventory)
            yield Become(to, (f"sts:AssumeRoot on {root}",), conditions)


def _task(caller: Caller) -> str:
    """The one task of a root session that gives more than the session; others read, or delete what locks people out.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
    """
    return iam_arn("aws", "policy/root-task/IAMCreateRootUserPassword", caller.subject.principal.partition)


def members_of(account: str, accounts: Iterable[Account]) -> Iterator[Account]:
    """The other accounts of the organization that an account manages; none if it manages none."""
    known = {one.id: one for one in accounts}
    organization = known[account].organization if account in known else None
    if organization is not None and organization.management:
        for one in known.values():
            if one.id != account and one.organization is not None and one.organization.id == organization.id:
                yield one
