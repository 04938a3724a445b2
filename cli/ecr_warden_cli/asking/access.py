"""Questions about access, answered from an estate and compared with the spec."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct, field

from ecr_warden.access.alike import moved
from ecr_warden.access.docker import ByDocker, by_docker
from ecr_warden.access.graph import RepositoryGraph, who_can_any
from ecr_warden.access.missing import Edit, PolicyChange, Side, change_along, smallest_change
from ecr_warden.audit.advice import Advice
from ecr_warden.audit.grounds import Grounds
from ecr_warden.audit.outsiders import halves
from ecr_warden.audit.providers import GapKind, ProviderGap, Trust, gaps
from ecr_warden.core.actions import FOR_DOCKER, Access
from ecr_warden.core.address import trust_policy
from ecr_warden.core.desired import CompiledSpec, Extent
from ecr_warden.core.estate import Estate, Repository
from ecr_warden.core.naming import meant
from ecr_warden.core.selection import is_pattern, selects
from ecr_warden.core.target import RepositoryTarget, RoleTarget, UserTarget, target_named
from ecr_warden_cli.asking.spec_places import Basis
from iam_access.arn import ACCOUNT_ID, iam_arn
from iam_access.document.document import Document, Effect
from iam_access.errors import NamedError
from iam_access.evaluate.request_principal import CallerKind, RequestError
from iam_access.inventory.inventory import Policy
from iam_access.text.nearest import did_you_mean, nearest
from iam_access.text.printable import listed, printable
from iam_access.who_can import unread
from iam_access.who_can.decide import Answer, Permission
from iam_access.who_can.entering import unread_account
from iam_access.who_can.graph import AccessPath, Step, enter
from iam_access.who_can.subject import Subject, unread_subject

_ACTION_CHARACTERS = 128


class AccessError(NamedError, code="access"):
    """The question is malformed, or names something that the estate does not have."""


class Question(Struct, frozen=True):
    """What somebody wants to do with a repository: `what` is an Access or one action, each of `ways` is enough."""

    what: str
    repository: Repository
    ways: tuple[tuple[Permission, ...], ...]


def question(graph: RepositoryGraph, what: str, repository: str) -> Question:
    """Parse a question; raises AccessError."""
    return question_of(graph, access_named(what), find_repository(graph.estate, repository))


def question_of(graph: RepositoryGraph, what: str, repository: Repository) -> Question:
    """The question about a kind of access, or an action."""
    return Question(what, repository, graph.ways(what, repository))


def access_named(text: str) -> str:
    """A kind of access or one action of ECR; raises AccessError."""
    if text in list(Access):
        return text
    service, colon, name = text.partition(":")
    if not colon or service.lower() != "ecr" or not name.isalnum() or len(name) > _ACTION_CHARACTERS:
        hint = did_you_mean("".join(nearest(text, list(Access))))
        raise AccessError(
            f"not a kind of access: {printable(text)}{hint}",
            remedy="write pull, push, delete, admin or an action such as ecr:PutImage",
        )
    return text


def find_repositories(estate: Estate, text: str) -> list[Repository]:
    """The repositories that a pattern selects, or the one of that name; raises AccessError where there is none."""
    if not is_pattern(text):
        return [find_repository(estate, text)]
    selected = [repository for repository in estate.repositories() if selects(text, repository.target)]
    if not selected:
        raise _no_repository(
            estate,
            f"no repository of the accounts that were read fits {printable(text, 120)}",
            "write a pattern of their names, such as 'shop/*'",
        )
    return selected


def find_repository(estate: Estate, text: str) -> Repository:
    """A repository by its name where that is unique, or by account/region/name; raises AccessError."""
    whole = [
        repository
        for repository in estate.repositories()
        if text in (f"{_place(repository)}/{repository.target.name}", repository.arn)
    ]
    named = whole or [repository for repository in estate.repositories() if repository.target.name == text]
    if len(named) == 1:
        return named[0]
    if not named:
        is_whole = ACCOUNT_ID.fullmatch(text.partition("/")[0]) is not None
        names = (f"{_place(one)}/" * is_whole + one.target.name for one in estate.repositories())
        near = nearest(text, dict.fromkeys(names))
        message = f'there is no repository "{printable(text, 120)}" in the accounts that were read'
        raise _no_repository(estate, message + did_you_mean("".join(near)), "write its name, or account/region/name")
    places = listed([f"{_place(repository)}/{repository.target.name}" for repository in named], 5)
    raise AccessError(f"{len(named)} repositories are called {printable(text)}", remedy=f"write one of {places}")


def _no_repository(estate: Estate, message: str, remedy: str) -> AccessError:
    more = "; not all registries could be listed" if any(unlisted(estate)) else ""
    if not any(estate.repositories()):
        message, remedy = f"{message}, nor any other", "read the account and region that have it, or ask the hub: --hub"
    return AccessError(f"{message}{more}", remedy=remedy)


def _place(repository: Repository) -> str:
    return f"{repository.target.account}/{repository.target.region}"


def unlisted(estate: Estate) -> Iterator[str]:
    """The registries that may have more repositories than were read."""
    return (
        f"the repositories of account {account.id} in {registry.region} were not listed"
        for account in estate.accounts.values()
        for registry in account.registries.values()
        if not registry.is_listed
    )


_PRINCIPALS = "write ALIAS:user/NAME or ALIAS:role/NAME, the ARN of a user, role or session, or a service"
_SUGGESTED = 3


def subject_named(graph: RepositoryGraph, text: str, ids: Mapping[str, str]) -> Subject:
    """The subject that people mean by an ARN, ALIAS:user/NAME or a name; raises AccessError. `ids`: by aliases."""
    return find_subject(graph, arn_meant(graph.estate, text, ids))


def arn_meant(estate: Estate, text: str, ids: Mapping[str, str]) -> str:
    """The ARN of the one user or role that people mean, any other text unchanged; raises AccessError for several."""
    found = meant(text, ids, (identity.arn for identity in estate.identities()))
    if len(found) > 1:
        raise AccessError(
            f"{len(found)} users and roles are called {printable(text)}",
            remedy=f"write one of {listed(found, _SUGGESTED)}",
        )
    return found[0] if found else text


def find_subject(graph: RepositoryGraph, arn: str) -> Subject:
    """The subject with the ARN; raises AccessError if it is no principal's, or the account has no such user or role."""
    try:
        subject = graph.subject(arn)
    except RequestError as error:
        named = {one.arn.rpartition("/")[2]: one.arn for one in graph.estate.identities()}
        hint = did_you_mean("".join(named[one] for one in nearest(arn.rpartition("/")[2], named)))
        raise AccessError(f"nobody is called {printable(arn, 120)}{hint}", remedy=_PRINCIPALS) from error
    if subject.principal.kind in (CallerKind.ANONYMOUS, CallerKind.CANONICAL):
        raise AccessError(f"nobody is called {printable(arn, 120)}", remedy=_PRINCIPALS)
    if subject.principal.account and not ACCOUNT_ID.fullmatch(subject.principal.account):
        raise AccessError(
            f"not the ARN of a principal: {printable(arn, 120)}", remedy="write the account's ID with all 12 digits"
        )
    if not graph.exists(subject):
        account, name = subject.principal.account or "", arn.rpartition(":")[2]
        known = graph.estate.accounts[account].identities if account in graph.estate.accounts else ()
        named = {one.rpartition(":")[2]: one for one in known}
        hint = did_you_mean("".join(named[one] for one in nearest(name, named)))
        raise AccessError(
            f"account {account} has no {printable(name, 120)}{hint}",
            remedy="get its ARN, including the path, from aws iam get-user, get-role or list-open-id-connect-providers",
        )
    principal = subject.principal
    is_opened = principal.kind is CallerKind.FEDERATED_USER and graph.is_listed(principal.account)
    is_unread = subject.presumed_allowed and principal.account is not None and not is_opened
    return unread_subject(subject.principal, graph.estate) if is_unread else subject


