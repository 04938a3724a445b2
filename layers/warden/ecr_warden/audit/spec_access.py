"""What the spec gives: the questions about access, asked of the documents that the spec stands for."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import cache, cached_property, lru_cache
from itertools import chain, product

from ecr_warden.access.graph import RepositoryGraph
from ecr_warden.core.actions import REQUIRED, Access
from ecr_warden.core.address import AddressKind, repository_policy, trust_policy
from ecr_warden.core.desired import CompiledSpec, Extent, ForeignStatement, Mode, RoleSettings, TargetSpec
from ecr_warden.core.estate import EcrAccount, Estate, Registry, Repository, target_of
from ecr_warden.core.target import IdentityTarget, RepositoryTarget, RoleTarget, target_arn
from iam_access.document.document import VARIABLES_VERSION, Document, Effect, parse_document
from iam_access.evaluate.request_principal import CallerKind
from iam_access.gather import gather
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Identity, Policy
from iam_access.who_can.candidates import NOBODY
from iam_access.who_can.decide import Answer, Given, Permission, Resource
from iam_access.who_can.graph import AccessPath, Step, rank
from iam_access.who_can.resources import with_policies
from iam_access.who_can.subject import ALLOW_EVERYTHING, ANY_ACCOUNT, Subject


class SpecAccess:
    """What a spec gives on some repositories; what is certain of the estate's principals and accounts counts too."""

    def __init__(self, compiled: CompiledSpec, estate: Estate, targets: Collection[RepositoryTarget]) -> None:
        self._compiled, enforced = compiled, _of_enforced_trust(compiled)
        self.targets = dict.fromkeys(targets)
        # On what is only observed, observed grants count as well.
        observed = [target for target in targets if compiled.mode_of(target) is Mode.OBSERVE]
        self._observed = (
            None if enforced.targets == compiled.targets else SpecAccess(compiled.with_observed, estate, observed)
        )
        self._graph = RepositoryGraph(desired_estate(enforced, estate, targets))
        self._desired = {bare(arn): subject for arn, subject in self._graph.subjects.items()}
        trusts = {name: one.identity.trust for name, one in self._desired.items() if one.identity}
        self._policies = trusts | {one.arn: one.policy for one in self._graph.estate.repositories()}
        self._paths = cache(self._find_paths)
        self._alone: dict[tuple[int, tuple[Policy, ...]], tuple[Subject, Subject]] = {}
        self._on_spec: dict[int, tuple[tuple[Permission, ...], tuple[Permission, ...]]] = {}

    def is_like(self, other: "SpecAccess") -> bool:
        """Whether both give the same on the same repositories."""
        return self._compiled is other._compiled and self._desired == other._desired

    def paths(self, what: str, target: RepositoryTarget, *, by_docker: bool = False) -> Mapping[str, AccessPath]:
        """Everybody to whom the spec gives it, or gives what docker needs for it, by ARN without its path."""
        return self._paths(what, target, by_docker)

    def _find_paths(self, what: str, target: RepositoryTarget, by_docker: bool) -> Mapping[str, AccessPath]:
        repository = self._graph.estate.registry_of(target).repositories[target.name]
        paths = self._graph.who_can(self._graph.permissions(what, repository, by_docker=by_docker))
        return {bare(arn): path for arn, path in paths.items()}

    def kind_of(self, target: RepositoryTarget) -> Hashable:
        """The same for repositories on which the spec gives the same to everybody."""
        kind = self._graph.kind_of(self._graph.estate.registry_of(target).repositories[target.name])
        return kind, self._compiled.mode_of(target)

    def gives(self, what: str, target: RepositoryTarget, path: AccessPath) -> bool:
        """Does the spec give what a path shows, through the same roles and at least as certainly?

        If it lets a whole account or organization in, it gives it to everybody there. And whomever its documents of the
        repository and of the roles name has it, whichever of their policies that the spec leaves alone do the rest.
        """
        if target not in self.targets or any(step.given is not None for step in path.steps):
            return False  # what the spec gives is left out of such steps
        if self._observed is not None and self._compiled.mode_of(target) is Mode.OBSERVE:
            return self._observed.gives(what, target, path)
        exact, *classes = self.given_to(path.subject, what, target)
        if exact is not None and _is_as_certain(exact, exact.answer, path):
            return True
        if any(access_path is not None and self._gives_class(access_path, path) for access_path in classes):
            return True
        return self._lets_through(what, target, path)

    def given_to(self, subject: Subject, what: str, target: RepositoryTarget) -> Iterator[AccessPath | None]:
        """What the spec gives a subject: by its name, as one of its account, and as anybody."""
        return map(self.paths(what, target).get, _names(subject))

    def all_given_to(self, subject: Subject) -> Iterator[tuple[Access, RepositoryTarget, AccessPath]]:
        """All the pulls and pushes that the spec gives a subject, as `given_to`."""
        return chain.from_iterable(self._all_given.get(name, ()) for name in _names(subject))

    @cached_property
    def _all_given(self) -> Mapping[str, Sequence[tuple[Access, RepositoryTarget, AccessPath]]]:
        return gather(
            (name, (access, target, path))
            for target, access in product(self.targets, (Access.PULL, Access.PUSH))
            for name, path in self.paths(access, target).items()
        )

    def left(self, target: RepositoryTarget, path: AccessPath) -> AccessPath | None:
        """The path as far as the spec's documents do not give it, by its first step that they do not."""
        if self._observed is not None and self._compiled.mode_of(target) is Mode.OBSERVE:
            return self._observed.left(target, path)
        for index, step in enumerate(path.steps):
            more = self._graph.excess(step, self.given(step))
            if more is not None:
                return AccessPath((*path.steps[:index], more, *path.steps[index + 1 :]))
        return None

    def kept_out(self, permissions: tuple[Permission, ...]) -> Iterator[Subject]:
        """Whom the spec denies something by name: without that they are let in with their class."""
        for policy in self._policies_of(permissions[0].resource):
            denies = (replace(one, effect=Effect.ALLOW) for one in policy.statements if one.effect is Effect.DENY)
            turned = Policy(policy.name, Document("", VARIABLES_VERSION, tuple(denies)))
            for one in permissions:
                yield from self._graph.meant_by(turned, one, NOBODY, services=True, all_of="")

    def given(self, step: Step) -> Given:
        """What the spec gives of a step: the same requests, by its documents alone."""
        asked = step.permissions
        if id(asked) not in self._on_spec:
            on_spec = (
                replace(one, resource=with_policies(one.resource, self._policies_of(one.resource))) for one in asked
            )
            # With the permissions themselves: while they are kept, no other object can have their id().
            self._on_spec[id(asked)] = asked, tuple(on_spec)
        return Given(self._own(step.subject, asked[0].resource), self._on_spec[id(asked)][1])

    def repaired(self, resource: Resource) -> Resource:
        """A role or repository with the spec's document in place of its own, which not every role has."""
        registry = () if resource.trust else (one for one in resource.policies if one.name.startswith("registry "))
        policies = (*self._policies_of(resource), *registry)
        return (
            replace(resource, policies=policies, varies_by_principal=True)
            if policies or not resource.trust
            else resource
        )

    def _policies_of(self, resource: Resource) -> tuple[Policy, ...]:
        """The policies of a role or repository by the spec."""
        policy = self._policies.get(bare(resource.arn))
        return (policy,) if policy else ()

    def _own(self, subject: Subject, resource: Resource) -> tuple[Policy, ...]:
        """A subject's policies by the spec, and unless it decides all of them, whatever its account gives it."""
        spec = self._compiled.targets.get(target_of(subject.identity).key) if subject.identity else None
        own = () if spec is None else self._desired[bare(subject.arn)].policies
        return own if spec is not None and spec.extent is Extent.WHOLE else (*own, _others(subject, resource))

    def _gives_class(self, given: AccessPath, path: AccessPath) -> bool:
        """Is it given to a class that the path begins in, and does not leave before it goes as the class does?"""
        before, account = len(path.steps) - len(given.steps), given.subject.principal.account
        members = [step.subject for step in path.steps[: before + 1]]
        are_in_account = account == ANY_ACCOUNT or all(member.principal.account == account for member in members)
        if before < 0 or not are_in_account or (before and any(member.identity is None for member in members)):
            return False
        tail = AccessPath(path.steps[before:])
        return _is_as_certain(given, max((self._answer_for(member, given) for member in members), key=rank), tail)

    def _answer_for(self, subject: Subject, given: AccessPath) -> Answer:
        """Is the subject one of the class to which the spec gives it?"""
        permissions = given.steps[0].permissions
        if _is_enough_alone(subject, permissions[0].resource) and given.subject.principal.account != ANY_ACCOUNT:
            # In the resource's own account, naming the account leaves it to the account, as far as the conditions go:
            # asked as of another account's resource, where what the account gives is not enough alone.
            permissions = tuple(
                replace(one, resource=replace(one.resource, account=ANY_ACCOUNT)) for one in permissions
            )
        return self._answer_to(subject, permissions, (_others(subject, permissions[0].resource),))

    def _lets_through(self, what: str, target: RepositoryTarget, path: AccessPath) -> bool:
        """Do the spec's policies of each role on the path and of the repository let in whoever comes?"""
        *before, last = path.steps
        repository = self._graph.estate.registry_of(target).repositories[target.name]
        asked = (*before, replace(last, permissions=self._graph.permissions(what, repository)))
        each = ((step.subject, self.given(step)) for step in asked)
        answers = (self._answer_to(subject, given.permissions, given.own) for subject, given in each)
        return max(map(rank, answers)) <= rank(path.answer)

    def _answer_to(self, subject: Subject, permissions: tuple[Permission, ...], own: tuple[Policy, ...]) -> Answer:
        """What the spec's documents answer a subject that has these policies of its own."""
        return self._graph.decide(self._with(subject, own), permissions).answer

    def _with(self, subject: Subject, policies: tuple[Policy, ...]) -> Subject:
        """The subject with these policies alone: of each identity one, so that decisions on it are shared."""
        if subject.principal.kind not in (CallerKind.USER, CallerKind.ROLE) or subject.identity is None:
            return replace(subject, policies=policies, boundary=None, service_control=())
        name = id(subject), policies
        found = self._alone.get(name)
        if found is None:
            alone = replace(subject, policies=policies, boundary=None, service_control=())
            # With the subject, so that no other takes its ID.
            found = self._alone[name] = subject, self._graph.keep(alone)
        return found[1]


