"""The wiring as AWS has it: deployed on moto as the templates say, then cut, wire by wire."""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import replace
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from ecr_warden.collect.aws_wiring import TRAILS_READ, AwsWiring
from ecr_warden.collect.stacks import content_of
from ecr_warden.collect.wire import Wire, WireState
from ecr_warden.collect.wiring import PASSING, TRAIL_BUS, SeenWire
from ecr_warden.collect.wiring_verdicts import (
    HUB_RULES,
    TOPICS,
    UNDELIVERED,
    account_wires,
    hub_wires,
    region_wires,
    rules_of,
)
from iam_access.arn import IAM_REGION
from local.testing.memory import wiring as deployed_as
from local.testing.memory.wiring import HUB, PARAMETERS
from tests.contracts.aws import REGION, Call, moto
from tests.contracts.hubs import SPEC_BUCKET, MotoHub

MEMBER = "222222222222"
EVENTS = "arn:aws:cloudformation:us-east-1:111111111111:stack/ecr-warden-events/1"  # as the rules name it
STACK = f"arn:aws:cloudformation:{REGION}:{MEMBER}:stack/ecr-warden-member/1"


@dataclass(slots=True)
class Members:
    """The member accounts are the one of moto; each call's region counts."""

    hub: MotoHub

    def reader(self, account: str) -> "Members":
        assert account == MEMBER
        return self

    def writer(self, account: str, run_id: str, session_policy: str) -> "Members":
        raise AssertionError("nothing is written")

    @property
    def iam(self) -> Any:
        raise AssertionError("roles are read from the survey")

    bulk_iam = iam

    def ecr(self, region: str) -> Any:
        raise AssertionError("no repository is read")

    def of(self, service: str, region: str) -> Any:
        return self.hub.client(service, region)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoHub]:
    """A hub and a member without rules and trails, for what needs none: to make them takes longer than a test."""
    with moto(monkeypatch):
        made = MotoHub()
        # As S3 and Lambda answer; moto forgets the one and wants built functions for the other.
        made.wire.answer("s3:GetBucketNotificationConfiguration", lambda _: {"EventBridgeConfiguration": {}})
        made.wire.answer("lambda:ListEventSourceMappings", lambda call: mappings(call.parameters["FunctionName"]))
        made.wire.answer("sns:ListSubscriptionsByTopic", lambda _: {"Subscriptions": [SUBSCRIBED]})
        answer_stacks(made, STACKS)
        yield made


@pytest.fixture
def hub(bare: MotoHub) -> MotoHub:
    """A hub and two regions of a member as the stacks make them."""
    for wire in deployed_as.hub():
        deploy(bare, wire, REGION)
    for region in (REGION, IAM_REGION):
        for wire in deployed_as.region_of(MEMBER, region):
            deploy(bare, wire, region)
    return bare


SUBSCRIBED = {"Protocol": "email", "Endpoint": "team@example.com", "SubscriptionArn": "arn:aws:sns:eu-central-1:1:t:1"}
PENDING = SUBSCRIBED | {"SubscriptionArn": "PendingConfirmation"}
ON, UNCONFIRMED = WireState.ON, WireState.UNCONFIRMED
# What SNS lists of a topic, page by page; the state of the subscription.
SUBSCRIPTIONS: dict[str, tuple[list[list[dict[str, str]]], WireState]] = {
    "the address, in other letters": ([[SUBSCRIBED]], ON),
    "on a second page": ([[PENDING | {"Endpoint": "other@example.com"}], [SUBSCRIBED]], ON),
    "beside one that waits": ([[PENDING, SUBSCRIBED]], ON),
    "one that waits, or was suspended": ([[PENDING]], UNCONFIRMED),
    "one that was deleted a moment ago": ([[SUBSCRIBED | {"SubscriptionArn": "Deleted"}]], UNCONFIRMED),
    "none": ([[]], UNCONFIRMED),
    "somebody else's address": ([[SUBSCRIBED | {"Endpoint": "eve@example.com"}]], UNCONFIRMED),
    "the address as another protocol's": ([[SUBSCRIBED | {"Protocol": "sms"}]], UNCONFIRMED),
}


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
def test_an_e_mail_subscription_is_on_if_its_own_address_confirmed_it(bare: MotoHub, name: str) -> None:
    pages, state = SUBSCRIPTIONS[name]

    def listed(call: Call) -> dict[str, Any]:
        at = int(call.parameters.get("NextToken", "0"))
        return {"Subscriptions": pages[at]} | ({"NextToken": str(at + 1)} if at + 1 < len(pages) else {})

    bare.wire.answer("sns:ListSubscriptionsByTopic", listed)
    assert {topic: of_hub(bare)[f"e-mail subscription of {topic}"].state for topic in TOPICS} == dict.fromkeys(
        TOPICS, state
    )


