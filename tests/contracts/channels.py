"""Every channel with what stands at its other end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from msgspec import Struct

from ecr_warden.notify.aws_incident_bus import BusChannel
from ecr_warden.notify.aws_sns import SnsChannel
from ecr_warden.notify.incident_event import INCIDENT
from ecr_warden.notify.pagerduty import PagerDutyChannel
from ecr_warden.notify.ports import BUS, CHAT, PAGER, Channel
from ecr_warden.notify.webhook import WebhookChannel
from tests.contracts.aws import REGION
from tests.contracts.webhook import SECRET, Server, answer, served

KEY = "0123456789abcdef0123456789abcdef"
SECRETS = (SECRET, KEY)
ACCEPTED = answer(b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n\r\n{"status":"success"}')
# Longer than any machine takes to answer itself, so that what a test is about ends the wait.
PATIENCE = 60.0

OVER_HTTP: dict[str, Callable[[str, float], Channel]] = {
    CHAT: lambda url, timeout: WebhookChannel(lambda: url, timeout=timeout),
    PAGER: lambda url, timeout: PagerDutyChannel(lambda: f"{url} {KEY}", timeout=timeout),
}
"""The channels over HTTP, which post to a URL within so many seconds."""


class Reached(Struct):
    """A channel, and what has arrived at its other end."""

    channel: Channel
    arrived: Callable[[], list[str]]


@contextmanager
def reached(name: str) -> Iterator[Reached]:
    """A channel that works; AWS is moto's."""
    if name in OVER_HTTP:
        with served(ACCEPTED) as server:
            yield Reached(OVER_HTTP[name](server.url, PATIENCE), lambda: bodies(server))
        return
    if name == BUS:
        events, entries = boto3.client("events", REGION), list[str]()
        events.create_event_bus(Name="outcomes")

        def keep(params: Any, **_: object) -> None:
            [entry] = params["Entries"]
            assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("outcomes", "ecr-warden", INCIDENT)
            entries.append(entry["Detail"])

        # moto delivers to no target without a library that nothing else needs.
        events.meta.events.register("provide-client-params.events.PutEvents", keep)
        yield Reached(BusChannel(lambda: events, "outcomes"), lambda: entries)
        return
    sqs = boto3.client("sqs", REGION)
    queue = sqs.create_queue(QueueName="end")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def taken() -> list[str]:
        return [one["Body"] for one in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])]

    sns = boto3.client("sns", REGION)
    topic = sns.create_topic(Name="ecr-warden-alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    yield Reached(SnsChannel(sns, topic), taken)


def bodies(server: Server) -> list[str]:
    """What a server was sent."""
    return [one.partition(b"\r\n\r\n")[2].decode() for one in server.requests]
