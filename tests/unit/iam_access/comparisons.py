"""Reads the table of comparisons; an element that is null stands for none."""

from typing import Any

from ecr_warden.core.ecr import ECR
from iam_access.compare import Comparison, Relation, compare
from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from tests import tables
from tests.unit.iam_access.tables import CASES, Case, cases

MIRRORED = {Relation.MORE: Relation.LESS, Relation.LESS: Relation.MORE}


def defaults() -> dict[str, Any]:
    """What a statement of each kind says where a case does not."""
    found: dict[str, Any] = tables.load((CASES / "comparison.yaml").read_text())["defaults"]
    return found


DEFAULTS = defaults()
COMPARISONS = cases("comparison")


def document(case: Case, side: str) -> Document:
    """The live or the desired document of a case."""
    statements = [_filled(statement, case["kind"]) for statement in case[side]]
    return parse_document({"Version": case.get("version", "2012-10-17"), "Statement": statements})


def _filled(statement: Case, kind: str) -> dict[str, Any]:
    filled = dict(statement)
    for name, value in DEFAULTS[kind].items():
        if name not in filled and f"Not{name}" not in filled:
            filled[name] = value
    return {name: value for name, value in filled.items() if value is not None}


def comparison(case: Case, *, mirrored: bool = False) -> Comparison:
    """What the engine says of a case, or of the case the other way round."""
    sides = (document(case, "live"), document(case, "desired"))
    live, desired = reversed(sides) if mirrored else sides
    return compare(live, desired, service=ECR, kind=DocumentKind(case["kind"]))