# What SNS says instead; the state.
UNLISTED = {
    "NotFound": WireState.MISSING,
    "AuthorizationError": WireState.UNREADABLE,
    "Throttled": WireState.UNREADABLE,
}


@pytest.mark.parametrize("code", UNLISTED)
def test_a_topic_that_is_gone_is_missing_and_one_that_cannot_be_read_is_unknown(bare: MotoHub, code: str) -> None:
    bare.wire.answers.pop("sns:ListSubscriptionsByTopic")
    bare.wire.fail("sns:ListSubscriptionsByTopic", code)
    assert {of_hub(bare)[f"e-mail subscription of {topic}"].state for topic in TOPICS} == {UNLISTED[code]}


def test_without_an_address_no_subscription_is_looked_for(bare: MotoHub) -> None:
    wiring = replace(wiring_of(bare), place=replace(HUB, email=""))
    assert not [seen.name for seen in wiring.hub() if seen.name.startswith("e-mail")]
    assert "sns:ListSubscriptionsByTopic" not in bare.wire.actions


def mappings(function: str, state: str = "Enabled") -> dict[str, Any]:
    """What Lambda lists."""
    names = [wire.name.split(" ") for wire in deployed_as.hub() if wire.name.startswith("mapping of")]
    queues = [name[2] for name in names if name[4] == function]
    arns = [f"arn:aws:sqs:{REGION}:{HUB.account}:{queue}" for queue in queues]
    return {"EventSourceMappings": [{"EventSourceArn": arn, "State": state} for arn in arns]}


def deploy(hub: MotoHub, wire: SeenWire, region: str) -> None:
    client = Members(hub).of
    match wire.name.split(" "):
        case ["rule", name, *_]:
            assert wire.found is not None
            put_rule(client("events", region), name, bus_of(name), wire.found)
        case ["policy", "of", "bus", bus]:
            assert wire.found is not None
            policy = json.dumps(with_version(wire.found["policy"]))
            client("events", region).put_permission(EventBusName=bus, Policy=policy)
        case ["policy", "of", "bucket", _]:
            assert wire.found is not None
            hub.s3.put_bucket_policy(Bucket=SPEC_BUCKET, Policy=json.dumps(wire.found["policy"]))
        case ["queue", name, *_]:
            client("sqs", region).create_queue(QueueName=name)
        case ["trail", *_]:
            put_trail(client("cloudtrail", region))
        case _:
            return


def with_version(policy: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", **policy}


def bus_of(rule: str) -> str:
    return next((one.bus for one in HUB_RULES if one.name == rule), "default")


def put_rule(events: Any, name: str, bus: str, found: Mapping[str, Any]) -> None:
    if bus != "default" and bus not in [one["Name"] for one in events.list_event_buses()["EventBuses"]]:
        events.create_event_bus(Name=bus)
    what = {"ScheduleExpression": found["schedule"]} if found["schedule"] else {}
    what |= {"EventPattern": json.dumps(found["pattern"])} if found["pattern"] else {}
    events.put_rule(Name=name, EventBusName=bus, Description=found["stack"], **what)
    targets = [{key: one[key] for key in ("Id", "Arn", "RoleArn") if key in one} for one in found["targets"]]
    events.put_targets(Rule=name, EventBusName=bus, Targets=targets)


def put_trail(cloudtrail: Any) -> None:
    """In each region, for moto finds no trail of another one; with AWS's selectors of a new one, which moto lacks."""
    settings = {"IsMultiRegionTrail": False, "IncludeGlobalServiceEvents": True}
    cloudtrail.create_trail(Name="all", S3BucketName=SPEC_BUCKET, **settings)
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True}
    cloudtrail.put_event_selectors(TrailName="all", EventSelectors=[selector])
    cloudtrail.start_logging(Name="all")


