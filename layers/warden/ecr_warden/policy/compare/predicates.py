"""Conditions as predicates on single keys: what each clause says about a missing key, one value and several values.

A key that neither document names with a set operator holds at most one value; any other may hold several. A single
empty text counts as no value for Null and the set operators. A clause that AWS may read differently from this engine
becomes an Uninterpreted predicate, which is true or false independently of the others.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from ecr_warden.policy.compare.budget import STATEMENTS, Budget
from ecr_warden.policy.compare.domains import (
    Membership,
    OrderedDomain,
    TextDomain,
    TextSet,
    ValueSet,
    address_domain,
    date_domain,
    epoch_domain,
    number_domain,
)
from ecr_warden.policy.compare.language import sample
from ecr_warden.policy.compare.readings import LISTS, may_be_read_otherwise
from ecr_warden.policy.compare.shapes import ARNS, NONEMPTY, NOT_ARNS, depends_on_variables, of_characters
from ecr_warden.policy.condition import CanonicalClause, Clause, Quantifier, parse_operator
from ecr_warden.policy.condition_match import clause_holds
from ecr_warden.policy.operators import is_base64
from ecr_warden.policy.pattern import ARN_COLONS, Pattern, Syntax, pattern
from ecr_warden.policy.variables import colons_outside_variables

type Values = tuple[str, ...]
"""Of a key: none is a key that is missing."""


class KeyTest(Struct, frozen=True):
    """One clause on a key: whether it holds where the key is missing, on one empty text, and on values.

    `accepted` is None for Null, whose answer on all other values is `present`.
    """

    quantifier: Quantifier
    accepted: ValueSet | None
    negated: bool
    missing: bool
    empty: bool
    present: bool = False

    def may_hold(self, value: str) -> bool:
        """Does it hold on a value that is not empty, for some value of the variables?"""
        if self.accepted is None:
            return self.present
        return not self.accepted.must_hold(value) if self.negated else self.accepted.may_hold(value)

    def may_fail(self, value: str) -> bool:
        """Does it not, for some value of the variables?"""
        if self.accepted is None:
            return not self.present
        return self.accepted.may_hold(value) if self.negated else not self.accepted.must_hold(value)


class Uninterpreted(Struct, frozen=True):
    """A clause as a predicate of its own; what it says of a missing key is certain, unless `missing` is None."""

    clause: CanonicalClause
    missing: bool | None

    def may_be(self, values: Values, *, wanted: bool) -> bool:
        """Does this engine read it so?"""
        operator, key, given = self.clause
        if any("${" in one for one in given):
            return True
        return clause_holds(Clause(operator, key, tuple(given)), {key: values}, variables=False) is wanted


type Predicate = KeyTest | Uninterpreted
type Literal = tuple[Predicate, bool]
"""A predicate, and whether it is to hold."""


def weight(predicate: Predicate) -> int:
    """Units of work to hold a predicate against a value."""
    match predicate:
        case KeyTest(accepted=TextSet(language)):
            return 1 + sum(1 + len(one.steps) // 64 for one in language)
        case KeyTest():
            return 2
        case Uninterpreted(clause):
            return 4 + 2 * len(clause.values)


class ConditionKey(Struct, frozen=True):
    """One condition key: its values, and whether it may have several."""

    name: str
    texts: TextDomain
    domains: tuple[OrderedDomain, ...] = ()
    """Each way in which a clause reads the key that is not as a text."""
    several: bool = False
    required: bool = False
    """Action and Resource: no request lacks them."""
    may_be_empty: bool = False
    examples: tuple[str, ...] = ()
    """Values to try where clauses read the key in several ways, which no one space tells apart."""

    def find(self, constraints: Sequence[Literal], budget: Budget) -> Values | None:
        """Values of the key (none: it is missing) under which all is as constrained; None if there are none.

        What rests on an Uninterpreted, or on several ways of reading the key, may turn out to be none; None is certain.
        """
        if not self.required and all(predicate.missing in (wanted, None) for predicate, wanted in constraints):
            return ()
        tests = [(predicate, wanted) for predicate, wanted in constraints if isinstance(predicate, KeyTest)]
        unknown = [(predicate, wanted) for predicate, wanted in constraints if isinstance(predicate, Uninterpreted)]
        doubtful: Values | None = None
        if all(predicate.present is wanted for predicate, wanted in tests if predicate.accepted is None):
            single, certain = self._single(tests, unknown, budget)
            if single is not None and certain:
                return (single,)
            doubtful = None if single is None else (single,)
            found, certain = self._several(tests, budget) if self.several else (None, True)
            if found is not None and certain:
                return found
            doubtful = doubtful or found
        if self.may_be_empty and all(predicate.empty is wanted for predicate, wanted in tests):
            empty = ("",)
            if all(predicate.may_be(empty, wanted=wanted) for predicate, wanted in unknown):
                return empty
            doubtful = doubtful or empty
        return doubtful

    def may_hold(self, predicate: Predicate, values: Values) -> bool:
        """Does a predicate hold on such values, for some value of the variables?"""
        if isinstance(predicate, Uninterpreted):
            return bool(values) or predicate.missing is not False
        if not values:
            return predicate.missing
        if values == ("",):
            return predicate.empty
        if predicate.accepted is None:
            return predicate.present
        if predicate.quantifier is Quantifier.ONE and len(values) > 1:
            return False
        held = map(predicate.may_hold, values)
        return all(held) if predicate.quantifier is Quantifier.ALL else any(held)

    def _single(
        self, tests: Sequence[tuple[KeyTest, bool]], unknown: Sequence[tuple[Uninterpreted, bool]], budget: Budget
    ) -> tuple[str | None, bool]:
        """One value that is not empty, and whether it is certain; None for certain if there is none."""
        atoms = [_membership(predicate, wanted) for predicate, wanted in tests if predicate.accepted is not None]
        # One empty text is none to these; to the others it is a text like any other.
        empty_differs = any(test.accepted is None or test.quantifier is not Quantifier.ONE for test, _ in tests)
        words = self._words(atoms, budget, nonempty=empty_differs)
        if words is None:
            return None, True
        if len(words) == 1 and not unknown:
            return words[0], True
        for value in dict.fromkeys((*words, *self.examples)):
            budget.spend(4 * len(atoms) + sum(weight(predicate) for predicate, _ in unknown), STATEMENTS)
            if (
                value
                and self.can_be(value)
                and all(test.may_hold(value) if wanted else test.may_fail(value) for test, wanted in tests)
                and all(predicate.may_be((value,), wanted=wanted) for predicate, wanted in unknown)
            ):
                return value, True
        return words[0], False

    def _several(self, tests: Sequence[tuple[KeyTest, bool]], budget: Budget) -> tuple[Values | None, bool]:
        """Two values or more, and whether they are certain; None for certain if there are none.

        A plain clause never holds; one value is found for each that must exist.
        """
        each: list[Membership] = []
        some: list[Membership] = []
        for predicate, wanted in tests:
            if predicate.accepted is None:
                continue
            if predicate.quantifier is Quantifier.ONE:
                if wanted:
                    return None, True
            elif (predicate.quantifier is Quantifier.ALL) is wanted:
                each.append(_membership(predicate, wanted))
            else:
                some.append(_membership(predicate, wanted))
        words: list[str] = []
        for more in [[one] for one in some] or [[]]:
            word, certain = self._word([*each, *more], budget)
            if word is None or not certain:
                return (None if word is None else (word, word)), certain
            words.append(word)
        while len(words) < 2:
            apart = [(TextSet(frozenset({pattern(words[0], Syntax.ACTION)})), False)] if _plain(words[0]) else []
            other, certain = self._word([*each, *apart], budget)
            words.append(other if other is not None and certain else words[0])
        return (tuple(dict.fromkeys(words)) if len(set(words)) > 1 else tuple(words)), True

    def _word(self, atoms: Sequence[Membership], budget: Budget) -> tuple[str | None, bool]:
        words = self._words(atoms, budget, nonempty=not self.may_be_empty)
        if words is None:
            return None, True
        for value in dict.fromkeys((*words, *self.examples)):
            budget.spend(2 + 4 * len(atoms), STATEMENTS)
            if self.can_be(value) and all(
                accepted.may_hold(value) if wanted else not accepted.must_hold(value) for accepted, wanted in atoms
            ):
                return value, True
        return words[0], False

    def _words(self, atoms: Sequence[Membership], budget: Budget, *, nonempty: bool) -> list[str] | None:
        """A value for each way of reading the key; None if there is none for one of them."""
        words: list[str] = []
        texts = [one for one in atoms if isinstance(one[0], TextSet)]
        if texts or not self.domains:
            word = self.texts.find([*texts, *([_NOT_EMPTY] if nonempty else [])], budget)
            if word is None:
                return None
            words.append(word)
        for domain in self.domains:
            word = domain.find(atoms, budget)
            if word is None:
                return None
            words.append(word)
        return words

    def can_be(self, value: str) -> bool:
        """Can the key hold the value, as far as its kind tells?"""
        return self.texts.holds(value) and all(domain.cell(value) is not None for domain in self.domains)


_NOT_EMPTY: Membership = (TextSet(frozenset({NONEMPTY})), True)


def _membership(predicate: KeyTest, wanted: bool) -> Membership:
    assert predicate.accepted is not None
    return predicate.accepted, wanted is not predicate.negated


def _plain(text: str) -> bool:
    return text.islower() and not any(char in text for char in "*?$")


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
"""Keys that AWS itself sets, to `true` or `false`, to an ARN or to one of a few words, whatever operator reads them."""

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
"""Keys that AWS documents to hold what the operators of one family read. Any other key may hold any text."""
_SPELLED = {
    _NUMBER: frozenset({of_characters("0123456789+-.")}),
    _DATE: frozenset({of_characters("0123456789+-.:TZ")}),
    _ADDRESS: frozenset({of_characters("0123456789abcdefABCDEF.:")}),
}
"""What the values of such a key are spelled with, whatever operator reads them."""
_EPOCH_TIME = "aws:epochtime"
"""The one key that AWS documents for numeric operators and for those of dates."""

_MOST_EXAMPLES = 160
_FILLERS = {
    "": ("x", "", "1"),
    _NUMBER: ("0", "1"),
    _DATE: ("-01-01T00:00:00Z", "-01T00:00:00Z", "T00:00:00Z", "00:00:00Z", "2026-01-01"),
    _ADDRESS: ("0", "0.0", "0.0.0", "10.0.0.0", ":1"),
}
"""What may stand for a star."""
_WORDS = ("x", "true", "0", "10.0.0.1")


_FREE = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/")
_FREE_KEYS = frozenset({"aws:tagkeys", "aws:useragent", "aws:referer"})


def _may_be_empty(key: str) -> bool:
    """May its one value be the empty text? Most of the global keys AWS sets, to something."""
    return key not in _TYPES and (not key.startswith("aws:") or key.startswith(_FREE) or key in _FREE_KEYS)


class Predicates:
    """The keys of two documents, and their clauses as predicates; made once for both."""

    def __init__(self, clauses: Iterable[CanonicalClause]) -> None:
        by_key: dict[str, list[CanonicalClause]] = {}
        for clause in clauses:
            by_key.setdefault(clause.key, []).append(clause)
        self.keys: dict[str, ConditionKey] = {}
        self._scales: dict[tuple[str, str], OrderedDomain | None] = {}
        self._epoch: OrderedDomain | None = None
        for name, given in by_key.items():
            self.keys[name] = self._key(name, given)

    def predicate(self, clause: CanonicalClause) -> Predicate:
        """What a clause says of its key."""
        quantifier, positive, negated, if_exists = parse_operator(clause.operator)
        if positive == "Null":
            words = {value.lower() for value in clause.values}
            vacuous = quantifier is Quantifier.ALL or (quantifier is Quantifier.ONE and "true" in words)
            if may_be_read_otherwise(positive, clause.values):
                return Uninterpreted(clause, None)
            return KeyTest(quantifier, None, False, vacuous, vacuous, "false" in words)
        match quantifier:
            case Quantifier.ONE:
                missing = if_exists or negated
            case Quantifier.ALL:
                missing = True
            case Quantifier.ANY:
                missing = if_exists
        if may_be_read_otherwise(positive, clause.values) or (quantifier is Quantifier.ONE and clause.key in LISTS):
            return Uninterpreted(clause, missing)
        accepted, reversed_ = self._value_set(clause.key, positive, clause.values, negated=negated)
        if accepted is None:
            return Uninterpreted(clause, missing)
        empty = accepted.may_hold("") is not reversed_ if quantifier is Quantifier.ONE else quantifier is Quantifier.ALL
        return KeyTest(quantifier, accepted, reversed_, missing, empty)

    def _value_set(
        self, key: str, positive: str, values: Collection[str], *, negated: bool
    ) -> tuple[ValueSet | None, bool]:
        """The values that match one of the policy's, and whether the clause holds on all others instead.

        None if no request can be written that shows it.
        """
        family = _family(positive)
        if family is not None:
            # No boolean and no ARN is a number, a date or an address, and no address is one of the others.
            if key in _DOMAINS or (key in _TYPES and (family == _ADDRESS) is not (_TYPES[key] == _ADDRESS)):
                return (_NOTHING, True) if negated and not values else (_NOTHING, False)
            domain = self._scales[key, family]
            return (None if domain is None else domain.cells(positive, values, negated=negated)), False
        if positive == "Bool" and key in _TYPES:
            return _NOTHING, False
        language = frozenset(_globs(positive, values))
        if negated and _SYNTAX[positive] is Syntax.ARN:
            # What is no ARN cannot be compared with one.
            wide = frozenset({_EVERYTHING}) if any(one.impossible for one in language) else language | NOT_ARNS
            if any(one.open and colons_outside_variables(one.text) < ARN_COLONS for one in language):
                # Whether it is one rests on its variables.
                wide |= {depends_on_variables(f"{key} {sorted(values)}")}
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
        # What the key holds is of its own kind, whatever reads it.
        families = [] if name in _DOMAINS else [one for one in _FAMILIES if one in read | own]
        domains = [found for family in families if (found := self._domain(name, family, values)) is not None]
        unknown = any(
            may_be_read_otherwise(operator.positive, clause.values)
            for operator, clause in zip(operators, clauses, strict=True)
        )
        mixed = len(families) + any(_family(base) is None for base in bases) > 1
        return ConditionKey(
            name,
            texts,
            tuple(dict.fromkeys(domains)),
            several,
            may_be_empty=_may_be_empty(name),
            examples=_examples(clauses, domains, own) if mixed or unknown or name in LISTS else (),
        )

    def _domain(self, key: str, family: str, values: Sequence[str]) -> OrderedDomain | None:
        if key == _EPOCH_TIME and family in (_NUMBER, _DATE):
            both = self._epoch = self._epoch or epoch_domain(values)
        else:
            both = None
        if family == _ADDRESS:
            found: OrderedDomain | None = address_domain(values, typed=_TYPES.get(key) == family)
        else:
            make = number_domain if family == _NUMBER else date_domain
            found = both or make(values, typed=_TYPES.get(key) == family or (key == _EPOCH_TIME and family == _NUMBER))
        self._scales[key, family] = found
        return found


def _family(positive: str) -> str | None:
    return next((family for family in _FAMILIES if positive.startswith(family)), None)


def _globs(positive: str, values: Iterable[str]) -> Iterator[Pattern]:
    for value in values:
        if positive == "BinaryEquals":
            if is_base64(value):
                yield pattern(value, Syntax.EXACT)
        elif positive != "Bool" or "${" in value or value.lower() in ("true", "false"):
            yield pattern(value, _SYNTAX[positive])


def _examples(
    clauses: Iterable[CanonicalClause], domains: Iterable[OrderedDomain], own: Collection[str]
) -> tuple[str, ...]:
    """Values that each of the clauses may hold on, those of the policies first; `own` is the key's own kind."""
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
