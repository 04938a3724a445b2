"""The deployed product, and what the tests do to it and ask about it: words shared by this folder."""

import gzip
import json
from dataclasses import dataclass
from typing import Any

from local.aws.calls import Call
from local.demo import edits, journal, truth
from local.demo.chat import Message
from local.demo.places import CI, REGION, REPOSITORY, SPEC
from local.demo.quiet import Quiet, by_product
from local.demo.stage import Stage
from local.demo.tampers import lets_everybody_in
from local.demo.truth import Snapshot
from local.testing.forgetting import forget_messages, forget_repairs, forget_waiting
from local.testing.waiting import until

SEED = SPEC.read_text()
EMAIL = "registry-team@example.com"
"""Who gets alerts and alarms. The emulator takes every address as confirmed, and sends nothing."""
GUESTS = ("444444444444", "555555555555", "666666666666")
"""Accounts that the hub takes events from, and that have no stacks and nothing in them."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, taken when all was quiet: a number of calls and a number of messages."""

    mark: int
    messages: int


@dataclass(frozen=True, slots=True)
class House:
    """Two accounts and the hub; `right` is what the seed asks for."""

    stage: Stage
    quiet: Quiet
    right: Snapshot

    def now(self) -> Moment:
        """This moment."""
        return Moment(self.stage.aws.mark(), len(self.stage.chat.messages))

    def settle(self) -> None:
        """Writes on, the seed accepted, everything right, as each test wants it."""
        self.writes("enabled")
        self.forget_repairs()
        if not self._has_seed():
            self.upload(SEED)
        self.sweep()
        assert self.is_right(), truth.difference(self.documents(), self.right)

    def _has_seed(self) -> bool:
        """Whether the file in the bucket is the seed, and accepted."""
        file = self.stage.aws.client(CI, "s3").get_object(Bucket=self.stage.hub["SpecBucket"], Key="access.yaml")
        return bool(file["VersionId"] == self.accepted() and file["Body"].read() == SEED.encode())

    def forget_repairs(self) -> None:
        """As if all repairs, and all messages on them, were long ago."""
        for forget in (forget_repairs, forget_messages, forget_waiting):
            forget(self.stage.aws.client(CI, "dynamodb", REGION), self.stage.hub["Table"])

    def is_right(self) -> bool:
        """Whether exactly what the seed asks for stands."""
        return truth.same(self.documents(), self.right)

    def documents(self) -> Snapshot:
        """What stands, read by a plain client."""
        return truth.read(self.stage.aws)

    def writes(self, value: str) -> None:
        """Turn the stop switch, as somebody at a terminal does."""
        ssm = self.stage.aws.client(CI, "ssm", REGION)
        ssm.put_parameter(Name=self.stage.hub["WritesParameter"], Value=value, Type="String", Overwrite=True)

    def put(self, text: str) -> str:
        """Upload the file; returns the version."""
        return self.stage.upload(text)

    def upload(self, text: str) -> str:
        """Upload a valid file, accept it if it is held, and wait until all that follows is done."""
        mark = self.now().mark
        version = self.stage.enforce(text)
        self.quiet.wait(mark)
        return version

    def forget_spec(self) -> None:
        """As docs/deploy.md says: the next version waits for a person, as the first one did."""
        key = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}
        self.stage.aws.client(CI, "dynamodb", REGION).delete_item(TableName=self.stage.hub["Table"], Key=key)

    def accepted(self) -> str:
        """The version in force."""
        return self.stage.accepted()

    def tamper(self) -> None:
        """Mallory opens the repository to everybody, and all that follows is done."""
        mark = self.now().mark
        self.begin_tamper()
        self.quiet.wait(mark)

    def begin_tamper(self) -> None:
        """Mallory opens the repository to everybody."""
        edits.edit_repository(self.stage.people.registry_admin, REPOSITORY, lets_everybody_in)

    def sweep(self) -> None:
        """Let the schedule fire once, and all that follows be done."""
        mark = self.now().mark
        self.stage.begin_sweep()
        self.quiet.wait(mark)

    def watched(self) -> list[Any]:
        """What the last sweep kept of the wiring of each of its parts, the hub's included."""
        client = self.stage.aws.client(CI, "dynamodb", REGION)
        asked = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "WATCH"}}}
        items = client.query(TableName=self.stage.hub["Table"], ConsistentRead=True, **asked)["Items"]
        return [json.loads(gzip.decompress(item["record"]["B"])) for item in items]

    def product_writes(self, since: Moment) -> list[Call]:
        """The product's writes to the accounts."""
        return by_product(self.stage.aws.calls(since.mark))

    def messages(self, since: Moment, words: str) -> list[Message]:
        """The messages with these words."""
        return self.stage.chat.telling_of(words, since.messages)

    def hears(self, since: Moment, words: str, *, messages: int = 1) -> None:
        """Wait for messages with these words; those of somebody who did the same a moment ago are collected."""
        until(lambda: len(self.messages(since, words)) >= messages, what=f"the message {words!r}")

    def runs(self, since: float) -> list[journal.Run]:
        """The journalled runs."""
        return journal.runs(self.stage.aws, self.stage.hub["Table"], since=since)
