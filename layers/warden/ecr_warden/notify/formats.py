"""A message in each channel's format: JSON for a Slack-compatible webhook, subject and text for e-mail.

Source: https://api.slack.com/reference/block-kit/blocks and https://api.slack.com/reference/surfaces/formatting
"""

import json
import re

from ecr_warden.core.result import Severity
from ecr_warden.notify.layout import FIELDS, LINE, LINES, TEXT, TITLE, one_line
from ecr_warden.notify.message import Field, Message
from iam_access.text.printable import first, printable

# Block Kit's own limits are 150, 10 of 2000, and 3000 characters; escaping may make five characters of one.
_HEADER, _FIRST, _FIELD, _BLOCK = 150, TITLE + 40, 1900, 2900
_WHOLE, _OF_FIELDS = 12_000, 6_000
"""Bytes of all blocks, and of the fields among them: Slack refuses blocks above some 13,000 (slackapi/bolt-js#2509)."""

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
    title = f"{_SIGNS[message.severity]} {_escape(message.first_line, _FIRST)}"
    given = message.shown[:FIELDS]
    fields = [_field(field, _OF_FIELDS // len(given)) for field in given]
    wanted = [*filter(None, message.lines)]
    # A header is not unescaped by every client.
    head: list[dict[str, object]] = [{"type": "header", "text": _plain(_cut(title, _HEADER))}]
    if fields:
        head.append({"type": "section", "fields": [_plain(f"{label}\n{value}") for label, value in fields]})
    lines, blocks = list[str](), head
    for room in range(min(LINES, len(wanted)), 0, -1):
        lines = [_escape(line, LINE) for line in first(wanted, room, noun="line")]
        blocks = head + [{"type": "section", "text": _plain(text)} for text in _packed(lines)]
        if _size(blocks) <= _WHOLE:
            break
    text = "\n".join([title, *(f"{label}: {value}" for label, value in fields), *lines])
    return {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _field(field: Field, most: int) -> tuple[str, str]:
    """Label and text, which is cut to so many bytes with the label and what surrounds both."""
    label, text = _escape(field.label, 30), _cut(_escape(field.text, TEXT), _FIELD)
    while (over := _size(_plain(f"{label}\n{text}")) - most) > 0:
        text = _cut(text, len(text) - max(1, over // 4))
    return label, text


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
_MAIL_BYTES = 250_000  # Source: SNS Publish: a message has at most 256 KB


def to_email(message: Message) -> tuple[str, str]:
    """Subject and plain text body."""
    width = max((len(field.label) for field in message.shown), default=0)
    head = one_line(message.first_line, _MAIL_LINE)
    fields = [
        f"{one_line(field.label, 30) + ':':<{width + 1}} {one_line(field.text, _MAIL_LINE)}" for field in message.shown
    ]
    text = head = "\n".join([head, *(["", *fields] if fields else [])])
    for room in range(min(_MAIL_LINES, len(message.lines)), 0, -1):
        lines = [one_line(line, _MAIL_LINE) for line in first(message.lines, room, noun="line")]
        text = "\n".join([head, "", *lines])
        if len(text.encode("utf-8", "replace")) <= _MAIL_BYTES:
            break
    return printable(f"[ecr-warden] {message.first_line}", _SUBJECT), f"{text}\n"
