"""What a version adds to what is ours or silent: nobody there is an outsider, or is reported, from then on."""

from collections.abc import Collection, Iterator, Sequence

from ecr_warden.audit.also_allowed import covers
from ecr_warden.core.desired import AlsoAllowed, CompiledSpec, RepositoryPattern, TargetSpec
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.core.target import Target
from ecr_warden.versions.enforced import enforced
from iam_access.text.printable import count, listed, printable
from iam_access.who_can.ours import Ours
from iam_access.who_can.standing import standing_for

_NAMED = 3
_WILD = frozenset("*?$")

type _Versions = Sequence[CompiledSpec]
"""Those before the new one that there are: the accepted one and the baseline."""


def grown(before: _Versions, new: CompiledSpec) -> Iterator[WaitReason]:
    """The accounts and organizations that are ours from then on, and the foreign statements that stay in policies."""
    pairs = (
        ("account", {*new.accounts}.difference(*(compiled_spec.accounts for compiled_spec in before))),
        ("organization", {*new.organizations}.difference(*(compiled_spec.organizations for compiled_spec in before))),
    )
    for noun, added in pairs:
        if added:
            yield WaitReason(
                WaitCode.OUTSIDE_GAINS,
                f"it adds {count(len(added), noun)}, where nobody counts as an outsider afterwards: "
                f"{listed(sorted(added), _NAMED)}",
            )
    foreign = [str(target) for target in _newly_foreign(before, new)]
    if foreign:
        yield WaitReason(
            WaitCode.OUTSIDE_GAINS,
            f"its foreign_statements leave alone what AWS services add to policies: {listed(foreign, _NAMED)}",
        )


def silenced(accepted: CompiledSpec | None, new: CompiledSpec, ours: Ours) -> Iterator[WaitReason]:
    """The access of outsiders, and of whoever fits a wildcard, that also_allowed keeps from being reported anew."""
    known = () if accepted is None else accepted.also_allowed
    found = [
        "anybody" if principal == "*" else printable(principal, 160)
        for entry in new.also_allowed
        for principal in entry.principals
        if _is_silent(entry, principal, ours) and not _is_known(entry, principal, known)
    ]
    if found:
        yield WaitReason(
            WaitCode.OUTSIDE_GAINS,
            "its also_allowed keeps access from being reported that nobody accepted: "
            f"{listed(list(dict.fromkeys(found)), _NAMED)}",
        )


def _newly_foreign(before: _Versions, new: CompiledSpec) -> Iterator[Target]:
    now = enforced(new)
    entries: list[TargetSpec | RepositoryPattern] = [*now.targets.values(), *now.patterns]
    for entry in entries:
        known = {
            kind
            for compiled_spec in before
            if (spec := compiled_spec.spec_of(entry.target)) is not None
            for kind in spec.foreign
        }
        if not {*entry.foreign} <= known:
            yield entry.target


def _is_silent(entry: AlsoAllowed, principal: str, ours: Ours) -> bool:
    is_wild = any(not _WILD.isdisjoint(text) for text in (principal, *entry.repositories))
    return is_wild or bool(standing_for(principal, ours))


def _is_known(entry: AlsoAllowed, principal: str, known: Collection[AlsoAllowed]) -> bool:
    """Whether the known entries of also_allowed keep everything out of the findings already that this one does."""
    return all(
        any(
            covers(also_allowed, principal, access, entry.account, where) and _lasts(also_allowed, entry)
            for also_allowed in known
        )
        for access in entry.access or ("",)
        for where in entry.repositories or ("*",)
    )


def _lasts(known: AlsoAllowed, entry: AlsoAllowed) -> bool:
    """Whether what is known is kept silent for as long as an entry keeps it."""
    return known.until is None or (entry.until is not None and entry.until <= known.until)
