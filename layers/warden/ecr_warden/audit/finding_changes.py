"""From two audits to what is new: what appeared, what ended, what remains."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from msgspec import Struct

from ecr_warden.audit.alerts import Openers
from ecr_warden.audit.finding import (
    ANYONE,
    AuditRecord,
    AuditResult,
    Certainty,
    Finding,
    FindingGroup,
    FindingKind,
    Half,
    SeenFinding,
    key_of_arn,
)
from ecr_warden.collect.estate import ReportedCall
from ecr_warden.core.selection import named_by
from ecr_warden.core.target import RepositoryTarget
from iam_access.gather import gather
from iam_access.text.printable import few

MAX_FINDINGS = 10_000
"""Findings that are kept: an attacker who makes a thousand roles makes a finding for each and each repository."""
MAX_TEXT = 8_000_000
"""Characters of the kept findings: a chain of a thousand roles with long paths is in each of its findings."""

_GRAVEST_FIRST = (
    FindingKind.REPLICATION,
    FindingKind.REGISTRY,
    FindingKind.ADMINISTRATOR,
    FindingKind.EXTRA,
    FindingKind.TEMPLATE,
    FindingKind.UPSTREAM,
    FindingKind.MISSING,
)
_OPENERS = 5
_SUREST_FIRST = (Certainty.YES, Certainty.CONDITIONAL, Certainty.UNKNOWN)


class News(Struct, frozen=True):
    """`appeared`, `standing`: at most MAX_FINDINGS and MAX_TEXT, the most severe first.

    What became more certain, or holds under other conditions, appeared anew. What can still be done another way has not
    ended.
    """

    appeared: tuple[SeenFinding, ...]
    ended: tuple[SeenFinding, ...]
    standing: tuple[SeenFinding, ...]
    left_out: int = 0
    """How many more."""


def compare(last: AuditRecord | None, audit: AuditResult, unsettled: frozenset[str], at: datetime) -> News:
    """What an audit changes, compared with the last one.

    `unsettled`: the parts of the estate that were not read in full. What rests on one of them has not ended because it
    is not seen any more.
    """
    before = {seen.finding.key: seen for seen in last.findings} if last is not None else {}
    now = {finding.key: finding for finding in audit.findings}
    kept = {key: seen for key, seen in before.items() if key not in now and _stays(seen.finding, audit, unsettled)}
    seen_now = (SeenFinding(finding, before[key].first_seen if key in before else at) for key, finding in now.items())
    found = sorted([*seen_now, *kept.values()], key=_rank)
    standing = tuple(_kept(found))
    still = {finding.deed for finding in now.values()}
    over = (seen for key, seen in before.items() if key not in now and key not in kept)
    return News(
        appeared=tuple(seen for seen in standing if _is_new(seen.finding, before.get(seen.finding.key))),
        ended=tuple(sorted((seen for seen in over if seen.finding.deed not in still), key=_rank)),
        standing=standing,
        left_out=len(found) - len(standing),
    )


def _is_new(finding: Finding, before: SeenFinding | None) -> bool:
    """Whether there was none, or one that was less certain or held under other conditions."""
    if before is None:
        return True
    old, new = before.finding, finding
    if new.half is Half.COMPLETED and old.half is not Half.COMPLETED:
        return True
    if new.certainty is old.certainty:
        return new.certainty is Certainty.CONDITIONAL and new.conditions != old.conditions
    return _SUREST_FIRST.index(new.certainty) < _SUREST_FIRST.index(old.certainty)


def _kept(found: Iterable[SeenFinding]) -> Iterator[SeenFinding]:
    """The first ones, as many as may be kept."""
    room = MAX_TEXT
    for seen in islice(found, MAX_FINDINGS):
        finding = seen.finding
        texts = (*finding.chain, *finding.conditions, *finding.because, finding.remedy, finding.accept, finding.scope)
        room -= sum(map(len, (finding.place, finding.access, finding.principal, *texts)))
        if room < 0:
            return
        yield seen


def _stays(finding: Finding, audit: AuditResult, unsettled: frozenset[str]) -> bool:
    """Whether a finding that this audit lacks stands: new administrators and upstreams are found but once."""
    if rests_on(finding) & unsettled or _is_of_account(finding, unsettled):
        return True
    match finding.kind:
        case FindingKind.ADMINISTRATOR:
            return finding.principal in audit.administrators.get(finding.place, ())
        case FindingKind.UPSTREAM if not finding.foreign:
            prefix = finding.scope.removesuffix("/*")
            return f"{prefix} from {finding.principal}" in audit.upstreams.get(finding.place, ())
        case _:
            return False


def _is_of_account(finding: Finding, parts: Iterable[str]) -> bool:
    """Whether it concerns the whole account of one of the parts."""
    is_whole = finding.kind is FindingKind.ADMINISTRATOR
    return is_whole and any(part.partition("/")[0] == finding.place for part in parts)


def rests_on(finding: Finding) -> frozenset[str]:
    """The parts of the estate, as state.sweeps names parts, that show it."""
    return frozenset((*_parts_of(finding.place), *(arn.split(":")[4] for arn in finding.chain if arn.count(":") >= 5)))


def openers(group: FindingGroup, noted: Iterable[tuple[str, ReportedCall]]) -> Openers:
    """The calls one of which may have opened a group of findings.

    `noted`: calls with their parts, "" where that is not known, the latest last. One that names a target may have, if
    that is on the way; any other if its part is.
    """
    targets = {*group.places, *map(key_of_arn, group.finding.chain)}
    parts = rests_on(group.finding).union([""], *map(_parts_of, group.places))
    found = [
        call.cause
        for part, call in noted
        if (part in parts if call.target is None else not targets.isdisjoint((call.target.key, str(call.target))))
    ]
    return Openers(*few(found[::-1], _OPENERS))


def _parts_of(place: str) -> Iterator[str]:
    """Of a repository, a registry or an account: the registry's part, and the account's own."""
    target = repository_of(place)
    account, _, region = (f"{target.account}/{target.region}" if target else place).partition("/")
    yield account
    if region:
        yield f"{account}/{region}"


def repository_of(place: str) -> RepositoryTarget | None:
    """The repository that is a finding's place; None of a registry or an account."""
    target = named_by(place)
    return target if isinstance(target, RepositoryTarget) else None


