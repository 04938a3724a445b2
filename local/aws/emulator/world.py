"""The state of all accounts in ministack, in the form that the behaviour rules need."""

import calendar
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from local.aws.behaviour.switches import Switches
from local.aws.behaviour.world import Owner
from local.aws.emulator.modules import ecr, iam

_CREATED = "%Y-%m-%dT%H:%M:%SZ"


class MinistackWorld:
    """Reads ministack's stores. A principal younger than the switch `propagation` is not seen yet (aws-facts 1.3)."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.switches = Switches()
        self._now = now

    def unique_id(self, arn: str) -> str | None:
        """See World."""
        account, _, resource = arn.partition(":iam::")[2].partition(":")
        kind, _, rest = resource.partition("/")
        name = rest.rsplit("/", 1)[-1]
        found: Any = {"role": iam._roles, "user": iam._users}[kind].get_scoped(account, None, name)
        if not found or found["Arn"] != arn or self._younger(found, self.switches.propagation):
            return None
        return str(found["RoleId" if kind == "role" else "UserId"])

    def fresh(self) -> dict[str, str]:
        """The unique ids of principals younger than the switch `raw_ids`, by ARN."""
        kinds: tuple[tuple[Any, str], ...] = ((iam._users, "UserId"), (iam._roles, "RoleId"))
        return {
            str(one["Arn"]): str(one[unique_id])
            for store, unique_id in kinds
            for one in store._data.values()
            if self._younger(one, self.switches.raw_ids)
        }

    def _younger(self, entity: Any, seconds: float) -> bool:
        if not seconds:
            return False
        made = calendar.timegm(time.strptime(entity["CreateDate"][:19] + "Z", _CREATED))
        return self._now() - made < seconds

    def has_role(self, account: str, name: str) -> bool:
        """See World."""
        return bool(iam._roles.contains_scoped(account, None, name))

    def has_repository(self, account: str, region: str, name: str) -> bool:
        """See World."""
        return ecr._repositories.get_scoped(account, region, name) is not None

    def inline_policies(self, account: str, owner: Owner, name: str) -> Mapping[str, str] | None:
        """See World."""
        store: Any = {"user": iam._users, "role": iam._roles, "group": iam._groups}[owner]
        found = store.get_scoped(account, None, name)
        if found is None:
            return None
        if owner == "role":
            policies = found["InlinePolicies"]
        else:
            inline: Any = iam._user_inline_policies if owner == "user" else iam._group_inline_policies
            policies = inline.get_scoped(account, None, name) or {}
        return {key: str(text) for key, text in policies.items()}

    def attached_policies(self, account: str, owner: Owner, name: str) -> Collection[str]:
        """See World."""
        store: Any = {"user": iam._users, "role": iam._roles, "group": iam._groups}[owner]
        found = store.get_scoped(account, None, name) or {}
        return [str(arn) for arn in found.get("AttachedPolicies", ())]
