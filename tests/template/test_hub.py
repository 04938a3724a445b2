"""The hub's functions, queues, stores and alarms."""

import json
import re
from collections.abc import Iterator

import pytest
from botocore.config import Config

from bench.flood import longest_wait
from ecr_warden.aws.accounts import BULK_CONFIG, BULK_RESERVE, CLIENT_CONFIG
from ecr_warden.aws.deadline import HUB_RESERVE, MEMBER_RESERVE
from ecr_warden.aws.redelivery import ATTEMPTS
from ecr_warden.bootstrap.common import HUB_CONFIG
from ecr_warden.collect.aws_estate import BULK_PAGES
from ecr_warden.collect.aws_estate_store import PREFIX, TEXTS
from ecr_warden.collect.wiring_verdicts import TOPICS
from ecr_warden.core.job import Queue
from ecr_warden.core.metrics import UNITS
from ecr_warden.hub import status
from ecr_warden.state.aws_state import DynamoState
from ecr_warden_cli.deployment import stacks
from tests.receives import FLUSH_RECEIVES, LATER_RECEIVES, MAX_RECEIVES
from tests.template.cfn import ALL, EVENTS, EXPECTED, HUB, ROOT, Node, Template, listed, say, says

FUNCTIONS = ("Dispatch", "Reconcile", "Accept", "Collect", "Audit", "Alert", "Images", "Answer", "Control")
COMMON = {"POWERTOOLS_SERVICE_NAME", "LOG_LEVEL"}
ENVIRONMENT: dict[str, list[str]] = EXPECTED["environment"]
QUEUES = HUB.resources("AWS::SQS::Queue")
LATER = ("Accept", "Collect", "Audit")
WORKED = {"JobsQueue": "Reconcile"} | {f"{name}Queue": name for name in LATER}
REPORTED = ("JobsExhausted", *(f"{name}Exhausted" for name in LATER))
POLLED = WORKED | dict.fromkeys((*REPORTED, "IncidentsQueue"), "Alert")
OF_IMAGES = ("ImagesQueue", "ImagesAgainQueue")
POLLED |= dict.fromkeys(OF_IMAGES, "Images")
RECEIVES = {"JobsQueue": MAX_RECEIVES, "JobsExhausted": 3 * MAX_RECEIVES, "IncidentsQueue": FLUSH_RECEIVES}
RECEIVES |= {f"{name}Queue": LATER_RECEIVES for name in LATER} | dict.fromkeys(OF_IMAGES, 8)
DEAD_LETTERS = {"JobsDeadLetters", "FailuresQueue", "IncidentsDeadLetters"}


def _function(name: str) -> Node:
    return HUB.properties(f"{name}Function")


