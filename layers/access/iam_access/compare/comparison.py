"""Compare the access of two documents: the entry to this package.

docs/policy-engine.md says what is decided exactly, what is approximated, and on which side it errs.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from iam_access.compare.budget import PREPARING, PROVING, TRYING
from iam_access.compare.caller_keys import OF_CALLERS, PRINCIPAL_ACCOUNT, PRINCIPAL_ARN, atoms_of_each
from iam_access.compare.callers import KINDS, CallerClass, anyone_in, callers, naming
from iam_access.compare.cubes import CubeBuilder
from iam_access.compare.direction import DocumentSide, SearchDirection, Setting
from iam_access.compare.result import Comparison, Relation, Witness
from iam_access.compare.shapes import names_of
from iam_access.compare.variables import bound, default_values, fresh_values, resolved, variables_of
from iam_access.compare.witnesses import About, spellings, weight_of
from iam_access.delta.service import Service
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind
from iam_access.document.steps import Steps, TooManySteps
from iam_access.document.variables import Variable, as_pattern
from iam_access.equivalent.canonical import CanonicalStatement, canonical_together, completed, equivalent
from iam_access.evaluate.request import default_context

_SOME_ACCOUNT = "111111111111"

type Statements = tuple[CanonicalStatement, ...]
type Values = Mapping[Variable, str | None]
"""The value of each policy variable; None if it has none."""


def compare(
    live: Document,
    desired: Document,
    *,
    kind: DocumentKind,
    service: Service | None = None,
    account: str | None = None,
    subject: str = "",
) -> Comparison:
    """The access of `live` compared with that of `desired`: MORE if live allows everything that desired does and more.

    `account` owns the resource or identity of the document, `subject` is its name in sentences. Work is counted, about
    a second at most: what cannot be decided within that is UNDECIDED, with the reason and whatever was found by then.
    """
    if equivalent(live, desired, kind=kind):
        return Comparison(Relation.EQUAL, equivalent=True)
    found, wanted = canonical_together(live, desired, kind=kind)
    statements = (_statements(found, kind), _statements(wanted, kind))
    gained, lost, doubts = _both_ways(_Pair((live, desired), statements, About(kind, service, account, subject)))
    return _comparison(gained, lost, doubts)


def _statements(given: Statements, kind: DocumentKind) -> Statements:
    """The statements once each, with the ARNs of an identity policy completed and bound variables replaced."""
    read = map(completed, given) if kind is DocumentKind.IDENTITY else given
    return tuple(dict.fromkeys(map(bound, read)))


def _comparison(
    gained: tuple[Witness, ...], lost: tuple[Witness, ...], doubts: tuple[Sequence[str], Sequence[str]]
) -> Comparison:
    open_gain = bool(doubts[0]) and not gained
    open_loss = bool(doubts[1]) and not lost
    if open_gain or open_loss:
        reasons = [*(doubts[0] if open_gain else ()), *(doubts[1] if open_loss else ())]
        return Comparison(Relation.UNDECIDED, False, gained, lost, tuple(dict.fromkeys(reasons))[:5])
    match bool(gained), bool(lost):
        case True, True:
            relation = Relation.DIFFERENT
        case True, False:
            relation = Relation.MORE
        case False, True:
            relation = Relation.LESS
        case _:
            relation = Relation.EQUAL
    return Comparison(relation, False, gained, lost)


class _Pair(Struct, frozen=True):
    """The documents, their canonical statements (live first), and what they are about."""

    documents: tuple[Document, Document]
    statements: tuple[Statements, Statements]
    about: About

    @property
    def all(self) -> Statements:
        """All statements; the order does not depend on which is live, so swapped documents get the mirrored answer."""
        both = sorted(zip(self.documents, self.statements, strict=True), key=lambda one: one[0].text)
        return tuple(dict.fromkeys(statement for _, its in both for statement in its))


type _Found = tuple[tuple[Witness, ...], tuple[Witness, ...], tuple[list[str], list[str]]]


def _both_ways(pair: _Pair) -> _Found:
    """First with variables that have values which no document mentions, or none: a difference there is a difference.

    Then for all values of the variables.
    """
    likely = anyone_in("aws", pair.about.account or _SOME_ACCOUNT).principal
    variables = variables_of(pair.all)
    tried: list[tuple[Values, dict[str, str]]] = [({}, {})]
    if variables:
        fresh = fresh_values(variables, default_context(likely, None))
        tried.insert(0, (fresh, {variable.key: value for variable, value in fresh.items()}))
        defaults = default_values(variables)
        if any(default is not None for default in defaults.values()):
            tried.insert(1, (defaults, {}))
    found: list[tuple[Witness, ...]] = [(), ()]
    doubts: tuple[list[str], list[str]] = ([], [])
    supposed: list[Mapping[str, str]] = [{}, {}]
    preparing = Steps(PREPARING)
    for given, context in tried:
        try:
            setting, live, desired = _setting(pair, given, context, preparing)
        except TooManySteps as error:
            return found[0], found[1], ([error.reason], [error.reason])
        for at, (document_side, other) in enumerate(((live, desired), (desired, live))):
            if not found[at]:
                # Each direction has its own budget, so that swapped documents get the mirrored answer.
                budget = Steps(TRYING if given else PROVING)
                direction = SearchDirection(document_side, other, setting, budget, gained=at == 0)
                found[at] = direction.witnesses()
                if not given:
                    doubts[at].extend(direction.doubts)
                    supposed[at] = direction.supposed
    for at in (0, 1):
        if variables and supposed[at] and not found[at]:
            with suppress(TooManySteps):
                found[at] = _supposing(pair, supposed[at], at, preparing)
    return found[0], found[1], doubts


def _supposing(pair: _Pair, values: Mapping[str, str], at: int, preparing: Steps) -> tuple[Witness, ...]:
    """The difference under values of the variables' keys that the search found by itself; raises TooManySteps."""
    texts = fresh_values(variables_of(pair.all), {key: (value,) for key, value in values.items()})
    given = {variable: as_pattern(value) for variable, value in texts.items()}
    context = {variable.key: value for variable, value in texts.items()}
    setting, live, desired = _setting(pair, given, context, preparing)
    document_side, other = (live, desired) if at == 0 else (desired, live)
    return SearchDirection(document_side, other, setting, Steps(TRYING), gained=at == 0).witnesses()


