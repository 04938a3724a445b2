"""What a principal could do to become somebody else, or to change what somebody may do.

The calls are IAM's, on the identities of the principal's own account, and those that pass a role to a service. Source:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import cached_property

from msgspec import Struct

from iam_access.arn import ARN_COLONS, iam_arn
from iam_access.document.condition import CanonicalClause, Clause
from iam_access.document.document import Document, Effect, Patterns, parse_document
from iam_access.document.pattern import pattern_covers, patterns_meet
from iam_access.document.variables import literal_glob
from iam_access.escalation.become import Become
from iam_access.escalation.calls import (
    BOUNDARY,
    CAN,
    KINDS,
    POLICY,
    RESERVED,
    Caller,
    Calls,
    Conditions,
    Keys,
    filled,
    keys_of,
)
from iam_access.escalation.freedom import allow_everything, concerning
from iam_access.escalation.passing import PASSING, passing
from iam_access.escalation.posing import as_federated, members_of, posing
from iam_access.escalation.power import CREDENTIALS, POWERS
from iam_access.escalation.tagging import limits
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Account, Group, Identity, Levels, Policy, PolicyPlace
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.decide import Permission
from iam_access.who_can.graph import Graph, may_trust
from iam_access.who_can.resources import TAG_PREFIXES, keys_asked_for
from iam_access.who_can.subject import ALLOW_EVERYTHING, TAG, Subject, subject_of


class Asked(Struct, frozen=True):
    """What policies ask for: keys of principals' tags, in lower case, and patterns of users, roles and policies.

    `actions`: what is asked about, as patterns in lower case.
    """

    tags: Collection[str] = ()
    names: Collection[str] = ()
    actions: tuple[str, ...] = ()

    @classmethod
    def by(cls, policies: Sequence[Policy], actions: tuple[str, ...] = ()) -> "Asked":
        """What these policies ask."""
        tags = (key.removeprefix(TAG) for key in keys_asked_for(policies, (TAG,)))
        statements = [statement for policy in policies for statement in policy.statements]
        clauses = (clause for statement in statements for clause in statement.conditions)
        asked = (name for clause in clauses for name in _names_in(clause) if "${" not in name)
        principals = (one.value for each in statements if each.principals for one in each.principals.values)
        federated = (name for name in principals if ":federated-user/" in name)
        return cls(sorted(tags), tuple(dict.fromkeys((*asked, *federated))), (*MOVES, *actions))

    def arns(self, account: str, kind: str, partition: str) -> Iterator[str]:
        """An ARN of this kind in an account for each of the names that could be one."""
        every = _every(account, kind, partition)
        for arn in (filled(_confined(name, every)) for name in self.names if patterns_meet(name, every)):
            if f":{kind}/" in arn and not any(part in arn for part in RESERVED):
                yield arn


def _every(account: str, kind: str, partition: str) -> str:
    """The pattern of the ARNs of all things of a kind in an account."""
    every = iam_arn(account, f"{kind}/*", partition)
    return every.replace(":iam:", ":sts:", 1) if kind == "federated-user" else every


def _names_in(clause: Clause) -> Iterable[str]:
    match ascii_lower(clause.key):
        case "aws:principalarn" | "iam:policyarn" | "iam:permissionsboundary":
            return clause.values
        case "aws:username":
            return (f"arn:*:iam::*:user/{value}" for value in clause.values)
        case "aws:userid":
            return (f"arn:*:sts::*:federated-user/{value.rpartition(':')[2] or '*'}" for value in clause.values)
        case _:
            return ()


class IdentityChange(Struct, frozen=True):
    """What calls do to one identity: policies that it gets and loses (by name) and, if it `lifts`, its new boundary.

    `service_control`: what is left of the policies that restrict its account, None: all of them.
    `tag`: the condition key of a tag that it gets, with what the call says of its value (`limits`), or `untags`: loses.
    """

    target: str
    steps: tuple[str, ...]
    conditions: Conditions = ()
    gives: tuple[Policy, ...] = ()
    drops: frozenset[str] = frozenset()
    lifts: bool = False
    boundary: Policy | None = None
    service_control: Levels | None = None
    tag: str = ""
    limits: tuple[CanonicalClause, ...] = ()
    untags: bool = False

    @property
    def name(self) -> Hashable:
        """The same for changes with the same effect: others may set other values of a tag, or another version."""
        return self.steps, self.limits, self.gives, self.boundary, self.service_control

    def applied(self, subject: Subject) -> Subject:
        """The target as it would be."""
        kept = (policy for policy in subject.policies if policy.name not in self.drops)
        boundary = self.boundary if self.lifts else subject.boundary
        control = subject.service_control if self.service_control is None else self.service_control
        changed = replace(subject, policies=(*kept, *self.gives), boundary=boundary, service_control=control)
        if self.untags:
            return replace(changed, keys={key: values for key, values in subject.keys.items() if key != self.tag})
        opened = subject.open_keys | {self.tag} if self.tag else subject.open_keys
        return replace(changed, open_keys=opened, always=(*subject.always, *self.limits))

    @property
    def only_widens(self) -> bool:
        """Does it take no access away, so that it can be made besides any other?"""
        return self.boundary is None and not self.untags and not any(map(_denies, self.gives))


DETACHING = "organizations:DetachPolicy"
LIFTING = ("organizations:UpdatePolicy", "organizations:DisablePolicyType", DETACHING)
"""The calls with which the management account takes control policies off its members.

