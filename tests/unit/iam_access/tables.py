"""Reads the tables of named cases: documents as JSON texts, as objects, or as one statement."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from tests import tables

CASES = Path(__file__).parents[2] / "cases" / "policy"

type Case = Mapping[str, Any]


def cases(table: str) -> list[Case]:
    """The cases of a table, whose names are unique sentences."""
    found: list[Case] = tables.load((CASES / f"{table}.yaml").read_text())["cases"]
    names = [case["name"] for case in found]
    assert len(set(names)) == len(names), f"a name occurs twice in {table}"
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
