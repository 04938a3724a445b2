"""A bucket that refuses plain HTTP: loopback counts as TLS, unless the request says `x-forwarded-proto: http`."""

from contextvars import ContextVar

from local.aws.emulator.modules import app, signature, wrap

_PARAMETERS = ("source_ip", "secure_transport")
plain_http: ContextVar[bool] = ContextVar("plain_http", default=False)


def install() -> None:
    """Wrap the pinning of a request's origin, from which aws:SecureTransport is answered."""
    original = signature(app, "pin_request_origin", *_PARAMETERS)

    def pin(source_ip: str, secure_transport: bool) -> None:
        original(source_ip, secure_transport or not plain_http.get())

    wrap(app, "pin_request_origin", *_PARAMETERS)(pin)
