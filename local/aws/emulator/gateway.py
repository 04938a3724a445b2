"""The ASGI application around ministack's: parses calls, records them, applies faults, emulates CloudTrail."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from copy import replace
from typing import Any

from local.aws.calls import Call
from local.aws.emulator import shapes, trail
from local.aws.emulator.bridges.secure_origin import plain_http
from local.aws.emulator.control import Control
from local.aws.emulator.fault_table import FaultTable
from local.aws.emulator.incoming import Incoming, headers_of, told_apart
from local.aws.emulator.ledger import Ledger
from local.aws.emulator.wire import Reply, error, error_of
from local.aws.faults import Delay, Effect, EventLate, Fail

type Scope = Any
type Receive = Callable[[], Awaitable[Any]]
type Send = Callable[[Any], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_STREAMED = frozenset({"s3", "logs"})  # answers too long or too slow to be held


class Gateway:
    """ministack with a ledger, faults and CloudTrail in front."""

    def __init__(self, inner: Application, ledger: Ledger, faults: FaultTable, control: Control) -> None:
        self._inner, self._ledger, self._faults, self._control = inner, ledger, faults, control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        body = await _whole(receive)
        if scope["path"].startswith("/_local/"):
            await _answer(send, self._control.handle(scope["method"], scope["path"], scope["query_string"], body))
            return
        plain_http.set(headers_of(scope).get("x-forwarded-proto") == "http")
        incoming = told_apart(scope, body, time.time())
        if incoming is None:
            await self._inner(scope, _again(body, receive), send)
            return
        await self._call(incoming, scope, _again(body, receive), send)

    async def _call(self, incoming: Incoming, scope: Scope, receive: Receive, send: Send) -> None:
        call, started = incoming.call, time.monotonic()
        effects = self._faults.effects(call)
        for effect in effects:
            if isinstance(effect, Delay):
                await asyncio.sleep(effect.milliseconds / 1000)
        instead, after = _failures(effects, call.service)
        if instead is None and call.service in _STREAMED and after is None:
            status, code = await self._streamed(scope, receive, send)
            self._ledger.add(_done(call, status, code, started))
            return
        reply = await _held(self._inner, scope, receive) if instead is None else instead
        code, message = error_of(reply[0], reply[2])
        done = self._ledger.add(_done(call, reply[0], code, started))
        if instead is None:
            self._tell(incoming, done, reply, message, effects)
        await _answer(send, reply if after is None else after)

    async def _streamed(self, scope: Scope, receive: Receive, send: Send) -> tuple[int, str]:
        status, body = 0, b""

        async def watched(message: Any) -> None:
            nonlocal status, body
            status = message.get("status", status)
            if status >= 400:
                body += message.get("body", b"")
            await send(message)

        await self._inner(scope, receive, watched)
        return status, error_of(status, body)[0]

    def _tell(self, incoming: Incoming, done: Call, reply: Reply, message: str, effects: list[Effect]) -> None:
        """Publish the records of a call, as faults decide."""
        if not done.account or not trail.tells(done.service, done.action):
            return
        elements = None if done.error else shapes.answer(done.service, done.action, *reply)
        code = "AccessDenied" if done.error == "AccessDeniedException" else done.error
        request_id = reply[1].get("x-amzn-requestid", "")
        answer = trail.Answer(request_id, elements, code, message, incoming.user_agent, incoming.source_ip)
        late = [effect.milliseconds for effect in effects if isinstance(effect, EventLate)]
        for record in trail.records(done, incoming.caller, answer):
            if late:
                asyncio.get_running_loop().call_later(max(late) / 1000, trail.publish, record)
            else:
                trail.publish(record)


def _failures(effects: list[Effect], service: str) -> tuple[Reply | None, Reply | None]:
    """The error that replaces the call, and the one that replaces its answer."""
    instead = after = None
    for effect in effects:
        match effect:
            case Fail(code, message, status, False):
                instead = error(service, code, message, status)
            case Fail(code, message, status, True):
                after = error(service, code, message, status)
            case _:
                continue
    return instead, after


def _done(call: Call, status: int, code: str, started: float) -> Call:
    return replace(call, status=status, error=code, milliseconds=round((time.monotonic() - started) * 1000, 3))


async def _whole(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(chunks)


def _again(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the whole body first."""
    given = False

    async def replay() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _held(inner: Application, scope: Scope, receive: Receive) -> Reply:
    status, headers, chunks = 0, dict[str, str](), list[bytes]()

    async def keep(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode("latin-1").lower(): one.decode("latin-1") for name, one in message["headers"]}
        chunks.append(message.get("body", b""))

    await inner(scope, receive, keep)
    return status, headers, b"".join(chunks)


async def _answer(send: Send, reply: Reply) -> None:
    status, headers, body = reply
    fields = {**{name.lower(): value for name, value in headers.items()}, "content-length": str(len(body))}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})