def stack(name: str, parameters: Mapping[str, str], content: str = "") -> dict[str, Any]:
    """As DescribeStacks answers."""
    return {
        "StackName": name,
        "CreationTime": "2026-11-24T10:00:00Z",
        "StackStatus": "UPDATE_COMPLETE",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Outputs": [{"OutputKey": "Content", "OutputValue": content}] if content else [],
    }


STACKS = {
    HUB.stack: stack("ecr-warden", PARAMETERS),
    EVENTS: stack("ecr-warden-events", {}, content_of("events").digest),
    STACK: stack("ecr-warden-member", deployed_as.OF_MEMBER, content_of("member").digest),
}


def answer_stacks(hub: MotoHub, stacks: Mapping[str, Any]) -> None:
    """moto makes stacks, but not under IDs that are known before."""
    hub.wire.answer("cloudformation:DescribeStacks", lambda call: {"Stacks": [stacks[call.parameters["StackName"]]]})


KEPT = f"queue {UNDELIVERED}"
SERVICES = {"events": "events", "s3": "s3", "functions": "lambda", "sns": "sns"}


def wiring_of(hub: MotoHub) -> AwsWiring:
    clients = {name: hub.client(service) for name, service in SERVICES.items()}
    return AwsWiring(cloudformation=hub.client("cloudformation"), accounts=Members(hub), place=HUB, **clients)


def of_hub(hub: MotoHub) -> dict[str, Wire]:
    return {wire.name: wire for wire in hub_wires(wiring_of(hub).hub(), HUB)}


def of_region(hub: MotoHub, region: str = REGION) -> dict[str, Wire]:
    wires = region_wires(wiring_of(hub).region(MEMBER, region), MEMBER, region, HUB)
    return {wire.name.removesuffix(f" of {MEMBER} in {region}"): wire for wire in wires}


def off(wires: Mapping[str, Wire]) -> dict[str, WireState]:
    return {name: wire.state for name, wire in wires.items() if wire.state is not WireState.ON}


def test_what_the_stacks_make_is_on(hub: MotoHub) -> None:
    assert off(of_hub(hub)) == {}
    assert of_hub(hub).keys() == {wire.name for wire in deployed_as.hub()}
    assert (off(of_region(hub)), off(of_region(hub, IAM_REGION))) == ({}, {})
    assert of_hub(hub)["rule ecr-warden-sweep"].schedule == "rate(15 minutes)"


RULES = [wire.name.split(" ")[1] for wire in deployed_as.hub() if wire.name.startswith("rule")]
ELSEWHERE = f"arn:aws:lambda:{REGION}:{HUB.account}:function:mine"

_LESS = (WireState.DISABLED, WireState.TARGETLESS, WireState.CHANGED)
CUT = [WireState.MISSING, *(pytest.param(one, marks=pytest.mark.thorough) for one in _LESS)]


@pytest.mark.parametrize("state", CUT)
def test_a_cut_rule_of_the_hub_is_found_and_the_others_are_on(hub: MotoHub, state: WireState) -> None:
    for number, rule in enumerate(RULES, 1):
        cut(hub.client("events"), rule, state)
        assert off(of_hub(hub)) == {f"rule {name}": state for name in RULES[:number]}


@pytest.mark.parametrize("state", CUT)
def test_a_cut_rule_of_a_member_is_found_and_the_others_are_on(hub: MotoHub, state: WireState) -> None:
    names = [rule.name for rule in rules_of(IAM_REGION)]
    for number, rule in enumerate(names, 1):
        cut(Members(hub).of("events", IAM_REGION), rule, state)
        found = off(of_region(hub, IAM_REGION))
        found.pop("stack of the events", None)  # once its last rule is gone, nothing names it
        assert found == {f"rule {name}": state for name in names[:number]}


