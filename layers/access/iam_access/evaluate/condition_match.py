"""Does a condition hold for a request?

All its clauses must hold. A clause holds if one of its values matches, a negated one if none does.
- If the key is missing: false; true for negated operators, IfExists and ForAllValues; false for ForAnyValue.
- A value that the operator cannot compare (a word instead of a number), in the request or in the policy, does not
  match, and a negated operator does not hold on it either.
- Several values of the request need ForAllValues or ForAnyValue: a plain operator never holds on them (AWS requires a
  set operator and does not say what happens without one).
- On no value, or on one empty string, which AWS counts as none, ForAllValues holds and ForAnyValue does not; Null too
  counts an empty string as none.
Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from collections.abc import Iterable

from iam_access.document.condition import Clause, Operator, Quantifier, parse_operator
from iam_access.evaluate.operators import COMPARE, comparable
from iam_access.evaluate.resolved import Context
from iam_access.text.ascii_case import ascii_lower

_NULL = "Null"
_EMPTY = ((), ("",))


def clause_holds(clause: Clause, context: Context, *, variables: bool) -> bool:
    """Does a clause hold in the context, with its keys in lower case? Version 2008-10-17 has no `variables`."""
    operator = parse_operator(clause.operator)
    values = context.get(ascii_lower(clause.key), ())
    if operator.positive == _NULL:
        return _null_holds(operator.quantifier, values, clause.values)
    if operator.quantifier:
        every = operator.quantifier is Quantifier.ALL
        if values in _EMPTY:
            return every or (operator.if_exists and not values)
    elif not values:
        return operator.if_exists or operator.negated
    elif len(values) > 1:
        return False
    keys = context if variables else None
    held = (_value_holds(operator, value, clause.values, keys) for value in values)
    return all(held) if operator.quantifier is Quantifier.ALL else any(held)


def _null_holds(quantifier: Quantifier, values: tuple[str, ...], policies: Iterable[str]) -> bool:
    """A set operator tests each value of the request, and no value is null."""
    missing = values in _EMPTY
    if quantifier and missing:
        return quantifier is Quantifier.ALL
    return ("true" if missing else "false") in map(str.lower, policies)


def _value_holds(operator: Operator, value: str, policies: Iterable[str], keys: Context | None) -> bool:
    compare = COMPARE[operator.positive]
    if not operator.negated:
        return any(compare(value, policy, keys) for policy in policies)
    return all(
        comparable(operator.positive, value, policy, keys) and not compare(value, policy, keys) for policy in policies
    )
