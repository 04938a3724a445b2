"""The Wiring port: stacks, rules, buses, the spec's bucket, mappings, topics and trails, by the templates' names.

Of a member's region it takes a call for the trails and two for each of them, two for each rule, and one each for what
rules could not deliver and for the stack.
Sources: the API references of the calls named here.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError
from msgspec import Struct

from ecr_warden.aws.accounts import Accounts
from ecr_warden.aws.errors import COMMON, HUB, Translation, code_of, translated
from ecr_warden.aws.member_errors import IAM
from ecr_warden.collect.wiring import TRAIL_BUS, HubPlace, SeenWire
from ecr_warden.collect.wiring_verdicts import (
    HUB_RULES,
    OWN_POLICIES,
    OWN_ROLES,
    QUEUES,
    TOPICS,
    UNDELIVERED,
    EventRule,
    rules_of,
)
from ecr_warden.core.failures import PortError, crashed
from iam_access.arn import IAM_REGION, iam_arn

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

TRAILS_READ = 5
"""Of a region, and so the most calls; accounts have one or two."""
SUBSCRIPTIONS_READ = 1000
"""Of a topic; it has one or two."""
_ABSENT = frozenset(
    {
        "ResourceNotFoundException",  # a rule, its bus, a function
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NotFound",  # a topic
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    }
)
# A mapping that is being changed works until it is.
_MAPPED = frozenset({"Enabled", "Enabling", "Creating", "Updating"})

_WORK = "what ecr-warden reads and writes through"
_STACK_TAG = "ecr-warden-stack"
_STACK_ID = re.compile(r"arn:[a-z-]{3,16}:cloudformation:[a-z0-9-]{1,32}:[0-9]{12}:stack/[A-Za-z0-9/-]{1,200}")

type _Found = Mapping[str, Any] | None


class CloudFormation(Protocol):
    """The part of boto3's client that is used."""

    def describe_stacks(self, *, StackName: str) -> Any: ...  # noqa: N803 - as boto3 spells it


