"""Patterns as automata: does one cover another, can both match the same text?

A pattern is a chain of character classes with loops, which is what AWS's wildcards amount to: before step i there is a
loop if a `*` stands there. Each way of reading a value (`Syntax`) is compiled to this one form, so all of them can be
compared with each other.
Sources, all under https://docs.aws.amazon.com/IAM/latest/UserGuide/: reference_policies_elements_resource.html,
reference_policies_elements_condition_operators.html (strings, ARNs) and reference_policies_variables.html.
"""

import re
import string
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from msgspec import Struct

from iam_access.arn import ARN_COLONS
from iam_access.document.glob import Glob, Piece, Wild, glob
from iam_access.document.steps import Steps
from iam_access.document.variables import Token, Variable, literal_tokens, tokens
from iam_access.text.ascii_case import ascii_lower, both_cases

NAME = "\0"
"""In texts of Syntax.CALLER, one character or more of the name of a user, role or federated user."""

_MEET_LIMIT = 250_000
_UNCOUNTED = 1 << 62
_SPECIAL = re.compile(r"[*?]|\$\{")


class Syntax(Enum):
    """How a value is read."""

    ACTION = "action"
    """Wildcards, case ignored, no variables."""
    WILD = "wild"
    """Wildcards: resources, StringLike. A variable is any text."""
    SYMBOLIC = "symbolic"
    """Wildcards. A variable is an unknown that only covers itself."""
    EXACT = "exact"
    """No wildcards: StringEquals."""
    FOLDED = "folded"
    """No wildcards, case ignored: StringEqualsIgnoreCase."""
    ARN = "arn"
    """Wildcards that stay within one of the first five parts of an ARN: ArnLike, ArnEquals."""
    CALLER = "caller"
    """The ARN or the account of a caller, never written in a document: `?` is a digit, `*` any characters of a path,
    NAME those of a name; no variables."""
    DOMAIN = "domain"
    """All values of one kind, composed step by step and never written in a document."""


class CharacterClass(NamedTuple):
    """The characters in `chars`, or all others."""

    negated: bool
    chars: str

    def contains(self, char: str) -> bool:
        """Is the character in the class?"""
        return (char in self.chars) is not self.negated

    def includes(self, other: "CharacterClass") -> bool:
        """Does the class include the other?"""
        if other.negated:
            return self.negated and set(self.chars) <= set(other.chars)
        return all(self.contains(char) for char in other.chars)

    def meets(self, other: "CharacterClass") -> bool:
        """Is some character in both classes?"""
        if self.negated:
            return other.negated or any(map(self.contains, other.chars))
        return any(map(other.contains, self.chars))


ANY = CharacterClass(True, "")
NOT_A_COLON = CharacterClass(True, ":")
DIGIT = CharacterClass(False, string.digits)
NAME_CHARACTERS = CharacterClass(False, f"{string.ascii_letters}{string.digits}+=,.@_-")
PATH_CHARACTERS = CharacterClass(
    False, "".join(sorted({*map(chr, range(0x21, 0x7F))} - {*"*?"}, key=lambda char: (not char.isalpha(), char)))
)
_NO_CHARACTER = CharacterClass(False, "")

type Step = CharacterClass | Variable
type Loop = CharacterClass | None


