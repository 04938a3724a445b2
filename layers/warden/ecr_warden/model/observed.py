"""What was read from AWS. Absent, target missing, unreadable and unparseable are four different things."""

from collections.abc import Mapping

from msgspec import Struct, field

from ecr_warden.errors import WardenError
from ecr_warden.model.address import Address
from ecr_warden.model.desired import RoleSettings
from ecr_warden.model.target import Target
from ecr_warden.policy.document import Document

type LiveValue = Document | RoleSettings | None
"""None: an attached policy, which is only a name."""


class Present(Struct, frozen=True):
    """The value is there; `digest` changes whenever AWS would see another document."""

    value: LiveValue
    digest: str


class Absent(Struct, frozen=True):
    """The owner is there and has no such document. Only this is repaired by creating."""


class TargetMissing(Struct, frozen=True):
    """The repository, role or user itself does not exist."""


class Unparseable(Struct, frozen=True):
    """AWS stores a document that is not understood; `text` is kept as the pre-image."""

    error: str
    text: str
    digest: str


class Unreadable(Struct, frozen=True):
    """It could not be read: nothing is known, so nothing is changed, and it is never reported as healthy."""

    error: WardenError
    retryable: bool = False


type Observed = Present | Absent | TargetMissing | Unparseable | Unreadable


class Observation(Struct, frozen=True):
    """One reading of a target.

    `documents` has each desired address and every other document of the target. `unique_id` (AIDA.., AROA..) is None
    for repositories and for identities that do not exist; recreating a user or role gives it another one.
    `tagged_ours`: the role has ecr-warden's tag.
    """

    target: Target
    documents: Mapping[Address, Observed] = field(default_factory=dict)
    unique_id: str | None = None
    tagged_ours: bool = False
