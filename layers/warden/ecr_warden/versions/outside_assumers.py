"""Which outsiders may assume a role, along any chain: by a version's documents, and by live ones where it has none."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from msgspec import Struct

from ecr_warden.core.address import OWN_ROLES, Address, trust_policy
from ecr_warden.core.desired import RoleSettings, TargetSpec
from ecr_warden.core.estate import EcrAccount
from ecr_warden.core.target import RoleTarget, target_arn
from ecr_warden.versions.enforced import EnforcedChange
from iam_access.arn import IAM_ARN
from iam_access.delta.delta import AllBut, AnyOf, PermissionDelta, access_change
from iam_access.document.condition import Clause
from iam_access.document.document import Document, Effect, Patterns
from iam_access.document.kind import DocumentKind
from iam_access.document.pattern import pattern_covers, patterns_meet
from iam_access.document.principal import ANYONE, Principal
from iam_access.document.variables import completed_arn
from iam_access.equivalent.canonical import CanonicalStatement, canonical_statements
from iam_access.errors import NamedError
from iam_access.evaluate.condition_match import clause_holds
from iam_access.evaluate.request_principal import is_identity_center_role, is_service_linked_role
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Identity, Policy, Unread
from iam_access.once import once
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.ours import Ours, outsiders


class _Role(Struct, frozen=True):
    """A role that there is or will be, with its policies."""

    target: RoleTarget
    arn: str
    policies: tuple[Policy, ...]


class _Trusted(Struct, frozen=True):
    """Whom a trust policy lets in: outsiders in words, and roles."""

    outsiders: tuple[str, ...]
    roles: tuple[RoleTarget, ...]


def by_vouching(
    statements: Sequence[CanonicalStatement], literal: int, ours: Ours
) -> list[tuple[frozenset[CanonicalStatement], Ours]]:
    """The statements that grants make, and the `literal` ones at the end, each with what is ours there."""
    granted = len(statements) - literal
    parts = [(frozenset(statements[:granted]), ours), (frozenset(statements[granted:]), ours.in_literal)]
    return [part for part in parts if part[0]] or parts[:1]


class OutsideAssumers:
    """The outsiders who may assume each role once a version is enforced; `account` as in outside_gains."""

    def __init__(self, change: EnforcedChange, ours: Ours, account: Callable[[str], EcrAccount] | None) -> None:
        self._after, self._ours, self._account = change.after, ours, account or _nothing_read
        self._deleted = {key for key, spec in change.before.targets.items() if _is_push_role(spec)}
        self._deleted -= self._after.targets.keys()
        # Each is found once.
        self.assumers, self._trusted_by = cache(self._find_assumers), cache(self._find_trusted)
        self._identities, self._roles = cache(self._find_identities), cache(self._find_roles)
        self._open = cache(lambda account: [one for one in self._roles(account) if self.assumers(one.target)])
        self._allowed: dict[tuple[int, str], list[Patterns | None]] = {}
        self.unread: dict[str, None] = {}
        """What was not read, in words, as far as somebody asked."""

    def of(self, address: Address, permission: PermissionDelta) -> Iterator[tuple[RoleTarget, str]]:
        """The roles to which a document gives a permission and that outsiders may assume, with each of these."""
        named, wide = self._named(permission)
        if isinstance(address.target, RoleTarget) and permission.principal is None:
            named.append(address.target)
        for account in wide:
            named += self._permitted(self._open(account), permission, address)
        for role in dict.fromkeys(named):
            for who in self.assumers(role):
                yield role, who

    def _find_assumers(self, role: RoleTarget) -> tuple[str, ...]:
        """The outsiders who may assume a role, themselves or as another role, in words."""
        found: dict[str, None] = {}
        seen, left = {role.key}, [role]
        while left:
            trusted = self._trusted_by(left.pop())
            found |= dict.fromkeys(trusted.outsiders)
            left += [target for target in trusted.roles if target.key not in seen]
            seen |= {target.key for target in trusted.roles}
        return tuple(found)

    def _find_trusted(self, role: RoleTarget) -> _Trusted:
        who: dict[str, None] = {}
        roles: list[RoleTarget] = []
        for permission, ours in self._trusts(role):
            who |= dict.fromkeys(outsiders(permission, ours, home=role.account))
            named, wide = self._named(permission)
            others = [one for account in wide for one in self._roles(account)]
            roles += [*named, *self._permitted(others, permission, trust_policy(role))]
        return _Trusted(tuple(who), tuple(roles))

    def _trusts(self, role: RoleTarget) -> Iterator[tuple[PermissionDelta, Ours]]:
        """What the trust policy of a role allows, each with what is ours for it."""
        spec = self._after.targets.get(role.key)
        address = trust_policy(role if spec is None or not isinstance(spec.target, RoleTarget) else spec.target)
        document = None if spec is None else spec.documents.get(address)
        literal = self._after.literal_statements(address)
        if not isinstance(document, Document):
            document = self._live_trust(role)
            literal = 0 if document is None else len(document.statements)
        if document is not None:
            statements = canonical_statements(document, kind=DocumentKind.TRUST)
            for some, ours in by_vouching(statements, literal, self._ours):
                for permission in access_change(frozenset(), some).gained:
                    yield permission, ours

    def _live_trust(self, role: RoleTarget) -> Document | None:
        """The live trust policy; None where there is none, of ecr-warden's roles, and of those that only AWS writes."""
        identity = self._identities(role.account).get(role.key)
        if (
            identity is None
            or identity.trust is None
            or role.name.lower() in OWN_ROLES
            or is_identity_center_role(identity.arn)
            or is_service_linked_role(identity.arn)
        ):
            return None
        if isinstance(identity.trust.document, Document):
            return identity.trust.document
        self.unread[f"whom {role} trusts: {identity.trust.document.why}"] = None
        return None

    def _find_identities(self, account: str) -> dict[str, Identity]:
        """The live roles of an account by their targets' keys, as far as they were read."""
        try:
            read = self._account(account)
        except NamedError as error:
            self.unread[f"whom the roles of account {account} trust: {error.message}"] = None
            return {}
        if not read.is_listed:
            self.unread[f"whom the roles of account {account} trust: they were not listed"] = None
        roles = [identity for identity in read.identities.values() if identity.kind is IdentityKind.ROLE]
        found = {RoleTarget(account, role.name).key: role for role in roles}
        return {key: identity for key, identity in found.items() if key not in self._deleted}

    def _find_roles(self, account: str) -> list[_Role]:
        """Every role of an account that there is or will be."""
        live = {key: RoleTarget(account, identity.name) for key, identity in self._identities(account).items()}
        named = {key: spec.target for key, spec in self._after.targets.items() if spec.target.account == account}
        targets = {key: one for key, one in (live | named).items() if isinstance(one, RoleTarget)}
        return [self._role(targets[key]) for key in sorted(targets)]

    def _role(self, target: RoleTarget) -> _Role:
        live, spec = self._identities(target.account).get(target.key), self._after.targets.get(target.key)
        documents = {} if spec is None else spec.documents
        path = next((document.path for document in documents.values() if isinstance(document, RoleSettings)), "/")
        own = (Policy(str(at), one) for at, one in documents.items() if isinstance(one, Document) and at.name)
        arn = target_arn(target, path=path) if live is None else live.arn
        return _Role(target, arn, (*own, *(live.policies if live is not None else ())))

    def _named(self, permission: PermissionDelta) -> tuple[list[RoleTarget], list[str]]:
        """The roles that a permission names, and the accounts that it names whole, of those of the version."""
        match permission.principal:
            case None:
                values: tuple[Principal, ...] = ()
            case AllBut():
                values = (ANYONE,)
            case AnyOf(some):
                values = some
            case principal:
                values = (principal,)
        roles: list[RoleTarget] = []
        wide: list[str] = []
        for value in values:
            found = IAM_ARN.fullmatch(value.value)
            match found[3].split("/") if found and found[2] in self._after.accounts else ():
                case ["root"] if found and not _is_for_identity_center(permission):
                    wide.append(found[2])
                case ["role", *_, name] | ["assumed-role", name, _] if found:
                    roles.append(RoleTarget(found[2], name))
                case _ if value == ANYONE:
                    wide += self._after.accounts
        return roles, wide

    def _permitted(self, roles: Sequence[_Role], permission: PermissionDelta, address: Address) -> list[RoleTarget]:
        """Those who may use a permission that names whole accounts, or anybody; doubt counts as yes."""
        target, action = address.target, permission.action if isinstance(permission.action, str) else "*"
        if not roles:
            return []
        resource = self._role(target).arn if isinstance(target, RoleTarget) else target_arn(target)
        names_account = isinstance(permission.principal, Principal) and permission.principal != ANYONE
        # Within an account an Allow for `*` needs no policy of the role.
        needs_none = target.account if permission.effect is Effect.ALLOW and not names_account else ""
        return [
            role.target
            for role in roles
            if _fits(role, permission)
            and (
                role.target.account == needs_none
                or any(self._may_allow(policy.document, action, resource) for policy in role.policies)
            )
        ]

    def _may_allow(self, document: Document | Unread, action: str, resource: str) -> bool:
        """Whether an identity policy may allow an action on a resource; one that was not read may."""
        if not isinstance(document, Document):
            return True
        allowed = once(
            self._allowed,
            (id(document), action),
            lambda: [
                statement.resources
                for statement in document.statements
                if statement.effect is Effect.ALLOW
                and statement.actions != _OF_NO_REPOSITORY
                and _meets(statement.actions, action, ascii_lower)
            ],
        )
        return any(element is None or _meets(element, resource, completed_arn) for element in allowed)


