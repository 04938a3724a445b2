"""Who would do what where."""

from datetime import datetime

from msgspec import Struct

from ecr_warden.core.target import RepositoryTarget
from iam_access.who_can.subject import Subject


class Asking(Struct, frozen=True):
    """The access that is asked about: `does`, such as `push shop/checkout`."""

    subject: Subject
    does: str
    what: str
    """An access or action."""
    where: str
    target: RepositoryTarget | None
    """The repository, None for a role or for signing in."""
    file: str | None
    """Of the spec, None for the hub's."""
    now: datetime
