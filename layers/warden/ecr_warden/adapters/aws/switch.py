"""The Switch port on an SSM parameter.

Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecr_warden.adapters.aws.errors import HUB, translated
from ecr_warden.outside import OutsideError, outside_text
from ecr_warden.ports.errors import PortError
from ecr_warden.ports.switch import STOPPED

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

ENABLED = "enabled"
_REMEDY = "set it to enabled or stopped"


@dataclass(frozen=True, slots=True)
class SsmSwitch:
    """Writes go on only while the parameter says `enabled`."""

    client: "SSMClient"
    parameter: str

    def reason_to_stop(self) -> str | None:
        try:
            with translated(HUB, f"reading the stop switch {self.parameter}"):
                found = self.client.get_parameter(Name=self.parameter)["Parameter"].get("Value")
            value = outside_text(found, f"the stop switch {self.parameter}", remedy=_REMEDY)
        except (PortError, OutsideError) as error:
            # Whoever cannot ask must not write, and nobody shall look for a switch that was never thrown.
            return f"nothing is written while the stop switch cannot be read: {error}"
        return None if value == ENABLED else STOPPED
