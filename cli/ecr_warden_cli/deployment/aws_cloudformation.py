"""CloudFormation and the bucket for code, as AWS has them.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from operator import itemgetter
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from ecr_warden_cli.deployment.drift import action_of
from ecr_warden_cli.deployment.ports import (
    ChangeSet,
    Instance,
    LiveStack,
    Proposal,
    StackChange,
    StackFailed,
)
from ecr_warden_cli.deployment.remedies import remedy_for
from ecr_warden_cli.terminal.aws_sessions import error_text
from ecr_warden_cli.terminal.context import Failure
from iam_access.text.printable import cut, listed

CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 8})
"""A person waits, and CloudFormation throttles whoever asks for many stacks."""
_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")
_POLLS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between two looks, the last of them until the end."""
_NOTHING = re.compile(
    r"(the submitted information (did ?n.t|does ?n.t) contain|(there (is|are) )?no) (updates|changes|drift)\b",
    re.IGNORECASE,
)
"""How AWS begins where a change set has nothing to do: within a sentence such words may stand in any other failure. How
it begins of one that reverts drift is not known."""
_SHOWN = 1000
"""Of an error: AWS names the policy that denies a call at the end."""
_REASONS = 5
"""Of a stack that fails: several names may be taken."""


class AwsStacks(Struct, frozen=True):
    """See `Stacks`."""

    client: Any
    place: str
    sleep: Callable[[float], None]

    def read(self, name: str) -> LiveStack | None:
        try:
            found = self._stack(name)
        except Failure as error:
            if "does not exist" in error.message:
                return None
            raise
        return None if found["StackStatus"] == "REVIEW_IN_PROGRESS" else _live(found)

    def settled(self, name: str) -> LiveStack | None:
        return self._awaited(lambda: self.read(name), lambda live: "" if live is None else live.status)

    def unfinished(self, sets: Sequence[str], call_as: str) -> Sequence[Instance]:
        return [
            Instance(name, one["Account"], one["Region"], status, one.get("StatusReason", ""))
            for name in sets
            for one in self._all("list_stack_instances", "Summaries", StackSetName=name, CallAs=call_as)
            if (status := one.get("StackInstanceStatus", {}).get("DetailedStatus", one["Status"])) != "SUCCEEDED"
        ]

    def template(self, name: str) -> str:
        body = self._call("get_template", StackName=name, TemplateStage="Processed")["TemplateBody"]
        # botocore parses a template that is JSON.
        return body if isinstance(body, str) else json.dumps(body)

    def propose(self, proposal: Proposal) -> ChangeSet:
        kind: dict[str, Any] = {"ChangeSetType": "CREATE", "OnStackFailure": "DELETE"}
        if self.read(proposal.name) is not None:
            kind = {"ChangeSetType": "UPDATE", **({"DeploymentMode": "REVERT_DRIFT"} if proposal.repairs else {})}
        elif proposal.takes:
            kind = {"ChangeSetType": "IMPORT", "ResourcesToImport": proposal.takes}
        answer = self._call(
            "create_change_set",
            StackName=proposal.name,
            ChangeSetName=proposal.id,
            Capabilities=_CAPABILITIES,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in proposal.parameters.items()],
            Tags=[{"Key": key, "Value": value} for key, value in proposal.tags.items()],
            **kind,
            **({"TemplateURL": proposal.url} if proposal.url else {"TemplateBody": proposal.template}),
        )
        return ChangeSet(answer["Id"], answer["StackId"])

    def changes(self, change_set: ChangeSet) -> Sequence[StackChange] | None:
        name = {"ChangeSetName": change_set.id, "StackName": change_set.stack}
        found = self._awaited(lambda: self._call("describe_change_set", **name), itemgetter("Status"))
        reason = found.get("StatusReason", "")
        if found["Status"] == "FAILED" and _NOTHING.match(reason):
            return None
        if found["Status"] != "CREATE_COMPLETE":
            reasons = [*self._validations(ChangeSetName=change_set.id)]
            raise self._failed(change_set, reasons or [f"the change set: {reason}"])
        every = self._all("describe_change_set", "Changes", IncludePropertyValues=True, **name)
        found = [one["ResourceChange"] for one in every if "ResourceChange" in one]
        changes = [_change(one, action) for one in found if (action := action_of(one))]
        return changes if changes or not found else None

    def execute(self, change_set: ChangeSet) -> None:
        name, token = {"ChangeSetName": change_set.id, "StackName": change_set.stack}, _token(change_set)
        self._call("execute_change_set", **name, ClientRequestToken=token)

    def finished(self, change_set: ChangeSet) -> LiveStack:
        return _live(self._ended(change_set, "CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"))

    def discard(self, proposal: Proposal) -> None:
        name = {"ChangeSetName": proposal.id, "StackName": proposal.name}
        # CloudFormation deletes none that it still works out.
        self._awaited(lambda: self._call("describe_change_set", **name), itemgetter("Status"))
        self._call("delete_change_set", **name)
        # Of a stack that was never made it is all that there is.
        if self._stack(proposal.name)["StackStatus"] == "REVIEW_IN_PROGRESS":
            self._call("delete_stack", StackName=proposal.name)

    def delete(self, name: str) -> ChangeSet:
        token, stack = f"ecr-warden-{uuid.uuid4()}", self._stack(name)["StackId"]
        self._call("delete_stack", StackName=name, ClientRequestToken=token)
        return ChangeSet(f"changeSet/{token}", stack)

    def deleted(self, deletion: ChangeSet) -> None:
        self._ended(deletion, "DELETE_COMPLETE")

    def _ended(self, change_set: ChangeSet, *well: str) -> Any:
        """The stack once nothing is under way; raises StackFailed with what failed first in this operation."""
        found = self._awaited(lambda: self._stack(change_set.stack), itemgetter("StackStatus"))
        if found["StackStatus"] not in well:
            reasons = (*self._reasons(change_set), *self._validations(StackName=change_set.stack))
            raise self._failed(change_set, reasons or [f"the stack is {found['StackStatus']}"])
        return found

    def _reasons(self, change_set: ChangeSet) -> Iterator[str]:
        """Of what failed in this operation, the first first; what failed because of others is left out."""
        for event in reversed(self._all("describe_stack_events", "StackEvents", StackName=change_set.stack)):
            reason = event.get("ResourceStatusReason", "")
            if (
                event.get("ClientRequestToken") == _token(change_set)
                and event["ResourceStatus"].endswith("FAILED")
                and "cancelled" not in reason
                and event["PhysicalResourceId"] != event["StackId"]
            ):
                yield f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"

    def _validations(self, **of: str) -> Iterator[str]:
        """What CloudFormation's own checks found in the last operation; without the right to read them, nothing."""
        with suppress(Failure):
            events = self._all("describe_events", "OperationEvents", **of)
            for one in events:
                if one.get("ValidationStatus") == "FAILED" and one.get("OperationId") == events[0].get("OperationId"):
                    what = f"{one.get('LogicalResourceId', '')} ({one.get('ResourceType', '')})"
                    yield f"{what}: {one.get('ValidationStatusReason', one.get('ValidationName', ''))}"

    def _failed(self, change_set: ChangeSet, reasons: Sequence[str]) -> StackFailed:
        text = f"{change_set.stack.split('/')[1]} in {self.place} failed: "
        every = [*dict.fromkeys(cut(reason, _SHOWN).rstrip(".") for reason in reasons)]
        # What fails later may follow from the first.
        return StackFailed(f"{text}{listed(every, _REASONS, separator='; ')}", remedy=remedy_for(f"{text}{every[0]}"))

    def _stack(self, name: str) -> Any:
        [found] = self._call("describe_stacks", StackName=name)["Stacks"]
        return found

    def _awaited[T](self, look: Callable[[], T], status_of: Callable[[T], str]) -> T:
        """What is looked at, once its status is no longer one of being under way.

        There is no last look, as an organization takes hours, and whoever leaves comes back.
        """
        pauses = chain(_POLLS, repeat(_POLLS[-1]))
        while status_of(found := look()).endswith(("PENDING", "IN_PROGRESS")):
            self.sleep(next(pauses))
        return found

    def _call(self, operation: str, **given: Any) -> Any:
        with calling(f"{operation.replace('_', ' ')} in {self.place}"):
            return getattr(self.client, operation)(**given)

    def _all(self, operation: str, entries: str, **given: Any) -> list[Any]:
        with calling(f"{operation.replace('_', ' ')} in {self.place}"):
            pages = self.client.get_paginator(operation).paginate(**given)
            return [entry for page in pages for entry in page.get(entries, ())]