Source: https://docs.aws.amazon.com/organizations/latest/userguide/disable-policy-type.html
"""


def lifting(caller: Caller, kind: str) -> Iterator[tuple[str, str]]:
    """The calls that could take control policies of one kind off, with what the caller may be allowed them on."""
    for action in LIFTING:
        for text in caller.resources(action):
            if "_control_policy/" not in text or f"/{kind}/" in text:
                yield action, text if text == "*" else filled(text)


WHATEVER = (Policy("whatever is written", ALLOW_EVERYTHING),)
CHANGES_IAM = (
    *(action for actions in POWERS.values() for action in actions),
    *("iam:RemoveUserFromGroup", "iam:PassRole", "iam:CreateUser", "iam:CreateRole"),
    *(f"iam:{verb}{kind}Policy" for verb in ("Delete", "Detach") for kind in ("User", "Role", "Group")),
)
"""Every call of IAM that a move is made of."""
MOVES = ("iam:*", "sts:*", "organizations:*", *map(ascii_lower, PASSING))
"""Every call that a move is made of, as patterns in lower case."""
_RETAGS = tuple(f"iam:{verb}{kind}" for verb in ("Tag", "Untag") for kind in KINDS.values())
# Policies of AWS that anybody can attach, whether or not they are in the snapshot.
# Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_POWER_USER = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
_OF_AWS: Mapping[str, Document] = {
    "AdministratorAccess": ALLOW_EVERYTHING,
    "PowerUserAccess": parse_document({"Statement": _POWER_USER}),
}


class Mover:
    """The moves of one principal, as it is in the inventory or would be after a change.

    `managed`: policies of AWS, by name, that anybody can attach and that give what is asked about; `asked`: what
    policies ask of principals.
    """

    def __init__(self, subject: Subject, graph: Graph, managed: Mapping[str, Document], asked: Asked) -> None:
        self._subject = subject
        self._graph = graph
        self._asked = asked
        self._managed = {**_OF_AWS, **managed}
        self._caller = Caller(subject, graph)
        self._partition = subject.principal.partition
        self._account = graph.inventory.accounts[self._caller.account]

    def assumes(self) -> Iterator[Become]:
        """The roles that it could assume."""
        for role in self._graph.roles:
            if may_trust(role, self._subject) and role.arn != self._subject.arn:
                decision = self._graph.ask(self._subject, self._graph.assuming(self._subject, role))
                if decision.answer in CAN:
                    yield Become(role, (f"assume {role.arn}",), decision.conditions)

    def becomes_as_itself(self) -> Iterator[Become]:
        """Whom else it could act as, because of who it is: a federated user, or a role that trusts it by tags."""
        federated = self._asked.arns(self._account.id, "federated-user", self._partition)
        yield from as_federated(self._caller, self._graph, federated, self._asked.tags)
        for role in self._graph.identities_of(self._account.id) if self._retags else ():
            yield from self._entering_by_tags(role)

    def becomes(self) -> Iterator[Become]:
        """Whom whoever may make the same calls could act as: by posing, taking over, passing to a service, creating."""
        yield from posing(self._caller, self._graph)
        if not self._writes_iam:
            return
        for target in self._graph.identities_of(self._account.id):
            yield from self._taking_over(target)
        yield from passing(self._caller, self._graph)
        for kind in IdentityKind:
            yield from self._creating(kind)

    def changes(self, target: str) -> Iterator[IdentityChange]:
        """What whoever may make the same calls could change of one identity, by its ARN."""
        yield from self._releasing(target)
        if not self._writes_iam and not self._retags:
            return
        known = self._account.identities.get(target)
        for identity in (known,) if known else self._new_identities.get(target, ()):
            yield from self._tagging(identity)
            ways = (self._giving, self._joining, self._unbounding, self._dropping)
            for change in (change for way in ways for change in way(identity)):
                yield change
                if _frees(change, identity):
                    break  # no other change gives more

    def _releasing(self, target: str) -> Iterator[IdentityChange]:
        """An identity of a member of the organization that its account manages, without service control policies.

        Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_about-scps.html
        """
        members = members_of(self._account.id, self._graph.inventory.accounts.values())
        for member in (one for one in members if f"::{one.id}:" in target):
            levels = member.service_control or ()
            allowing = tuple(tuple(one for one in level if not _denies(one)) for level in levels)
            for action, on in lifting(self._caller, "service_control_policy"):
                left = allowing if action == DETACHING else ()
                conditions = None if left == levels else self._caller.allows(action, on, tagged=False)
                if conditions is not None:
                    step = f"{action} for account {member.id}"
                    yield IdentityChange(target, (step,), conditions, service_control=left)

    @cached_property
    def _writes_iam(self) -> bool:
        return any(map(self._caller.resources, CHANGES_IAM))

    @cached_property
    def _retags(self) -> bool:
        return any(map(self._caller.resources, _RETAGS))

    def _taking_over(self, target: Subject) -> Iterator[Become]:
        identity = target.identity
        assert identity is not None
        for action in ("iam:UpdateAssumeRolePolicy",) if target.is_role else CREDENTIALS:
            calls = self._caller.on(identity, action)
            if calls is not None and not (target.is_role and not self._could_assume(target)):
                yield Become(target, *calls)

    def _entering_by_tags(self, role: Subject) -> Iterator[Become]:
        """A role whose trust policy lets it in once the role has other tags."""
        if role.identity is None or not self._caller.asks_for_tags_of(role) or not may_trust(role, self._subject):
            return
        assume, *_ = self._graph.assuming(self._subject, role)
        keys = {key: values for key, values in assume.resource.keys.items() if not key.startswith(TAG_PREFIXES)}
        untagged = replace(assume.resource, keys=keys)
        tagged = replace(untagged, closed=tuple(one for one in untagged.closed if one not in TAG_PREFIXES))
        for action, resource in (("iam:TagRole", tagged), ("iam:UntagRole", untagged)):
            conditions = self._caller.allows(action, role.arn, keys_of(role.identity))
            decision = self._graph.ask(self._subject, (replace(assume, resource=resource),))
            if conditions is not None and decision.answer in CAN:
                steps = (f"{action} on {role.arn}", f"assume {role.arn}")
                yield Become(role, steps, (*conditions, *decision.conditions))

    def _tagging(self, identity: Identity) -> Iterator[IdentityChange]:
        """An identity with another tag that policies ask for, or without it."""
        tag, untag = (f"iam:{verb}{KINDS[identity.kind]}" for verb in ("Tag", "Untag"))
        for key in sorted(self._asked.tags):
            name = TAG + key
            if (calls := self._caller.tags(tag, identity, key)) is not None:
                limited = tuple(limits(self._subject, tag, identity.arn, key, name))
                yield IdentityChange(identity.arn, *calls, tag=name, limits=limited)
            if (
                key in map(ascii_lower, identity.tags)
                and (calls := self._caller.tags(untag, identity, key)) is not None
            ):
                yield IdentityChange(identity.arn, *calls, tag=name, untags=True)

    def _could_assume(self, role: Subject) -> bool:
        """Could it assume the role if the trust policy named it?"""
        permission, *_ = self._graph.assuming(self._subject, role)
        let = {"Effect": "Allow", "Principal": {"AWS": self._subject.arn}, "Action": "sts:AssumeRole"}
        opened = replace(permission.resource, policies=(Policy("trust policy", parse_document({"Statement": let})),))
        return self._graph.ask(self._subject, (Permission(permission.action, opened),)).answer in CAN

    def _creating(self, kind: IdentityKind) -> Iterator[Become]:
        """A new user or role, as whom it can act; a role trusts it from the start."""
        for new, steps, conditions in self._creatable(kind):
            subject = subject_of(new, self._graph.inventory)
            if kind is IdentityKind.ROLE:
                ways = iter([Become(subject, (f"assume {new.arn}",))] if self._could_assume(subject) else [])
            else:
                ways = self._taking_over(subject)
            for become in ways:
                yield replace(become, steps=(*steps, *become.steps), conditions=(*conditions, *become.conditions))

    def _creatable(self, kind: IdentityKind) -> Iterator[tuple[Identity, tuple[str, ...], Conditions]]:
        """The users or roles that it could create: without a boundary or, if that is denied, with each that it may."""
        action = f"iam:Create{KINDS[kind]}"
        if not self._writes_iam or not self._caller.resources(action):
            return
        for arn in self._new(kind, action, (*POWERS[kind], "iam:PassRole")):
            for before, more, boundary in (((), (), None), *self._attachable):
                keys = {BOUNDARY: (boundary.place.arn,)} if boundary else {}
                conditions = self._caller.allows(action, arn, keys)
                if conditions is None:
                    continue
                new = Identity(arn, self._account.id, kind, arn.rpartition("/")[2], "", boundary=boundary)
                yield new, (*before, f"{action}: {arn}"), (*more, *conditions)
                if boundary is None or boundary.document is ALLOW_EVERYTHING:
                    break

    @cached_property
    def _new_identities(self) -> Mapping[str, Sequence[Identity]]:
        found: dict[str, list[Identity]] = defaultdict(list)
        for kind in IdentityKind:
            for new, *_ in self._creatable(kind):
                found[new.arn].append(new)
        return found

    def _new(self, kind: str, create: str, others: Iterable[str]) -> Iterator[str]:
        """The ARNs of what it could create: one for each pattern by which policies or `others` of its calls choose."""
        own = self._caller.resources(create)
        if not own:
            return
        texts = (*own, *(text for one in others for text in self._caller.resources(one)))
        every = _every(self._account.id, kind, self._partition)
        chosen = (filled(_confined(text, every)) for text in texts)
        for arn in dict.fromkeys((*chosen, *self._asked.arns(self._account.id, kind, self._partition))):
            there = (self._graph.subjects, self._account.groups, self._account.managed)
            is_allowed = f":{kind}/" in arn and any(literal_glob(text).matches(arn) for text in own)
            if is_allowed and not any(arn in known for known in there) and not any(part in arn for part in RESERVED):
                yield arn

    def _giving(self, identity: Identity) -> Iterator[IdentityChange]:
        """Permissions for an identity, by its own policies and its groups'."""
        yield from self._writing(identity)
        for group in (self._account.groups[arn] for arn in identity.groups):
            yield from self._writing_group(identity.arn, group)
        for arn in identity.managed:
            names = frozenset(policy.name for policy in identity.policies if policy.place.arn == arn)
            for step, conditions, given in self._versions(arn):
                yield IdentityChange(identity.arn, (step,), conditions, gives=given, drops=names)

    def _versions(self, arn: str) -> Iterator[tuple[str, Conditions, tuple[Policy, ...]]]:
        """What a managed policy could become: a new version, or one of its others."""
        conditions = self._caller.allows("iam:CreatePolicyVersion", arn, tagged=False)
        if conditions is not None:
            yield f"iam:CreatePolicyVersion on {arn}", conditions, WHATEVER
        conditions = self._caller.allows("iam:SetDefaultPolicyVersion", arn, tagged=False)
        if conditions is not None:
            for version in self._account.versions.get(arn, ()):
                yield f"iam:SetDefaultPolicyVersion on {arn}", conditions, (version,)

    def _writing(self, identity: Identity) -> Iterator[IdentityChange]:
        """Inline policies, which it could all write over, and attached ones."""
        kind = KINDS[identity.kind]
        if (calls := self._caller.on(identity, f"iam:Put{kind}Policy")) is not None:
            own = frozenset(
                policy.name for policy in identity.policies if policy.place.inline and not policy.place.group
            )
            yield IdentityChange(identity.arn, *calls, gives=WHATEVER, drops=own)
        for calls, policy in self._attaching(f"iam:Attach{kind}Policy", identity):
            yield IdentityChange(identity.arn, *calls, gives=(policy,))

    def attaches_anything(self, action: str, holder: Identity | Group) -> bool:
        """Could it attach a policy that allows everything?"""
        unlimited = (policy for _, _, policy in self._attachable if _allows_everything(policy))
        return any(self._on(holder, action, {POLICY: (policy.place.arn,)}) is not None for policy in unlimited)

    def _attaching(self, action: str, holder: Identity | Group) -> Iterator[tuple[Calls, Policy]]:
        """The policies that it could attach: one that allows everything, or else each that says something else."""
        seen: set[Hashable] = set()
        for says, (before, more, policy) in self._giving_something if self._caller.resources(action) else ():
            if (calls := self._on(holder, action, {POLICY: (policy.place.arn,)})) is not None:
                (*first, last), conditions = calls
                name = says, (*more, *conditions)
                if name in seen:
                    continue
                seen.add(name)
                which = "" if policy.document is ALLOW_EVERYTHING and not before else f" (policy {policy.place.arn})"
                yield ((*before, *first, f"{last}{which}"), (*more, *conditions)), policy
                if policy.document is ALLOW_EVERYTHING:
                    return

    @cached_property
    def _giving_something(self) -> Sequence[tuple[Hashable, tuple[tuple[str, ...], Conditions, Policy]]]:
        """Those of the managed policies that say something of what is asked about or of moves, each with what it says.

        What was not read may say anything.
        """
        each = ((self._says(option[2]), option) for option in self._attachable)
        return tuple(one for one in each if one[0])

    def _says(self, policy: Policy) -> Hashable:
        is_read = isinstance(policy.document, Document)
        return concerning(policy, self._asked.actions) if is_read else policy.name

    def _on(self, holder: Identity | Group, action: str, more: Keys | None = None) -> Calls | None:
        if isinstance(holder, Identity):
            return self._caller.on(holder, action, more)
        conditions = self._caller.allows(action, holder.arn, more)
        return None if conditions is None else ((f"{action} on {holder.arn}",), conditions)

    @cached_property
    def _attachable(self) -> tuple[tuple[tuple[str, ...], Conditions, Policy], ...]:
        """Managed policies, as they are and as it could make them: AWS's, the account's, and a new one."""
        of_aws = {iam_arn("aws", f"policy/{name}", self._partition): one for name, one in self._managed.items()}
        found = {arn: _managed(arn, document) for arn, document in of_aws.items()}
        found |= {arn: policy for arn, policy in self._account.managed.items() if arn not in found}
        options: list[tuple[tuple[str, ...], Conditions, Policy]] = [((), (), one) for one in found.values()]
        for arn in self._account.managed:
            for step, conditions, (policy,) in self._versions(arn):
                options.append(((step,), conditions, replace(policy, place=PolicyPlace(arn=arn))))
        for arn in self._new("policy", "iam:CreatePolicy", POWERS["policy"]):
            may = self._caller.allows("iam:CreatePolicy", arn, tagged=False)
            if may is not None:
                options.append(((f"iam:CreatePolicy: {arn}",), may, _managed(arn, ALLOW_EVERYTHING)))
        return tuple(options)

    def _writing_group(self, target: str, group: Group, before: tuple[str, ...] = ()) -> Iterator[IdentityChange]:
        put = "iam:PutGroupPolicy"
        conditions = self._caller.allows(put, group.arn)
        if conditions is not None:
            own = frozenset(policy.name for policy in group.policies if policy.place.inline)
            yield IdentityChange(target, (*before, f"{put} on {group.arn}"), conditions, gives=WHATEVER, drops=own)
        for (steps, attached), policy in self._attaching("iam:AttachGroupPolicy", group):
            yield IdentityChange(target, (*before, *steps), attached, gives=(policy,))

    def _joining(self, identity: Identity) -> Iterator[IdentityChange]:
        """A user as a member of another group, be it a new one, with what that has or could be given."""
        if identity.kind is not IdentityKind.USER:
            return
        groups: list[tuple[Group, Calls]] = [(one, ((), ())) for one in self._account.groups.values()]
        for group, (before, more) in (*groups, *self._new_groups):
            conditions = self._caller.allows("iam:AddUserToGroup", group.arn)
            if conditions is None or group.arn in identity.groups:
                continue
            join = (*before, f"iam:AddUserToGroup on {group.arn}")
            if any(map(self._says, group.policies)):
                yield IdentityChange(identity.arn, join, conditions, gives=group.policies)
            for written in self._writing_group(identity.arn, group, join):
                given = tuple(policy for policy in group.policies if policy.name not in written.drops)
                both = (*more, *conditions, *written.conditions)
                yield replace(written, conditions=both, gives=(*given, *written.gives), drops=frozenset())

    @cached_property
    def _new_groups(self) -> Sequence[tuple[Group, Calls]]:
        """The groups that it could create."""
        found: list[tuple[Group, Calls]] = []
        for arn in self._new("group", "iam:CreateGroup", POWERS["group"]):
            conditions = self._caller.allows("iam:CreateGroup", arn)
            if conditions is not None:
                found.append((Group(arn, arn.rpartition("/")[2]), ((f"iam:CreateGroup: {arn}",), conditions)))
        return found

    def _unbounding(self, identity: Identity) -> Iterator[IdentityChange]:
        """An identity without its permissions boundary, or with a wider one."""
        if identity.boundary is None:
            return
        if (calls := self._caller.on(identity, f"iam:Delete{KINDS[identity.kind]}PermissionsBoundary")) is not None:
            yield IdentityChange(identity.arn, *calls, lifts=True)
        put = f"iam:Put{KINDS[identity.kind]}PermissionsBoundary"
        for before, more, policy in self._attachable if self._caller.resources(put) else ():
            calls = self._caller.on(identity, put, {BOUNDARY: (policy.place.arn,)})
            if calls is not None and policy.place.arn != identity.boundary.place.arn:
                yield _bounded(identity.arn, (*before, *calls[0]), (*more, *calls[1]), policy)
        if f"::{self._account.id}:" in identity.boundary.place.arn:
            for step, conditions, (policy,) in self._versions(identity.boundary.place.arn):
                yield _bounded(identity.arn, (step,), conditions, policy)

    def _dropping(self, identity: Identity) -> Iterator[IdentityChange]:
        """An identity without a policy that denies."""
        groups = [self._account.groups[arn] for arn in identity.groups]
        of_groups = {policy.name for group in groups for policy in group.policies}
        own = [one for one in identity.policies if _denies(one) and one.name not in of_groups]
        holders: list[tuple[Identity | Group, Iterable[Policy]]] = [(identity, own)]
        holders += [(group, filter(_denies, group.policies)) for group in groups]
        for holder, policies in holders:
            for policy in policies:
                arn = policy.place.arn
                kind = KINDS[identity.kind] if holder is identity else "Group"
                action = f"iam:Detach{kind}Policy" if arn else f"iam:Delete{kind}Policy"
                if (calls := self._on(holder, action, {POLICY: (arn,)} if arn else None)) is not None:
                    yield IdentityChange(identity.arn, *calls, drops=frozenset({policy.name}))
        for group in groups:
            conditions = self._caller.allows("iam:RemoveUserFromGroup", group.arn)
            if conditions is not None and any(map(_denies, group.policies)):
                dropped = frozenset(one.name for one in group.policies)
                yield IdentityChange(
                    identity.arn, (f"iam:RemoveUserFromGroup on {group.arn}",), conditions, drops=dropped
                )


