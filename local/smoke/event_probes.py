"""Questions about the way of an event: from a call in one account to a bus of another one.

The CI account plays the hub: it has a bus, and a queue that keeps what arrives there.
"""

import json
import statistics
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local.smoke.probes import Answer, Lab, Probe, pull
from local.smoke.throwaway import Side, code_and_text, document
from local.testing.waiting import NeverCame, until

_REPORTED = "AWS API Call via CloudTrail"
_IAM_REGION = "us-east-1"
_CALLS = 100
_PATIENCE = 10
"""CloudTrail may take minutes: how many times longer than other answers are waited for."""
_FIRST_PAGE_SECONDS = 30


@dataclass(slots=True)
class Listener:
    """A bus of the CI account, and the queue behind it that keeps what arrives."""

    lab: Lab
    bus: str
    queue: str
    arrived: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def opened(cls, lab: Lab, suffix: str) -> "Listener":
        """Create a bus that lets the registry's account in as template.yaml does."""
        places, side = lab.places, lab.places.ci
        name = f"{places.name}-{suffix}"
        events = side.client("events")
        bus = str(events.create_event_bus(Name=name)["EventBusArn"])
        places.register(f"bus {name}", lambda: events.delete_event_bus(Name=name))
        entry = {
            "Sid": "members",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{places.registry.account}:root"},
            "Action": "events:PutEvents",
            "Resource": bus,
            "Condition": {
                "ForAllValues:StringEquals": {
                    "events:source": ["aws.ecr", "aws.iam", "aws.events"],
                    "events:detail-type": [_REPORTED, "Scheduled Event"],
                },
            },
        }
        events.put_permission(EventBusName=name, Policy=document(entry))
        return cls.at(lab, suffix, name, bus)

    @classmethod
    def at(cls, lab: Lab, suffix: str, of: str, bus: str = "") -> "Listener":
        """Listen at a bus of this name that is there."""
        places, side, name = lab.places, lab.places.ci, f"{lab.places.name}-{suffix}"
        sqs = side.client("sqs")
        url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
        places.register(f"queue {name}", lambda: sqs.delete_queue(QueueUrl=url))
        arn = f"arn:aws:sqs:{side.region}:{side.account}:{name}"
        taken = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(taken | {"Resource": arn})})
        _rule(lab, side, name, {"source": [{"prefix": "aws."}]}, {"Id": "queue", "Arn": arn}, bus=of)
        return cls(lab, bus, url)

    def forward(self, suffix: str, pattern: dict[str, Any] | str, region: str = "", role: str = "") -> None:
        """A rule of the registry's account that sends here; raises ClientError. `pattern`: or a schedule."""
        registry = self.lab.places.registry
        side = Side(registry.account, region or registry.region, registry.session, registry.clients)
        arn = role or self._role(suffix)
        target = {"Id": "hub", "Arn": self.bus, "RoleArn": arn}

        def refused_for_the_role() -> bool:
            try:
                _rule(self.lab, side, f"{self.lab.places.name}-{suffix}", pattern, target)
            except ClientError as error:
                if role or "assume" not in code_and_text(error):  # a new role takes time to be seen
                    raise
                return True
            return False

        until(lambda: not refused_for_the_role(), self.lab.patience, "a rule with a new role", pause=self.lab.pause)

    def _role(self, suffix: str) -> str:
        places = self.lab.places
        trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
        name = places.role(suffix, trust)
        send = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": self.bus}
        places.registry.iam.put_role_policy(RoleName=name, PolicyName="send", PolicyDocument=document(send))
        return f"arn:aws:iam::{places.registry.account}:role/{name}"

    def look(self) -> list[dict[str, Any]]:
        """All events so far, each with the time at which it came into the queue under `came`."""
        sqs = self.lab.places.ci.client("sqs")
        where = {"QueueUrl": self.queue}
        asked = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["SentTimestamp"]}
        while messages := sqs.receive_message(**where, **asked).get("Messages", ()):
            for message in messages:
                came = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
                self.arrived.append({**json.loads(message["Body"]), "came": came})
                sqs.delete_message(**where, ReceiptHandle=message["ReceiptHandle"])
        return self.arrived

    def await_call(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """The events of so many calls; raises NeverCame."""

        def those() -> list[dict[str, Any]]:
            return [one for one in self.look() if one.get("detail", {}).get("eventName") == name]

        until(lambda: len(those()) >= count, self.lab.patience * _PATIENCE, f"{count} {name}", pause=self.lab.pause)
        return those()


def _rule(lab: Lab, side: Side, name: str, pattern: Any, target: dict[str, str], *, bus: str = "default") -> None:
    """A rule with one target; raises ClientError, also if AWS takes the rule and refuses the target."""
    events = side.client("events")
    when = {"ScheduleExpression": pattern} if isinstance(pattern, str) else {"EventPattern": json.dumps(pattern)}
    events.put_rule(Name=name, EventBusName=bus, **when)
    key = f"rule {name} on {bus} in {side.region}"

    def remove() -> None:
        events.remove_targets(Rule=name, EventBusName=bus, Ids=[target["Id"]])
        events.delete_rule(Name=name, EventBusName=bus)

    lab.places.register(key, remove)
    failed = events.put_targets(Rule=name, EventBusName=bus, Targets=[target])["FailedEntries"]
    if failed:
        words = str(failed[0].get("ErrorMessage", ""))
        raise ClientError({"Error": {"Code": str(failed[0].get("ErrorCode", "")), "Message": words}}, "PutTargets")


def _calls(*names: str, source: str = "ecr") -> dict[str, Any]:
    """The pattern of stacks/events.yaml for some calls."""
    return {"source": [f"aws.{source}"], "detail-type": [_REPORTED], "detail": {"eventName": list(names)}}


def _conditional_bus(lab: Lab) -> Answer:
    try:
        Listener.opened(lab, "conditions").forward("conditions-rule", _calls("SetRepositoryPolicy"))
    except ClientError as error:
        return Answer("refused", code_and_text(error))
    return Answer("accepted")


def _missing_role(lab: Lab) -> Answer:
    nobody = f"arn:aws:iam::{lab.places.registry.account}:role/{lab.places.name}-nobody"
    try:
        Listener.opened(lab, "roleless").forward("roleless-rule", _calls("SetRepositoryPolicy"), role=nobody)
    except ClientError as error:
        return Answer("refused", code_and_text(error))
    return Answer("accepted")


def _schedule(lab: Lab) -> Answer:
    hub = Listener.opened(lab, "schedule")
    hub.forward("schedule-rule", "rate(1 minute)")
    until(hub.look, max(3 * lab.patience, 20), "a scheduled event", pause=lab.pause)
    return Answer("it arrives", json.dumps(hub.arrived[0], default=str)[:300])


def _from_another_region(lab: Lab) -> Answer:
    hub = Listener.opened(lab, "region")
    hub.forward("region-rule", _calls("UpdateAssumeRolePolicy", source="iam"), region=_IAM_REGION)
    trust = {"Effect": "Deny", "Principal": {"AWS": lab.places.registry.account}, "Action": "sts:AssumeRole"}
    role = lab.places.role("region-role", trust)
    lab.places.registry.iam.update_assume_role_policy(RoleName=role, PolicyDocument=document(trust))
    return Answer("it arrives", f"after {_delays(hub.await_call('UpdateAssumeRolePolicy'))[0]:.0f} s")


def _read_by_a_plain_rule(lab: Lab) -> Answer:
    hub = Listener.opened(lab, "reads")
    hub.forward("reads-rule", _calls("BatchGetImage", "SetRepositoryPolicy"))
    where = {"registryId": lab.places.registry.account, "repositoryName": lab.repository}
    lab.places.registry.ecr.batch_get_image(**where, imageIds=[{"imageTag": "none"}])
    lab.write(pull({"AWS": lab.places.ci.account}))
    hub.await_call("SetRepositoryPolicy")  # as CloudTrail reports calls together, the other one is there by now or soon
    arrived = lab.wait_for(lambda: any(one["detail"]["eventName"] == "BatchGetImage" for one in hub.look()))
    return Answer("it arrives" if arrived else "it does not arrive")


def _a_hundred(lab: Lab) -> Answer:
    hub = Listener.opened(lab, "hundred")
    hub.forward("hundred-rule", _calls("SetRepositoryPolicy"))
    for number in range(_CALLS):
        lab.write(pull({"AWS": lab.places.ci.account}) | {"Sid": f"P{number}"})
    try:
        events = hub.await_call("SetRepositoryPolicy", _CALLS)
    except NeverCame:
        events = [one for one in hub.arrived if one.get("detail", {}).get("eventName") == "SetRepositoryPolicy"]
    if not events:
        raise NeverCame("none of the calls was reported: has the account a trail?")
    delays = _delays(events)
    words = f"{len(delays)} arrived; median {statistics.median(delays):.0f} s, slowest {delays[-1]:.0f} s"
    return Answer("all arrive" if len(delays) >= _CALLS else "some do not arrive", words)


def _delays(events: list[dict[str, Any]]) -> list[float]:
    """Seconds from each call to the queue, the shortest first."""
    called = [datetime.fromisoformat(str(one["detail"]["eventTime"])) for one in events]
    return sorted((one["came"] - at).total_seconds() for one, at in zip(events, called, strict=True))


def _look_up(lab: Lab) -> Answer:
    registry = lab.places.registry
    arn = f"arn:aws:ecr:{registry.region}:{registry.account}:repository/{lab.repository}"
    lab.write(pull({"AWS": lab.places.ci.account}))
    trail = registry.client("cloudtrail")

    def found() -> list[Any]:
        asked = [{"AttributeKey": "ResourceName", "AttributeValue": arn}]
        return list(trail.lookup_events(LookupAttributes=asked)["Events"])

    until(found, lab.patience * _PATIENCE, "an event of the repository", pause=max(lab.pause, 0.5))
    return Answer("found", ", ".join(sorted({one["EventName"] for one in found()})))


def _conditions_kept(lab: Lab) -> Answer:
    condition = {
        "StringLike": {"aws:PrincipalArn": [f"arn:aws:iam::{lab.places.ci.account}:role/b*", "arn:aws:iam::*:role/a*"]},
        "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
        "DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"},
        "Bool": {"aws:SecureTransport": True},
    }
    kept = json.loads(lab.write(pull({"AWS": lab.places.ci.account}, Condition=condition)))["Statement"][0]
    return Answer("kept" if kept["Condition"] == condition else "changed", json.dumps(kept["Condition"]))


