"""What a version of the spec gives besides the kinds of access, such as to delete a repository.

Only literal documents, statements beside grants and what pullers may read give any of it.
"""

from collections.abc import Iterable, Iterator
from copy import replace

from ecr_warden.core.access_change import OtherChange
from ecr_warden.core.actions import FOR_DOCKER, REQUIRED
from ecr_warden.core.address import Address
from ecr_warden.core.desired import CompiledSpec, DesiredValue, RepositoryPattern, TargetSpec
from ecr_warden.core.ecr import ECR
from ecr_warden.core.target import RepositoryTarget, Target
from iam_access.delta.delta import AccessDelta, gained_and_lost
from iam_access.delta.describe import describe_change
from iam_access.delta.service import TAGGING
from iam_access.document.document import Document, Statement

_ASSUME = frozenset({"sts:assumerole", "sts:assumerolewithwebidentity", "sts:assumerolewithsaml"})
_OF_ACCESS = _ASSUME | {one.lower() for of in (*REQUIRED.values(), *FOR_DOCKER.values()) for one in of}
# Only to whoever may assume the role already, these give something new.
_TAGGING = frozenset(map(str.lower, TAGGING.actions))


def other_gains(before: CompiledSpec | None, after: CompiledSpec) -> Iterator[OtherChange]:
    """By target; of one document at a time, so that somebody may have it by another one already."""
    was = {} if before is None else _documents(before)
    patterns = () if before is None else before.patterns
    for address, value in _documents(after).items():
        if isinstance(value, Document):
            old = was.get(address, _by_pattern(address.target, patterns))
            yield from (OtherChange(address.target.key, text) for text in _gains_besides(old, value, address))


def _by_pattern(target: Target, patterns: Iterable[RepositoryPattern]) -> DesiredValue | None:
    """What a pattern gives a repository that has no entry of its own."""
    covering = (
        pattern.policy for pattern in patterns if isinstance(target, RepositoryTarget) and pattern.covers(target)
    )
    return next(covering, None)


def _documents(spec: CompiledSpec) -> dict[Address, DesiredValue]:
    """Every desired value, enforced or not; a pattern's under its own name."""
    entries: tuple[TargetSpec | RepositoryPattern, ...] = (*spec.targets.values(), *spec.patterns)
    return {address: value for entry in entries for address, value in entry.granted.items()}


def _gains_besides(old: DesiredValue | None, new: Document, address: Address) -> tuple[str, ...]:
    live = old if isinstance(old, Document) else None
    statements = (*new.statements, *(() if live is None else live.statements))
    if (live is not None and live.text == new.text) or all(map(_is_of_access, statements)):
        return ()
    gained = gained_and_lost(live, new, kind=address.document_kind).gained
    entering = {replace(delta, action=None) for delta in gained if delta.action in _ASSUME}
    tagging = {delta for delta in gained if delta.action in _TAGGING and replace(delta, action=None) in entering}
    others = tuple(delta for delta in gained if delta.action not in _OF_ACCESS and delta not in tagging)
    return describe_change(AccessDelta(others), ECR, subject=address.target.name)


def _is_of_access(statement: Statement) -> bool:
    return not statement.actions.negated and all(value.lower() in _OF_ACCESS for value in statement.actions.values)
