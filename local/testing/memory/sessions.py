"""Role sessions: who gets one, and whether it still works, by the documents' text and no code of the policy engine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ecr_warden.core.address import AddressKind, trust_policy
from ecr_warden.core.observed import Present
from ecr_warden.core.target import RoleTarget
from iam_access.document.document import Document
from local.testing.memory.documents import MemoryDocuments
from local.testing.memory.hub import ManualClock

LASTS = timedelta(hours=12)


class Session(NamedTuple):
    """A session of the role: whose, and when it was issued."""

    who: str
    issued: datetime


@dataclass(frozen=True, slots=True)
class MemorySessions:
    """Sessions of one role, each for as long as IAM lets one last."""

    documents: MemoryDocuments
    clock: ManualClock
    role: RoleTarget

    def assume(self, who: str) -> Session | None:
        """A new session of the user with that ARN; None if the trust policy does not let it in."""
        account = who.split(":")[4]
        names = {who, f"arn:aws:iam::{account}:root"}
        asked = Session(who, self.clock.now().replace(microsecond=0))
        effects = {
            statement["Effect"]
            for statement in self._statements(AddressKind.TRUST_POLICY)
            if "sts:AssumeRole" in _listed(statement["Action"])
            and names & {*_listed(statement["Principal"].get("AWS", []))}
            and self._holds(statement, asked)
        }
        return asked if effects == {"Allow"} else None

    def works(self, session: Session) -> bool:
        """Whether it has not expired, may push by a policy of the role, and none denies it everything."""
        effects = {
            statement["Effect"]
            for statement in self._statements(AddressKind.IDENTITY_POLICY)
            if {"ecr:PutImage", "*"} & {*_listed(statement["Action"])} and self._holds(statement, session)
        }
        return effects == {"Allow"} and self.clock.now() < session.issued + LASTS

    def _statements(self, kind: AddressKind) -> Iterator[dict[str, Any]]:
        for address, live in self.documents.live.items():
            is_ours = address.kind is kind and address.target == trust_policy(self.role).target
            if is_ours and isinstance(live, Present) and isinstance(live.value, Document):
                yield from _listed(json.loads(live.value.text)["Statement"])

    def _holds(self, statement: dict[str, Any], session: Session) -> bool:
        """Whether all conditions hold of the session; each is about the time of its issue, or about now."""
        times = {"aws:TokenIssueTime": session.issued, "aws:CurrentTime": self.clock.now()}
        held: list[bool] = []
        for operator, keys in statement.get("Condition", {}).items():
            for key, bounds in keys.items():
                [bound] = map(datetime.fromisoformat, _listed(bounds))
                match operator:
                    case "DateLessThan":
                        held.append(times[key] < bound)
                    case "DateGreaterThanEquals":
                        held.append(times[key] >= bound)
                    case _:
                        raise AssertionError(operator)
        return all(held)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
