"""Which repositories nothing tells apart: one of them answers for all."""

from collections.abc import Collection, Hashable, Iterable, Iterator

from ecr_warden.access.resources import keys_of_tags
from ecr_warden.core.estate import Estate, Repository
from ecr_warden.core.target import RepositoryTarget
from iam_access.document.document import Document, Patterns, Statement
from iam_access.document.glob import Glob
from iam_access.document.pattern_index import PatternIndex
from iam_access.document.variables import completed_arn, widest_glob
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.inventory import Policy


class Alike:
    """Finds what the policies of an estate say of each repository, its name apart.

    `actions`: those asked about; `tags`: the condition keys of tags that the policies ask for.
    """

    def __init__(self, policies: Iterable[Policy], actions: Iterable[str], tags: Collection[str]) -> None:
        self._actions = tuple(actions)
        self._naming = PatternIndex[int]()
        self._varying: dict[str, Glob] = {}
        self._tags = tags
        elements = {element: None for policy in policies for element in self._elements(policy)}
        for number, element in enumerate(elements):
            for value in {*element.values, *map(completed_arn, element.values)}:
                self._add(value, number)

    def kind_of(self, repository: Repository) -> Hashable:
        """The same for repositories with the same policies, of which every Resource element names all or none."""
        arn, target, policy = repository.arn, repository.target, repository.policy
        alone = arn if any(glob.matches(arn) for glob in self._varying.values()) else ""
        says = None if policy is None else self._said_in(policy)
        tags = None if repository.tags is None else frozenset(keys_of_tags(repository.tags, self._tags).items())
        return target.account, target.region, says, frozenset(self._naming.matching(arn)), alone, tags

    def _said_in(self, policy: Policy) -> Hashable:
        """What a repository's policy says of the actions; what was not read is like nothing else."""
        document = policy.document
        if not isinstance(document, Document):
            return id(document)
        return document.version, tuple(one for one in enumerate(document.statements) if self._is_asked_about(one[1]))

    def _elements(self, policy: Policy) -> Iterator[Patterns]:
        for statement in policy.statements:
            element = statement.resources
            if element is not None and element.values != ("*",) and self._is_asked_about(statement):
                yield element

    def _is_asked_about(self, statement: Statement) -> bool:
        return any(action_matches(statement.actions, action) for action in self._actions)

    def _add(self, value: str, number: int) -> None:
        if "${" in value:
            self._varying[value] = widest_glob(value)
        else:
            self._naming.add(value, number)


def moved(text: str, sample: RepositoryTarget, target: RepositoryTarget) -> str:
    """A text about one repository as it is about another one like it."""
    if sample.name not in text:
        return text
    for before in ("repository policy of ", "repository/"):
        first, *others = text.split(f"{before}{sample.name}")
        # What goes on is the name of another repository.
        goes_on = (one[:1].isalnum() or one[:1] in (*"._/-",) for one in others)
        names = (sample.name if longer else target.name for longer in goes_on)
        text = first + "".join(f"{before}{name}{one}" for name, one in zip(names, others, strict=True))
    return text


def policies_of(estate: Estate) -> Iterator[Policy]:
    """Every policy of identities, accounts, registries, templates, repositories and endpoints, each document once."""
    found: dict[int, Policy] = {id(endpoint.document): endpoint for endpoint in estate.endpoints}
    for account in estate.accounts.values():
        levels = (*(account.service_control or ()), *(account.resource_control or ()))
        held = [policy for level in levels for policy in level]
        for identity in account.identities.values():
            held += [*identity.policies, *([identity.boundary] if identity.boundary else [])]
        for registry in account.registries.values():
            held += [registry.policy] if registry.policy else []
            held += [template.policy for template in registry.templates or () if template.policy]
            held += [repository.policy for repository in registry.repositories.values() if repository.policy]
        found |= {id(policy.document): policy for policy in held}
    yield from found.values()