def cut(events: Any, rule: str, state: WireState) -> None:
    where = {"EventBusName": bus_of(rule)}
    match state:
        case WireState.DISABLED:
            events.disable_rule(Name=rule, **where)
        case WireState.CHANGED:
            events.put_targets(Rule=rule, **where, Targets=[{"Id": "2", "Arn": ELSEWHERE}])
        case _:
            targets = events.list_targets_by_rule(Rule=rule, **where)["Targets"]
            events.remove_targets(Rule=rule, Ids=[one["Id"] for one in targets], **where)
            if state is WireState.MISSING:
                events.delete_rule(Name=rule, **where)


def test_another_pattern_or_schedule_is_found(hub: MotoHub) -> None:
    events, pattern = hub.client("events"), json.dumps({"source": ["aws.ecr"]})
    events.put_rule(Name="ecr-warden-trail", EventBusName=TRAIL_BUS, EventPattern=pattern)
    events.put_rule(Name="ecr-warden-sweep", ScheduleExpression="rate(7 days)")
    found = of_hub(hub)
    assert off(found) == {"rule ecr-warden-trail": WireState.CHANGED, "rule ecr-warden-sweep": WireState.CHANGED}
    assert [found[name].why for name in off(found)] == ["pattern", "schedule"]


UNKNOWN_TOKEN = ("InvalidClientTokenId", "The security token included in the request is invalid", 403)


@pytest.mark.parametrize(
    ("region", "code", "says"),
    [
        (IAM_REGION, "account-unreachable", "the account is suspended or closed"),
        (REGION, "region-disabled", "the region is not enabled in the account"),
    ],
)
def test_credentials_that_aws_knows_no_more_mean_a_region_only_where_one_may_be_off(
    hub: MotoHub, region: str, code: str, says: str
) -> None:
    hub.wire.fail("events:DescribeRule", *UNKNOWN_TOKEN)
    found = of_region(hub, region)["rule ecr-warden-forward-ecr"]
    assert (found.mark, says in found.why) == (f"unreadable {code}", True)


def unnotified(hub: MotoHub) -> None:
    hub.wire.answer("s3:GetBucketNotificationConfiguration", lambda _: {})


def suspended(hub: MotoHub) -> None:
    hub.unversion()


def another_bucket_policy(hub: MotoHub) -> None:
    objects = f"arn:aws:s3:::{SPEC_BUCKET}/*"
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": objects}
    hub.s3.put_bucket_policy(Bucket=SPEC_BUCKET, Policy=json.dumps(with_version({"Statement": [statement]})))


def no_bucket_policy(hub: MotoHub) -> None:
    hub.s3.delete_bucket_policy(Bucket=SPEC_BUCKET)


def closed_bus(hub: MotoHub) -> None:
    hub.client("events").remove_permission(EventBusName=TRAIL_BUS, RemoveAllPermissions=True)


def unpolled(hub: MotoHub) -> None:
    def disabled(call: Call) -> dict[str, Any]:
        return mappings(call.parameters["FunctionName"], "Disabled")

    hub.wire.answer("lambda:ListEventSourceMappings", disabled)


def unmapped(hub: MotoHub) -> None:
    hub.wire.answer("lambda:ListEventSourceMappings", lambda _: {"EventSourceMappings": []})


MAPPINGS = [wire.name for wire in deployed_as.hub() if wire.name.startswith("mapping of")]
CUTS: dict[str, tuple[Callable[[MotoHub], None], dict[str, WireState]]] = {
    "the notification is removed": (unnotified, {"notification of s3://spec to EventBridge": WireState.MISSING}),
    "versioning is suspended": (suspended, {"versioning of s3://spec": WireState.DISABLED}),
    "another bucket policy": (another_bucket_policy, {"policy of bucket s3://spec": WireState.CHANGED}),
    "no bucket policy": (no_bucket_policy, {"policy of bucket s3://spec": WireState.MISSING}),
    "a bus that admits nobody": (closed_bus, {f"policy of bus {TRAIL_BUS}": WireState.MISSING}),
    "mappings that are disabled": (unpolled, dict.fromkeys(MAPPINGS, WireState.DISABLED)),
    "mappings that are deleted": (unmapped, dict.fromkeys(MAPPINGS, WireState.MISSING)),
}


