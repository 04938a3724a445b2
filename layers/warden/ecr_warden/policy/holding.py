"""Does a condition hold for a request?

All clauses must; one clause holds if one of its values matches, a negated one if none does.
- A missing key: false, true for negated operators, true for IfExists and ForAllValues, false for ForAnyValue.
- Several values of the request need ForAllValues or ForAnyValue: a plain operator never holds on them (AWS asks for a
  set operator and does not say what happens without one).
- ForAllValues holds and ForAnyValue does not on no value and on one empty string, which AWS counts as none.
Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ecr_warden.policy.condition import Clause
from ecr_warden.policy.operators import COMPARE, Compare
from ecr_warden.policy.variables import Context

_EVERY = "ForAllValues"
_SOME = "ForAnyValue"
_EMPTY = ((), ("",))


class _Operator(NamedTuple):
    quantifier: str
    negated: bool
    if_exists: bool
    compare: Compare | None
    """None for Null."""


def conditions_hold(clauses: Iterable[Clause], context: Context, *, variables: bool) -> bool:
    """Do all clauses hold in the context, whose keys are in lower case? `variables` is false in Version 2008-10-17."""
    return all(clause_holds(clause, context, variables=variables) for clause in clauses)


def clause_holds(clause: Clause, context: Context, *, variables: bool) -> bool:
    """Does one clause hold?"""
    operator = _operator(clause.operator)
    values = context.get(clause.key.lower(), ())
    if operator.compare is None:
        return ("false" if values else "true") in map(str.lower, clause.values)
    if operator.quantifier:
        every = operator.quantifier == _EVERY
        if values in _EMPTY:
            return every or (operator.if_exists and not values)
    elif not values:
        return operator.if_exists or operator.negated
    elif len(values) > 1:
        return False
    keys = context if variables else None
    held = (
        any(operator.compare(value, policy, keys) for policy in clause.values) is not operator.negated
        for value in values
    )
    return all(held) if operator.quantifier == _EVERY else any(held)


@lru_cache(maxsize=256)
def _operator(name: str) -> _Operator:
    quantifier, _, rest = name.rpartition(":")
    base = rest.removesuffix("IfExists")
    if base == "Null":
        return _Operator("", negated=False, if_exists=False, compare=None)
    positive = base.replace("Not", "")
    return _Operator(quantifier, positive != base, base != rest, COMPARE[positive])
