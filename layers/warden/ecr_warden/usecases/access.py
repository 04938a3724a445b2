"""Questions about access, answered from an estate and compared with the spec."""

import difflib
from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from ecr_warden.arn import ACCOUNT_ID
from ecr_warden.errors import WardenError
from ecr_warden.model.address import repository_policy, trust_policy
from ecr_warden.model.desired import CompiledSpec, RoleSettings, TargetSpec
from ecr_warden.model.estate import Account, Estate, Identity, Policy, Registry, Repository
from ecr_warden.model.target import IdentityKind, IdentityTarget, RepositoryTarget, RoleTarget, target_arn
from ecr_warden.policy.document import Document
from ecr_warden.policy.printable import listed, printable
from ecr_warden.policy.request_principal import CallerKind, RequestError
from ecr_warden.proof.access import Access, AccessPath, Denial, Graph
from ecr_warden.proof.decide import Answer, Permission
from ecr_warden.proof.escalation import Escalation, Escalations
from ecr_warden.proof.missing import Change, smallest_change
from ecr_warden.proof.subject import Subject, unread_subject
from ecr_warden.spec.spec import Spec

_ACTION_CHARACTERS = 128
# The longest name that ECR accepts.
_NAME_LENGTH = 256


class AccessError(WardenError):
    """The question is malformed, or names something that the estate does not have."""

    code = "access"


class Question(Struct, frozen=True):
    """What somebody wants to do with a repository: `what` is an Access or one action."""

    what: str
    repository: Repository
    permissions: tuple[Permission, ...]


def question(graph: Graph, what: str, repository: str) -> Question:
    """Parse a question; raises AccessError."""
    name = what if what in list(Access) else _action(what)
    found = find_repository(graph.estate, repository)
    return Question(name, found, graph.permissions(name, found))


def _action(text: str) -> str:
    service, colon, name = text.partition(":")
    if not colon or service.lower() != "ecr" or not name.isalnum() or len(name) > _ACTION_CHARACTERS:
        remedy = "write pull, push, delete, admin or an action such as ecr:PutImage"
        raise AccessError(f"not a kind of access: {printable(text)}", remedy=remedy)
    return text


