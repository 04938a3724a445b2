"""What somebody can break of a deployment, a row for each."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.demo.places import CI, OUTSIDE, REGION, REGISTRY, TRAIL_REGION
from local.demo.stage import TRAIL, WEBHOOK
from tests.e2e.terminal import Terminal

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ, WRITE, DISPATCH = "ecr-warden-read", "ecr-warden-write", "ecr-warden-dispatch"
TRAIL_BUS, HEARTBEAT, FORWARD_ECR = "ecr-warden-trail", "ecr-warden-heartbeat", "ecr-warden-forward-ecr"
SPEC_BUCKET, STATE_BUCKET, CODE_BUCKET = (f"ecr-warden-{which}-{CI}-{REGION}" for which in ("spec", "state", "code"))
BOUNDARY = f"arn:aws:iam::{REGISTRY}:policy/ecr-warden/ecr-warden-boundary"
TOPIC = f"arn:aws:sns:{REGION}:{CI}:ecr-warden-{{}}"
FUNCTIONS = 9  # with code of ours
OUTSIDER = {"AWS": f"arn:aws:iam::{OUTSIDE}:root"}
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})

TRUSTING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": OUTSIDER, "Action": "sts:AssumeRole"}]}
)

type Do = Callable[[Terminal], object]


@dataclass(frozen=True, slots=True)
class Breakage:
    """What is done to a deployment, and what doctor says of it.

    `codes`: of all diagnoses; `ends`: how the commands that are printed begin, or the sentences in place of one;
    `repaired`: what a person does whom a sentence names. `swept`: whether the hub has to sweep before it is seen.
    `account`: whose credentials a command of AWS's needs. `drift`: whether it rests on how the embedded AWS reads
    what CloudFormation says of REVERT_DRIFT, which no account has shown yet.
    """

    do: Do
    codes: tuple[str, ...]
    ends: tuple[str, ...] = ("ecr-warden deploy",)
    repaired: Do | None = None
    swept: bool = False
    account: str = CI
    drift: bool = True


def call(service: str, operation: str, account: str = CI, region: str = REGION, **given: Any) -> Do:
    """A call of AWS."""
    return lambda at: getattr(at.stage.aws.client(account, service, region), operation)(**given)


def both(*each: Do) -> Do:
    """One after the other."""
    return lambda at: [one(at) for one in each]


def trusting(role: str, account: str) -> Do:
    """A role lets in somebody more."""

    def do(at: Terminal) -> None:
        iam = at.stage.aws.client(account, "iam")
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        trust["Statement"].append({"Effect": "Allow", "Principal": OUTSIDER, "Action": "sts:AssumeRole"})
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))

    return do


def without_target(rule: str, account: str, region: str, bus: str = "default") -> Do:
    """A rule delivers to nobody."""

    def do(at: Terminal) -> None:
        events, place = at.stage.aws.client(account, "events", region), {"Rule": rule, "EventBusName": bus}
        targets = [one["Id"] for one in events.list_targets_by_rule(**place)["Targets"]]
        events.remove_targets(**place, Ids=targets)

    return do


def without_rule(rule: str, account: str, region: str, bus: str = "default") -> Do:
    """A rule is deleted."""
    return both(
        without_target(rule, account, region, bus),
        call("events", "delete_rule", account, region, Name=rule, EventBusName=bus),
    )


def mapping(operation: str, **given: Any) -> Do:
    """The mapping of the queue of sweeps."""

    def do(at: Terminal) -> None:
        client = at.stage.aws.client(CI, "lambda")
        [one] = client.list_event_source_mappings(FunctionName="ecr-warden-collect")["EventSourceMappings"]
        getattr(client, operation)(UUID=one["UUID"], **given)

    return do


def queue(operation: str, name: str, account: str = CI, region: str = REGION, **given: Any) -> Do:
    """A call on a queue."""

    def do(at: Terminal) -> None:
        client = at.stage.aws.client(account, "sqs", region)
        getattr(client, operation)(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"], **given)

    return do


def other_code() -> bytes:
    """A function of somebody else's."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return {}")
    return packed.getvalue()


def with_code(at: Terminal) -> None:
    at.stage.aws.client(CI, "lambda").update_function_code(FunctionName="ecr-warden-collect", ZipFile=other_code())


