"""Patterns of repository names: no repository may be taken in by two entries of the file."""

from collections.abc import Iterator
from dataclasses import dataclass

from ecr_warden.model.target import RepositoryTarget
from ecr_warden.policy.pattern import pattern_covers, patterns_meet
from ecr_warden.spec.problems import Code, Place, quote
from ecr_warden.spec.report import Report
from ecr_warden.spec.spec import Repository, Spec


@dataclass(frozen=True, slots=True)
class _Entry:
    """A repository or pattern of the file, in one region."""

    target: RepositoryTarget
    excluded: tuple[str, ...]
    place: Place


def check_patterns(spec: Spec, report: Report) -> None:
    """Report what a pattern takes in though another entry names it.

    An exception is asked for because the two sides of a push have no order of precedence: the pattern's push role is
    in the repository's own account, where its policy alone lets it push.
    """
    entries = list(_entries(spec))
    told: set[Place] = set()
    for index, pattern in enumerate(entries):
        if "*" not in pattern.target.name:
            continue
        for other_index, other in enumerate(entries):
            after = other_index > index or "*" not in other.target.name
            if after and other.place not in told | {pattern.place} and _both_take_in(pattern, other):
                message = f"{quote(other.target.name)} fits {quote(pattern.target.name)} of line {pattern.place.line}"
                report.add(Code.UNDER_PATTERN, other.place, message)
                told.add(other.place)


def _entries(spec: Spec) -> Iterator[_Entry]:
    for repository in spec.repositories:
        yield from (_Entry(target, repository.excluded, repository.place) for target in repository.targets)
    for literal in spec.literals:
        for address in literal.addresses:
            if isinstance(address.target, RepositoryTarget):
                yield _Entry(address.target, (), literal.place)


def _both_take_in(one: _Entry, other: _Entry) -> bool:
    """Whether some name may fit both; a no is certain."""
    a, b = one.target, other.target
    return (
        (a.account, a.region) == (b.account, b.region)
        and patterns_meet(a.name, b.name)
        and not any(pattern_covers(excluded, b.name) for excluded in one.excluded)
        and not any(pattern_covers(excluded, a.name) for excluded in other.excluded)
    )


def excluded_targets(repository: Repository) -> Iterator[RepositoryTarget]:
    """What a pattern leaves out, in each of its regions."""
    for target in repository.targets:
        yield from (RepositoryTarget(target.account, target.region, name) for name in repository.excluded)