def _names(subject: Subject) -> Iterator[str]:
    """The names by which paths may be a subject's: its own, anybody's in its account, and anybody's."""
    accounts = filter(None, (subject.principal.account, ANY_ACCOUNT))
    return map(bare, (subject.arn, *(f"arn:aws:iam::{account}:user/anyone" for account in accounts)))


def _of_enforced_trust(compiled: CompiledSpec) -> CompiledSpec:
    """The spec without those who may take a role by observed grants alone: they get what enforced ones give it."""
    return replace(compiled, targets={key: _less_trusting(spec) for key, spec in compiled.targets.items()})


def _less_trusting(spec: TargetSpec) -> TargetSpec:
    shared = {at for at in spec.observed.keys() & spec.documents if at.kind is AddressKind.TRUST_POLICY}
    observed = {at: value for at, value in spec.observed.items() if at not in shared}
    return replace(spec, observed=observed) if shared else spec


def _is_as_certain(given: AccessPath, first: Answer, path: AccessPath) -> bool:
    """`first`: the answer on the first step of what is given."""
    if [*map(bare, given.chain[1:])] != [*map(bare, path.chain[1:])]:
        return False
    return max(map(rank, (first, *(step.decision.answer for step in given.steps[1:])))) <= rank(path.answer)


def _others(subject: Subject, resource: Resource) -> Policy:
    """Everything, where the resource's policy has to allow it too; nothing, where either side is enough."""
    document = _NOTHING if _is_enough_alone(subject, resource) else ALLOW_EVERYTHING
    return Policy("whatever its account gives it", document)


