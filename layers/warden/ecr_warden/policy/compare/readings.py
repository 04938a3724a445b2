"""Values that AWS may read where this engine does not, or otherwise: what rests on one of them is no proof.

AWS documents the form of numbers, dates, networks, booleans and ARNs, and not what it makes of another form: whether
`9e99` is a number or nothing, `arn:*` every ARN or none, `yes` false. A word without a digit is no number in any.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Iterable

from ecr_warden.policy.operators import moment, network, number

_DIGIT = re.compile("[0-9]")
_NO_FINITE_NUMBER = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE)
_NETMASK = re.compile(r"/.*[^0-9]")
_ARN_COLONS = 5
LISTS = frozenset(
    {
        *("aws:calledvia", "aws:principalorgpaths", "aws:principalservicenameslist", "aws:resourceorgpaths"),
        *("aws:sourceorgpaths", "aws:tagkeys"),
    }
)
"""Keys that may have several values; of an operator without ForAllValues or ForAnyValue AWS says only that it may let
more through than was meant.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""


def may_be_read_otherwise(operator: str, values: Iterable[str]) -> bool:
    """Is one of the values of a policy such a one? `operator` is the one that is not negated."""
    return any("${" not in value and _may_be(operator, value) for value in values)


def _may_be(operator: str, value: str) -> bool:
    if operator.startswith("Numeric"):
        return number(value) is None and bool(_DIGIT.search(value) or _NO_FINITE_NUMBER.fullmatch(value))
    if operator.startswith("Date"):
        return moment(value) is None and bool(_DIGIT.search(value))
    match operator:
        case "IpAddress":
            return bool(_NETMASK.search(value)) or (network(value) is None and bool(_DIGIT.search(value)))
        case "ArnEquals" | "ArnLike":
            return bool(value.strip("*")) and value.count(":") < _ARN_COLONS and not {"*", "?"}.isdisjoint(value)
        case "Bool" | "Null":
            return value.lower() not in ("true", "false")
        case _:
            return False
