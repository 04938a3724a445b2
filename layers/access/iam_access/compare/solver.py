"""Is there a request that these statements match and none of those? A search over atoms, not over requests.

It starts with a request that all `wanted` atoms match. Each statement of `negatives` that happens to match as well is
falsified by denying one of its atoms. If none of its atoms can be denied, there is no such request; if only one can, it
is forced; else each is tried. So the work grows with the overlaps of the statements, never with the number of actions,
resources or keys.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from iam_access.compare.budget import STATEMENTS
from iam_access.compare.cubes import Atom, Cube
from iam_access.compare.predicates import ConditionKey, Uninterpreted, Values
from iam_access.document.steps import Steps
from iam_access.equivalent.subsumption import covers_clause

_LOOKED_AT = 8
"""How many matching negatives are examined for the one with the fewest branches to deny it."""

type Literals = int
"""Literals as a bit set: two bits for each atom, that it must hold and that it must fail."""

type Accept = Callable[[Mapping[str, Values]], bool]


class _Branch(NamedTuple):
    """One atom of a negative denied, and values of its key that fulfil all literals."""

    cube: int
    key: str
    literals: Literals
    values: Values


def _literal(number: int, *, wanted: bool) -> Literals:
    return 1 << (2 * number + wanted)


class _State:
    """The literals on each key, and values that fulfil them; one state for a whole search, changed and undone."""

    def __init__(self, literals: dict[str, Literals], values: dict[str, Values]) -> None:
        self.literals = literals
        self.values = values
        self.denied: set[int] = set()
        """The negatives that no longer match."""
        self._before: list[tuple[_Branch, Literals | None, Values | None]] = []

    @property
    def name(self) -> Literals:
        """Equal for states with the same literals."""
        name = 0
        for literals in self.literals.values():
            name |= literals
        return name

    def go(self, branch: _Branch) -> None:
        """Deny one more negative."""
        self._before.append((branch, self.literals.get(branch.key), self.values.get(branch.key)))
        self.denied.add(branch.cube)
        self.literals[branch.key] = branch.literals
        self.values[branch.key] = branch.values

    def back(self) -> None:
        """Undo the last step."""
        branch, literals, values = self._before.pop()
        self.denied.remove(branch.cube)
        if literals is None or values is None:
            del self.literals[branch.key], self.values[branch.key]
        else:
            self.literals[branch.key] = literals
            self.values[branch.key] = values


class Solver:
    """Searches over one set of atoms; results are kept for the next search."""

    def __init__(self, atoms: Sequence[Atom], always: Sequence[ConditionKey], budget: Steps) -> None:
        """`always`: the keys of every request. Every other key is missing unless there is a literal on it."""
        self._parts = atoms
        self._always = always
        self._budget = budget
        self._found: dict[tuple[str, Literals], Values | None] = {}
        self._held: dict[tuple[int, Values], bool] = {}

    def solve(self, wanted: Sequence[Atom], negatives: Sequence[Cube], accept: Accept) -> bool:
        """Offer each kind of request to `accept` until it accepts one; False if none. Raises TooManySteps."""
        state = self._start(wanted)
        if state is None:
            return False
        seen: set[Literals] = set()
        first = self._explore(state, negatives, seen, accept)
        if first is None:
            return True
        levels = [first]
        while levels:
            branch = next(levels[-1], None)
            if branch is None:
                levels.pop()
                if levels:
                    state.back()
                continue
            state.go(branch)
            further = self._explore(state, negatives, seen, accept)
            if further is None:
                return True
            levels.append(further)
        return False

    def _explore(
        self, state: _State, negatives: Sequence[Cube], seen: set[Literals], accept: Accept
    ) -> Iterator[_Branch] | None:
        """The branches from a state; None if its values were accepted."""
        name = state.name
        self._budget.spend(4 + len(state.literals) // 8, STATEMENTS)
        if name in seen:
            return iter(())
        seen.add(name)
        branches = self._branches(state, negatives)
        if branches is not None:
            return iter(branches)
        return None if accept(state.values) else iter(())

    def _start(self, wanted: Sequence[Atom]) -> _State | None:
        self._budget.spend(2 + len(wanted), STATEMENTS)
        literals: dict[str, Literals] = {}
        keys: dict[str, ConditionKey] = {}
        for atom in wanted:
            literals[atom.key.name] = literals.get(atom.key.name, 0) | _literal(atom.number, wanted=True)
            keys[atom.key.name] = atom.key
        for key in self._always:
            literals.setdefault(key.name, 0)
            keys[key.name] = key
        values: dict[str, Values] = {}
        for name, on_key in literals.items():
            found = self._find(keys[name], on_key)
            if found is None:
                return None
            values[name] = found
        return _State(literals, values)

    def _branches(self, state: _State, negatives: Sequence[Cube]) -> list[_Branch] | None:
        """The branches that deny one negative that matches (none: a dead end); None if no negative matches."""
        self._budget.spend(1 + len(negatives) // 3, STATEMENTS)
        best: list[_Branch] | None = None
        looked_at = 0
        for cube in negatives:
            if cube.number in state.denied or not self._matches(cube, state.values):
                continue
            self._budget.spend(2 * len(cube.atoms), STATEMENTS)
            branches = [branch for atom in cube.atoms if (branch := self._denying(state, cube, atom)) is not None]
            if best is None or len(branches) < len(best):
                best = branches
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

    def _denying(self, state: _State, cube: Cube, atom: Atom) -> _Branch | None:
        """The branch that denies an atom of a negative; None if it cannot be denied."""
        name = atom.key.name
        before = state.literals.get(name, 0)
        if before & _literal(atom.number, wanted=True):
            return None
        literals = before | _literal(atom.number, wanted=False)
        found = self._find(atom.key, literals)
        return None if found is None else _Branch(cube.number, name, literals, found)

    def _find(self, key: ConditionKey, literals: Literals) -> Values | None:
        name = (key.name, literals)
        if name not in self._found:
            self._found[name] = self._find_new(key, literals)
        return self._found[name]

    def _find_new(self, key: ConditionKey, literals: Literals) -> Values | None:
        given = [*self._atoms_of(literals)]
        opaque = [
            (atom.predicate.clause, wanted) for atom, wanted in given if isinstance(atom.predicate, Uninterpreted)
        ]
        hold = [clause for clause, wanted in opaque if wanted]
        fail = [clause for clause, wanted in opaque if not wanted]
        self._budget.spend(4 + sum(atom.weight for atom, _ in given) + len(hold) * len(fail), STATEMENTS)
        if any(covers_clause(wide, narrow) for wide in fail for narrow in hold):
            return None
        return key.find([(atom.predicate, wanted) for atom, wanted in given], self._budget)

    def _atoms_of(self, literals: Literals) -> Iterator[tuple[Atom, bool]]:
        while literals:
            low = literals & -literals
            number, wanted = divmod(low.bit_length() - 1, 2)
            yield self._parts[number], bool(wanted)
            literals ^= low
