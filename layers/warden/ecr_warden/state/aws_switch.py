"""The Switch port on an SSM parameter.

Sources: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html and
API_GetParameterHistory.html: AWS keeps the last 100 versions, each with who wrote it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated
from ecr_warden.aws.table import Table
from ecr_warden.core.codec.base import dumps, forms
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Actor
from ecr_warden.core.outside import OutsideError, outside_text
from ecr_warden.state.aws_items import readable
from ecr_warden.state.history import HistoryEntry, HistoryKind
from ecr_warden.state.switch import STOPPED, SwitchSeen

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_SWITCH: dict[str, Any] = {"pk": {"S": "SWITCH"}, "sk": {"S": "ANNOUNCED"}}

seen_to_json, seen_from_json = forms("announcement of the stop switch", SwitchSeen)


class DynamoSwitchRecord(Struct, frozen=True):
    """One item."""

    table: Table

    def last(self) -> SwitchSeen | None:
        item = self.table.get("reading what was announced of the stop switch", _SWITCH)
        # What cannot be read counts as none: what the switch says is announced anew.
        return None if item is None else readable(item["seen"]["S"], seen_from_json)

    def note(self, seen: SwitchSeen) -> None:
        item = {**_SWITCH, "seen": {"S": dumps(seen_to_json(seen))}}
        self.table.put("recording what was announced of the stop switch", item)


ENABLED = "enabled"
_REMEDY = "set it to enabled or stopped"


class SsmSwitch(Struct, frozen=True):
    """Writes are enabled only while the parameter is `enabled`."""

    client: "Callable[[], SSMClient]"
    """Makes the client, once; a run without drift never asks."""
    parameter: str

    def reason_to_stop(self) -> str | None:
        try:
            with translated(HUB, f"reading the stop switch {self.parameter}"):
                found = self.client().get_parameter(Name=self.parameter)["Parameter"].get("Value")
            value = outside_text(found, f"the stop switch {self.parameter}", remedy=_REMEDY)
        except (PortError, OutsideError) as error:
            # Fail closed, and say why: nobody set the switch.
            return f"nothing is written while the stop switch cannot be read: {error}"
        return None if value == ENABLED else STOPPED

    def changes(self) -> Sequence[HistoryEntry]:
        found: list[Any] = []
        start: dict[str, Any] = {}
        with translated(HUB, f"reading the history of the stop switch {self.parameter}"):
            while True:
                page = self.client().get_parameter_history(Name=self.parameter, **start)
                found += page["Parameters"]
                if not page.get("NextToken"):
                    break
                start = {"NextToken": page["NextToken"]}
        # The first one of a new hub is enabled, and no change.
        changed = [_entry(one) for one in found if one.get("Version", 0) > 1 or one.get("Value") != ENABLED]
        return sorted(changed, key=lambda entry: entry.at, reverse=True)


def _entry(version: Any) -> HistoryEntry:
    is_enabled = version.get("Value") == ENABLED
    by = version.get("LastModifiedUser")
    return HistoryEntry(
        kind=HistoryKind.WRITES_ENABLED if is_enabled else HistoryKind.WRITES_STOPPED,
        at=version["LastModifiedDate"],
        id=str(version["Version"]),
        by=Actor("", arn=by) if by else None,
        text="writes are on" if is_enabled else f"nothing is written: the switch says {version.get('Value', '')!a:.40}",
    )
