"""Who can do what with a repository."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from copy import replace
from functools import cached_property

from ecr_warden.access.alike import Alike
from ecr_warden.access.kinds import ACTIONS, TOKEN, WITH_TOKEN, Access
from ecr_warden.access.resources import resource_of_repository
from ecr_warden.core.estate import Estate, Repository
from iam_access.document.document import parse_document
from iam_access.document.steps import Allowance
from iam_access.evaluate.request_principal import CallerKind
from iam_access.inventory.inventory import Policy
from iam_access.who_can.decide import OF_TAGGING, AccessDecision, Answer, Permission, Resource
from iam_access.who_can.graph import Graph
from iam_access.who_can.subject import Subject


def permission(action: str, resource: Resource) -> Permission:
    """One action of ECR; it sets tags only where its name says so."""
    sets_tags = "Tag" in action or action.startswith("ecr:Create")
    return Permission(action, resource, () if sets_tags else OF_TAGGING)


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
            return (permission(what, resource),)
        access = Access(what)
        # docker asks the registry's own region for the token.
        region: dict[str, tuple[str, ...]] = {"aws:requestedregion": (repository.target.region,)}
        closed = "aws:resourcetag/", "ecr:resourcetag/"
        anything = Resource("*", None, keys=region, closed=closed, varies_by_principal=False)
        token = (permission(TOKEN, anything),) if access in WITH_TOKEN else ()
        return (*(permission(action, resource) for action in ACTIONS[access]), *token)

    def decide(self, subject: Subject, permissions: tuple[Permission, ...]) -> AccessDecision:
        """As any graph does; services need no token, and come through no VPC endpoint."""
        if subject.principal.kind is CallerKind.SERVICE:
            return super().decide(subject, tuple(one for one in permissions if one.action != TOKEN))
        found = super().decide(subject, permissions)
        for endpoint in self.estate.endpoints if permissions[0].action.lower().startswith("ecr:") else ():
            if found.answer not in (Answer.YES, Answer.CONDITIONAL):
                break
            # Whoever comes through the endpoint needs its policy to allow it too.
            limited = tuple(_through(one, endpoint) for one in permissions)
            if super().decide(subject, limited).answer is not found.answer:
                text = f"not through the VPC endpoint {endpoint.name}, whose policy does not allow it"
                found = replace(found, answer=Answer.CONDITIONAL, conditions=(*found.conditions, text))
        return found

    def translate(self, permissions: Iterable[Permission]) -> tuple[Permission, ...]:
        """Permissions of another estate, on this estate's resources."""
        arns = {repository.arn: repository for repository in self.estate.repositories()}
        return tuple(replace(one, resource=self._of(one.resource, arns)) for one in permissions)

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


def _through(permission: Permission, endpoint: Policy) -> Permission:
    """The permission as it is needed of whoever comes through a VPC endpoint: its policy is one more level.

    Source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    resource = permission.resource
    # A level of resource control policies without any Allow would allow everything; an endpoint's policy does not.
    level = (endpoint, Policy(endpoint.name, _ALLOWS_NOTHING))
    return replace(permission, resource=replace(resource, control=(*resource.control, level)))


_ALLOWS_NOTHING = parse_document(
    {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "none:None", "Resource": "*"}}
)