def find_repository(estate: Estate, text: str) -> Repository:
    """A repository by its name where that is unique, or by account/region/name; raises AccessError."""
    whole = [one for one in estate.repositories() if text in (f"{_place(one)}/{one.target.name}", one.arn)]
    named = whole or [one for one in estate.repositories() if one.target.name == text]
    if len(named) == 1:
        return named[0]
    if not named:
        unlisted = "" if all(_is_listed(estate)) else "; not all registries could be listed"
        near = difflib.get_close_matches(text[:_NAME_LENGTH], {one.target.name for one in estate.repositories()}, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise AccessError(
            f'there is no repository "{printable(text, 120)}" in the estate{unlisted}{hint}',
            remedy="write its name, or account/region/name",
        )
    places = listed([f"{_place(one)}/{one.target.name}" for one in named], 5)
    raise AccessError(f"{len(named)} repositories are called {printable(text)}", remedy=f"write one of {places}")


def _place(repository: Repository) -> str:
    return f"{repository.target.account}/{repository.target.region}"


def _is_listed(estate: Estate) -> Iterable[bool]:
    return (one.is_listed for account in estate.accounts.values() for one in account.registries.values())


def find_subject(graph: Graph, arn: str) -> Subject:
    """The subject with the ARN; raises AccessError if it is no principal's, or the account has no such user or role."""
    try:
        subject = graph.subject(arn)
    except RequestError as error:
        raise AccessError(f"not the ARN of a principal: {printable(arn, 120)}", remedy=error.remedy) from error
    if subject.principal.kind in (CallerKind.ANONYMOUS, CallerKind.CANONICAL):
        raise AccessError(
            f"not the ARN of a principal: {printable(arn, 120)}", remedy="write the ARN of a user or role"
        )
    if subject.principal.account and not ACCOUNT_ID.fullmatch(subject.principal.account):
        raise AccessError(
            f"not the ARN of a principal: {printable(arn, 120)}", remedy="write the account's ID with all 12 digits"
        )
    if not graph.exists(subject):
        raise AccessError(
            f"account {subject.principal.account} has no {printable(arn.rpartition(':')[2], 120)}",
            remedy="get its ARN, including the path, from aws iam get-user or get-role",
        )
    is_unread = subject.presumed_allowed and subject.principal.account is not None
    return unread_subject(subject.principal, graph.estate) if is_unread else subject


class CanI(Struct, frozen=True):
    """An answer about one subject: its path, or the change that it needs (None: no change of a policy would help)."""

    answer: Answer
    path: AccessPath | None
    change: Change | None


def can_i(graph: Graph, subject: Subject, asked: Question) -> CanI:
    """Does the subject have the access, and if not, what is missing?"""
    match graph.can(subject, asked.permissions):
        case Denial():
            return CanI(
                Answer.NO,
                None,
                smallest_change(graph, subject, asked.permissions, prefers_role=asked.what == Access.PUSH),
            )
        case path:
            return CanI(path.answer, path, None)


class WhoCan(Struct, frozen=True):
    """Everybody who can: identities, classes of principals outside the estate, and who could escalate."""

    identities: tuple[AccessPath, ...]
    classes: tuple[AccessPath, ...]
    escalations: tuple[Escalation, ...] = ()


def who_can(graph: Graph, asked: Question, escalations: Escalations | None = None) -> WhoCan:
    """Everybody who can, the certain ones first, and of equally certain ones those with the shortest path."""
    paths = sorted(graph.who_can(asked.permissions).values(), key=_order)
    identities = tuple(path for path in paths if not _is_class(path.subject))
    able = {path.subject.arn for path in paths if path.answer in (Answer.YES, Answer.CONDITIONAL)}
    more = tuple(escalations.who(asked.permissions, able)) if escalations else ()
    return WhoCan(identities, tuple(path for path in paths if _is_class(path.subject)), more)


def _is_class(subject: Subject) -> bool:
    return subject.is_class or subject.principal.kind is CallerKind.ROOT


_RANKS = {Answer.YES: 0, Answer.CONDITIONAL: 1, Answer.UNKNOWN: 2}


def _order(path: AccessPath) -> tuple[int, int, str]:
    return _RANKS[path.answer], len(path.steps), path.subject.arn


class InSpec:
    """Whether the spec gives the access that a path shows: the same question, asked of the spec's documents."""

    def __init__(self, compiled: CompiledSpec, asked: Question, at: datetime) -> None:
        graph = Graph(desired_estate(compiled, asked.repository.target, at))
        repository = graph.estate.registry_of(asked.repository.target).repositories[asked.repository.target.name]
        self._given = {
            _bare(arn): path for arn, path in graph.who_can(graph.permissions(asked.what, repository)).items()
        }
        self._accounts = {
            path.subject.principal.account
            for path in self._given.values()
            if path.subject.is_class and len(path.steps) == 1
        }

    def __call__(self, path: AccessPath) -> bool:
        """Does the spec give it? If it lets a whole account in, it gives it to everybody in that account."""
        given = self._given.get(_bare(path.subject.arn))
        if given is not None:
            return [*map(_bare, given.chain)] == [*map(_bare, path.chain)]
        return len(path.steps) == 1 and path.subject.principal.account in self._accounts


def spec_change(spec: Spec, asked: Question, subject: Subject) -> str:
    """The change to the spec that would give this access, in words; "" where the spec cannot express it."""
    target = asked.repository.target
    identity = subject.identity
    aliases = {account.id: account.alias for account in spec.accounts}
    entry = next((one for one in spec.repositories if target in one.targets), None)
    if identity is None or identity.account not in aliases or asked.what not in (Access.PULL, Access.PUSH):
        return ""
    name = f"{aliases[identity.account]}:{identity.arn.partition('::')[2].partition(':')[2]}"
    if entry is None:
        return f"add an entry for {printable(target.name, 200)} under repositories:, with {name} in {asked.what}:"
    if asked.what == Access.PULL:
        return f"add {name} to {printable(target.name, 200)}, under pull:"
    roles = ", ".join(push.role.name for push in entry.push) or "a push role"
    return f"add {name} to {printable(target.name, 200)}, under push:, by: ({roles})"


def _bare(arn: str) -> str:
    """The ARN without its path: names are unique in an account whatever their path and case."""
    start, slash, rest = arn.partition("/")
    return f"{start}{slash}{rest.rpartition('/')[2]}".lower()


def desired_estate(compiled: CompiledSpec, target: RepositoryTarget, at: datetime) -> Estate:
    """The estate that a spec describes, as far as one repository is concerned."""
    paths = {named.key: arn for spec in compiled.targets.values() for arn, named in spec.principals.items()}
    found = compiled.spec_of(target)
    policy = found.documents.get(repository_policy(target)) if found else None
    attached = Policy("repository policy", policy) if isinstance(policy, Document) else None
    registry = Registry(target.region, {target.name: Repository(target, attached)})
    identities: dict[str, dict[str, Identity]] = {account: {} for account in (*compiled.accounts, target.account)}
    for spec in compiled.targets.values():
        if not isinstance(spec.target, RepositoryTarget):
            identity = _desired_identity(spec, spec.target, paths)
            identities.setdefault(identity.account, {})[identity.arn] = identity
    accounts = {
        account: Account(
            account, held, registries={target.region: registry} if account == target.account else {}, is_listed=False
        )
        for account, held in identities.items()
    }
    return Estate(at, accounts)


def _desired_identity(spec: TargetSpec, target: IdentityTarget, arns: Mapping[str, str]) -> Identity:
    documents = {address: value for address, value in spec.documents.items() if isinstance(value, Document)}
    settings = next((value for value in spec.documents.values() if isinstance(value, RoleSettings)), None)
    arn = arns.get(target.key) or target_arn(target, path=settings.path if settings else "/")
    trust = documents.pop(trust_policy(target), None) if isinstance(target, RoleTarget) else None
    return Identity(
        arn,
        target.account,
        IdentityKind.ROLE if isinstance(target, RoleTarget) else IdentityKind.USER,
        target.name,
        "",
        tuple(Policy(str(address), document) for address, document in documents.items()),
        trust=Policy("trust policy", trust) if trust else None,
    )