def changes_of(target: Subject, account: Account) -> Iterator[tuple[str, str]]:
    """The calls that change what an identity may do or who may act as it, each with its resource."""
    identity = target.identity
    assert identity is not None
    on = [(identity.kind, identity.arn), *(("policy", arn) for arn in identity.managed)]
    on += [] if target.is_role else [("group", arn) for arn in account.groups]
    for kind, arn in on:
        for action in POWERS[kind]:
            is_vain = (
                (action.endswith("PermissionsBoundary") and identity.boundary is None)
                or (action == "iam:SetDefaultPolicyVersion" and not account.versions.get(arn))
                or (kind == "group" and action != "iam:AddUserToGroup" and arn not in identity.groups)
            )
            if not is_vain:
                yield action, arn


def _confined(text: str, every: str) -> str:
    """The part of a pattern of ARNs that is about an account's things of one kind, `every` of them."""
    parts = text.split(":", ARN_COLONS)
    if pattern_covers(text, every) or len(parts) <= ARN_COLONS:
        return every
    return ":".join((*every.split(":", ARN_COLONS)[:-1], parts[-1]))


def gives_anything(subject: Subject, graph: Graph, action: str, arn: str) -> bool:
    """Could a principal attach a policy that allows everything to this user, role or group of its account?"""
    mover = Mover(subject, graph, {}, Asked.by(subject.policies))
    account = graph.inventory.accounts[str(subject.principal.account)]
    holder = account.identities.get(arn) or account.groups[arn]
    return mover.attaches_anything(action, holder)


def _allows_everything(policy: Policy) -> bool:
    everything = Patterns(negated=False, values=("*",))
    return not _denies(policy) and any(
        one.actions == one.resources == everything and not one.conditions for one in policy.statements
    )


def _bounded(target: str, steps: tuple[str, ...], conditions: Conditions, policy: Policy) -> IdentityChange:
    boundary = None if policy.document is ALLOW_EVERYTHING else policy
    return IdentityChange(target, steps, conditions, lifts=True, boundary=boundary)


def _managed(arn: str, document: Document) -> Policy:
    return Policy.at(PolicyPlace(arn=arn), document)


def _frees(change: IdentityChange, identity: Identity) -> bool:
    """Does a change, under no condition, leave nothing of its own that an identity could not call?"""
    kept = (policy for policy in identity.policies if policy.name not in change.drops)
    return not change.conditions and identity.boundary is None and allow_everything((*kept, *change.gives))


def _denies(policy: Policy) -> bool:
    return any(statement.effect is Effect.DENY for statement in policy.statements)