class AwsWiring(Struct, frozen=True):
    """The hub's clients, and the members' through their read roles."""

    events: "EventBridgeClient"
    s3: "S3Client"
    functions: "LambdaClient"
    sns: "SNSClient"
    cloudformation: CloudFormation
    accounts: Accounts
    place: HubPlace

    def hub(self) -> Sequence[SeenWire]:
        stack = partial(_stack, self.cloudformation, self.place.stack)
        return (
            _read(HUB, "stack of the hub", "all that runs in the hub", stack),
            *(_rule(HUB, lambda: self.events, rule) for rule in HUB_RULES),
            _read(HUB, f"policy of bus {TRAIL_BUS}", "what members forward", self._bus_policy),
            *self._bucket(),
            *self._mappings(),
            *(
                _read(HUB, f"e-mail subscription of {topic}", delivers, partial(self._subscriptions, topic))
                for topic, delivers in (TOPICS.items() if self.place.email else ())
            ),
        )

    def region(self, account: str, region: str) -> Sequence[SeenWire]:
        place = f"{account} in {region}"

        def client(service: str) -> Any:
            return self.accounts.reader(account).of(service, region)

        trail, table = read_trail(self.accounts, account, region), _table_of(region)
        rules = [_rule(table, lambda: client("events"), rule, f" of {place}") for rule in rules_of(region)]
        stack = _stack_of_rules(table, rules, f"stack of the events of {place}", lambda: client("cloudformation"))
        url = f"https://sqs.{region}.amazonaws.com/{account}/{UNDELIVERED}"
        kept = _read(
            table, f"queue {UNDELIVERED} of {place}", "what rules cannot deliver", lambda: _kept(client("sqs"), url)
        )
        return (trail, *rules, kept, stack)

    def account(self, account: str, entry: Mapping[str, Any] | None) -> Sequence[SeenWire]:
        if entry is None or "iam" not in entry:
            unread = (entry or {}).get("unread", ())
            whys = [f"{one['what']}: {one['code']}" for one in unread] or ["it was not"]
            why = f"the roles of {account} could not be surveyed ({', '.join(whys)})"
            code = next((str(one["code"]) for one in unread), "not-surveyed")
            return (SeenWire(f"roles of ecr-warden in {account}", _WORK, error=why, code=code),)
        roles = {role["RoleName"]: role for role in entry["iam"].get("RoleDetailList", ())}
        policies = {policy["Arn"]: policy for policy in entry["iam"].get("Policies", ())}
        arns = {name: iam_arn(account, f"policy/ecr-warden/{name}") for name in OWN_POLICIES.values()}
        stack_id = _stack_named_by(roles.get(OWN_ROLES["ReadRole"], {}))

        def stack() -> _Found:
            return _stack(self.accounts.reader(account).of("cloudformation", stack_id.split(":")[3]), stack_id)

        name = f"stack of the member {account}"
        return (
            _read(IAM, name, _WORK, stack) if _STACK_ID.fullmatch(stack_id) else SeenWire(name, _WORK),
            *(
                SeenWire(f"role {name} in {account}", _WORK, _role(roles[name]) if name in roles else None)
                for name in OWN_ROLES.values()
            ),
            *(SeenWire(f"policy {name} in {account}", _WORK, _policy(policies.get(arn))) for name, arn in arns.items()),
        )

    def _bus_policy(self) -> _Found:
        found = self.events.describe_event_bus(Name=TRAIL_BUS)
        return {"policy": json.loads(found["Policy"])} if found.get("Policy") else None

    def _bucket(self) -> Iterator[SeenWire]:
        bucket, owner = self.place.bucket, self.place.account

        def notifies() -> _Found:
            found = self.s3.get_bucket_notification_configuration(Bucket=bucket, ExpectedBucketOwner=owner)
            return {} if "EventBridgeConfiguration" in found else None

        def keeps_versions() -> _Found:
            found = self.s3.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=owner)
            return {"state": "ENABLED" if found.get("Status") == "Enabled" else "DISABLED"}

        def policy() -> _Found:
            return {"policy": json.loads(self.s3.get_bucket_policy(Bucket=bucket, ExpectedBucketOwner=owner)["Policy"])}

        name = f"s3://{bucket}"
        yield _read(HUB, f"notification of {name} to EventBridge", "new versions of the spec", notifies)
        yield _read(HUB, f"versioning of {name}", "each version of the spec", keeps_versions)
        yield _read(HUB, f"policy of bucket {name}", "what nobody may do with the spec", policy)

    def _mappings(self) -> Iterator[SeenWire]:
        for function, queues in QUEUES.items():
            seen = _read(HUB, f"mappings of {function}", "", partial(self._mapped, function))
            for queue in queues:
                state = (seen.found or {}).get(queue)
                yield SeenWire(
                    f"mapping of {queue} to {function}",
                    "the messages of this queue",
                    None if state is None else {"state": "ENABLED" if state in _MAPPED else "DISABLED"},
                    seen.error,
                    seen.code,
                    seen.passing,
                )

    def _subscriptions(self, topic: str) -> _Found:
        """Those of AlertEmail; others' prove nothing, for whoever may subscribe may add one."""
        arn = f"arn:aws:sns:{self.place.region}:{self.place.account}:{topic}"
        pages = self.sns.get_paginator("list_subscriptions_by_topic").paginate(
            TopicArn=arn, PaginationConfig={"MaxItems": SUBSCRIPTIONS_READ}
        )
        found = (one for page in pages for one in page.get("Subscriptions", ()) if one.get("Protocol") == "email")
        email = self.place.email.casefold()
        return {"subscriptions": [one["SubscriptionArn"] for one in found if one["Endpoint"].casefold() == email]}

    def _mapped(self, function: str) -> _Found:
        found = self.functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        return {one.get("EventSourceArn", "").rpartition(":")[2]: one.get("State", "") for one in found}


def read_trail(accounts: Accounts, account: str, region: str) -> SeenWire:
    """The trails that are active in a region of an account; raises nothing."""

    return _read(
        _table_of(region),
        f"trail of {account} in {region}",
        "the calls that change anything",
        lambda: _trails(accounts.reader(account).of("cloudtrail", region)),
    )


def _table_of(region: str) -> Mapping[str, Translation]:
    """What codes mean in a region; in the one that no account can be without, they are not about the region."""
    return IAM if region == IAM_REGION else COMMON


def _read(table: Mapping[str, Translation], name: str, delivers: str, read: Callable[[], _Found]) -> SeenWire:
    """What was read; raises nothing."""
    try:
        with translated(table, f"reading the {name}"):
            try:
                return SeenWire(name, delivers, read())
            except ClientError as error:
                if _says_absent(error):
                    return SeenWire(name, delivers)
                raise
    except PortError as error:
        return SeenWire(name, delivers, error=str(error), code=error.code, passing=error.retryable)
    except Exception as error:
        crash = crashed(f"reading the {name}", error)
        return SeenWire(name, delivers, error=str(crash), code=crash.code)


def _says_absent(error: ClientError) -> bool:
    """DescribeStacks has one code for a stack that does not exist and for a name that is none."""
    code, message = code_of(error), error.response.get("Error", {}).get("Message", "")
    return code in _ABSENT or (code == "ValidationError" and "does not exist" in message)