@pytest.mark.parametrize("name", CUTS)
def test_each_cut_of_the_hub_is_found_by_itself(hub: MotoHub, name: str) -> None:
    cut_it, states = CUTS[name]
    cut_it(hub)
    assert off(of_hub(hub)) == states


def test_what_may_not_be_read_is_unknown(hub: MotoHub) -> None:
    for action in ("events:DescribeRule", "events:DescribeEventBus", "lambda:ListEventSourceMappings"):
        hub.wire.fail(action, "AccessDeniedException", "no")
    hub.wire.answers.pop("s3:GetBucketNotificationConfiguration")
    hub.wire.answers.pop("lambda:ListEventSourceMappings")
    hub.wire.answers.pop("sns:ListSubscriptionsByTopic")
    hub.wire.fail("sns:ListSubscriptionsByTopic", "AuthorizationError", "no", 403)
    for action in ("s3:GetBucketNotificationConfiguration", "s3:GetBucketVersioning", "s3:GetBucketPolicy"):
        hub.wire.fail(action, "AccessDenied", "no", 403)
    found = of_hub(hub)
    assert off(found) == dict.fromkeys(found.keys() - {"stack of the hub"}, WireState.UNREADABLE)
    for action in ("cloudtrail:DescribeTrails", "sqs:GetQueueAttributes"):
        hub.wire.fail(action, "AccessDeniedException", "no")
    in_region = of_region(hub)
    assert off(in_region) == dict.fromkeys(in_region, WireState.UNREADABLE)
    assert {wire.mark for wire in in_region.values()} == {"unreadable permission-missing"}


def test_what_may_be_read_within_a_minute_is_marked_as_passing(hub: MotoHub) -> None:
    hub.wire.fail("events:DescribeEventBus", "ThrottlingException", "slow down")
    assert of_hub(hub)[f"policy of bus {TRAIL_BUS}"].mark == PASSING


def stopped(hub: MotoHub, region: str) -> None:
    Members(hub).of("cloudtrail", region).stop_logging(Name="all")


def deleted(hub: MotoHub, region: str) -> None:
    Members(hub).of("cloudtrail", region).delete_trail(Name="all")


def reads_only(hub: MotoHub, region: str) -> None:
    selector = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
    Members(hub).of("cloudtrail", region).put_event_selectors(TrailName="all", EventSelectors=[selector])


def data_only(hub: MotoHub, region: str) -> None:
    objects = {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}
    fields = [{"Field": "eventCategory", "Equals": ["Data"]}, objects]
    selectors = [{"Name": "data", "FieldSelectors": fields}]
    Members(hub).of("cloudtrail", region).put_event_selectors(TrailName="all", AdvancedEventSelectors=selectors)


TRAILS: dict[str, tuple[Callable[[MotoHub, str], None], WireState, str]] = {
    "logging is stopped": (stopped, WireState.DISABLED, "all of eu-central-1 does not log"),
    "the trail is deleted": (deleted, WireState.MISSING, ""),
    "it selects reads alone": (reads_only, WireState.MISSING, "all selects no management events that write"),
    "it selects data events alone": (data_only, WireState.MISSING, "all selects no management events that write"),
}


@pytest.mark.parametrize("name", TRAILS)
def test_a_trail_that_reports_no_writes_is_found(hub: MotoHub, name: str) -> None:
    spoil, state, why = TRAILS[name]
    spoil(hub, REGION)
    found = of_region(hub)
    assert (off(found), found["trail"].why) == ({"trail": state}, why)


