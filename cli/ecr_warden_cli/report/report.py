"""The report: who can pull and push what, what is wrong, and how old all of it is. Its JSON is what the page reads.

What is said often is said once: the report has tables, and numbers are positions in them, from 0.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field

from ecr_warden.audit.finding import Certainty, Condition, FindingGroup
from ecr_warden.audit.grounds import Ground
from ecr_warden.core.actions import Access
from ecr_warden.core.desired import AlsoAllowed, Mode
from ecr_warden.core.value import Count, Moment, Value
from ecr_warden_cli.report.grant import GrantedAccess

WHOEVER, REPOSITORY = -1, -2
"""The holders of a policy that are not in the table of texts: the principal itself, and the repository itself."""
type Holder = Annotated[int, Meta(ge=REPOSITORY)]


class Origin(StrEnum):
    """Who made the report, and so what it can know."""

    HUB = "hub"
    LAPTOP = "laptop"  # it compared no documents


class ReportPrincipal(Value, frozen=True):
    """Somebody with access: an ARN, or a class in words."""

    name: str
    account: str
    """"" where there is none."""
    teams: tuple[str, ...] = ()
    """Of the spec."""


class Allowing(Value, frozen=True, omit_defaults=True):
    """A statement that allows a step. `policy`, `allows`: texts; `statement` counts from 1.

    Where no statement is needed, `statement` is 0, and `policy` says why.
    """

    policy: Count
    allows: Count
    holder: Holder = WHOEVER
    statement: Count = 0


class Way(Value, frozen=True, omit_defaults=True):
    """How somebody gets in."""

    answer: Certainty
    ground: Ground
    through: tuple[Count, ...] = ()
    """The ARNs of the roles, by their places among the matrix's texts."""
    conditions: tuple[Count, ...] = ()
    """What has to hold, likewise."""
    because: tuple[Allowing, ...] = ()


class ReportGroup(Value, frozen=True):
    """Principals that have the same access in the same way."""

    access: Access
    way: Count
    runs: tuple[Count, ...]
    """How many to skip, how many to take, and so on."""


class Row(Value, frozen=True, omit_defaults=True):
    """A repository."""

    target: str
    groups: tuple[Count, ...] | None = ()
    """Who has access, as runs (Group); None if there was no room for it."""
    health: tuple[Count, ...] = ()
    """InSync, Audited and Fresh; empty for a repository that the spec does not name."""
    unread: str = ""
    """Why its policy is not known."""
    observed: bool = False
    """Drift of it is reported, and not repaired."""


class Matrix(Value, frozen=True):
    """Who can pull and push what.

    `statements`: (holder, policy, number, statement): the JSON of the statements that let somebody in. The holder is
    the text of an ARN, of an account, or of a repository's target. `left_out`: repositories, and
    `statements_left_out`: statements, for which there was no room.
    """

    principals: tuple[ReportPrincipal, ...] = ()
    rows: tuple[Row, ...] = ()
    groups: tuple[ReportGroup, ...] = ()
    ways: tuple[Way, ...] = ()
    texts: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    statements: tuple[tuple[Count, Count, Count, Count], ...] = ()
    left_out: Count = 0
    statements_left_out: Count = 0


class PartRead(Value, frozen=True):
    """When a part of the estate (state.sweeps) was read, and when all of its documents were compared with the spec.

    `read_at`: None of a part that the spec names and nobody read.
    """

    part: str
    alias: str
    read_at: Moment | None
    swept_at: Moment | None = None


class EndingGrant(Value, frozen=True):
    """A grant that ends. `principal`, `rows`: whose access in the matrix that is; None, empty: it is not there now."""

    access: GrantedAccess
    repository: str
    who: str
    through: str
    until: Moment
    principal: Count | None = None
    rows: tuple[Count, ...] = ()


class Report(Value, frozen=True):
    """One report."""

    made_at: Moment
    origin: Origin
    version: str = field(name="specVersion")
    mode: Mode
    parts: tuple[PartRead, ...]
    matrix: Matrix
    findings: tuple[FindingGroup, ...] = ()
    """Of the last audit, the gravest first, and `findings_left_out` more."""
    findings_left_out: Count = 0
    unread: tuple[str, ...] = ()
    """What could not be read, as `PLACE: what: why`."""
    not_given: tuple[str, ...] = ()
    """Policies that were not given."""
    failure: str = ""
    """Why it is not known who has access, or not all of it."""
    administrators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By account, of those whose users and roles were read."""
    exceptions: tuple[AlsoAllowed, ...] = ()
    """What of the spec covers access that it does not give."""
    ends: tuple[EndingGrant, ...] = ()
