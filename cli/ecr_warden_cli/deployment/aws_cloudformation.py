"""CloudFormation and the bucket for code, as AWS has them.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from ecr_warden_cli.aws import text_of
from ecr_warden_cli.context import Failure
from ecr_warden_cli.deployment.ports import ChangeSet, LiveStack, Proposal, StackChange, StackFailed
from ecr_warden_cli.deployment.remedies import AGAIN, remedy_for
from iam_access.text.printable import cut

_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 8})
"""A person waits, and CloudFormation throttles whoever asks for many stacks."""
_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")
_POLLS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between two looks, the last of them until the end."""
_MOST_POLLS = 1000
_NOTHING = ("didn't contain changes", "No updates are to be performed")
_SHOWN = 1000
"""Of an error: AWS names the policy that denies a call at the end."""


class AwsStacks(Struct, frozen=True):
    """See `Stacks`."""

    client: Any
    place: str
    sleep: Callable[[float], None]

    @classmethod
    def of(cls, session: boto3.Session, account: str, region: str, sleep: Callable[[float], None]) -> "AwsStacks":
        """CloudFormation in a region of the session's account."""
        client = session.client("cloudformation", region_name=region, config=_CONFIG)
        return cls(client, f"{account}/{region}", sleep)

    def read(self, name: str) -> LiveStack | None:
        try:
            with self._calling("DescribeStacks"):
                [found] = self.client.describe_stacks(StackName=name)["Stacks"]
        except Failure as error:
            if "does not exist" in error.message:
                return None
            raise
        return None if found["StackStatus"] == "REVIEW_IN_PROGRESS" else _live(found)

    def template(self, name: str) -> str:
        with self._calling("GetTemplate"):
            body = self.client.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
        # botocore parses a template that is JSON.
        return body if isinstance(body, str) else json.dumps(body)

    def propose(self, proposal: Proposal) -> ChangeSet:
        is_there = self.read(proposal.name) is not None
        kind: dict[str, Any] = {"ChangeSetType": "UPDATE"}
        if not is_there:
            kind = {"ChangeSetType": "CREATE", "OnStackFailure": "DELETE"}
        elif proposal.repairs:
            kind["DeploymentMode"] = "REVERT_DRIFT"
        kind |= {"TemplateURL": proposal.url} if proposal.url else {"TemplateBody": proposal.template}
        with self._calling("CreateChangeSet"):
            answer = self.client.create_change_set(
                StackName=proposal.name,
                ChangeSetName=f"ecr-warden-{uuid.uuid4()}",
                Capabilities=_CAPABILITIES,
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value} for key, value in proposal.parameters.items()
                ],
                Tags=[{"Key": key, "Value": value} for key, value in proposal.tags.items()],
                **kind,
            )
        return ChangeSet(answer["Id"], answer["StackId"])

    def changes(self, change_set: ChangeSet) -> Sequence[StackChange] | None:
        name, found = {"ChangeSetName": change_set.id, "StackName": change_set.stack}, []
        for _ in self._waiting("a change set"):
            with self._calling("DescribeChangeSet"):
                answer = self.client.describe_change_set(**name)
            if not answer["Status"].endswith(("PENDING", "IN_PROGRESS")):
                break
        reason = answer.get("StatusReason", "")
        if answer["Status"] == "FAILED" and any(words in reason for words in _NOTHING):
            self.discard(change_set)
            return None
        if answer["Status"] != "CREATE_COMPLETE":
            raise self._failed(change_set, [*self._validations(change_set), f"the change set: {reason}"])
        with self._calling("DescribeChangeSet"):
            for page in self.client.get_paginator("describe_change_set").paginate(**name):
                found += [_change(one["ResourceChange"]) for one in page.get("Changes", ()) if "ResourceChange" in one]
        return found

    def execute(self, change_set: ChangeSet) -> None:
        with self._calling("ExecuteChangeSet"):
            self.client.execute_change_set(
                ChangeSetName=change_set.id, StackName=change_set.stack, ClientRequestToken=_token(change_set)
            )

    def finished(self, change_set: ChangeSet) -> LiveStack:
        found = self._settled(change_set)
        if found["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return _live(found)
        raise self._failed(change_set, [*self._reasons(change_set), f"the stack is {found['StackStatus']}"])

    def discard(self, change_set: ChangeSet) -> None:
        with self._calling("DeleteChangeSet"):
            self.client.delete_change_set(ChangeSetName=change_set.id, StackName=change_set.stack)

    def delete(self, name: str) -> ChangeSet:
        token = f"ecr-warden-{uuid.uuid4()}"
        with self._calling("DeleteStack"):
            [found] = self.client.describe_stacks(StackName=name)["Stacks"]
            self.client.delete_stack(StackName=name, ClientRequestToken=token)
        return ChangeSet(f"changeSet/{token}", found["StackId"])

    def deleted(self, deletion: ChangeSet) -> None:
        found = self._settled(deletion)
        if found["StackStatus"] != "DELETE_COMPLETE":
            raise self._failed(deletion, [*self._reasons(deletion), f"the stack is {found['StackStatus']}"])

    def _settled(self, change_set: ChangeSet) -> Any:
        """The stack once nothing is under way."""
        for _ in self._waiting(change_set.stack):
            with self._calling("DescribeStacks"):
                [found] = self.client.describe_stacks(StackName=change_set.stack)["Stacks"]
            if not found["StackStatus"].endswith("IN_PROGRESS"):
                break
        return found

    def _reasons(self, change_set: ChangeSet) -> Iterator[str]:
        """Of what failed in this operation, the first last resort first: what failed because of others is left out."""
        with self._calling("DescribeStackEvents"):
            pages = self.client.get_paginator("describe_stack_events").paginate(StackName=change_set.stack)
            events = [event for page in pages for event in page["StackEvents"]]
        for event in reversed(events):
            reason = event.get("ResourceStatusReason", "")
            if (
                event.get("ClientRequestToken") == _token(change_set)
                and event["ResourceStatus"].endswith("FAILED")
                and "cancelled" not in reason
                and event["PhysicalResourceId"] != event["StackId"]
            ):
                yield f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"

    def _validations(self, change_set: ChangeSet) -> Iterator[str]:
        """What CloudFormation's own checks of a change set found, where it has them."""
        try:
            pages = self.client.get_paginator("describe_events").paginate(ChangeSetName=change_set.id)
            events = [event for page in pages for event in page["OperationEvents"]]
        except (BotoCoreError, ClientError, ValueError):
            return  # the change set's own reason is shown
        for event in events:
            if event.get("ValidationStatus") == "FAILED":
                what = f"{event.get('LogicalResourceId', '')} ({event.get('ResourceType', '')})"
                yield f"{what}: {event.get('ValidationStatusReason', event.get('ValidationName', ''))}"

    def _failed(self, change_set: ChangeSet, reasons: Sequence[str]) -> StackFailed:
        name = change_set.stack.split("/")[1] if "/" in change_set.stack else change_set.stack
        reason = cut(reasons[0], _SHOWN)
        return StackFailed(f"{name} in {self.place} failed: {reason}", remedy=remedy_for(reason))

    def _waiting(self, what: str) -> Iterator[None]:
        for number in range(_MOST_POLLS):
            yield
            self.sleep(_POLLS[min(number, len(_POLLS) - 1)])
        raise StackFailed(f"{what} in {self.place} takes too long", remedy=f"see CloudFormation's events; {AGAIN}")

    @contextmanager
    def _calling(self, action: str) -> Iterator[None]:
        with calling(f"{action} in {self.place}"):
            yield


class AwsCodeBucket(Struct, frozen=True):
    """See `CodeBucket`."""

    client: Any
    account: str
    region: str
    name: str

    @classmethod
    def of(cls, session: boto3.Session, account: str, region: str, name: str) -> "AwsCodeBucket":
        """A bucket in a region of the session's account."""
        return cls(session.client("s3", region_name=region, config=_CONFIG), account, region, name)

    def put(self, objects: Mapping[str, bytes]) -> int:
        place = {"Bucket": self.name, "ExpectedBucketOwner": self.account}
        with calling(f"the upload to s3://{self.name}"):
            pages = self.client.get_paginator("list_objects_v2").paginate(**place)
            there = {one["Key"] for page in pages for one in page.get("Contents", ())}
            missing = objects.keys() - there
            for key in sorted(missing):
                self.client.put_object(**place, Key=key, Body=objects[key])
        return len(missing)

    def url(self, key: str) -> str:
        return f"https://s3.{self.region}.amazonaws.com/{self.name}/{key}"


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Translate the SDK's errors; AWS's own words are quoted."""
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        text = f"{what}: {code}: {cut(message, _SHOWN)}"
        raise Failure(text, remedy=remedy_for(text), code="aws-refused") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: a malformed endpoint URL
        remedy = remedy_for(str(error), "check the network and the proxy, then run the same command again")
        raise Failure(f"{what}: {text_of(error)}", remedy=remedy, code="aws-unreachable") from error


def _live(found: Mapping[str, Any]) -> LiveStack:
    return LiveStack(
        found["StackStatus"],
        found.get("StackStatusReason", ""),
        {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())},
        {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        {one["Key"]: one["Value"] for one in found.get("Tags", ())},
        found["StackId"],
    )


def _change(one: Mapping[str, Any]) -> StackChange:
    return StackChange(
        one["Action"],
        one["LogicalResourceId"],
        one["ResourceType"],
        one.get("PhysicalResourceId", ""),
        one.get("Replacement") == "True",
    )


def _token(change_set: ChangeSet) -> str:
    """What CloudFormation marks the events of this operation with."""
    return change_set.id.split("changeSet/")[-1].split("/")[0]
