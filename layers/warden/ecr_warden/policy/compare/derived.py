"""Condition keys that follow from who asks: a caller cannot have another's aws:PrincipalArn.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
"""

from collections.abc import Iterator, Mapping, Sequence

from ecr_warden.policy.compare.automaton import Syntax, glob
from ecr_warden.policy.compare.boxes import Boxes, Part
from ecr_warden.policy.compare.callers import Caller
from ecr_warden.policy.compare.facts import Quantifier, Test, Values
from ecr_warden.policy.compare.spaces import Texts
from ecr_warden.policy.request_context import default_context
from ecr_warden.policy.request_error import RequestError
from ecr_warden.policy.request_principal import CallerKind, RequestPrincipal, parse_request_principal

PRINCIPAL_ARN = "aws:principalarn"
PRINCIPAL_ACCOUNT = "aws:principalaccount"
PRINCIPAL_TYPE = "aws:principaltype"
USER_NAME = "aws:username"
RESOURCE_ACCOUNT = "aws:resourceaccount"
DERIVED = frozenset(
    {
        *(PRINCIPAL_ARN, PRINCIPAL_ACCOUNT, PRINCIPAL_TYPE, USER_NAME),
        *("aws:principalisawsservice", "aws:principalservicename"),
    }
)
_OF_SIGNED = ("aws:principal", "aws:user", "aws:multifactorauth", "aws:tokenissuetime", "aws:sourceidentity")


def is_derived(key: str) -> bool:
    """Is the key one that the caller decides?"""
    return key in DERIVED


def parts_of(caller: Caller, boxes: Boxes, others: Sequence[Caller], *, free: bool) -> tuple[Part, ...]:
    """What the caller says of the keys that the documents use.

    `others` are all callers: a generic one is none of those who are named. `free` is a document without principals: on
    whom it hangs is unknown.
    """
    if boxes.facts.keys.keys().isdisjoint(DERIVED) and caller.principal.kind is not CallerKind.ANONYMOUS:
        return ()
    named = sorted(other.principal.text for other in others if not other.generic)
    accounts = sorted(
        {str(other.principal.account) for other in others if other.principal.account and not other.stranger}
    )
    return tuple(
        boxes.fact(key, test)
        for key in sorted(boxes.facts.keys)
        for test in (_whoever(key) if free else _tests(key, caller, named, accounts))
    )


def _tests(key: str, caller: Caller, named: Sequence[str], accounts: Sequence[str]) -> Iterator[Test]:
    kind = caller.principal.kind
    given = default_context(caller.principal, None).get(key)
    if kind is CallerKind.ANONYMOUS:
        if given is not None:
            yield _is(given)
        elif key.startswith(_OF_SIGNED):
            yield _missing()
        return
    if key not in DERIVED:
        return
    if caller.generic and kind is CallerKind.USER:
        yield from _anybody_of(key, caller, named, accounts)
        return
    if given is not None:
        yield _is(given)
    else:
        yield _missing()


def _anybody_of(key: str, caller: Caller, named: Sequence[str], accounts: Sequence[str]) -> Iterator[Test]:
    one = caller.principal
    where = f"arn:aws*:iam::{'?' * 12}" if caller.stranger else f"arn:{one.partition}:iam::{one.account}"
    match key:
        case "aws:principalarn":
            yield _is((f"{where}:user/*", f"{where}:role/*"), Syntax.CALLER)
            yield _is_not(named)
            if caller.stranger:
                yield _is_not([f"arn:*:iam::{account}:*" for account in accounts], Syntax.CALLER)
        case "aws:principalaccount":
            yield _is(("?" * 12,), Syntax.CALLER) if caller.stranger else _is((str(one.account),))
            yield _is_not(accounts if caller.stranger else ())
        case "aws:principaltype":
            yield _is(("User", "AssumedRole"))
        case "aws:principalisawsservice":
            yield _is(("false",))
        case "aws:principalservicename":
            yield _missing()
        case _:
            return


def _whoever(key: str) -> Iterator[Test]:
    match key:
        case "aws:principalarn":
            yield _is((f"arn:aws*:iam::{'?' * 12}:user/*", f"arn:aws*:iam::{'?' * 12}:role/*"), Syntax.CALLER)
        case "aws:principalaccount":
            yield _is(("?" * 12,), Syntax.CALLER)
        case "aws:principaltype":
            yield _is(("User", "AssumedRole"))
        case "aws:principalisawsservice":
            yield _is(("false",))
        case _:
            return


def _is(values: Sequence[str], syntax: Syntax = Syntax.EXACT) -> Test:
    return Test(Quantifier.ONE, Texts(frozenset(glob(value, syntax) for value in values)), False, missing=False)


def _is_not(values: Sequence[str], syntax: Syntax = Syntax.EXACT) -> Test:
    return Test(Quantifier.ONE, Texts(frozenset(glob(value, syntax) for value in values)), True, missing=False)


def _missing() -> Test:
    return Test(Quantifier.ONE, None, False, missing=True)


def principals_of(caller: Caller, values: Mapping[str, Values]) -> Iterator[RequestPrincipal]:
    """Who in particular could have these values, the likeliest first; only a generic caller can be several."""
    one = caller.principal
    if not caller.generic or one.kind is not CallerKind.USER:
        yield one
        return
    account = next(iter(values.get(PRINCIPAL_ACCOUNT, ())), one.account)
    name = next(iter(values.get(USER_NAME, ())), one.name)
    where = f"arn:{one.partition}:iam::{account}"
    arns = (*values.get(PRINCIPAL_ARN, ()), f"{where}:user/{name}", f"{where}:role/{name}")
    for arn in dict.fromkeys(arns):
        try:
            yield parse_request_principal(arn)
        except RequestError:
            continue
