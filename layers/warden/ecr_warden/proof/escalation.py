"""Who could escalate their privileges: by writing policies, taking over a user, or opening a role to themselves.

Passing roles to services is not covered, nor is what a person with such rights could set up outside IAM and ECR.
Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from copy import replace

from msgspec import Struct

from ecr_warden.model.estate import Account, Policy
from ecr_warden.model.target import IdentityKind
from ecr_warden.policy.document import parse_document
from ecr_warden.proof.access import Graph
from ecr_warden.proof.decide import AccessDecision, Answer, Permission, Resource, decide
from ecr_warden.proof.subject import ALLOW_EVERYTHING, Subject

_TAKES_OVER = ("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile")
_WRITES = {
    IdentityKind.USER: ("iam:PutUserPolicy", "iam:AttachUserPolicy"),
    IdentityKind.ROLE: ("iam:PutRolePolicy", "iam:AttachRolePolicy"),
}
_PUTS_INLINE = ("iam:PutUserPolicy", "iam:PutRolePolicy")
_WRITES_GROUP = ("iam:PutGroupPolicy", "iam:AttachGroupPolicy")
_INLINE = "inline"
_SETS_VERSION = "iam:SetDefaultPolicyVersion"
_JOINS = "iam:AddUserToGroup"
_WRITES_MANAGED = "iam:CreatePolicyVersion"
_OPENS = "iam:UpdateAssumeRolePolicy"
_CHANGES_BOUNDARY = {
    IdentityKind.USER: ("iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"),
    IdentityKind.ROLE: ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"),
}
CHANGES_IAM = (
    *_TAKES_OVER,
    *(action for actions in (*_WRITES.values(), *_CHANGES_BOUNDARY.values()) for action in actions),
    *(*_WRITES_GROUP, _SETS_VERSION, _JOINS, _WRITES_MANAGED, _OPENS),
)
_WRITES_REPOSITORY = "ecr:SetRepositoryPolicy"
_CAN = (Answer.YES, Answer.CONDITIONAL)


class Escalation(Struct, frozen=True):
    """How somebody could gain the access: the calls that they would make, in order, and under which conditions."""

    subject: Subject
    steps: tuple[str, ...]
    chain: tuple[str, ...]
    conditions: tuple[str, ...]


class _Move(Struct, frozen=True):
    """One call: to become another identity, or to widen an identity's permissions."""

    to: Subject
    text: str
    conditions: tuple[str, ...]
    gives: tuple[Policy, ...] = (Policy("whatever is written", ALLOW_EVERYTHING),)
    replaces: str = ""
    """The policy that is overwritten: a managed policy's ARN, or `inline`."""


class _Moves(Struct):
    """What one subject could do: become an identity, give it permissions, remove its permissions boundary."""

    becomes: list[_Move]
    gives: list[_Move]
    removes_boundary: dict[str, _Move]


class Escalations:
    """The escalations that an estate allows; decisions are cached."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._moves: dict[str, _Moves] = {}
        self._assumes: dict[str, list[_Move]] = defaultdict(list)
        for role in graph.roles:
            for subject, decision in graph.assumers(role):
                if decision.answer in _CAN:
                    self._assumes[subject.arn].append(_Move(role, f"assume {role.arn}", decision.conditions))

    def who(self, permissions: tuple[Permission, ...], able: Collection[str]) -> Iterator[Escalation]:
        """Everybody in the estate who is not yet `able` and could escalate, each with one way to do it."""
        widened: dict[object, bool] = {}
        for subject in self._graph.subjects.values():
            if subject.arn not in able:
                found = self._escalation_of(subject, permissions, able, widened)
                if found is not None:
                    yield found

    def _escalation_of(
        self, subject: Subject, permissions: tuple[Permission, ...], able: Collection[str], widened: dict[object, bool]
    ) -> Escalation | None:
        """The shortest way to become an identity that is able, else one to give a reachable identity the access."""
        paths: dict[str, tuple[_Move, ...]] = {subject.arn: ()}
        queue = deque([subject])
        while queue:
            here = queue.popleft()
            path = paths[here.arn]
            if here.arn in able:
                return _escalation(subject, path)
            if (opens := self._opens_repository(here, permissions)) is not None:
                return _escalation(subject, (*path, opens))
            for move in self._of(here).becomes:
                if move.to.arn not in paths:
                    paths[move.to.arn] = (*path, move)
                    queue.append(move.to)
        for writer, path in paths.items():
            moves = self._of(self._graph.subjects[writer])
            for move in moves.gives:
                if move.to.arn not in paths:
                    continue
                unbound = moves.removes_boundary.get(move.to.arn)
                for more in ((), (unbound,)) if unbound else ((),):
                    name = move.to.arn, move.gives, move.replaces, not more
                    if name not in widened:
                        widened[name] = _has_access_after(move, permissions, bounded=not more)
                    if widened[name]:
                        return _escalation(subject, path, paths[move.to.arn], (*more, move))
        return None

    def _of(self, subject: Subject) -> _Moves:
        """The moves of a subject, in its own account's IAM and by the roles that it can assume."""
        found = self._moves.get(subject.arn)
        if found is None:
            found = self._moves[subject.arn] = _Moves(list(self._assumes[subject.arn]), [], {})
            if any(self._graph.may_allow(subject, action) for action in CHANGES_IAM):
                for target in self._graph.identities_of(str(subject.principal.account)):
                    self._add(found, subject, target)
        return found

    def _add(self, moves: _Moves, subject: Subject, target: Subject) -> None:
        identity = target.identity
        assert identity is not None
        account = self._graph.estate.accounts[identity.account]
        moves.gives += self._possible(subject, target, _writing(target))
        for move in self._possible(subject, target, _removing_boundary(target)):
            moves.removes_boundary.setdefault(target.arn, move)
        if not target.is_role or self._could_assume(subject, target):
            moves.becomes += self._possible(subject, target, _becoming(target))
        for action, held in _choosing_version(target, account):
            for move in self._possible(subject, target, [(action, held)]):
                moves.gives += (replace(move, gives=(one,), replaces=held) for one in account.versions[held])
        for action, group in _joining(target, account):
            for move in self._possible(subject, target, [(action, group)]):
                moves.gives.append(replace(move, gives=account.groups[group].policies))

    def _possible(self, subject: Subject, target: Subject, calls: Iterable[tuple[str, str]]) -> Iterator[_Move]:
        """The calls that the subject is allowed, each as a move."""
        for action, resource in calls:
            if not self._graph.may_allow(subject, action, resource):
                continue
            decision = decide(subject, (Permission(action, Resource(resource, subject.principal.account)),))
            if decision.answer in _CAN:
                yield _move(target, action, resource, decision)

    def _could_assume(self, subject: Subject, role: Subject) -> bool:
        """Could it assume the role if the trust policy named it?"""
        permission = self._graph.assume_permission(subject, role)
        trust = parse_document(
            {"Statement": {"Effect": "Allow", "Principal": {"AWS": subject.arn}, "Action": "sts:AssumeRole"}}
        )
        opened = replace(permission.resource, policies=(Policy("trust policy", trust),))
        return decide(subject, (Permission(permission.action, opened),)).answer in _CAN

    def _opens_repository(self, subject: Subject, permissions: tuple[Permission, ...]) -> _Move | None:
        """The move of writing the repository's policy, if the subject may and that would give it the access."""
        resource = permissions[0].resource
        decision = self._graph.decide(subject, (Permission(_WRITES_REPOSITORY, resource),))
        if decision.answer not in _CAN:
            return None
        let = parse_document({"Statement": {"Effect": "Allow", "Principal": {"AWS": subject.arn}, "Action": "ecr:*"}})
        # The registry's policy stays; the repository's own is overwritten.
        kept = (policy for policy in resource.policies if policy.name.startswith("registry policy"))
        opened = replace(resource, policies=(Policy("repository policy", let), *kept))
        own = tuple(Permission(one.action, opened if one.resource is resource else one.resource) for one in permissions)
        if decide(subject, own).answer not in _CAN:
            return None
        return _move(subject, _WRITES_REPOSITORY, resource.arn, decision)


