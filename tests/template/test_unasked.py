"""Permissions that the emulator never asks for, so that no step fails without them: read from the template."""

import pytest

from tests.template.cfn import HUB, ROOT, Node, listed, say, says

FUNCTIONS = ("dispatch", "reconcile", "accept", "collect", "audit", "alert", "images", "answer", "control")


def _statement(role: str, sid: str) -> Node:
    [found] = [one for one in HUB.policy(f"{role.capitalize()}Role") if one.get("Sid") == sid]
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_write_its_own_log_and_no_other(function: str) -> None:
    statement = _statement(function, "WriteOwnLog")
    assert set(statement["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    [group] = [one for one in HUB.resources("AWS::Logs::LogGroup") if one == f"{function.capitalize()}Logs"]
    name = HUB.properties(group)["LogGroupName"]
    assert say(statement["Resource"]).endswith(f":log-group:{name}:*")
    assert say(HUB.properties(f"{function.capitalize()}Function")["LoggingConfig"]["LogGroup"]) == f"${{{group}}}"


def test_alert_may_use_the_key_of_the_topic_that_it_publishes_to() -> None:
    key = HUB.properties("AlertTopic")["KmsMasterKeyId"]
    statement = _statement("alert", "EncryptForTopic")
    assert set(statement["Action"]) == {"kms:GenerateDataKey", "kms:Decrypt"}
    assert say(statement["Resource"]) == say(key).replace("}", ".Arn}")
    assert say(_statement("alert", "Publish")["Resource"]) == "${AlertTopic}"


@pytest.mark.parametrize("function", ["reconcile", "accept", "collect", "audit"])
def test_a_function_may_take_jobs_from_the_queue_that_calls_it_and_put_them_off(function: str) -> None:
    statement = _statement(function, "TakeJobs")
    polling = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    assert set(statement["Action"]) == polling | {"sqs:ChangeMessageVisibility"}
    [polled] = HUB.properties(f"{function.capitalize()}Function")["Events"].values()
    assert say(statement["Resource"]) == say(polled["Properties"]["Queue"])


def test_alert_may_receive_from_the_queues_of_exhausted_jobs_that_call_it() -> None:
    statement = _statement("alert", "TakeExhaustedJobs")
    assert set(statement["Action"]) == {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    polled = [say(event["Properties"]["Queue"]) for event in HUB.properties("AlertFunction")["Events"].values()]
    assert {*says(statement["Resource"])} == {*polled} - {"${IncidentsQueue.Arn}"}


@pytest.mark.parametrize("function", ["reconcile", "accept", "collect", "audit", "answer"])
def test_a_function_may_list_each_bucket_that_it_reads_a_key_of(function: str) -> None:
    """S3 answers 403 for a missing key to who may not list (API_GetObject: "If you don't have s3:ListBucket")."""
    statement = _statement(function, "TellAbsentFromDenied")
    assert statement["Action"] == "s3:ListBucket"
    read = [
        resource.partition(".Arn}")[0] + ".Arn}"
        for one in HUB.policy(f"{function.capitalize()}Role")
        if {"s3:GetObject", "s3:GetObjectVersion"} & {*listed(one["Action"])}
        for resource in says(one["Resource"])
    ]
    assert set(says(statement["Resource"])) == set(read)


@pytest.mark.parametrize("channel", ["Webhook", "PagerDuty"])
def test_alert_may_read_a_reference_of_either_service(channel: str) -> None:
    parameter, secret = _statement("alert", f"Read{channel}Parameter"), _statement("alert", f"Read{channel}Secret")
    assert (parameter["Action"], secret["Action"]) == ("ssm:GetParameter", "secretsmanager:GetSecretValue")
    assert say(parameter["Resource"]).endswith(":parameter${Name}")
    assert say(secret["Resource"]).endswith(":secret:${Name}-??????")
    for statement, prefix in ((parameter, "ssm:"), (secret, "secretsmanager:")):
        [_, names] = statement["Resource"]["Fn::Sub"]
        index, parts = names["Name"]["Fn::Select"]
        assert (index, parts["Fn::Split"][0]) == (1, prefix)


UNASKED = {
    *("WriteOwnLog", "ReportOwnFailure", "EncryptForTopic", "TakeJobs", "TakeExhaustedJobs"),
    *("ReadWebhookSecret", "ReadPagerDutySecret", "TellAbsentFromDenied"),
}


def test_what_is_left_to_the_templates_is_stated() -> None:
    page = (ROOT / "local" / "README.md").read_text()
    assert {sid for sid in UNASKED if f"`{sid}`" not in page} == set()
