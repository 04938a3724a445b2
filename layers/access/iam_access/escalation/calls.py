"""Which calls a principal is allowed: on one resource, or on any that it could choose."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from functools import cached_property
from itertools import chain, islice

from msgspec import Struct

from iam_access.arn import account_part
from iam_access.document.condition import Clause
from iam_access.document.document import Document, Statement
from iam_access.document.variables import completed_arn, literal_glob
from iam_access.escalation.tagging import TAG_KEYS, limits, spellings
from iam_access.evaluate.condition_match import clause_holds
from iam_access.evaluate.request_principal import CallerKind
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.identity_kind import IdentityKind
from iam_access.inventory.inventory import Identity, Policy
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.candidates import resources_allowed
from iam_access.who_can.decide import Answer, Permission, Resource
from iam_access.who_can.graph import Graph
from iam_access.who_can.resources import TAG_PREFIXES, keys_asked_for, tag_keys
from iam_access.who_can.subject import Subject

CAN = (Answer.YES, Answer.CONDITIONAL)

type Keys = Mapping[str, tuple[str, ...]]
type Conditions = tuple[str, ...]
type Calls = tuple[tuple[str, ...], Conditions]
"""What is called, in order, and the conditions of all of it."""

BOUNDARY, POLICY = "iam:permissionsboundary", "iam:policyarn"
KINDS = {IdentityKind.USER: "User", IdentityKind.ROLE: "Role"}
"""How calls of IAM name what they are on."""
RESERVED = (":role/aws-reserved/", ":role/aws-service-role/")
"""What the ARNs of roles have that only AWS creates and changes."""
# Keys of single calls of IAM: absent unless they are given.
_CLOSED = (BOUNDARY, POLICY, "iam:passedtoservice")
_MOST_RESOURCES = 20
# Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html
_ON_SHARED = "ssm:"
_WILD = re.compile(r"[*?]")
# Steps, for as long as it takes to find that a call is like another one.
_CALL = 2


class _About(Struct, frozen=True):
    """What statements on one action say: their Resource elements, their conditions, and the keys that these ask for."""

    resources: tuple[str, ...]
    clauses: tuple[Clause, ...]
    keys: tuple[str, ...]
    has_variables: bool

    def naming(self, resource: str) -> Iterator[bool]:
        """Which of the patterns name a resource; identity policies complete ARNs that lack parts, others do not."""
        for text in self.resources:
            yield literal_glob(text).matches(resource)
            yield literal_glob(completed_arn(text)).matches(resource)

    def holding(self, keys: Keys) -> Iterator[bool | None]:
        """Which of the conditions hold; None where the call gives no value."""
        for clause in self.clauses:
            yield clause_holds(clause, keys, variables=False) if ascii_lower(clause.key) in keys else None


def _about(statements: Iterable[Statement]) -> _About:
    given = tuple(statements)
    resources = tuple(text for one in given if one.resources for text in one.resources.values)
    clauses = tuple(clause for one in given for clause in one.conditions)
    texts = (*resources, *(value for clause in clauses for value in clause.values))
    keys = tuple(dict.fromkeys(ascii_lower(clause.key) for clause in clauses))
    return _About(resources, clauses, keys, any("${" in text for text in texts))


class Caller:
    """The calls of one principal in its own account; those that its policies do not tell apart are decided once."""

    def __init__(self, subject: Subject, graph: Graph) -> None:
        self._graph = graph
        self.subject = subject
        self.account = str(subject.principal.account)
        self._texts: dict[str, tuple[str, ...]] = {}
        self._about: dict[str, _About] = {}
        self._named: dict[Hashable, Hashable] = {}
        self._held: dict[Hashable, Hashable] = {}
        self._decided: dict[Hashable, Conditions | None] = {}
        self._others: dict[str, Sequence[tuple[Calls, Resource]]] = {}

    def allows(self, action: str, resource: str, keys: Keys | None = None, *, tagged: bool = True) -> Conditions | None:
        """The conditions under which a call is allowed, None if it is not.

        `keys`: the call's own condition keys; `tagged`: they hold all tags of the resource.
        """
        self._graph.spend(_CALL)
        if not self._may(action, resource):
            return None
        name = action, tagged, self._said_of(action, resource, keys or {})
        if name not in self._decided:
            self._decided[name] = self._decide(action, resource, keys or {}, tagged=tagged)
        return self._decided[name]

    def on(self, identity: Identity, action: str, more: Keys | None = None) -> Calls | None:
        """The call on a user or role, after one that changes a tag of theirs where that is needed; None if it cannot.

        `more`: the call's own condition keys.
        """
        step, own = f"{action} on {identity.arn}", more or {}
        conditions = self.allows(action, identity.arn, {**keys_of(identity), **own})
        if conditions is not None:
            return (step,), conditions
        for (before, of_tag), retagged in self._retagged(identity) if self._may(action, identity.arn) else ():
            conditions = self._ask(action, replace(retagged, keys={**retagged.keys, **own}))
            if conditions is not None:
                return (*before, step), (*of_tag, *conditions)
        return None

    def tags(self, action: str, identity: Identity, key: str) -> Calls | None:
        """The call that names a tag of a user or role by its key, None if it is not allowed."""
        for written in spellings(self.subject, key) if self.resources(action) else ():
            conditions = self.allows(action, identity.arn, {**keys_of(identity), TAG_KEYS: (written,)})
            if conditions is not None:
                return (f"{action} on {identity.arn} (tag {key})",), conditions
        return None

    def allows_somewhere(self, action: str) -> Conditions | None:
        """The conditions under which a call is allowed on some resource that the principal's policies name.

        On another account's it runs nothing as a role of its own, but for documents that were shared.
        """
        texts = (text for text in self.resources(action) if action.startswith(_ON_SHARED) or self._is_own(text))
        for text in islice(texts, _MOST_RESOURCES):
            found = self._decide(action, text if text == "*" else filled(text), {}, tagged=False)
            if found is not None:
                return found
        return None

    def _is_own(self, pattern: str) -> bool:
        account = account_part(pattern)
        return not account or literal_glob(account).matches(self.account)

    def resources(self, action: str) -> tuple[str, ...]:
        """The resources that Allow statements of the principal's policies name for an action, as patterns."""
        found = self._texts.get(action)
        if found is None:
            documents = (policy.document for policy in self.subject.policies)
            found = self._texts[action] = tuple(
                dict.fromkeys(
                    text
                    for document in documents
                    if isinstance(document, Document)
                    for text in resources_allowed(document, action, self._value_of)
                )
            )
        return found

    def asks_for_tags_of(self, role: Subject) -> bool:
        """Can the tags of a role decide whether the principal may assume it?"""
        trust = role.identity.trust if role.identity is not None else None
        controls = chain.from_iterable(self._graph.inventory.accounts[self.account].resource_control or ())
        return trust is not None and bool(self._tags or keys_asked_for((trust, *controls), TAG_PREFIXES))

    def _may(self, action: str, resource: str) -> bool:
        return any(text == "*" or literal_glob(text).matches(resource) for text in self.resources(action))

    def _value_of(self, key: str) -> tuple[str, ...] | None:
        principal = self.subject.principal
        if key == "aws:username" and principal.kind is CallerKind.USER:
            return (principal.name,)
        return self.subject.value_of(key)

    def _retagged(self, identity: Identity) -> Sequence[tuple[Calls, Resource]]:
        """A user or role with another value of a tag that the caller's policies ask for, or without it."""
        found = self._others.get(identity.arn)
        if found is None:
            found = self._others[identity.arn] = tuple(self._find_retagged(identity)) if self._tags else ()
        return found

    def _find_retagged(self, identity: Identity) -> Iterator[tuple[Calls, Resource]]:
        untag, tag = (f"iam:{verb}{KINDS[identity.kind]}" for verb in ("Untag", "Tag"))
        every = {**dict.fromkeys(self._tags, ()), **keys_of(identity)}
        for key in sorted({name.partition("/")[2] for name in self._tags}):
            names = [f"{prefix}{key}" for prefix in TAG_PREFIXES]
            others = {name: values for name, values in every.items() if name not in names}
            if key in map(ascii_lower, identity.tags) and (calls := self.tags(untag, identity, key)) is not None:
                without = {**others, **dict.fromkeys(names, ())}
                yield calls, Resource(identity.arn, self.account, keys=without, closed=_CLOSED)
            if (calls := self.tags(tag, identity, key)) is not None:
                limited = (one for name in names for one in limits(self.subject, tag, identity.arn, key, name))
                opened = Resource(identity.arn, self.account, keys=others, closed=_CLOSED, always=tuple(limited))
                yield calls, opened

    def _decide(self, action: str, resource: str, keys: Keys, *, tagged: bool) -> Conditions | None:
        closed = (*_CLOSED, *TAG_PREFIXES) if tagged else _CLOSED
        return self._ask(action, Resource(resource, self.account, keys=dict(keys), closed=closed))

    def _ask(self, action: str, resource: Resource) -> Conditions | None:
        decision = self._graph.ask(self.subject, (Permission(action, resource),))
        return decision.conditions if decision.answer in CAN else None

    def _said_of(self, action: str, resource: str, keys: Keys) -> Hashable:
        """The same for calls of the action that the principal's policies do not tell apart."""
        about = self._on(action)
        if about.has_variables:
            return resource, *sorted(keys.items())
        on = action, resource
        if on not in self._named:
            self._named[on] = any(part in resource for part in RESERVED), *about.naming(resource)
        given = action, *((key, keys[key]) for key in about.keys if key in keys)
        if given not in self._held:
            self._held[given] = tuple(about.holding(keys))
        return self._named[on], self._held[given]

    def _on(self, action: str) -> "_About":
        found = self._about.get(action)
        if found is None:
            statements = (one for policy in self._policies for one in policy.statements)
            found = self._about[action] = _about(one for one in statements if action_matches(one.actions, action))
        return found

    @cached_property
    def _policies(self) -> Sequence[Policy]:
        """Those that say what it may do."""
        subject = self.subject
        boundary = (subject.boundary,) if subject.boundary else ()
        return (*subject.policies, *boundary, *chain.from_iterable(subject.service_control))

    @cached_property
    def _tags(self) -> frozenset[str]:
        return keys_asked_for(self._policies, TAG_PREFIXES)


def keys_of(identity: Identity) -> dict[str, tuple[str, ...]]:
    """The condition keys of a call on an identity."""
    boundary = {BOUNDARY: (identity.boundary.place.arn,)} if identity.boundary else {}
    return {**tag_keys(identity), **boundary}


def filled(pattern: str) -> str:
    """A resource that the pattern matches."""
    return _WILD.sub("x", pattern)
