"""Reads the tables of named cases: documents as JSON texts, as objects, or as one statement."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from tests.tables import load

CASES = Path(__file__).parents[2] / "cases" / "policy"

type Case = Mapping[str, Any]


def cases(table: str) -> list[Case]:
    """The cases of a table, whose names are unique sentences."""
    return tables(table)["cases"]


def tables(file: str) -> dict[str, list[Case]]:
    """The tables of a file; the names in each are unique sentences."""
    found: dict[str, list[Case]] = load((CASES / f"{file}.yaml").read_text())
    for cases in found.values():
        names = [case["name"] for case in cases if "name" in case]
        assert len(set(names)) == len(names), f"a name occurs twice in {file}"
    return found


def name_of(case: Case) -> str:
    """The sentence that a case is."""
    return str(case["name"])


def document(case: Case, whole: str, statement: str) -> Document:
    """The document under `whole`, or around the statement under `statement`."""
    if statement in case:
        return parse_document({"Version": "2012-10-17", "Statement": [case[statement]]})
    source = case[whole]
    return parse_document(source)


def kind(case: Case) -> DocumentKind | None:
    """The kind of document that a case speaks of, if any."""
    return DocumentKind(case["kind"]) if "kind" in case else None
