"""What a decision rests on: questions with the same evidence have the same answer (ADR 20).

Evidence leaves out who asks and about which resource, and what no statement on the question says: that two policies
name two users on two resources alike is the same evidence. Where more than that can decide (a condition on the
caller's name, a policy variable, NotPrincipal), a question has none and is decided by itself.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from iam_access.document.condition import CLOCKS
from iam_access.document.document import Document, Statement
from iam_access.document.principal import ANYONE, Principals
from iam_access.evaluate.actions import is_plain
from iam_access.evaluate.request_principal import is_service_linked_role
from iam_access.evaluate.statement_match import action_matches, resource_matches
from iam_access.inventory.inventory import Policy
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.decide import Permission, Resource
from iam_access.who_can.subject import SERVICE_KEYS, Subject

# Keys whose values do not depend on who in an account makes the request.
_OF_ALL = frozenset(
    {
        *("aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:requestedregion", "aws:sourceip"),
        *("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:securetransport", "aws:viaawsservice", *CLOCKS),
        *("aws:multifactorauthpresent", "aws:multifactorauthage", "aws:principalisawsservice", *SERVICE_KEYS),
    }
)


_EVERYBODY = Principals(negated=False, values=(ANYONE,))


class _About(Struct, frozen=True):
    """A statement on some actions; `says`: all that counts of it besides resources, None if more than that counts."""

    statement: Statement
    says: Hashable | None

    def is_on(self, arn: str, *, completes: bool) -> bool:
        """Is it on this resource, or may a variable make it so?"""
        element = self.statement.resources
        if element is None or (not element.negated and arn in element.values):
            return True
        return not _is_certain(self.statement) or resource_matches(
            element, arn, {}, variables=False, completes=completes
        )


class Evidence:
    """Finds the evidence of questions about the identities and resources of one inventory.

    `together`: actions that are asked about of one resource after another: what is said of all of them is found once.
    """

    def __init__(self, together: Callable[[], frozenset[str]] = frozenset) -> None:
        self._together = together
        self._resource: Resource | None = None
        self._of_all: dict[str, tuple[Hashable | None, ...]] = {}
        self._besides: Hashable = None
        self._about: dict[tuple[int, tuple[str, ...]], tuple[Document, tuple[_About, ...]]] = {}

    def of(self, subject: Subject, permissions: Sequence[Permission]) -> Hashable | None:
        """The evidence for a user or role of the inventory, None if it is to be decided by itself."""
        principal = subject.principal
        if is_service_linked_role(subject.arn):
            return None
        found: list[Hashable] = [principal.account, principal.kind, subject.boundary is not None]
        for (_, resource), some in groupby(
            permissions, lambda permission: (id(permission.resource), permission.resource)
        ):
            if resource.varies_by_principal:
                return None
            actions = tuple(permission.action for permission in some)
            said = self._said(subject, resource, actions)
            if None in said:
                return None
            arn = "" if all(map(is_plain, actions)) else resource.arn
            found += (actions, arn, self._besides, said)
        return tuple(found)

    def _said(self, subject: Subject, resource: Resource, actions: tuple[str, ...]) -> tuple[Hashable | None, ...]:
        if self._resource is not resource:
            control = tuple(id(policy) for level in resource.control for policy in level)
            keys = tuple(resource.keys.items())
            self._besides = control, resource.account, resource.trust, resource.closed, keys
            self._resource, self._of_all = resource, {}
        together = self._together()
        if together.issuperset(actions):
            said = self._of_all.get(subject.arn)
            if said is None:
                said = self._of_all[subject.arn] = self._said_of(subject, resource, tuple(together))
            if None not in said:
                return said
        return self._said_of(subject, resource, actions)

    def _said_of(self, subject: Subject, resource: Resource, actions: tuple[str, ...]) -> tuple[Hashable | None, ...]:
        return (
            *self._of_resource(subject, resource, actions),
            *self._of_subject(subject, resource.arn, actions),
            *self._of_control(resource, actions),
        )

    def _of_subject(self, subject: Subject, arn: str, actions: tuple[str, ...]) -> Iterator[Hashable | None]:
        for place, policy, completes in _own(subject):
            document = policy.document
            if not isinstance(document, Document):
                yield place, policy
                continue
            for about in self._on(document, actions):
                if about.is_on(arn, completes=completes):
                    is_own = about.says is not None and about.statement.principals is None
                    yield (place, about.says) if is_own else None

    def _of_resource(self, subject: Subject, resource: Resource, actions: tuple[str, ...]) -> Iterator[Hashable | None]:
        principal = subject.principal
        for way, name in enumerate((principal.text, principal.root, str(principal.account), "*")):
            for index, statement in resource.named.get(name, ()):
                about = _about(index, statement, actions)
                if about is not None and about.is_on(resource.arn, completes=False):
                    yield None if about.says is None else ("resource", way, about.says)

    def _of_control(self, resource: Resource, actions: tuple[str, ...]) -> Iterator[Hashable | None]:
        for above, level in enumerate(resource.control):
            for index, policy in enumerate(level):
                for about in self._on(policy.document, actions) if isinstance(policy.document, Document) else ():
                    if about.is_on(resource.arn, completes=False):
                        is_of_all = about.statement.principals in (None, _EVERYBODY)
                        yield ("control", above, index, about.says) if is_of_all and about.says is not None else None

    def _on(self, document: Document, actions: tuple[str, ...]) -> tuple[_About, ...]:
        """The statements of a document on some actions."""
        name = id(document), actions
        found = self._about.get(name)
        if found is None:
            each = (_about(index, statement, actions) for index, statement in enumerate(document.statements))
            # With the document, so that no other takes its ID.
            found = self._about[name] = document, tuple(about for about in each if about is not None)
        return found[1]


def _own(subject: Subject) -> Iterator[tuple[Hashable, Policy, bool]]:
    """A subject's own policies: where each is, and whether ARNs that lack parts are completed in it."""
    for index, policy in enumerate(subject.policies):
        yield ("identity", index), policy, True
    if subject.boundary is not None:
        yield "boundary", subject.boundary, True
    for above, level in enumerate(subject.service_control):
        for index, policy in enumerate(level):
            yield (above, index), policy, False


def _about(index: int, statement: Statement, actions: Iterable[str]) -> _About | None:
    """`index`: the statement's in its document; None if it is on none of the actions."""
    about = tuple(action_matches(statement.actions, action) for action in actions)
    if not any(about):
        return None
    if varies(statement):
        return _About(statement, None)
    return _About(statement, (index, statement.effect, statement.sid, statement.conditions, about))


def varies(statement: Statement) -> bool:
    """Can a statement's truth depend on more than the principal's account and whether it names the principal?"""
    return (
        (statement.principals is not None and statement.principals.negated)
        or any(ascii_lower(condition.key) not in _OF_ALL for condition in statement.conditions)
        or any("${" in value for condition in statement.conditions for value in condition.values)
        or not _is_certain(statement)
    )


def _is_certain(statement: Statement) -> bool:
    """Is it certain on which resources it is?"""
    return statement.resources is None or not any("${" in value for value in statement.resources.values)
