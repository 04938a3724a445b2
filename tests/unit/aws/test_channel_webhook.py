"""The webhook against a real server on loopback that behaves badly."""

import json
import socket
import threading
from contextlib import closing

import pytest

from ecr_warden.core.result import Severity
from ecr_warden.notify.message import Field, Message
from ecr_warden.notify.ports import ChannelError
from ecr_warden.notify.webhook import WebhookChannel
from tests.contracts.webhook import SECRET, Server, answer, served, silent

MESSAGE = Message(Severity.CRITICAL, "somebody got in", (Field("Who", "<!here> & others"),), ("a line",))
# Longer than any machine takes to answer itself, so that what a test is about ends the wait.
PATIENCE = 60.0


def endless(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    while not stop.is_set():
        connection.sendall(b"x" * 65536)


def no_tls(connection: socket.socket, stop: threading.Event) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):  # hung up on with anything unread, the other side would see a reset
        pass


def notify(server: Server, timeout: float = PATIENCE) -> None:
    WebhookChannel(lambda: server.url, timeout=timeout).notify(MESSAGE)


def refused(server: Server, timeout: float = PATIENCE) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        notify(server, timeout)
    assert SECRET not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def test_a_message_is_posted_as_json() -> None:
    with served(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as server:
        notify(server)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(f"POST /services/{SECRET} HTTP/1.1\r\n".encode())
        assert b"Content-Type: application/json" in head
        posted = json.loads(body)
        assert "&lt;!here&gt; &amp; others" in posted["text"]
        assert posted["blocks"][0]["type"] == "header"


def test_every_2xx_counts_as_delivered() -> None:
    with served(answer(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        notify(server)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(400, False), (403, False), (404, False), (410, False), (408, True), (429, True), (500, True), (503, True)],
)
def test_an_error_says_its_status_and_whether_to_try_again(status: int, retryable: bool) -> None:
    with served(answer(f"HTTP/1.1 {status} Whatever\r\n\r\n{SECRET}".encode())) as server:
        error = refused(server)
        assert str(status) in error.message
        assert error.retryable is retryable


def test_a_message_whose_blocks_are_refused_is_posted_once_more_as_text() -> None:
    with served(answer(b"HTTP/1.1 400 Bad Request\r\n\r\ninvalid_blocks")) as server:
        assert "400" in refused(server).message
        first, second = (json.loads(one.partition(b"\r\n\r\n")[2]) for one in server.requests)
    assert second == {key: one for key, one in first.items() if key != "blocks"}
    assert "blocks" in first


def test_a_redirect_is_not_followed() -> None:
    with served(answer(b"HTTP/1.1 200 OK\r\n\r\n")) as other:
        location = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {other.url}\r\n\r\n".encode()
        with served(answer(location)) as server:
            error = refused(server)
            assert "redirects (307)" in error.message
            assert not error.retryable
            assert len(server.requests) == 1
        assert other.requests == []


def test_a_server_that_never_answers_ends_at_the_deadline() -> None:
    with served(silent) as server:
        error = refused(server, timeout=0.3)
        assert "did not answer in time" in error.message
        assert error.retryable


def test_an_endless_body_is_not_read() -> None:
    with served(endless) as server:
        notify(server)
        assert len(server.requests) == 1


def test_a_server_that_hangs_up_has_not_received_the_message() -> None:
    with served(answer(b"")) as server:
        assert refused(server).retryable


def test_something_that_is_not_a_web_server_has_not_received_the_message() -> None:
    with served(answer(b"220 mail.example.com ESMTP\r\n")) as server:
        assert "cannot be reached (ProtocolError)" in refused(server).message


def test_a_server_that_is_down_may_be_tried_again() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ChannelError) as caught:
        WebhookChannel(lambda: f"http://127.0.0.1:{port}/{SECRET}", timeout=PATIENCE).notify(MESSAGE)
    assert caught.value.retryable
    assert "cannot be reached" in caught.value.message


def test_a_server_without_tls_is_not_trusted_as_one() -> None:
    with served(no_tls, reads=False) as server:
        with pytest.raises(ChannelError) as caught:
            WebhookChannel(lambda: server.url.replace("http:", "https:"), timeout=PATIENCE).notify(MESSAGE)
        assert "has no trusted TLS certificate" in caught.value.message
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "http://10.0.0.1/x",
        "http://127.0.0.1.example.com/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https://",
        "",
        "https://user:password@hooks.example.com/x",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/a\r\nX-Other: 1",
        "https://hooks.example.com:99999/x",
        "https://[::1/x",
        "https://höoks.example.com/x",
    ],
)
def test_an_unsafe_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ChannelError) as caught:
        WebhookChannel(lambda: url).notify(MESSAGE)
    assert not caught.value.retryable
    assert "example.com" not in str(caught.value)


def test_the_secret_is_read_again_for_each_message() -> None:
    with served(answer(b"HTTP/1.1 200 OK\r\n\r\n")) as server:
        urls = iter([f"{server.url}/old", f"{server.url}/new"])
        notifier = WebhookChannel(lambda: next(urls), timeout=PATIENCE)
        notifier.notify(MESSAGE)
        notifier.notify(MESSAGE)
        assert [request.split(b" ")[1][-3:] for request in server.requests] == [b"old", b"new"]
        assert SECRET not in repr(notifier)