# What a member sees of an organization's trail: code of GetEventSelectors's error, of GetTrailStatus's, the state.
ORGANIZATIONS: dict[str, tuple[str, str, WireState]] = {
    "all of it": ("", "", WireState.ON),
    "whether it logs": ("TrailNotFoundException", "", WireState.ON),
    "whether it logs, by a role that may not read more": ("AccessDeniedException", "", WireState.ON),
    "what it selects": ("", "TrailNotFoundException", WireState.UNREADABLE),
}


@pytest.mark.parametrize("name", ORGANIZATIONS)
@pytest.mark.parametrize("has_default", [True, False])
def test_of_an_organizations_trail_each_call_fails_alone(bare: MotoHub, name: str, *, has_default: bool) -> None:
    selectors, status, state = ORGANIZATIONS[name]
    arn = "arn:aws:cloudtrail:eu-central-1:333333333333:trail/all"
    trail = {
        "Name": "all",
        "TrailARN": arn,
        "HomeRegion": "eu-central-1",
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "IsOrganizationTrail": True,
        "HasCustomEventSelectors": not has_default,
    }
    chosen = {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "WriteOnly"}]}
    bare.wire.answer("cloudtrail:DescribeTrails", lambda _: {"trailList": [trail]})
    for action, code, answer in (
        ("cloudtrail:GetEventSelectors", selectors, chosen),
        ("cloudtrail:GetTrailStatus", status, {"IsLogging": True}),
    ):
        bare.wire.fail(action, code, "no") if code else bare.wire.answer(action, partial(_answered, answer))
    wire = of_region(bare)["trail"]
    assert (wire.state, wire.why == arn) == (state, bool(selectors) and not has_default)


def _answered(answer: dict[str, Any], _call: Call) -> dict[str, Any]:
    return answer


def test_of_many_trails_a_bounded_number_is_read(hub: MotoHub) -> None:
    one = {"Name": "t", "TrailARN": "arn", "IsMultiRegionTrail": False, "HomeRegion": "elsewhere"}
    hub.wire.answer("cloudtrail:DescribeTrails", lambda _: {"trailList": [one] * 20})
    hub.wire.answer("cloudtrail:GetTrailStatus", lambda _: {"IsLogging": True})
    hub.wire.answer("cloudtrail:GetEventSelectors", lambda _: {"EventSelectors": []})
    assert off(of_region(hub)) == {"trail": WireState.MISSING}
    assert hub.wire.actions.count("cloudtrail:GetTrailStatus") == TRAILS_READ


def test_a_region_takes_a_counted_number_of_calls(hub: MotoHub) -> None:
    wiring = wiring_of(hub)
    for region, calls in ((REGION, 13), (IAM_REGION, 15)):
        hub.wire.calls.clear()
        wiring.region(MEMBER, region)
        assert len(hub.wire.calls) == calls


def test_what_rules_could_not_deliver_is_counted_and_its_queue_belongs_there(hub: MotoHub) -> None:
    sqs = Members(hub).of("sqs", REGION)
    url = sqs.get_queue_url(QueueName=UNDELIVERED)["QueueUrl"]
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="{}")
    found = of_region(hub)
    assert (off(found), found[KEPT].why) == ({KEPT: WireState.UNDELIVERED}, "2 events")
    assert of_region(hub, IAM_REGION)[KEPT].state is WireState.ON
    sqs.delete_queue(QueueUrl=url)
    assert off(of_region(hub)) == {KEPT: WireState.MISSING}


def test_a_stack_of_another_version_is_outdated_and_its_rules_are_judged_by_their_state_alone(hub: MotoHub) -> None:
    events = Members(hub).of("events", REGION)
    answer_stacks(hub, STACKS | {EVENTS: stack("ecr-warden-events", {}, "older")})
    cut(events, "ecr-warden-forward-ecr", WireState.TARGETLESS)
    cut(events, "ecr-warden-heartbeat", WireState.DISABLED)
    assert off(of_region(hub)) == {
        "stack of the events": WireState.OUTDATED,
        "rule ecr-warden-heartbeat": WireState.DISABLED,
    }


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS"])
def test_a_stack_in_a_failed_state_is_found(hub: MotoHub, status: str) -> None:
    answer_stacks(hub, {one: body | {"StackStatus": status} for one, body in STACKS.items()})
    assert off(of_hub(hub)) == {"stack of the hub": WireState.CHANGED}
    assert off(of_region(hub)) == {"stack of the events": WireState.CHANGED}
    assert off(of_account(hub, surveyed())) == {f"stack of the member {MEMBER}": WireState.CHANGED}


