"""Who is ours, by negation: whoever a permission is not shown to keep to what is ours is outside.

Only what binds is shown: a principal's own account, and a condition that fails where its key is absent and whose every
value names an account, an organization or an owner in full. So IfExists, ForAllValues and negated operators show
nothing, and neither does a wildcard or variable in the part of a value that names somebody.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import replace
from typing import Literal, NamedTuple

from msgspec import Struct

from iam_access.arn import ACCOUNT_ID, IAM_ARN
from iam_access.delta.delta import AllBut, AnyOf, PermissionDelta
from iam_access.document.condition import CanonicalClause, Quantifier, canonical_clauses, parse_operator
from iam_access.document.document import Statement
from iam_access.document.pattern import pattern_covers
from iam_access.document.principal import (
    ANYONE,
    ROLES_ANYWHERE,
    Principal,
    is_account,
)
from iam_access.equivalent.canonical import CanonicalStatement
from iam_access.text.ascii_case import ascii_lower
from iam_access.text.printable import printable


class Owner(Struct, frozen=True):
    """Who decides whose jobs get tokens of an OpenID Connect issuer, as a grant names it."""

    issuer: str
    name: str
    """As subjects begin, `repo:acme` or `project_path:acme/shop`; where the issuer has another form, the whole
    subject."""
    id: str = ""
    """GitHub's immutable one, "" where only the name is given."""

    def __str__(self) -> str:
        return printable(f"{self.name}@{self.id}" if self.id else self.name, 160)


class Ours(Struct, frozen=True):
    """The accounts, organizations and owners that are ours."""

    accounts: frozenset[str] = frozenset()
    organizations: frozenset[str] = frozenset()
    owners: frozenset[Owner] = frozenset()

    @property
    def in_literal(self) -> "Ours":
        """What is ours in a literal or live document: organizations and owners are ours for what a grant gives."""
        return Ours(self.accounts)


def outsiders(permission: PermissionDelta, ours: Ours, *, home: str) -> tuple[str, ...]:
    """Whom a permission names who is not shown to be ours, in words; `home`: the account of its document.

    One without a principal is its holder's, in that account. A Deny is taken for an Allow of the same.
    """
    match permission.principal:
        case None:
            named = _beyond([_only("account", home)], ours, "")
        case AllBut():
            named = _outside(ANYONE, permission, ours, home)
        case AnyOf(values):
            named = (who for value in values for who in _outside(value, permission, ours, home))
        case principal:
            named = _outside(principal, permission, ours, home)
    return tuple(dict.fromkeys(named))


type _Kind = Literal["account", "organization"]


def leaves_out_ours(conditions: Iterable[CanonicalClause], ours: Ours, *, through_service: bool) -> bool:
    """Whether a condition names in full whom it lets in, and none of them may be ours.

    Where no organization is known to be ours, any may be.
    """
    known = frozenset() if ours.organizations else frozenset({"organization"})
    limits = _limits(conditions, _SOURCE if through_service else _CALLER)
    return any(not any(who.kind in known or who.is_one_of(ours) for who in limit) for limit in limits)


def acts_for_others(trust: Statement, home: str) -> bool:
    """Whether a statement of a trust policy says for whom a service takes the role, and not for its account alone."""
    conditions = canonical_clauses(trust.conditions)
    says = any(clause.key in _SOURCE for clause in conditions)
    return says and any(_beyond([*_limits(conditions, _SOURCE)], Ours(frozenset({home})), "anybody"))


class _Who(NamedTuple):
    kind: _Kind
    name: str

    def is_one_of(self, ours: Ours) -> bool:
        return self.name in (ours.accounts if self.kind == "account" else ours.organizations)


def _only(kind: _Kind, name: str) -> frozenset[_Who]:
    return frozenset({_Who(kind, name)})


