"""The sessions that users open as federated users: under which names, with which tags.

A session has the policies of its user, as far as the user lets it; where policies tell it apart from the user, by name,
ID, kind or tags, it can more. Its credentials call neither IAM nor STS. Sources:
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

import re
from collections.abc import Iterable, Iterator
from copy import replace
from itertools import chain

from iam_access.document.condition import CanonicalClause, Clause
from iam_access.document.document import Statement, parse_document
from iam_access.document.pattern import patterns_meet
from iam_access.document.steps import Steps
from iam_access.document.variables import replace_variables
from iam_access.evaluate.request_principal import parse_request_principal
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.inventory import Policy
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.contexts import texts_told_apart
from iam_access.who_can.decide import Permission, Resource
from iam_access.who_can.resources import TAG_PREFIXES, keys_asked_for
from iam_access.who_can.subject import TAG, Subject

OPENING = "sts:GetFederationToken"
_KIND = ":federated-user/"
_ANY_NAME = ("StringLike", f"*{_KIND}??*")
_AFTER = re.compile("[:/]")
_NAME = re.compile(r"[\w+=,.@-]{2,32}", re.ASCII)
# Temporary credentials have the key, and GetFederationToken takes no MFA.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
_WITHOUT_MFA = {"aws:multifactorauthpresent": ("false",), "aws:multifactorauthage": ()}
# Only a user's long-term credentials open it, whose requests lack these.
_OF_TEMPORARY = ("aws:multifactorauth", "aws:tokenissuetime")


def own_policies(user: Subject) -> Iterator[Policy]:
    """Those that say what a user may do."""
    yield from (*user.policies, *([user.boundary] if user.boundary else ()), *chain.from_iterable(user.service_control))


def session_names_in(policies: Iterable[Policy], user: Subject) -> tuple[str, ...]:
    """The ARNs of sessions of a user's account, one for each way in which policies tell them apart by their names."""
    own = f"arn:{user.principal.partition}:sts::{user.principal.account}{_KIND}"
    asked = (one for policy in policies for statement in policy.statements for one in _names_in(statement))
    clauses = dict.fromkeys(
        CanonicalClause(operator, "aws:username", frozenset({_AFTER.split(text)[-1]}))
        for operator, raw in (_ANY_NAME, *asked)
        if patterns_meet(text := _filled(raw, user), f"{own}*")
    )
    return tuple(own + name for name in texts_told_apart([*clauses], Steps()) if _NAME.fullmatch(name))


def _filled(text: str, user: Subject) -> str:
    """A text with the values of its variables in a user's requests, `*` for those that are not certain."""
    known = {**user.keys, "aws:username": (user.principal.name,)}
    return replace_variables(text, lambda variable: (known.get(variable.key) or ("*",))[0])


def _names_in(statement: Statement) -> Iterator[tuple[str, str]]:
    """Patterns of ARNs of principals, or of sessions that may be opened, each with the operator that reads it."""
    principals = () if statement.principals is None else statement.principals.values
    yield from (("StringLike", one.value) for one in principals if _KIND in one.value)
    if statement.resources is not None and action_matches(statement.actions, OPENING):
        yield from (("StringLike", one) for one in statement.resources.values)
    for clause in statement.conditions:
        operator = "StringEqualsIgnoreCase" if "IgnoreCase" in clause.operator else "StringLike"
        yield from ((operator, text) for text in _names_of(clause))


def _names_of(clause: Clause) -> Iterable[str]:
    key = ascii_lower(clause.key)
    ids = (f"arn:*:sts::*{_KIND}{value.rpartition(':')[2] or '*'}" for value in clause.values)
    return clause.values if key == "aws:principalarn" else ids if key == "aws:userid" else ()


def opening(user: Subject, arn: str) -> tuple[Permission, ...]:
    """What a user needs to open a session as a federated user, by its ARN."""
    return (Permission(OPENING, Resource(arn, user.principal.account, closed=(*TAG_PREFIXES, *_OF_TEMPORARY))),)


def tagging(user: Subject, arn: str, key: str) -> tuple[Permission, ...]:
    """What a user needs to give that session a tag: it may be the user or the session that the call is on.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
    """
    # Only roles have a trust policy: the account leaves it to the user.
    leaves = {"Effect": "Allow", "Principal": {"AWS": user.principal.account}, "Action": "sts:TagSession"}
    policies = (Policy("the account", parse_document({"Statement": leaves})),)
    is_there = CanonicalClause("Null", f"aws:requesttag/{key}", frozenset({"false"}))
    on = Resource(arn, user.principal.account, policies, trust=True, closed=TAG_PREFIXES, always=(is_there,))
    return (Permission("sts:TagSession", on),)


def tag_keys_in(policies: Iterable[Policy]) -> tuple[str, ...]:
    """The keys of tags of principals that policies ask for, in lower case."""
    return tuple(sorted(key.removeprefix(TAG) for key in keys_asked_for(policies, (TAG,))))


def session_of(user: Subject, arn: str, tags: Iterable[str]) -> Subject:
    """The session with all that its user may do; `tags`: keys that the user may give it, to any value."""
    keys = {key: values for key, values in user.keys.items() if not key.startswith("aws:user")}
    return replace(
        user,
        principal=replace(parse_request_principal(arn), issuer=user.arn),
        keys={**keys, "aws:username": (), **_WITHOUT_MFA},
        identity=None,
        open_keys=frozenset(TAG + key for key in tags),
    )
