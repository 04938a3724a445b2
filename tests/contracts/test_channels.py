"""What every channel keeps, whatever a message says and whatever its receiver does."""

import json
from collections.abc import Callable, Iterator
from functools import partial

import boto3
import pytest
from jsonschema import Draft202012Validator

from ecr_warden.core.codec.base import CodecError
from ecr_warden.core.result import Severity
from ecr_warden.notify.aws_incident_bus import BusChannel
from ecr_warden.notify.aws_secrets import secret_text
from ecr_warden.notify.aws_sns import SnsChannel
from ecr_warden.notify.incident_event import incident_event
from ecr_warden.notify.kinds import alert_from_json
from ecr_warden.notify.message import COMMAND, NOTHING, TO_DO, Field, Message, MessageState, Transition
from ecr_warden.notify.pagerduty import ADDRESS, DIGEST, PAGERDUTY, PagerDutyChannel
from ecr_warden.notify.ports import BUS, CHANNELS, CHAT, PAGER, Channel, ChannelError
from ecr_warden.notify.webhook import WEBHOOK, WebhookChannel
from tests.contracts.aws import REGION, moto
from tests.contracts.channels import ACCEPTED, KEY, OVER_HTTP, PATIENCE, SECRETS, bodies, reached
from tests.contracts.webhook import answer, served, silent
from tools.make_schema import incident_schema

ASKS = (Field(TO_DO, "look at what was pushed"), Field(COMMAND, "ecr-warden history r-1"))
NOTHING_ASKED = (Field(TO_DO, NOTHING),)
OPEN = Message(
    Severity.CRITICAL,
    "account 999999999999 can push to shop/checkout",
    ASKS,
    ("trust policy: changed",),
    MessageState.OPEN,
    incident="i-1",
)
EVIL = "<!channel> <b>@here</b> [x](https://evil.example) \u202egnp.exe \x1b[31m \ud800"
LARGE = "A" * 1_000_000
OVER = Message(Severity.CRITICAL, "it could push", ASKS, (), MessageState.CLOSED, "after 30 s", "i-1", Transition.OVER)


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with moto(monkeypatch):
        yield


def changed(message: Message, **fields: object) -> Message:
    return type(message)(**{name: getattr(message, name) for name in message.__struct_fields__} | fields)


# ---------------------------------------------------------------- every channel


@pytest.mark.parametrize("name", CHANNELS)
def test_a_message_arrives_with_its_title_and_the_command_that_helps(name: str) -> None:
    with reached(name) as end:
        end.channel.notify(OPEN)
        [body] = end.arrived()
    assert OPEN.title in body
    assert "ecr-warden history r-1" in body


@pytest.mark.parametrize("name", CHANNELS)
def test_what_names_say_is_shown_and_does_nothing(name: str) -> None:
    with reached(name) as end:
        end.channel.notify(changed(OPEN, title=EVIL, fields=(*ASKS, Field("By", EVIL)), lines=(EVIL,)))
        [body] = end.arrived()
    assert not any(sign in body for sign in ("\u202e", "\x1b", "\ud800"))
    assert "gnp.exe" in body
    assert name != CHAT or "<!channel>" not in body


@pytest.mark.parametrize("name", CHANNELS)
def test_a_user_agent_of_a_megabyte_is_cut(name: str) -> None:
    with reached(name) as end:
        long = changed(OPEN, fields=(*ASKS, Field("By", LARGE)), lines=(LARGE,) * 500, title=LARGE)
        end.channel.notify(long)
        [body] = end.arrived()
    assert len(body.encode()) < 256_000
    assert "ecr-warden history r-1" in body


@pytest.mark.parametrize("name", CHANNELS)
def test_a_message_that_did_not_arrive_is_an_error_with_a_remedy_or_is_tried_again(name: str) -> None:
    channels: dict[str, Callable[[], Channel]] = {
        CHAT: lambda: OVER_HTTP[CHAT]("https://[", PATIENCE),
        PAGER: lambda: OVER_HTTP[PAGER]("https://[", PATIENCE),
        BUS: lambda: BusChannel(lambda: boto3.client("events", REGION), "gone"),
    }
    topic = f"arn:aws:sns:{REGION}:111111111111:gone"
    channel = channels.get(name, lambda: SnsChannel(boto3.client("sns", REGION), topic))()
    with pytest.raises(ChannelError) as caught:
        channel.notify(OPEN)
    assert caught.value.remedy or caught.value.retryable
    assert not any(secret in str(caught.value) for secret in SECRETS)


