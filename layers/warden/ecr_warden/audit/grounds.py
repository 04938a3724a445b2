"""On what grounds somebody has access: the spec, an administrator's power, what is also allowed, or none."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from copy import replace
from enum import StrEnum

from msgspec import Struct

from ecr_warden.audit.administrators import Unlimited
from ecr_warden.audit.also_allowed import covers
from ecr_warden.audit.judge import EVERY, Judge
from ecr_warden.audit.outsiders import is_outside
from ecr_warden.audit.spec_access import SpecAccess
from ecr_warden.core.estate import Repository
from ecr_warden.core.target import RepositoryTarget
from iam_access.who_can.decide import Answer
from iam_access.who_can.graph import AccessPath
from iam_access.who_can.ours import Ours


class Ground(StrEnum):
    """Why access is no finding; NONE: it is one."""

    OWN = "own"  # a role of ecr-warden's, or one that only AWS can use
    SPEC = "spec"
    ADMINISTRATOR = "administrator"
    ALSO_ALLOWED = "also-allowed"
    UNNAMED = "unnamed"  # in the account of a repository that the spec does not name
    NONE = "none"


class Grounds(Struct, frozen=True):
    """Judges paths to repositories of the spec."""

    judge: Judge
    spec_access: SpecAccess
    unlimited: Unlimited
    """Whose access is no finding, by account."""

    def kind_of(self, repository: Repository, *, is_named: bool) -> Hashable:
        """The same for repositories to which everybody has the same access on the same grounds."""
        target, judge = repository.target, self.judge
        given = self.spec_access.kind_of(target) if is_named else None
        covering = (replace(one, principals=(EVERY,), access=()) for one in judge.compiled.also_allowed)
        also_allowed = tuple(covers(one, EVERY, "", target.account, target.name) for one in covering)
        return judge.graph.kind_of(repository), given, also_allowed

    def as_shown(self, path: AccessPath, access: str, target: RepositoryTarget) -> Ground:
        """The ground as answers and the report show it, of any repository."""
        is_named = self.judge.compiled.spec_of(target) is not None
        return (self.of if is_named else self.of_unnamed)(path, access, target)

    def of(self, path: AccessPath, access: str, target: RepositoryTarget) -> Ground:
        """The ground of a path that leads to a repository of the spec."""
        if self.judge.is_left_out(path):
            return Ground.OWN
        if self.spec_access.gives(access, target, path):
            return Ground.SPEC
        if self._is_administrators(path, access, target):
            return Ground.ADMINISTRATOR
        if self.judge.is_allowed(path.subject, access, target.account, target.name):
            return Ground.ALSO_ALLOWED
        return Ground.NONE

    def without(
        self,
        paths: Mapping[str, AccessPath],
        access: str,
        target: RepositoryTarget,
        asks: Callable[[AccessPath], bool] = lambda _: True,
    ) -> Iterator[AccessPath]:
        """The ways that have no ground: everybody's best one, and others where that does not say it all.

        It does not of an outsider, who may be somebody else by each role, and where the spec gives access under
        conditions. `asks`: about which of them.
        """
        asked = {arn: path for arn, path in paths.items() if asks(path)}
        found = ((arn, self._without(path, access, target)) for arn, path in asked.items())
        extra = {arn: path for arn, path in found if path is not None}
        yield from extra.values()
        others = {
            arn
            for arn, best in asked.items()
            if best.subject.identity is None or (best.answer is Answer.CONDITIONAL and arn not in extra)
        }
        for way in self.judge.graph.ways_through({**paths, **extra}, others):
            if (left := self._without(way, access, target)) is not None:
                yield left

    def _without(self, path: AccessPath, access: str, target: RepositoryTarget) -> AccessPath | None:
        """The path as far as it has no ground; of the account's administrators nothing has to be asked of the spec."""
        if self._is_administrator(path, target):
            return None
        ground = self.of(path, access, target)
        if ground is Ground.SPEC and self._may_have_more(path, target):
            more = self.spec_access.left(target, path)
            return more and self._without(more, access, target)
        return path if ground is Ground.NONE else None

    def _may_have_more(self, path: AccessPath, target: RepositoryTarget) -> bool:
        """Is it an outsider's, or under conditions that of somebody in the repository's account, which is enough alone?

        What the spec leaves to others, and to their accounts, is theirs.
        """
        is_own = len(path.steps) == 1 and path.subject.principal.account == target.account
        return self.judge.is_foreign(path) or (is_own and path.answer is Answer.CONDITIONAL)

    def _is_administrator(self, path: AccessPath, target: RepositoryTarget) -> bool:
        """Whether it is that of an administrator of the repository's account who could give themselves any access."""
        return path.subject.arn in self.unlimited(target.account) and not self.judge.is_foreign(path)

    def _is_administrators(self, path: AccessPath, access: str, target: RepositoryTarget) -> bool:
        """Whether it is an administrator's of an account of the spec.

        Of the repository's account, or of the account of an identity on the path to whom the spec gives the access: an
        administrator could act as that identity. One with limited power is none here: they may have no other way.
        """
        if self._is_administrator(path, target):
            return True
        return not self.judge.is_foreign(path) and any(
            path.subject.arn in self.unlimited(account)
            and self.spec_access.gives(access, target, AccessPath(path.steps[index:]))
            for index, step in enumerate(path.steps)
            if index and (account := str(step.subject.principal.account)) in self.judge.compiled.accounts
        )

    def of_unnamed(self, path: AccessPath, access: str, target: RepositoryTarget) -> Ground:
        """The same for a repository that the spec does not name, where it gives nobody anything.

        As in an audit, only whoever comes from outside the repository's account has none.
        """
        if self.judge.is_left_out(path):
            return Ground.OWN
        if self.judge.is_allowed(path.subject, access, target.account, target.name):
            return Ground.ALSO_ALLOWED
        is_direct = len(path.steps) == 1 and is_outside(self.judge.graph, path, Ours(frozenset({target.account})))
        return Ground.NONE if is_direct or self.judge.is_foreign(path) else Ground.UNNAMED
