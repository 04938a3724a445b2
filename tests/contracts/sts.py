"""An STS on loopback that confirms a configured caller and keeps the requests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ALICE = "arn:aws:iam::111111111111:user/alice"
_CONFIRMED = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{}</Arn><UserId>AIDA1</UserId><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
_REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>SignatureDoesNotMatch</Code><Message>The signature does not match</Message></Error></ErrorResponse>"""


@dataclass(slots=True)
class Sts:
    """`arn`: whom it confirms; `status`: anything but 200 refuses; `body`: instead of either answer."""

    arn: str = ALICE
    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    sent: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def answer(self) -> bytes:
        answer = _CONFIRMED.format(self.arn) if self.status == 200 else _REFUSED
        return (self.body or answer).encode()


@contextmanager
def serving() -> Iterator[tuple[Sts, str]]:
    """The STS and its URL."""
    sts = Sts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sts.sent.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = sts.answer()
            self.send_response(sts.status)
            for name, value in sts.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield sts, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
