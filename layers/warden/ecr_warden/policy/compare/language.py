"""Is there a text that matches all of these patterns and none of those? Exactly, with one as the proof.

The patterns of a union run side by side as one set of positions (a bit each). The product of the unions is walked
breadth first, from the start, over the characters that some position asks for and one other: nothing is determinised
beforehand, and the walk is counted (Budget).
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from ecr_warden.policy.compare.automaton import (
    ACTIONS,
    ANY,
    ARN_COLONS,
    ARNS,
    NONEMPTY,
    Glob,
    Step,
    Syntax,
    covers,
    glob,
    matches,
    may_meet,
    sample,
    weight,
)
from ecr_warden.policy.compare.budget import WILDCARDS, Budget
from ecr_warden.policy.pattern import pattern_covers

type Globs = frozenset[Glob]

_OTHERS = "xyzqvw0123456789abcdefghijklmnoprstu-_/.XYZ" + "".join(chr(0xE000 + index) for index in range(64))
_DOMAINS = frozenset({ACTIONS, ARNS, NONEMPTY})
_FILLERS = ("x", "")
_LETTER = 2
"""Characters that a letter has at most: its two cases. What holds more is a class."""
_ALL = glob("*", Syntax.WILD)


class Union:
    """The patterns of a union as one automaton whose states are bit sets."""

    __slots__ = ("_asked", "_loop_masks", "_step_masks", "accepting", "endless", "loops", "start", "steps")

    def __init__(self, globs: Iterable[Glob]) -> None:
        self.steps: list[Step | None] = []
        self.loops: list[Step | None] = []
        self.start = self.accepting = self.endless = 0
        for one in globs:
            self.start |= 1 << len(self.steps)
            self.steps += [*one.steps, None]
            self.loops += one.loops
            last = 1 << (len(self.steps) - 1)
            self.accepting |= last
            if one.loops[-1] == ANY:
                self.endless |= last
        self._step_masks = _Masks(self.steps)
        self._loop_masks = _Masks(self.loops)
        self._asked: dict[int, frozenset[str]] = {}

    def move(self, state: int, char: str) -> int:
        """The positions after one more character."""
        return ((state & self._step_masks.of(char)) << 1) | (state & self._loop_masks.of(char))

    def asked(self, state: int) -> frozenset[str]:
        """The characters that are told apart in this state, and whole classes of them; all others are alike."""
        found = self._asked.get(state)
        if found is None:
            chars: set[str] = set()
            left = state
            while left:
                low = left & -left
                at = low.bit_length() - 1
                for one in (self.steps[at], self.loops[at]):
                    if one is not None:
                        chars.update((one.chars,) if len(one.chars) > _LETTER else one.chars)
                left ^= low
            found = self._asked[state] = frozenset(chars)
        return found


class _Masks:
    """For each character, the positions whose class takes it."""

    __slots__ = ("_named", "_negated", "_open")

    def __init__(self, classes: Sequence[Step | None]) -> None:
        self._named: dict[str, int] = {}
        self._negated: dict[str, int] = {}
        self._open = 0
        for at, one in enumerate(classes):
            if one is None:
                continue
            bit = 1 << at
            table = self._named
            if one.negated:
                self._open |= bit
                table = self._negated
            for char in one.chars:
                table[char] = table.get(char, 0) | bit

    def of(self, char: str) -> int:
        return self._named.get(char, 0) | self._open & ~self._negated.get(char, 0)


@lru_cache(maxsize=64)
def _union(globs: Globs) -> Union:
    return Union(sorted(globs, key=lambda one: one.text))


def find_word(inside: Sequence[Globs], outside: Globs, budget: Budget) -> str | None:
    """A text in every union of `inside` and in no pattern of `outside`; None if there is none. Raises OverBudget.

    Patterns with variables err to one side: inside they are as wide as can be, outside they take away only what a
    pattern inside says in the same words. So None is certain, a text is certain where no variable is.
    """
    budget.spend(2 + sum(map(len, inside)), WILDCARDS)
    asked = [globs for globs in inside if not any(one.universal for one in globs)] or [frozenset({_ALL})]
    drivers = [globs for globs in asked if any(one.open for one in globs)] or [min(asked, key=_driving)]
    found = None
    # Each union with variables in turn: that nothing is left of one of them is a proof.
    for driver in drivers:
        found = _word_in(driver, [globs for globs in asked if globs is not driver], outside, budget)
        if found is None:
            return None
    return found


def _word_in(driver: Globs, others: Sequence[Globs], outside: Globs, budget: Budget) -> str | None:
    """The same, pattern by pattern of one of the unions."""
    for one in sorted(driver, key=lambda entry: (entry.literal is None, len(entry.steps), entry.text)):
        word = _word_of(one, others, outside, budget)
        if word is not None:
            return word
    return None


def _driving(globs: Globs) -> tuple[bool, int]:
    """What is tried pattern by pattern: the shortest union that a document names."""
    return not globs.isdisjoint(_DOMAINS), len(globs)


def _word_of(one: Glob, others: Sequence[Globs], outside: Globs, budget: Budget) -> str | None:
    budget.spend(2 + 2 * len(outside) + sum(map(len, others)), WILDCARDS)
    if one in outside or any(_takes_away(other, one, budget) for other in outside):
        return None
    if one.literal is not None:
        length = len(one.literal)
        budget.spend(sum(weight(entry, length) for globs in others for entry in globs), WILDCARDS)
        fits = all(any(matches(entry, one.literal) for entry in globs) for globs in others)
        return one.literal if fits else None
    unions = [frozenset({one})]
    for globs in others:
        if any(covers(entry, one, budget) for entry in globs):
            continue
        near = frozenset(entry for entry in globs if may_meet(entry, one))
        if not near:
            return None
        unions.append(near)
    near = frozenset(entry for entry in outside if not entry.open and may_meet(entry, one))
    for filler in _FILLERS:
        # Most often any text that nobody thought of will do, and a guess costs less than a walk.
        word = sample(one, filler)
        near_size = len(word) + sum(weight(entry, len(word)) for globs in (*unions, near) for entry in globs)
        budget.spend(near_size, WILDCARDS)
        if all(any(matches(entry, word) for entry in globs) for globs in unions) and not any(
            matches(entry, word) for entry in near
        ):
            return word
    return _walk([_union(globs) for globs in unions], _union(near), budget)


def _takes_away(outside: Glob, inside: Glob, budget: Budget) -> bool:
    if not outside.open:
        return covers(outside, inside, budget)
    if not inside.open:
        return False
    budget.spend(2 + (len(outside.text) + 8) * len(inside.text) // 16, WILDCARDS)
    match outside.syntax, inside.syntax:
        case (Syntax.WILD, Syntax.WILD | Syntax.EXACT):
            # An exact text read as a pattern is wider than itself, so a pattern that covers it so covers it.
            return pattern_covers(outside.text, inside.text)
        case (Syntax.ARN, Syntax.ARN):
            return _takes_away_arns(outside.text, inside.text)
        case _:
            # What is said in the same words was taken away before.
            return False


def _takes_away_arns(outside: str, inside: str) -> bool:
    """Part by part, if only the last parts hold variables: others may bring colons, and move what follows them."""
    ours, theirs = outside.split(":", ARN_COLONS), inside.split(":", ARN_COLONS)
    return (
        len(ours) == len(theirs) == ARN_COLONS + 1
        and not any("${" in part for part in (*ours[:-1], *theirs[:-1]))
        and all(pattern_covers(wide, narrow) for wide, narrow in zip(ours, theirs, strict=True))
    )


def _walk(inside: Sequence[Union], outside: Union, budget: Budget) -> str | None:
    type State = tuple[int, ...]
    size = sum(len(union.steps) for union in (*inside, outside))
    budget.spend(size, WILDCARDS)
    # Bits are moved by words; what is kept of a state counts, too.
    move, keep = 1 + len(inside) + size // 4096, 4 + size // 1024
    start: State = (*(union.start for union in inside), outside.start)
    came: dict[State, tuple[State, str] | None] = {start: None}
    rows: list[State] = [start]
    for state in rows:
        away = state[-1]
        if not away & outside.accepting and all(s & u.accepting for s, u in zip(state[:-1], inside, strict=True)):
            return _spelled(state, came)
        asked = outside.asked(away).union(*(u.asked(s) for s, u in zip(state[:-1], inside, strict=True)))
        budget.spend(keep + sum(map(int.bit_count, state)) // 4 + move * (len(asked) + 1), WILDCARDS)
        for char in _tried(asked):
            lost = outside.move(away, char)
            if lost & outside.endless:
                continue
            following = (*(u.move(s, char) for s, u in zip(state[:-1], inside, strict=True)), lost)
            if all(following[:-1]) and following not in came:
                came[following] = (state, char)
                rows.append(following)
    return None


def _tried(asked: frozenset[str]) -> Iterator[str]:
    """One character for each way in which they are told apart, the likeliest first."""
    classes = frozenset(one for one in asked if len(one) > 1)
    for alike in _alike(classes) if classes else ():
        found = next((char for char in alike if char not in asked), None)
        if found is not None:
            yield found
    yield next(other for other in _OTHERS if other not in asked and not any(other in one for one in classes))
    yield from sorted(asked - classes)


def _likeliest(char: str) -> tuple[bool, int]:
    at = _OTHERS.find(char)
    return at < 0, at


@lru_cache(maxsize=256)
def _alike(classes: frozenset[str]) -> tuple[str, ...]:
    """The characters of some classes, those together that are in the same of them."""
    found: dict[frozenset[str], str] = {}
    for char in dict.fromkeys("".join(sorted(classes))):
        inside = frozenset(one for one in classes if char in one)
        found[inside] = found.get(inside, "") + char
    return tuple("".join(sorted(chars, key=_likeliest)) for chars in found.values())


def _spelled(state: tuple[int, ...], came: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None]) -> str:
    chars: list[str] = []
    step = came[state]
    while step is not None:
        state, char = step
        chars.append(char)
        step = came[state]
    return "".join(reversed(chars))
