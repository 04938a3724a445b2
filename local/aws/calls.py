"""One API call as the emulator saw it: the evidence of tests, from outside the product."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

_EVENTS = UUID("6e0a3d52-3f0c-4c53-9d5e-6f4d1a2b7c90")
_READ_PREFIXES = ("Get", "List", "Describe", "BatchGet", "BatchCheck", "Head", "Query", "Scan", "Simulate", "Lookup")
_READS = frozenset({"AssumeRole", "ConditionCheckItem", "ValidateTemplate", "Decrypt"})


def is_read(action: str) -> bool:
    """Whether an action changes nothing, in CloudTrail's sense of readOnly (AssumeRole is one)."""
    return action.startswith(_READ_PREFIXES) or action in _READS


@dataclass(frozen=True, slots=True)
class Call:
    """A call. `at` is in seconds since 1970, `milliseconds` its time in the emulator, `error` AWS's code or "".

    `account` is the caller's; `owner` is whose resource it was, where the call names another registry or role.
    """

    sequence: int
    at: float
    account: str
    owner: str
    region: str
    service: str
    action: str
    principal: str
    source_identity: str
    parameters: dict[str, Any]
    status: int
    error: str
    milliseconds: float

    @property
    def write(self) -> bool:
        """Whether it was a successful call that may change something."""
        return not self.error and not is_read(self.action)

    @property
    def event_ids(self) -> tuple[str, ...]:
        """The IDs of the events that CloudTrail makes of it: one for the caller's account, one for another owner's."""
        accounts = dict.fromkeys((self.account, self.owner or self.account))
        return tuple(str(uuid5(_EVENTS, f"{self.sequence} {self.at} {account}")) for account in accounts)


@dataclass(frozen=True, slots=True)
class Count:
    """The caller, the account and the action."""

    account: str
    service: str
    action: str
    principal: str


def counted(calls: Iterable[Call]) -> Counter[Count]:
    """How often each principal called each action of each account."""
    return Counter(Count(one.account, one.service, one.action, one.principal) for one in calls)
