"""Posts messages to a Slack-compatible incoming webhook, whose URL is a secret."""

import ipaddress
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

import urllib3

from ecr_warden.alerting.slack import to_slack
from ecr_warden.model.alert import Message
from ecr_warden.ports.alerts import ChannelError

TIMEOUT = 5.0
# What a webhook answers that was revoked, or replaced by another.
_NOT_VALID = (401, 403, 404, 410)
_CHECK = "check what the stack parameter WebhookReference points to"


class WebhookChannel:
    """A chat channel.

    `url` is asked for each message, so that a changed secret is used; `forget` has it read afresh, which is done at
    once when the address is not valid any more. `timeout`: seconds for connecting and for each wait for the answer.
    Redirects are not followed: they would carry the secret path and the message elsewhere.
    """

    def __init__(
        self, url: Callable[[], str], *, forget: Callable[[], None] = lambda: None, timeout: float = TIMEOUT
    ) -> None:
        self._url = url
        self._forget = forget
        self._timeout = urllib3.Timeout(total=timeout)
        self._pool = urllib3.PoolManager(retries=False)
        # It logs each URL's path at DEBUG, and here the path is the secret.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    def notify(self, message: Message) -> None:
        """Post the message; raises ChannelError, whose text never has the URL in it."""
        url = _checked(self._url())
        status = self._post(url, message)
        if status in _NOT_VALID:
            # Whoever replaced the webhook may have removed the old one first; a message under way is not lost to that.
            self._forget()
            if (fresh := _checked(self._url())) != url:
                status = self._post(fresh, message)
        _check(status)

    def _post(self, url: str, message: Message) -> int:
        try:
            # Only the status is wanted: no byte of the body is read, however long it is.
            answer = self._pool.request(
                "POST", url, json=to_slack(message), timeout=self._timeout, redirect=False, preload_content=False
            )
        except urllib3.exceptions.SSLError:
            raise ChannelError("the webhook offers no trusted TLS", remedy=_CHECK) from None
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
