"""Posts messages to a Slack-compatible incoming webhook; its URL is a secret in SSM or Secrets Manager."""

import ipaddress
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from ecr_warden.core.outside import OutsideError, outside_text
from ecr_warden.notify.formats import to_slack
from ecr_warden.notify.message import Message
from ecr_warden.notify.ports import ChannelError
from iam_access.text.printable import printable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

TIMEOUT = 5.0
_CHECK = "check what the stack parameter WebhookReference points to"


class WebhookChannel:
    """A chat channel.

    `url` is called for each message, so that a changed secret is used. `timeout`: seconds to connect and to wait for
    the answer. Redirects are not followed: they would carry the secret path and the message elsewhere.
    """

    def __init__(self, url: Callable[[], str], *, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._timeout = urllib3.Timeout(total=timeout)
        self._pool = urllib3.PoolManager(retries=False)
        # It logs the path of each URL at DEBUG, and here the path is the secret.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    def notify(self, message: Message) -> None:
        """Post the message; raises ChannelError, whose text never contains the URL."""
        url = _checked(self._url())
        status = self._post(url, message)
        if status == HTTPStatus.BAD_REQUEST:
            # Slack's limits for blocks are not all documented: whoever refuses them may take the text alone.
            status = self._post(url, message, with_blocks=False)
        _check(status)

    def _post(self, url: str, message: Message, *, with_blocks: bool = True) -> int:
        body = to_slack(message)
        if not with_blocks:
            del body["blocks"]
        try:
            # Only the status matters: the body is not read, however long it is.
            answer = self._pool.request(
                "POST", url, json=body, timeout=self._timeout, redirect=False, preload_content=False
            )
        except urllib3.exceptions.SSLError:
            raise ChannelError("the webhook has no trusted TLS certificate", remedy=_CHECK) from None
        except urllib3.exceptions.NewConnectionError:  # one of urllib3's time-outs, whatever the cause
            raise ChannelError("the webhook cannot be reached", remedy=_CHECK, retryable=True) from None
        except urllib3.exceptions.TimeoutError:
            raise ChannelError("the webhook did not answer in time", retryable=True) from None
        except urllib3.exceptions.HTTPError as error:
            # Its own text quotes the address, and so would a chained traceback.
            reason = type(error).__name__
            raise ChannelError(f"the webhook cannot be reached ({reason})", remedy=_CHECK, retryable=True) from None
        answer.close()
        return answer.status


def _check(status: int) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise ChannelError(f"the webhook redirects ({status}), which is not followed", remedy=_CHECK)
    retryable = status in (408, 429) or status >= 500
    raise ChannelError(f"the webhook answered {status}", remedy="" if retryable else _CHECK, retryable=retryable)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not (host and url.isascii() and url.isprintable() and " " not in url) or "@" in parts.netloc:
        raise ChannelError("the webhook's secret is not a URL", remedy=_CHECK)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ChannelError("the webhook's URL is not https", remedy="only a loopback address may be plain http")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_ACTIONS = {"ssm": "ssm:GetParameter", "secretsmanager": "secretsmanager:GetSecretValue"}
_REMEDY = "write ssm:/NAME or secretsmanager:NAME in the stack parameter WebhookReference"
_PUT_AGAIN = "put the webhook's URL there again, and nothing else"


def secret_url(reference: str, client: Callable[[str], Any]) -> Callable[[], str]:
    """Reads the secret behind `ssm:/name` or `secretsmanager:name`; raises ChannelError for any other reference.

    What is returned raises ChannelError, which names the reference only. `client`: makes the client of one of these
    services.
    """
    match reference.partition(":"):
        case "ssm", ":", name if name:
            return lambda: _read(reference, lambda: _parameter(client("ssm"), name))
        case "secretsmanager", ":", name if name:
            return lambda: _read(reference, lambda: _secret(client("secretsmanager"), name))
        case _:
            raise ChannelError(f"not a reference to a secret: {printable(reference, 120)}", remedy=_REMEDY)


def _read(reference: str, fetch: Callable[[], object]) -> str:
    try:
        return outside_text(fetch(), f"the webhook's secret {reference}", remedy=_PUT_AGAIN)
    except OutsideError as error:
        raise ChannelError(error.message, remedy=error.remedy) from None
    except (ClientError, BotoCoreError) as error:
        code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
        action = _ACTIONS[reference.partition(":")[0]]
        raise ChannelError(
            f"the webhook's secret {reference} cannot be read ({code or type(error).__name__})",
            remedy=f"check that it exists; ecr-warden deploy grants {action} to the role of the alert function",
            retryable=True,
        ) from error


def _parameter(ssm: "SSMClient", name: str) -> object:
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"].get("Value")


def _secret(secrets: "SecretsManagerClient", name: str) -> object:
    return secrets.get_secret_value(SecretId=name).get("SecretString")