def with_layer(at: Terminal) -> None:
    """A function gets another layer in place of ours."""
    client = at.stage.aws.client(CI, "lambda")
    made = client.publish_layer_version(LayerName="theirs", Content={"ZipFile": other_code()})
    given = client.get_function_configuration(FunctionName="ecr-warden-collect")["Layers"]
    layers = [made["LayerVersionArn"], *(one["Arn"] for one in given[1:])]
    client.update_function_configuration(FunctionName="ecr-warden-collect", Layers=layers)


def files_of_code(at: Terminal) -> Mapping[str, bytes]:
    """What Lambda takes code from, by key."""
    client, stacks = at.stage.aws.client(CI, "s3"), at.stage.aws.client(CI, "cloudformation")
    given = stacks.describe_stacks(StackName="ecr-warden")["Stacks"][0]["Parameters"]
    prefix = next(one["ParameterValue"] for one in given if one["ParameterKey"] == "CodePrefix")
    keys = [one["Key"] for one in client.list_objects_v2(Bucket=CODE_BUCKET)["Contents"]]
    ours = [key for key in keys if key.startswith(prefix) and re.fullmatch(r"[0-9a-f]{64}\.zip", key[len(prefix) :])]
    return {key: client.get_object(Bucket=CODE_BUCKET, Key=key)["Body"].read() for key in ours}


def with_file(at: Terminal) -> None:
    """The largest file of code, a layer's, is replaced."""
    largest = max(files_of_code(at).items(), key=lambda one: len(one[1]))[0]
    at.stage.aws.client(CI, "s3").put_object(Bucket=CODE_BUCKET, Key=largest, Body=other_code())


def with_layer_version(at: Terminal) -> None:
    """A layer is deployed from a file that somebody changed in time: CloudFormation made it, and sees no difference."""
    client, files = at.stage.aws.client(CI, "s3"), files_of_code(at)
    layer = max(files, key=lambda key: len(files[key]))
    for name, data in files.items():
        packed = io.BytesIO(data)
        if name == layer:
            with zipfile.ZipFile(packed, "a") as archive:
                archive.writestr("python/theirs.py", "")
        client.put_object(Bucket=CODE_BUCKET, Key=f"theirs/{name.rpartition('/')[2]}", Body=packed.getvalue())
    with_parameters(at, CodePrefix="theirs/")


def without_layer_version(at: Terminal) -> None:
    """A layer's version is deleted; the functions run on with what they have of it."""
    client = at.stage.aws.client(CI, "lambda")
    arn = client.get_function_configuration(FunctionName="ecr-warden-collect")["Layers"][0]["Arn"]
    client.delete_layer_version(LayerName=arn.split(":")[6], VersionNumber=int(arn.split(":")[7]))


def with_variable(at: Terminal) -> None:
    client = at.stage.aws.client(CI, "lambda")
    given = client.get_function_configuration(FunctionName="ecr-warden-reconcile")["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName="ecr-warden-reconcile", Environment={"Variables": {**given, "WARDEN_TABLE": "theirs"}}
    )


def without_permission(at: Terminal) -> None:
    client = at.stage.aws.client(CI, "lambda")
    policy = json.loads(client.get_policy(FunctionName=DISPATCH)["Policy"])
    client.remove_permission(FunctionName=DISPATCH, StatementId=policy["Statement"][0]["Sid"])


def key(operation: str, **given: Any) -> Do:
    """The key of the topics."""

    def do(at: Terminal) -> None:
        stack = at.stage.aws.client(CI, "cloudformation")
        found = stack.describe_stack_resource(StackName="ecr-warden", LogicalResourceId="TopicKey")
        name = found["StackResourceDetail"]["PhysicalResourceId"]
        getattr(at.stage.aws.client(CI, "kms"), operation)(KeyId=name, **given)

    return do


def without_member(at: Terminal) -> None:
    """The hub's stack is updated so that it takes no events of the registry."""
    with_parameters(at, MemberAccounts=CI)


def with_parameters(at: Terminal, **parameters: str) -> None:
    """The hub's stack is updated."""
    client = at.stage.aws.client(CI, "cloudformation")
    [stack] = client.describe_stacks(StackName="ecr-warden")["Stacks"]
    given = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]} | parameters
    client.update_stack(
        StackName="ecr-warden",
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    client.get_waiter("stack_update_complete").wait(StackName="ecr-warden", WaiterConfig={"Delay": 0.1})


def without_stack(account: str, region: str, name: str) -> Do:
    """A stack is deleted."""

    def do(at: Terminal) -> None:
        client = at.stage.aws.client(account, "cloudformation", region)
        client.delete_stack(StackName=name)
        client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})

    return do


