"""A live repository policy as grants, with everything in it that looks wrong."""

import re
from collections.abc import Iterable, Iterator
from copy import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

from msgspec import Struct

from ecr_warden.access_spec.accounts import ORGANIZATION_ID
from ecr_warden.access_spec.federation import is_one_workload
from ecr_warden.access_spec.render import IMPORT_ACTIONS, PULL_ACTIONS, READ_ACTIONS, pull_permissions, repository_pull
from ecr_warden.access_spec.spec import (
    POD_TAGS,
    UNLIMITED,
    ByCondition,
    Limits,
    PermissionSet,
    Pods,
    Puller,
    PullGrant,
    SpecOrganization,
    SpecPrincipal,
    SpecService,
    WholeAccount,
)
from ecr_warden.core.address import repository_policy
from ecr_warden.core.desired import Extent, ForeignStatement, MustNotExist, TargetSpec
from ecr_warden.core.ecr import PUSH
from ecr_warden.core.observed import Observation, Present
from ecr_warden.core.target import RepositoryTarget, target_arn
from ecr_warden.repair.aws_edits import is_foreign, with_foreign
from ecr_warden_cli.importing.notes import Note, NoteKind, together
from ecr_warden_cli.importing.outside import IN_PLACE, UNDER_DOCUMENTS, named_in, values_of, with_principals
from ecr_warden_cli.importing.world import World
from iam_access.arn import ACCOUNT_ID, account_of, account_of_root, parse_arn
from iam_access.catalogue import matching_actions, spelled
from iam_access.delta.relate import Differs, relate
from iam_access.document.condition import Clause
from iam_access.document.document import (
    LITERAL_VERSION,
    VARIABLES_VERSION,
    Document,
    Effect,
    Statement,
    parse_document,
    raw_statements,
)
from iam_access.document.kind import DocumentKind
from iam_access.document.pattern import pattern_covers
from iam_access.document.principal import ANYONE, IDENTITY_CENTER_NAME, is_unique_id
from iam_access.text.printable import listed, printable

_LAMBDA = "lambda.amazonaws.com"
_PERMISSION_SET = re.compile(rf"arn:aws:iam::([0-9]{{12}}):role/.*/{IDENTITY_CENTER_NAME}([\w+=,.@-]{{1,32}})_[?*]+")
_PUSH = tuple(action for action in PUSH.actions if action != "ecr:BatchCheckLayerAvailability")
_ORGANIZATION_KEY = "aws:principalorgid"
_SAID = frozenset(map(str.lower, (*PULL_ACTIONS, *IMPORT_ACTIONS, *READ_ACTIONS)))
_READS = {action.lower(): action for action in READ_ACTIONS}
KEEP = "keep it"
KEPT = (KEEP, IN_PLACE, UNDER_DOCUMENTS)


class Grants(Struct, frozen=True):
    """Who may pull from a repository, as an entry of the spec says it."""

    pull: tuple[PullGrant, ...] = ()
    foreign: tuple[ForeignStatement, ...] = ()
    beside: Document | None = None


class Exact(Struct, frozen=True):
    """The grants say exactly what the policy says, but for what has no effect in it."""

    grants: Grants


class Narrower(Struct, frozen=True):
    """The grants say less."""

    grants: Grants
    beyond: tuple[str, ...]
    """The other actions, which only read and are for others than pullers."""


class Other(Struct, frozen=True):
    """No grants say it."""


type Reading = Exact | Narrower | Other


def read_policy(document: Document | None, target: RepositoryTarget, world: World) -> Reading:
    """A repository's policy as grants; None is no policy."""
    if document is None:
        return Exact(Grants())
    effective = without_void(document)
    grants = _grants(document if effective is None else effective, target, world)
    desired = desired_policy(grants, target, effective)
    if effective is None or isinstance(desired, MustNotExist):
        return Exact(grants) if effective is None and isinstance(desired, MustNotExist) else Other()
    match relate(effective, desired, kind=DocumentKind.RESOURCE):
        case Differs(access=access):
            gained = {_action(delta.action) for delta in access.gained}
            plain = all(delta.effect is Effect.ALLOW for delta in access.gained)
            beyond = [action for action in gained if action is not None and _only_reads(action)]
            if access.lost or access.assumed or not plain or len(beyond) < len(gained):
                return Other()
            return Narrower(grants, tuple(sorted(map(spelled, beyond))))
        case _:
            return Exact(grants)