def test_a_deleted_stack_is_missing(hub: MotoHub) -> None:
    hub.wire.answers.pop("cloudformation:DescribeStacks")
    hub.wire.fail("cloudformation:DescribeStacks", "ValidationError", "Stack with id x does not exist")
    assert off(of_hub(hub))["stack of the hub"] is WireState.MISSING
    assert off(of_region(hub)) == {"stack of the events": WireState.MISSING}


def test_rules_without_a_stack_belong_to_none(hub: MotoHub) -> None:
    for rule in rules_of(REGION):
        cut(Members(hub).of("events", REGION), rule.name, WireState.MISSING)
    names = [f"rule {rule.name}" for rule in rules_of(REGION)]
    assert off(of_region(hub)) == dict.fromkeys([*names, "stack of the events"], WireState.MISSING)


def surveyed() -> dict[str, Any]:
    """The account's entry as a survey reads it when all is as deployed."""
    roles: list[dict[str, Any]] = []
    policies: list[dict[str, Any]] = []
    for wire in deployed_as.account_of(MEMBER):
        match wire.name.split(" "), wire.found:
            case ["role", name, *_], dict(found):
                inline = [{"PolicyName": one, "PolicyDocument": body} for one, body in found["inline"].items()]
                roles.append(
                    {
                        "RoleName": name,
                        "AssumeRolePolicyDocument": found["trust"],
                        "RolePolicyList": inline,
                        "AttachedManagedPolicies": [{"PolicyArn": arn} for arn in found["attached"]],
                        "Tags": [{"Key": "ecr-warden-stack", "Value": STACK}] if name == "ecr-warden-read" else [],
                    }
                )
            case ["policy", name, *_], dict(found):
                arn = f"arn:aws:iam::{MEMBER}:policy/ecr-warden/{name}"
                default = {"IsDefaultVersion": True, "Document": found["policy"]}
                versions = [{"IsDefaultVersion": False, "Document": {}}, default]
                policies.append({"Arn": arn, "PolicyVersionList": versions})
    return {"iam": {"RoleDetailList": roles, "Policies": policies}}


def of_account(hub: MotoHub, entry: Mapping[str, Any] | None) -> dict[str, Wire]:
    wires = account_wires(wiring_of(hub).account(MEMBER, entry), MEMBER, HUB)
    return {wire.name.removesuffix(f" in {MEMBER}"): wire for wire in wires}


def test_roles_and_boundary_as_deployed_are_on_and_cost_one_call(bare: MotoHub) -> None:
    bare.wire.calls.clear()
    found = of_account(bare, surveyed())
    assert off(found) == {}
    assert {name for name in found if name.startswith(("role", "policy"))} == {
        *("role ecr-warden-read", "role ecr-warden-write", "role ecr-warden-forward", "policy ecr-warden-boundary")
    }
    assert bare.wire.actions.count("cloudformation:DescribeStacks") == 1


def test_a_role_that_names_no_stack_or_nonsense_has_none(bare: MotoHub) -> None:
    for tags in ([], [{"Key": "ecr-warden-stack", "Value": "x"}], [{"Key": "other", "Value": STACK}]):
        entry = surveyed()
        entry["iam"]["RoleDetailList"][0]["Tags"] = tags
        assert off(of_account(bare, entry)) == {f"stack of the member {MEMBER}": WireState.MISSING}


def test_an_account_that_was_not_surveyed_is_unknown(bare: MotoHub) -> None:
    for entry in (None, {"unread": [{"what": "iam:GetAccountAuthorizationDetails", "code": "permission-missing"}]}):
        assert set(off(of_account(bare, entry)).values()) == {WireState.UNREADABLE}
