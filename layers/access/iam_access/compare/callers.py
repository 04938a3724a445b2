"""The callers that two documents distinguish, one of each kind, from the widest to the most specific.

`*` is wider than an account, an account (its root: every principal that the account allows) wider than its users, roles
and sessions, a role wider than its sessions. So the principals that two documents name divide all possible callers into
those named, the others of each named account, and outsiders; each class is represented by one Caller.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace

from msgspec import Struct

from iam_access.arn import IAM_ARN, account_of_root, iam_arn
from iam_access.compare.budget import CALLERS
from iam_access.document.document import Effect
from iam_access.document.principal import ANYONE, Principal, Principals
from iam_access.document.steps import Steps
from iam_access.equivalent.canonical import CanonicalPrincipals
from iam_access.evaluate.principal_match import named_ways
from iam_access.evaluate.request_principal import (
    ANONYMOUS,
    CallerKind,
    RequestError,
    RequestPrincipal,
    parse_request_principal,
)

_ACCOUNTS = re.compile(r"arn:([A-Za-z0-9-]+):(?:iam|sts)::([0-9]{12}):|^([0-9]{12})$")
_FRESH_ACCOUNTS = ("999999999999", *(f"{number:012}" for number in range(999999999998, 999999999000, -1)))
FRESH_NAME = "intruder"
_ANYONE = {
    CallerKind.USER: f"arn:{{}}:iam::{{}}:user/{FRESH_NAME}",
    CallerKind.ROLE: f"arn:{{}}:iam::{{}}:role/{FRESH_NAME}",
    CallerKind.FEDERATED_USER: f"arn:{{}}:sts::{{}}:federated-user/{FRESH_NAME}",
    CallerKind.ROOT: "arn:{}:iam::{}:root",
}
KINDS = tuple(_ANYONE)
"""The kinds of callers in an account, the likeliest first."""


class CallerClass(Struct, frozen=True):
    """One class of callers. `generic`: those of its account whom no document names; `outsider`: of unnamed accounts."""

    principal: RequestPrincipal
    names: frozenset[Principal]
    """The principals that include it: itself, its role, its account."""
    generic: bool = False
    outsider: bool = False


def callers(
    elements: Sequence[CanonicalPrincipals], budget: Steps, mentioned: Iterable[str], *, by_kind: bool
) -> tuple[CallerClass, ...]:
    """All callers to distinguish; `mentioned` are condition values on aws:PrincipalArn and aws:PrincipalAccount.

    Raises TooManySteps.

    `by_kind`: conditions may distinguish the users, sessions and root of an account. Otherwise only NotPrincipal
    distinguishes root from the others.
    """
    negated = any(element.negated for element in elements)
    kinds = KINDS if by_kind else (CallerKind.USER, CallerKind.ROOT) if negated else (CallerKind.USER,)
    named = {value for element in elements for value in element.values} - {ANYONE}
    accounts: set[tuple[str, str]] = set()
    for value in [*(entry.value for entry in named if entry.kind == "AWS"), *mentioned]:
        for partition, inside, alone in _ACCOUNTS.findall(value):
            accounts.add((partition or "aws", inside or alone))
    taken = {account for _, account in accounts}
    fresh = next(account for account in _FRESH_ACCOUNTS if account not in taken)
    found = [anyone_in("aws", fresh, outsider=True), CallerClass(ANONYMOUS, frozenset())]
    found += [anyone_in(*account, kind) for kind in kinds for account in sorted(accounts)]
    found += [anyone_in("aws", fresh, kind, outsider=True) for kind in kinds[1:]]
    people = named | {
        Principal("AWS", value) for value in mentioned if IAM_ARN.match(value) and not set(value) & set("*?$")
    }
    # `*` of a kind is represented by the unnamed caller of that kind, added below.
    roles = _roles_by_name(named)
    budget.spend(8 * (len(people) + len(found)), CALLERS)
    found += [_named(entry, roles) for entry in sorted(people) if not _is_root(entry) and entry.value != "*"]
    found += _of_users(found, named, budget, by_kind=by_kind)
    if negated:
        found = [
            _session_of(caller_class, roles)
            if caller_class.principal.kind is CallerKind.ROLE and not caller_class.generic
            else caller_class
            for caller_class in found
        ]
    found += [_unnamed(kind, named) for kind in ("Service", "Federated", "CanonicalUser")]
    return tuple(found)


def naming(
    people: Sequence[CallerClass], budget: Steps, *, free: bool
) -> Callable[[CanonicalPrincipals | None, Effect], int]:
    """A function that returns the callers whom an element names, a bit for each; it raises TooManySteps.

    A statement without the element names everyone if `free` (in an identity policy), else no one.
    """
    everybody = (1 << len(people)) - 1
    by_name: dict[Principal, int] = {ANYONE: everybody}
    for at, caller in enumerate(people):
        for name in caller.names:
            by_name[name] = by_name.get(name, 0) | 1 << at

    def named(element: CanonicalPrincipals | None, effect: Effect) -> int:
        if element is None:
            return everybody if free else 0
        found = 0
        budget.spend(len(element.values) * (1 + len(people) // 2048), CALLERS)
        if element.negated:
            budget.spend(2 * len(people) * (1 + len(element.values)), CALLERS)
            principals = Principals(True, tuple(element.values))
            for at, caller in enumerate(people):
                if named_ways(principals, caller.principal, effect):
                    found |= 1 << at
            return found
        for value in element.values:
            found |= by_name.get(value, 0)
        return found

    return named


def _is_root(entry: Principal) -> bool:
    return entry.kind == "AWS" and account_of_root(entry.value) is not None


def _root(partition: str, account: str) -> Principal:
    return Principal("AWS", iam_arn(account, "root", partition))


def anyone_in(
    partition: str, account: str, kind: CallerKind = CallerKind.USER, *, outsider: bool = False
) -> CallerClass:
    """Every unnamed caller of a kind in the account; of all unnamed accounts, if an `outsider`."""
    name = "" if kind is CallerKind.ROOT else FRESH_NAME
    principal = RequestPrincipal(kind, _ANYONE[kind].format(partition, account), account, partition, name)
    return CallerClass(principal, frozenset({_root(partition, account)}), generic=True, outsider=outsider)


type _Roles = Mapping[tuple[str, str], frozenset[Principal]]
"""Named roles, by the part of their ARN that a session shows: all but the path."""


def _roles_by_name(named: Iterable[Principal]) -> _Roles:
    found: dict[tuple[str, str], set[Principal]] = {}
    for entry in named:
        prefix, role, rest = entry.value.partition(":role/")
        if role:
            found.setdefault((prefix, rest.rpartition("/")[2]), set()).add(entry)
    return {name: frozenset(entries) for name, entries in found.items()}


def _named(entry: Principal, roles: _Roles) -> CallerClass:
    principal = request_principal(entry)
    own = {entry, Principal(entry.kind, "*")} if entry.kind != "AWS" else {entry}
    if principal.account and entry.kind == "AWS":
        own.add(_root(principal.partition, principal.account))
    if principal.kind is CallerKind.SESSION:
        own |= roles.get((f"arn:{principal.partition}:iam::{principal.account}", principal.name), frozenset())
    return CallerClass(principal, frozenset(own))


def _session_of(role: CallerClass, roles: _Roles) -> CallerClass:
    """An unnamed session of a role: a Deny with NotPrincipal may spare only the role, which makes no requests."""
    principal = role.principal
    arn = f"arn:{principal.partition}:sts::{principal.account}:assumed-role/{principal.name}/{FRESH_NAME}"
    session = _named(Principal("AWS", arn), roles)
    return CallerClass(session.principal, session.names | role.names - {Principal("AWS", arn)})


def _is_user(caller: CallerClass, named: set[Principal]) -> bool:
    """Is it a user named as a principal, not only in a condition?"""
    principal = caller.principal
    return principal.kind is CallerKind.USER and bool(principal.account) and Principal("AWS", principal.text) in named


def _of_users(
    found: Sequence[CallerClass], named: set[Principal], budget: Steps, *, by_kind: bool
) -> list[CallerClass]:
    """Sessions of federated users that named users created: an unnamed one and the named ones of each user."""
    users = [one for one in found if _is_user(one, named)]
    federated = [one for one in found if one.principal.kind is CallerKind.FEDERATED_USER and not one.generic]
    made = [_federated_by(user) for user in users] if by_kind or federated else []
    by_account: dict[str, list[CallerClass]] = {}
    for user in users:
        by_account.setdefault(user.principal.root, []).append(user)
    for caller_class in federated:
        makers = by_account.get(caller_class.principal.root, [])
        budget.spend(8 * len(makers), CALLERS)
        made += [_made_by(caller_class, user) for user in makers]
    return made


def _made_by(session: CallerClass, user: CallerClass) -> CallerClass:
    """A named session of a federated user, as created by this user."""
    principal = replace(session.principal, issuer=user.principal.text)
    return CallerClass(principal, session.names | user.names)


def _federated_by(user: CallerClass) -> CallerClass:
    """An unnamed session of a federated user created by this user: it has the user's access, and keys of its own.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """
    principal = user.principal
    made = anyone_in(principal.partition, str(principal.account), CallerKind.FEDERATED_USER)
    return replace(made, principal=replace(made.principal, issuer=principal.text), names=user.names)