class AwsCodeBucket(Struct, frozen=True):
    """See `CodeBucket`."""

    client: Any
    region: str
    place: Mapping[str, str]
    """Its name and owner, as S3's calls take them."""

    def lacking(self, objects: Mapping[str, bytes]) -> Mapping[str, bool]:
        with calling(f"listing s3://{self.place['Bucket']}"):
            pages = self.client.get_paginator("list_objects_v2").paginate(**self.place)
            there = {one["Key"]: one["ETag"].strip('"') for page in pages for one in page.get("Contents", ())}
        # A key alone proves nothing: who knows those of the next version could have put something else there.
        return {key: key in there for key, data in sorted(objects.items()) if there.get(key) != _etag(data)}

    def put(self, objects: Mapping[str, bytes]) -> int:
        missing = self.lacking(objects)
        with calling(f"the upload to s3://{self.place['Bucket']}"):
            for key in missing:
                self.client.put_object(**self.place, Key=key, Body=objects[key])
        return len(missing)

    def url(self, key: str) -> str:
        return f"https://s3.{self.region}.amazonaws.com/{self.place['Bucket']}/{key}"


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
        raise Failure(
            f"{what}: {error_text(error)}",
            remedy=remedy_for(str(error), "check the network and the proxy, then run the same command again"),
            code="aws-unreachable",
        ) from error


def _live(found: Mapping[str, Any]) -> LiveStack:
    return LiveStack(
        found["StackStatus"],
        {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())},
        {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        {one["Key"]: one["Value"] for one in found.get("Tags", ())},
        found["StackId"],
        found.get("Description", ""),
    )


def _change(one: Mapping[str, Any], action: str) -> StackChange:
    return StackChange(
        action,
        one["LogicalResourceId"],
        one["ResourceType"],
        one.get("PhysicalResourceId", ""),
        one.get("Replacement") == "True",
    )


def _etag(data: bytes) -> str:
    """Of an object under S3's own key that was put in one piece; any other has another, and is put again."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _token(change_set: ChangeSet) -> str:
    """What CloudFormation marks the events of this operation with."""
    return change_set.id.split("changeSet/")[-1].split("/")[0]
