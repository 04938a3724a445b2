"""One wildcard pattern as a chain of character classes with loops: the automaton that AWS's wildcards are.

Position i of the chain has a loop where a `*` stands before its i-th character. Every operator's way of reading a
value (`Syntax`) ends in this one form, so all of them can be compared with each other.
Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html (strings,
ARNs) and reference_policies_variables.html (`${*}`, `${?}`, `${$}`).
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from ecr_warden.policy.ascii_case import ascii_lower, both_cases
from ecr_warden.policy.compare.budget import WILDCARDS, Budget
from ecr_warden.policy.glob import Glob as Held
from ecr_warden.policy.glob import Piece
from ecr_warden.policy.glob import glob as held
from ecr_warden.policy.pattern import Wild


class Syntax(Enum):
    """How a value is read."""

    ACTION = "action"
    """Wildcards, case ignored, no variables."""
    WILD = "wild"
    """Wildcards: resources, StringLike."""
    EXACT = "exact"
    """No wildcards: StringEquals."""
    FOLDED = "folded"
    """No wildcards, case ignored: StringEqualsIgnoreCase."""
    CALLER = "caller"
    """What the ARN or the account of a caller can be, no variables: `?` is a digit, `*` any characters of a path, NAME
    those of a name. Stands in no document."""
    ARN = "arn"
    """Wildcards that stay within one of the first five parts of an ARN: ArnLike, ArnEquals."""
    DOMAIN = "domain"
    """Made here, by hand: what texts of one kind look like. Stands in no document."""


class Step(NamedTuple):
    """A class of characters: those in `chars`, or all others."""

    negated: bool
    chars: str

    def takes(self, char: str) -> bool:
        """Is the character in the class?"""
        return (char in self.chars) is not self.negated

    def takes_all(self, other: "Step") -> bool:
        """Does this class hold every character of the other?"""
        if other.negated:
            return self.negated and set(self.chars) <= set(other.chars)
        return all(self.takes(char) for char in other.chars)


ANY = Step(True, "")
_PART = Step(True, ":")
ARN_COLONS = 5
_DIGIT = Step(False, string.digits)
_NAME_CHARACTERS = Step(False, f"{string.ascii_lowercase}{string.ascii_uppercase}{string.digits}+=,.@_-")
_PATH_CHARACTERS = Step(
    False, "".join(sorted({*map(chr, range(0x21, 0x7F))} - {*"*?"}, key=lambda c: (not c.isalpha(), c)))
)
NAME = "\0"
"""In texts of Syntax.CALLER, one character or more of a user's, role's or federated user's name."""
_NO_CHARACTER = Step(False, "")
# Bounded as the variables of a request are.
_TOKENS = re.compile(r"\$\{[^}]{0,1024}\}|.", re.DOTALL)
_LITERALS = {"${*}": "*", "${?}": "?", "${$}": "$"}


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern; `open` if it holds a policy variable, which is read as any text here: the widest it can be."""

    text: str
    syntax: Syntax
    steps: tuple[Step, ...] = field(compare=False, repr=False)
    loops: tuple[Step | None, ...] = field(compare=False, repr=False)
    open: bool = field(compare=False, repr=False)
    literal: str | None = field(compare=False, repr=False)
    """The only text that matches, if there is just one."""
    prefix: str = field(compare=False, repr=False)
    """How every match begins, and ends."""
    suffix: str = field(compare=False, repr=False)
    quick: Held | None = field(compare=False, repr=False)
    """The same pattern ready to be held against many texts, where wildcards take any text."""

    @property
    def impossible(self) -> bool:
        """Is it read as something that it is not, so that no text matches?"""
        return _NO_CHARACTER in self.steps

    @property
    def universal(self) -> bool:
        """Does every text match, whatever the variables are?"""
        return not self.open and not self.steps and self.loops[0] == ANY


# Of documents from outside, whose patterns may be as long as they are: what is kept must not grow with them.
@lru_cache(maxsize=4096)
def glob(text: str, syntax: Syntax) -> Glob:
    """Compile a pattern."""
    steps: list[Step] = []
    loops: list[Step | None] = [None]
    is_open = False
    colons = 0
    if syntax is Syntax.ARN and text and not text.strip("*"):
        text = "*:*:*:*:*:*"
    for piece in [*text] if syntax in (Syntax.ACTION, Syntax.CALLER) else _TOKENS.findall(text):
        # A variable may bring colons with it: after one, no wildcard is known to stand in one of the first five parts.
        inner = one = _PART if syntax is Syntax.ARN and colons < ARN_COLONS and not is_open else ANY
        if syntax is Syntax.CALLER:
            inner, one = _PATH_CHARACTERS, _DIGIT
        if len(piece) > 1 and piece not in _LITERALS:
            is_open = True
            loops[-1] = ANY
        elif piece == NAME and syntax is Syntax.CALLER:
            steps.append(_NAME_CHARACTERS)
            loops.append(_NAME_CHARACTERS)
        elif piece == "*" and syntax not in (Syntax.EXACT, Syntax.FOLDED):
            if loops[-1] != ANY:
                loops[-1] = inner
        elif piece == "?" and syntax not in (Syntax.EXACT, Syntax.FOLDED):
            steps.append(one)
            loops.append(None)
        else:
            char = _LITERALS.get(piece, piece)
            colons += char == ":"
            steps.append(_literal(char, syntax))
            loops.append(None)
    if syntax is Syntax.ARN and colons < ARN_COLONS and not is_open:
        steps, loops = [_NO_CHARACTER], [None, None]
    return _glob(text, syntax, tuple(steps), tuple(loops), is_open)


def _glob(text: str, syntax: Syntax, steps: tuple[Step, ...], loops: tuple[Step | None, ...], is_open: bool) -> Glob:
    plain = [len(step.chars) == 1 and not step.negated for step in steps]
    literal = None
    if all(plain) and not any(loops):
        literal = "".join(step.chars for step in steps)
    head = 0
    while head < len(steps) and plain[head] and loops[head] is None:
        head += 1
    tail = len(steps)
    while tail > 0 and plain[tail - 1] and loops[tail] is None:
        tail -= 1
    prefix = "".join(step.chars for step in steps[:head])
    suffix = "".join(step.chars for step in steps[tail:])
    quick = None
    if literal is None and syntax in (Syntax.ACTION, Syntax.WILD):
        quick = held(_pieces(steps, loops))
    return Glob(text, syntax, steps, loops, is_open, literal, prefix, suffix, quick)


def _pieces(steps: tuple[Step, ...], loops: tuple[Step | None, ...]) -> Iterator[Piece]:
    for step, loop in zip_longest(steps, loops):
        if loop is not None:
            yield Wild.ANY
        if step is not None:
            yield Wild.ONE if step.negated else step.chars


@lru_cache(maxsize=4096)
def _literal(char: str, syntax: Syntax) -> Step:
    if syntax is Syntax.ACTION:
        return Step(False, ascii_lower(char))
    if syntax is Syntax.FOLDED:
        return Step(False, "".join(sorted(both_cases(char))))
    return Step(False, char)


_COLON = Step(False, ":")
ACTIONS = _glob("service:name", Syntax.DOMAIN, (_PART, _COLON, _PART), (_PART, None, _PART, None), False)
"""What an action looks like."""

ARNS = _glob(
    "an ARN",
    Syntax.DOMAIN,
    (*[Step(False, char) for char in "arn"], *[_COLON] * 5),
    (*[None] * 4, *[_PART] * 4, ANY),
    False,
)
"""What an ARN looks like: `arn` and five more parts, all but the last without a colon."""

NOT_ARNS = frozenset(
    _glob(f"{colons} colons", Syntax.DOMAIN, (_COLON,) * colons, (_PART,) * (colons + 1), False) for colons in range(5)
)
"""All other texts."""

_REGION = Step(False, f"{string.ascii_lowercase}{string.digits}-")
_INNER = Step(False, f"{string.ascii_lowercase}{string.digits}-_./")
_ENDS = Step(False, f"{string.ascii_lowercase}{string.digits}")


def _service(service: str, *, region: bool, kind: str, name: tuple[Step, ...], loops: tuple[Step | None, ...]) -> Glob:
    """What an ARN of a service looks like: of any region and account, and this name."""
    steps: list[Step] = []
    between: list[Step | None] = [None]

    def say(text: str) -> None:
        steps.extend(_literal(char, Syntax.EXACT) for char in text)
        between.extend([None] * len(text))

    say(f"arn:aws:{service}:")
    if region:
        steps.append(_REGION)
        between.append(_REGION)
    say(":")
    steps.extend([_DIGIT] * 12)
    between.extend([None] * 12)
    say(f":{kind}/")
    between[-1] = loops[0]
    text = f"{service} {kind} of {len(name)}"
    return _glob(text, Syntax.DOMAIN, (*steps, *name), (*between, *loops[1:]), False)


REPOSITORIES = frozenset(
    {
        _service("ecr", region=True, kind="repository", name=(_ENDS,), loops=(None, None)),
        _service("ecr", region=True, kind="repository", name=(_ENDS, _ENDS), loops=(None, _INNER, None)),
    }
)
"""ARNs that a repository can have in the partition `aws`: its name holds no colon and no capital letter.

Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
"""

ROLES = frozenset(
    {_service("iam", region=False, kind="role", name=(_NAME_CHARACTERS,), loops=(_PATH_CHARACTERS, _NAME_CHARACTERS))}
)
"""ARNs that a role can have in the partition `aws`."""


def of_characters(chars: str) -> Glob:
    """Texts of these characters alone, one or more."""
    one = Step(False, "".join(sorted(chars)))
    return _glob(f"characters {chars}", Syntax.DOMAIN, (one,), (None, one), False)


NONEMPTY = _glob("?*", Syntax.WILD, (ANY,), (ANY, None), False)
"""Every text but the empty one."""


def doubtful(name: str) -> Glob:
    """Any text, if variables have the values for that, else none; the same name, the same doubt."""
    return _glob(f"doubtful {name}", Syntax.DOMAIN, (), (ANY,), True)


def matches(pattern: Glob, text: str) -> bool:
    """Does the text match? Actions are given in lower case."""
    if pattern.literal is not None:
        return pattern.literal == text
    if not (text.startswith(pattern.prefix) and text.endswith(pattern.suffix)):
        return False
    if pattern.quick is not None:
        return pattern.quick.matches(text)
    if pattern.syntax in (Syntax.CALLER, Syntax.DOMAIN):
        return _walks(pattern, text)
    return _expression(pattern).fullmatch(text) is not None


def _walks(pattern: Glob, text: str) -> bool:
    """The same place by place: where a loop is narrower than the one before, no part is right where it first fits."""
    here = 1
    for char in text:
        steps, loops = _taking(pattern, char)
        here = (here & steps) << 1 | here & loops
        if not here:
            return False
    return bool(here >> len(pattern.steps) & 1)


@lru_cache(maxsize=4096)
def _taking(pattern: Glob, char: str) -> tuple[int, int]:
    """The places whose step takes a character, and those whose loop does, a bit each."""
    steps = sum(1 << at for at, one in enumerate(pattern.steps) if one.takes(char))
    return steps, sum(1 << at for at, one in enumerate(pattern.loops) if one is not None and one.takes(char))


@lru_cache(maxsize=512)
def _expression(pattern: Glob) -> re.Pattern[str]:
    """Atomic groups take each part between two loops where it first fits, as is right for loops, and never go back."""
    parts: list[str] = [""]
    for step, loop in zip_longest(pattern.steps, pattern.loops):
        if loop is not None:
            parts.append(_class(loop) + "*?")
        if step is not None:
            parts[-1] += _class(step)
    first, *middle = parts
    if not middle:
        return re.compile(first, re.DOTALL)
    last = middle.pop()
    return re.compile(f"{first}{''.join(f'(?>{part})' for part in middle)}{last}", re.DOTALL)


def _class(step: Step) -> str:
    if not step.chars:
        return "." if step.negated else "(?!)"
    return f"[{'^' if step.negated else ''}{re.escape(step.chars)}]"


def sample(pattern: Glob, filler: str) -> str:
    """A text with `filler` for each loop; the caller checks that it matches."""
    text = ""
    for step, loop in zip_longest(pattern.steps, pattern.loops):
        if loop is not None:
            text += filler
        if step is not None:
            text += "x" if step.negated else step.chars[:1]
    return text


def weight(pattern: Glob, text_length: int) -> int:
    """Units of work to hold the pattern against a text of that length."""
    walked = text_length if pattern.syntax in (Syntax.CALLER, Syntax.DOMAIN) else 0
    return 1 + walked + (text_length + len(pattern.steps)) // 64 + text_length * len(pattern.steps) // 16_384


def covers(wide: Glob, narrow: Glob, budget: Budget) -> bool:
    """Does every text of `narrow` match `wide`? A yes is certain, a no may be doubt; variables are any text."""
    if wide.universal:
        return True
    if narrow.literal is not None:
        budget.spend(weight(wide, len(narrow.literal)), WILDCARDS)
        return matches(wide, narrow.literal)
    if not narrow.prefix.startswith(wide.prefix) and not wide.prefix.startswith(narrow.prefix):
        return False
    here = {0}
    for at, loop in enumerate(narrow.loops):
        budget.spend(1 + len(here), WILDCARDS)
        if loop is not None:
            here = {place for place in here if (mine := wide.loops[place]) is not None and mine.takes_all(loop)}
        if at < len(narrow.steps):
            step = narrow.steps[at]
            following = {place + 1 for place in here if place < len(wide.steps) and wide.steps[place].takes_all(step)}
            following.update(
                place for place in here if (mine := wide.loops[place]) is not None and mine.takes_all(step)
            )
            here = following
        if not here:
            return False
    return len(wide.steps) in here


def may_meet(a: Glob, b: Glob) -> bool:
    """Can one text match both? A no is certain."""
    if a.literal is not None:
        return matches(b, a.literal)
    if b.literal is not None:
        return matches(a, b.literal)
    return (a.prefix.startswith(b.prefix) or b.prefix.startswith(a.prefix)) and (
        a.suffix.endswith(b.suffix) or b.suffix.endswith(a.suffix)
    )