class CanI(Struct, frozen=True):
    """An answer about one subject: its path, and the change that it, or docker, needs; None: none would help, or is."""

    answer: Answer
    path: AccessPath | None
    change: PolicyChange | None
    docker: ByDocker | None = None
    advice: Advice = Advice()
    """What to do about a no."""
    places: Mapping[Edit, str] = field(default_factory=dict)
    """Where the spec says what a document of the change is."""
    given: Basis | None = None
    """On what ground the path leads there; None without a spec or a path."""


def can_i(graph: RepositoryGraph, subject: Subject, asked: Question, *, seeks_change: bool = True) -> CanI:
    """Does the subject have the access, and if not, what is missing? To seek the smallest change takes longest."""
    path = best_path(graph, subject, asked.ways)
    docker = None if path is None else by_docker(graph, path, asked.what, asked.repository)
    lacks = path is None or (docker is not None and docker.lacking)
    change = _change(graph, subject, asked) if seeks_change and lacks else None
    return CanI(path.answer if path is not None else Answer.NO, path, change, docker=docker)


def best_path(graph: RepositoryGraph, subject: Subject, ways: Iterable[tuple[Permission, ...]]) -> AccessPath | None:
    """The best way of one subject, None if there is none."""
    found = (unread.can(graph, subject, way) for way in ways)
    return min((one for one in found if isinstance(one, AccessPath)), key=lambda path: path.order, default=None)