def _first_page(lab: Lab) -> Answer:
    began = time.monotonic()
    page = lab.places.ci.client("iam").get_account_authorization_details(MaxItems=1000)
    seconds = time.monotonic() - began
    items = sum(len(page[name]) for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"))
    found = "in time" if seconds < _FIRST_PAGE_SECONDS else "too late"
    return Answer(found, f"{items} items after {seconds:.1f} s of {_FIRST_PAGE_SECONDS}")


EVENT_PROBES = (
    Probe("12.1", "does PutTargets take a bus whose policy has conditions?", "accepted", _conditional_bus),
    Probe("12.1", "does PutTargets take a role that does not exist?", "refused", _missing_role),
    Probe("12.1", "does a scheduled rule reach a bus of another account?", "it arrives", _schedule),
    Probe("4", "does a call that us-east-1 reports reach a bus of another region?", "it arrives", _from_another_region),
    Probe("12.1", "does BatchGetImage arrive by a plain rule?", "it arrives", _read_by_a_plain_rule),
    Probe("4", f"do {_CALLS} calls all reach EventBridge, and when?", "all arrive", _a_hundred),
    Probe("12.2", "does LookupEvents find a repository by its ARN?", "found", _look_up),
    Probe("1.6", "do conditions of a repository policy come back as sent?", "kept", _conditions_kept),
    Probe("2", "does a page of 1,000 of GetAccountAuthorizationDetails come in time?", "in time", _first_page),
)
