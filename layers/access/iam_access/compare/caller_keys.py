"""Condition keys that follow from the caller: nobody has another caller's aws:PrincipalArn.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from iam_access.compare.budget import CALLERS
from iam_access.compare.callers import KINDS, CallerClass
from iam_access.compare.cubes import Atom, CubeBuilder
from iam_access.compare.domains import TextSet
from iam_access.compare.predicates import KeyTest, Values
from iam_access.document.condition import Quantifier
from iam_access.document.pattern import NAME, Pattern, Syntax, pattern
from iam_access.document.steps import Steps
from iam_access.evaluate.request import default_context
from iam_access.evaluate.request_principal import CallerKind, RequestError, RequestPrincipal, parse_request_principal

PRINCIPAL_ARN = "aws:principalarn"
PRINCIPAL_ACCOUNT = "aws:principalaccount"
PRINCIPAL_TYPE = "aws:principaltype"
USER_NAME = "aws:username"
USER_ID = "aws:userid"
SERVICE_NAME = "aws:principalservicename"
RESOURCE_ACCOUNT = "aws:resourceaccount"
DERIVED = frozenset(
    {
        *(PRINCIPAL_ARN, PRINCIPAL_ACCOUNT, PRINCIPAL_TYPE, USER_NAME),
        *("aws:principalisawsservice", SERVICE_NAME),
    }
)
OF_CALLERS = DERIVED | {USER_ID}
"""Keys that distinguish the kinds of callers; only some kinds determine their aws:userid."""
_OF_SIGNED = OF_CALLERS | {
    *("aws:principalorgid", "aws:principalorgpaths", "aws:principalservicenameslist"),
    *("aws:multifactorauthpresent", "aws:multifactorauthage", "aws:tokenissuetime", "aws:sourceidentity"),
    *("aws:federatedprovider", "aws:assumedroot", "aws:chatbotsourcearn"),
    *("aws:ec2instancesourcevpc", "aws:ec2instancesourceprivateipv4", "ec2:roledelivery", "ec2:sourceinstancearn"),
    *("lambda:sourcefunctionarn", "ssm:sourceinstancearn", "glue:roleassumedby", "glue:credentialissuingservice"),
}
_TAGS_OF_SIGNED = "aws:principaltag/"


def is_derived(key: str) -> bool:
    """Does the caller determine the key?"""
    return key in DERIVED


def needs_credentials(key: str) -> bool:
    """Is it a key of the caller, which requests without credentials do not have, or always with the same value?"""
    return key in _OF_SIGNED or key.startswith(_TAGS_OF_SIGNED)


class _OtherCallers(Struct, frozen=True):
    """The other callers: a generic caller is none of those that documents name."""

    named: frozenset[Pattern]
    services: frozenset[Pattern]
    accounts: frozenset[Pattern]
    arns: frozenset[Pattern]
    """All ARNs of the named accounts."""


def atoms_of_each(callers: Sequence[CallerClass], cubes: CubeBuilder, budget: Steps) -> list[tuple[Atom, ...]]:
    """What each caller implies about the keys that the documents use; raises TooManySteps."""
    used = sorted(filter(needs_credentials, cubes.predicates.keys))
    others = _others(callers) if used else _OtherCallers(*[frozenset()] * 4)
    budget.spend(2 * len(callers) * len(used), CALLERS)
    return [
        tuple(cubes.predicate(key, test) for key in used for test in _tests(key, caller, others)) for caller in callers
    ]


def _others(callers: Sequence[CallerClass]) -> _OtherCallers:
    named = [caller.principal for caller in callers if not caller.generic]
    accounts = {str(caller.principal.account) for caller in callers if caller.principal.account and not caller.outsider}
    return _OtherCallers(
        frozenset(pattern(principal.text, Syntax.EXACT) for principal in named),
        frozenset(pattern(principal.text, Syntax.EXACT) for principal in named if principal.kind is CallerKind.SERVICE),
        frozenset(pattern(account, Syntax.EXACT) for account in accounts),
        frozenset(
            pattern(f"arn:*:{service}::{account}:*", Syntax.CALLER)
            for account in accounts
            for service in ("iam", "sts")
        ),
    )


def _tests(key: str, caller: CallerClass, others: _OtherCallers) -> Iterator[KeyTest]:
    kind = caller.principal.kind
    given = default_context(caller.principal, None).get(key)
    if kind is CallerKind.ANONYMOUS:
        if given is not None:
            yield _is(given)
        elif needs_credentials(key):
            yield _missing()
    elif caller.generic and kind in KINDS:
        yield from _anybody_of(key, caller, others)
    elif _is_opaque(caller):
        return
    elif key == PRINCIPAL_ARN and kind is CallerKind.SESSION:
        yield _is(*_roles_of(caller))
    elif key == SERVICE_NAME and kind is CallerKind.SERVICE and caller.generic:
        yield _is(("?*.amazonaws.com", "?*.amazonaws.com.cn"), Syntax.WILD)
        yield _is_none_of(others.services)
    elif given is not None:
        yield _is(given)
    elif key == PRINCIPAL_ACCOUNT:
        # AWS says that every request has one, but not which one for a service or a provider: not a named account.
        yield KeyTest(Quantifier.ONE, TextSet(others.accounts), True, missing=True, empty=False)
    elif key in DERIVED:
        yield _missing()


def _is_opaque(caller: CallerClass) -> bool:
    """Is the caller named by an ID that does not reveal who it is? Its keys may have any values."""
    principal = caller.principal
    return not caller.generic and (principal.kind is CallerKind.CANONICAL or principal.account == "")


def _roles_of(session: CallerClass) -> tuple[Sequence[str], Syntax]:
    """The ARNs that a session's role can have: the session's own ARN does not show the path of the role."""
    principal = session.principal
    named = sorted(name.value for name in session.names if ":role/" in name.value)
    if named:
        return named, Syntax.EXACT
    where = f"arn:{principal.partition}:iam::{principal.account}:role"
    return (f"{where}/{principal.name}", f"{where}/*/{principal.name}"), Syntax.CALLER


_TYPES = {
    CallerKind.USER: ("User", "iam", f"user/*{NAME}"),
    CallerKind.ROLE: ("AssumedRole", "iam", f"role/*{NAME}"),
    CallerKind.FEDERATED_USER: ("FederatedUser", "sts", f"federated-user/{NAME}"),
    CallerKind.ROOT: ("Account", "iam", "root"),
}


def _anybody_of(key: str, caller: CallerClass, others: _OtherCallers) -> Iterator[KeyTest]:
    principal = caller.principal
    partition, account = ("aws*", "?" * 12) if caller.outsider else (principal.partition, str(principal.account))
    name, service, rest = _TYPES[principal.kind]
    match key:
        case "aws:principalarn":
            yield _is((f"arn:{partition}:{service}::{account}:{rest}",), Syntax.CALLER)
            yield _is_none_of(others.named)
            if caller.outsider:
                yield _is_none_of(others.arns)
        case "aws:principalaccount":
            yield _is((account,), Syntax.CALLER)
            if caller.outsider:
                yield _is_none_of(others.accounts)
        case "aws:principaltype":
            yield _is((name,))
        case "aws:principalisawsservice":
            yield _is(("false",))
        case "aws:username" if principal.kind is CallerKind.USER:
            yield _is((NAME,), Syntax.CALLER)
        case "aws:username" | "aws:principalservicename":
            yield _missing()
        case "aws:userid" if principal.kind is CallerKind.ROOT:
            yield _is((account,), Syntax.CALLER)
        case "aws:userid" if principal.kind is CallerKind.FEDERATED_USER:
            yield _is((f"{account}:{NAME}",), Syntax.CALLER)
        case _:
            return


def _is(values: Sequence[str], syntax: Syntax = Syntax.EXACT) -> KeyTest:
    language = frozenset(pattern(value, syntax) for value in values)
    return KeyTest(Quantifier.ONE, TextSet(language), False, missing=False, empty=False)


def _is_none_of(language: frozenset[Pattern]) -> KeyTest:
    return KeyTest(Quantifier.ONE, TextSet(language), True, missing=False, empty=False)


def _missing() -> KeyTest:
    return KeyTest(Quantifier.ONE, None, False, missing=True, empty=False)


def principals_of(
    caller: CallerClass, values: Mapping[str, Values]
) -> Iterator[tuple[RequestPrincipal, dict[str, Values]]]:
    """The principals that could have these values, the likeliest first, each with the keys that its ARN does not imply.

    Only a generic caller stands for several.
    """
    principal = caller.principal
    if principal.kind is CallerKind.SESSION and values.get(PRINCIPAL_ARN):
        yield principal, {PRINCIPAL_ARN: values[PRINCIPAL_ARN]}
    elif caller.generic and principal.kind is CallerKind.SERVICE:
        yield from ((replace(principal, text=name), {}) for name in values.get(SERVICE_NAME, (principal.text,)))
    elif not caller.generic or principal.kind not in KINDS:
        yield principal, {}
    else:
        for arn in dict.fromkeys(_arns_of(principal, values)):
            try:
                request_principal = parse_request_principal(arn)
            except RequestError:
                continue
            if request_principal.kind is principal.kind:
                yield replace(request_principal, issuer=principal.issuer), {}


def _arns_of(one: RequestPrincipal, values: Mapping[str, Values]) -> Iterator[str]:
    found = values.get(PRINCIPAL_ARN, ())
    account = next(iter(values.get(PRINCIPAL_ACCOUNT, ())), one.account)
    name = next(iter(values.get(USER_NAME, ())), one.name)
    _, service, rest = _TYPES[one.kind]
    yield from found
    yield from (f"{arn.rpartition('/')[0]}/{name}" for arn in found)
    yield f"arn:{one.partition}:{service}::{account}:{rest.replace(f'*{NAME}', name).replace(NAME, name)}"
