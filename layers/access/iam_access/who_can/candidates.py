"""Whose own policies could allow an action, by the resources that they name: candidates, which `decide` decides on."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from iam_access.document.document import Document, Effect
from iam_access.document.pattern_index import PatternIndex
from iam_access.document.variables import completed_arn, literal_glob, replace_variables
from iam_access.evaluate.statement_match import action_matches
from iam_access.who_can.subject import Subject


class Candidates:
    """Subjects whose own policies could allow an action, by the resources that the policies name."""

    def __init__(self, action: str, subjects: Iterable[Subject]) -> None:
        self._anywhere: dict[str, None] = {}
        self._somewhere = PatternIndex[str]()
        self._by_subject: dict[str, set[str]] = defaultdict(set)
        named: dict[int, tuple[str, ...]] = {}
        for subject in subjects:
            for policy in subject.policies:
                document = policy.document
                if not isinstance(document, Document):
                    self._anywhere[subject.arn] = None
                    continue
                if id(document) not in named:
                    named[id(document)] = tuple(resources_allowed(document, action))
                for text in named[id(document)]:
                    self._add(subject.arn, text)

    def _add(self, arn: str, text: str) -> None:
        if text == "*":
            self._anywhere[arn] = None
        else:
            self._somewhere.add(text, arn)
            self._by_subject[arn].add(text)

    def of(self, resource: str) -> dict[str, None]:
        """Subjects who could be allowed it on this resource, in order."""
        return self._anywhere | dict.fromkeys(self._somewhere.matching(resource))

    def allows(self, arn: str, resource: str | None) -> bool:
        """Could the subject be allowed it on this resource, or (None) on any?"""
        if arn in self._anywhere:
            return True
        texts = self._by_subject.get(arn, ())
        return bool(texts) if resource is None else any(literal_glob(text).matches(resource) for text in texts)


def resources_allowed(
    document: Document, action: str, value_of: Callable[[str], Collection[str] | None] = lambda _: None
) -> Iterator[str]:
    """The resources for which an identity policy's Allow statements could allow an action, as patterns."""
    for statement in document.statements:
        if statement.effect is Effect.ALLOW and action_matches(statement.actions, action):
            element = statement.resources
            if element is None or element.negated:
                yield "*"
                continue
            for value in element.values:
                yield replace_variables(completed_arn(value), lambda variable: _text(value_of(variable.key)))


def _text(values: Collection[str] | None) -> str:
    """The text of a variable in a pattern: `*` where its value is not certain."""
    return next(iter(values)) if values is not None and len(values) == 1 else "*"
