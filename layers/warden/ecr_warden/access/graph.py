"""Who can do what with a repository."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cached_property

from ecr_warden.access.alike import Alike
from ecr_warden.access.kinds import ACTIONS, TOKEN, WITH_TOKEN, Access
from ecr_warden.access.resources import resource_of_repository
from ecr_warden.core.estate import Estate, Repository
from iam_access.document.steps import Allowance
from iam_access.evaluate.request_principal import CallerKind
from iam_access.who_can.decide import AccessDecision, Permission, Resource
from iam_access.who_can.graph import Graph
from iam_access.who_can.subject import Subject


class RepositoryGraph(Graph):
    """A graph of an estate, with its repositories as the resources that are asked about."""

    def __init__(
        self,
        estate: Estate,
        has_time: Callable[[], bool] = lambda: True,
        seen_as: Callable[[Subject], Subject] = lambda subject: subject,
        allowances: defaultdict[str | None, Allowance] | None = None,
    ) -> None:
        super().__init__(estate, has_time, seen_as, allowances)
        self.estate = estate
        self._repositories: dict[str, Resource] = {}
        self._kinds: dict[str, Hashable] = {}

    @cached_property
    def _alike(self) -> Alike:
        return Alike(self.estate, {action for actions in ACTIONS.values() for action in actions})

    def kind_of(self, repository: Repository) -> Hashable:
        """The same for repositories to which everybody has the same access (ADR 37)."""
        found = self._kinds.get(repository.arn)
        if found is None:
            found = self._kinds[repository.arn] = self._alike.kind_of(repository)
        return found

    def permissions(self, what: str, repository: Repository) -> tuple[Permission, ...]:
        """The permissions that `what` requires: an Access, or one action."""
        resource = self._resource(repository)
        if what not in list(Access):
            return (Permission(what, resource),)
        access = Access(what)
        # docker asks the registry's own region for the token.
        region: dict[str, tuple[str, ...]] = {"aws:requestedregion": (repository.target.region,)}
        closed = "aws:resourcetag/", "ecr:resourcetag/"
        anything = Resource("*", None, keys=region, closed=closed, varies_by_principal=False)
        token = (Permission(TOKEN, anything),) if access in WITH_TOKEN else ()
        return (*(Permission(action, resource) for action in ACTIONS[access]), *token)

    def decide(self, subject: Subject, permissions: tuple[Permission, ...]) -> AccessDecision:
        """As any graph does; services need no token."""
        if subject.principal.kind is CallerKind.SERVICE:
            permissions = tuple(permission for permission in permissions if permission.action != TOKEN)
        return super().decide(subject, permissions)

    def translate(self, permissions: Iterable[Permission]) -> tuple[Permission, ...]:
        """Permissions of another estate, on this estate's resources."""
        arns = {repository.arn: repository for repository in self.estate.repositories()}
        return tuple(Permission(one.action, self._of(one.resource, arns)) for one in permissions)

    def edited(self, estate: Estate) -> "RepositoryGraph":
        """The graph of a changed estate, whose questions share the same comparisons."""
        return RepositoryGraph(estate, allowances=self._allowances)

    def _of(self, resource: Resource, repositories: Mapping[str, Repository]) -> Resource:
        return self._resource(repositories[resource.arn]) if resource.arn in repositories else resource

    def _resource(self, repository: Repository) -> Resource:
        found = self._repositories.get(repository.arn)
        if found is None:
            found = self._repositories[repository.arn] = resource_of_repository(repository, self.estate)
        return found
