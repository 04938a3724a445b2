"""A webhook on loopback that misbehaves as configured."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECRET = "T0/B0/s3cr3t"
type Behaviour = Callable[[socket.socket, threading.Event], None]


def _receive(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as stream:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                raise ConnectionError
            head += line
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head + stream.read(length)


class Server:
    """Takes one connection after another; keeps what it was sent where it `reads` a request first."""

    def __init__(self, behaviour: Behaviour, port: int = 0, *, reads: bool = True) -> None:
        self._behaviour = behaviour
        self._reads = reads
        self._listener = socket.create_server(("127.0.0.1", port))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.requests: list[bytes] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/services/{SECRET}"
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    if self._reads:
                        self.requests.append(_receive(connection))
                    self._behaviour(connection, self._stop)
                except OSError:
                    continue

    def stop(self) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@contextmanager
def served(behaviour: Behaviour, port: int = 0, *, reads: bool = True) -> Iterator[Server]:
    """A webhook while the block runs."""
    server = Server(behaviour, port, reads=reads)
    try:
        yield server
    finally:
        server.stop()


def answer(text: bytes) -> Behaviour:
    """Sends this and hangs up."""
    return lambda connection, stop: connection.sendall(text)


def silent(connection: socket.socket, stop: threading.Event) -> None:
    """Takes the message and says nothing."""
    stop.wait(10)
