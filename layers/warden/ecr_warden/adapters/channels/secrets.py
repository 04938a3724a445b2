"""Where the webhook's URL is kept: an SSM SecureString or a Secrets Manager secret."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ecr_warden.outside import OutsideError, outside_text
from ecr_warden.ports.alerts import ChannelError
from ecr_warden.ports.hub import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

# A URL that somebody has changed is used within this time by every container.
MAX_AGE = timedelta(seconds=60)
_ACTIONS = {"ssm": "ssm:GetParameter", "secretsmanager": "secretsmanager:GetSecretValue"}
_REMEDY = "write ssm:/NAME or secretsmanager:NAME in the stack parameter WebhookReference"
_PUT_AGAIN = "put the webhook's URL there again, and nothing else"


@dataclass(slots=True)
class Secret:
    """The secret behind a reference, read when it is asked for and again when it is MAX_AGE old or was forgotten."""

    reference: str
    fetch: Callable[[], object]
    clock: Clock
    _kept: tuple[datetime, str] | None = field(default=None, init=False, repr=False)

    def __call__(self) -> str:
        """The secret; raises ChannelError, which names the reference only."""
        now = self.clock.now()
        if self._kept is None or now - self._kept[0] >= MAX_AGE:
            self._kept = (now, self._read())
        return self._kept[1]

    def forget(self) -> None:
        """Have it read again: what it led to is not there any more."""
        self._kept = None

    def _read(self) -> str:
        try:
            return outside_text(self.fetch(), f"the webhook's secret {self.reference}", remedy=_PUT_AGAIN)
        except OutsideError as error:
            raise ChannelError(error.message, remedy=error.remedy) from None
        except (ClientError, BotoCoreError) as error:
            told = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
            action = _ACTIONS[self.reference.partition(":")[0]]
            raise ChannelError(
                f"the webhook's secret {self.reference} cannot be read ({told or type(error).__name__})",
                remedy=f"check that it exists; template.yaml grants {action} to the role of the alert function",
                retryable=True,
            ) from error


def open_secret(reference: str, client: Callable[[str], Any], clock: Clock) -> Secret:
    """The secret behind `ssm:/name` or `secretsmanager:name`; raises ChannelError when the reference is none.

    `client`: makes the client of one of these services.
    """
    match reference.partition(":"):
        case "ssm", ":", name if name:
            return Secret(reference, lambda: _parameter(client("ssm"), name), clock)
        case "secretsmanager", ":", name if name:
            return Secret(reference, lambda: _secret(client("secretsmanager"), name), clock)
        case _:
            raise ChannelError(f"not a reference to a secret: {reference[:120]!r}", remedy=_REMEDY)


def _parameter(ssm: "SSMClient", name: str) -> object:
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"].get("Value")


def _secret(secrets: "SecretsManagerClient", name: str) -> object:
    answer = secrets.get_secret_value(SecretId=name)
    return answer.get("SecretString") or answer.get("SecretBinary")
