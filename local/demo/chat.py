"""A chat on loopback: receives the product's webhook posts and lays them out as a chat client does."""

import json
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_LARGEST = 1_000_000
_WIDTH = 110
_LABEL = 12


@dataclass(frozen=True, slots=True)
class Message:
    """One post: the whole as text, and its blocks."""

    text: str
    blocks: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class Chat:
    """The receiver, a context manager; `messages` grows as posts come in."""

    messages: list[Message] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                try:
                    posted = json.loads(self.rfile.read(min(length, _LARGEST)))
                    messages.append(Message(posted["text"], tuple(posted["blocks"])))
                    self.send_response(200)
                except (ValueError, KeyError, TypeError):
                    self.send_response(400)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Logs nothing: the screen belongs to the demo."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def url(self) -> str:
        """Where to post."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/services/T0/B0/demo"

    def telling_of(self, words: str, since: int = 0) -> list[Message]:
        """The messages after the first `since` that contain the words."""
        return [message for message in self.messages[since:] if words in message.text]


def as_it_looks(message: Message) -> Iterator[str]:
    """The lines of a message, its blocks laid out as a chat client does."""
    for block in message.blocks:
        match block:
            case {"type": "header", "text": {"text": title}}:
                yield _unescaped(title)
                yield ""
            case {"type": "section", "fields": fields}:
                for one in fields:
                    label, _, value = _unescaped(one["text"]).partition("\n")
                    yield from _wrapped(f"{label:<{_LABEL - 1}} {value}", " " * _LABEL)
                yield ""
            case {"type": "section", "text": {"text": text}}:
                for line in _unescaped(text).splitlines():
                    yield from _wrapped(line, " " * (len(line) - len(line.lstrip()) + 4))
            case _:
                raise ValueError(f"a chat client would not show this block: {block!r:.200}")


def _wrapped(line: str, indent: str) -> list[str]:
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
