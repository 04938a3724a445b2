"""The recorded cases: questions in texts, each with the verdict that was given; and what a verdict differs in now."""

import json
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import batched
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests import tables
from tests.recorded.verdicts import CODES, Verdict, verdict_on

FILE = Path(__file__).with_name("cases.jsonl.xz")
ACCEPTED = Path(__file__).with_name("accepted.yaml")
_CHUNK = 50


class Case(Struct, frozen=True):
    """One question in texts, and its verdict; `name`: the question and a number."""

    name: str
    question: str
    inputs: Mapping[str, str]
    verdict: Verdict


class Difference(Struct, frozen=True):
    """A field of a verdict that is no longer as it was recorded."""

    case: str
    field: str
    was: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.case} {self.field}: " + "; ".join(_apart(self.was, self.found))


def _apart(was: Any, found: Any) -> Iterator[str]:
    if isinstance(was, list) and isinstance(found, list):
        gone, new = [one for one in was if one not in found], [one for one in found if one not in was]
        if gone or new:
            yield f"no longer {gone}, but {new}"
            return
    yield f"was {was!r}, found {found!r}"


# The file


def write(cases: Iterable[Case], path: Path = FILE) -> None:
    """Write the cases, a line each; a text stands in a line of its own, and cases name it by its number."""
    numbers: dict[str, int] = {}
    lines: list[str] = []
    for case in cases:
        for text in case.inputs.values():
            if text not in numbers:
                numbers[text] = len(numbers)
                lines.append(json.dumps(text))
        inputs = {name: numbers[text] for name, text in case.inputs.items()}
        lines.append(json.dumps({"name": case.name, "inputs": inputs, "verdict": case.verdict}, sort_keys=True))
    path.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))


def read(path: Path = FILE) -> list[Case]:
    """All cases, in the order of the file."""
    texts: list[str] = []
    found: list[Case] = []
    for line in lzma.decompress(path.read_bytes()).decode().splitlines():
        value = json.loads(line)
        if isinstance(value, str):
            texts.append(value)
            continue
        inputs = {name: texts[number] for name, number in value["inputs"].items()}
        found.append(Case(value["name"], value["name"].rpartition(" ")[0], inputs, value["verdict"]))
    return found


def record(more: Iterable[str] = ()) -> None:
    """Give every case the verdict of this version; `more`: lines of JSON with the question and inputs of new ones."""
    new = [(one["question"], one["inputs"]) for one in map(json.loads, more)]
    of_each: defaultdict[str, list[Case]] = defaultdict(list)
    for question, inputs in [*((case.question, case.inputs) for case in read()), *new]:
        name = f"{question} {len(of_each[question]) + 1}"
        of_each[question].append(Case(name, question, inputs, verdict_on(question, inputs)))
    write(case for cases in of_each.values() for case in cases)


def accepted(path: Path = ACCEPTED) -> Mapping[str, str]:
    """The cases, or the fields of cases, whose verdict was changed on purpose since, each with the reason."""
    listed: Mapping[str, Mapping[str, str]] = tables.load(path.read_text()) or {}
    found: dict[str, str] = {}
    for reason, of_each in listed.items():
        for what, numbers in of_each.items():
            question, _, field = what.partition(" ")
            found |= {f"{question} {number} {field}".rstrip(): reason for number in numbers.split()}
    return found


def some(cases: Sequence[Case], number: int) -> list[Case]:
    """A fixed choice, spread over all questions and answers by their shares, with one at least of each."""
    groups: defaultdict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.question, case.verdict["answer"]].append(case)
    found: list[Case] = []
    for _, group in sorted(groups.items()):
        share = max(1, round(number * len(group) / len(cases)))
        found += [group[at * len(group) // share] for at in range(share)]
    return found


def shares(cases: Iterable[Case]) -> list[str]:
    """How the answers of each question are spread, and how many cases have each code, in lines."""
    answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    codes: Counter[str] = Counter()
    for case in cases:
        answers[case.question][case.verdict["answer"]] += 1
        codes.update(case.verdict["codes"])
    lines = [
        f"{question} ({sum(each.values())}): "
        + ", ".join(f"{answer} {number / sum(each.values()):.0%}" for answer, number in each.most_common())
        for question, each in answers.items()
    ]
    return [*lines, "codes: " + ", ".join(f"{code} {number}" for code, number in sorted(codes.items()))]


def never_reached(cases: Iterable[Case]) -> set[str]:
    """The codes that the product knows and no case has."""
    reached = {code for case in cases for code in case.verdict["codes"]}
    return {f"{kind} {code}" for kind, codes in CODES.items() for code in codes} - reached


# What differs


def differences(cases: Iterable[Case], *, processes: int = 1) -> list[Difference]:
    """Every field of every verdict that differs now."""
    if processes == 1:
        return [difference for case in cases for difference in _compared(case)]
    with ProcessPoolExecutor(processes) as pool:
        return [
            one for found in pool.map(differences, map(list, batched(cases, _CHUNK, strict=False))) for one in found
        ]


def _compared(case: Case) -> Iterator[Difference]:
    try:
        found = json.loads(json.dumps(verdict_on(case.question, case.inputs)))
    except Exception as error:
        yield Difference(case.name, "answer", case.verdict["answer"], f"{type(error).__name__}: {error}")
        return
    for field in sorted({*case.verdict, *found}):
        was, now = case.verdict.get(field), found.get(field)
        if was != now:
            yield Difference(case.name, field, was, now)


def faults(cases: Sequence[Case], found: Iterable[Difference], listed: Mapping[str, str]) -> list[str]:
    """What is wrong: each difference that is not listed, and each listed one of these cases that is none."""
    differing = list(found)
    changed = {name for one in differing for name in (one.case, f"{one.case} {one.field}")}
    here = {case.name for case in cases}
    unchanged = [name for name in listed if " ".join(name.split()[:2]) in here and name not in changed]
    return [
        *(str(one) for one in differing if one.case not in listed and f"{one.case} {one.field}" not in listed),
        *(f"{name} is listed in {ACCEPTED.name} and does not differ" for name in unchanged),
    ]
