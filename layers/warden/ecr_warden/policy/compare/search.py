"""Is there a request that these statements match and none of those? A search over facts, not over requests.

A request is sought that all `wanted` match; the statements of `negatives` that it happens to match are told apart
from it one by one, by denying one of their facts. Where a negative has no fact that can be denied there is no such
request; where it has one, that one is forced; else each is tried. So the work grows with the overlaps of statements,
never with the number of actions, resources or keys.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ecr_warden.policy.compare.boxes import Box, Part
from ecr_warden.policy.compare.budget import STATEMENTS, Budget
from ecr_warden.policy.compare.facts import Key, Unknown, Values
from ecr_warden.policy.subsumption import covers_clause

_LOOKED_AT = 8
"""Negatives examined for the one with the fewest ways out."""

type Asked = int
"""What is asked of some parts: two bits each, that it is to hold and that it is not. A number, for many are kept."""

type Accept = Callable[[Mapping[str, Values]], bool]


class _Way(NamedTuple):
    """One fact of a negative denied, and values of its key that do."""

    box: int
    key: str
    asked: Asked
    values: Values


def _asks(number: int, *, wanted: bool) -> Asked:
    return 1 << (2 * number + wanted)


class _State:
    """What is asked of each key, and values that fulfil it; one for a whole search, changed and changed back."""

    def __init__(self, asked: dict[str, Asked], values: dict[str, Values]) -> None:
        self.asked = asked
        self.values = values
        self.denied: set[int] = set()
        """Negatives that no longer match."""
        self._before: list[tuple[_Way, Asked | None, Values | None]] = []

    @property
    def name(self) -> Asked:
        """The same for states in which the same is asked."""
        name = 0
        for asked in self.asked.values():
            name |= asked
        return name

    def go(self, way: _Way) -> None:
        """Deny one more negative."""
        self._before.append((way, self.asked.get(way.key), self.values.get(way.key)))
        self.denied.add(way.box)
        self.asked[way.key] = way.asked
        self.values[way.key] = way.values

    def back(self) -> None:
        """Undo the last step."""
        way, asked, values = self._before.pop()
        self.denied.remove(way.box)
        if asked is None or values is None:
            del self.asked[way.key], self.values[way.key]
        else:
            self.asked[way.key] = asked
            self.values[way.key] = values


class Search:
    """Searches over one set of parts, what was found once kept."""

    def __init__(self, parts: Sequence[Part], always: Sequence[Key], budget: Budget) -> None:
        """`always` are keys that no request lacks; every other key is missing unless something is asked of it."""
        self._parts = parts
        self._always = always
        self._budget = budget
        self._found: dict[tuple[str, Asked], Values | None] = {}
        self._held: dict[tuple[int, Values], bool] = {}

    def solve(self, wanted: Sequence[Part], negatives: Sequence[Box], accept: Accept) -> bool:
        """Offer every kind of request to `accept` until it takes one; False if it took none. Raises OverBudget."""
        state = self._start(wanted)
        if state is None:
            return False
        seen: set[Asked] = set()
        first = self._explore(state, negatives, seen, accept)
        if first is None:
            return True
        levels = [first]
        while levels:
            way = next(levels[-1], None)
            if way is None:
                levels.pop()
                if levels:
                    state.back()
                continue
            state.go(way)
            further = self._explore(state, negatives, seen, accept)
            if further is None:
                return True
            levels.append(further)
        return False

    def _explore(
        self, state: _State, negatives: Sequence[Box], seen: set[Asked], accept: Accept
    ) -> Iterator[_Way] | None:
        """The ways on from a state; None if its values were accepted."""
        name = state.name
        self._budget.spend(4 + len(state.asked) // 8, STATEMENTS)
        if name in seen:
            return iter(())
        seen.add(name)
        ways = self._ways(state, negatives)
        if ways is not None:
            return iter(ways)
        return None if accept(state.values) else iter(())

    def _start(self, wanted: Sequence[Part]) -> _State | None:
        self._budget.spend(2 + len(wanted), STATEMENTS)
        asked: dict[str, Asked] = {}
        keys: dict[str, Key] = {}
        for part in wanted:
            asked[part.key.name] = asked.get(part.key.name, 0) | _asks(part.number, wanted=True)
            keys[part.key.name] = part.key
        for key in self._always:
            asked.setdefault(key.name, 0)
            keys[key.name] = key
        values: dict[str, Values] = {}
        for name, constraints in asked.items():
            found = self._find(keys[name], constraints)
            if found is None:
                return None
            values[name] = found
        return _State(asked, values)

    def _ways(self, state: _State, negatives: Sequence[Box]) -> list[_Way] | None:
        """How to get out of one negative that matches: none is a dead end; None if no negative matches."""
        self._budget.spend(1 + len(negatives) // 3, STATEMENTS)
        best: list[_Way] | None = None
        looked_at = 0
        for box in negatives:
            if box.number in state.denied or not self._matches(box, state.values):
                continue
            self._budget.spend(2 * len(box.parts), STATEMENTS)
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
            self._budget.spend(2 + part.weight * max(1, len(values)), STATEMENTS)
            found = self._held[name] = part.key.may_hold(part.fact, values)
        return found

    def _without(self, state: _State, box: Box, part: Part) -> _Way | None:
        """The way in which a part of a negative is denied, None if that cannot be."""
        name = part.key.name
        before = state.asked.get(name, 0)
        if before & _asks(part.number, wanted=True):
            return None
        asked = before | _asks(part.number, wanted=False)
        found = self._find(part.key, asked)
        return None if found is None else _Way(box.number, name, asked, found)

    def _find(self, key: Key, asked: Asked) -> Values | None:
        name = (key.name, asked)
        if name not in self._found:
            self._found[name] = self._find_new(key, asked)
        return self._found[name]

    def _find_new(self, key: Key, asked: Asked) -> Values | None:
        given = [*self._asked_parts(asked)]
        facts = [(part.fact, wanted) for part, wanted in given]
        hold = [fact.clause for fact, wanted in facts if wanted and isinstance(fact, Unknown)]
        fail = [fact.clause for fact, wanted in facts if not wanted and isinstance(fact, Unknown)]
        self._budget.spend(4 + sum(part.weight for part, _ in given) + len(hold) * len(fail), STATEMENTS)
        if any(covers_clause(wide, narrow) for wide in fail for narrow in hold):
            return None
        return key.find(facts, self._budget)

    def _asked_parts(self, asked: Asked) -> Iterator[tuple[Part, bool]]:
        while asked:
            low = asked & -asked
            number, wanted = divmod(low.bit_length() - 1, 2)
            yield self._parts[number], bool(wanted)
            asked ^= low
