"""A document that parses and on which the engine fails: a stand-in for those not found yet."""

from typing import Any

from ecr_warden.core.observed import Present
from iam_access.document.document import Document, Statement


class _Trap(tuple[Any, ...]):
    """Statements that nothing can look at."""

    def __iter__(self) -> Any:
        raise ZeroDivisionError("a document that crashes")

    def __len__(self) -> int:
        raise ZeroDivisionError("a document that crashes")


TRAP: tuple[Statement, ...] = _Trap()
BROKEN = Present(Document('{"Version":"2012-10-17","Statement":[]}', "2012-10-17", TRAP), "broken")