# Statements beside grants


def read_beside(document: Document, target: RepositoryTarget, world: World) -> Grants | None:
    """The policy as grants for what each of them says exactly, and the rest as statements beside them.

    None if no grant can be had so, or if both together say something else than the policy.
    """
    effective = without_void(document)
    if effective is None or ("${" in effective.text and effective.version == LITERAL_VERSION):
        return None
    said: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    for raw, statement in zip(raw_statements(effective), effective.statements, strict=True):
        if any(is_foreign(statement, kind, target) for kind in ForeignStatement):
            said.append(raw)
            continue
        pulls, rest = _apart(raw, statement, target, world)
        said += pulls
        beside += rest
    if not beside or not said:
        return None
    version = {"Version": effective.version} if "${" in effective.text else {}
    others = parse_document({**version, "Statement": beside})
    grants = replace(_grants(parse_document({**version, "Statement": said}), target, world), beside=others)
    return grants if _say(grants, effective, target) else None


def _apart(
    raw: dict[str, Any], statement: Statement, target: RepositoryTarget, world: World
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What grants say of a statement, as a statement, and the rest of it."""
    actions, named = values_of(raw.get("Action")), named_in(raw)
    taken = [action for action in actions if action.lower() in _SAID]
    if statement.effect is Effect.DENY or not taken or statement.principals is None or statement.principals.negated:
        return [], [raw]
    pulling = [one for one in named if _may_be_granted(one, statement, target, world)]
    others = [one for one in named if one not in pulling]
    part = with_principals(raw, pulling) if named else {key: value for key, value in raw.items() if key != "Sid"}
    pulls = part | {"Action": taken}
    if (named and not pulling) or not _is_said(pulls, target, world):
        return [], [raw]
    rest = [action for action in actions if action not in taken]
    left = [part | {"Action": rest}] if rest else []
    return [pulls], [*left, *([with_principals(raw, others)] if others else [])]


def _may_be_granted(named: tuple[str, str], statement: Statement, target: RepositoryTarget, world: World) -> bool:
    """Whether a grant can name a principal of a statement, and would write nothing that it cannot do already."""
    kind, value = named
    if kind != "AWS":
        return True
    pullers = (*unnamed_of(value, statement, world), *_of_aws(value, world))
    return bool(pullers) and all(
        not isinstance(puller, SpecPrincipal) or has_own_side(puller.arn, target, world) for puller in pullers
    )


def has_own_side(who: str, target: RepositoryTarget, world: World) -> bool:
    """Whether a user or role of another account is allowed to pull by its own account too, without which it cannot."""
    identity = world.by_arn.get(who)
    if identity is None or identity.account == target.account:
        return True
    return world.adds_nothing(identity, pull_permissions({UNLIMITED: [target_arn(target)]}))


def _is_said(raw: dict[str, Any], target: RepositoryTarget, world: World) -> bool:
    """Whether grants say exactly what a statement says."""
    document = parse_document({"Version": VARIABLES_VERSION, "Statement": [raw]})
    return _say(_grants(document, target, world), document, target)


def _say(grants: Grants, document: Document, target: RepositoryTarget) -> bool:
    """Whether grants say exactly what a policy says."""
    desired = desired_policy(grants, target, document)
    return isinstance(desired, Document) and not isinstance(
        relate(document, desired, kind=DocumentKind.RESOURCE), Differs
    )


def _action(part: object) -> str | None:
    """A single action that is no pattern."""
    return part if isinstance(part, str) and not set("*?") & set(part) else None


def _only_reads(action: str) -> bool:
    """Whether it is one of the actions that read, other than a pull's own."""
    found = matching_actions(action)
    pulls = {*map(str.lower, (*PULL_ACTIONS, *IMPORT_ACTIONS))}
    return action not in pulls and bool(found) and all(one.level in ("List", "Read") for one in found)


def desired_policy(grants: Grants, target: RepositoryTarget, live: Document | None) -> Document | MustNotExist:
    """What the spec would write for the grants, with the live foreign statements that it keeps."""
    says_something = grants.pull or grants.beside
    own: Document | MustNotExist = (
        repository_pull(grants.pull, region=target.region, beside=grants.beside) if says_something else MustNotExist()
    )
    return kept_policy(TargetSpec(target, Extent.WHOLE, {repository_policy(target): own}, foreign=grants.foreign), live)


def as_granted(document: Document, target: RepositoryTarget, world: World) -> Document:
    """The policy that grants would write in its place; the policy itself, if no grants say the same."""
    reading = read_policy(document, target, world)
    grants = reading.grants if isinstance(reading, Exact) else read_beside(document, target, world)
    desired = None if grants is None else desired_policy(grants, target, document)
    return desired if isinstance(desired, Document) else document


def kept_policy(spec: TargetSpec, live: Document | None) -> Document | MustNotExist:
    """The desired policy of a repository's spec, with the live foreign statements that it keeps."""
    assert isinstance(spec.target, RepositoryTarget)
    address = repository_policy(spec.target)
    seen = {} if live is None else {address: Present(live, "")}
    found = with_foreign(spec, Observation(spec.target, seen)).documents[address]
    assert isinstance(found, Document | MustNotExist)
    return found


# Who pulls


def _grants(document: Document, target: RepositoryTarget, world: World) -> Grants:
    """The grants that the statements look like; whether they say the same, the comparison decides."""
    found: dict[Puller, PullGrant] = {}
    pulling: set[Puller] = set()
    foreign: set[ForeignStatement] = set()
    for statement in document.statements:
        kinds = [kind for kind in ForeignStatement if is_foreign(statement, kind, target)]
        foreign.update(kinds)
        if kinds or statement.effect is Effect.DENY:
            continue
        pulls, reads = _allows(statement, (*PULL_ACTIONS, *IMPORT_ACTIONS)), _reads(statement)
        if pulls or reads:
            imports = _allows(statement, IMPORT_ACTIONS)
            for puller in _pullers(statement, target, world):
                limits = limits_of(statement)
                # A service calls from AWS's own addresses: no grant limits it to networks.
                limits = Limits(limits.until) if isinstance(puller, SpecService) else limits
                known = found.get(puller, PullGrant(puller, limits))
                also = tuple(sorted(reads | {*known.reads}))
                found[puller] = replace(known, importing=imports or known.importing, reads=also)
                pulling |= {puller} if pulls else set()
    ordered = sorted(pulling, key=lambda puller: (type(puller).__name__, str(puller)))
    return Grants(tuple(found[puller] for puller in ordered), tuple(sorted(foreign)))


def _reads(statement: Statement) -> set[str]:
    """The actions of a statement that a grant says beside pulling."""
    names = () if statement.actions.negated else statement.actions.values
    return {_READS[name.lower()] for name in names if name.lower() in _READS}


def limits_of(statement: Statement) -> Limits:
    """Until when and from where a statement allows something, as far as a grant can say it."""
    until: datetime | None = None
    networks: tuple[str, ...] = ()
    for clause in filter(_is_limit, statement.conditions):
        if clause.operator == "IpAddress":
            networks = tuple(sorted(clause.values))
        elif len(clause.values) == 1:
            until = _moment(clause.values[0])
    return Limits(until, networks)


def _is_limit(clause: Clause) -> bool:
    return (clause.operator, clause.key.lower()) in (("DateLessThan", "aws:currenttime"), ("IpAddress", "aws:sourceip"))


def _moment(text: str) -> datetime | None:
    """A time with its zone in UTC, as the spec has it; None for any other text."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _allows(statement: Statement, actions: Iterable[str]) -> bool:
    """Whether it names one of the actions, perhaps by a pattern."""
    names = () if statement.actions.negated else tuple(map(str.lower, statement.actions.values))
    return any(pattern_covers(name, action.lower()) for name in names for action in actions)


def _pullers(statement: Statement, target: RepositoryTarget, world: World) -> Iterator[Puller]:
    if statement.principals is None or statement.principals.negated:
        return
    for principal in statement.principals.values:
        match principal:
            case ("AWS", "*"):
                yield from _organizations(statement.conditions)
            case ("AWS", value):
                yield from unnamed_of(value, statement, world) or _of_aws(value, world)
            case ("Service", name):
                yield from _services(name, statement.conditions, target, world)
            case _:
                pass


def _of_aws(value: str, world: World) -> Iterator[Puller]:
    account = value if ACCOUNT_ID.fullmatch(value) else account_of_root(value)
    if account is not None and account in world.estate.accounts:
        yield WholeAccount(account)
    elif (identity := world.by_arn.get(value)) and (named := world.principal(identity)):
        yield named


def unnamed_of(value: str, statement: Statement, world: World) -> tuple[ByCondition, ...]:
    """The permission sets and pods to which the conditions of a statement on a whole account restrict it."""
    account = value if ACCOUNT_ID.fullmatch(value) else account_of_root(value)
    if account is None or account not in world.estate.accounts:
        return ()
    found = filter(None, map(_PERMISSION_SET.fullmatch, _values(statement.conditions, "aws:principalarn")))
    sets = (PermissionSet(one[2], account) for one in found if one[1] == account)
    tags = product(*(_values(statement.conditions, f"aws:principaltag/{tag}") for tag in POD_TAGS))
    pods = (Pods(*values) for values in tags if is_one_workload(*values))
    return tuple(dict.fromkeys((*sets, *(pod for pod in pods if pod.account == account))))


def unnamed_in(document: Document, world: World) -> tuple[ByCondition, ...]:
    """The permission sets and pods that the conditions of a repository policy name, perhaps among others."""
    named = (
        (value, statement)
        for statement in document.statements
        if statement.principals
        for _, value in statement.principals.values
    )
    return tuple(
        sorted({found for value, statement in named for found in unnamed_of(value, statement, world)}, key=str)
    )


def _organizations(clauses: Iterable[Clause]) -> Iterator[SpecOrganization]:
    for operator, key, values in clauses:
        if operator.removeprefix("ForAnyValue:") in ("StringEquals", "StringLike") and key.lower() == _ORGANIZATION_KEY:
            yield from (SpecOrganization(value) for value in values if ORGANIZATION_ID.fullmatch(value))


def _services(name: str, clauses: Iterable[Clause], target: RepositoryTarget, world: World) -> Iterator[SpecService]:
    """A service once for each account or resource that it may act for."""
    accounts, arns = _values(clauses, "aws:sourceaccount"), _values(clauses, "aws:sourcearn")
    places = [(account_of(arn), arn) for arn in arns]
    if name != _LAMBDA:
        places = [place for place in places if place[0] in accounts] if places else [(one, "") for one in accounts]
    for account, arn in places:
        if account in world.estate.accounts:
            is_whole = name == _LAMBDA and arn == f"arn:aws:lambda:{target.region}:{account}:function:*"
            yield SpecService(name, account, None if is_whole else arn or None)


def _values(clauses: Iterable[Clause], key: str) -> tuple[str, ...]:
    return tuple(value for _, name, values in clauses if name.lower() == key for value in values)


# What has no effect


def without_void(document: Document) -> Document | None:
    """The policy without what has no effect in it: unique IDs of deleted principals, actions not on repositories.

    None if nothing is left. A Deny stays as it is.
    """
    alive = without_deleted(document)
    return None if alive is None else _with_statements(alive, map(_without_void_actions, raw_statements(alive)))


def without_deleted(document: Document) -> Document | None:
    """The policy without the unique IDs of deleted principals, which nobody gets again; None if nothing is left."""
    return _with_statements(document, map(_without_deleted, raw_statements(document)))


def _with_statements(document: Document, statements: Iterable[dict[str, Any] | None]) -> Document | None:
    kept = [statement for statement in statements if statement is not None]
    if kept == raw_statements(document):
        return document
    return parse_document({"Version": document.version, "Statement": kept}) if kept else None


def _without_deleted(statement: dict[str, Any]) -> dict[str, Any] | None:
    named = named_in(statement)
    alive = [one for one in named if not is_unique_id(one[1])]
    if alive == named or statement["Effect"] != Effect.ALLOW:
        return statement
    return with_principals(statement, alive) if alive else None


def _without_void_actions(statement: dict[str, Any]) -> dict[str, Any] | None:
    actions = values_of(statement.get("Action"))
    acting = [action for action in actions if not has_no_effect(action)]
    if acting == actions or statement["Effect"] != Effect.ALLOW:
        return statement
    return statement | {"Action": acting} if acting else None


def has_no_effect(action: str) -> bool:
    """Whether it is an action of ECR that does not act on repositories."""
    found = matching_actions(action) if action.lower().startswith("ecr:") else ()
    return bool(found) and not any(one.arns for one in found)


# What looks wrong


def policy_notes(document: Document, target: RepositoryTarget, world: World) -> tuple[Note, ...]:
    """Everything in a repository policy that a person should look at, whether or not grants can say it."""
    own = (
        statement
        for statement in document.statements
        if not any(is_foreign(statement, kind, target) for kind in ForeignStatement)
    )
    return together(note for statement in own for note in _statement_notes(statement, world))


def _statement_notes(statement: Statement, world: World) -> Iterator[Note]:
    if statement.effect is Effect.DENY:
        yield Note(NoteKind.DENIES, "a Deny, which no grant says", "grant less", KEEP)
        return
    named = [value for kind, value in statement.principals.values if kind == "AWS"] if statement.principals else []
    for value in named:
        found = _aws_notes(value, statement, world) if value != ANYONE.value else ()
        yield from (note if note.who else replace(note, who=(printable(value, 160),)) for note in found)
    if not statement.actions.negated:
        for action in sorted(filter(has_no_effect, statement.actions.values)):
            yield Note(
                NoteKind.NO_EFFECT,
                f"{printable(action)} has no effect in a repository policy",
                "allow it in the identity policy of whoever needs it, on *",
            )


def _aws_notes(value: str, statement: Statement, world: World) -> Iterator[Note]:
    """What looks wrong of one principal; without `who` it is about the principal as it is written."""
    if is_unique_id(value):
        yield Note(NoteKind.DELETED_PRINCIPAL, "deleted, and nobody gets the ID again", "remove it: it lets nobody in")
        return
    arn = parse_arn(value)
    account = account_of(value) if arn is None or arn.service == "iam" else ""
    is_whole = ACCOUNT_ID.fullmatch(value) or account_of_root(value)
    if account and account not in world.estate.accounts:
        better = "if it is yours, import it too: --profile ALIAS=PROFILE"
        yield Note(NoteKind.UNKNOWN_ACCOUNT, "in an account that was not read", better, KEEP)
    elif is_whole:
        if all(map(_is_limit, statement.conditions)):
            what = "the administrators of an account decide who in it has access"
            who = (world.alias(account_of_root(value) or value),)
            yield Note(NoteKind.WHOLE_ACCOUNT, what, "name its users and roles", KEEP, who)
    elif account:
        identity = world.by_arn.get(value)
        if identity is None and world.estate.accounts[account].is_listed:
            yield Note(NoteKind.UNKNOWN_PRINCIPAL, "does not exist", "remove it", KEEP)
        elif identity is None:
            what = "the users and roles of its account were not read"
            yield Note(NoteKind.UNREAD, what, "import again with the right to read them", KEEP)
        elif world.principal(identity) is None:
            better = "name a role of your own, its permission set as {sso: ...}, or the account as {account: ALIAS}"
            yield Note(NoteKind.NOT_NAMEABLE, "only AWS can write its policies", better, KEEP)
        elif _allows(statement, _PUSH):
            better = "let it assume a push role: push: [{role: ROLE, by: [...]}]"
            yield Note(NoteKind.PUSHES, "may push by the repository policy", better, KEEP)
    else:
        yield Note(NoteKind.UNKNOWN_PRINCIPAL, "no user, role or account", "remove it", KEEP)


def beyond_note(beyond: tuple[str, ...], accept: str) -> Note:
    """The note on a policy that also lets others than pullers read."""
    return Note(
        NoteKind.MORE_THAN_PULL,
        f"it allows {listed(beyond, 4)} to others than pullers, which no grant says",
        "let whoever needs it do it by an identity policy",
        accept,
    )