def _change(graph: RepositoryGraph, subject: Subject, asked: Question) -> PolicyChange | None:
    """The smallest change with which the subject, and docker, can do it."""
    needed = asked.ways[0]
    if asked.what in FOR_DOCKER and subject.principal.kind is not CallerKind.SERVICE:
        needed = graph.permissions(asked.what, asked.repository, by_docker=True)
    return smallest_change(graph, subject, needed, prefers_role=asked.what == Access.PUSH)


def can_assume(graph: RepositoryGraph, subject: Subject, role: Subject) -> CanI:
    """Can the subject assume the role, and if not, what is missing?"""
    if role.identity is None:
        asked = enter((str(role.principal.account),))
        unread = unread_account(str(role.principal.account), graph.estate)
        decision = replace(graph.decide(subject, asked), unread=(unread,))
    else:
        asked = graph.assuming(subject, role)
        decision = graph.decide(subject, asked)
    if decision.answer is not Answer.NO:
        return CanI(decision.answer, AccessPath((Step(subject, asked, decision),)), None)
    if role.identity is None:
        lacking = Edit(Side.IDENTITY, subject.arn, actions=(asked[0].action,), resource=role.arn)
        return CanI(Answer.NO, None, PolicyChange((), (lacking,)))
    return CanI(Answer.NO, None, change_along(graph, (subject, role), ()))


