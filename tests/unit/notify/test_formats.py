"""Messages as chat and e-mail show them: nothing from outside is markup."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.result import Severity
from ecr_warden.notify.formats import to_email, to_slack
from ecr_warden.notify.message import Field, Message, MessageState

INJECTIONS = {
    "a mention of everybody": ("<!channel> <!here>", r"<"),
    "a link under another text": ("<https://evil.example|AWS console>", r"<|https://"),
    "a bare link": ("http://evil.example", r"http://"),
    "a scheme that only ends like that of S3": ("https3://evil.example", r"https3://"),
    "a Markdown link": ("[AWS](https://evil.example)", r"\]\("),
    "a bare mention of everybody": ("@channel @here @everyone @all", r"@(channel|here|everyone|all)"),
    "a mention in capitals": ("@Channel @HERE", r"@(Channel|HERE)"),
    "a code fence": ("``` ```", r"`"),
    "an entity that is already escaped": ("&lt;!here&gt;", r"&lt;!here"),
    "a line break": ("a\nResult: repaired", r"a\n"),
    "a terminal escape": ("\x1b[31m", r"\x1b"),
    "text that runs backwards": ("\u202egnp.exe", "\u202e"),
}


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", INJECTIONS)
def test_chat_shows_as_text(name: str) -> None:
    evil, forbidden = INJECTIONS[name]
    posted = to_slack(Message(Severity.INFO, evil, (Field("Who", evil),), (evil,)))
    for text in _strings(posted):
        assert not re.search(forbidden, text)
    assert set(re.findall(r'"type": "(\w+)"', json.dumps(posted))) <= {"header", "section", "plain_text"}
    assert posted["mrkdwn"] is False


def test_an_address_stays_whole() -> None:
    posted = to_slack(Message(Severity.INFO, "t", (), ("session alice@example.com of arn:aws:iam::1:role/a_b*",)))
    assert "session alice@example.com of arn:aws:iam::1:role/a_b*" in str(posted["text"])


def test_an_object_in_s3_can_be_copied_from_a_message() -> None:
    posted = to_slack(Message(Severity.INFO, "t", (), ("upload it to s3://ecr-warden-spec/access.yaml",)))
    assert "s3://ecr-warden-spec/access.yaml" in str(posted["text"])


LARGE = {
    "forty long lines": Message(Severity.INFO, "t", (), tuple(f"{index} " + "x" * 650 for index in range(40))),
    "lines of many bytes": Message(Severity.INFO, "t", (), ("\N{SNOWMAN}" * 700,) * 40),
    "lines that are escaped": Message(Severity.INFO, "t", (), ("&" * 700,) * 40),
    "fields of many bytes": Message(Severity.INFO, "t", (Field("Who", "\N{SNOWMAN}" * 500),) * 10, ("line",) * 40),
}


@pytest.mark.parametrize("name", LARGE)
def test_the_blocks_have_at_most_12_000_bytes_and_count_the_lines_that_are_left_out(name: str) -> None:
    message = LARGE[name]
    posted: Any = to_slack(message)
    assert len(json.dumps(posted["blocks"], ensure_ascii=False).encode()) <= 12_000
    shown = [line for text in _strings(posted["blocks"][1:]) for line in text.split("\n")]
    left_out = [int(found[1]) for line in shown if (found := re.match(r"(?:and )?(\d+) more lines", line))]
    lines = [line for block in posted["blocks"] if "text" in block for line in block["text"]["text"].split("\n")][1:]
    assert len(lines) - len(left_out) + sum(left_out) == len(message.lines)


@pytest.mark.parametrize("filler", ["x", "&", "<"])
def test_a_first_line_that_is_too_long_keeps_its_state_and_halves_no_entity(filler: str) -> None:
    title = f"trust policy of role {filler * 60} was changed, and what that changes is not known"
    posted: Any = to_slack(Message(Severity.CRITICAL, title * 2, state=MessageState.CLOSED, lasted="after 4 s"))
    header = posted["blocks"][0]["text"]["text"]
    assert header[1:].startswith(" CRITICAL closed after 4 s: trust policy of role")
    assert len(header) <= 150
    assert not re.search(r"&(?!amp;|lt;|gt;)", header)


_TEXT = st.text(max_size=600)
_MESSAGES = st.builds(
    Message,
    st.sampled_from(Severity),
    _TEXT,
    st.lists(st.builds(Field, _TEXT, _TEXT), max_size=15).map(tuple),
    st.lists(_TEXT, max_size=60).map(tuple),
)


@given(_MESSAGES)
def test_every_message_keeps_the_limits_of_chat(message: Message) -> None:
    posted: Any = to_slack(message)
    json.dumps(posted).encode("ascii")
    assert len(posted["blocks"]) <= 50
    for block in posted["blocks"]:
        for part in [block["text"]] if "text" in block else block["fields"]:
            limit = {"header": 150}.get(block["type"], 3000 if "text" in block else 2000)
            assert 0 < len(part["text"]) <= limit
        assert len(block.get("fields", [])) <= 10
    assert len(posted["text"]) <= 40_000


@given(_MESSAGES)
def test_every_message_keeps_the_limits_of_sns(message: Message) -> None:
    subject, body = to_email(message)
    assert subject.isascii()
    assert subject.isprintable()
    assert 0 < len(subject) < 100
    assert body.replace("\n", "").isprintable() or body.strip() == ""
    assert len(body.encode()) <= 256 * 1024


def test_an_email_is_a_table_and_lines() -> None:
    message = Message(
        Severity.WARNING, "shop", (Field("By", "mallory"), Field("Done", "it")), ("Found:",), MessageState.OPEN
    )
    assert to_email(message) == (
        "[ecr-warden] WARNING open: shop",
        "WARNING open: shop\n\nBy:   mallory\nDone: it\n\nFound:\n",
    )


def test_a_long_subject_is_cut_to_the_limit_of_sns() -> None:
    subject, body = to_email(Message(Severity.WARNING, "é" * 300))
    assert subject == "[ecr-warden] WARNING done: " + "\\xe9" * 17 + "\\..."
    assert "é" * 300 in body


# How many lines of which characters, one to four bytes each; whether all are shown.
LONG = {
    "two hundred lines of letters": (200, "x", True),
    "two hundred lines of two bytes a letter": (200, "\u00e9", False),
    "two hundred lines of four bytes a letter": (200, "\U0001f600", False),
    "forty lines of four bytes a letter": (40, "\U0001f600", True),
}


@pytest.mark.parametrize("name", LONG)
def test_an_e_mail_beyond_256_kilobytes_is_cut_and_counts_its_lines(name: str) -> None:
    number, letter, whole = LONG[name]
    _, body = to_email(Message(Severity.CRITICAL, "many", (), tuple(f"{n}: {letter * 990}" for n in range(number))))
    assert len(body.encode()) <= 256_000
    lines = body.splitlines()[2:]
    shown = [line for line in lines if ": " in line]
    assert (len(shown) == number) is whole
    assert whole or lines[-1] == f"and {number - len(shown)} more lines"