def _is_enough_alone(subject: Subject, resource: Resource) -> bool:
    """Whether either side is enough: in its own account, unless it is a role to assume."""
    return subject.principal.account == resource.account and not resource.trust


_NOTHING = Document("", VARIABLES_VERSION, ())


def bare(arn: str) -> str:
    """A user's or role's ARN without its path, any other as it is; names are unique whatever their path and case."""
    start, slash, rest = arn.partition("/")
    has_path = start.endswith((":user", ":role"))
    return f"{start}{slash}{rest.rpartition('/')[2] if has_path else rest}".lower()


def desired_estate(compiled: CompiledSpec, estate: Estate, targets: Iterable[RepositoryTarget]) -> Estate:
    """The estate that a spec describes, as far as these repositories are concerned.

    What the spec does not say of its accounts and identities is as in `estate`: organizations, tags, unique IDs.
    """
    live = {bare(identity.arn): identity for identity in estate.identities()}
    arns = {named.key: arn for spec in compiled.targets.values() for arn, named in spec.principals.items()}
    identities: dict[str, dict[str, Identity]] = {account: {} for account in compiled.accounts}
    for spec in compiled.targets.values():
        if not isinstance(spec.target, RepositoryTarget):
            identity = _desired_identity(spec, spec.target, arns, live)
            identities.setdefault(identity.account, {})[identity.arn] = identity
    registries: dict[str, dict[str, dict[str, Repository]]] = {}
    for target in targets:
        identities.setdefault(target.account, {})
        named = registries.setdefault(target.account, {}).setdefault(target.region, {})
        named[target.name] = Repository(target, _desired_policy(compiled.spec_of(target), target))
    accounts = {}
    for account, held in identities.items():
        regions = {region: Registry(region, named) for region, named in registries.get(account, {}).items()}
        known = estate.accounts.get(account)
        organization = known.organization if known else None
        accounts[account] = EcrAccount(account, held, organization=organization, registries=regions, is_listed=False)
    return Estate(estate.taken_at, accounts)


