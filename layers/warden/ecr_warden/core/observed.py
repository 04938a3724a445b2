"""What was read from AWS. Absent, target missing, unreadable and unparseable are four different things."""

from collections.abc import Mapping

from msgspec import Struct, field

from ecr_warden.core.address import Address
from ecr_warden.core.desired import RoleSettings
from ecr_warden.core.failures import PortError
from ecr_warden.core.target import Target
from iam_access.document.document import Document
from iam_access.errors import NamedError

type LiveValue = Document | RoleSettings | None
"""None: an attached policy, which is only a name."""


class Present(Struct, frozen=True):
    """There is a value; `digest` changes whenever AWS would regard the document as another one."""

    value: LiveValue
    digest: str


class Absent(Struct, frozen=True):
    """The target exists and has no such document. Only this state is repaired by creating the document."""


class TargetMissing(Struct, frozen=True):
    """The repository, role or user itself does not exist."""


class Unparseable(Struct, frozen=True):
    """AWS stores a document that cannot be parsed; `text` is kept as the pre-image."""

    error: str
    text: str
    digest: str


class Unreadable(Struct, frozen=True):
    """The document could not be read, so it is not changed and never reported as healthy."""

    error: NamedError
    retryable: bool = False


def as_unreadable(error: PortError) -> Unreadable:
    """An error, in place of the value that could not be read."""
    return Unreadable(error, error.retryable)


type Observed = Present | Absent | TargetMissing | Unparseable | Unreadable


class Observation(Struct, frozen=True):
    """One reading of a target.

    `documents` has each desired address and every other document of the target. `unique_id` (AIDA.., AROA..) is None
    for repositories and for identities that do not exist; recreating a user or role gives it another one.
    """

    target: Target
    documents: Mapping[Address, Observed] = field(default_factory=dict)
    unique_id: str | None = None
    tagged_ours: bool = False
    """The role has ecr-warden's tag."""

    @property
    def is_missing(self) -> bool:
        """Whether it was read that the repository or identity does not exist."""
        return any(isinstance(document, TargetMissing) for document in self.documents.values())
