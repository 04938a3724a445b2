"""How long the policy engine takes on ordinary, hard and AWS's own documents; needs no emulator."""

import gc
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from bench.figures import Figure
from iam_access.compare import Relation, compare
from iam_access.document.document import Document, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import _statements, equivalent
from tests.unit.iam_access.changes import changed
from tests.unit.iam_access.comparisons import COMPARISONS, document
from tests.unit.iam_access.nasty import NASTY, nasty_pair

_GROUP = "policy engine"
_ACCOUNT = "111111111111"
_MADE = 60
_KINDS = {
    "repository": DocumentKind.RESOURCE,
    "trust": DocumentKind.TRUST,
    "identity": DocumentKind.IDENTITY,
    "role": DocumentKind.IDENTITY,
}
_USUAL: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": f"S{index}",
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{_ACCOUNT}:user/u{index}", f"arn:aws:iam::{_ACCOUNT}:user/v"]},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:PutImage"],
        }
        for index in range(5)
    ],
}


def run() -> Iterator[Figure]:
    """The figures, each with its target."""
    yield from _equivalence()
    table = [
        _times(document(case, "live"), document(case, "desired"), DocumentKind(case["kind"])) for case in COMPARISONS
    ]
    yield _figure("compare, median of the table", statistics.median(table), 2)
    chance = random.Random(1)
    managed, undecided = [], 0
    policies = json.loads(aws_managed_policies_data)
    # Else the collector goes through this collection too, for a tenth of a second, whenever a comparison wakes it.
    gc.freeze()
    for policy in policies.values():
        live, desired = parse_document(changed(policy["Document"], chance)), parse_document(policy["Document"])
        managed.append(_times(live, desired, DocumentKind.IDENTITY))
        undecided += compare(live, desired, kind=DocumentKind.IDENTITY).relation is Relation.UNDECIDED
    yield _figure("compare, median of changed managed policies", statistics.median(managed), 2)
    yield _figure("compare, worst of changed managed policies", max(managed), 250)
    yield Figure(_GROUP, "changed managed policies undecided", undecided, "", None, f"of {len(managed)}")
    hard = [
        _times(parse_document({"Statement": one}), parse_document({"Statement": other}), DocumentKind.RESOURCE)
        for one, other in NASTY.values()
    ]
    yield _figure("compare, worst of the nasty documents", max(hard), 1000)
    made = [
        _times(parse_document(one), parse_document(other), document_kind)
        for kind, document_kind in _KINDS.items()
        for one, other in (nasty_pair(seed, kind) for seed in range(_MADE))
    ]
    yield Figure(_GROUP, f"compare, worst of {len(made)} made to be hard", max(made), "ms", 1000, "at AWS's sizes")


def _equivalence() -> Iterator[Figure]:
    text = json.dumps(_USUAL)
    other = json.dumps({**_USUAL, "Statement": _USUAL["Statement"][::-1]})
    a, b = parse_document(text), parse_document(other)

    def parsed() -> object:
        _statements.cache_clear()
        return equivalent(a, b, kind=DocumentKind.RESOURCE)

    def from_text() -> object:
        _statements.cache_clear()
        return equivalent(parse_document(text), parse_document(other), kind=DocumentKind.RESOURCE)

    yield _figure("equivalent, five statements, parsed", _best(parsed), 0.06)
    yield _figure("equivalent, five statements, from text", _best(from_text), 0.15)


def _best(work: Callable[[], object], rounds: int = 2000) -> float:
    """Milliseconds of the median round."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def _times(live: Document, desired: Document, kind: DocumentKind) -> float:
    """Milliseconds of processor time."""
    started = time.process_time()
    compare(live, desired, kind=kind)
    return (time.process_time() - started) * 1000


def _figure(name: str, milliseconds: float, target: float) -> Figure:
    return Figure(_GROUP, name, milliseconds, "ms", target)
