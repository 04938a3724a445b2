"""Who pushes: push roles as grants where they are as the spec would write them, else as literal documents."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace

from msgspec import Struct

from ecr_warden.access_spec.compile import BOUNDARY, PUSH_POLICY, all_targets
from ecr_warden.access_spec.render import PULL_ACTIONS, assume_permissions
from ecr_warden.access_spec.spec import (
    DEFAULT_SESSION_DURATION,
    Limits,
    Literal,
    Pusher,
    PushGrant,
    Spec,
    SpecPrincipal,
    SpecRepository,
)
from ecr_warden.core.address import (
    AWS_REVOKE_OLDER_SESSIONS,
    DENY_OLDER_SESSIONS,
    HUB_ROLES,
    OUR_POLICY_PREFIX,
    OUR_ROLE_PATH,
    OWN_ROLES,
    Address,
    identity_policy,
    trust_policy,
)
from ecr_warden.core.desired import DesiredValue
from ecr_warden.core.estate import target_of
from ecr_warden.core.target import RepositoryTarget, RoleTarget, target_arn
from ecr_warden_cli.importing.federation import is_sayable, read_federated
from ecr_warden_cli.importing.notes import Note, NoteKind
from ecr_warden_cli.importing.outside import UNDER_DOCUMENTS
from ecr_warden_cli.importing.policies import limits_of, unnamed_of, without_deleted
from ecr_warden_cli.importing.world import World, inline_policies
from iam_access.arn import iam_arn, parse_arn
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document, Effect, Patterns, Statement
from iam_access.document.kind import DocumentKind
from iam_access.document.pattern import pattern_covers, patterns_meet
from iam_access.document.variables import completed_arn
from iam_access.gather import gather
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Identity, Unread
from iam_access.text.printable import listed

CUTOFFS = (DENY_OLDER_SESSIONS, AWS_REVOKE_OLDER_SESSIONS)
_ASSUME, _ECR = "sts:assumerole", "ecr:"

type _Wanted = Callable[[set[str]], bool]


class Pushing(Struct, frozen=True):
    """What was found of pushing: grants by the first target of their entry, literal documents, notes."""

    grants: Mapping[RepositoryTarget, tuple[PushGrant, ...]]
    literals: tuple[Literal, ...]
    waiting: Mapping[str, tuple[Literal, ...]]
    """The literal documents of roles that let in outsiders, by the role's key."""
    notes: Mapping[str, tuple[Note, ...]]


def find_pushing(world: World, entries: Iterable[SpecRepository]) -> Pushing:
    """Push roles, and everything else whose inline policies let it push; `entries`: the repositories with grants."""
    grants: defaultdict[RepositoryTarget, list[PushGrant]] = defaultdict(list)
    notes: defaultdict[str, list[Note]] = defaultdict(list)
    literals: list[Literal] = []
    waiting: dict[str, tuple[Literal, ...]] = {}
    named = {target: entry for entry in entries for target in entry.targets}
    identities = sorted(world.by_arn.values(), key=lambda one: one.arn)
    for identity in identities:
        key = target_of(identity).key
        if identity.kind is IdentityKind.ROLE and identity.name.lower() in OWN_ROLES | HUB_ROLES:
            continue
        if _is_push_role(identity):
            found = _granted(identity, RoleTarget(identity.account, identity.name), world, named)
            if isinstance(found, str):
                what = f"the role {identity.name} under {OUR_ROLE_PATH} is no push role that a grant can say: {found}"
                instead = "grant the pushes, and let ecr-warden write the role"
                notes[key].append(Note(NoteKind.PUSH_ROLE, what, instead))
            else:
                for first, more in found.items():
                    grants[first] += more
        else:
            own = tuple(_literals(identity, world))
            outside = world.outside_of(identity.trust, DocumentKind.TRUST, identity.account) if own else None
            if outside is None:
                literals += own
            else:
                waiting[key] = own
                notes[key].append(outside.note(UNDER_DOCUMENTS))
            notes[key] += _notes(identity, own, world)
    roles = {literal.addresses[0].target.key for literal in literals}
    arns = [one.arn for one in identities if one.kind is IdentityKind.ROLE and target_of(one).key in roles]
    literals += _assuming((one for one in identities if target_of(one).key not in waiting), literals, arns)
    return Pushing(
        {first: tuple(found) for first, found in grants.items()},
        tuple(literals),
        waiting,
        {key: tuple(found) for key, found in notes.items() if found},
    )