class Reach(Struct, frozen=True):
    """What somebody reaches: a kind of access to a repository, by a path of theirs."""

    repository: Repository
    access: str
    by: AccessPath
    sample: Repository
    """The repository that was asked about, which nothing tells apart from it."""
    given: Basis | None = None
    """On what ground, None without a spec."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """What has to hold, in words about this repository."""
        return tuple(moved(text, self.sample.target, self.repository.target) for text in self.by.conditions)


def reach(
    graph: RepositoryGraph, subjects: Sequence[Subject], repositories: Iterable[Repository], accesses: Sequence[str]
) -> Iterator[Reach]:
    """The accesses that the subjects have together, each by the best way of any of them."""
    known: dict[Hashable, tuple[Repository, AccessPath | None]] = {}
    for repository in repositories:
        for access in accesses:
            name = access, graph.kind_of(repository, access)
            if name not in known:
                known[name] = repository, _reached(graph, subjects, graph.ways(access, repository))
            sample, by = known[name]
            if by is not None:
                yield Reach(repository, access, by, sample)


def _reached(
    graph: RepositoryGraph, subjects: Sequence[Subject], ways: tuple[tuple[Permission, ...], ...]
) -> AccessPath | None:
    everybody = who_can_any(graph, ways) if len(subjects) > 1 else {}
    paths = (
        everybody.get(subject.arn)
        if len(subjects) > 1 and subject.arn in graph.subjects
        else best_path(graph, subject, ways)
        for subject in subjects
    )
    return min((path for path in paths if path is not None), key=lambda path: path.order, default=None)


def everybody_of(graph: RepositoryGraph, account: str) -> list[Subject]:
    """The users, roles and the root user of an account, and somebody whom nobody listed if not all were; raises
    AccessError.
    """
    known = graph.estate.accounts.get(account)
    if known is None:
        raise AccessError(f"account {printable(account, 40)} was not read", remedy="name one that was")
    unlisted_too = [] if known.is_listed else [graph.anybody_unread(account)]
    return [*graph.identities_of(account), graph.subject(iam_arn(account, "root")), *unlisted_too]


class WhoCan(Struct, frozen=True):
    """Everybody who can: identities, and classes of principals outside the estate."""

    identities: tuple[AccessPath, ...]
    classes: tuple[AccessPath, ...]
    unread: tuple[Policy, ...] = ()
    """What was not read and could change it."""
    docker: Mapping[str, ByDocker] = field(default_factory=dict)
    """By ARN, whether docker can."""
    halves: tuple[AccessPath, ...] = ()
    """Outsiders who have one action of a pull and not the other."""


def who_can_each(graph: RepositoryGraph, questions: Iterable[Question]) -> Iterator[WhoCan]:
    """Everybody who can, for each question about one access; found once for repositories that nothing tells apart."""
    known: dict[Hashable, tuple[Question, WhoCan]] = {}
    for asked in questions:
        kind = graph.kind_of(asked.repository, asked.what, by_docker=True)
        # A statement is found by its number among all of a resource's policies.
        numbers = tuple(len(policy.statements) for way in asked.ways for policy in way[0].resource.policies)
        found = known.get((kind, numbers))
        if found is None:
            found = known[kind, numbers] = asked, who_can(graph, asked)
        yield _as_asked(*found, asked)


def _as_asked(sample: Question, found: WhoCan, asked: Question) -> WhoCan:
    """The answer about a sample, as it is about a repository that nothing tells apart from it."""
    if sample is asked:
        return found
    ways = {id(before): after for before, after in zip(sample.ways, asked.ways, strict=True)}

    def on_it(path: AccessPath) -> AccessPath:
        *before, last = path.steps
        return AccessPath((*before, replace(last, permissions=ways.get(id(last.permissions), last.permissions))))

    return replace(found, identities=tuple(map(on_it, found.identities)), classes=tuple(map(on_it, found.classes)))


def who_can(graph: RepositoryGraph, asked: Question) -> WhoCan:
    """Everybody who can, the certain ones first, and of equally certain ones those with the shortest path."""
    paths = sorted(who_can_any(graph, asked.ways).values(), key=lambda path: path.order)
    identities = tuple(path for path in paths if not is_class(path.subject))
    classes = tuple(path for path in paths if is_class(path.subject))
    docker = {path.subject.arn: by_docker(graph, path, asked.what, asked.repository) for path in paths}
    kept = {arn: one for arn, one in docker.items() if one is not None}
    in_half = _halves(
        graph, asked, paths, lambda some, _: (path for path in some.values() if path.subject.has_all_time)
    )
    return WhoCan(identities, classes, tuple(unread.unread_of(graph, paths)), kept, tuple(in_half))


def _halves(
    graph: RepositoryGraph,
    asked: Question,
    able: Sequence[AccessPath],
    left: Callable[[Mapping[str, AccessPath], str], Iterable[AccessPath]],
) -> Iterator[AccessPath]:
    """Those who have half of a pull; `left`: of those who can call an action, those about whom it is asked."""
    if asked.what == Access.PULL and graph.tells_halves_apart:
        found = halves(
            {Access.PULL: able}, lambda one: left(who_can_any(graph, graph.ways(one, asked.repository)), one)
        )
        yield from (path for _, path, _ in found)


class TrustingRoles:
    """The roles of an estate that trust OpenID Connect providers, and what is lacking of these."""

    def __init__(self, estate: Estate) -> None:
        self._known = {account.id: account.providers for account in estate.accounts.values()}
        names = {one.role: None for one in trusting(estate)}
        self._trusts = {
            role.arn: Trust(role.name, role.trust.document)
            for role in (estate.accounts[arn.split(":")[4]].identities[arn] for arn in names)
            if role.trust is not None and isinstance(role.trust.document, Document)
        }

    def closed(self, found: WhoCan) -> tuple[ProviderGap, ...]:
        """The gaps where somebody can by one of these roles."""
        roles = (step.subject.identity for path in found.identities for step in path.steps)
        trusts = {role.arn: self._trusts[role.arn] for role in roles if role is not None and role.arn in self._trusts}
        return tuple(gap for gap in gaps(trusts.values(), self._known) if gap.kind is not GapKind.UNKNOWN)


class Trusting(Struct, frozen=True):
    """A role, by its ARN, and an identity provider whose tokens its trust policy takes."""

    role: str
    provider: str


def trusting(estate: Estate) -> tuple[Trusting, ...]:
    """The roles that trust an OIDC provider."""
    return tuple(
        dict.fromkeys(
            Trusting(identity.arn, principal.value)
            for identity in estate.identities()
            for statement in (identity.trust.statements if identity.trust else ())
            for principal in (statement.principals.values if statement.principals else ())
            if ":oidc-provider/" in principal.value
        )
    )


def passed_to(subject: Subject) -> tuple[str, ...]:
    """The services that a role's trust policy names: whoever may pass it has them act as the role."""
    trust = subject.identity.trust if subject.identity is not None else None
    allowing = (one for one in (trust.statements if trust is not None else ()) if one.effect is Effect.ALLOW)
    named = (principal for one in allowing if one.principals is not None for principal in one.principals.values)
    return tuple(dict.fromkeys(principal.value for principal in named if principal.kind == "Service"))