class Pattern(Struct, frozen=True):
    """A compiled pattern."""

    text: str
    syntax: Syntax
    steps: tuple[Step, ...]
    loops: tuple[Loop, ...]
    """One before each step, and one after the last."""
    literal: str | None
    """The only text that matches, if there is just one."""
    prefix: str
    """How every match begins."""
    suffix: str
    """How every match ends."""
    glob: Glob | None
    """The same pattern for fast matching, where its wildcards take any character."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and (self.text, self.syntax) == (other.text, other.syntax)

    def __hash__(self) -> int:
        return hash((self.text, self.syntax))

    @property
    def matches_nothing(self) -> bool:
        """Does no text match, because the value cannot be read as its syntax requires?"""
        return _NO_CHARACTER in self.steps

    @property
    def universal(self) -> bool:
        """Does every text match?"""
        return not self.steps and self.loops[0] == ANY

    def matches(self, text: str) -> bool:
        """Does the text match? Actions are given in lower case."""
        if self.literal is not None:
            return self.literal == text
        if not (text.startswith(self.prefix) and text.endswith(self.suffix)):
            return False
        return self._accepts(text) if self.glob is None else self.glob.matches(text)

    def weight(self, length: int) -> int:
        """Units of work to match a text of this length."""
        stepwise = length if self.glob is None and self.literal is None else 0
        return 1 + stepwise + (length + len(self.steps)) // 64 + length * len(self.steps) // 16_384

    def _accepts(self, text: str) -> bool:
        """By position: after a loop that is narrower than the one before, a part need not be where it first fits."""
        here = 1
        for char in text:
            steps, loops = _taking(self, char)
            here = (here & steps) << 1 | here & loops
            if not here:
                return False
        return bool(here >> len(self.steps) & 1)


@lru_cache(maxsize=4096)
def _taking(pattern: Pattern, char: str) -> tuple[int, int]:
    """The positions whose step takes the character, and those whose loop does, a bit each."""
    steps, loops = (
        sum(1 << at for at, one in enumerate(classes) if isinstance(one, CharacterClass) and one.contains(char))
        for classes in (pattern.steps, pattern.loops)
    )
    return steps, loops


# The patterns come from documents of other people and may be long: the cache must not grow with them.
@lru_cache(maxsize=4096)
def pattern(text: str, syntax: Syntax) -> Pattern:
    """Compile a pattern."""
    steps: list[Step] = []
    loops: list[Loop] = [None]
    is_open = False
    colons = 0
    for token in _tokens(text, syntax):
        match token:
            case Variable() if syntax is Syntax.SYMBOLIC:
                steps.append(token)
                loops.append(None)
            case Variable():
                is_open = True
                loops[-1] = ANY
            case Wild():
                # A variable may contain colons: after one, no wildcard is known to be in one of the first five parts.
                within = syntax is Syntax.ARN and colons < ARN_COLONS and not is_open
                inner = one = NOT_A_COLON if within else ANY
                if syntax is Syntax.CALLER:
                    inner, one = PATH_CHARACTERS, DIGIT
                if token is Wild.ONE:
                    steps.append(one)
                    loops.append(None)
                elif loops[-1] != ANY:
                    loops[-1] = inner
            case _:
                colons += token.count(":")
                for char in token:
                    is_name = char == NAME and syntax is Syntax.CALLER
                    steps.append(NAME_CHARACTERS if is_name else _literal(char, syntax))
                    loops.append(NAME_CHARACTERS if is_name else None)
    if syntax is Syntax.ARN and colons < ARN_COLONS and not is_open:
        steps, loops = [_NO_CHARACTER], [None, None]
    return compose(text, syntax, tuple(steps), tuple(loops))


def _tokens(text: str, syntax: Syntax) -> Iterator[Token]:
    if syntax in (Syntax.ACTION, Syntax.CALLER):
        yield from literal_tokens(text)
    elif syntax in (Syntax.EXACT, Syntax.FOLDED):
        yield from (token.value if isinstance(token, Wild) else token for token in tokens(text))
    else:
        # Stars alone match every ARN.
        every_arn = syntax is Syntax.ARN and text and not text.strip("*")
        yield from tokens("*:*:*:*:*:*" if every_arn else text)


def compose(text: str, syntax: Syntax, steps: tuple[Step, ...], loops: tuple[Loop, ...]) -> Pattern:
    """A pattern from its parts; `text` and `syntax` identify it."""
    plain = [len(step.chars) == 1 and not step.negated if isinstance(step, CharacterClass) else False for step in steps]
    head = 0
    while head < len(steps) and plain[head] and loops[head] is None:
        head += 1
    tail = len(steps)
    while tail > 0 and plain[tail - 1] and loops[tail] is None:
        tail -= 1
    prefix, suffix = _spelled(steps[:head]), _spelled(steps[tail:])
    literal = prefix if head == len(steps) and not any(loops) else None
    fast = None
    if literal is None and syntax in (Syntax.ACTION, Syntax.WILD, Syntax.SYMBOLIC):
        pieces = [*_pieces(steps, loops)]
        fast = None if None in pieces else glob(filter(None, pieces))
    return Pattern(text, syntax, steps, loops, literal, prefix, suffix, fast)


def _spelled(steps: tuple[Step, ...]) -> str:
    return "".join(step.chars for step in steps if isinstance(step, CharacterClass))


def _pieces(steps: tuple[Step, ...], loops: tuple[Loop, ...]) -> Iterator[Piece | None]:
    """None for a variable, which no glob holds."""
    for step, loop in zip_longest(steps, loops):
        if loop is not None:
            yield Wild.ANY
        if isinstance(step, CharacterClass):
            yield Wild.ONE if step.negated else step.chars
        elif step is not None:
            yield None


@lru_cache(maxsize=4096)
def _literal(char: str, syntax: Syntax) -> CharacterClass:
    if syntax is Syntax.ACTION:
        return CharacterClass(False, ascii_lower(char))
    if syntax is Syntax.FOLDED:
        return CharacterClass(False, "".join(sorted(both_cases(char))))
    return CharacterClass(False, char)


def covers(wide: Pattern, narrow: Pattern, steps: Steps, reason: str = "") -> bool:
    """Does every text that `narrow` matches match `wide`? A yes is certain, a no may be doubt.

    The narrow pattern is run through the wide one as if it were a text. Raises TooManySteps with the reason.
    """
    if wide.universal:
        return True
    if narrow.literal is not None:
        steps.spend(wide.weight(len(narrow.literal)), reason)
        return wide.matches(narrow.literal)
    if not narrow.prefix.startswith(wide.prefix) and not wide.prefix.startswith(narrow.prefix):
        return False
    here = {0}
    for at, loop in enumerate(narrow.loops):
        steps.spend(1 + len(here), reason)
        if loop is not None:
            here = {place for place in here if (mine := wide.loops[place]) is not None and mine.includes(loop)}
        if at < len(narrow.steps):
            step = narrow.steps[at]
            following = {place + 1 for place in here if place < len(wide.steps) and _takes(wide.steps[place], step)}
            following.update(place for place in here if _loop_takes(wide.loops[place], step))
            here = following
        if not here:
            return False
    return len(wide.steps) in here


def _takes(wide: Step, narrow: Step) -> bool:
    if isinstance(wide, CharacterClass):
        return isinstance(narrow, CharacterClass) and wide.includes(narrow)
    # A variable with a default is what it would be without one, and something where that is nothing.
    return isinstance(narrow, Variable) and (wide == narrow or (wide.key == narrow.key and narrow.default is None))


def _loop_takes(loop: Loop, step: Step) -> bool:
    if loop is None:
        return False
    return loop == ANY if isinstance(step, Variable) else loop.includes(step)


def may_meet(a: Pattern, b: Pattern) -> bool:
    """Can the beginnings and the ends of both be those of one text? A no is certain."""
    return (a.prefix.startswith(b.prefix) or b.prefix.startswith(a.prefix)) and (
        a.suffix.endswith(b.suffix) or b.suffix.endswith(a.suffix)
    )


def meets(a: Pattern, b: Pattern, steps: Steps) -> bool:
    """Can one text match both? A no is certain, a yes may be doubt. Variables must be read as any text."""
    if not may_meet(a, b):
        return False
    if len(a.steps) * len(b.steps) > _MEET_LIMIT:
        return True
    steps.spend((1 + len(a.steps)) * (1 + len(b.steps)))
    # Whether some text leads to place i of `a` and place j of `b`: row by row over i, column by column over j.
    above: list[bool] = []
    for i in range(len(a.steps) + 1):
        row: list[bool] = []
        for j in range(len(b.steps) + 1):
            row.append(
                (i == 0 and j == 0)
                or (i > 0 and j > 0 and above[j - 1] and _meet(a.steps[i - 1], b.steps[j - 1]))
                or (i > 0 and above[j] and _meet(a.steps[i - 1], b.loops[j]))
                or (j > 0 and row[j - 1] and _meet(b.steps[j - 1], a.loops[i]))
            )
        above = row
    return above[-1]


def _meet(a: Step, b: Step | None) -> bool:
    return isinstance(a, CharacterClass) and isinstance(b, CharacterClass) and a.meets(b)


def is_literal(text: str) -> bool:
    """Does the text hold neither wildcards nor variables?"""
    return _SPECIAL.search(text) is None


def pattern_covers(wide: str, narrow: str, steps: Steps | None = None) -> bool:
    """Does `wide` match every text that `narrow` matches, whatever the variables are? A yes is certain.

    Raises TooManySteps once `steps`, if given, are used up.
    """
    if wide in ("*", narrow):
        return True
    if is_literal(wide):
        return False
    return covers(pattern(wide, Syntax.SYMBOLIC), pattern(narrow, Syntax.SYMBOLIC), steps or Steps(_UNCOUNTED))


def patterns_meet(a: str, b: str, steps: Steps | None = None) -> bool:
    """Can one text match both, for some value of the variables? A no is certain. `steps`: see pattern_covers."""
    if a == b or "*" in (a, b):
        return True
    if is_literal(a) and is_literal(b):
        return False
    return meets(pattern(a, Syntax.WILD), pattern(b, Syntax.WILD), steps or Steps(_UNCOUNTED))