def stopped_by(name: str) -> Do:
    """Deploy says what has a name of ours, and what a person does with it."""

    def do(at: Terminal) -> None:
        ran = at.runs("deploy")
        assert (ran.code, f"identifier '{name}' already exists; it is not this stack's: delete" in ran.err) == (1, True)

    return do


def without_region(at: Terminal) -> None:
    """The region of the registry leaves ecr-warden.yaml."""
    file = at.folder / "ecr-warden.yaml"
    file.write_text(file.read_text().replace(f"regions: [{REGION}], ", ""))


def with_region(at: Terminal) -> None:
    """Whoever deploys adds it again."""
    file = at.folder / "ecr-warden.yaml"
    file.write_text(file.read_text().replace(f'"{REGISTRY}", ', f'"{REGISTRY}", regions: [{REGION}], '))
    at.runs("deploy")


def without_mail(at: Terminal) -> None:
    """Whoever reads the mail unsubscribes."""
    client = at.stage.aws.client(CI, "sns")
    [one] = client.list_subscriptions_by_topic(TopicArn=TOPIC.format("alerts"))["Subscriptions"]
    client.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def with_webhook(at: Terminal) -> None:
    (at.folder / "webhook.txt").write_text(at.stage.chat.url)


def late(at: Terminal) -> None:
    at.ahead = timedelta(minutes=7)


