"""Whose own policies could allow an action, by the resources that they name: candidates, which `decide` decides on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from iam_access.document.document import Document, Effect
from iam_access.document.pattern_index import PatternIndex
from iam_access.document.variables import completed_arn, literal_glob, replace_variables
from iam_access.evaluate.statement_match import action_matches
from iam_access.who_can.subject import Subject


class Candidates:
    """Subjects whose own policies could allow an action, by the resources that the policies name."""

    def __init__(self, action: str, subjects: Iterable[Subject]) -> None:
        self._anywhere: dict[str | None, dict[str, Subject]] = defaultdict(dict)
        self._somewhere = PatternIndex[Subject]()
        self._by_subject: dict[str, set[str]] = defaultdict(set)
        named: dict[int, tuple[str, ...]] = {}
        for subject in subjects:
            for policy in subject.policies:
                document = policy.document
                if not isinstance(document, Document):
                    self._add(subject, "*")
                    continue
                if id(document) not in named:
                    named[id(document)] = tuple(resources_allowed(document, action))
                for text in named[id(document)]:
                    self._add(subject, text)

    def _add(self, subject: Subject, text: str) -> None:
        if text == "*":
            self._anywhere[subject.principal.account][subject.arn] = subject
        else:
            self._somewhere.add(text, subject)
            self._by_subject[subject.arn].add(text)

    def of(self, resource: str) -> "AllowedSubjects":
        """Subjects who could be allowed it on this resource."""
        return AllowedSubjects(self._anywhere, tuple(self._somewhere.matching(resource)))

    def allows(self, subject: Subject, resource: str | None) -> bool:
        """Could the subject be allowed it on this resource, or (None) on any?"""
        if subject.arn in self._anywhere.get(subject.principal.account, ()):
            return True
        texts = self._by_subject.get(subject.arn, ())
        return bool(texts) if resource is None else any(literal_glob(text).matches(resource) for text in texts)


class AllowedSubjects(Struct, frozen=True):
    """Subjects whose own policies could allow something, in order, some twice."""

    anywhere: Mapping[str | None, Mapping[str, Subject]]
    """On any resource."""
    somewhere: tuple[Subject, ...]

    def everywhere(self) -> Iterator[Subject]:
        """Those of all accounts."""
        for subjects in self.anywhere.values():
            yield from subjects.values()
        yield from self.somewhere

    def of(self, account: str | None) -> Iterator[Subject]:
        """Those of one account."""
        yield from self.anywhere.get(account, {}).values()
        yield from (subject for subject in self.somewhere if subject.principal.account == account)


NOBODY = AllowedSubjects({}, ())


def resources_allowed(document: Document, action: str) -> Iterator[str]:
    """The resources for which an identity policy's Allow statements could allow an action, as patterns."""
    for statement in document.statements:
        if statement.effect is Effect.ALLOW and action_matches(statement.actions, action):
            element = statement.resources
            if element is None or element.negated:
                yield "*"
                continue
            yield from (replace_variables(completed_arn(value), lambda _: "*") for value in element.values)
