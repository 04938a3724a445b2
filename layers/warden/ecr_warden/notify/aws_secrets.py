"""The secret of a channel, which only a reference names: `ssm:/NAME` or `secretsmanager:NAME`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ecr_warden.core.outside import OutsideError, outside_text
from ecr_warden.notify.ports import ChannelError
from ecr_warden.notify.posting import Receiver
from iam_access.text.printable import printable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

_ACTIONS = {"ssm": "ssm:GetParameter", "secretsmanager": "secretsmanager:GetSecretValue"}


def secret_text(reference: str, receiver: Receiver, client: Callable[[str], Any]) -> Callable[[], str]:
    """Reads the secret behind a reference; what is returned raises ChannelError, which names the reference only.

    `client`: makes the client of one of these services.
    """
    match reference.partition(":"):
        case "ssm", ":", name if name:
            return lambda: _read(reference, receiver, lambda: _parameter(client("ssm"), name))
        case "secretsmanager", ":", name if name:
            return lambda: _read(reference, receiver, lambda: _secret(client("secretsmanager"), name))
        case _:
            return lambda: _refuse(reference, receiver)


def _refuse(reference: str, receiver: Receiver) -> str:
    raise ChannelError(
        f"not a reference to a secret: {printable(reference, 120)}",
        remedy=f"write ssm:/NAME or secretsmanager:NAME in the stack parameter {receiver.parameter}",
    )


def _read(reference: str, receiver: Receiver, fetch: Callable[[], object]) -> str:
    place = f"{receiver.name}'s secret {reference}"
    try:
        return outside_text(fetch(), place, remedy=f"put {receiver.secret} there again, and nothing else")
    except OutsideError as error:
        raise ChannelError(error.message, remedy=error.remedy) from None
    except (ClientError, BotoCoreError) as error:
        code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
        action = _ACTIONS[reference.partition(":")[0]]
        raise ChannelError(
            f"{place} cannot be read ({code or type(error).__name__})",
            remedy=f"check that it exists; ecr-warden deploy grants {action} to the role of the alert function",
            retryable=True,
        ) from error


def _parameter(ssm: "SSMClient", name: str) -> object:
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"].get("Value")


def _secret(secrets: "SecretsManagerClient", name: str) -> object:
    return secrets.get_secret_value(SecretId=name).get("SecretString")
