"""Is there a request that these statements match and none of those? A search over atoms, not over requests.

It starts with a request that all `wanted` atoms match. Each statement of `negatives` that happens to match as well is
falsified by denying one of its atoms. If none of its atoms can be denied, there is no such request; if only one can, it
is forced; else each is tried. So the work grows with the overlaps of the statements, never with the number of actions,
resources or keys.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ecr_warden.policy.compare.budget import STATEMENTS, Budget
from ecr_warden.policy.compare.cubes import Atom, Cube
from ecr_warden.policy.compare.predicates import ConditionKey, Uninterpreted, Values
from ecr_warden.policy.subsumption import covers_clause

_LOOKED_AT = 8
"""Negatives examined for the one with the fewest ways out."""

type Asked = int
"""What is asked of some atoms: two bits each, that it is to hold and that it is not. A number, for many are kept."""

type Accept = Callable[[Mapping[str, Values]], bool]


class _Way(NamedTuple):
    """One predicate of a negative denied, and values of its key that do."""

    cube: int
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
        self.denied.add(way.cube)
        self.asked[way.key] = way.asked
        self.values[way.key] = way.values

    def back(self) -> None:
        """Undo the last step."""
        way, asked, values = self._before.pop()
        self.denied.remove(way.cube)
        if asked is None or values is None:
            del self.asked[way.key], self.values[way.key]
        else:
            self.asked[way.key] = asked
            self.values[way.key] = values


class Solver:
    """Searches over one set of atoms, what was found once kept."""

    def __init__(self, atoms: Sequence[Atom], always: Sequence[ConditionKey], budget: Budget) -> None:
        """`always` are keys that no request lacks; every other key is missing unless something is asked of it."""
        self._parts = atoms
        self._always = always
        self._budget = budget
        self._found: dict[tuple[str, Asked], Values | None] = {}
        self._held: dict[tuple[int, Values], bool] = {}

    def solve(self, wanted: Sequence[Atom], negatives: Sequence[Cube], accept: Accept) -> bool:
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
        self, state: _State, negatives: Sequence[Cube], seen: set[Asked], accept: Accept
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

    def _start(self, wanted: Sequence[Atom]) -> _State | None:
        self._budget.spend(2 + len(wanted), STATEMENTS)
        asked: dict[str, Asked] = {}
        keys: dict[str, ConditionKey] = {}
        for atom in wanted:
            asked[atom.key.name] = asked.get(atom.key.name, 0) | _asks(atom.number, wanted=True)
            keys[atom.key.name] = atom.key
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

    def _ways(self, state: _State, negatives: Sequence[Cube]) -> list[_Way] | None:
        """How to get out of one negative that matches: none is a dead end; None if no negative matches."""
        self._budget.spend(1 + len(negatives) // 3, STATEMENTS)
        best: list[_Way] | None = None
        looked_at = 0
        for cube in negatives:
            if cube.number in state.denied or not self._matches(cube, state.values):
                continue
            self._budget.spend(2 * len(cube.atoms), STATEMENTS)
            ways = [way for atom in cube.atoms if (way := self._without(state, cube, atom)) is not None]
            if best is None or len(ways) < len(best):
                best = ways
            looked_at += 1
            if len(best) <= 1 or looked_at == _LOOKED_AT:
                break
        return best

    def _matches(self, cube: Cube, values: Mapping[str, Values]) -> bool:
        return all(self._holds(atom, values.get(atom.key.name, ())) for atom in cube.atoms)

    def _holds(self, atom: Atom, values: Values) -> bool:
        name = (atom.number, values)
        found = self._held.get(name)
        if found is None:
            self._budget.spend(2 + atom.weight * max(1, len(values)), STATEMENTS)
            found = self._held[name] = atom.key.may_hold(atom.predicate, values)
        return found

    def _without(self, state: _State, cube: Cube, atom: Atom) -> _Way | None:
        """The way in which a atom of a negative is denied, None if that cannot be."""
        name = atom.key.name
        before = state.asked.get(name, 0)
        if before & _asks(atom.number, wanted=True):
            return None
        asked = before | _asks(atom.number, wanted=False)
        found = self._find(atom.key, asked)
        return None if found is None else _Way(cube.number, name, asked, found)

    def _find(self, key: ConditionKey, asked: Asked) -> Values | None:
        name = (key.name, asked)
        if name not in self._found:
            self._found[name] = self._find_new(key, asked)
        return self._found[name]

    def _find_new(self, key: ConditionKey, asked: Asked) -> Values | None:
        given = [*self._asked_atoms(asked)]
        literals = [(atom.predicate, wanted) for atom, wanted in given]
        opaque = [(one.clause, wanted) for one, wanted in literals if isinstance(one, Uninterpreted)]
        hold = [clause for clause, wanted in opaque if wanted]
        fail = [clause for clause, wanted in opaque if not wanted]
        self._budget.spend(4 + sum(atom.weight for atom, _ in given) + len(hold) * len(fail), STATEMENTS)
        if any(covers_clause(wide, narrow) for wide in fail for narrow in hold):
            return None
        return key.find(literals, self._budget)

    def _asked_atoms(self, asked: Asked) -> Iterator[tuple[Atom, bool]]:
        while asked:
            low = asked & -asked
            number, wanted = divmod(low.bit_length() - 1, 2)
            yield self._parts[number], bool(wanted)
            asked ^= low
