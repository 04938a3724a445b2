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
from iam_access.document.glob import Glob
from iam_access.document.principal import ANYONE, Principals
from iam_access.document.variables import completed_arn, literal_glob
from iam_access.evaluate.actions import is_plain
from iam_access.evaluate.request_principal import is_service_linked_role
from iam_access.evaluate.statement_match import action_matches
from iam_access.inventory.inventory import Policy
from iam_access.once import once
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.decide import Permission, Resource
from iam_access.who_can.subject import SERVICE_KEYS, Subject

OF_ALL = frozenset(
    {
        *("aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:requestedregion", "aws:sourceip"),
        *("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:securetransport", "aws:viaawsservice", *CLOCKS),
        *("aws:multifactorauthpresent", "aws:multifactorauthage", "aws:principalisawsservice", *SERVICE_KEYS),
    }
)
"""Keys whose values do not depend on who in an account makes the request."""


_EVERYBODY = Principals(negated=False, values=(ANYONE,))


class _About(Struct, frozen=True):
    """A statement on some actions."""

    statement: Statement
    says: int | None
    """The number of all that counts of it besides resources, None if more than that counts."""
    on: tuple[tuple[Glob, ...], tuple[Glob, ...]]
    """Its Resource as patterns, and completed, as identity policies read it."""

    def is_on(self, arn: str, *, completes: bool) -> bool:
        """Is it on this resource, or may a variable make it so?"""
        element = self.statement.resources
        if element is None or (not element.negated and arn in element.values):
            return True
        return self.statement.varies_in_resources or (
            any(glob.matches(arn) for glob in self.on[completes]) is not element.negated
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
    group: int
    """The same for identities that can only differ in what their own policies say, and in being named."""
    names: tuple[str, ...]
    is_linked_to_service: bool


class _Part(Struct, frozen=True):
    """What is asked about one resource."""

    resource: Resource
    actions: _Actions
    read: tuple["_Reading", ...]
    """In which actions statements are read, the first that do."""
    arn: str
    """As far as it counts by itself."""
    besides: dict[int, _Said | None]
    """What else than its own policies counts, by the number of what somebody's own policies say."""


class _Question(Struct, frozen=True):
    """A question that everybody is asked."""

    permissions: Sequence[Permission]  # so that no others take their ID
    parts: tuple[_Part, ...]
    known: dict[Hashable, int | None] = {}
    """The evidence of those asked before."""


class _Numbers:
    """The same number for the same: what is said is compared once, and its number often."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._asked_for: dict[int | Policy, frozenset[str]] = {}

    def of(self, said: Hashable, keys: frozenset[str] = frozenset()) -> int:
        """`keys`: the condition keys for which it asks."""
        number = self._numbers.setdefault(said, len(self._numbers))
        if keys:
            self._asked_for[number] = keys
        return number

    def keys_of(self, said: Iterable[_Said | None]) -> frozenset[str]:
        """The condition keys for which it asks."""
        found = [keys for one in said if one and (keys := self._asked_for.get(one[1]))]
        return frozenset().union(*found)


class _Reading:
    """What is said of some actions: by each statement, and by what each identity holds."""

    def __init__(self, actions: _Actions, numbers: _Numbers) -> None:
        self.actions = actions
        self._numbers = numbers
        self._about: dict[tuple[int, int], tuple[Statement, _About | None]] = {}
        self._own: dict[int, tuple[int, _Own]] = {}

    def own_of(self, who: _Who) -> tuple[int, _Own]:
        """What the own policies of an identity say, and its number."""
        found = self._own.get(id(who.subject))
        if found is None:
            own = tuple(self._held(who.subject))
            found = self._own[id(who.subject)] = self._numbers.of((own, self.actions)), own
        return found

    def _held(self, subject: Subject) -> Iterator[tuple[Hashable, _About | Policy, bool]]:
        for place, policy, completes in _own(subject):
            if isinstance(policy.document, Document):
                yield from ((place, about, completes) for about in self.on(policy.document))
            else:
                yield place, policy, completes

    def on(self, document: Document) -> Iterator[_About]:
        """The statements of a document on some of the actions."""
        each = (self.read(index, statement) for index, statement in enumerate(document.statements))
        return (about for about in each if about is not None)

    def read(self, index: int, statement: Statement) -> _About | None:
        """`index`: the statement's in its document; None if it is on none of the actions."""
        name = id(statement), index
        found = self._about.get(name)
        if found is None:
            # With the statement, so that no other takes its ID.
            found = self._about[name] = statement, self._about_of(index, statement)
        return found[1]

    def _about_of(self, index: int, statement: Statement) -> _About | None:
        about = tuple(action_matches(statement.actions, action) for action in self.actions)
        if not any(about):
            return None
        texts = () if statement.resources is None else statement.resources.values
        on = tuple(map(literal_glob, texts)), tuple(map(literal_glob, map(completed_arn, texts)))
        if varies(statement):
            return _About(statement, None, on)
        says = index, statement.effect, statement.sid, statement.conditions, about
        keys = frozenset(ascii_lower(one.key) for one in statement.conditions)
        return _About(statement, self._numbers.of(says, keys), on)


class Evidence:
    """Finds the evidence of questions about the identities and resources of one inventory.

    `repeated_actions`: actions that are asked about of one resource after another; what is said of all of them is found
    once. Of identities whose own policies say the same of the actions, and that a resource's policies do not tell
    apart, one is read on a resource.
    """

    def __init__(self, repeated_actions: Callable[[], frozenset[str]] = frozenset) -> None:
        self._repeated_actions = repeated_actions
        self._numbers = _Numbers()
        self._readings: dict[_Actions, _Reading] = {}
        self._who: dict[int, _Who] = {}
        self._at = ""
        self._questions: dict[int, _Question] = {}
        self._besides: dict[int, dict[int, _Said | None]] = {}

    def of(self, subject: Subject, permissions: Sequence[Permission]) -> int | None:
        """The number of the evidence for a user or role, None if it is to be decided by itself."""
        who = once(self._who, id(subject), lambda: self._find_who(subject))
        question = self._question(permissions)
        own = [part.read[0].own_of(who)[0] for part in question.parts]
        named = [who.names[0] in part.resource.named for part in question.parts]
        name = who.group, *own, who.names[0] if any(named) else ""
        if name not in question.known:
            found = self._find(who, question)
            question.known[name] = None if found is None else self._numbers.of(found)
        return question.known[name]

    def _find(self, who: _Who, question: _Question) -> tuple[Hashable, ...] | None:
        subject = who.subject
        found: list[Hashable] = [who.like]
        for part in question.parts:
            if who.is_linked_to_service or part.resource.varies_by_principal:
                return None
            said = self._said(who, part)
            if said is None:
                return None
            account = part.resource.account
            found += (part.actions, part.arn, None if account is None else account == subject.principal.account, said)
            found += (_value(key, subject, part.resource) for key in sorted(self._numbers.keys_of(said)))
        return tuple(found)

    def _find_who(self, subject: Subject) -> _Who:
        principal = subject.principal
        always = tuple(one for one in subject.always if one.key in OF_ALL)
        like = principal.kind, subject.boundary is not None, len(subject.service_control), always
        names = principal.text, principal.root, str(principal.account), "*"
        is_linked = is_service_linked_role(subject.arn)
        group = like, names[1:], is_linked, tuple(map(subject.value_of, OF_ALL))
        return _Who(subject, like, self._numbers.of(group), names, is_linked)

    def _question(self, permissions: Sequence[Permission]) -> _Question:
        """The question, with what was found of it, as long as everybody is asked about the same."""
        at = permissions[0].resource.arn
        if self._at != at:
            self._at, self._questions, self._besides = at, {}, {}
        return once(
            self._questions, id(permissions), lambda: _Question(permissions, tuple(self._parts_of(permissions)))
        )

    def _parts_of(self, permissions: Sequence[Permission]) -> Iterator[_Part]:
        for (place, resource), some in groupby(
            permissions, lambda permission: (id(permission.resource), permission.resource)
        ):
            actions = tuple(permission.action for permission in some)
            repeated = self._repeated_actions()
            read = (tuple(repeated), actions) if repeated.issuperset(actions) else (actions,)
            arn = "" if all(map(is_plain, actions)) else resource.arn
            yield _Part(resource, actions, tuple(map(self._reading, read)), arn, self._besides.setdefault(place, {}))

    def _reading(self, actions: _Actions) -> _Reading:
        return once(self._readings, actions, lambda: _Reading(actions, self._numbers))

    def _said(self, who: _Who, part: _Part) -> tuple[_Said | None, ...] | None:
        """The statements that alone decide about the first actions of which that is so; None if it is so of none."""
        for reading in part.read:
            number, own = reading.own_of(who)
            if number not in part.besides:
                part.besides[number] = self._besides_of(own, part.resource, reading)
            said = part.besides[number], *_of_resource(who, part.resource, reading)
            if None not in said:
                return said
        return None

    def _besides_of(self, own: _Own, resource: Resource, reading: _Reading) -> _Said | None:
        """What counts besides what the resource's policies say of a principal, None if more than that does."""
        said = (*_of_own(own, resource.arn), *_of_control(resource, reading))
        control = tuple(id(policy) for level in resource.control for policy in level)
        if None in said:
            return None
        return "besides", self._numbers.of((said, control, resource.trust), self._numbers.keys_of(said))


def _of_own(own: _Own, arn: str) -> Iterator[_Said | None]:
    for place, about, completes in own:
        if isinstance(about, Policy):
            yield place, about
        elif about.is_on(arn, completes=completes):
            is_own = about.statement.principals is None
            yield (place, about.says) if is_own and about.says is not None else None


def _of_resource(who: _Who, resource: Resource, reading: _Reading) -> Iterator[_Said | None]:
    for way, name in enumerate(who.names):
        for index, statement in resource.named.get(name, ()):
            about = reading.read(index, statement)
            if about is not None and about.is_on(resource.arn, completes=False):
                yield None if about.says is None else (way, about.says)


def _of_control(resource: Resource, reading: _Reading) -> Iterator[_Said | None]:
    for above, level in enumerate(resource.control):
        for index, policy in enumerate(level):
            for about in reading.on(policy.document) if isinstance(policy.document, Document) else ():
                if about.is_on(resource.arn, completes=False):
                    is_of_all = about.statement.principals in (None, _EVERYBODY)
                    yield (("control", above, index), about.says) if is_of_all and about.says is not None else None


def _value(key: str, subject: Subject, resource: Resource) -> Hashable:
    """What decides a condition on a key of OF_ALL."""
    if key == "aws:principalaccount":
        return subject.principal.account
    return subject.value_of(key), resource.keys.get(key)


def _own(subject: Subject) -> Iterator[tuple[Hashable, Policy, bool]]:
    """A subject's own policies: the place of each, the policy, and whether it may leave out parts of an ARN."""
    yield from ((("identity", index), policy, True) for index, policy in enumerate(subject.policies))
    if subject.boundary is not None:
        yield "boundary", subject.boundary, True
    for above, level in enumerate(subject.service_control):
        for index, policy in enumerate(level):
            yield (above, index), policy, False


def varies(statement: Statement) -> bool:
    """Can a statement's truth depend on more than the principal's account and whether it names the principal?"""
    keys = (ascii_lower(condition.key) for condition in statement.conditions)
    return (
        (statement.principals is not None and statement.principals.negated)
        or any(key not in OF_ALL for key in keys)
        or any("${" in value for condition in statement.conditions for value in condition.values)
        or statement.varies_in_resources
    )
