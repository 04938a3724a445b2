"""How long the policy engine takes to see that documents are equivalent; needs no emulator."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.figures import Figure
from iam_access.document.document import parse_document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import _statements, equivalent

_GROUP = "policy engine"
_ACCOUNT = "111111111111"
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


def _figure(name: str, milliseconds: float, target: float) -> Figure:
    return Figure(_GROUP, name, milliseconds, "ms", target)
