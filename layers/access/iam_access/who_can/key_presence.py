"""Condition keys that a request has together with others, or never together with them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (availability of each)
"""

from collections.abc import Collection, Iterator, Mapping

from iam_access.document.condition import CanonicalClause
from iam_access.text.ascii_case import ascii_lower

_ADDRESS = "aws:sourceip"
_OF_ENDPOINTS = ("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip")
"""Whatever comes through a VPC endpoint has all of them, and no address outside the VPC; all else has an address."""
_OF_SOME_ENDPOINTS = ("aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths")
_MFA, _AGE, _ISSUED = "aws:multifactorauthpresent", "aws:multifactorauthage", "aws:tokenissuetime"
"""Temporary credentials have the first and the last, and the second only after MFA."""
_ALWAYS = (_ADDRESS, *_OF_ENDPOINTS, _MFA, _ISSUED)
"""Whether a request has one of these follows from another one."""
RELATED = frozenset((*_ALWAYS, *_OF_SOME_ENDPOINTS, _AGE))
"""The keys that tell something of another one even where their value is certain."""
_TAG_KEYS, _TAG = "aws:tagkeys", "aws:requesttag/"
"""The keys of all tags that a request sets; the value of one of them."""


def presence(keys: Collection[str]) -> Iterator[CanonicalClause]:
    """Clauses that tell apart whether a request has a key or a tag, of those of the keys that are related."""
    true = frozenset({"true"})
    if len(RELATED.intersection(keys)) > 1:
        yield from (CanonicalClause("Null", key, true) for key in _ALWAYS)
        yield CanonicalClause("Bool", _MFA, true)
    for key in keys if _TAG_KEYS in keys else ():
        if key.startswith(_TAG):
            yield CanonicalClause("Null", key, true)
            yield CanonicalClause("ForAnyValue:StringEqualsIgnoreCase", _TAG_KEYS, frozenset({key.removeprefix(_TAG)}))


def can_be(keys: Mapping[str, tuple[str, ...]]) -> bool:
    """Can a request have these values, none where it has no such key? Of other keys nothing is known."""
    there = {key: bool(values) for key, values in keys.items() if key in RELATED}
    through_endpoint = {there[key] for key in _OF_ENDPOINTS if key in there}
    through_endpoint |= {True for key in _OF_SOME_ENDPOINTS if there.get(key)}
    through_endpoint |= {not there[_ADDRESS]} if _ADDRESS in there else set()
    temporary = {there[key] for key in (_MFA, _ISSUED) if key in there}
    temporary |= {True} if there.get(_AGE) else set()
    is_after_mfa = keys.get(_MFA, ("true",)) == ("true",)
    if len(through_endpoint) > 1 or len(temporary) > 1 or (there.get(_AGE) and not is_after_mfa):
        return False
    tags = {key.removeprefix(_TAG): bool(values) for key, values in keys.items() if key.startswith(_TAG)}
    named = {*map(ascii_lower, keys.get(_TAG_KEYS, ()))}
    return _TAG_KEYS not in keys or all((name in named) is is_set for name, is_set in tags.items())
