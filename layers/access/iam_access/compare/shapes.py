"""Patterns for all values of one kind: actions, ARNs, resources, roles. None of them is written in a document."""

import string
from collections.abc import Iterator

from iam_access.arn import ARN_COLONS
from iam_access.delta.service import Service
from iam_access.document.pattern import (
    ANY,
    DIGIT,
    NAME_CHARACTERS,
    NOT_A_COLON,
    PATH_CHARACTERS,
    CharacterClass,
    Loop,
    Pattern,
    Step,
    Syntax,
    compose,
    pattern,
)

_COLON = CharacterClass(False, ":")
_REGION = CharacterClass(False, f"{string.ascii_lowercase}{string.digits}-")


def _shape(name: str, steps: tuple[Step, ...], loops: tuple[Loop, ...], *, is_open: bool = False) -> Pattern:
    return compose(name, Syntax.DOMAIN, steps, loops, is_open=is_open)


def _arns(arn: str, name: tuple[Step, ...], loops: tuple[Loop, ...]) -> Pattern:
    """The ARNs with this name, of any account and, if `arn` leaves it open, of any region."""
    steps: list[Step] = []
    between: list[Loop] = [None]

    def add(*classes: Step, loop: Loop = None) -> None:
        steps.extend(classes)
        between.extend([loop] * len(classes))

    service, region, _, kind = arn.rsplit(":", 3)
    add(*pattern(f"{service}:", Syntax.EXACT).steps)
    if region:
        add(_REGION, loop=_REGION)
    add(_COLON, *[DIGIT] * 12, *pattern(f":{kind.removesuffix('*')}", Syntax.EXACT).steps)
    between[-1] = loops[0]
    return _shape(f"{arn} with {len(name)}", (*steps, *name), (*between, *loops[1:]))


ACTIONS = _shape("service:name", (NOT_A_COLON, _COLON, NOT_A_COLON), (NOT_A_COLON, None, NOT_A_COLON, None))
"""Every action."""

ARNS = _shape("an ARN", (*pattern("arn", Syntax.EXACT).steps, *[_COLON] * 5), (*[None] * 4, *[NOT_A_COLON] * 4, ANY))
"""Every ARN: `arn` and five more parts, all but the last without a colon."""

NOT_ARNS = frozenset(
    _shape(f"{colons} colons", (_COLON,) * colons, (NOT_A_COLON,) * (colons + 1)) for colons in range(ARN_COLONS)
)
"""Every text with too few parts for an ARN."""

ROLE_ARN = "arn:aws:iam::*:role/*"
ROLES = frozenset({_arns(ROLE_ARN, (NAME_CHARACTERS,), (PATH_CHARACTERS, NAME_CHARACTERS))})
"""ARNs that a role can have in the partition `aws`."""


def names_of(service: Service | None) -> Iterator[tuple[str, frozenset[Pattern]]]:
    """The forms of ARNs whose names are known, with the ARNs of each that something can have."""
    yield ROLE_ARN, ROLES
    if service is not None:
        yield service.arn, resources_of(service)


def resources_of(service: Service) -> frozenset[Pattern]:
    """ARNs that the service's resources can have in the partition `aws`."""
    ends = CharacterClass(False, service.name_ends)
    inner = CharacterClass(False, service.name_ends + service.name_inner)
    return frozenset({_arns(service.arn, (ends,), (None, None)), _arns(service.arn, (ends, ends), (None, inner, None))})


NONEMPTY = compose("?*", Syntax.WILD, (ANY,), (ANY, None))
"""Every text but the empty one."""


def of_characters(chars: str) -> Pattern:
    """The texts of these characters, one or more."""
    one = CharacterClass(False, "".join(sorted(chars)))
    return _shape(f"characters {chars}", (one,), (None, one))


def depends_on_variables(name: str) -> Pattern:
    """Any text under some values of the variables, no text under others; the same ones for the same name."""
    return _shape(f"depends {name}", (), (ANY,), is_open=True)