# ---------------------------------------------------------------- over HTTP


def refused(name: str, said: bytes) -> ChannelError:
    with served(answer(said)) as server, pytest.raises(ChannelError) as caught:
        OVER_HTTP[name](server.url, PATIENCE).notify(OPEN)
    assert not any(secret in str(caught.value) for secret in (*SECRETS, "127.0.0.1"))
    return caught.value


NO = {
    "Slack's": b'{"ok":false,"error":"channel_not_found"}',
    "PagerDuty's": b'{"status":"invalid event","message":"Event object is invalid","errors":["Length of .."]}',
    "another's": b'{"success": false}',
    "a list of errors": b'{"errors": ["no such room"]}',
    "text": b"error: no such room",
}


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize("said", NO.values(), ids=NO)
def test_an_error_in_the_body_of_a_200_is_one(name: str, said: bytes) -> None:
    error = refused(name, b"HTTP/1.1 200 OK\r\n\r\n" + said)
    assert "answered 200 with an error" in error.message
    assert "Reference" in error.remedy


YES = {
    "nothing": b"",
    "Slack's": b"ok",
    "PagerDuty's": b'{"status":"success","message":"Event processed","dedup_key":"i-1"}',
    "no error": b'{"ok": true, "error": null, "errors": []}',
    "a page": b"<html>thanks</html>",
    "a list": b"[]",
    "no JSON": b"{" * 100_000,
}


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize("said", YES.values(), ids=YES)
def test_any_other_body_of_a_2xx_is_none(name: str, said: bytes) -> None:
    with served(answer(b"HTTP/1.1 202 Accepted\r\n\r\n" + said)) as server:
        OVER_HTTP[name](server.url, PATIENCE).notify(OPEN)
        assert len(server.requests) == 1


