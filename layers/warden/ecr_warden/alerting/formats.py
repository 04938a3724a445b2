"""A message in each channel's format: JSON for a Slack-compatible webhook, subject and text for e-mail.

Source: https://api.slack.com/reference/block-kit/blocks and https://api.slack.com/reference/surfaces/formatting
"""

import re

from ecr_warden.alerting.layout import FIELDS, LINE, LINES, TEXT, TITLE, one_line
from ecr_warden.model.alert import Field, Message
from ecr_warden.model.run import Severity
from ecr_warden.policy.printable import first, printable

# Block Kit's own limits are 150, 10 of 2000, and 3000 characters; escaping may make five characters of one.
_HEADER, _FIELD, _BLOCK, _WHOLE = 150, 1900, 2900, 30_000

_SIGNS = {Severity.INFO: "\N{WHITE HEAVY CHECK MARK}", Severity.WARNING: "\N{WARNING SIGN}"}
_SIGNS[Severity.CRITICAL] = "\N{POLICE CARS REVOLVING LIGHT}"

_MENTION = re.compile(r"@(?=channel|here|everyone|all\b|group)", re.IGNORECASE)
# Slack's clients do not turn s3:// addresses into links, and people copy them.
_LINK = re.compile(r"(?<!\bs3)://", re.IGNORECASE)
_BREAK = "\N{ZERO WIDTH SPACE}"


def to_slack(message: Message) -> dict[str, object]:
    """Block Kit blocks of plain text, and the whole message again as `text` for what shows no blocks.

    Everything is escaped and nothing is markup, so a name or a user agent can neither mention people nor make links.
    """
    title = f"{_SIGNS[message.severity]} {_escape(message.title, TITLE)}"
    fields = [_field(field) for field in message.fields[:FIELDS]]
    lines = [_escape(line, LINE) for line in first(filter(None, message.lines), LINES, noun="line")]
    # A header is not unescaped by every client, and cutting it must not halve an entity.
    blocks: list[dict[str, object]] = [{"type": "header", "text": _plain(_cut(title, _HEADER))}]
    if fields:
        blocks.append({"type": "section", "fields": [_plain(f"{label}\n{value}") for label, value in fields]})
    blocks += [{"type": "section", "text": _plain(text)} for text in _packed(lines)]
    text = "\n".join([title, *(f"{label}: {value}" for label, value in fields), *lines])
    return {"text": _cut(text, _WHOLE), "mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}


def _field(field: Field) -> tuple[str, str]:
    return _escape(field.label, 30), _cut(_escape(field.text, TEXT), _FIELD)


def _plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escape(text: str, limit: int) -> str:
    escaped = one_line(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Slack's relatives read Markdown and bare mentions in `text`, whatever `mrkdwn` says.
    escaped = escaped.replace("`", "'").replace("](", f"]{_BREAK}(")
    escaped = _LINK.sub(f":{_BREAK}//", escaped)
    return _MENTION.sub(f"@{_BREAK}", escaped)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else re.sub(r"&[a-z]*$", "", text[: limit - 3]) + "..."


def _packed(lines: list[str]) -> list[str]:
    """Lines joined into as few blocks as hold them."""
    blocks: list[str] = []
    for line in lines:
        if blocks and len(blocks[-1]) + 1 + len(line) <= _BLOCK:
            blocks[-1] += f"\n{line}"
        else:
            blocks.append(_cut(line, _BLOCK))
    return blocks


_SUBJECT = 99  # Source: SNS Publish: ASCII, no line break or control character, less than 100 characters
_MAIL_LINES, _MAIL_LINE = 200, 1000


def to_email(message: Message) -> tuple[str, str]:
    """Subject and plain text body."""
    width = max((len(field.label) for field in message.fields), default=0)
    body = [one_line(message.title, _MAIL_LINE), ""]
    body += [
        f"{one_line(field.label, 30) + ':':<{width + 1}} {one_line(field.text, _MAIL_LINE)}" for field in message.fields
    ]
    if message.lines:
        body += ["", *(one_line(line, _MAIL_LINE) for line in first(message.lines, _MAIL_LINES, noun="line"))]
    return printable(f"[ecr-warden {message.severity}] {message.title}", _SUBJECT), "\n".join(body) + "\n"
