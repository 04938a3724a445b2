"""A difference between desired and observed, and what it means for access."""

from enum import StrEnum
from typing import TYPE_CHECKING

from ecr_warden.core.address import Address
from ecr_warden.core.kinds import DriftKind
from ecr_warden.core.value import Value, opaque
from iam_access.delta.delta import AccessDelta, PermissionDelta
from iam_access.delta.relate import Interchangeable


class Loosening(StrEnum):
    """A restriction that a drift loosens and that no list of permissions shows."""

    TIME_LIMIT = "time-limit"  # access outlasts the end that the spec gives it
    BOUNDARY = "boundary"  # the permissions boundary of a role is missing or another one


if TYPE_CHECKING:
    type Access = AccessDelta
    type Verdict = AccessDelta | Interchangeable
else:
    Access, Verdict = opaque("Access", AccessDelta), opaque("Verdict", AccessDelta, Interchangeable)


class Drift(Value, frozen=True, omit_defaults=True):
    """One address that differs; `explain` says how."""

    address: Address
    kind: DriftKind
    explain: str
    access: Verdict | None = None
    """What the live document gives and lacks compared with the desired one, rather too much than too little;
    Interchangeable if the target allows what it should and only the wording differs; None if nothing is known, such as
    for an attached policy or a document that cannot be parsed."""
    loosens: tuple[Loosening, ...] = ()
    code: str = ""
    """Of the error because of which the document could not be read."""

    @property
    def change(self) -> AccessDelta | None:
        """What the live document gives and lacks, if it differs in access and that is known."""
        return self.access if isinstance(self.access, AccessDelta) else None

    @property
    def gained(self) -> tuple[PermissionDelta, ...]:
        """The access that the live document gives, or may give, beyond the desired one."""
        return self.change.gained if self.change else ()

    @property
    def same_access(self) -> bool:
        """Whether the target allows what it should, and only the wording differs."""
        return isinstance(self.access, Interchangeable)