@pytest.mark.parametrize("name", OVER_HTTP)
def test_too_many_may_be_tried_again_when_the_receiver_says(name: str) -> None:
    error = refused(name, b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\n\r\n")
    assert "answered 429, and asks to wait 30 s" in error.message
    assert error.retryable
    error = refused(name, b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n")
    assert error.message.endswith("answered 429")


@pytest.mark.parametrize("name", OVER_HTTP)
@pytest.mark.parametrize(("behaves", "retryable"), [(b"HTTP/1.1 500 No\r\n\r\n", True), (b"", True), (b"x\r\n", True)])
def test_a_receiver_that_fails_or_says_nothing_is_tried_again(name: str, behaves: bytes, *, retryable: bool) -> None:
    assert refused(name, behaves).retryable is retryable


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_body_that_never_comes_is_not_waited_for_long(name: str) -> None:
    """It has said that it took the message."""

    def stalls(connection: object, stop: object) -> None:
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\n")  # type: ignore[attr-defined]
        silent(connection, stop)  # type: ignore[arg-type]

    with served(stalls) as server:
        OVER_HTTP[name](server.url, 0.3).notify(OPEN)
        assert len(server.requests) == 1


@pytest.mark.parametrize(("receiver", "channel"), [(WEBHOOK, WebhookChannel), (PAGERDUTY, PagerDutyChannel)])
@pytest.mark.parametrize("reference", ["ssm:/gone", "secretsmanager:gone", "https://hooks.example.com/x", "ssm:"])
def test_a_secret_that_is_missing_shuts_its_own_channel_alone(
    receiver: object, channel: Callable[[Callable[[], str]], Channel], reference: str
) -> None:
    client = partial(boto3.Session().client, region_name=REGION)
    made = channel(secret_text(reference, receiver, client))  # type: ignore[arg-type]
    with pytest.raises(ChannelError, match=reference) as caught:
        made.notify(OPEN)
    assert caught.value.remedy


# ---------------------------------------------------------------- PagerDuty


def events_of(*messages: Message) -> list[dict[str, object]]:
    with served(ACCEPTED) as server:
        channel = OVER_HTTP[PAGER](server.url, PATIENCE)
        for message in messages:
            channel.notify(message)
        return [json.loads(body) for body in bodies(server)]


PAGED: dict[str, tuple[Message, str]] = {
    **{
        f"what {transition}": (changed(OPEN, transition=transition), "trigger")
        for transition in (Transition.OPENED, Transition.GREW, Transition.AGAIN, Transition.STILL)
    },
    "a warning that asks for nothing yet": (changed(OPEN, severity=Severity.WARNING, fields=()), "trigger"),
    "what is for the record": (changed(OPEN, severity=Severity.INFO), ""),
    "what is over": (OVER, "resolve"),
    "what is over, and was graver": (changed(OVER, severity=Severity.INFO), "resolve"),
    "what nobody heard of, and asks": (changed(OVER, transition=Transition.CLOSED), "trigger"),
    "what nobody heard of, and asks for nothing": (
        changed(OVER, transition=Transition.CLOSED, fields=NOTHING_ASKED),
        "",
    ),
    "what nobody heard of, for the record": (
        changed(OVER, transition=Transition.CLOSED, severity=Severity.INFO),
        "",
    ),
    "what nobody hears the end of": (changed(OPEN, transition=Transition.REPORTED), "trigger"),
    "the same, and asks for nothing": (changed(OPEN, transition=Transition.REPORTED, fields=NOTHING_ASKED), ""),
    "a digest that asks": (changed(OPEN, incident=""), "trigger"),
    "a digest that does not say": (changed(OPEN, incident="", fields=()), "trigger"),
    "a digest for the record": (changed(OPEN, incident="", fields=(), severity=Severity.INFO), ""),
    "a digest that asks for nothing": (changed(OPEN, incident="", fields=NOTHING_ASKED), ""),
}


@pytest.mark.parametrize(("message", "action"), PAGED.values(), ids=PAGED)
def test_whoever_is_on_call_is_paged_by(message: Message, action: str) -> None:
    assert [one["event_action"] for one in events_of(message)] == ([action] if action else [])


def test_an_incident_is_one_alert_until_it_is_over() -> None:
    opened, over, digest = events_of(OPEN, OVER, changed(OPEN, incident=""))
    assert (opened["dedup_key"], over["dedup_key"], digest["dedup_key"]) == ("i-1", "i-1", DIGEST)
    assert opened["routing_key"] == KEY
    assert opened["payload"] == {
        "summary": "CRITICAL open: account 999999999999 can push to shop/checkout",
        "source": "ecr-warden",
        "severity": "critical",
        "custom_details": {
            TO_DO: "look at what was pushed",
            COMMAND: "ecr-warden history r-1",
            "Found": ["trust policy: changed"],
        },
    }


def test_the_key_alone_goes_to_pagerduty_itself() -> None:
    assert ADDRESS.startswith("https://events.pagerduty.com/")
    with pytest.raises(ChannelError, match="PagerDuty's secret is not the integration's key, or its URL"):
        PagerDutyChannel(lambda: f"no-url {KEY}").notify(OPEN)


# ---------------------------------------------------------------- the bus


def test_an_incident_event_is_as_its_schema_says_and_no_alert() -> None:
    with reached(BUS) as end:
        end.channel.notify(OPEN)
        [body] = end.arrived()
    detail = json.loads(body)
    Draft202012Validator(incident_schema()).validate(detail)
    assert detail | {"fields": [], "lines": []} == {
        "schema": 1,
        "incident": "i-1",
        "transition": "opened",
        "severity": "critical",
        "state": "open",
        "title": "account 999999999999 can push to shop/checkout",
        "asks": True,
        "lasted": "",
        "fields": [],
        "lines": [],
    }
    with pytest.raises(CodecError):
        alert_from_json(detail)


@pytest.mark.parametrize("char", ["\N{PILE OF POO}", '"', "\\", "\x00"])
def test_the_longest_event_fits_whatever_its_characters(char: str) -> None:
    text = char * 5000
    message = Message(Severity.INFO, text, (Field(text, text),) * 20, (text,) * 60, incident=text)
    with reached(BUS) as end:
        end.channel.notify(message)
        [body] = end.arrived()
    assert len(body.encode()) < 256 * 1024
    assert len(incident_event(message).incident) <= 255
