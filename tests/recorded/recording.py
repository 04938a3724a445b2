"""Draws cases, asks for their verdicts and keeps a rich part of them: `record` of `python -m tests.recorded`."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from tests.recorded.cases import Case, write
from tests.recorded.draw import Inputs, drawn
from tests.recorded.verdicts import verdict_on

CASES = {"relate": 1300, "plan": 700, "judge": 700, "findings": 450, "can-i": 950, "who-can": 400, "event": 500}
"""How many of each question."""
_MOST = 0.4
"""The share of a question's cases that may have one answer, while others still come."""
_FEW_ERRORS = 0.04
_RARE = 8
"""A code that fewer cases have is worth a case whatever its answer."""
_TRIED = 2
_LONGEST = 6000


def record() -> None:
    """Draw the cases, and write them with the verdicts of this version."""
    streams = drawn()
    write(case for question, number in CASES.items() for case in _chosen(question, streams[question], number))


def _chosen(question: str, stream: Iterator[Inputs], number: int) -> list[Case]:
    """A number of the cases: of each answer some, and every rare code."""
    kept: dict[int, Case] = {}
    left: dict[int, Case] = {}
    answers: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for at, case in enumerate(_cases(question, islice(stream, _TRIED * number))):
        answer = case.verdict["answer"]
        most = number * (_FEW_ERRORS if answer in ("error", "malformed") else _MOST)
        is_rare = min((codes[code] for code in case.verdict["codes"]), default=_RARE) < _RARE
        if len(kept) < number and (answers[answer] < most or is_rare):
            kept[at] = case
            answers[answer] += 1
            codes.update(case.verdict["codes"])
        elif is_rare or answer not in ("error", "malformed"):
            left[at] = case
    kept |= dict(islice(left.items(), number - len(kept)))
    named = enumerate((kept[at] for at in sorted(kept)), 1)
    return [Case(f"{question} {at}", question, case.inputs, case.verdict) for at, case in named]


def _cases(question: str, stream: Iterable[Inputs]) -> Iterator[Case]:
    """Each input once, with its verdict, but for those whose verdict nobody could read."""
    seen: set[str] = set()
    for inputs in stream:
        key = json.dumps(inputs, sort_keys=True)
        if key not in seen:
            seen.add(key)
            verdict = verdict_on(question, inputs)
            if len(json.dumps(verdict)) <= _LONGEST:
                yield Case("", question, inputs, verdict)
