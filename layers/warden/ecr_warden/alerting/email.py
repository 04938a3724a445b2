"""A message as an e-mail through SNS."""

from ecr_warden.alerting.text import clean, first
from ecr_warden.model.alert import Message

_SUBJECT = 99  # Source: SNS Publish: ASCII, no line break or control character, less than 100 characters
_LINES, _LINE = 200, 1000


def to_email(message: Message) -> tuple[str, str]:
    """Subject and plain text body."""
    subject = clean(f"[ecr-warden {message.severity}] {message.title}", 200)
    ascii_subject = subject.encode("ascii", "replace").decode("ascii")
    if len(ascii_subject) > _SUBJECT:
        ascii_subject = ascii_subject[: _SUBJECT - 3] + "..."
    width = max((len(field.label) for field in message.fields), default=0)
    body = [clean(message.title, _LINE), ""]
    body += [f"{clean(field.label, 30) + ':':<{width + 1}} {clean(field.text, _LINE)}" for field in message.fields]
    body += (
        ["", *(clean(line, _LINE) for line in first(message.lines, _LINES, more="more lines"))] if message.lines else []
    )
    return ascii_subject, "\n".join(body) + "\n"