ROWS: Mapping[str, Breakage] = {
    "a member's rule is off": Breakage(call("events", "disable_rule", REGISTRY, Name=FORWARD_ECR), ("stack-differs",)),
    "the rule of the heartbeats is deleted": Breakage(without_rule(HEARTBEAT, REGISTRY, REGION), ("stack-differs",)),
    "a member's rule has another pattern": Breakage(
        call(
            "events",
            "put_rule",
            REGISTRY,
            TRAIL_REGION,
            Name="ecr-warden-forward-iam",
            EventPattern='{"source": ["theirs"]}',
        ),
        ("stack-differs",),
    ),
    "a rule of the hub is off": Breakage(
        call("events", "disable_rule", Name=TRAIL_BUS, EventBusName=TRAIL_BUS), ("wiring-cut", "stack-differs")
    ),
    "the schedule is deleted": Breakage(without_rule("ecr-warden-sweep", CI, REGION), ("wiring-cut", "stack-differs")),
    "a member's rule delivers to nobody": Breakage(without_target(FORWARD_ECR, REGISTRY, REGION), ("stack-differs",)),
    "a rule of the hub delivers to nobody": Breakage(
        without_target(TRAIL_BUS, CI, REGION, TRAIL_BUS), ("wiring-cut", "stack-differs")
    ),
    "an outsider may take the role that reads": Breakage(trusting(READ, REGISTRY), ("stack-differs",)),
    "an outsider may take the role that writes": Breakage(trusting(WRITE, REGISTRY), ("stack-differs",)),
    "an outsider may take a role of the hub": Breakage(trusting(DISPATCH, CI), ("stack-differs",)),
    "the role that writes is an administrator": Breakage(
        call("iam", "attach_role_policy", REGISTRY, RoleName=WRITE, PolicyArn=ADMINISTRATOR), ("stack-differs",)
    ),
    "the role that writes has another policy": Breakage(
        call("iam", "put_role_policy", REGISTRY, RoleName=WRITE, PolicyName="more", PolicyDocument=ANYTHING),
        ("stack-differs",),
    ),
    "a role of the hub has lost its policy": Breakage(
        call("iam", "delete_role_policy", RoleName=DISPATCH, PolicyName="dispatch"), ("stack-differs",)
    ),
    "the boundary allows everything": Breakage(
        call("iam", "create_policy_version", REGISTRY, PolicyArn=BOUNDARY, PolicyDocument=ANYTHING, SetAsDefault=True),
        ("stack-differs",),
    ),
    "a role of ours has a boundary": Breakage(
        call("iam", "put_role_permissions_boundary", REGISTRY, RoleName=READ, PermissionsBoundary=ADMINISTRATOR),
        ("role-bounded",),
        ("name it as role_boundary in ecr-warden.yaml and deploy, or take it off",),
        repaired=call("iam", "delete_role_permissions_boundary", REGISTRY, RoleName=READ),
        swept=True,
        drift=False,
    ),
    "the role that reads is deleted": Breakage(
        both(
            call("iam", "delete_role_policy", REGISTRY, RoleName=READ, PolicyName="read"),
            call("iam", "delete_role", REGISTRY, RoleName=READ),
        ),
        ("access-unread", "stack-differs", "wiring-unread"),
        swept=True,
    ),
    "a member's stack is deleted, whose boundary stays, which a push role has": Breakage(
        without_stack(REGISTRY, TRAIL_REGION, "ecr-warden-member"), ("stack-differs",), drift=False
    ),
    "a member's stack is deleted, and somebody made a role of one of its names": Breakage(
        both(
            without_stack(REGISTRY, TRAIL_REGION, "ecr-warden-member"),
            call("iam", "create_role", REGISTRY, RoleName=READ, AssumeRolePolicyDocument=TRUSTING),
        ),
        ("stack-differs",),
        repaired=both(
            stopped_by(READ), call("iam", "delete_role", REGISTRY, RoleName=READ), lambda at: at.runs("deploy")
        ),
        drift=False,
    ),
    "a stack of events is deleted": Breakage(
        without_stack(REGISTRY, REGION, "ecr-warden-events"), ("stack-differs",), drift=False
    ),
    "the trail is stopped": Breakage(
        call("cloudtrail", "stop_logging", REGISTRY, Name=TRAIL),
        ("wiring-cut",),
        ("aws cloudtrail start-logging",),
        swept=True,
        account=REGISTRY,
        drift=False,
    ),
    "the trail is deleted": Breakage(
        call("cloudtrail", "delete_trail", REGISTRY, Name=TRAIL),
        ("wiring-cut",),
        ("have a trail report it",),
        repaired=both(
            call(
                "cloudtrail",
                "create_trail",
                REGISTRY,
                Name=TRAIL,
                S3BucketName=f"trail-{REGISTRY}",
                IsMultiRegionTrail=True,
            ),
            call("cloudtrail", "start_logging", REGISTRY, Name=TRAIL),
        ),
        swept=True,
        drift=False,
    ),
    "a stack is in a region that left the file": Breakage(
        without_region,
        ("not-in-file", "stack-left"),
        ("whoever deploys adds it to ecr-warden.yaml", "aws cloudformation delete-stack"),
        repaired=with_region,
        account=REGISTRY,
        drift=False,
    ),
    "an event reached no function": Breakage(
        queue("send_message", "ecr-warden-dlq", MessageBody="{}"),
        ("letters-kept",),
        ("whoever operates the hub reads why, and purges the queue",),
        repaired=queue("purge_queue", "ecr-warden-dlq"),
        drift=False,
    ),
    "an event was not delivered": Breakage(
        queue("send_message", "ecr-warden-forward-dlq", REGISTRY, MessageBody="{}"),
        ("events-undelivered",),
        ("see why in the ERROR_CODE of its messages, and purge it",),
        repaired=queue("purge_queue", "ecr-warden-forward-dlq", REGISTRY),
        swept=True,
        drift=False,
    ),
    "a queue is polled no more": Breakage(
        mapping("update_event_source_mapping", Enabled=False), ("wiring-cut", "stack-differs")
    ),
    "a queue has no mapping": Breakage(mapping("delete_event_source_mapping"), ("wiring-cut", "stack-differs")),
    "the bus takes events of an outsider": Breakage(
        call(
            "events",
            "put_permission",
            EventBusName=TRAIL_BUS,
            StatementId="theirs",
            Action="events:PutEvents",
            Principal=OUTSIDE,
        ),
        ("wiring-cut", "stack-differs"),
    ),
    "the bus takes events of nobody": Breakage(
        call("events", "remove_permission", EventBusName=TRAIL_BUS, RemoveAllPermissions=True),
        ("wiring-cut", "stack-differs"),
    ),
    "the bucket reports no versions": Breakage(
        call("s3", "put_bucket_notification_configuration", Bucket=SPEC_BUCKET, NotificationConfiguration={}),
        ("wiring-cut", "stack-differs"),
    ),
    "the bucket keeps no versions": Breakage(
        call("s3", "put_bucket_versioning", Bucket=SPEC_BUCKET, VersioningConfiguration={"Status": "Suspended"}),
        ("wiring-cut", "stack-differs"),
    ),
    "the bucket has no policy": Breakage(
        call("s3", "delete_bucket_policy", Bucket=SPEC_BUCKET), ("wiring-cut", "stack-differs")
    ),
    "a bucket may be public": Breakage(
        call("s3", "delete_public_access_block", Bucket=STATE_BUCKET), ("stack-differs",)
    ),
    "a topic is deleted": Breakage(
        call("sns", "delete_topic", TopicArn=TOPIC.format("alarms")), ("wiring-cut", "stack-differs")
    ),
    "no alarm reaches its topic": Breakage(
        call(
            "sns", "set_topic_attributes", TopicArn=TOPIC.format("alarms"), AttributeName="Policy", AttributeValue="{}"
        ),
        ("stack-differs",),
    ),
    "nobody gets mails": Breakage(
        without_mail, ("e-mail-unconfirmed", "stack-differs"), ("ecr-warden deploy", "aws sns subscribe")
    ),
    "a function may not run": Breakage(
        call("lambda", "put_function_concurrency", FunctionName="ecr-warden-accept", ReservedConcurrentExecutions=0),
        ("function-limited",),
        ("aws lambda delete-function-concurrency",),
        drift=False,
    ),
    "the stop switch is deleted": Breakage(
        call("ssm", "delete_parameter", Name="/ecr-warden/writes"),
        ("writes-stopped",),
        ("ecr-warden start",),
        drift=False,
    ),
    "writes are stopped": Breakage(
        call("ssm", "put_parameter", Name="/ecr-warden/writes", Value="stopped", Overwrite=True),
        ("writes-stopped",),
        ("ecr-warden start",),
        drift=False,
    ),
    "the hub takes no events of a member": Breakage(without_member, ("stack-differs",), drift=False),
    "a function runs other code": Breakage(with_code, ("stack-differs", "code-differs"), drift=False),
    "a file of code is replaced": Breakage(with_file, ("code-differs",), drift=False),
    "a layer is made of other code": Breakage(
        with_layer_version, ("stack-differs", *["code-differs"] * FUNCTIONS), drift=False
    ),
    "a version of a layer is deleted": Breakage(
        without_layer_version, ("stack-differs", *["code-differs"] * FUNCTIONS), drift=False
    ),
    "a function has another layer": Breakage(with_layer, ("stack-differs", "code-differs")),
    "a function has another table": Breakage(with_variable, ("stack-differs",)),
    "a rule may not call its function": Breakage(without_permission, ("stack-differs",)),
    "a function is deleted": Breakage(call("lambda", "delete_function", FunctionName=DISPATCH), ("stack-differs",)),
    "an alarm is deleted": Breakage(
        call("cloudwatch", "delete_alarms", AlarmNames=["ecr-warden-no-sweep"]), ("stack-differs",)
    ),
    "an alarm tells nobody": Breakage(
        call("cloudwatch", "disable_alarm_actions", AlarmNames=["ecr-warden-no-sweep"]), ("stack-differs",)
    ),
    "the dashboard shows nothing": Breakage(
        call("cloudwatch", "put_dashboard", DashboardName="ecr-warden", DashboardBody='{"widgets": []}'),
        ("stack-differs",),
    ),
    "the key of the topics is off": Breakage(key("disable_key"), ("stack-differs",)),
    "the key of the topics has another policy": Breakage(
        key("put_key_policy", PolicyName="default", Policy=ANYTHING), ("stack-differs",)
    ),
    "what was not delivered is kept nowhere": Breakage(
        queue("set_queue_attributes", "ecr-warden-dlq", Attributes={"Policy": ""}), ("stack-differs",)
    ),
    "a queue is deleted": Breakage(queue("delete_queue", "ecr-warden-jobs-dlq"), ("stack-differs",)),
    "nobody has the webhook": Breakage(
        both(with_webhook, call("ssm", "delete_parameter", Name=WEBHOOK)),
        ("webhook-missing",),
        ("aws ssm put-parameter",),
        drift=False,
    ),
    "the spec is deleted": Breakage(
        call("s3", "delete_object", Bucket=SPEC_BUCKET, Key="access.yaml"),
        ("spec-missing",),
        ("ecr-warden apply access.yaml",),
        drift=False,
    ),
    "another spec is uploaded": Breakage(
        call("s3", "put_object", Bucket=SPEC_BUCKET, Key="access.yaml", Body=b"version: 7"),
        ("spec-refused",),
        ("ecr-warden apply access.yaml",),
        drift=False,
    ),
    "the clock is wrong": Breakage(late, ("clock-wrong",), ("sudo timedatectl set-ntp true",), drift=False),
}