def test_functions_and_layer_run_on_one_python_and_one_architecture() -> None:
    assert set(HUB.resources("AWS::Serverless::Function")) == {f"{name}Function" for name in FUNCTIONS}
    shared = HUB.body["Globals"]["Function"]
    assert shared["Runtime"] == "python3.13"
    assert says(shared["Architectures"]) == ["${Architecture}"]
    assert HUB.body["Parameters"]["Architecture"]["Default"] == "arm64"
    assert not any({"Runtime", "Architectures", "Layers"} & set(_function(name)) for name in FUNCTIONS)
    layers = HUB.resources("AWS::Serverless::LayerVersion")
    assert {layer["Properties"]["ContentUri"] for layer in layers.values()} == {"layers/access/", "layers/warden/"}
    assert says(shared["Layers"]) == ["${AccessLayer}", "${WardenLayer}"]
    for layer in layers.values():
        assert layer["Metadata"] == {"BuildMethod": "makefile"}
        assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"]
        assert layer["Properties"]["CompatibleArchitectures"] == HUB.body["Parameters"]["Architecture"]["AllowedValues"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_gets_the_environment_that_it_uses_and_no_more(name: str) -> None:
    assert set(_function(name)["Environment"]["Variables"]) == set(ENVIRONMENT[name])
    assert set(HUB.body["Globals"]["Function"]["Environment"]["Variables"]) == COMMON


def test_every_variable_that_the_product_asks_for_is_set_and_no_other() -> None:
    sources = (ROOT / "layers" / "warden" / "ecr_warden" / "bootstrap").glob("*.py")
    asked = {name for source in sources for name in re.findall(r"WARDEN_[A-Z_]+", source.read_text())}
    assert asked == set().union(*ENVIRONMENT.values())


def test_only_repairs_may_have_concurrency_of_their_own_and_never_zero_which_would_drain_jobs_into_the_dlq() -> None:
    assert [name for name in FUNCTIONS if "ReservedConcurrentExecutions" in _function(name)] == ["Reconcile"]
    reserved = {"Ref": "ReservedForRepairs"}
    no_value = {"Ref": "AWS::NoValue"}
    assert _function("Reconcile")["ReservedConcurrentExecutions"] == {"Fn::If": ["HasReserved", reserved, no_value]}
    parameter = HUB.body["Parameters"]["ReservedForRepairs"]
    assert parameter["Default"] == ""
    taken = {
        given: re.fullmatch(parameter["AllowedPattern"], given) is not None for given in ("", "0", "9", "10", "99")
    }
    # Lambda polls with up to MaximumConcurrency, and what it cannot run costs a receive.
    assert taken == {"": True, "0": False, "9": False, "10": True, "99": True}


def test_all_that_polls_takes_no_more_of_the_accounts_concurrency_than_the_docs_say() -> None:
    events = [event for name in FUNCTIONS for event in _function(name).get("Events", {}).values()]
    most = sum(event["Properties"]["ScalingConfig"]["MaximumConcurrency"] for event in events)
    assert most == stacks.POLLED, "what doctor takes for granted"
    assert f"at most {most} concurrent executions" in (ROOT / "docs" / "safety.md").read_text()


def test_an_audit_runs_as_long_as_its_function_may() -> None:
    assert _function("Audit")["Timeout"] == status.LONGEST_AUDIT.total_seconds()


def test_only_functions_whose_work_may_last_send_to_the_queue_that_calls_them_without_end() -> None:
    assert {name: _function(name).get("RecursiveLoop") for name in FUNCTIONS} == {
        **dict.fromkeys(FUNCTIONS),
        **dict.fromkeys(("Reconcile", "Accept", "Collect", "Audit", "Alert"), "Allow"),
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_to_a_log_group_of_its_own_that_ends(name: str) -> None:
    group = f"{name}Logs"
    assert len(HUB.resources("AWS::Logs::LogGroup")) == len(FUNCTIONS)
    assert _function(name)["LoggingConfig"] == {"LogGroup": {"Ref": group}}
    assert HUB.properties(group) == {
        "LogGroupName": f"/aws/lambda/{_function(name)['FunctionName']}",
        "RetentionInDays": {"Ref": "LogRetentionDays"},
    }


def test_a_flood_on_one_account_delays_another_accounts_repair_by_two_seconds_at_most() -> None:
    """By SQS's rules for standard queues whose messages name a group, as a simulation."""
    assert "FifoQueue" not in HUB.properties("JobsQueue")
    mapping = _function("Reconcile")["Events"]["Jobs"]["Properties"]
    workers, batch = mapping["ScalingConfig"]["MaximumConcurrency"], mapping["BatchSize"]
    assert longest_wait(15, (1.0, 2.0), workers=workers, batch=batch) <= 2
    assert longest_wait(15, (1.0, 2.0), workers=workers, batch=batch, is_fair=False) > 100


@pytest.mark.parametrize("name", LATER)
def test_other_jobs_are_fifo_with_high_throughput_and_no_deduplication_by_body(name: str) -> None:
    """A hash of the body would swallow a second upload within five minutes."""
    jobs = HUB.properties(f"{name}Queue")
    assert jobs["FifoQueue"] is True
    assert "ContentBasedDeduplication" not in jobs
    assert (jobs["DeduplicationScope"], jobs["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")


@pytest.mark.parametrize("queue", POLLED)
def test_a_polled_queue_waits_longer_than_its_function_and_gives_up_in_the_end(queue: str) -> None:
    properties, timeout = HUB.properties(queue), _function(POLLED[queue])["Timeout"]
    if queue in WORKED:
        assert timeout < properties["VisibilityTimeout"] <= timeout + 60
    else:
        assert properties["VisibilityTimeout"] >= 6 * timeout
    assert properties.get("RedrivePolicy", {}).get("maxReceiveCount") == RECEIVES.get(queue)


def test_what_a_killed_repair_had_is_back_within_two_minutes_and_its_lease_is_over_by_then() -> None:
    timeout, visibility = _function("Reconcile")["Timeout"], HUB.properties("JobsQueue")["VisibilityTimeout"]
    lease = DynamoState.__struct_defaults__[0].total_seconds()
    assert (timeout, lease, visibility) == (100, 110, 120)


def test_the_queues_of_jobs_have_the_names_that_the_product_derives() -> None:
    assert {HUB.properties(queue)["QueueName"] for queue in WORKED} == {queue.sqs_name for queue in Queue}
    assert {HUB.properties(queue)["QueueName"] for queue in REPORTED} == {queue.exhausted for queue in Queue}
    for queue, function in WORKED.items():
        [dead, _] = HUB.properties(queue)["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"]
        assert dead == queue.replace("Queue", "Exhausted"), "no two queues share one"
        [name] = [one.function for one in Queue if one.sqs_name == HUB.properties(queue)["QueueName"]]
        assert name == function.lower()


def _longest(config: Config) -> float:
    """Seconds that a call takes which hangs in each of its attempts, with botocore's pauses of 1 and 2 between them."""
    given = vars(config)
    attempts = given["retries"]["total_max_attempts"]
    pauses = sum(2**number for number in range(attempts - 1))
    return float(attempts * (given["connect_timeout"] + given["read_timeout"]) + pauses)


def test_a_call_that_hangs_does_not_end_the_function() -> None:
    whole = _function("Reconcile")["Timeout"]
    attempt = vars(CLIENT_CONFIG)["connect_timeout"] + vars(CLIENT_CONFIG)["read_timeout"]
    own = vars(HUB_CONFIG)["connect_timeout"] + vars(HUB_CONFIG)["read_timeout"]
    # Whatever begins last ends before the next reserve: the last attempt of a job's calls, the hub's own.
    assert 2 * _longest(CLIENT_CONFIG) <= whole - MEMBER_RESERVE, "a job goes on after a call that hangs"
    assert attempt + 2 < MEMBER_RESERVE - HUB_RESERVE
    bulk = _longest(BULK_CONFIG)
    assert bulk < BULK_RESERVE - HUB_RESERVE
    assert 2 * len(BULK_PAGES) * bulk <= _function("Collect")["Timeout"] - MEMBER_RESERVE, "and so does a part"
    assert bulk <= _function("Answer")["Timeout"] - BULK_RESERVE
    assert own < HUB_RESERVE
    assert MAX_RECEIVES > ATTEMPTS + 38, "more than a lease lasts, looked at each second and then every five"


@pytest.mark.parametrize("queue", [*WORKED, "JobsExhausted", "IncidentsQueue"])
def test_a_dlq_is_of_its_queues_kind(queue: str) -> None:
    [dead, attribute] = HUB.properties(queue)["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"]
    assert attribute == "Arn"
    assert HUB.properties(dead).get("FifoQueue") == HUB.properties(queue).get("FifoQueue")
    assert HUB.properties(dead)["MessageRetentionPeriod"] > HUB.properties(queue)["MessageRetentionPeriod"]


def test_every_queue_is_polled_or_a_dlq_and_encrypted_without_a_key_of_kms() -> None:
    assert set(QUEUES) == set(POLLED) | DEAD_LETTERS
    for queue in (*QUEUES.values(), *EVENTS.resources("AWS::SQS::Queue").values()):
        assert queue["Properties"]["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue["Properties"]


@pytest.mark.parametrize("queue", POLLED)
def test_a_polled_queue_hands_over_its_messages_and_takes_back_the_failed_ones(queue: str) -> None:
    events = _function(POLLED[queue])["Events"].values()
    [source] = [event for event in events if say(event["Properties"]["Queue"]) == f"${{{queue}.Arn}}"]
    assert source["Type"] == "SQS"
    # No job keeps another.
    assert source["Properties"]["BatchSize"] == (1 if queue in WORKED else 100 if queue in OF_IMAGES else 10)
    assert source["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert 2 <= source["Properties"]["ScalingConfig"]["MaximumConcurrency"] <= 1000


@pytest.mark.parametrize("name", ["Dispatch", "Alert"])
def test_failed_events_of_an_asynchronous_function_go_to_a_standard_queue_and_no_others(name: str) -> None:
    assert [one for one in FUNCTIONS if "EventInvokeConfig" in _function(one)] == ["Dispatch", "Alert"]
    failure = _function(name)["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert (failure["Type"], say(failure["Destination"])) == ("SQS", "${FailuresQueue.Arn}")
    assert "FifoQueue" not in HUB.properties("FailuresQueue")
    sends = [s for s in HUB.policy(f"{name}Role") if s.get("Sid") == "ReportOwnFailure"]
    assert [(s["Action"], say(s["Resource"])) for s in sends] == [("sqs:SendMessage", "${FailuresQueue.Arn}")]


@pytest.mark.parametrize("bucket", ["Spec", "State", "Code"])
def test_a_bucket_is_private_and_encrypted(bucket: str) -> None:
    properties = HUB.properties(f"{bucket}Bucket")
    assert say(properties["BucketName"]) == f"ecr-warden-{bucket.lower()}-${{AWS::AccountId}}-${{AWS::Region}}"
    [rule] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert properties["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"], True
    )
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@pytest.mark.parametrize("bucket", ["SpecBucket", "StateBucket"])
def test_a_bucket_with_what_is_nowhere_else_is_versioned_and_retained_after_the_stack(bucket: str) -> None:
    resource = HUB.body["Resources"][bucket]
    properties = resource["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["LifecycleConfiguration"]["Rules"][0]["NoncurrentVersionExpiration"]["NoncurrentDays"] >= 90
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_what_was_read_of_an_account_goes_although_nobody_writes_it_again() -> None:
    rules = HUB.properties("StateBucket")["LifecycleConfiguration"]["Rules"]
    ends = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert ends == {PREFIX: 30, TEXTS: 30}


@pytest.mark.parametrize("bucket", ["SpecBucket", "StateBucket", "CodeBucket"])
def test_a_bucket_refuses_plain_http_for_itself_and_its_objects(bucket: str) -> None:
    [statement] = HUB.properties(f"{bucket}Policy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert says(statement["Resource"]) == [f"${{{bucket}.Arn}}", f"${{{bucket}.Arn}}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_spec_bucket_notifies_eventbridge_and_keeps_old_specs_that_may_still_be_accepted() -> None:
    properties = HUB.properties("SpecBucket")
    assert properties["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"] is True
    expiry = properties["LifecycleConfiguration"]["Rules"][0]["NoncurrentVersionExpiration"]
    assert expiry["NewerNoncurrentVersions"] >= 50


def test_the_table_is_encrypted_recoverable_has_a_ttl_and_is_retained_after_the_stack() -> None:
    table = HUB.body["Resources"]["Table"]
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True}
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [(key["AttributeName"], key["KeyType"]) for key in table["Properties"]["KeySchema"]] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_the_stop_switch_has_two_values_and_starts_enabled() -> None:
    switch = HUB.properties("WritesParameter")
    assert (switch["Name"], switch["Type"], switch["Value"]) == ("/ecr-warden/writes", "String", "enabled")
    assert switch["AllowedPattern"] == "^(enabled|stopped)$"


def test_alarms_can_publish_to_their_encrypted_topic_and_nobody_else_can() -> None:
    topics = HUB.resources("AWS::SNS::Topic")
    assert {topic["Properties"]["TopicName"] for topic in topics.values()} == {*TOPICS}
    assert all(topic["Properties"]["KmsMasterKeyId"] == {"Ref": "TopicKey"} for topic in topics.values())
    own_account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    cloudwatch = {"Service": "cloudwatch.amazonaws.com"}
    key = [s for s in HUB.properties("TopicKey")["KeyPolicy"]["Statement"] if s["Principal"] == cloudwatch]
    [topic] = HUB.properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]
    assert [(set(s["Action"]), s["Condition"]) for s in key] == [({"kms:Decrypt", "kms:GenerateDataKey"}, own_account)]
    assert (topic["Principal"], topic["Action"], topic["Condition"]) == (cloudwatch, "sns:Publish", own_account)
    assert (topic["Resource"], HUB.properties("AlarmTopicPolicy")["Topics"]) == (
        {"Ref": "AlarmTopic"},
        [{"Ref": "AlarmTopic"}],
    )
    assert len(HUB.resources("AWS::SNS::TopicPolicy")) == 1
    assert HUB.properties("TopicKey")["EnableKeyRotation"] is True


def test_the_e_mail_address_is_subscribed_to_both_topics_and_both_are_looked_at() -> None:
    subscriptions = [one["Properties"] for one in HUB.resources("AWS::SNS::Subscription").values()]
    assert {say(one["TopicArn"]) for one in subscriptions} == {"${AlertTopic}", "${AlarmTopic}"}
    assert all(one["Endpoint"] == {"Ref": "AlertEmail"} for one in subscriptions)
    for role in ("CollectRole", "AnswerRole"):
        [seen] = [one for one in HUB.policy(role) if one["Sid"] == "SeeSubscriptions"]
        assert says(seen["Resource"]) == ["${AlertTopic}", "${AlarmTopic}"]


def test_the_alert_function_publishes_to_its_topic_and_to_no_alarm() -> None:
    published = [one for one in HUB.policy("AlertRole") if "sns:Publish" in listed(one["Action"])]
    assert [say(one["Resource"]) for one in published] == ["${AlertTopic}"]


def _alarms(metric: str) -> set[tuple[str, ...]]:
    alarms = [alarm["Properties"] for alarm in HUB.resources("AWS::CloudWatch::Alarm").values()]
    return {
        tuple(say(dimension["Value"]) for dimension in alarm["Dimensions"])
        for alarm in alarms
        if alarm["MetricName"] == metric
    }


def test_every_dlq_has_an_alarm_on_its_depth() -> None:
    assert _alarms("ApproximateNumberOfMessagesVisible") == {(f"${{{queue}.QueueName}}",) for queue in DEAD_LETTERS}
    # Whoever would hear an alarm of a member's region: the sweep reads its queue.
    assert not EVENTS.resources("AWS::CloudWatch::Alarm")


def test_every_function_has_an_alarm_on_errors() -> None:
    # Nothing waits for images: if they wait for an hour, that is an alarm.
    assert _alarms("Errors") == {(f"${{{name}Function}}",) for name in FUNCTIONS if name != "Images"}


def test_jobs_that_wait_and_rules_that_fail_have_alarms() -> None:
    assert _alarms("ApproximateAgeOfOldestMessage") == {
        (f"${{{queue}.QueueName}}",) for queue in (*WORKED, "ImagesQueue")
    }
    assert _alarms("FailedInvocations") == {
        ("${TrailBus}", "ecr-warden-trail"),
        ("${TrailBus}", "ecr-warden-heartbeats"),
        ("ecr-warden-own",),
        ("ecr-warden-silencing",),
        ("ecr-warden-spec",),
        ("ecr-warden-sweep",),
        ("${OutcomesBus}", "ecr-warden-outcomes"),
    }


def test_every_alarm_fires_on_the_first_one_and_reaches_the_topic_of_alarms() -> None:
    alarms = HUB.resources("AWS::CloudWatch::Alarm")
    assert len(alarms) == 27
    for name, alarm in alarms.items():
        if name == "SweepAlarm":
            continue
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["Properties"]["ComparisonOperator"] == "GreaterThanThreshold"
        limits = {"ApproximateAgeOfOldestMessage": 900 if name == "JobsAgeAlarm" else 3600, "OldestLookSeconds": 86_400}
        assert alarm["Properties"]["Threshold"] == limits.get(alarm["Properties"]["MetricName"], 0)


OF_EFFECTS = {
    "OutsidersIn": ("Minimum", 600),  # above 0 in every audit of ten minutes
    "NotDelivered": ("Maximum", 300),
    "OldestLookSeconds": ("Maximum", 300),
}


@pytest.mark.parametrize("metric", OF_EFFECTS)
def test_an_alarm_on_an_effect_stays_as_it_is_until_that_is_measured_again(metric: str) -> None:
    assert metric in UNITS
    assert _alarms(metric) == {("ecr-warden",)}
    [alarm] = [
        one["Properties"]
        for one in HUB.resources("AWS::CloudWatch::Alarm").values()
        if one["Properties"]["MetricName"] == metric
    ]
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == (*OF_EFFECTS[metric], 1)
    assert (alarm["Namespace"], alarm["TreatMissingData"]) == ("ecr-warden", "ignore")


def test_the_alarm_on_sweeps_fires_when_nothing_comes_and_needs_no_function() -> None:
    alarm = HUB.properties("SweepAlarm")
    assert alarm["AlarmName"] == "ecr-warden-no-sweep"
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "LessThanThreshold", 1)
    assert (alarm["TreatMissingData"], alarm["Period"]) == ("breaching", 3600)
    assert alarm["EvaluationPeriods"] == {"Ref": "SweepAlarmHours"}
    assert (alarm["AlarmActions"], alarm["OKActions"]) == ([{"Ref": "AlarmTopic"}], [{"Ref": "AlarmTopic"}])
    assert alarm["MetricName"] == "SweepsFinished"


def test_the_dashboard_has_six_widgets_with_each_metric_each_queue_of_work_and_dead_letters_and_the_heartbeats() -> (
    None
):
    *graphs, log = json.loads(say(HUB.properties("Dashboard")["DashboardBody"]))["widgets"]
    assert (len(graphs), log["type"]) == (5, "log")
    shown = {metric for graph in graphs for metric in _in_full(graph["properties"]["metrics"])}
    of_queues = {
        "ApproximateAgeOfOldestMessage": WORKED,
        "ApproximateNumberOfMessagesVisible": DEAD_LETTERS,
    }
    assert shown == {
        *(("ecr-warden", metric, "service", "ecr-warden") for metric in UNITS),
        *(("AWS/SQS", name, "QueueName", f"${{{one}.QueueName}}") for name, of in of_queues.items() for one in of),
        ("AWS/Events", "Invocations", "EventBusName", "${TrailBus}", "RuleName", "ecr-warden-heartbeats"),
    }


def _in_full(metrics: list[Node]) -> Iterator[tuple[str, ...]]:
    """Each metric with the words that `...` and `.` stand for: those of the one before it."""
    before: tuple[str, ...] = ()
    for metric in metrics:
        words = tuple(one for one in metric if isinstance(one, str))
        if words[0] == "...":
            words = before[: len(before) - len(words[1:])] + words[1:]
        before = tuple(before[place] if word == "." else word for place, word in enumerate(words))
        yield before


def test_a_version_of_the_layer_does_not_outlive_the_deployment_that_replaces_it() -> None:
    assert {HUB.properties(name)["RetentionPolicy"] for name in ("AccessLayer", "WardenLayer")} == {"Delete"}


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_parameters_and_outputs_are_the_published_ones(template: Template) -> None:
    published = EXPECTED["stacks"][template.name]
    assert {*template.body["Parameters"]} == {*published["parameters"]}
    assert {*template.body["Outputs"]} == {*published["outputs"]}


def test_the_external_id_is_chosen_by_whoever_deploys() -> None:
    assert "Default" not in HUB.body["Parameters"]["ExternalId"]
