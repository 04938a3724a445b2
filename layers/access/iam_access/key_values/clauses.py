"""Condition clauses as predicates: what each says about a missing key, one value and several values.

A value of another form than the operator's (a number such as `9e99`) matches nothing, as in the evaluation. A clause
without a set operator on a key of several values becomes an Uninterpreted predicate, which is true or false
independently of the others.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from iam_access.document.condition import CanonicalClause, Quantifier, parse_operator
from iam_access.document.pattern import Pattern, Syntax, pattern
from iam_access.document.values import is_base64
from iam_access.key_values.domains import (
    OrderedDomain,
    TextDomain,
    TextSet,
    ValueSet,
    address_domain,
    date_domain,
    epoch_domain,
    number_domain,
)
from iam_access.key_values.language import sample
from iam_access.key_values.predicates import ConditionKey, KeyTest, Predicate, Uninterpreted
from iam_access.key_values.shapes import ARNS, NOT_ARNS, of_characters

_SYNTAX = {
    "StringEquals": Syntax.EXACT,
    "StringEqualsIgnoreCase": Syntax.FOLDED,
    "StringLike": Syntax.WILD,
    "ArnEquals": Syntax.ARN,
    "ArnLike": Syntax.ARN,
    "BinaryEquals": Syntax.EXACT,
    "Bool": Syntax.FOLDED,
}
_NOTHING = TextSet(frozenset())
_EVERYTHING = pattern("*", Syntax.WILD)

_BOOLEANS = frozenset(pattern(word, Syntax.EXACT) for word in ("true", "false"))
_DOMAINS = dict.fromkeys(
    (
        *("aws:securetransport", "aws:multifactorauthpresent", "aws:viaawsservice"),
        "aws:principalisawsservice",
    ),
    _BOOLEANS,
) | dict.fromkeys(("aws:principalarn", "aws:sourcearn"), frozenset({ARNS}))
_DOMAINS["aws:principaltype"] = frozenset(
    pattern(kind, Syntax.EXACT) for kind in ("User", "AssumedRole", "FederatedUser", "Account", "Anonymous")
)
"""Keys that AWS sets itself, to `true` or `false`, an ARN or one of a few words, whatever operator reads them."""

_NUMBER, _DATE, _ADDRESS = "Numeric", "Date", "IpAddress"
_FAMILIES = (_NUMBER, _DATE, _ADDRESS)
_TYPES = {
    "aws:multifactorauthage": _NUMBER,
    "aws:currenttime": _DATE,
    "aws:tokenissuetime": _DATE,
    "aws:sourceip": _ADDRESS,
    "aws:vpcsourceip": _ADDRESS,
    "aws:ec2instancesourceprivateipv4": _ADDRESS,
    "s3:max-keys": _NUMBER,
    "s3:signatureage": _NUMBER,
    "s3:object-lock-remaining-retention-days": _NUMBER,
    "sts:durationseconds": _NUMBER,
}
"""Keys that AWS documents as numbers, dates or addresses. Any other key may hold any text."""
_SPELLED = {
    _NUMBER: frozenset({of_characters("0123456789+-.")}),
    _DATE: frozenset({of_characters("0123456789+-.:TZ")}),
    _ADDRESS: frozenset({of_characters("0123456789abcdefABCDEF.:")}),
}
"""The values of such a key, whatever operator reads them."""
_EPOCH_TIME = "aws:epochtime"
"""The one key that AWS documents for numeric and for date operators."""

_LISTS = frozenset(
    {
        *("aws:calledvia", "aws:principalorgpaths", "aws:principalservicenameslist", "aws:resourceorgpaths"),
        *("aws:sourceorgpaths", "aws:tagkeys"),
    }
)
"""Keys with several values. AWS only says that an operator without ForAllValues or ForAnyValue may allow too much.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

_MOST_EXAMPLES = 160
_FILLERS = {
    "": ("x", "", "1"),
    _NUMBER: ("0", "1"),
    _DATE: ("-01-01T00:00:00Z", "-01T00:00:00Z", "T00:00:00Z", "00:00:00Z", "2026-01-01"),
    _ADDRESS: ("0", "0.0", "0.0.0", "10.0.0.0", ":1"),
}
"""What a `*` may stand for."""
_WORDS = ("x", "true", "0", "10.0.0.1")


_FREE = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/")
_FREE_KEYS = frozenset({"aws:tagkeys", "aws:useragent", "aws:referer"})


def _may_be_empty(key: str) -> bool:
    """May its only value be the empty text? AWS sets most global keys, to something."""
    return key not in _TYPES and (not key.startswith("aws:") or key.startswith(_FREE) or key in _FREE_KEYS)


