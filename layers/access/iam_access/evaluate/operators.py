"""Condition operators on one value of the request and one value of the policy.

Values that the operator cannot compare (a word instead of a number) match nothing.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import ipaddress
from collections.abc import Callable
from decimal import Decimal
from operator import eq, ge, gt, le, lt

from iam_access.arn import ARN_COLONS
from iam_access.document.glob import Piece, Wild, glob
from iam_access.document.values import address, is_base64, moment, network, number
from iam_access.evaluate.resolved import Context, resolved_glob, resolved_pieces, resolved_text
from iam_access.text.ascii_case import folded

type Compare = Callable[[str, str, Context | None], bool]
"""(request's value, policy's value, context for its variables or None) -> does it match?"""


def _string_equals(value: str, policy: str, variables: Context | None) -> bool:
    return value == resolved_text(policy, variables)


def _string_equals_ignore_case(value: str, policy: str, variables: Context | None) -> bool:
    text = resolved_text(policy, variables)
    return text is not None and folded(value) == folded(text)


def _string_like(value: str, policy: str, variables: Context | None) -> bool:
    pattern = resolved_glob(policy, variables)
    return pattern is not None and pattern.matches(value)


def _arn_like(value: str, policy: str, variables: Context | None) -> bool:
    pieces = resolved_pieces(policy, variables)
    if pieces is None:
        return False
    parts = value.split(":", ARN_COLONS)
    if len(parts) <= ARN_COLONS:
        return False
    patterns = _components(pieces)
    if _is_any(patterns):
        return True
    return len(patterns) == len(parts) and all(
        glob(pattern).matches(part) for pattern, part in zip(patterns, parts, strict=True)
    )


def _is_any(patterns: list[list[Piece]]) -> bool:
    """Only `*`, which every ARN matches."""
    return len(patterns) == 1 and {piece for piece in patterns[0] if piece} == {Wild.ANY}


def _components(pieces: list[Piece]) -> list[list[Piece]]:
    """The pattern of each of an ARN's six components, whose wildcards do not match colons."""
    components: list[list[Piece]] = [[]]
    for piece in pieces:
        if isinstance(piece, Wild):
            components[-1].append(piece)
            continue
        first, *more = piece.split(":", ARN_COLONS + 1 - len(components))
        components[-1].append(first)
        components.extend([part] for part in more)
    return components


def _binary_equals(value: str, policy: str, _: Context | None) -> bool:
    return value == policy and is_base64(value)


def _bool(value: str, policy: str, variables: Context | None) -> bool:
    text = resolved_text(policy, variables)
    return text is not None and text.lower() == value.lower() and text.lower() in ("true", "false")


def _ip_address(value: str, policy: str, _: Context | None) -> bool:
    one, wide = address(value), network(policy)
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(wide, ipaddress.IPv4Network) and one.subnet_of(wide)
    return isinstance(one, ipaddress.IPv6Network) and isinstance(wide, ipaddress.IPv6Network) and one.subnet_of(wide)


def _ordered(read: Callable[[str], Decimal | None], test: Callable[[Decimal, Decimal], bool]) -> Compare:
    def compare(value: str, policy: str, _: Context | None) -> bool:
        left, right = read(value), read(policy)
        return left is not None and right is not None and test(left, right)

    return compare


_ORDERS = {
    "Equals": eq,
    "LessThan": lt,
    "LessThanEquals": le,
    "GreaterThan": gt,
    "GreaterThanEquals": ge,
}

COMPARE: dict[str, Compare] = {
    "StringEquals": _string_equals,
    "StringEqualsIgnoreCase": _string_equals_ignore_case,
    "StringLike": _string_like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "BinaryEquals": _binary_equals,
    "Bool": _bool,
    "IpAddress": _ip_address,
    **{f"Numeric{name}": _ordered(number, test) for name, test in _ORDERS.items()},
    **{f"Date{name}": _ordered(moment, test) for name, test in _ORDERS.items()},
}
"""The positive operators; a negated one holds if none of its values matches."""


def comparable(operator: str, value: str, policy: str, variables: Context | None) -> bool:
    """Can the operator compare the two? A variable without a value can be compared: nothing equals it."""
    if operator.startswith("Arn"):
        pieces = resolved_pieces(policy, variables)
        patterns = None if pieces is None else _components(pieces)
        return value.count(":") >= ARN_COLONS and (
            patterns is None or len(patterns) == ARN_COLONS + 1 or _is_any(patterns)
        )
    if operator not in _READ:
        return True
    of_request, of_policy = _READ[operator]
    return of_request(value) is not None and of_policy(policy) is not None


_READ: dict[str, tuple[Callable[[str], object], Callable[[str], object]]] = {
    "NumericEquals": (number, number),
    "DateEquals": (moment, moment),
    "IpAddress": (address, network),
}
"""How operators with a negated form read a request's value and a policy's, other than as texts."""
