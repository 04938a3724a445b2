"""What a principal could do to become somebody else, or to change what somebody may do.

The calls are IAM's, on the identities of the principal's own account, and those that pass a role to a service. Source:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import replace
from functools import cached_property

from msgspec import Struct

from iam_access.arn import ARN_COLONS, iam_arn
from iam_access.document.condition import CanonicalClause
from iam_access.document.document import Document, Effect, parse_document
from iam_access.document.pattern import pattern_covers
from iam_access.escalation.become import Become
from iam_access.escalation.calls import CAN, Caller, Conditions, Keys, filled
from iam_access.escalation.passing import passing
from iam_access.escalation.posing import posing
from iam_access.escalation.power import CREDENTIALS, POWERS
from iam_access.escalation.tagging import TAG_KEYS, limits, spellings
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Account, Group, Identity, Policy, PolicyPlace
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.decide import Permission
from iam_access.who_can.graph import Graph, may_trust
from iam_access.who_can.resources import TAG_PREFIXES, tag_keys
from iam_access.who_can.subject import ALLOW_EVERYTHING, TAG, Subject, subject_of


class IdentityChange(Struct, frozen=True):
    """What calls do to one identity: policies that it gets and loses (by name) and, if it `lifts`, its new boundary.

    `tag`: the condition key of a tag that it gets, with what the call says of its value (`limits`), or `untags`: loses.
    """

    target: str
    steps: tuple[str, ...]
    conditions: Conditions = ()
    gives: tuple[Policy, ...] = ()
    drops: frozenset[str] = frozenset()
    lifts: bool = False
    boundary: Policy | None = None
    tag: str = ""
    limits: tuple[CanonicalClause, ...] = ()
    untags: bool = False

    def applied(self, subject: Subject) -> Subject:
        """The target as it would be."""
        kept = (policy for policy in subject.policies if policy.name not in self.drops)
        boundary = self.boundary if self.lifts else subject.boundary
        changed = replace(subject, policies=(*kept, *self.gives), boundary=boundary)
        if self.untags:
            return replace(changed, keys={key: values for key, values in subject.keys.items() if key != self.tag})
        opened = subject.open_keys | {self.tag} if self.tag else subject.open_keys
        return replace(changed, open_keys=opened, always=(*subject.always, *self.limits))

    @property
    def only_widens(self) -> bool:
        """Does it take no access away, so that it can be made besides any other?"""
        return self.boundary is None and not self.untags and not any(map(_denies, self.gives))


WHATEVER = (Policy("whatever is written", ALLOW_EVERYTHING),)
_PREFIX = {IdentityKind.USER: "User", IdentityKind.ROLE: "Role"}
CHANGES_IAM = (
    *(action for actions in POWERS.values() for action in actions),
    *("iam:RemoveUserFromGroup", "iam:PassRole", "iam:CreateUser", "iam:CreateRole"),
    *(f"iam:{verb}{kind}Policy" for verb in ("Delete", "Detach") for kind in ("User", "Role", "Group")),
)
"""Every call of IAM that a move is made of."""
_RETAGS = tuple(f"iam:{verb}{kind}" for verb in ("Tag", "Untag") for kind in _PREFIX.values())
_BOUNDARY, _POLICY = "iam:permissionsboundary", "iam:policyarn"
# Policies of AWS that anybody can attach, whether or not they are in the snapshot.
# Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_POWER_USER = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}
_OF_AWS: Mapping[str, Document] = {
    "AdministratorAccess": ALLOW_EVERYTHING,
    "PowerUserAccess": parse_document({"Statement": _POWER_USER}),
}


class Mover:
    """The moves of one principal, as it is in the inventory or would be after a change.

    `managed`: policies of AWS, by name, that anybody can attach and that give what is asked about; `tags`: the keys of
    the tags that policies ask of principals, in lower case.
    """

    def __init__(
        self, subject: Subject, graph: Graph, managed: Mapping[str, Document], tags: Collection[str] = ()
    ) -> None:
        self._subject = subject
        self._graph = graph
        self._tags = tags
        self._managed = {**_OF_AWS, **managed}
        self._caller = Caller(subject, graph)
        self._partition = subject.principal.partition
        self._account = graph.inventory.accounts[self._caller.account]
        self._writes_iam = any(map(self._caller.resources, CHANGES_IAM))
        self._retags = any(map(self._caller.resources, _RETAGS))

    def assumes(self) -> Iterator[Become]:
        """The roles that it could assume."""
        for role in self._graph.roles:
            if may_trust(role, self._subject) and role.arn != self._subject.arn:
                decision = self._graph.ask(self._subject, self._graph.assuming(self._subject, role))
                if decision.answer in CAN:
                    yield Become(role, (f"assume {role.arn}",), decision.conditions)

    def becomes(self, federated: Iterable[str] = ()) -> Iterator[Become]:
        """Whom else it could act as: by posing, taking over, passing to a service, or creating.

        `federated`: the federated users, by ARN, whom policies name.
        """
        yield from posing(self._caller, self._graph, federated)
        for role in self._graph.identities_of(self._account.id) if self._retags else ():
            yield from self._entering_by_tags(role)
        if not self._writes_iam:
            return
        for target in self._graph.identities_of(self._account.id):
            yield from self._taking_over(target)
        yield from passing(self._caller, self._graph)
        for kind in IdentityKind:
            yield from self._creating(kind)

    def changes(self) -> Iterator[IdentityChange]:
        """What it could change of the identities of its account."""
        if not self._writes_iam and not self._retags:
            return
        known = (target.identity for target in self._graph.identities_of(self._account.id))
        for identity in (*filter(None, known), *(new for kind in IdentityKind for new, *_ in self._creatable(kind))):
            yield from self._tagging(identity)
            yield from self._giving(identity)
            yield from self._joining(identity)
            yield from self._unbounding(identity)
            yield from self._dropping(identity)

    def _taking_over(self, target: Subject) -> Iterator[Become]:
        identity = target.identity
        assert identity is not None
        if target.is_role and not self._could_assume(target):
            return
        for action in ("iam:UpdateAssumeRolePolicy",) if target.is_role else CREDENTIALS:
            conditions = self._caller.allows(action, target.arn, _keys(identity))
            if conditions is not None:
                yield Become(target, (f"{action} on {target.arn}",), conditions)

    def _entering_by_tags(self, role: Subject) -> Iterator[Become]:
        """A role whose trust policy lets it in once the role has other tags."""
        if role.identity is None or not role.is_role or not may_trust(role, self._subject):
            return
        assume, *_ = self._graph.assuming(self._subject, role)
        keys = {key: values for key, values in assume.resource.keys.items() if not key.startswith(TAG_PREFIXES)}
        untagged = replace(assume.resource, keys=keys)
        tagged = replace(untagged, closed=tuple(one for one in untagged.closed if one not in TAG_PREFIXES))
        for action, resource in (("iam:TagRole", tagged), ("iam:UntagRole", untagged)):
            conditions = self._caller.allows(action, role.arn, _keys(role.identity))
            decision = self._graph.ask(self._subject, (replace(assume, resource=resource),))
            if conditions is not None and decision.answer in CAN:
                steps = (f"{action} on {role.arn}", f"assume {role.arn}")
                yield Become(role, steps, (*conditions, *decision.conditions))

    def _tagging(self, identity: Identity) -> Iterator[IdentityChange]:
        """An identity with another tag that policies ask for, or without it."""
        tag, untag = (f"iam:{verb}{_PREFIX[identity.kind]}" for verb in ("Tag", "Untag"))
        for key in sorted(self._tags):
            name = TAG + key
            if (conditions := self._tags_with(tag, identity, key)) is not None:
                limited = tuple(limits(self._subject, tag, identity.arn, key, name))
                step = f"{tag} on {identity.arn} (tag {key})"
                yield IdentityChange(identity.arn, (step,), conditions, tag=name, limits=limited)
            has_it = key in map(ascii_lower, identity.tags)
            if has_it and (conditions := self._tags_with(untag, identity, key)) is not None:
                step = f"{untag} on {identity.arn} (tag {key})"
                yield IdentityChange(identity.arn, (step,), conditions, tag=name, untags=True)

    def _tags_with(self, action: str, identity: Identity, key: str) -> Conditions | None:
        """The conditions under which a call may name the key of a tag, None if it may not."""
        if not self._caller.resources(action):
            return None
        written = ({**_keys(identity), TAG_KEYS: (one,)} for one in spellings(self._subject, key))
        found = (self._caller.allows(action, identity.arn, keys) for keys in written)
        return next((one for one in found if one is not None), None)

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
        """The users or roles that it could create: without a boundary or, if that is denied, with one that it may."""
        action = f"iam:Create{_PREFIX[kind]}"
        for text in self._caller.resources(action) if self._writes_iam else ():
            pattern = self._confined(text, kind)
            every = (((), (), None), *self._attachable)
            for number, (before, more, boundary) in enumerate(every):
                arn = filled(pattern.replace("*", f"x{number or ''}"))
                if f":{kind}/" not in arn or arn in self._graph.subjects:
                    continue
                keys = {_BOUNDARY: (boundary.place.arn,)} if boundary else {}
                conditions = self._caller.allows(action, arn, keys)
                if conditions is None:
                    continue
                new = Identity(arn, self._account.id, kind, arn.rpartition("/")[2], "", boundary=boundary)
                yield new, (*before, f"{action}: {arn}"), (*more, *conditions)
                if boundary is None or boundary.document is ALLOW_EVERYTHING:
                    break

    def _confined(self, text: str, kind: str) -> str:
        """The part of a pattern of ARNs that is about this kind of thing in its own account."""
        every = iam_arn(self._account.id, f"{kind}/*", self._partition)
        parts = text.split(":", ARN_COLONS)
        if pattern_covers(text, every) or len(parts) <= ARN_COLONS:
            return every
        return iam_arn(self._account.id, parts[-1], self._partition)

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
        kind = _PREFIX[identity.kind]
        put = f"iam:Put{kind}Policy"
        conditions = self._caller.allows(put, identity.arn, _keys(identity))
        if conditions is not None:
            own = frozenset(
                policy.name for policy in identity.policies if policy.place.inline and not policy.place.group
            )
            yield IdentityChange(identity.arn, (f"{put} on {identity.arn}",), conditions, gives=WHATEVER, drops=own)
        for steps, attached, given in self._attaching(f"iam:Attach{kind}Policy", identity.arn, _keys(identity)):
            yield IdentityChange(identity.arn, steps, attached, gives=given)

    def _attaching(
        self, action: str, arn: str, keys: Keys
    ) -> Iterator[tuple[tuple[str, ...], Conditions, tuple[Policy, ...]]]:
        """The policies that it could attach: one that allows everything, or else each."""
        if not self._caller.resources(action):
            return
        for before, more, policy in self._attachable:
            conditions = self._caller.allows(action, arn, {**keys, _POLICY: (policy.place.arn,)})
            if conditions is not None:
                which = "" if policy.document is ALLOW_EVERYTHING and not before else f" (policy {policy.place.arn})"
                yield (*before, f"{action} on {arn}{which}"), (*more, *conditions), (policy,)
                if policy.document is ALLOW_EVERYTHING:
                    return

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
        for text in self._caller.resources("iam:CreatePolicy"):
            arn = filled(self._confined(text, "policy"))
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
        for steps, attached, given in self._attaching("iam:AttachGroupPolicy", group.arn, {}):
            yield IdentityChange(target, (*before, *steps), attached, gives=given)

    def _joining(self, identity: Identity) -> Iterator[IdentityChange]:
        """A user as a member of another group, with what that has or could be given."""
        if identity.kind is not IdentityKind.USER:
            return
        for group in self._account.groups.values():
            conditions = self._caller.allows("iam:AddUserToGroup", group.arn)
            if conditions is None or group.arn in identity.groups:
                continue
            join = f"iam:AddUserToGroup on {group.arn}"
            if group.policies:
                yield IdentityChange(identity.arn, (join,), conditions, gives=group.policies)
            for written in self._writing_group(identity.arn, group, (join,)):
                given = tuple(policy for policy in group.policies if policy.name not in written.drops)
                both = (*conditions, *written.conditions)
                yield replace(written, conditions=both, gives=(*given, *written.gives), drops=frozenset())

    def _unbounding(self, identity: Identity) -> Iterator[IdentityChange]:
        """An identity without its permissions boundary, or with a wider one."""
        if identity.boundary is None:
            return
        delete = f"iam:Delete{_PREFIX[identity.kind]}PermissionsBoundary"
        conditions = self._caller.allows(delete, identity.arn, _keys(identity))
        if conditions is not None:
            yield IdentityChange(identity.arn, (f"{delete} on {identity.arn}",), conditions, lifts=True)
        put = f"iam:Put{_PREFIX[identity.kind]}PermissionsBoundary"
        for before, more, policy in self._attachable if self._caller.resources(put) else ():
            conditions = self._caller.allows(put, identity.arn, {**_keys(identity), _BOUNDARY: (policy.place.arn,)})
            if conditions is not None and policy.place.arn != identity.boundary.place.arn:
                steps = (*before, f"{put} on {identity.arn}")
                yield _bounded(identity.arn, steps, (*more, *conditions), policy)
        if f"::{self._account.id}:" in identity.boundary.place.arn:
            for step, conditions, (policy,) in self._versions(identity.boundary.place.arn):
                yield _bounded(identity.arn, (step,), conditions, policy)

    def _dropping(self, identity: Identity) -> Iterator[IdentityChange]:
        """An identity without a policy that denies."""
        kind = _PREFIX[identity.kind]
        groups = [self._account.groups[arn] for arn in identity.groups]
        of_groups = {policy.name for group in groups for policy in group.policies}
        own = [one for one in identity.policies if _denies(one) and one.name not in of_groups]
        holders: list[tuple[Identity | Group, list[Policy]]] = [(identity, own)]
        holders += ((group, list(filter(_denies, group.policies))) for group in groups)
        for holder, policies in holders:
            name, keys = (kind, _keys(identity)) if holder is identity else ("Group", {})
            for policy in policies:
                arn = policy.place.arn
                action = f"iam:Detach{name}Policy" if arn else f"iam:Delete{name}Policy"
                more = {**keys, _POLICY: (arn,)} if arn else keys
                conditions = self._caller.allows(action, holder.arn, more)
                if conditions is not None:
                    dropped = frozenset({policy.name})
                    yield IdentityChange(identity.arn, (f"{action} on {holder.arn}",), conditions, drops=dropped)
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


def _bounded(target: str, steps: tuple[str, ...], conditions: Conditions, policy: Policy) -> IdentityChange:
    boundary = None if policy.document is ALLOW_EVERYTHING else policy
    return IdentityChange(target, steps, conditions, lifts=True, boundary=boundary)


def _managed(arn: str, document: Document) -> Policy:
    return Policy.at(PolicyPlace(arn=arn), document)


def _keys(identity: Identity) -> dict[str, tuple[str, ...]]:
    """The condition keys of a call on an identity."""
    boundary = {_BOUNDARY: (identity.boundary.place.arn,)} if identity.boundary else {}
    return {**tag_keys(identity), **boundary}


def _denies(policy: Policy) -> bool:
    return any(statement.effect is Effect.DENY for statement in policy.statements)
