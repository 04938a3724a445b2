"""What a version takes away of what the accepted one gives, counted in grants, and the limit."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from ecr_warden.audit.changes import access_changes
from ecr_warden.audit.touched import key_of
from ecr_warden.core.access_change import AccessChange, AccessChanges, Direction
from ecr_warden.core.desired import CompiledSpec, DesiredValue, HoldLimits
from ecr_warden.core.target import Target
from ecr_warden.versions.enforced import EnforcedChange, enforced
from iam_access.delta.delta import AccessDelta, access_change, gained_and_lost
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import canonical_together
from iam_access.evaluate.request_principal import RequestError, parse_request_principal

LEAST_REMOVED, _SHARE_REMOVED = 5, 0.2

type _Pair = tuple[DesiredValue | None, DesiredValue | None]


class DocumentsChange(Struct, frozen=True):
    """What the documents of one kind at a target give and take together; `losing`: how many of them lose anything."""

    target: Target
    access: AccessDelta
    losing: int


def document_changes(step: EnforcedChange) -> Iterator[DocumentsChange]:
    """The targets whose documents differ, by the kind of document."""
    held: defaultdict[tuple[Target, DocumentKind], list[_Pair]] = defaultdict(list)
    for address, old, new in step.documents():
        if address.document_kind is not None:
            held[address.target, address.document_kind].append((old, new))
    for (target, kind), pairs in held.items():
        if any(old != new for old, new in pairs):
            access = _together(pairs, kind)
            losing = sum(bool(gained_and_lost(_document(old), _document(new), kind=kind).lost) for old, new in pairs)
            yield DocumentsChange(target, access, losing if access.lost else 0)


def removed_grants(changes: AccessChanges, documents: Iterable[DocumentsChange]) -> int:
    """How many grants somebody loses; a document that loses what is no grant's counts as one."""
    lost = [change for change in changes.changes if change.direction is Direction.LOSES]
    counted = {key for one in lost for key in keys_of(one)}
    others = sum(document.losing for document in documents if document.target.key not in counted)
    return len({(one.principal, one.repository, one.access) for one in lost}) + others


def grants_of(version: CompiledSpec) -> int:
    """How many grants a version gives."""
    given = access_changes(None, version).changes
    return len({(one.principal, one.repository, one.access) for one in given})


def most_removed(limits: HoldLimits, grants: Callable[[], int]) -> int:
    """How many grants may be removed in 24 hours; `grants`: how many there are."""
    return max(LEAST_REMOVED, int(grants() * _SHARE_REMOVED)) if limits.max_removed is None else limits.max_removed


def fewest_grants(accepted: CompiledSpec | None, baseline: CompiledSpec | None) -> int:
    """The grants of the accepted version or of the baseline, whichever gives fewer: decoys raise no limit."""
    counts = [] if accepted is None else [grants_of(enforced(accepted))]
    return min(counts if baseline is None else [*counts, grants_of(baseline)], default=0)


def keys_of(change: AccessChange) -> Iterator[str]:
    """The targets that a change of access names."""
    yield change.repository
    for text in (change.principal, *change.through):
        try:
            key = key_of(parse_request_principal(text))
        except RequestError:
            continue
        if key is not None:
            yield key


def _together(pairs: Iterable[_Pair], kind: DocumentKind) -> AccessDelta:
    old, new = (list(map(_document, side)) for side in zip(*pairs, strict=True))
    statements = canonical_together(*old, *new, kind=kind)
    before = frozenset(statement for several in statements[: len(old)] for statement in several)
    return access_change(before, frozenset(statement for several in statements[len(old) :] for statement in several))


def _document(value: DesiredValue | None) -> Document | None:
    return value if isinstance(value, Document) else None
