"""Whom nothing of their own keeps from any call, so that what one of them can do, each can."""

from collections.abc import Hashable, Iterable, Iterator

from iam_access.document.document import Effect, Patterns, Statement
from iam_access.evaluate.condition_match import clause_holds
from iam_access.evaluate.request import ANY_RESOURCE, make_request
from iam_access.inventory.inventory import Policy
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.subject import Subject

_EVERYTHING = Patterns(negated=False, values=("*",))


def is_free(subject: Subject) -> bool:
    """Do its own policies allow everything?"""
    return subject.boundary is None and allow_everything(subject.policies)


def allow_everything(policies: Iterable[Policy]) -> bool:
    """Do policies of one identity allow everything and deny nothing?"""
    statements = [statement for policy in policies for statement in policy.statements]
    return any(map(_allows_all, statements)) and all(one.effect is Effect.ALLOW for one in statements)


def _allows_all(statement: Statement) -> bool:
    is_about_all = statement.actions == _EVERYTHING and statement.resources == _EVERYTHING
    return is_about_all and statement.effect is Effect.ALLOW and not statement.conditions


def limits_of(subject: Subject) -> Hashable | None:
    """What the control policies of its account tell it apart by; None if it is more than that its conditions hold."""
    context = make_request(subject.principal, "", ANY_RESOURCE, {**subject.keys}).context
    outcomes: list[bool | None] = []
    for policy in _control(subject):
        for clause in (clause for statement in policy.statements for clause in statement.conditions):
            key = ascii_lower(clause.key)
            if key == "aws:userid" or any("${" in value for value in clause.values):
                return None
            outcomes.append(clause_holds(clause, context, variables=False) if key in context else None)
    return tuple(outcomes)


def _control(subject: Subject) -> Iterator[Policy]:
    return (policy for level in subject.service_control for policy in level)