def _rule(table: Mapping[str, Translation], client: Callable[[], Any], rule: EventRule, where: str = "") -> SeenWire:
    def read() -> _Found:
        events = client()
        found = events.describe_rule(Name=rule.name, EventBusName=rule.bus)
        return {
            "state": found.get("State", ""),
            "pattern": json.loads(found["EventPattern"]) if "EventPattern" in found else None,
            "schedule": found.get("ScheduleExpression", ""),
            "stack": found.get("Description", ""),
            "targets": events.list_targets_by_rule(Rule=rule.name, EventBusName=rule.bus)["Targets"],
        }

    return _read(table, f"rule {rule.name}{where}", rule.delivers, read)


def _stack_of_rules(
    table: Mapping[str, Translation], rules: Iterable[SeenWire], name: str, client: Callable[[], Any]
) -> SeenWire:
    """The stack that the rules name as theirs; unknown if none of them does and one could not be read."""
    delivers = "the rules that forward"
    stack_id = next((str(rule.found["stack"]) for rule in rules if rule.found and rule.found["stack"]), "")
    unread = next((rule for rule in rules if rule.error), None)
    if stack_id:
        return _read(table, name, delivers, lambda: _stack(client(), stack_id))
    if unread is not None:
        return SeenWire(name, delivers, error=unread.error, code=unread.code, passing=unread.passing)
    return SeenWire(name, delivers)


def _kept(client: "SQSClient", url: str) -> _Found:
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return {"messages": int(found["Attributes"]["ApproximateNumberOfMessages"])}


def _stack(client: CloudFormation, stack_id: str) -> _Found:
    [found] = client.describe_stacks(StackName=stack_id)["Stacks"]
    outputs = {one["OutputKey"]: one.get("OutputValue", "") for one in found.get("Outputs", ())}
    parameters = {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())}
    return {"status": found["StackStatus"], "parameters": parameters, "content": outputs.get("Content", "")}


def _stack_named_by(role: Mapping[str, Any]) -> str:
    """The ID of the stack that made our read role, as its tag has it; "" if it has none."""
    return next((str(tag["Value"]) for tag in role.get("Tags", ()) if tag.get("Key") == _STACK_TAG), "")


def _role(role: Mapping[str, Any]) -> _Found:
    return {
        "trust": role.get("AssumeRolePolicyDocument"),
        "inline": {one["PolicyName"]: one["PolicyDocument"] for one in role.get("RolePolicyList", ())},
        "attached": [one["PolicyArn"] for one in role.get("AttachedManagedPolicies", ())],
        "boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
    }


def _policy(policy: Mapping[str, Any] | None) -> _Found:
    versions = () if policy is None else policy.get("PolicyVersionList", ())
    return next(({"policy": version.get("Document")} for version in versions if version.get("IsDefaultVersion")), None)


def _trails(client: Any) -> _Found:
    """The trails that are active in the client's region, those of other regions and of the organization included.

    An event of a trail that cannot be looked at is no reason to doubt the others.
    """
    return {"trails": [_trail(client, one) for one in client.describe_trails()["trailList"][:TRAILS_READ]]}


def _trail(client: Any, trail: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a trail reports. Of `logging` and `selectors` each may be unread: then it is missing, and `error` says why.

    The members of an organization may not be able to see which events its trail selects.
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
    """
    name = trail.get("TrailARN") or trail["Name"]
    found: dict[str, Any] = {
        "name": name,
        "multi": trail.get("IsMultiRegionTrail", False),
        "home": trail.get("HomeRegion", ""),
        "global": trail.get("IncludeGlobalServiceEvents", False),
        "organization": trail.get("IsOrganizationTrail", False),
    }
    if trail.get("HasCustomEventSelectors") is False:
        found["selectors"] = [_BY_DEFAULT]
    readings: dict[str, Callable[[], Any]] = {
        "logging": lambda: client.get_trail_status(Name=name)["IsLogging"],
        "selectors": lambda: _selectors(client.get_event_selectors(TrailName=name)),
    }
    for what, read in readings.items():
        try:
            with translated(IAM, f"reading the trail {name}"):
                found[what] = read()
        except PortError as error:
            found["error"] = str(error)
    return found


# Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
_BY_DEFAULT = {"IncludeManagementEvents": True, "ReadWriteType": "All"}


def _selectors(answer: Mapping[str, Any]) -> list[Any]:
    return [*answer.get("EventSelectors", ()), *answer.get("AdvancedEventSelectors", ())]
