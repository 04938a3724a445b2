"""AWS's own runtime client on a built function, without a container: Lambda's Runtime API on loopback.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import queue
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self

from local.aws.launcher import ROOT

INTERPRETER = ROOT / ".venv-runtime" / "bin" / "python"
ANSWER_SECONDS = 60.0
FUNCTION_SECONDS = 100  # as template.yaml gives reconcile: it begins no job near its end
_INVOCATION = "/2018-06-01/runtime/invocation/"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the function answered: `value` is its result, or the error's own description if it `failed`."""

    failed: bool
    value: Any


class RuntimeDied(Exception):
    """The runtime client ended or did not answer; the message ends with its last output."""


def layers_in(built: Path) -> tuple[Path, ...]:
    """The layers of a `sam build`, in the order in which functions have them."""
    return tuple(built / f"{name}Layer" for name in ("Access", "Warden"))


class BuiltFunction:
    """A context manager around one execution environment: the empty environment of `.venv-runtime`, one container.

    `code` and `layers` are folders of a `sam build`. As on Lambda all are read-only: no byte code is written beside
    the sources, what there is came with the layers.
    """

    def __init__(
        self,
        name: str,
        *,
        code: Path,
        layers: Sequence[Path],
        environment: Mapping[str, str],
        interpreter: Path = INTERPRETER,
    ) -> None:
        self._interpreter, self._code = interpreter, code
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONPATH": os.pathsep.join(str((layer / "python").resolve()) for layer in layers),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(code.resolve()),
            "_HANDLER": "app.handler",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            **environment,
        }
        self._events: queue.Queue[bytes] = queue.Queue()
        self._answers: queue.Queue[tuple[Answer, float]] = queue.Queue()
        self._server: ThreadingHTTPServer | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._started_at = 0.0

    def __enter__(self) -> Self:
        """Open the API; the process starts with the first event, as a cold start does."""
        self._server = _Server(("127.0.0.1", 0), _handler(self._events, self._answers))
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process and close the API."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._log.close()

    def invoke(self, event: Any) -> Answer:
        """Give one event to the function. Raises RuntimeDied."""
        return self.timed(event)[0]

    def timed(self, event: Any) -> tuple[Answer, float]:
        """The answer and its seconds: from the start of the process if this event starts it."""
        self._events.put(json.dumps(event).encode())
        began = time.perf_counter()
        if self._process is None:
            self._process = self._spawn()
        deadline = began + ANSWER_SECONDS
        while True:
            try:
                answer, at = self._answers.get(timeout=0.2)
            except queue.Empty:
                if self._process.poll() is not None or time.perf_counter() > deadline:
                    raise RuntimeDied(f"no answer; the runtime said:\n{self.log()[-4000:]}") from None
            else:
                return answer, at - began

    def log(self) -> str:
        """What the function has printed so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def memory(self) -> int:
        """The most memory the process has had resident, in bytes."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))

    def processor_seconds(self) -> float:
        """The processor time of the process so far; unlike time, it does not depend on the machine's other load."""
        assert self._process is not None
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    def _spawn(self) -> subprocess.Popen[bytes]:
        assert self._server is not None
        if not self._interpreter.exists():
            raise RuntimeDied(f"{self._interpreter} is missing: make the runtime's environment first (make setup)")
        api = f"127.0.0.1:{self._server.server_address[1]}"
        return subprocess.Popen(
            [str(self._interpreter), "-m", "awslambdaric", "app.handler"],
            env={**self._environment, "AWS_LAMBDA_RUNTIME_API": api},
            cwd=self._code,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Answers nothing: the process is killed while it waits for its next event."""


def _handler(
    events: "queue.Queue[bytes]", answers: "queue.Queue[tuple[Answer, float]]"
) -> type[BaseHTTPRequestHandler]:
    class RuntimeApi(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write for a whole reply: a second one would wait for the client's delayed acknowledgement

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def do_GET(self) -> None:
            event = events.get()
            now = time.time()
            self._reply(
                200,
                event,
                {
                    "Lambda-Runtime-Aws-Request-Id": f"00000000-0000-4000-b000-{os.urandom(6).hex()}",
                    "Lambda-Runtime-Deadline-Ms": str(int((now + FUNCTION_SECONDS) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:111111111111:function:local",
                    "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
                },
            )

        def do_POST(self) -> None:
            body, at = self._body(), time.perf_counter()
            self._reply(202, b'{"status":"OK"}', {})
            failed = not self.path.startswith(_INVOCATION) or self.path.endswith("/error")
            answers.put((Answer(failed, json.loads(body or b"null")), at))

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts: list[bytes] = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            """Logs nothing: the function's own output is the log."""

    return RuntimeApi
