"""Which targets a command or question selects."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.naming import meant
from ecr_warden.core.selection import named_by, selects
from ecr_warden.core.target import RepositoryTarget, Target, target_arn
from ecr_warden.state.commands import Selection
from iam_access.errors import NamedError
from iam_access.text.nearest import advice, nearest

_OF_FILES = (".yaml", ".yml", ".json")
_SUGGESTED = 3


class NoSuchTarget(NamedError, code="no-such-target"):
    """The accepted spec has no such target."""


class NothingAccepted(NamedError, code="nothing-accepted"):
    """There is no accepted spec yet, so there are no targets."""

    def __init__(self, why: str = "") -> None:
        message = f"no spec is accepted yet: {why}" if why else "no spec is accepted yet"
        super().__init__(message, remedy="upload one: ecr-warden apply FILE")


def select(
    selection: Selection, targets: Mapping[str, Target], aliases: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Target]:
    """The selected targets by key, sorted; raises NoSuchTarget.

    `targets`: all there are, by key. `aliases`: of accounts, by their IDs.
    """
    found: dict[str, Target] = {}
    for text in selection:
        selected = {key: target for key, target in targets.items() if selects(text, target)}
        selected = selected or _called(text, targets, aliases)
        if not selected:
            raise _unknown(text, targets.values())
        found |= selected
    return dict(sorted(found.items()))


def _called(text: str, targets: Mapping[str, Target], aliases: Mapping[str, str]) -> dict[str, Target]:
    """The one user or role that people mean, whatever its path; raises NoSuchTarget if there are several."""
    arns = {target_arn(it): it for it in targets.values() if not isinstance(it, RepositoryTarget)}
    named = meant(_PATH.sub(r"\1/", text), {alias: account for account, alias in aliases.items()}, arns)
    found = [arns[arn] for arn in named if arn in arns]
    if len(found) > 1:
        several = " or ".join(f'"{target}"' for target in found[:_SUGGESTED])
        raise NoSuchTarget(f'{len(found)} targets are called "{text}"', remedy=f"write {several}")
    return {target.key: target for target in found}


_PATH = re.compile(r"(?<![^:])(user|role)/(?![0-9]{12}/)(?:[^:]*/)?(?=[^/:]+$)")


def named_in(selection: Selection) -> tuple[Target, ...]:
    """The targets named in full."""
    return tuple(target for target in map(named_by, selection) if target is not None)


def unlisted(selection: Selection, known: Mapping[str, Target], accepted: CompiledSpec) -> dict[str, Target]:
    """Targets named in full that fit a pattern: they are selected even while their repositories cannot be listed."""
    named = {target.key: target for target in named_in(selection)}
    return {key: named[key] for key in named if key not in known and accepted.spec_of(named[key]) is not None}


def has_to_be_looked_up(selection: Selection) -> bool:
    """Whether some text may select repositories that have to be listed first."""
    return len(named_in(selection)) < len(selection)


def _unknown(text: str, targets: Collection[Target]) -> NoSuchTarget:
    if not targets:
        return NoSuchTarget(
            "the spec names no repository, or none fits its patterns", remedy="add one under repositories: and apply it"
        )
    message = f'the spec has no target "{text}"'
    hint = advice(_near(text, targets))
    file = "a target is not a file; " if text.lower().endswith(_OF_FILES) else ""
    return NoSuchTarget(message, remedy=f"{file}{hint}ecr-warden status all lists the targets")


def _near(text: str, targets: Collection[Target]) -> list[str]:
    """Suggestions in a form that selects them: a repository by its name, a user or role in full."""
    forms = {str(target): str(target) for target in targets}
    forms |= {target.name: target.name if isinstance(target, RepositoryTarget) else str(target) for target in targets}
    # By its name, ignoring any prefix: an account's alias, an ARN, another kind or account.
    found = nearest(text, sorted(forms)) or nearest(re.split(r"[:/]", text)[-1], sorted(forms))
    return [f'"{forms[one]}"' for one in found]