def _setting(
    pair: _Pair, values: Values, context: Mapping[str, str], budget: Steps
) -> tuple[Setting, DocumentSide, DocumentSide]:
    """Both sides with `values` for the variables and `context` for the keys they read; raises TooManySteps."""
    changed = {statement: resolved(statement, values) if values else statement for statement in pair.all}
    cubes = CubeBuilder([*changed.values()], budget)
    people = _people(pair, budget)
    named = naming(people, budget, free=pair.about.kind is DocumentKind.IDENTITY)
    made = {
        statement: cubes.cube(number, changed[statement], named(statement.principals, statement.effect))
        for number, statement in enumerate(pair.all)
    }

    def side(document: Document, its: Statements) -> DocumentSide:
        allows = tuple(made[statement] for statement in its if made[statement].allows)
        return DocumentSide(
            document,
            allows,
            tuple(made[statement] for statement in its if not made[statement].allows),
            weight_of(document),
        )

    live, desired = map(side, pair.documents, pair.statements)
    implied = atoms_of_each(people, cubes, budget)
    written = spellings(pair.documents)
    impossible = tuple(
        cubes.impossible(-number, *names) for number, names in enumerate(names_of(pair.about.service), 1)
    )
    return Setting(cubes, people, implied, pair.about, context, written, impossible), live, desired


def _without_principals(pair: _Pair) -> bool:
    """Are these well-formed identity policies? AWS accepts no Principal in one; if there is one, it counts."""
    return pair.about.kind is DocumentKind.IDENTITY and all(statement.principals is None for statement in pair.all)


def _people(pair: _Pair, budget: Steps) -> tuple[CallerClass, ...]:
    by_kind = any(clause.key in OF_CALLERS for statement in pair.all for clause in statement.conditions)
    if _without_principals(pair):
        account = pair.about.account or _SOME_ACCOUNT
        # It may be attached to a user, a role or, as an SCP, to a whole account.
        return tuple(anyone_in("aws", account, kind, outsider=True) for kind in (KINDS if by_kind else KINDS[:1]))
    elements = [statement.principals for statement in pair.all if statement.principals is not None]
    mentioned = {
        value
        for statement in pair.all
        for clause in statement.conditions
        if clause.key in (PRINCIPAL_ARN, PRINCIPAL_ACCOUNT)
        for value in clause.values
    }
    return callers(elements, budget, sorted(mentioned), by_kind=by_kind)
