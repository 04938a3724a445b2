"""What a role is for, as the spec says: what whoever gets in by its trust policy can do, in words."""

from collections.abc import Iterator, Mapping

from ecr_warden.core.address import AddressKind
from ecr_warden.core.desired import CompiledSpec, TargetSpec
from ecr_warden.core.ecr import ECR
from ecr_warden.core.target import RoleTarget
from iam_access.delta.delta import gained_and_lost
from iam_access.delta.describe import phrases_of
from iam_access.delta.phrases import Phrase
from iam_access.document.document import Document
from iam_access.document.kind import DocumentKind
from iam_access.text.printable import and_more, printable

_LONGEST = 80


def uses_of(spec: TargetSpec, accepted: CompiledSpec) -> Mapping[str, str]:
    """`{"ecr-pusher": "push to shop/checkout and 2 more"}`: of a role, and of each that a user or role may assume.

    Nothing that cannot be read or worded keeps a run from being reported: then nothing is said of it.
    """
    try:
        roles = [role for waiting in spec.widen_after.values() for role in waiting]
        specs = [
            spec if role == spec.target else accepted.spec_of(role) for role in dict.fromkeys([spec.target, *roles])
        ]
        uses = {one.target.name: _use(one) for one in specs if one is not None and isinstance(one.target, RoleTarget)}
    except Exception:  # its entry may be kept elsewhere, and be lost
        return {}
    return {role: use for role, use in uses.items() if use}


def _use(spec: TargetSpec) -> str:
    """The gravest that the documents of a role give, and where."""
    found = [phrase for phrase in _phrases(spec) if phrase.effect in ECR.groups]
    gravest = next((group for group in ECR.groups if any(phrase.effect is group for phrase in found)), None)
    if gravest is None:
        return ""
    names = dict.fromkeys(phrase.what.rpartition(":repository/")[2] for phrase in found if phrase.effect is gravest)
    first, *others = (printable(name, _LONGEST) for name in names)
    return gravest.does.format(first) + (f" {and_more(len(others))}" if others else "")


def _phrases(spec: TargetSpec) -> Iterator[Phrase]:
    for address, document in spec.granted.items():
        if address.kind is AddressKind.IDENTITY_POLICY and isinstance(document, Document):
            given = gained_and_lost(None, document, kind=DocumentKind.IDENTITY)
            yield from phrases_of(given, ECR, subject=spec.target.name)
