"""Is there a text that matches all of these patterns and none of those? Exactly, with such a text as the proof.

A union of patterns runs as one nondeterministic automaton, whose state is a bit set of positions. The product of the
unions is searched breadth first from the start, over the characters that some position distinguishes and one other:
nothing is determinised beforehand, and the work is counted (Steps).
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest

from iam_access.document.pattern import (
    ANY,
    CharacterClass,
    Loop,
    Pattern,
    Step,
    Syntax,
    covers,
    may_meet,
    pattern,
)
from iam_access.document.steps import Steps
from iam_access.key_values.shapes import ARNS, NONEMPTY

WILDCARDS = "the wildcards overlap in too many ways"
"""What was too much, when counted work ended before an answer (document.steps)."""

type Language = frozenset[Pattern]
"""The texts that match one of the patterns."""

_OTHERS = "xyzqvw0123456789abcdefghijklmnoprstu-_/.XYZ" + "".join(chr(0xE000 + index) for index in range(64))
_SHAPES = frozenset({ARNS, NONEMPTY})
_FILLERS = ("x", "")
_LETTER = 2
"""The most characters of one letter, its two cases; a class with more is kept whole."""
_ALL = pattern("*", Syntax.WILD)


class Nfa:
    """A language as one nondeterministic automaton; a state is a bit set of positions."""

    __slots__ = ("_distinguished", "_loop_masks", "_step_masks", "accepting", "endless", "loops", "start", "steps")

    def __init__(self, language: Iterable[Pattern]) -> None:
        self.steps: list[Step | None] = []
        self.loops: list[Loop] = []
        self.start = self.accepting = self.endless = 0
        for one in language:
            self.start |= 1 << len(self.steps)
            self.steps += [*one.steps, None]
            self.loops += one.loops
            last = 1 << (len(self.steps) - 1)
            self.accepting |= last
            if one.loops[-1] == ANY:
                self.endless |= last
        self._step_masks = _Masks(self.steps)
        self._loop_masks = _Masks(self.loops)
        self._distinguished: dict[int, frozenset[str]] = {}

    def move(self, state: int, char: str) -> int:
        """The positions after one more character."""
        return ((state & self._step_masks.of(char)) << 1) | (state & self._loop_masks.of(char))

    def distinguished(self, state: int) -> frozenset[str]:
        """The characters, and whole classes of them, that make a difference in this state; all others are alike."""
        found = self._distinguished.get(state)
        if found is None:
            chars: set[str] = set()
            left = state
            while left:
                low = left & -left
                at = low.bit_length() - 1
                for one in (self.steps[at], self.loops[at]):
                    if isinstance(one, CharacterClass):
                        chars.update((one.chars,) if len(one.chars) > _LETTER else one.chars)
                left ^= low
            found = self._distinguished[state] = frozenset(chars)
        return found


class _Masks:
    """The positions whose class takes each character."""

    __slots__ = ("_named", "_negated", "_open")

    def __init__(self, classes: Sequence[Step | None]) -> None:
        self._named: dict[str, int] = {}
        self._negated: dict[str, int] = {}
        self._open = 0
        for at, one in enumerate(classes):
            if not isinstance(one, CharacterClass):
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
def _nfa(language: Language) -> Nfa:
    return Nfa(sorted(language, key=lambda one: one.text))


def sample(pattern: Pattern, filler: str) -> str:
    """A text with `filler` for each loop; the caller checks that it matches."""
    text = ""
    for step, loop in zip_longest(pattern.steps, pattern.loops):
        if loop is not None:
            text += filler
        if isinstance(step, CharacterClass):
            text += "x" if step.negated else step.chars[:1]
    return text


def find_word(inside: Sequence[Language], outside: Language, budget: Steps) -> str | None:
    """A text in every language of `inside` that matches no pattern of `outside`; None if there is none.

    No pattern has variables. Raises TooManySteps.
    """
    budget.spend(2 + sum(map(len, inside)), WILDCARDS)
    needed = [language for language in inside if not any(one.universal for one in language)] or [frozenset({_ALL})]
    driver = min(needed, key=_driving)
    others = [language for language in needed if language is not driver]
    by_size = sorted(driver, key=lambda entry: (entry.literal is None, len(entry.steps), entry.text))
    words = (_word_of(one, others, outside, budget) for one in by_size)
    return next((word for word in words if word is not None), None)


def _driving(language: Language) -> tuple[bool, int]:
    """The language to go through pattern by pattern: the smallest one that a document names."""
    return not language.isdisjoint(_SHAPES), len(language)


def _word_of(one: Pattern, others: Sequence[Language], outside: Language, budget: Steps) -> str | None:
    budget.spend(2 + 2 * len(outside) + sum(map(len, others)), WILDCARDS)
    if one in outside or any(covers(other, one, budget, WILDCARDS) for other in outside):
        return None
    if one.literal is not None:
        length = len(one.literal)
        budget.spend(sum(entry.weight(length) for language in others for entry in language), WILDCARDS)
        fits = all(any(entry.matches(one.literal) for entry in language) for language in others)
        return one.literal if fits else None
    needed = [frozenset({one})]
    for language in others:
        if any(covers(entry, one, budget, WILDCARDS) for entry in language):
            continue
        near = frozenset(entry for entry in language if _may_meet(entry, one))
        if not near:
            return None
        needed.append(near)
    near = frozenset(entry for entry in outside if _may_meet(entry, one))
    for filler in _FILLERS:
        # Most often an arbitrary text will do, and a guess costs less than a search.
        word = sample(one, filler)
        work = sum(entry.weight(len(word)) for each in (*needed, near) for entry in each)
        budget.spend(len(word) + work, WILDCARDS)
        if all(any(entry.matches(word) for entry in language) for language in needed) and not any(
            entry.matches(word) for entry in near
        ):
            return word
    return _search([_nfa(language) for language in needed], _nfa(near), budget)


def _may_meet(a: Pattern, b: Pattern) -> bool:
    return a.matches(b.literal) if b.literal is not None else may_meet(a, b)


type _State = tuple[int, ...]


def _search(inside: Sequence[Nfa], outside: Nfa, budget: Steps) -> str | None:
    size = sum(len(nfa.steps) for nfa in (*inside, outside))
    budget.spend(size, WILDCARDS)
    # Bits are moved word by word; keeping a state counts as well.
    move, keep = 1 + len(inside) + size // 4096, 4 + size // 1024
    start: _State = (*(nfa.start for nfa in inside), outside.start)
    reached: dict[_State, tuple[_State, str] | None] = {start: None}
    queue: list[_State] = [start]
    for state in queue:
        away = state[-1]
        if not away & outside.accepting and all(s & u.accepting for s, u in zip(state[:-1], inside, strict=True)):
            return _word_to(state, reached)
        chars = outside.distinguished(away).union(
            *(u.distinguished(s) for s, u in zip(state[:-1], inside, strict=True))
        )
        budget.spend(keep + sum(map(int.bit_count, state)) // 4 + move * (len(chars) + 1), WILDCARDS)
        for char in _representatives(chars):
            lost = outside.move(away, char)
            if lost & outside.endless:
                continue
            following = (*(u.move(s, char) for s, u in zip(state[:-1], inside, strict=True)), lost)
            if all(following[:-1]) and following not in reached:
                reached[following] = (state, char)
                queue.append(following)
    return None


def _representatives(distinguished: frozenset[str]) -> Iterator[str]:
    """One character for each group of characters that are alike, the likeliest first."""
    classes = frozenset(one for one in distinguished if len(one) > 1)
    for alike in _alike(classes) if classes else ():
        found = next((char for char in alike if char not in distinguished), None)
        if found is not None:
            yield found
    yield next(other for other in _OTHERS if other not in distinguished and not any(other in one for one in classes))
    yield from sorted(distinguished - classes)


def _likeliest(char: str) -> tuple[bool, int]:
    at = _OTHERS.find(char)
    return at < 0, at


@lru_cache(maxsize=256)
def _alike(classes: frozenset[str]) -> tuple[str, ...]:
    """The characters of some classes, grouped by the classes that hold them."""
    found: dict[frozenset[str], str] = {}
    for char in dict.fromkeys("".join(sorted(classes))):
        inside = frozenset(one for one in classes if char in one)
        found[inside] = found.get(inside, "") + char
    return tuple("".join(sorted(chars, key=_likeliest)) for chars in found.values())


def _word_to(state: _State, reached: dict[_State, tuple[_State, str] | None]) -> str:
    chars: list[str] = []
    step = reached[state]
    while step is not None:
        state, char = step
        chars.append(char)
        step = reached[state]
    return "".join(reversed(chars))
