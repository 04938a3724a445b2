"""What one document allows and another does not.

Such a request matches an Allow of the one, none of its Denies, and either no Allow of the other or one of its Denies.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ecr_warden.policy.action import ActionGroup, actions_of, group_of, spelled
from ecr_warden.policy.canonical import CanonicalPatterns
from ecr_warden.policy.compare.boxes import ACTION, RESOURCE, Box, Boxes, Part
from ecr_warden.policy.compare.budget import Budget, OverBudget
from ecr_warden.policy.compare.callers import Caller
from ecr_warden.policy.compare.derived import RESOURCE_ACCOUNT, is_derived, principals_of
from ecr_warden.policy.compare.facts import Unknown, Values
from ecr_warden.policy.compare.relation import Witness
from ecr_warden.policy.compare.search import Search
from ecr_warden.policy.compare.sentence import sentence
from ecr_warden.policy.compare.variables import meeting_values
from ecr_warden.policy.document import Document, DocumentKind
from ecr_warden.policy.matching import document_verdict
from ecr_warden.policy.request import ANY_RESOURCE, Request, make_request
from ecr_warden.policy.verdict import Allowed

MAX_WITNESSES = 5
_GROUPS = (
    *(ActionGroup.PUSH, ActionGroup.PULL, ActionGroup.DELETE, ActionGroup.ADMIN),
    *(ActionGroup.ASSUME, ActionGroup.OTHER),
)
_REAL_RESOURCE = CanonicalPatterns(False, frozenset({"arn:?*:?*:*:*:?*", "*"}))
_GUESSES = 24
_UNCONFIRMED = "whether {} depends on how values of the request hang together ({})"


@dataclass(frozen=True, slots=True)
class Side:
    """A document and its statements as boxes."""

    document: Document
    allows: tuple[Box, ...]
    denies: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """What both directions share."""

    boxes: Boxes
    callers: Sequence[Caller]
    derived: Sequence[tuple[Part, ...]]
    """What each caller says of the keys."""
    kind: DocumentKind
    account: str | None
    subject: str
    variables: Mapping[str, str]
    """Values by key for the variables that were replaced."""


@dataclass(frozen=True, slots=True)
class Question:
    """All of `wanted` and none of `negatives`, for one caller."""

    wanted: tuple[Box, ...]
    negatives: tuple[Box, ...]
    caller: int


@dataclass(slots=True)
class Direction:
    """The search for what `one` allows and `other` does not. `doubts` are reasons why an empty answer is none."""

    one: Side
    other: Side
    setting: Setting
    budget: Budget
    gained: bool
    doubts: list[str] = field(default_factory=list)
    _search: Search = field(init=False)

    def __post_init__(self) -> None:
        boxes = self.setting.boxes
        self._search = Search(boxes.parts, boxes.always, self.budget)

    def witnesses(self) -> tuple[Witness, ...]:
        """At most MAX_WITNESSES, one for each group of actions; none and no doubt is a proof that there is none."""
        try:
            first = self._first(self._questions(), ())
        except OverBudget as error:
            self.doubts.append(error.reason)
            return ()
        if first is None:
            return ()
        found = {first.group: first}
        doubts = list(self.doubts)
        for group in _GROUPS:
            known = self.setting.boxes.actions(
                CanonicalPatterns(False, frozenset(action.lower() for action in actions_of(group)))
            )
            real = self.setting.boxes.resources(_REAL_RESOURCE)
            try:
                better = self._first(self._questions(), (known, real)) or self._first(self._questions(), (known,))
            except OverBudget:
                break
            if better is not None:
                found[group] = better
        # What was said of requests that were only looked for to tell more of a difference is no doubt of it.
        self.doubts = doubts
        ordered = [found[group] for group in (*_GROUPS, ActionGroup.EVERYTHING) if group in found]
        return tuple(ordered[:MAX_WITNESSES])

    def _questions(self) -> Iterator[Question]:
        """The widest callers first; callers of whom the documents say the same are asked about once."""
        seen: set[tuple[object, ...]] = set()
        known_allows = {box.statement for box in self.other.allows}
        known_denies = {box.statement for box in self.one.denies}
        fresh_denies = [box for box in self.other.denies if box.statement not in known_denies]
        for caller in range(len(self.setting.callers)):
            bit = 1 << caller
            denies = tuple(box for box in self.one.denies if box.callers & bit)
            allows = tuple(box for box in self.other.allows if box.callers & bit)
            derived = self.setting.derived[caller]
            for box in self.one.allows:
                if not box.callers & bit:
                    continue
                asked: list[tuple[tuple[Box, ...], tuple[Box, ...]]] = []
                if box.statement not in known_allows:
                    asked.append(((box,), (*denies, *allows)))
                asked += [((box, deny), denies) for deny in fresh_denies if deny.callers & bit]
                for wanted, negatives in asked:
                    name = (wanted, negatives, derived)
                    if name not in seen:
                        seen.add(name)
                        yield Question(wanted, negatives, caller)

    def _first(self, questions: Iterator[Question], extra: tuple[Part, ...]) -> Witness | None:
        for question in questions:
            found: list[Witness] = []

            def accept(values: Mapping[str, Values], question: Question = question, out: list[Witness] = found) -> bool:
                witness = self._confirmed(question, values)
                if witness is not None:
                    out.append(witness)
                return witness is not None

            parts = [part for box in question.wanted for part in box.parts]
            derived = self.setting.derived[question.caller]
            if self._search.solve([*parts, *derived, *extra], question.negatives, accept):
                return found[0]
        return None

    def _confirmed(self, question: Question, values: Mapping[str, Values]) -> Witness | None:
        """The request that was found, if both documents say of it what was concluded."""
        caller = self.setting.callers[question.caller]
        action = spelled(values[ACTION][0])
        for guess in self._guesses(question, values):
            for principal in principals_of(caller, values):
                resource = values[RESOURCE][0] if self._speaks_of_resources(question) else ANY_RESOURCE
                owner = self.setting.account if resource.count(":") > 4 else self.setting.account or principal.account
                request = make_request(principal, action, resource, guess, resource_account=owner)
                if self._tells_apart(request):
                    return self._witness(request, caller)
        keys = sorted(key for key in values if key not in (ACTION, RESOURCE))
        what = "something is gained" if self.gained else "something is lost"
        self.doubts.append(_UNCONFIRMED.format(what, ", ".join(keys[:4]) or "policy variables"))
        return None

    def _speaks_of_resources(self, question: Question) -> bool:
        boxes = (*question.wanted, *question.negatives)
        return any(part.key.name == RESOURCE for box in boxes for part in box.parts)

    def _guesses(self, question: Question, values: Mapping[str, Values]) -> Iterator[dict[str, Values]]:
        """Contexts with the values found; more than one where a fact does not say which value makes it true."""
        context = {
            key: found
            for key, found in values.items()
            if key not in (ACTION, RESOURCE) and not is_derived(key) and found
        }
        if RESOURCE_ACCOUNT in self.setting.boxes.facts.keys:
            # Else it would be the caller's own account.
            context.setdefault(RESOURCE_ACCOUNT, ())
        for key, value in self.setting.variables.items():
            if not is_derived(key):
                context.setdefault(key, (value,))
        yield context
        met = {key: (value,) for key, value in meeting_values(question.wanted, values).items()}
        if met:
            yield {**met, **context}
        unknown = {
            part.fact.clause.key: part.fact.clause
            for box in (*question.wanted, *question.negatives)
            for part in box.parts
            if isinstance(part.fact, Unknown)
        }
        for key, clause in sorted(unknown.items()):
            for value in sorted(clause.values)[:_GUESSES]:
                yield {**context, key: (value,)}

    def _tells_apart(self, request: Request) -> bool:
        return isinstance(document_verdict(self.one.document, request), Allowed) and not isinstance(
            document_verdict(self.other.document, request), Allowed
        )

    def _witness(self, request: Request, caller: Caller) -> Witness:
        group = group_of(request.action)

        def other_action(action: str) -> bool:
            return self._tells_apart(
                Request(request.principal, action, request.resource, request.resource_account, request.context)
            )

        text = sentence(
            request,
            caller,
            group,
            gained=self.gained,
            kind=self.setting.kind,
            subject=self.setting.subject,
            tells_apart=other_action,
        )
        return Witness(request, group, text)