def _notes(identity: Identity, own: Sequence[Literal], world: World) -> Iterator[Note]:
    """What looks wrong in how a user or role pushes, whose documents these are."""
    attached = _attached(identity, world)
    if attached:
        what = f"{target_of(identity)} pushes by {listed(attached, 3)}, which no literal document can be"
        yield Note(NoteKind.ATTACHED_POLICY, what, "push through a push role: push: [{role: ROLE, by: [...]}]")
    trust = world.document(identity.trust)
    unread = [policy.document for _, policy in inline_policies(identity) if isinstance(policy.document, Unread)]
    named = [one for one in unread if _ECR in one.text.lower()]
    for one in (*named, *([trust] if isinstance(trust, Unread) and (own or named) else [])):
        what = f"the {one.what} of {target_of(identity)} cannot be parsed: {one.why}. The policy: {one.text}"
        yield Note(NoteKind.UNPARSEABLE, what, "write a policy that AWS can read, and import again")


def _is_push_role(identity: Identity) -> bool:
    """Whether it is where ecr-warden creates push roles."""
    path = identity.arn.partition("/")[2]
    return identity.kind is IdentityKind.ROLE and path == f"{OUR_ROLE_PATH[1:]}{identity.name}"


# Grants


def _granted(
    identity: Identity, role: RoleTarget, world: World, named: Mapping[RepositoryTarget, SpecRepository]
) -> Mapping[RepositoryTarget, tuple[PushGrant, ...]] | str:
    """The role's grants by the first target of their entry, or why grants do not say what it does."""
    documents = {name: policy.document for name, policy in inline_policies(identity) if name not in CUTOFFS}
    permissions, trust = documents.get(PUSH_POLICY), world.document(identity.trust)
    boundary = iam_arn(role.account, f"policy{OUR_ROLE_PATH}{BOUNDARY}")
    if identity.boundary is None or identity.boundary.place.arn != boundary:
        return "it has another permissions boundary"
    if len(identity.policies) != len(list(inline_policies(identity))) or [*documents] != [PUSH_POLICY]:
        return "it has other policies"
    if not isinstance(permissions, Document) or not isinstance(trust, Document):
        return "its policies could not be read"
    pushed = _resources(permissions, lambda actions: "ecr:putimage" in actions)
    pulled = _resources(permissions, lambda actions: actions == {*map(str.lower, PULL_ACTIONS)})
    by = _trusted(trust, role, world)
    if outside := world.outside_of(identity.trust, DocumentKind.TRUST, role.account):
        return f"it lets in {listed(outside.who, 3)}, not shown to be yours: import again with --ours"
    if not pushed or not by:
        return "it pushes to no repository, or nobody may assume it"
    if not named.keys() >= {*pushed.values()} or not pulled.keys() <= pushed.keys():
        return "it pushes to repositories without an entry of their own"
    firsts = sorted({named[target].targets[0] for target in pushed.values()})
    longest = None if identity.session_duration == DEFAULT_SESSION_DURATION else identity.session_duration
    pulls = {any(target_arn(target) in pulled for target in named[first].targets) for first in firsts}
    if len(pulls) > 1:
        return "it may pull from some of its repositories alone"
    grants = tuple(
        PushGrant(role, tuple(sorted(several, key=_rank)), limits, longest, pull=True in pulls)
        for limits, several in sorted(by.items(), key=lambda one: one[0].order)
    )
    entries = tuple(replace(named[first], push=grants) for first in firsts)
    desired = all_targets(Spec((), repositories=entries))[role.key].documents
    live = {identity_policy(role, PUSH_POLICY): permissions, trust_policy(role): trust}
    differing = [address.kind for address in live if not _is_as(desired[address], live[address], address)]
    if differing:
        return f"its {differing[0]} says something else"
    barred = next(_barred(by, identity, world), None)
    return dict.fromkeys(firsts, grants) if barred is None else f"{barred.arn} has no right to assume it"


def _rank(pusher: Pusher) -> tuple[bool, str]:
    """Users and roles first."""
    return not isinstance(pusher, SpecPrincipal), str(pusher)


def _barred(by: Mapping[Limits, list[Pusher]], role: Identity, world: World) -> Iterator[SpecPrincipal]:
    """Those whom the role trusts and whose own policies do not let them assume it."""
    for limits, several in by.items():
        needed = assume_permissions({limits: [role.arn]})
        for pusher in several:
            if isinstance(pusher, SpecPrincipal) and not world.adds_nothing(world.by_arn[pusher.arn], needed):
                yield pusher


def _is_as(wanted: DesiredValue, live: Document, address: Address) -> bool:
    return isinstance(wanted, Document) and not isinstance(relate(live, wanted, kind=address.document_kind), Differs)