def _rank(seen: SeenFinding) -> tuple[object, ...]:
    finding = seen.finding
    is_unknown, certainty = finding.certainty is Certainty.UNKNOWN, _SUREST_FIRST.index(finding.certainty)
    return (
        not finding.foreign,
        is_unknown,
        finding.half is Half.ALONE,
        _GRAVEST_FIRST.index(finding.kind),
        certainty,
        finding.principal != ANYONE,
        finding.principal,
        finding.key,
    )


def grouped(findings: Iterable[SeenFinding]) -> tuple[FindingGroup, ...]:
    """What people read: those that differ in nothing but access and place as one, in the order of their first."""
    alike = gather((_but_access_and_place(seen.finding), seen) for seen in findings)
    by_place = (gather((seen.finding.place, seen) for seen in some) for some in alike.values())
    return tuple(group for places in by_place for group in _of_places(places))


def _but_access_and_place(finding: Finding) -> object:
    return (
        finding.kind,
        finding.principal,
        finding.chain,
        finding.certainty,
        finding.conditions,
        finding.because,
        finding.remedy,
        finding.accept,
        finding.lacking,
        finding.half,
        finding.foreign,
        finding.scope,
        finding.ends_repaired,
    )


def _of_places(places: Mapping[str, list[SeenFinding]]) -> Iterator[FindingGroup]:
    """One group for each set of accesses."""
    by_accesses = gather((tuple(one.finding.access for one in seen), place) for place, seen in places.items())
    for accesses, names in by_accesses.items():
        first_seen = min(seen.first_seen for name in names for seen in places[name])
        yield FindingGroup(places[names[0]][0].finding, accesses, tuple(names), first_seen)
