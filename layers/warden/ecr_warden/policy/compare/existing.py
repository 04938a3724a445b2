"""Requests that AWS can be asked: an example must be one, whatever else tells two documents apart.

A proof never rests on this. It is what is looked for first, and what no example may break.
Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (no root user),
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html (no federated user) and the pages of
`automaton.REPOSITORIES`.
"""

import re
from collections.abc import Iterator

from ecr_warden.policy.action import ActionGroup, actions_of
from ecr_warden.policy.canonical import CanonicalPatterns
from ecr_warden.policy.compare.cubes import Atom, CubeBuilder
from ecr_warden.policy.compare.language import matches
from ecr_warden.policy.compare.shapes import REPOSITORIES, ROLES
from ecr_warden.policy.document import DocumentKind
from ecr_warden.policy.request import ANY_RESOURCE, Request
from ecr_warden.policy.request_principal import CallerKind

_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_ANY_ARN = CanonicalPatterns(False, frozenset({"arn:?*:?*:*:*:?*", ANY_RESOURCE}))
_OF_ECR = (ActionGroup.PUSH, ActionGroup.PULL, ActionGroup.DELETE, ActionGroup.ADMIN)
_ASSUME = "sts:assumerole"
_CANNOT_ASSUME = frozenset({CallerKind.ROOT, CallerKind.FEDERATED_USER, CallerKind.ANONYMOUS})
_PARTITION = re.compile(r"arn:aws[a-z-]*:")


def groups_of(kind: DocumentKind) -> tuple[ActionGroup, ...]:
    """What can be asked of that on which a document of the kind hangs, the most telling first."""
    match kind:
        case DocumentKind.REPOSITORY:
            return (*_OF_ECR, ActionGroup.OTHER)
        case DocumentKind.TRUST:
            return (ActionGroup.ASSUME,)
        case DocumentKind.IDENTITY:
            return (*_OF_ECR, ActionGroup.ASSUME, ActionGroup.OTHER)


def of_group(group: ActionGroup, cubes: CubeBuilder) -> Iterator[tuple[Atom, ...]]:
    """What to ask for, the likeliest first: an action of the group on what it is for, on anything."""
    known = cubes.actions(CanonicalPatterns(False, frozenset(action.lower() for action in actions_of(group))))
    yield known, cubes.texts(ROLES if group is ActionGroup.ASSUME else REPOSITORIES)
    yield known, cubes.resources(_ANY_ARN)
    yield (known,)


def of_kind(kind: DocumentKind, cubes: CubeBuilder) -> Iterator[tuple[Atom, ...]]:
    """What to ask for of that on which a document of the kind hangs, whatever the group, the likeliest first."""
    match kind:
        case DocumentKind.REPOSITORY:
            yield (cubes.actions(CanonicalPatterns(True, frozenset({"sts:*"}))),)
        case DocumentKind.TRUST:
            yield (cubes.actions(CanonicalPatterns(False, frozenset({"sts:*"}))),)
        case DocumentKind.IDENTITY:
            yield cubes.actions(CanonicalPatterns(False, frozenset({"ecr:*"}))), cubes.texts(REPOSITORIES)
            yield (cubes.resources(_ANY_ARN),)


def of_caller(kind: CallerKind, cubes: CubeBuilder) -> tuple[Atom, ...]:
    """What a caller of a kind cannot ask for."""
    return (cubes.actions(CanonicalPatterns(True, frozenset({_ASSUME}))),) if kind in _CANNOT_ASSUME else ()


def can_be_asked(request: Request) -> bool:
    """Whether the caller can ask for the action at all."""
    return request.principal.kind not in _CANNOT_ASSUME or request.action.lower() != _ASSUME


def is_likely(request: Request, kind: DocumentKind) -> bool:
    """Whether it is a request that AWS has, as far as this knows."""
    action, resource = request.action.lower(), _PARTITION.sub("arn:aws:", request.resource)
    service = action.partition(":")[0]
    if not can_be_asked(request) or not _ACTION.fullmatch(action):
        return False
    if kind is not DocumentKind.IDENTITY and (service == "sts") is not (kind is DocumentKind.TRUST):
        return False
    if resource == ANY_RESOURCE:
        return True
    if service == "ecr":
        return any(matches(one, resource) for one in REPOSITORIES)
    if action == _ASSUME:
        return any(matches(one, resource) for one in ROLES)
    return resource.startswith("arn:") and (":ecr:" not in resource)