def _resources(document: Document, wanted: _Wanted) -> dict[str, RepositoryTarget]:
    """The repositories that an Allow statement with such actions names, by ARN."""
    found: dict[str, RepositoryTarget] = {}
    for statement in document.statements:
        if statement.effect is Effect.ALLOW and wanted({*map(str.lower, statement.actions.values)}):
            for value in statement.resources.values if statement.resources else ():
                arn = parse_arn(value)
                if arn is not None and arn.service == "ecr" and "*" not in value:
                    found[value] = RepositoryTarget(arn.account, arn.region, arn.resource.removeprefix("repository/"))
    return found


def _trusted(trust: Document, role: RoleTarget, world: World) -> dict[Limits, list[Pusher]]:
    """Who may assume the role, by the limits under which they may."""
    return gather(
        (limits_of(statement), pusher)
        for statement in trust.statements
        for kind, value in (statement.principals.values if statement.principals else ())
        for pusher in _pushers(kind, value, statement, role, world)
    )


def _pushers(kind: str, value: str, statement: Statement, role: RoleTarget, world: World) -> Iterator[Pusher]:
    provider = iam_arn(role.account, "oidc-provider/")
    if kind == "Federated" and value.startswith(provider):
        yield from filter(is_sayable, read_federated(value.removeprefix(provider), statement))
    elif kind == "AWS":
        yield from unnamed_of(value, statement, world)
        identity = world.by_arn.get(value)
        principal = world.principal(identity) if identity else None
        if principal is not None:
            yield principal


# Literal documents


def _literals(identity: Identity, world: World) -> Iterator[Literal]:
    """The documents that let a user or role push; of a role its trust policy too."""
    target = target_of(identity)
    own = [
        Literal((identity_policy(target, name),), policy.document)
        for name, policy in inline_policies(identity)
        if isinstance(policy.document, Document)
        and not name.startswith(OUR_POLICY_PREFIX)
        and _pushes(policy.document, identity.account, world)
    ]
    trust = world.document(identity.trust)
    if not (own or _attached(identity, world)) or world.principal(identity) is None:
        return
    alive = without_deleted(trust) if isinstance(trust, Document) else None
    if isinstance(target, RoleTarget) and alive is not None:
        yield Literal((trust_policy(target),), alive)
    yield from own


def _attached(identity: Identity, world: World) -> list[str]:
    """The managed and group policies that name pushing."""
    inline = {policy.name for _, policy in inline_policies(identity)}
    return sorted(
        policy.name
        for policy in identity.policies
        if policy.name not in inline
        and isinstance(policy.document, Document)
        and _pushes(policy.document, identity.account, world)
    )


def _pushes(document: Document, account: str, world: World) -> bool:
    """Whether it names ECR's push to repositories of its own account: to others' it lets nobody push by itself.

    Everything that allows all actions of all services is not meant.
    """
    registries = world.registries_of(account)
    return any(
        statement.effect is Effect.ALLOW and _names_push(statement.actions) and _meets(statement.resources, registries)
        for statement in document.statements
    )


def _names_push(actions: Patterns) -> bool:
    names = () if actions.negated else map(str.lower, actions.values)
    return any(name.startswith("ecr:") and pattern_covers(name, "ecr:putimage") for name in names)


def _meets(resources: Patterns | None, registries: tuple[str, ...]) -> bool:
    if resources is None or resources.negated:
        return resources is not None and bool(registries)
    return any(patterns_meet(completed_arn(value), registry) for value in resources.values for registry in registries)


def _assuming(identities: Iterable[Identity], found: Iterable[Literal], roles: Iterable[str]) -> Iterator[Literal]:
    """The inline policies that name one of the roles to be assumed, and are not literal documents yet."""
    known = {address for literal in found for address in literal.addresses}
    wanted = tuple(roles)
    for identity in identities if wanted else ():
        for name, policy in inline_policies(identity):
            address = identity_policy(target_of(identity), name)
            is_other = address not in known and not name.startswith(OUR_POLICY_PREFIX)
            if is_other and isinstance(policy.document, Document) and _assumes(policy.document, wanted):
                yield Literal((address,), policy.document)


def _assumes(document: Document, roles: tuple[str, ...]) -> bool:
    return any(
        pattern_covers(value, arn)
        for statement in document.statements
        if statement.effect is Effect.ALLOW
        and not statement.actions.negated
        and statement.resources
        and not statement.resources.negated
        if any(pattern_covers(action.lower(), _ASSUME) for action in statement.actions.values)
        for value in statement.resources.values
        if ":role/" in value
        for arn in roles
    )
