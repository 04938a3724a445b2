"""What holds for any input: an answer or a named error, never a traceback, and answers that agree with each other."""

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

from ecr_warden.core.ecr import ECR
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document, DocumentError, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import canonical_document, digest, equivalent
from iam_access.lint import lint
from tests.cli.command import Command
from tests.contracts.worlds import MemoryWorld
from tests.counting import counted
from tests.fuzz import hostile, inputs
from tests.fuzz.hostile import ENTRIES, MOST
from tests.fuzz.repaired import is_repaired_and_reported, tampers
from tests.property import estates


class Property(NamedTuple):
    """A claim about inputs drawn from a strategy; `most`: how many of them are tried at a time."""

    inputs: st.SearchStrategy[Any]
    holds: Callable[[Any], None]
    most: int = 200


def _parsed(source: Any) -> Document | None:
    """The document, or None where there is a named error."""
    try:
        return parse_document(source)
    except DocumentError as error:
        assert error.code.startswith("document-")
        assert str(error).isprintable()
        return None


def _parse(source: Any) -> None:
    document = _parsed(source)
    if document is not None:
        assert parse_document(document.text) == document


def _shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON with its keys and lists in another order."""
    if isinstance(value, dict):
        return {key: _shuffled(value[key], chance) for key in chance.sample(list(value), len(value))}
    if isinstance(value, list):
        return [_shuffled(entry, chance) for entry in chance.sample(value, len(value))]
    return value


def _one_document(raw: Any) -> None:
    document = _parsed(raw)
    if document is None:
        return
    for kind in DocumentKind:
        same = canonical_document(document, kind=kind)
        assert equivalent(document, document, kind=kind)
        assert equivalent(document, same, kind=kind)
        assert digest(document, kind=kind) == digest(same, kind=kind)
        assert not isinstance(relate(document, same, kind=kind), Differs)
        findings = lint(document, kind, ECR)
        assert all(finding.message.isprintable() for finding in findings)
        turned = parse_document(_shuffled(raw, random.Random(0)))
        rules = Counter(finding.rule for finding in findings)
        assert Counter(finding.rule for finding in lint(turned, kind, ECR)) == rules


def _two_documents(pair: tuple[Any, Any]) -> None:
    live, desired = map(_parsed, pair)
    if live is None or desired is None:
        return
    for kind in DocumentKind:
        alike = equivalent(live, desired, kind=kind)
        assert alike is equivalent(desired, live, kind=kind)
        there, back = relate(live, desired, kind=kind), relate(desired, live, kind=kind)
        assert isinstance(there, Differs) is isinstance(back, Differs)
        assert not (alike and isinstance(there, Differs))


_COMMAND = Command(MemoryWorld().reader)


_QUESTIONS = (
    ("can-i", "--as", f"arn:aws:iam::{estates.HOME}:user/bob", "push", "shop/app"),
    ("who-can", "pull", "shop/app"),
    ("can-i", "--as", f"arn:aws:sts::{estates.HOME}:assumed-role/push/session"),
)


def _snapshot(text: bytes) -> None:
    """Each question gets an answer, or one error that has a name."""
    for question in _QUESTIONS:
        ran = _COMMAND(*question, "--snapshot", "-", "--json", stdin=text)
        assert ran.code in (0, 1, 2)
        if ran.out:
            assert ran.json["schema"] == 1
        else:
            assert ran.code == 1
            assert ran.err.startswith("ecr-warden: ")
            assert ran.err.count("\n") == 1


def _hostile(drawn: tuple[int, str]) -> None:
    """Each entry point answers with bounded work."""
    seed, name = drawn
    hard = hostile.drawn(seed)
    counted(lambda: ENTRIES[name](hard), MOST)


PROPERTIES: dict[str, Property] = {
    "parse": Property(st.text() | st.binary() | inputs.documents().map(json.dumps), _parse),
    "one-document": Property(inputs.documents(), _one_document),
    "two-documents": Property(inputs.pairs(), _two_documents),
    "snapshot": Property(inputs.snapshots(), _snapshot),
    "repaired": Property(tampers, is_repaired_and_reported),
    "hostile": Property(st.tuples(st.integers(0, 1_000_000), st.sampled_from(sorted(ENTRIES))), _hostile, most=3),
}
