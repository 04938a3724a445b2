"""Rules on what a statement's conditions say together.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from ecr_warden.policy.catalogue import date, is_condition_key, nearest_key, owns_key
from ecr_warden.policy.lint.rules import Rule
from ecr_warden.policy.lint.subject import Part, Subject, Term, quoted
from ecr_warden.policy.operators import moment

_TAG_KEYS = "aws:tagkeys"
_TAG = "aws:requesttag/"
_CLOCKS = frozenset({"aws:currenttime", "aws:epochtime"})
_ENDS = frozenset({"DateLessThan", "DateLessThanEquals", "NumericLessThan", "NumericLessThanEquals"})
_STRINGS = frozenset({"StringEquals", "ArnEquals", "NumericEquals", "Bool"})


def check_conditions(subject: Subject) -> None:
    """Report unknown keys, conditions that never hold, and ForAllValues that holds for strangers."""
    for part in subject.parts:
        for term in part.terms:
            _check_key(subject, term)
            if not term.values:
                subject.add(Rule.CONDITION_NEVER, term.place, f"{quoted(term.spelled)} has no value to compare with")
            elif _ended(subject, term):
                subject.add(Rule.CONDITION_ENDED, term.place, f"{quoted(term.values[0].text)} is past")
            elif reason := _contradiction(part, term):
                subject.add(Rule.CONDITION_NEVER, term.place, reason)
            if part.allows and term.quantifier == "ForAllValues" and not _is_guarded(part, term):
                message = (
                    f"{term.operator} on {quoted(term.spelled)} holds also where the request does not bring the key"
                )
                subject.add(Rule.FOR_ALL_VALUES, term.place, message)


def _check_key(subject: Subject, term: Term) -> None:
    prefix, colon, _ = term.key.partition(":")
    if not colon or (owns_key(prefix) and not is_condition_key(term.key)):
        near = subject.hint(nearest_key, term.spelled if colon else f"aws:{term.spelled}")
        subject.add(Rule.KEY_UNKNOWN, term.place, f"no condition key {quoted(term.spelled)}{near} as of {date()}")


def _ended(subject: Subject, term: Term) -> bool:
    """Values are alternatives, so the last of them counts."""
    if subject.now is None or term.key not in _CLOCKS or term.base not in _ENDS:
        return False
    ends = [moment(value.text) for value in term.values]
    return all(end is not None and end <= subject.now.timestamp() for end in ends)


def _contradiction(part: Part, term: Term) -> str:
    """What of the other conditions on the same key can never hold with this one, or of this one alone."""
    if _is_null(term, "true") and term.quantifier == "ForAnyValue":
        return f"no value of {quoted(term.spelled)} is null"
    for other in part.terms:
        if other.key != term.key or other is term:
            continue
        if _is_null(term, "true") and other.certain:
            return f"{quoted(term.spelled)} must be missing here, and {other.operator} needs it"
        texts = {value.text for value in term.values}
        if (
            term.certain
            and not term.quantifier
            and term.base in _STRINGS
            and other.negative
            and not other.quantifier
            and other.base == term.base
            and texts <= {value.text for value in other.values}
        ):
            return f"{other.operator} excludes every value of {quoted(term.spelled)}"
    return ""


def _is_guarded(part: Part, term: Term) -> bool:
    """Does another condition need the key? aws:TagKeys is there wherever one of the tags is."""
    return any(
        (other.key == term.key or (term.key == _TAG_KEYS and other.key.startswith(_TAG)))
        and (other.certain or (_is_null(other, "false") and other.quantifier != "ForAllValues"))
        for other in part.terms
    )


def _is_null(term: Term, value: str) -> bool:
    return term.base == "Null" and {one.text.lower() for one in term.values} == {value}
