"""Whom no policy tells apart, so that what one of them can do, each can (ADR 20)."""

from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from itertools import chain

from iam_access.document.document import Document, Effect, Patterns, Statement
from iam_access.document.pattern import patterns_meet
from iam_access.evaluate.condition_match import clause_holds
from iam_access.evaluate.request import ANY_RESOURCE, make_request
from iam_access.inventory.inventory import Levels, Policy
from iam_access.text.ascii_case import ascii_lower
from iam_access.who_can.evidence import OF_ALL, varies
from iam_access.who_can.subject import Subject

# What conditions ask of a call and what it is on, whoever makes it.
_OF_CALLS = ("iam:", "aws:resourcetag/")
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


def concerning(policy: Policy, calls: tuple[str, ...]) -> tuple[Statement, ...]:
    """What a policy that was read says of calls, which are patterns in lower case."""
    return tuple(one for one in policy.statements if _may_concern(one.actions, calls))


@lru_cache(maxsize=4096)
def _may_concern(actions: Patterns, calls: tuple[str, ...]) -> bool:
    return actions.negated or any(patterns_meet(ascii_lower(one), call) for one in actions.values for call in calls)


def power_of(subject: Subject, resource_control: Levels, calls: tuple[str, ...]) -> Hashable | None:
    """The same for those of an account who may make the same of these calls; None if more decides than statements.

    `resource_control`: the resource control policies of the account.
    """
    bounds = (subject.boundary,) if subject.boundary else ()
    policies = (*subject.policies, *bounds, *chain.from_iterable(resource_control))
    limited = limits_of(subject)
    if limited is None or not all(isinstance(policy.document, Document) for policy in policies):
        return None
    own = tuple(one for policy in subject.policies for one in concerning(policy, calls))
    bounding = tuple(concerning(policy, calls) for policy in bounds)
    about = (one for policy in policies for one in concerning(policy, calls))
    if any(varies(one, _OF_CALLS) for one in about):
        return None
    # Whose session it is differs, and is not asked for.
    always = frozenset(one for one in subject.always if one.key != "aws:userid")
    values = always, subject.open_keys, *map(subject.value_of, OF_ALL)
    return own, bounding, limited, values, subject.lacks, subject.brings, subject.presumed_allowed


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
