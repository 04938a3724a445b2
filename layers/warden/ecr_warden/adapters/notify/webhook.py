"""Posts messages to a Slack-compatible incoming webhook, whose URL is a secret."""

import ipaddress
import json
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ecr_warden.alerting.slack import to_slack
from ecr_warden.model.alert import Message
from ecr_warden.ports import NotifyError

TIMEOUT = 5.0
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")
_READ_AT_MOST = 1024
_CHECK = "check what the stack parameter WebhookReference points to"


@dataclass(frozen=True, slots=True)
class _Endpoint:
    tls: bool
    host: str
    port: int
    path: str


class WebhookNotifier:
    """A chat channel.

    `url` is asked for each message, so that a changed secret is used. `timeout`: seconds for the whole exchange, from
    the first address tried to the answer's first line. Redirects are not followed: they would carry the secret path
    and the message elsewhere.
    """

    def __init__(self, url: Callable[[], str], *, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._timeout = timeout

    def notify(self, message: Message) -> None:
        """Post the message; raises NotifyError, whose text never has the URL in it."""
        endpoint = _parse(self._url())
        body = json.dumps(to_slack(message), ensure_ascii=True, separators=(",", ":")).encode("ascii")
        try:
            status = _post(endpoint, body, time.monotonic() + self._timeout)
        except TimeoutError:
            raise NotifyError(f"the webhook did not answer within {self._timeout:g} s", retryable=True) from None
        except ssl.SSLError as error:
            raise NotifyError(f"the webhook offers no trusted TLS ({error.reason})", remedy=_CHECK) from None
        except OSError as error:
            # Its own text may quote the address.
            reason = type(error).__name__
            raise NotifyError(f"the webhook cannot be reached ({reason})", remedy=_CHECK, retryable=True) from None
        _check(status)


def _check(status: int | None) -> None:
    match status:
        case None:
            raise NotifyError("the webhook's answer is not HTTP", remedy=_CHECK)
        case code if 200 <= code < 300:
            return
        case code if 300 <= code < 400:
            raise NotifyError(f"the webhook redirects ({code}), which is not followed", remedy=_CHECK)
        case code:
            retryable = code in (408, 429) or code >= 500
            raise NotifyError(f"the webhook answered {code}", remedy="" if retryable else _CHECK, retryable=retryable)


def _parse(url: str) -> _Endpoint:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not (host and url.isascii() and url.isprintable() and " " not in url) or "@" in parts.netloc:
        raise NotifyError("the webhook's secret is not a URL", remedy=_CHECK)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise NotifyError("the webhook's URL is not https", remedy="only a loopback address may be plain http")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Endpoint(tls, host, port or (443 if tls else 80), path)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _post(endpoint: _Endpoint, body: bytes, deadline: float) -> int | None:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    head = (
        f"POST {endpoint.path} HTTP/1.1\r\nHost: {host}:{endpoint.port}\r\nUser-Agent: ecr-warden\r\n"
        f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with _connect(endpoint, deadline) as connection:
        connection.settimeout(_left(deadline))
        connection.sendall(head.encode("ascii") + body)
        return _read_status(connection, deadline)


def _connect(endpoint: _Endpoint, deadline: float) -> socket.socket:
    failed: OSError = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(deadline))
            connection.connect(address)
            if not endpoint.tls:
                return connection
            connection.settimeout(_left(deadline))
            return ssl.create_default_context().wrap_socket(connection, server_hostname=endpoint.host)
        except OSError as error:
            connection.close()
            failed = error
    raise failed


def _read_status(connection: socket.socket, deadline: float) -> int | None:
    """The status alone: no other byte of the answer is wanted, so a huge or endless one costs nothing."""
    received = b""
    while b"\n" not in received and len(received) < _READ_AT_MOST:
        # A time-out of the socket starts anew with each byte; an answer that drips must not outlive the deadline.
        connection.settimeout(_left(deadline))
        chunk = connection.recv(_READ_AT_MOST)
        if not chunk:
            break
        received += chunk
    found = _STATUS_LINE.match(received)
    return int(found.group(1)) if found else None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
