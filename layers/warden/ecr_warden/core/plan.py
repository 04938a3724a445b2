"""What would be written, in order: data, computed purely, shown to people, journalled, then applied unchanged."""

from typing import TYPE_CHECKING

from msgspec import Struct

from ecr_warden.core.address import Address
from ecr_warden.core.desired import RoleSettings
from ecr_warden.core.drift import Access, Drift
from ecr_warden.core.kinds import HoldReason, Operation
from ecr_warden.core.target import Target
from ecr_warden.core.value import Value, opaque
from iam_access.document.document import Document


class NewRole(Struct, frozen=True):
    """A role to create: its trust policy is part of CreateRole."""

    settings: RoleSettings
    trust: Document


if TYPE_CHECKING:
    type Written = Document | RoleSettings | NewRole
else:
    Written = opaque("Written", Document, RoleSettings, NewRole)


class Change(Value, frozen=True):
    """One write."""

    operation: Operation
    address: Address
    before: str | None
    """The text of the live document (the pre-image), None if there is none."""
    expect: str | None
    """The digest that the live document must still have just before the write, None if there must still be none."""
    after: Written | None
    """None for DELETE."""
    access: Access | None = None
    """What the write itself gives and takes away, None if unknown."""
    why: str = ""


class Held(Value, frozen=True, omit_defaults=True):
    """A drift that the plan does not repair, and why."""

    drift: Drift
    reason: HoldReason
    explain: str


class Plan(Value, frozen=True):
    """The drift of one target, the changes that repair it in the order of writing, and the drift that is held."""

    target: Target
    spec_version: str
    drifts: tuple[Drift, ...] = ()
    changes: tuple[Change, ...] = ()
    held: tuple[Held, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is no drift and nothing to write."""
        return not (self.drifts or self.changes)