def is_class(subject: Subject) -> bool:
    """Whether it stands for principals that are no users or roles of the estate."""
    return subject.is_class or subject.principal.kind is CallerKind.ROOT


def with_extra(grounds: Grounds, asked: Question, found: WhoCan) -> WhoCan:
    """The answer with the ways besides what the spec gives to whomever it gives access, and outsiders' halves."""
    target, judge = asked.repository.target, grounds.judge
    if judge.compiled.spec_of(target) is None:
        return found
    paths = {path.subject.arn: path for path in (*found.identities, *found.classes)}
    left = [*grounds.without(paths, asked.what, target)]
    given = {
        path.subject.arn: path
        for path in left
        if grounds.spec_access.gives(asked.what, target, paths[path.subject.arn])
    }
    more = given.values()
    foreign = [path for path in left if judge.is_foreign(path)]
    in_half = _halves(
        judge.graph, asked, foreign, lambda some, one: grounds.without(some, one, target, judge.is_foreign)
    )
    return replace(
        found,
        identities=(*found.identities, *(path for path in more if not is_class(path.subject))),
        classes=(*found.classes, *(path for path in more if is_class(path.subject))),
        halves=tuple(in_half),
    )


def place_in_spec(edit: Edit, compiled: CompiledSpec) -> str:
    """The place of a document in the spec, which has another change of it repaired; "" for none."""
    target = target_named(edit.holder)
    entry = None if target is None else compiled.spec_of(target)
    if entry is None or target is None or edit.place.shared:
        return ""
    match edit.side, target:
        case Side.REPOSITORY, RepositoryTarget(name=name):
            return f"beside: of {printable(name, 200)}"
        case Side.TRUST, RoleTarget() if trust_policy(target) in entry.granted:
            return f"by: of the push role {printable(target.name, 64)}"
        case Side.IDENTITY, UserTarget() | RoleTarget() if entry.extent is Extent.WHOLE:
            return f"documents: of {printable(target.name, 64)}"
        case _:
            return ""