def request_principal(entry: Principal) -> RequestPrincipal:
    """The caller for a named principal; one that makes no requests (a unique ID) is a user of that name."""
    if entry.kind == "AWS":
        try:
            principal = parse_request_principal(entry.value)
        except RequestError:
            arn = IAM_ARN.match(entry.value)
            partition, account = (arn[1], arn[2]) if arn else ("aws", "")
            return RequestPrincipal(CallerKind.USER, entry.value, account, partition, entry.value)
        known = principal.account is not None and principal.kind is not CallerKind.FEDERATED
        return principal if known else RequestPrincipal(CallerKind.USER, entry.value, "", "aws", entry.value)
    kinds = {
        "Service": CallerKind.SERVICE,
        "Federated": CallerKind.FEDERATED,
        "CanonicalUser": CallerKind.CANONICAL,
    }
    account = arn[2] if (arn := IAM_ARN.match(entry.value)) else None
    return RequestPrincipal(kinds[entry.kind], entry.value, account)


_UNNAMED: dict[str, Sequence[str]] = {
    "Service": ("ec2.amazonaws.com", "lambda.amazonaws.com", "unnamed.amazonaws.com"),
    "Federated": ("accounts.google.com", "graph.facebook.com", "arn:aws:iam::999999999999:saml-provider/unnamed"),
    "CanonicalUser": ("9" * 64, "8" * 64, "7" * 64),
}


def _unnamed(kind: str, named: set[Principal]) -> CallerClass:
    """A caller of a kind, unnamed in the documents."""
    entry = next(
        entry
        for value in (*_UNNAMED[kind], *(f"unnamed{number}.amazonaws.com" for number in range(len(named) + 1)))
        if (entry := Principal(kind, value)) not in named  # type: ignore[arg-type]
    )
    return CallerClass(request_principal(entry), frozenset({entry, Principal(entry.kind, "*")}), generic=True)
