"""Words shared by the tests of the emulator."""

import itertools
import json
from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.behaviour.switches import Switches
from local.aws.behaviour.world import Owner
from local.aws.launcher import EmulatedAws
from local.testing.waiting import until

REGION = "eu-central-1"
REPOSITORY = "shop/checkout"
type NewAccount = Callable[[], str]
_inboxes = itertools.count(1)


def policy(*statements: dict[str, Any]) -> str:
    """A policy text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    """A statement of an identity policy."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal: Any, action: str | list[str] = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    """A statement of a trust policy."""
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


AUSER = "arn:aws:iam::111111111111:user/push-user"
BUSER = "arn:aws:iam::222222222222:user/pull-user"


AS_LAST_SEEN = Switches()


@dataclass(frozen=True)
class StubWorld:
    """A World of given principals and roles; every repository is there, no owner has a policy."""

    principals: Mapping[str, str]
    roles: Set[tuple[str, str]] = frozenset()
    switches: Switches = AS_LAST_SEEN
    attached: Collection[str] = ()

    def unique_id(self, arn: str) -> str | None:
        """See World."""
        return self.principals.get(arn)

    def has_role(self, account: str, name: str) -> bool:
        """See World."""
        return (account, name) in self.roles

    def has_repository(self, account: str, region: str, name: str) -> bool:
        """See World."""
        return True

    def inline_policies(self, account: str, owner: Owner, name: str) -> Mapping[str, str] | None:
        """See World."""
        return {}

    def attached_policies(self, account: str, owner: Owner, name: str) -> Collection[str]:
        """See World."""
        return self.attached


class Inbox:
    """A queue that collects what a rule matches; in the same account and region as the rule's bus."""

    def __init__(
        self, aws: EmulatedAws, account: str, region: str, pattern: dict[str, Any], bus: str = "default"
    ) -> None:
        name = f"inbox-{next(_inboxes)}"
        self._sqs, events = aws.client(account, "sqs", region), aws.client(account, "events", region)
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        target = {"Id": "inbox", "Arn": f"arn:aws:sqs:{region}:{account}:{name}"}
        events.put_targets(Rule=name, EventBusName=bus, Targets=[target])

    def taken(self) -> list[dict[str, Any]]:
        """All events that are there now; each is given once."""
        return drained(self._sqs, self._url)

    def next(self, count: int = 1) -> list[dict[str, Any]]:
        """The next events, awaited."""
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            found.extend(self.taken())
            return len(found) >= count

        until(enough, what=f"event {count}")
        return found


def drained(sqs: Any, url: str) -> list[dict[str, Any]]:
    """The bodies of all visible messages of a queue, taken from it."""
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    """AWS's code of an error."""
    return str(error.value.response["Error"]["Code"])


def said(error: pytest.ExceptionInfo[ClientError]) -> str:
    """AWS's message of an error."""
    return str(error.value.response["Error"]["Message"])