def _outside(principal: Principal, permission: PermissionDelta, ours: Ours, home: str) -> Iterator[str]:
    conditions, shown = permission.conditions, printable(principal.value, 160)
    match principal.kind:
        case "Service" if principal.value == ROLES_ANYWHERE:
            yield f"whoever has a certificate, through {shown}"
        case "Service":
            limits = [_only("account", home)] if _acts_at_home(permission) else [*_limits(conditions, _SOURCE)]
            yield from (f"{who} through {shown}" for who in _beyond(limits, ours, "anybody"))
        case "Federated":
            found = _PROVIDER.fullmatch(principal.value)
            others = _other_owners(found[2], conditions, ours) if found and found[1] in ours.accounts else ("anybody",)
            yield from (f"identity provider {shown}, {who}" for who in others)
        case kind:
            found = IAM_ARN.fullmatch(principal.value)
            account = found[2] if found else principal.value if is_account(principal.value) else ""
            own = [_only("account", account)] if account and kind == "AWS" else []
            anybody = "anybody" if principal == ANYONE else f"principal {shown}"
            yield from _beyond([*own, *_limits(conditions, _CALLER)], ours, anybody)


def _acts_at_home(permission: PermissionDelta) -> bool:
    """Whether a service takes a role, and nothing says for whom: a role is only handed to services in its own account.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    action = permission.action
    takes_role = isinstance(action, str) and action.startswith("sts:")
    return takes_role and not any(clause.key in _SOURCE for clause in permission.conditions)


def _beyond(limits: list[frozenset[_Who]], ours: Ours, anybody: str) -> Iterator[str]:
    """Who is not ours of those whom every limit leaves in; `anybody`: in words, whom no limit leaves out."""
    if not limits:
        yield anybody
    elif not any(all(who.is_one_of(ours) for who in limit) for limit in limits):
        for kind, name in sorted(who for who in limits[0] if not who.is_one_of(ours)):
            yield f"{kind} {printable(name, 64)}"


def _limits(conditions: Iterable[CanonicalClause], keys: "_Keys") -> Iterator[frozenset[_Who]]:
    """Whom each condition on one of the keys leaves in, where it binds and names them all."""
    for clause in sorted(conditions, key=lambda clause: (clause.key, clause.operator)):
        if clause.key in keys and _binds(clause):
            operator = parse_operator(clause.operator).positive
            named = [keys[clause.key](operator, value) for value in clause.values]
            if None not in named:
                yield frozenset(filter(None, named))


def _binds(clause: CanonicalClause) -> bool:
    """Whether it fails for whoever lacks the key or has another value than those named."""
    operator = parse_operator(clause.operator)
    is_loose = operator.negated or operator.if_exists or operator.quantifier is Quantifier.ALL
    return bool(clause.values) and not is_loose


type _Keys = Mapping[str, Callable[[str, str], _Who | None]]
"""By condition key, whom a value of it under an operator names in full, if anybody."""
_TEXT = ("StringEquals", "StringEqualsIgnoreCase", "StringLike")
_WILD = frozenset("*?$")
# A wildcard of ArnLike stays within its part of the ARN, one of StringLike takes colons too, a variable is anything.
_IN_PARTS = re.compile(r"arn:[^:$]*:[^:$]*:[^:$]*:([0-9]{12}):.*", re.DOTALL)
_IN_TEXT = re.compile(r"arn:[^:$*?]*:[^:$*?]*:[^:$*?]*:([0-9]{12}):.*", re.DOTALL)


def _account(operator: str, value: str) -> _Who | None:
    return _Who("account", value) if operator in _TEXT and ACCOUNT_ID.fullmatch(value) else None


def _account_of_arn(operator: str, value: str) -> _Who | None:
    form = _IN_PARTS if operator in ("ArnEquals", "ArnLike") else _IN_TEXT
    found = form.fullmatch(value)
    return _Who("account", found[1]) if found else None


def _organization(operator: str, value: str) -> _Who | None:
    name = value.partition("/")[0]
    return _Who("organization", name) if operator in _TEXT and name and _WILD.isdisjoint(name) else None


_CALLER: _Keys = {
    "aws:principalaccount": _account,
    "aws:principalarn": _account_of_arn,
    "aws:principalorgid": _organization,
    "aws:principalorgpaths": _organization,
}
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html: only in calls of
# services for somebody.
_SOURCE: _Keys = {
    "aws:sourceaccount": _account,
    "aws:sourcearn": _account_of_arn,
    "aws:sourceorgid": _organization,
    "aws:sourceorgpaths": _organization,
}


# An OpenID Connect provider vouches for all customers of its issuer: the subject of a token names the owner.

_PROVIDER = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):oidc-provider/(.+)", re.DOTALL)
# Of GitHub `repo:acme/`, `repo:acme@1/` and `repo:acme@*/` (with any ID): it writes the owner first, so that no other
# owner's subject begins so, whatever form they give it. After `repo:*@1/` it may be anybody's.
_GITHUB = re.compile(r"(repo:[^/@:*?$]+)(?:@([^/@:*?$]+|\*))?/.+", re.DOTALL)
_ANY_ID = "*"
_GITLAB = re.compile(r"(project_path:[^:*?$]+)/[^/:]+(?::.*)?", re.DOTALL)


def _owner(issuer: str, subject: str) -> Owner:
    if github := _GITHUB.fullmatch(subject):
        return Owner(issuer, github[1], github[2] or "")
    gitlab = _GITLAB.fullmatch(subject)
    return Owner(issuer, gitlab[1] if gitlab else subject)


def owners_in(statement: CanonicalStatement) -> Iterator[Owner]:
    """The owners that a statement of a grant names, by ID where it gives one; "any owner" is nobody."""
    for principal in statement.principals.values if statement.principals else ():
        found = _PROVIDER.fullmatch(principal.value)
        for named in _named(found[2], statement.conditions) if found else ():
            # A grant by ID has a subject with the name alone too.
            by_id = [owner for owner in named if owner.id not in ("", _ANY_ID)]
            left_out = {"repo:*", *(owner.name for owner in by_id)}
            yield from (*by_id, *(owner for owner in named if not owner.id and owner.name not in left_out))


def _named(issuer: str, conditions: Iterable[CanonicalClause]) -> Iterator[list[Owner]]:
    """The owners in the values of each condition on the subject."""
    for values in _values(f"{issuer}:sub", conditions, ("StringEquals", "StringLike")):
        yield [_owner(issuer, value) for value in values]


def _values(key: str, conditions: Iterable[CanonicalClause], operators: tuple[str, ...]) -> Iterator[list[str]]:
    """The values of each condition on a key that binds."""
    for clause in sorted(conditions, key=lambda clause: clause.operator):
        if clause.key == ascii_lower(key) and _binds(clause) and parse_operator(clause.operator).positive in operators:
            yield sorted(clause.values)


def _other_owners(issuer: str, conditions: Iterable[CanonicalClause], ours: Ours) -> tuple[str, ...]:
    """The owners that are not ours, of the condition with the fewest; "anybody" where no condition names owners."""
    known = frozenset(owner for owner in ours.owners if owner.issuer == issuer)
    by_id = any(_values(f"{issuer}:repository_id", conditions, ("StringEquals",)))
    unknown = (_unknown(named, known, by_id=by_id) for named in _named(issuer, conditions))
    found = sorted((len(one), one) for one in unknown)
    return found[0][1] if found else ("anybody",)


def _unknown(named: list[Owner], known: frozenset[Owner], *, by_id: bool) -> tuple[str, ...]:
    """Those of the owners beside each other in a condition that are not ours; `by_id`: for repositories by ID alone.

    A known name vouches for no ID. Where its ID is known, it is ours without one only beside the name with that ID.
    """
    vouching = {one for one in known if not one.id or (by_id and one in named)}

    def is_ours(one: Owner) -> bool:
        if one.id:
            return (replace(one, id="") if one.id == _ANY_ID else one) in known
        return any(_is_of(one.name, each.name) for each in vouching)

    return tuple(str(one) for one in named if not is_ours(one))


def _is_of(name: str, known: str) -> bool:
    """Whether an owner is the known one, or a group within it; a subject: whether the known pattern covers it."""
    if "*" in known:
        return pattern_covers(known, name)
    return known == name or (known.startswith("project_path:") and name.startswith(f"{known}/"))
