"""The requests that one document allows and another does not.

Such a request matches an Allow of the one and no Deny of it, and either no Allow of the other or a Deny of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import replace

from msgspec import Struct

from iam_access.compare.budget import CALLERS, REQUESTS
from iam_access.compare.caller_keys import RESOURCE_ACCOUNT, is_derived, needs_credentials, principals_of
from iam_access.compare.callers import CallerClass
from iam_access.compare.cubes import ACTION, RESOURCE, Atom, Cube, CubeBuilder
from iam_access.compare.predicates import Values
from iam_access.compare.result import Witness
from iam_access.compare.solver import Solver
from iam_access.compare.variables import meeting_values
from iam_access.compare.witnesses import (
    About,
    can_be_made,
    is_likely,
    likely,
    phrase_of,
    possible_for,
    searches_by_group,
    searches_by_kind,
)
from iam_access.delta.service import group_of, groups_of
from iam_access.document.document import Document, Effect, Patterns, Statement
from iam_access.document.kind import DocumentKind
from iam_access.document.steps import Steps, TooManySteps
from iam_access.evaluate.request import ANY_RESOURCE, Request, default_context, make_request
from iam_access.evaluate.request_principal import ANONYMOUS, CallerKind
from iam_access.evaluate.statement_match import Allowed, action_matches, document_decision, matching_statements
from iam_access.text.printable import listed

MAX_WITNESSES = 5
_ANY_ACTION = Patterns(False, ("*",))
_NOT_ASKED = "the documents differ only in requests that no one can make"
_UNCONFIRMED = "whether {} depends on how values of the request are related ({})"


class DocumentSide(Struct, frozen=True):
    """A document and its statements as cubes."""

    document: Document
    allows: tuple[Cube, ...]
    denies: tuple[Cube, ...]
    weight: int
    """Units of work to try a request on the document."""


class Setting(Struct, frozen=True):
    """What both directions share."""

    cubes: CubeBuilder
    callers: Sequence[CallerClass]
    implied: Sequence[tuple[Atom, ...]]
    """What each caller implies about the condition keys."""
    about: About
    variables: Mapping[str, str]
    """Values by key for the variables that were replaced."""
    spellings: Mapping[str, str]
    """Actions as the documents spell them, by their lower case."""
    impossible: tuple[Cube, ...]
    """What no request matches."""


class Query(Struct, frozen=True):
    """A request of one caller that matches all of `wanted` and none of `negatives`."""

    wanted: tuple[Cube, ...]
    negatives: tuple[Cube, ...]
    caller: int


class SearchDirection:
    """The search for what `one` allows and `other` does not. `doubts` are the reasons why no witness is no proof.

    `supposed` are values by key under which the first unconfirmed request might be a witness.
    """

    def __init__(
        self, one: DocumentSide, other: DocumentSide, setting: Setting, budget: Steps, *, gained: bool
    ) -> None:
        self.one, self.other, self.setting, self.budget, self.gained = one, other, setting, budget, gained
        self.doubts: list[str] = []
        self.supposed: dict[str, str] = {}
        self._solver = Solver(setting.cubes.atoms, setting.cubes.always, budget)
        self._to_solve: tuple[Query, ...] = ()

    def witnesses(self) -> tuple[Witness, ...]:
        """At most MAX_WITNESSES, one for each group of actions; none without doubts proves that there is none."""
        about, cubes = self.setting.about, self.setting.cubes
        try:
            self._to_solve = tuple(self._queries())
            first = self._first(())
        except TooManySteps as error:
            self.doubts.append(error.reason)
            return ()
        if first is None:
            return ()
        # Doubts about the further requests, which only illustrate a difference, are not doubts about it.
        doubts, self.doubts = self.doubts, []
        found = {first.group: first} if is_likely(first.request, about) else {}
        with suppress(TooManySteps):
            for group, searches in searches_by_group(about, cubes):
                ways = map(self._first, searches)
                better = next((way for way in ways if way is not None and is_likely(way.request, about)), None)
                if better is not None:
                    found[group.name] = better
            if not found:
                ways = map(self._first, searches_by_kind(about, cubes))
                other = next((way for way in ways if way is not None and can_be_made(way.request)), None)
                found = {} if other is None else {other.group: other}
        if not found and can_be_made(first.request):
            found = {first.group: first}
        self.doubts = doubts if found else [*doubts, _NOT_ASKED]
        return tuple([found[group.name] for group in groups_of(about.service) if group.name in found][:MAX_WITNESSES])

    def _queries(self) -> Iterator[Query]:
        """The widest callers first; of callers to whom the same statements apply, one is enough."""
        theirs = {cube.number for cube in (*self.other.allows, *self.one.denies)}
        allowed, hindered, missed = map(
            self._by_caller,
            (
                self.one.allows,
                (*self.one.denies, *self.other.allows),
                [cube for cube in self.other.denies if cube.number not in theirs],
            ),
        )
        seen: set[tuple[frozenset[int], tuple[Atom, ...]]] = set()
        for caller, allows in enumerate(allowed):
            implied = self.setting.implied[caller]
            negatives, missing = hindered[caller], missed[caller]
            self.budget.spend(2 + (len(implied) + len(allows) + len(negatives) + len(missing)) // 2, CALLERS)
            name = (frozenset(cube.number for cube in (*allows, *negatives, *missing)), implied)
            if not allows or name in seen:
                continue
            seen.add(name)
            hinder, denies = tuple(negatives), tuple(cube for cube in negatives if not cube.allows)
            for cube in allows:
                if cube.number not in theirs:
                    self.budget.spend(4, CALLERS)
                    yield Query((cube,), hinder, caller)
                for deny in missing:
                    self.budget.spend(4, CALLERS)
                    yield Query((cube, deny), denies, caller)

    def _by_caller(self, cubes: Iterable[Cube]) -> list[list[Cube]]:
        """The statements that name each caller."""
        found: list[list[Cube]] = [[] for _ in self.setting.callers]
        for cube in cubes:
            left = cube.callers
            self.budget.spend(1 + left.bit_count() // 2 + left.bit_count() * left.bit_length() // 65_536, CALLERS)
            while left:
                low = left & -left
                found[low.bit_length() - 1].append(cube)
                left ^= low
        return found

    def _first(self, extra: tuple[Atom, ...]) -> Witness | None:
        for query in self._to_solve:
            found: list[Witness] = []

            def accept(values: Mapping[str, Values], query: Query = query, out: list[Witness] = found) -> bool:
                witness = self._confirmed(query, values)
                if witness is not None:
                    out.append(witness)
                return witness is not None

            atoms = [atom for cube in query.wanted for atom in cube.atoms]
            implied = self.setting.implied[query.caller]
            who = possible_for(self.setting.callers[query.caller].principal.kind, self.setting.cubes) if extra else ()
            negatives = (*query.negatives, *self.setting.impossible)
            if self._solver.solve([*atoms, *implied, *extra, *who], negatives, accept):
                return found[0]
        return None

    def _confirmed(self, query: Query, values: Mapping[str, Values]) -> Witness | None:
        """The request that was found, if evaluating it on both documents confirms it."""
        caller = self.setting.callers[query.caller]
        setting = self.setting
        found = values[RESOURCE][0] if self._restricts_resources(query) else ANY_RESOURCE
        named = [*likely(values[ACTION][0], found, setting.about, setting.spellings)]
        for guess, about_caller in self._guesses(query, values) if self._can_be(values) else ():
            for principal, own in principals_of(caller, {**about_caller, **values}):
                for action, resource in named:
                    self.budget.spend(20 + self.one.weight + self.other.weight, REQUESTS)
                    owner = setting.about.account or (principal.account if resource.count(":") <= 4 else None) or None
                    request = make_request(principal, action, resource, {**guess, **own}, resource_account=owner)
                    if self._tells_apart(request):
                        return self._witness(request, caller)
        if not self.supposed:
            single = {key: found[0] for key, found in values.items() if len(found) == 1}
            self.supposed = {**meeting_values(query.wanted, values), **single}
        keys = sorted(key for key in values if key not in (ACTION, RESOURCE))
        what = "something is gained" if self.gained else "something is lost"
        self.doubts.append(_UNCONFIRMED.format(what, listed(keys, 4) or "policy variables"))
        return None

    def _can_be(self, values: Mapping[str, Values]) -> bool:
        keys = self.setting.cubes.predicates.keys
        self.budget.spend(sum(map(len, values.values())), REQUESTS)
        return all(value == "" or keys[key].can_be(value) for key in values if key in keys for value in values[key])

    def _restricts_resources(self, query: Query) -> bool:
        cubes = (*query.wanted, *query.negatives)
        return any(atom.key.name == RESOURCE for cube in cubes for atom in cube.atoms)

    def _guesses(
        self, query: Query, values: Mapping[str, Values]
    ) -> Iterator[tuple[dict[str, Values], dict[str, Values]]]:
        """Contexts with the values found, each with the keys of the caller that variables read.

        More than one if a predicate does not tell which value makes it true.
        """
        context = {
            key: found
            for key, found in values.items()
            if key not in (ACTION, RESOURCE) and not is_derived(key) and found
        }
        if RESOURCE_ACCOUNT in self.setting.cubes.predicates.keys:
            # Otherwise it would be the caller's own account.
            context.setdefault(RESOURCE_ACCOUNT, ())
        anonymous = self.setting.callers[query.caller].principal.kind is CallerKind.ANONYMOUS
        given: dict[str, Values] = {
            key: (value,) for key, value in self.setting.variables.items() if not (anonymous and needs_credentials(key))
        }
        about_caller = {key: given[key] for key in given if is_derived(key)}
        yield {**{key: given[key] for key in given if key not in about_caller}, **context}, about_caller
        self.budget.spend(self.one.weight + self.other.weight, REQUESTS)
        met: dict[str, Values] = {key: (value,) for key, value in meeting_values(query.wanted, values).items()}
        if met:
            about_caller = {key: met[key] for key in met if is_derived(key)}
            yield {**{key: met[key] for key in met if key not in about_caller}, **context}, about_caller

    def _tells_apart(self, request: Request) -> bool:
        return self._allowed(self.one.document, request) and not self._allowed(self.other.document, request)

    def _allowed(self, document: Document, request: Request) -> bool:
        return isinstance(document_decision(document, request, kind=self.setting.about.kind), Allowed)

    def _witness(self, request: Request, caller: CallerClass) -> Witness:
        group = group_of(request.action, self.setting.about.service)
        mine = _but_for_the_action(self.one.document, request, self.setting.about.kind)
        theirs = _but_for_the_action(self.other.document, request, self.setting.about.kind)

        # Other actions are listed as far as the budget allows; the witness itself always counts.
        counted = self.budget.affords(40 * sum(len(statement.actions.values) for statement in (*mine, *theirs)))

        def other_action(action: str) -> bool:
            return counted and _allows(mine, action) and not _allows(theirs, action)

        phrase = phrase_of(
            request,
            caller,
            group,
            self.setting.about,
            anyone=caller.outsider and counted and self._tells_apart(_without_credentials(request)),
            is_named=any(
                statement.resources is not None and request.resource in statement.resources.values
                for side in (self.one, self.other)
                for statement in side.document.statements
            ),
            tells_apart=other_action,
        )
        is_example = caller.generic and request.principal != ANONYMOUS
        return Witness(request, group.name, phrase, gained=self.gained, example=is_example)


def _without_credentials(request: Request) -> Request:
    context = {key: values for key, values in request.context.items() if not needs_credentials(key)}
    context |= default_context(ANONYMOUS, None)
    return Request(ANONYMOUS, request.action, request.resource, request.resource_account, context)


def _but_for_the_action(document: Document, request: Request, kind: DocumentKind) -> list[Statement]:
    """The statements that match the request, whatever its action is."""
    wide = replace(
        document, statements=tuple(replace(statement, actions=_ANY_ACTION) for statement in document.statements)
    )
    return [document.statements[index] for index, _ in matching_statements(wide, request, kind=kind)]


def _allows(statements: Sequence[Statement], action: str) -> bool:
    effects = {statement.effect for statement in statements if action_matches(statement.actions, action)}
    return effects == {Effect.ALLOW}
