"""No outsider whom the documents let in is silent, and none whom they keep out is found: against a plain oracle.

Whoever is not ours is one person, who may act as any outsider at any time from now on, in any request, and whom any
statement tells apart (outsider_oracle). What the audit may say besides what is certain is what can be at best.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pytest
from hypothesis import Phase, given, settings

from ecr_warden.audit.finding import Finding, Half
from ecr_warden.audit.findings import find
from ecr_warden.audit.repaired import none_repaired
from tests import examples
from tests.property.outsider_oracle import (
    ACTIONS,
    ANOTHER,
    CREATED,
    HALVES,
    HOME,
    NAMED,
    NOW,
    PUSH,
    UNNAMED,
    Moments,
    Oracle,
    Who,
    like,
)
from tests.property.outsiders import Case, cases

_REGISTRY = f"{HOME}/eu-central-1"
_OTHERS = (ANOTHER, "shop/z", "team/z")
"""For the parts of the registry that a statement names."""
_NAMES = (NAMED, UNNAMED, CREATED, *_OTHERS)
type Let = set[tuple[str, str, Who]]
"""A repository, an action, and who can do it there."""


def _let_in(case: Case, *, strictly: bool, only_now: bool = False) -> Let:
    """By place: a name that stands for each part of the registry that a statement names, too."""
    estate, oracle = case.estate, Oracle(case.estate, strictly=strictly)
    if only_now:
        oracle.moments = Moments((NOW,))
    named = oracle.directly(NAMED, estate.registry, estate.named, given=estate.given)
    found = {NAMED: named | oracle.through_roles(NAMED, estate.registry, estate.named)}
    found[UNNAMED] = oracle.directly(UNNAMED, estate.registry, estate.unnamed)
    if not strictly:
        found[UNNAMED] |= oracle.through_roles(UNNAMED, estate.registry, estate.unnamed)
    found[CREATED] = oracle.directly(CREATED, estate.registry, estate.template)
    for name in _OTHERS:
        found[name] = oracle.directly(name, estate.registry)
    return {(name, action, who) for name, all_of in found.items() for action, who in all_of}


def _names_of(finding: Finding) -> list[str]:
    """The repositories that a finding is about, of those that the oracle asks about."""
    if finding.place == _REGISTRY:
        return [name for name in _NAMES if like(finding.scope or "*", name)]
    return [name for name in _NAMES if finding.place == f"repository/{_REGISTRY}/{name}"]


def _actions_of(finding: Finding) -> set[str]:
    found: set[str] = set()
    for access in finding.access.split(", "):
        found |= {*HALVES} if access == "pull" else {PUSH} if access == "push" else {access} & {*ACTIONS}
    return found


def _given_by(finding: Finding) -> set[str]:
    """What is no news of whom a finding is about: whoever pushes by a push role reads manifests by it."""
    actions = _actions_of(finding)
    return actions | {HALVES[0]} if PUSH in actions else actions


def _is_of(text: str) -> Callable[[Who], bool]:
    """Whether somebody is one of those whom a finding names by words or ARN."""
    account = text[-12:]
    if text == f"anybody in account {account}":
        return lambda who: who.account == account
    if text == f"the root user of account {account}":
        return lambda who: who.arn == f"arn:aws:iam::{account}:root"
    if text.startswith("arn:"):
        return lambda who: text in (who.arn, who.role)
    if text == "anyone on the internet with an AWS account" or text == "more principals":
        return lambda who: True
    return lambda who: False


def _whom(finding: Finding) -> Callable[[Who], bool]:
    also = [one.removeprefix("the same lets in ").split(", ") for one in finding.because if one.startswith("the same")]
    named = [_is_of(one.removeprefix("and ")) for one in (finding.principal, *(name for each in also for name in each))]
    return lambda who: any(is_of(who) for is_of in named)


def _found(findings: Iterable[Finding]) -> list[tuple[Finding, list[str], Callable[[Who], bool]]]:
    """The findings of outsiders, each with the repositories and the people that it is about."""
    return [(one, names, _whom(one)) for one in findings if one.foreign and (names := _names_of(one))]


class Difference(NamedTuple):
    silent: Let
    """Who is let in and in no finding."""
    invented: set[tuple[str, str, str]]
    """Findings, each with its place and an action, of whom nobody can."""
    lessened: set[str]
    """Repositories that outsiders together can pull, and of which every finding is one half alone."""


def difference(case: Case) -> Difference:
    """Where the audit and the oracle differ."""
    audit = find(case.read, case.compiled, None, None, live=none_repaired)
    assert not audit.failure
    found = _found(audit.findings)
    certain, possible = _let_in(case, strictly=True), _let_in(case, strictly=False)
    assert certain <= possible
    silent = {
        (name, action, who)
        for name, action, who in certain
        if not any(name in names and is_of(who) and action in _given_by(one) for one, names, is_of in found)
    }
    invented = {
        (one.place, action, one.principal)
        for one, names, is_of in found
        for action in _actions_of(one)
        if not any(name in names and action == what and is_of(who) for name, what, who in possible)
    }
    grave = {name for one, names, _ in found if one.half is not Half.ALONE for name in names}
    lessened = {name for name in _NAMES if {(name, half) for half in HALVES} <= {one[:2] for one in certain}} - grave
    return Difference(silent, invented, lessened)


# To shrink an estate takes minutes.
_PHASES = (Phase.explicit, Phase.generate)


@settings(examples.of(300, 1000), phases=_PHASES)
@given(cases())
def test_no_outsider_is_silent_and_none_is_invented(case: Case) -> None:
    assert difference(case) == Difference(set(), set(), set())


@pytest.mark.thorough
@settings(max_examples=3000, phases=_PHASES)
@given(cases())
def test_no_outsider_is_silent_and_none_is_invented_in_three_thousand_estates(case: Case) -> None:
    assert difference(case) == Difference(set(), set(), set())


@pytest.mark.thorough
def test_windows_halves_and_denials_are_all_drawn() -> None:
    def kinds(case: Case) -> Iterable[str]:
        found = _let_in(case, strictly=True)
        able = {
            (name, who): {action for at, action, one in found if (at, one) == (name, who)} for name, _, who in found
        }
        wholes = {name for (name, _), actions in able.items() if {*HALVES} <= actions}
        halves = {name for (name, _), actions in able.items() if len({*HALVES} & actions) == 1} - wholes
        completed = {name for name in halves if {(name, half) for half in HALVES} <= {one[:2] for one in found}}
        somebody_else = {(name, action) for name, action, who in found if who.arn.endswith(":user/else")}
        return examples.true(
            nobody=not found,
            half=halves,
            completed=completed,
            push=any(action == PUSH for _, action, _ in found),
            one_alone=any((name, action) not in somebody_else for name, action, _ in found),
            later=found - _let_in(case, strictly=True, only_now=True),
        )

    seen = examples.seen(150, cases(), by=kinds)
    assert len(seen) == 6 and min(seen.values()) >= 5, seen
