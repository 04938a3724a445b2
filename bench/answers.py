"""The published questions about access: how many of them get the answer that AWS's documentation gives."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.figures import Figure
from ecr_warden.access.difference import DifferenceKind, differences
from ecr_warden.access.graph import RepositoryGraph
from ecr_warden_cli.asking.access import Question, can_i, everybody_of, find_subject, question, reach, who_can
from ecr_warden_cli.asking.change_input import changes_of
from ecr_warden_cli.asking.what_if import laid_over
from tests.snapshots import estate_from_text

FOLDER = Path(__file__).parent / "who-can"
_GROUP = "published questions about access (bench/who-can)"

type Row = dict[str, Any]


def run() -> Iterator[Figure]:
    """The wrong answers of each estate, and the wrong noes of all."""
    noes = 0
    for asked in estates():
        wrong = [(row, found) for row in asked.rows if (found := asked.mistake(row)) is not None]
        noes += sum(_is_wrong_no(row, found) for row, found in wrong)
        right = f"of {len(asked.rows)}"
        yield Figure(_GROUP, f"wrong: {asked.name}", len(wrong), "", 0, right)
    yield Figure(_GROUP, "no where it is not no, of all", noes, "", 0)


def _is_wrong_no(row: Row, found: object) -> bool:
    return found == "no" or (row["ask"] == "who-can" and bool(set(row["principals"]) - set(_texts(found))))


def _texts(found: object) -> list[str]:
    return [*map(str, found)] if isinstance(found, list) else []


@dataclass(frozen=True)
class Asked:
    """One estate and its questions."""

    name: str
    text: str
    rows: tuple[Row, ...]

    @cached_property
    def _graph(self) -> RepositoryGraph:
        return RepositoryGraph(estate_from_text(self.text, at=datetime(2026, 11, 24, tzinfo=UTC)))

    def mistake(self, row: Row) -> object | None:
        """What is answered instead of what the row says; None if it is right."""
        if row["ask"] == "what-if":
            return self._what_if(row)
        asked = question(self._graph, row["access"], row["repository"])
        match row["ask"]:
            case "can-i":
                return self._can_i(row, asked)
            case "who-can":
                return self._who_can(row, asked)
            case "reach":
                return self._reach(row, asked)
            case ask:
                raise ValueError(f"no such question: {ask}")

    def _what_if(self, row: Row) -> object | None:
        changed = laid_over(self._graph.estate, changes_of(row["change"]))
        found: dict[str, list[str]] = {kind: [] for kind in DifferenceKind}
        for one in differences(self._graph, RepositoryGraph(changed)):
            if one.access == row["access"]:
                found[one.kind].append(f"{one.subject.arn} {one.repository.name}")
        is_right = all(sorted(found[kind]) == row.get(kind, []) for kind in DifferenceKind)
        return None if is_right else {kind: who for kind, who in found.items() if who}

    def _can_i(self, row: Row, asked: Question) -> object | None:
        found = can_i(self._graph, find_subject(self._graph, row["principal"]), asked, seeks_change=False)
        if found.answer != row["answer"]:
            return found.answer.value
        docker = found.docker
        of_docker = {} if docker is None else {"docker": docker.answer.value, "lacks": [*docker.lacking]}
        if any(of_docker.get(name) != row[name] for name in ("docker", "lacks") if name in row):
            return of_docker
        chain = list(found.path.chain) if found.path else []
        if row.get("chain", chain) != chain:
            return chain
        conditions = list(found.path.conditions) if found.path else []
        return None if _are_named(row, conditions) else conditions

    def _who_can(self, row: Row, asked: Question) -> object | None:
        found = who_can(self._graph, asked)
        principals = sorted(path.subject.arn for path in found.identities)
        if principals != row["principals"]:
            return principals
        classes = sorted(path.subject.arn for path in found.classes)
        return None if row.get("classes", classes) == classes else classes

    def _reach(self, row: Row, asked: Question) -> object | None:
        """Of a user, role or session, or of everybody in an account."""
        name = row["principal"]
        subjects = everybody_of(self._graph, name) if name.isdecimal() else [find_subject(self._graph, name)]
        access, places = row["access"], [asked.repository]
        found = next(reach(self._graph, subjects, places, [access]), None)
        answer = str(found.by.answer) if found else "no"
        conditions = list(found.conditions) if found else []
        if answer != row["answer"]:
            return answer
        return None if _are_named(row, conditions) else conditions


def _are_named(row: Row, conditions: list[str]) -> bool:
    """Whether the conditions name each key of the row's; none at all where that has none."""
    keys = row.get("conditions")
    named = all(any(key.lower() in one.lower() for one in conditions) for key in keys or ())
    return named and not (keys == [] and conditions)


def estates() -> Iterator[Asked]:
    """All estates with their questions."""
    yield from (estate(path.name) for path in sorted(FOLDER.iterdir()) if path.is_dir())


def estate(name: str) -> Asked:
    """One estate with its questions."""
    lines = (FOLDER / name / "questions.jsonl").read_text().splitlines()
    return Asked(name, (FOLDER / name / "estate.json").read_text(), tuple(map(json.loads, lines)))