def _desired_policy(spec: TargetSpec | None, target: RepositoryTarget) -> Policy | None:
    documents = [*_documents(spec, target)] if spec else []
    if not documents:
        return None
    statements = tuple(statement for document in documents for statement in document.statements)
    document = documents[0] if len(documents) == 1 else Document("", VARIABLES_VERSION, statements)
    return Policy(f"repository policy of {target.name}", document)


def _documents(spec: TargetSpec, target: RepositoryTarget) -> Iterator[Document]:
    desired = spec.granted.get(repository_policy(target))
    if isinstance(desired, Document):
        yield desired
    if ForeignStatement.LAMBDA_IMAGE_RETRIEVAL in spec.foreign:
        yield _image_retrieval(target.account, target.region)


@lru_cache
def _image_retrieval(account: str, region: str) -> Document:
    """What AWS Lambda adds for functions of the repository's account and region.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-permissions
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": [*REQUIRED[Access.PULL]],
        "Condition": {"StringLike": {"aws:SourceArn": f"arn:aws:lambda:{region}:{account}:function:*"}},
    }
    return parse_document({"Version": VARIABLES_VERSION, "Statement": [statement]})


def _desired_identity(
    spec: TargetSpec, target: IdentityTarget, arns: Mapping[str, str], live: Mapping[str, Identity]
) -> Identity:
    documents = {address: value for address, value in spec.granted.items() if isinstance(value, Document)}
    settings = next((value for value in spec.granted.values() if isinstance(value, RoleSettings)), None)
    arn = arns.get(target.key) or target_arn(target, path=settings.path if settings else "/")
    trust = documents.pop(trust_policy(target), None) if isinstance(target, RoleTarget) else None
    known = live.get(bare(arn))
    return Identity(
        arn,
        target.account,
        IdentityKind.ROLE if isinstance(target, RoleTarget) else IdentityKind.USER,
        target.name,
        known.unique_id if known else "",
        tuple(Policy(f"identity policy {address.name}", document) for address, document in documents.items()),
        trust=Policy("trust policy", trust) if trust else None,
        tags=known.tags if known else {},
    )
