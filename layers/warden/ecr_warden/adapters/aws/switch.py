"""The Switch port on an SSM parameter."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

ENABLED = "enabled"


@dataclass(frozen=True, slots=True)
class SsmSwitch:
    """Writes go on only while the parameter says exactly `enabled`."""

    client: "SSMClient"
    parameter: str

    def writes_enabled(self) -> bool:
        try:
            return self.client.get_parameter(Name=self.parameter)["Parameter"].get("Value") == ENABLED
        except (ClientError, BotoCoreError):
            # Whoever cannot ask must not write; the run says so in its report.
            return False
