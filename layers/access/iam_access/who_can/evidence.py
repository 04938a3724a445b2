"""What a decision rests on: questions with the same evidence have the same answer (ADR 20).

Evidence leaves out who asks and about which resource, and what no statement on the question says: that two policies
name two users on two resources alike is the same evidence, whether they are in the same accounts or in others. Values
of condition keys count where a statement asks for them. Where more than that can decide (a condition on the caller's
name, a policy variable, NotPrincipal), a question has none and is decided by itself.
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
    """A statement on some actions.

    `says`: the number of all that counts of it besides resources, None if more than that counts.
    """

    statement: Statement
    says: int | None

    def is_on(self, arn: str, *, completes: bool) -> bool:
        """Is it on this resource, or may a variable make it so?"""
        element = self.statement.resources
        if element is None or (not element.negated and arn in element.values):
            return True
        return not _is_certain(self.statement) or resource_matches(
            element, arn, {}, variables=False, completes=completes
        )


type _Actions = tuple[str, ...]
type _Said = tuple[Hashable, int | Policy]
"""What is said somewhere, by its number, or a policy that was not read."""
type _Own = tuple[tuple[Hashable, _About | Policy, bool], ...]
"""What somebody's own policies say of some actions: each statement with its place, and whether ARNs that lack parts are
completed in it; or a policy that was not read."""


class _Who(Struct, frozen=True):
    """An identity: what is in all of its evidence, and the names by which policies of resources may mean it."""

    subject: Subject  # so that no other takes its ID
    like: Hashable
    account: str | None
    names: tuple[str, ...]
    is_linked_to_service: bool


class _Part(Struct, frozen=True):
    """What is asked about one resource.

    `read`: the actions of which statements are read, the first that do; `arn`: as far as it counts by itself;
    `besides`: what else than its own policies counts, by the number of what somebody's own policies say.
    """

    resource: Resource
    actions: _Actions
    read: tuple[_Actions, ...]
    arn: str
    besides: dict[int, _Said | None]


class Evidence:
    """Finds the evidence of questions about the identities and resources of one inventory.

    `together`: actions that are asked about of one resource after another: what is said of all of them is found once.
    Of identities whose own policies say the same of the actions, one is read on a resource.
    """

    def __init__(self, together: Callable[[], frozenset[str]] = frozenset) -> None:
        self._together = together
        self._numbers: dict[Hashable, int] = {}
        self._asked_for: dict[int | Policy, frozenset[str]] = {}
        self._about: dict[tuple[int, int, _Actions], tuple[Statement, _About | None]] = {}
        self._own: dict[tuple[int, _Actions], tuple[int, _Own]] = {}
        self._who: dict[int, _Who] = {}
        self._at = ""
        self._asked: dict[int, tuple[Sequence[Permission], tuple[_Part, ...]]] = {}
        self._besides: dict[int, dict[int, _Said | None]] = {}

    def of(self, subject: Subject, permissions: Sequence[Permission]) -> Hashable | None:
        """The evidence for a user or role, None if it is to be decided by itself; the subject is kept."""
        who = self._who.get(id(subject))
        if who is None:
            who = self._who[id(subject)] = _who(subject)
        found: list[Hashable] = [who.like]
        for part in self._parts(permissions):
            if who.is_linked_to_service or part.resource.varies_by_principal:
                return None
            said = self._said(subject, part)
            if said is None:
                return None
            is_own = None if part.resource.account is None else part.resource.account == who.account
            found += (part.actions, part.arn, is_own, said)
            found += (_value(key, subject, part.resource) for key in sorted(self._keys_of(said)))
        return tuple(found)

    def _parts(self, permissions: Sequence[Permission]) -> tuple[_Part, ...]:
        """What is asked, with what was found of it, as long as everybody is asked about the same."""
        at = permissions[0].resource.arn
        if self._at != at:
            self._at, self._asked, self._besides = at, {}, {}
        found = self._asked.get(id(permissions))
        if found is None:
            # With the permissions, so that no others take their ID.
            found = self._asked[id(permissions)] = permissions, tuple(self._parts_of(permissions))
        return found[1]

    def _parts_of(self, permissions: Sequence[Permission]) -> Iterator[_Part]:
        for (place, resource), some in groupby(
            permissions, lambda permission: (id(permission.resource), permission.resource)
        ):
            actions = tuple(permission.action for permission in some)
            together = self._together()
            read = (tuple(together), actions) if together.issuperset(actions) else (actions,)
            arn = "" if all(map(is_plain, actions)) else resource.arn
            yield _Part(resource, actions, read, arn, self._besides.setdefault(place, {}))

    def _said(self, subject: Subject, part: _Part) -> tuple[_Said | None, ...] | None:
        """What counts of the first actions of which nothing else does; None if more than that counts of all."""
        for actions in part.read:
            number, own = self._own_of(subject, actions)
            if number not in part.besides:
                part.besides[number] = self._besides_of(own, part.resource, actions)
            said = part.besides[number], *self._of_resource(subject, part.resource, actions)
            if None not in said:
                return said
        return None

    def _besides_of(self, own: _Own, resource: Resource, actions: _Actions) -> _Said | None:
        """What counts besides what the resource's policies say of a principal, None if more than that does."""
        said = (*self._of_own(own, resource.arn), *self._of_control(resource, actions))
        control = tuple(id(policy) for level in resource.control for policy in level)
        if None in said:
            return None
        return "besides", self._number((said, control, resource.trust), self._keys_of(said))

    def _keys_of(self, said: Iterable[_Said | None]) -> frozenset[str]:
        """The condition keys for which it asks."""
        found = [keys for one in said if one and (keys := self._asked_for.get(one[1]))]
        return frozenset().union(*found)

    def _number(self, said: Hashable, keys: frozenset[str] = frozenset()) -> int:
        """The same for the same: what is said is compared once, and its number often; `keys`: those it asks for."""
        number = self._numbers.setdefault(said, len(self._numbers))
        if keys:
            self._asked_for[number] = keys
        return number

    def _own_of(self, subject: Subject, actions: _Actions) -> tuple[int, _Own]:
        name = id(subject), actions
        found = self._own.get(name)
        if found is None:
            own = tuple(self._held(subject, actions))
            found = self._own[name] = self._number((own, actions)), own
        return found

    def _held(self, subject: Subject, actions: _Actions) -> Iterator[tuple[Hashable, _About | Policy, bool]]:
        for place, policy, completes in _own(subject):
            if isinstance(policy.document, Document):
                yield from ((place, about, completes) for about in self._on(policy.document, actions))
            else:
                yield place, policy, completes

    def _of_own(self, own: _Own, arn: str) -> Iterator[_Said | None]:
        for place, about, completes in own:
            if isinstance(about, Policy):
                yield place, about
            elif about.is_on(arn, completes=completes):
                is_own = about.statement.principals is None
                yield (place, about.says) if is_own and about.says is not None else None

    def _of_resource(self, subject: Subject, resource: Resource, actions: _Actions) -> Iterator[_Said | None]:
        names = self._who[id(subject)].names
        for way, name in enumerate(() if resource.named.keys().isdisjoint(names) else names):
            for index, statement in resource.named.get(name, ()):
                about = self._read(index, statement, actions)
                if about is not None and about.is_on(resource.arn, completes=False):
                    yield None if about.says is None else (way, about.says)

    def _of_control(self, resource: Resource, actions: _Actions) -> Iterator[_Said | None]:
        for above, level in enumerate(resource.control):
            for index, policy in enumerate(level):
                for about in self._on(policy.document, actions) if isinstance(policy.document, Document) else ():
                    if about.is_on(resource.arn, completes=False):
                        is_of_all = about.statement.principals in (None, _EVERYBODY)
                        yield (("control", above, index), about.says) if is_of_all and about.says is not None else None

    def _on(self, document: Document, actions: _Actions) -> Iterator[_About]:
        """The statements of a document on some actions."""
        each = (self._read(index, statement, actions) for index, statement in enumerate(document.statements))
        return (about for about in each if about is not None)

    def _read(self, index: int, statement: Statement, actions: _Actions) -> _About | None:
        """`index`: the statement's in its document; None if it is on none of the actions."""
        name = id(statement), index, actions
        found = self._about.get(name)
        if found is None:
            # With the statement, so that no other takes its ID.
            found = self._about[name] = statement, self._about_of(index, statement, actions)
        return found[1]

    def _about_of(self, index: int, statement: Statement, actions: _Actions) -> _About | None:
        about = tuple(action_matches(statement.actions, action) for action in actions)
        if not any(about):
            return None
        if varies(statement):
            return _About(statement, None)
        says = index, statement.effect, statement.sid, statement.conditions, about
        return _About(statement, self._number(says, frozenset(ascii_lower(one.key) for one in statement.conditions)))


def _who(subject: Subject) -> _Who:
    principal = subject.principal
    return _Who(
        subject,
        (principal.kind, subject.boundary is not None, len(subject.service_control)),
        principal.account,
        (principal.text, principal.root, str(principal.account), "*"),
        is_service_linked_role(subject.arn),
    )


def _value(key: str, subject: Subject, resource: Resource) -> Hashable:
    """What decides a condition on a key of _OF_ALL."""
    if key == "aws:principalaccount":
        return subject.principal.account
    return subject.value_of(key), resource.keys.get(key)


def _own(subject: Subject) -> Iterator[tuple[Hashable, Policy, bool]]:
    """A subject's own policies: where each is, and whether ARNs that lack parts are completed in it."""
    for index, policy in enumerate(subject.policies):
        yield ("identity", index), policy, True
    if subject.boundary is not None:
        yield "boundary", subject.boundary, True
    for above, level in enumerate(subject.service_control):
        for index, policy in enumerate(level):
            yield (above, index), policy, False


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