def _fits(role: _Role, permission: PermissionDelta) -> bool:
    """Whether a permission's conditions on the caller's ARN and account hold for a role."""
    keys = {"aws:principalarn": (role.arn,), "aws:principalaccount": (role.target.account,)}
    return all(
        clause_holds(Clause(operator, key, tuple(values)), keys, variables=True)
        for operator, key, values in permission.conditions
        if key in keys
    )


def _is_push_role(spec: TargetSpec) -> bool:
    """Whether a role goes with its last grant."""
    return any(isinstance(value, RoleSettings) for value in spec.documents.values())


def _nothing_read(_: str) -> EcrAccount:
    raise NamedError("not read")


def _is_for_identity_center(permission: PermissionDelta) -> bool:
    """Whether only roles of Identity Center can use it: only AWS writes whom they trust."""
    return any(
        clause.key == "aws:principalarn" and not clause.negative and all(map(is_identity_center_role, clause.values))
        for clause in permission.conditions
    )


_OF_NO_REPOSITORY = Patterns(negated=False, values=("ecr:GetAuthorizationToken",))


def _meets(element: Patterns, text: str, read: Callable[[str], str]) -> bool:
    if element.negated:
        return not any(pattern_covers(read(value), text) for value in element.values)
    return any(patterns_meet(read(value), text) for value in element.values)