class Predicates:
    """One condition key, and the clauses on it as predicates.

    `clauses`: at least one, all on that key and without variables.
    """

    def __init__(self, clauses: Sequence[CanonicalClause]) -> None:
        self._scales: dict[str, OrderedDomain | None] = {}
        self._epoch: OrderedDomain | None = None
        self.key = self._key(clauses[0].key, clauses)

    def predicate(self, clause: CanonicalClause) -> Predicate:
        """What a clause says about its key."""
        quantifier, positive, negated, if_exists = parse_operator(clause.operator)
        if positive == "Null":
            words = {value.lower() for value in clause.values}
            vacuous = quantifier is Quantifier.ALL or (quantifier is Quantifier.ONE and "true" in words)
            return KeyTest(quantifier, None, False, vacuous, vacuous, "false" in words)
        match quantifier:
            case Quantifier.ONE:
                missing = if_exists or negated
            case Quantifier.ALL:
                missing = True
            case Quantifier.ANY:
                missing = if_exists
        if quantifier is Quantifier.ONE and clause.key in _LISTS:
            return Uninterpreted(clause, missing)
        accepted, reversed_ = self._value_set(clause.key, positive, clause.values, negated=negated)
        if accepted is None:
            return Uninterpreted(clause, missing)
        empty = accepted.holds("") is not reversed_ if quantifier is Quantifier.ONE else quantifier is Quantifier.ALL
        return KeyTest(quantifier, accepted, reversed_, missing, empty)

    def _value_set(
        self, key: str, positive: str, values: Collection[str], *, negated: bool
    ) -> tuple[ValueSet | None, bool]:
        """The values that match one of the policy's, and whether the clause holds on all others instead.

        None if no request can be written that shows it.
        """
        family = _family(positive)
        if family is not None:
            # Booleans and ARNs are not numbers, dates or addresses, and addresses are not numbers or dates.
            if key in _DOMAINS or (key in _TYPES and (family == _ADDRESS) is not (_TYPES[key] == _ADDRESS)):
                return (_NOTHING, True) if negated and not values else (_NOTHING, False)
            domain = self._scales[family]
            return (None if domain is None else domain.cells(positive, values, negated=negated)), False
        if positive == "Bool" and key in _TYPES:
            return _NOTHING, False
        language = frozenset(_globs(positive, values))
        if negated and _SYNTAX[positive] is Syntax.ARN:
            # A negated operator does not hold on a text that is not an ARN.
            wide = frozenset({_EVERYTHING}) if any(one.matches_nothing for one in language) else language | NOT_ARNS
            return TextSet(wide if language else language), negated
        return TextSet(language), negated

    def _key(self, name: str, clauses: Sequence[CanonicalClause]) -> ConditionKey:
        operators = [parse_operator(clause.operator) for clause in clauses]
        several = any(operator.quantifier is not Quantifier.ONE for operator in operators)
        bases = {operator.positive for operator in operators} - {"Null"}
        values = [value for clause in clauses for value in clause.values]
        read = {family for base in bases if (family := _family(base)) is not None}
        own = {_TYPES[name]} if name in _TYPES else {_NUMBER} if name == _EPOCH_TIME else set()
        texts = TextDomain(next((_SPELLED[family] for family in own), _DOMAINS.get(name)))
        # The values of the key are of its own kind, whatever operator reads them.
        families = [] if name in _DOMAINS else [one for one in _FAMILIES if one in read | own]
        domains = [
            ordered_domain for family in families if (ordered_domain := self._domain(name, family, values)) is not None
        ]
        mixed = len(families) + any(_family(base) is None for base in bases) > 1
        return ConditionKey(
            name,
            texts,
            tuple(dict.fromkeys(domains)),
            several,
            may_be_empty=_may_be_empty(name),
            examples=_examples(clauses, domains, own) if mixed or name in _LISTS else (),
        )

    def _domain(self, key: str, family: str, values: Sequence[str]) -> OrderedDomain | None:
        if key == _EPOCH_TIME and family in (_NUMBER, _DATE):
            both = self._epoch = self._epoch or epoch_domain(values)
        else:
            both = None
        if family == _ADDRESS:
            ordered_domain: OrderedDomain | None = address_domain(values, typed=_TYPES.get(key) == family)
        else:
            make = number_domain if family == _NUMBER else date_domain
            ordered_domain = both or make(
                values, typed=_TYPES.get(key) == family or (key == _EPOCH_TIME and family == _NUMBER)
            )
        self._scales[family] = ordered_domain
        return ordered_domain


def _family(positive: str) -> str | None:
    return next((family for family in _FAMILIES if positive.startswith(family)), None)


def _globs(positive: str, values: Iterable[str]) -> Iterator[Pattern]:
    for value in values:
        if positive == "BinaryEquals":
            if is_base64(value):
                yield pattern(value, Syntax.EXACT)
        elif positive != "Bool" or value.lower() in ("true", "false"):
            yield pattern(value, _SYNTAX[positive])


def _examples(
    clauses: Iterable[CanonicalClause], domains: Iterable[OrderedDomain], own: Collection[str]
) -> tuple[str, ...]:
    """Values on which the clauses may hold, those of the policies first; `own` is the key's own kind."""
    found: dict[str, None] = {}
    fillers = [filler for family in (*own, "") for filler in _FILLERS[family]]
    for clause in clauses:
        for value in sorted(clause.values):
            if len(found) >= _MOST_EXAMPLES:
                return tuple(found)
            found[value] = None
            if "*" in value or "?" in value:
                found.update(dict.fromkeys(sample(pattern(value, Syntax.WILD), filler) for filler in fillers))
    for domain in domains:
        found.update(dict.fromkeys(domain.values[:_MOST_EXAMPLES]))
    return (*found, *_WORDS)
