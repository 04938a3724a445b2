"""Wildcards: certain answers, checked against the texts that the patterns match."""

import re
from itertools import product

import pytest

from iam_access.document.pattern import Syntax, pattern, pattern_covers, patterns_meet
from iam_access.document.variables import captured, variables_in

ALPHABET = "ab*?"
TEXTS = ["".join(letters) for size in range(5) for letters in product("abc", repeat=size)]
PATTERNS = ["".join(letters) for size in range(4) for letters in product(ALPHABET, repeat=size)]


def _language(pattern: str) -> frozenset[str]:
    expression = re.compile("".join({"*": ".*", "?": "."}.get(letter, letter) for letter in pattern))
    return frozenset(text for text in TEXTS if expression.fullmatch(text))


LANGUAGES = {pattern: _language(pattern) for pattern in PATTERNS}


def test_a_pattern_that_covers_another_matches_all_its_texts() -> None:
    covered = [(wide, narrow) for wide in PATTERNS for narrow in PATTERNS if pattern_covers(wide, narrow)]
    assert len(covered) > len(PATTERNS)
    assert [pair for pair in covered if not LANGUAGES[pair[0]] >= LANGUAGES[pair[1]]] == []


def test_a_plain_text_is_covered_by_every_pattern_that_matches_it() -> None:
    texts = [text for text in PATTERNS if not set(text) & set("*?")]
    missed = [(p, t) for p in PATTERNS for t in texts if (t in LANGUAGES[p]) is not pattern_covers(p, t)]
    assert missed == []


def test_patterns_meet_exactly_where_they_share_a_text() -> None:
    wrong = [(a, b) for a in PATTERNS for b in PATTERNS if patterns_meet(a, b) is LANGUAGES[a].isdisjoint(LANGUAGES[b])]
    assert wrong == []


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("ecr:*", "ecr:putimage", True),
        ("ecr:*", "ecr:*", True),
        ("*", "ecr:*", True),
        ("ecr:get*", "ecr:*", False),
        ("ecr:?", "ecr:*", False),
        ("repository/*", "repository/shop/checkout", True),
        ("repository/${aws:username}", "repository/${aws:username}", True),
        ("repository/${aws:username}", "repository/alice", False),
        ("repository/${aws:userid}", "repository/${aws:username}", False),
        ("repository/${*}", "repository/*", False),
        ("repository/*", "repository/${*}", True),
        ("a${$}{x}", "a${$}{x}", True),
        ("a?{x}", "a${$}{x}", True),
        ("a$*", "a${$}{x}", True),
    ],
)
def test_covers(wide: str, narrow: str, covered: bool) -> None:
    assert pattern_covers(wide, narrow) is covered


ROLE = "arn:aws:iam::222222222222:role/pusher"
MATCHES = {
    "a star in a part of an ARN takes all of that part": (Syntax.ARN, "arn:aws:iam::*:role/pusher", ROLE, True),
    "a star in a part of an ARN takes no colon": (Syntax.ARN, "arn:aws:*:role/pusher:*:*", ROLE, False),
    "a star in the last part of an ARN takes colons": (Syntax.ARN, "arn:aws:iam::*:*", f"{ROLE}:a:b", True),
    "a star of a resource takes colons": (Syntax.WILD, "arn:aws:*:role/pusher", ROLE, True),
    "a star is itself where there are no wildcards": (Syntax.EXACT, "team-*", "team-*", True),
    "and nothing else": (Syntax.EXACT, "team-*", "team-a", False),
    "nor where case is ignored": (Syntax.FOLDED, "team-?", "team-a", False),
    "case is ignored": (Syntax.FOLDED, "Team", "tEAM", True),
    "case is ignored around a variable": (Syntax.FOLDED, "Team-${aws:username}", "tEAM-anna", True),
    "the path of a caller is any printed character": (Syntax.CALLER, "role/*x", "role/!~/x", True),
    "and no control character": (Syntax.CALLER, "role/*x", "role/\x7f/x", False),
}


@pytest.mark.parametrize("name", MATCHES)
def test_a_value_matches_as_its_operator_reads_it(name: str) -> None:
    syntax, text, given, expected = MATCHES[name]
    assert pattern(text, syntax).matches(given) is expected


@pytest.mark.parametrize(
    ("text", "keys"),
    [("a/${aws:username}/${*}/${aws:UserId}", ["aws:username", "aws:userid"]), ("a/${$}/*", []), ("a", [])],
)
def test_the_variables_of_a_pattern_come_in_order(text: str, keys: list[str]) -> None:
    assert [variable.key for variable in variables_in(text)] == keys


def test_a_variable_may_be_any_text() -> None:
    assert patterns_meet("repository/${aws:username}", "repository/alice")
    assert not patterns_meet("repository/${aws:username}", "role/alice")


def test_braces_that_never_close_are_read_in_time_that_grows_with_the_text() -> None:
    # Quadratic before: four million steps for 2,000 characters, and minutes for what a document may hold.
    assert pattern_covers("*", "${" * 100_000)
    assert not pattern_covers("a?", "${" * 100_000)


@pytest.mark.parametrize(
    ("pattern", "text", "values"),
    [
        ("a/${aws:username}/b/${aws:userid}/c", "a/x/b/y/b/z/c", ["x", "y/b/z"]),
        ("${aws:username}-*-${aws:userid}", "a-b-c-d", ["a", "c-d"]),
        ("a/${aws:username}", "b/x", []),
        ("a/${aws:username}/b", "a/x", []),
        ("a/${aws:username}", "a/", []),
    ],
)
def test_a_variable_takes_the_shortest_text(pattern: str, text: str, values: list[str]) -> None:
    assert [value for _, value in captured(pattern, text)] == values