def changes_of(target: Subject, account: Account) -> Iterator[tuple[str, str]]:
    """The calls that change what an identity may do or who may act as it, each with its resource."""
    yield from _writing(target)
    yield from _removing_boundary(target)
    yield from _becoming(target)
    yield from _choosing_version(target, account)
    yield from _joining(target, account)


def _choosing_version(target: Subject, account: Account) -> Iterator[tuple[str, str]]:
    identity = target.identity
    assert identity is not None
    yield from ((_SETS_VERSION, held) for held in identity.managed if account.versions.get(held))


def _joining(target: Subject, account: Account) -> Iterator[tuple[str, str]]:
    if not target.is_role:
        yield from ((_JOINS, group) for group in account.groups)


def _writing(target: Subject) -> Iterator[tuple[str, str]]:
    """The calls that give an identity permissions, each with its resource."""
    identity = target.identity
    assert identity is not None
    yield from ((action, identity.arn) for action in _WRITES[identity.kind])
    yield from ((_WRITES_MANAGED, policy) for policy in identity.managed)
    yield from ((action, group) for group in identity.groups for action in _WRITES_GROUP)


def _removing_boundary(target: Subject) -> Iterator[tuple[str, str]]:
    """The calls that remove or replace an identity's permissions boundary."""
    identity = target.identity
    if identity is not None and identity.boundary is not None:
        yield from ((action, identity.arn) for action in _CHANGES_BOUNDARY[identity.kind])


def _becoming(target: Subject) -> Iterator[tuple[str, str]]:
    """The calls that hand an identity over: a key or a password of a user, the trust policy of a role."""
    actions = (_OPENS,) if target.is_role else _TAKES_OVER
    yield from ((action, target.arn) for action in actions)


def _has_access_after(move: _Move, permissions: tuple[Permission, ...], *, bounded: bool) -> bool:
    """Would the target have access with what the move gives and without what it replaces?

    Unless `bounded`, without its permissions boundary.
    """
    target = move.to
    kept = [one for one in target.policies if (one.shared != move.replaces if one.shared else move.replaces != _INLINE)]
    boundary = target.boundary if bounded else None
    return decide(replace(target, policies=(*kept, *move.gives), boundary=boundary), permissions).answer in _CAN


def _move(to: Subject, action: str, resource: str, decision: AccessDecision) -> _Move:
    replaces = resource if action == _WRITES_MANAGED else _INLINE if action in _PUTS_INLINE else ""
    return _Move(to, f"{action} on {resource}", decision.conditions, replaces=replaces)


def _escalation(subject: Subject, *paths: tuple[_Move, ...]) -> Escalation:
    moves = list({(move.text, move.to.arn): move for path in paths for move in path}.values())
    return Escalation(
        subject,
        tuple(move.text for move in moves),
        tuple(dict.fromkeys((subject.arn, *(move.to.arn for move in moves)))),
        tuple(dict.fromkeys(one for move in moves for one in move.conditions)),
    )
