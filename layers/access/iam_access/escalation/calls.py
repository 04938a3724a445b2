"""Which calls a principal is allowed: on one resource, or on any that it could choose."""

import re
from collections.abc import Mapping

from iam_access.document.document import Document
from iam_access.document.variables import literal_glob
from iam_access.evaluate.request_principal import CallerKind
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.inventory import Policy
from iam_access.who_can.candidates import resources_allowed
from iam_access.who_can.decide import Answer, Permission, Resource
from iam_access.who_can.graph import Graph
from iam_access.who_can.resources import TAG_PREFIXES
from iam_access.who_can.subject import Subject

CAN = (Answer.YES, Answer.CONDITIONAL)

type Keys = Mapping[str, tuple[str, ...]]
type Conditions = tuple[str, ...]

# Keys of single calls of IAM: absent unless they are given.
_CLOSED = ("iam:permissionsboundary", "iam:policyarn", "iam:passedtoservice")
_RESERVED = (":role/aws-reserved/", ":role/aws-service-role/")
_MOST_RESOURCES = 20
_WILD = re.compile(r"[*?]")


class Caller:
    """The calls of one principal in its own account; decisions are cached."""

    def __init__(self, subject: Subject, graph: Graph) -> None:
        self._graph = graph
        self.subject = subject
        self.account = str(subject.principal.account)
        self._texts: dict[str, tuple[str, ...]] = {}
        self._alike: dict[str, bool] = {}
        self._same: dict[str, Conditions | None] = {}

    def allows(self, action: str, resource: str, keys: Keys | None = None, *, tagged: bool = True) -> Conditions | None:
        """The conditions under which a call is allowed, None if it is not.

        `keys`: the call's own condition keys; `tagged`: they hold all tags of the resource.
        """
        if not any(text == "*" or literal_glob(text).matches(resource) for text in self.resources(action)):
            return None
        if self._is_any_resource_alike(action) and not any(part in resource for part in _RESERVED):
            if action not in self._same:
                self._same[action] = self._decide(action, resource, keys or {}, tagged=tagged)
            return self._same[action]
        return self._decide(action, resource, keys or {}, tagged=tagged)

    def allows_somewhere(self, action: str) -> Conditions | None:
        """The conditions under which a call is allowed on some resource that the principal's policies name."""
        for text in self.resources(action)[:_MOST_RESOURCES]:
            found = self._decide(action, text if text == "*" else filled(text), {}, tagged=False)
            if found is not None:
                return found
        return None

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

    def _value_of(self, key: str) -> tuple[str, ...] | None:
        principal = self.subject.principal
        if key == "aws:username" and principal.kind is CallerKind.USER:
            return (principal.name,)
        return self.subject.value_of(key)

    def _decide(self, action: str, resource: str, keys: Keys, *, tagged: bool) -> Conditions | None:
        closed = (*_CLOSED, *TAG_PREFIXES) if tagged else _CLOSED
        asked = Resource(resource, self.account, keys=dict(keys), closed=closed)
        decision = self._graph.ask(self.subject, (Permission(action, asked),))
        return decision.conditions if decision.answer in CAN else None

    def _is_any_resource_alike(self, action: str) -> bool:
        """Does no statement on the action name a resource or have a condition?"""
        if action not in self._alike:
            self._alike[action] = self._is_alike(action)
        return self._alike[action]

    def _is_alike(self, action: str) -> bool:
        subject = self.subject
        boundary = (subject.boundary,) if subject.boundary else ()
        levels = (policy for level in subject.service_control for policy in level)
        return not any(_depends(policy, action) for policy in (*subject.policies, *boundary, *levels))


def _depends(policy: Policy, action: str) -> bool:
    return any(
        action_matches(statement.actions, action)
        for statement in policy.statements
        if statement.conditions
        or (statement.resources and (statement.resources.negated or statement.resources.values != ("*",)))
    )


def filled(pattern: str) -> str:
    """A resource that the pattern matches."""
    return _WILD.sub("x", pattern)
