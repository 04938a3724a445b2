"""Posts JSON to a receiver over HTTPS, and judges what it answers; its address, or what is posted, holds a secret."""

import ipaddress
import json
import logging
from http import HTTPStatus
from urllib.parse import urlsplit

import urllib3
from msgspec import Struct

from ecr_warden.notify.ports import ChannelError

TIMEOUT = 5.0
_BODY = 65_536
"""Bytes that are read of an answer, at most, in one piece."""
_REFUSALS = ("error", "fail", "invalid")


class Receiver(Struct, frozen=True):
    """Who gets messages, as people know them: `name`; what their `secret` is; the stack parameter that refers to it."""

    name: str
    secret: str
    parameter: str

    @property
    def check(self) -> str:
        """The remedy where the secret may be wrong."""
        return f"check what the stack parameter {self.parameter} points to"


class Poster:
    """Posts to a receiver. `timeout`: seconds to connect and to wait for the answer.

    Redirects are not followed: they would carry the secret and the message elsewhere.
    """

    def __init__(self, receiver: Receiver, timeout: float) -> None:
        self._to = receiver
        self._timeout = urllib3.Timeout(total=timeout)
        self._pool = urllib3.PoolManager(retries=False)
        # It logs the path of each URL at DEBUG, which may be the secret.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    def post(self, url: str, body: object, instead: object = None) -> None:
        """Post the body or, where that is a bad request, what there is instead; raises ChannelError without secrets."""
        self._check_address(url)
        status, said, wait = self._answer(url, body)
        if status == HTTPStatus.BAD_REQUEST and instead is not None:
            status, said, wait = self._answer(url, instead)
        self._check(status, wait)
        if _is_refusal(said):
            # What it says may quote the request.
            raise ChannelError(f"{self._to.name} answered {status} with an error", remedy=self._to.check)

    def _answer(self, url: str, body: object) -> tuple[int, bytes, str]:
        """Status, the beginning of what it says, and after how many seconds it may be asked again."""
        name, check = self._to.name, self._to.check
        try:
            answer = self._pool.request(
                "POST", url, json=body, timeout=self._timeout, redirect=False, preload_content=False
            )
        except urllib3.exceptions.SSLError:
            raise ChannelError(f"{name} has no trusted TLS certificate", remedy=check) from None
        except urllib3.exceptions.NewConnectionError:  # one of urllib3's time-outs, whatever the cause
            raise ChannelError(f"{name} cannot be reached", remedy=check, retryable=True) from None
        except urllib3.exceptions.TimeoutError:
            raise ChannelError(f"{name} did not answer in time", retryable=True) from None
        except urllib3.exceptions.HTTPError as error:
            # Its own text quotes the address, and so would a chained traceback.
            reason = type(error).__name__
            raise ChannelError(f"{name} cannot be reached ({reason})", remedy=check, retryable=True) from None
        try:
            said = answer.read1(_BODY)
        except urllib3.exceptions.HTTPError:
            said = b""
        answer.close()
        return answer.status, said, answer.headers.get("Retry-After", "")

    def _check(self, status: int, wait: str) -> None:
        name, check = self._to.name, self._to.check
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise ChannelError(f"{name} redirects ({status}), which is not followed", remedy=check)
        retryable = status in (408, 429) or status >= 500
        again = f", and asks to wait {wait} s" if wait.isdigit() and wait.isascii() and len(wait) < 6 else ""
        raise ChannelError(f"{name} answered {status}{again}", remedy="" if retryable else check, retryable=retryable)

    def _check_address(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not (host and url.isascii() and url.isprintable() and " " not in url) or "@" in parts.netloc:
            raise ChannelError(f"{self._to.name}'s secret is not {self._to.secret}", remedy=self._to.check)
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
            raise ChannelError(
                f"{self._to.name}'s URL is not https", remedy="only a loopback address may be plain http"
            )


def _is_refusal(said: bytes) -> bool:
    """Whether an answer says that it did not work, whatever its status."""
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        return said.lstrip().lower().startswith(b"error")
    if not isinstance(answer, dict):
        return False
    status = answer.get("status")
    return (
        any(answer.get(key) is False for key in ("ok", "success"))
        or any(answer.get(key) for key in ("error", "errors"))
        or (isinstance(status, str) and status.lower().startswith(_REFUSALS))
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
