"""The Switch port on an SSM parameter.

Sources: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html and
API_GetParameterHistory.html: AWS keeps the last 100 versions, each with who wrote it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.adapters.aws.errors import HUB, translated
from ecr_warden.outside import OutsideError, outside_text
from ecr_warden.ports.errors import PortError
from ecr_warden.ports.hub import STOPPED

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

    from ecr_warden.model.request import AuditEntry

ENABLED = "enabled"
_REMEDY = "set it to enabled or stopped"


class SsmSwitch(Struct, frozen=True):
    """Writes are enabled only while the parameter is `enabled`.

    `client`: makes the client, once; a run without drift never asks.
    """

    client: "Callable[[], SSMClient]"
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

    def changes(self) -> "Sequence[AuditEntry]":
        found: list[Any] = []
        start: dict[str, Any] = {}
        with translated(HUB, f"reading the history of the stop switch {self.parameter}"):
            while True:
                page = self.client().get_parameter_history(Name=self.parameter, **start)
                found += page["Parameters"]
                if not page.get("NextToken"):
                    break
                start = {"NextToken": page["NextToken"]}
        # The first version is the stack's own.
        changed = [_entry(version) for version in found if version.get("Version", 0) > 1]
        return sorted(changed, key=lambda entry: entry.at, reverse=True)


def _entry(version: Any) -> "AuditEntry":
    from ecr_warden.model.job import Actor  # noqa: PLC0415
    from ecr_warden.model.request import AuditEntry, AuditKind  # noqa: PLC0415 - not needed by a run

    is_enabled = version.get("Value") == ENABLED
    by = version.get("LastModifiedUser")
    return AuditEntry(
        kind=AuditKind.WRITES_ENABLED if is_enabled else AuditKind.WRITES_STOPPED,
        at=version["LastModifiedDate"],
        id=str(version["Version"]),
        by=Actor("", arn=by) if by else None,
        text="writes are on" if is_enabled else f"nothing is written: the switch says {version.get('Value', '')!a:.40}",
    )
