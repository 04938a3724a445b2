"""Is there a request that these statements match and none of those? A search over facts, not over requests.

A request is sought that all `positives` match; the statements of `negatives` that it happens to match are told apart
from it one by one, by denying one of their facts. Where a negative has no fact that can be denied there is no such
request; where it has one, that one is forced; else each is tried. So the work grows with the overlaps of statements,
never with the number of actions, resources or keys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ecr_warden.policy.compare.boxes import Box, Part
from ecr_warden.policy.compare.budget import Budget
from ecr_warden.policy.compare.facts import Key, Unknown, Values
from ecr_warden.policy.coverage import covers_clause

_LOOKED_AT = 8
"""Negatives examined for the one with the fewest ways out."""

type Asked = frozenset[tuple[int, bool]]
"""Part numbers of one key, and whether each is to hold."""


@dataclass(frozen=True, slots=True)
class State:
    """What is asked of each key, and values that fulfil it."""

    asked: Mapping[str, Asked]
    values: Mapping[str, Values]
    denied: frozenset[int]
    """Negatives that no longer match."""


class Search:
    """Searches over one set of parts, what was found once kept."""

    def __init__(self, parts: Sequence[Part], always: Sequence[Key], budget: Budget) -> None:
        """`always` are keys that no request lacks; every other key is missing unless something is asked of it."""
        self._parts = parts
        self._always = always
        self._budget = budget
        self._found: dict[tuple[str, Asked], Values | None] = {}
        self._held: dict[tuple[int, Values], bool] = {}

    def solve(
        self, wanted: Sequence[Part], negatives: Sequence[Box], accept: Callable[[Mapping[str, Values]], bool]
    ) -> bool:
        """Offer every kind of request to `accept` until it takes one; False if it took none. Raises OverBudget."""
        start = self._start(wanted)
        if start is None:
            return False
        stack, seen = [start], set[frozenset[Asked]]()
        while stack:
            state = stack.pop()
            name = frozenset(state.asked.values())
            if name in seen:
                continue
            seen.add(name)
            self._budget.atom()
            ways = self._ways(state, negatives)
            if ways is not None:
                stack.extend(reversed(ways))
            elif accept(state.values):
                return True
        return False

    def _start(self, wanted: Sequence[Part]) -> State | None:
        asked: dict[str, Asked] = {}
        for part in wanted:
            asked[part.key.name] = asked.get(part.key.name, frozenset()) | {(part.number, True)}
        values: dict[str, Values] = {}
        keys = {part.key.name: part.key for part in wanted}
        for key in self._always:
            asked.setdefault(key.name, frozenset())
            keys[key.name] = key
        for name, constraints in asked.items():
            found = self._find(keys[name], constraints)
            if found is None:
                return None
            values[name] = found
        return State(asked, values, frozenset())

    def _ways(self, state: State, negatives: Sequence[Box]) -> list[State] | None:
        """How to get out of one negative that matches: none is a dead end; None if no negative matches."""
        best: list[State] | None = None
        looked_at = 0
        for box in negatives:
            if box.number in state.denied or not self._matches(box, state.values):
                continue
            ways = [way for part in box.parts if (way := self._without(state, box, part)) is not None]
            if best is None or len(ways) < len(best):
                best = ways
            looked_at += 1
            if len(best) <= 1 or looked_at == _LOOKED_AT:
                break
        return best

    def _matches(self, box: Box, values: Mapping[str, Values]) -> bool:
        return all(self._holds(part, values.get(part.key.name, ())) for part in box.parts)

    def _holds(self, part: Part, values: Values) -> bool:
        name = (part.number, values)
        found = self._held.get(name)
        if found is None:
            found = self._held[name] = part.key.may_hold(part.fact, values)
        return found

    def _without(self, state: State, box: Box, part: Part) -> State | None:
        """The state in which a part of a negative is denied, None if that cannot be."""
        name = part.key.name
        before = state.asked.get(name, frozenset())
        if (part.number, True) in before:
            return None
        asked = before | {(part.number, False)}
        found = self._find(part.key, asked)
        if found is None:
            return None
        return State({**state.asked, name: asked}, {**state.values, name: found}, state.denied | {box.number})

    def _find(self, key: Key, asked: Asked) -> Values | None:
        name = (key.name, asked)
        if name not in self._found:
            self._found[name] = self._find_new(key, asked)
        return self._found[name]

    def _find_new(self, key: Key, asked: Asked) -> Values | None:
        facts = [(self._parts[number].fact, wanted) for number, wanted in sorted(asked)]
        hold = [fact.clause for fact, wanted in facts if wanted and isinstance(fact, Unknown)]
        fail = [fact.clause for fact, wanted in facts if not wanted and isinstance(fact, Unknown)]
        if any(covers_clause(wide, narrow) for wide in fail for narrow in hold):
            return None
        return key.find(facts, self._budget)
