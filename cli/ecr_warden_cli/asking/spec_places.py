"""On what ground somebody has access to a repository, and where a spec gives it."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from msgspec import Struct

from ecr_warden.access_spec import Valid
from ecr_warden.access_spec.problems import Place
from ecr_warden.access_spec.spec import (
    ByCondition,
    Federated,
    PermissionSet,
    Puller,
    Pusher,
    Spec,
    SpecOrganization,
    SpecPrincipal,
    SpecRepository,
    SpecService,
    WholeAccount,
)
from ecr_warden.audit.administrators import Unlimited
from ecr_warden.audit.grounds import Ground, Grounds
from ecr_warden.audit.judge import Judge
from ecr_warden.audit.spec_access import SpecAccess, bare
from ecr_warden.core.actions import Access
from ecr_warden.core.address import repository_policy
from ecr_warden.core.target import RepositoryTarget, target_arn
from ecr_warden_cli.asking.estate_input import OpenedEstate
from iam_access.document.pattern import pattern_covers
from iam_access.document.variables import literal_glob
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.subject import Subject


class Basis(Struct, frozen=True):
    """On what ground somebody has access."""

    ground: Ground
    place: str = ""
    """Where the spec gives it, as `access.yaml:12`."""

    @property
    def is_extra(self) -> bool:
        """Is it a finding?"""
        return self.ground is Ground.NONE

    def __str__(self) -> str:
        return self.place or _WORDS[self.ground]


_WORDS: Mapping[Ground, str] = {
    Ground.ADMINISTRATOR: "administrator",
    Ground.ALSO_ALLOWED: "also_allowed",
    Ground.OWN: "ecr-warden or AWS",
    Ground.UNNAMED: "the spec names no such repository",
    Ground.NONE: "NOT IN SPEC",
}


class SpecPlaces:
    """Where a spec gives what paths show, on some repositories; `unlimited`: as of Grounds."""

    def __init__(
        self, asked: OpenedEstate, spec: Valid, targets: Collection[RepositoryTarget], unlimited: Unlimited
    ) -> None:
        self._spec, self._file, self._is_alone = spec.spec, asked.file, asked.is_spec_alone
        self.access = SpecAccess(spec.compiled, asked.estate, targets)
        self.grounds = Grounds(Judge(asked.graph, spec.compiled, asked.hub), self.access, unlimited)

    def given(self, what: str, target: RepositoryTarget, path: AccessPath) -> Basis:
        """The place in the spec, or on what other ground they have it, if on any."""
        if not self._is_alone and not self.access.gives(what, target, path):
            return Basis(self.grounds.as_shown(path, what, target))
        place = place_of(self._spec, what, target, path)
        return Basis(Ground.SPEC, self._file if place is None else f"{self._file}:{place.line}")


def place_of(spec: Spec, access: str, target: RepositoryTarget, path: AccessPath) -> Place | None:
    """The grant that names whoever comes by a path that the spec gives, else the entry or literal document about it."""
    entries = [entry for entry in spec.repositories if _covers(entry, target)]
    literals = [literal.place for literal in spec.literals if repository_policy(target) in literal.addresses]
    granting = (place for entry in entries for place in _grants(entry, access, path))
    return next(chain(granting, literals, (entry.place for entry in entries)), None)


def _covers(entry: SpecRepository, target: RepositoryTarget) -> bool:
    """Whether an entry is about a repository, by its name or a pattern."""
    if any(pattern_covers(excluded, target.name) for excluded in entry.excluded):
        return False
    return any(
        (one.account, one.region) == (target.account, target.region) and pattern_covers(one.name, target.name)
        for one in entry.targets
    )


def _grants(entry: SpecRepository, access: str, path: AccessPath) -> Iterator[Place]:
    """The grants by which the path leads, those that name somebody on it first."""
    people = [step.subject for step in path.steps]
    roles = {bare(subject.arn) for subject in people}
    pushing = [grant for grant in entry.push if bare(target_arn(grant.role)) in roles]
    through = [grant for grant in pushing if grant.pull or access != Access.PULL]
    yield from (grant.place for grant in through if any(_is_one_of(pusher, people) for pusher in grant.by))
    yield from (grant.place for grant in through)
    yield from (grant.place for grant in entry.pull if _is_one_of(grant.puller, people))
    yield from (grant.place for grant in entry.pull if isinstance(grant.puller, SpecOrganization))


def _is_one_of(named: Puller | Pusher, people: list[Subject]) -> bool:
    return any(_is(named, subject) for subject in people)


def _is(named: Puller | Pusher, subject: Subject) -> bool:
    """Whether a grant's name stands for somebody; a class stands for whoever of it a condition asks for."""
    own = subject.identity.arn if subject.identity is not None else subject.arn
    match named:
        case SpecPrincipal():
            return bare(named.arn) == bare(own)
        case WholeAccount():
            return subject.principal.account == named.id
        case PermissionSet() if not subject.is_class:
            return any(literal_glob(arn).matches(own) for arn in named.arns)
        case SpecService():
            return subject.arn == named.name
        case Federated():
            return subject.arn.endswith(f":oidc-provider/{named.issuer}")
        case _:
            return isinstance(named, ByCondition) and subject.is_class and subject.principal.account == named.account
