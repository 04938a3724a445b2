"""To act as somebody else."""

from msgspec import Struct

from iam_access.escalation.calls import Conditions
from iam_access.who_can.subject import Subject


class Become(Struct, frozen=True):
    """To act as somebody else: the calls that it takes, in order, and their conditions."""

    to: Subject
    steps: tuple[str, ...]
    conditions: Conditions = ()
