"""The ways an event takes: member rule, bus, hub rule, function, and the queue for what did not arrive."""

import pytest

from ecr_warden.collect.stacks import content_of
from ecr_warden.events.calls import BLINDING_CALLS, SILENCING, WATCHED
from ecr_warden.events.trigger import WatchedService
from ecr_warden.images.push import COMPLETE
from ecr_warden.notify.incident_event import INCIDENT
from iam_access.document.document import parse_document
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from iam_access.evaluate.request import make_request
from iam_access.evaluate.request_principal import parse_request_principal
from iam_access.evaluate.statement_match import Allowed
from tests.template.cfn import ALL, EVENTS, EXPECTED, HUB, MEMBER, Node, say, says

API_CALL = "AWS API Call via CloudTrail"
FORWARDED = ["aws.ecr", "aws.iam", "aws.cloudformation", "aws.cloudtrail", "aws.events"]
BLINDING = {name: row.in_members for rows in BLINDING_CALLS.values() for name, row in rows.items()}
MEMBERS = {"Fn::If": ["HasOrganization", {"Ref": "AWS::NoValue"}, {"Ref": "MemberAccounts"}]}
RULES = {
    "TrailRule": "Dispatch",
    "HeartbeatRule": "Dispatch",
    "OwnRule": "Dispatch",
    "SilencingRule": "Dispatch",
    "SpecRule": "Dispatch",
    "SweepRule": "Dispatch",
    "OutcomesRule": "Alert",
}
OF_IMAGES = ("ImageRule", "ImageActionRule")
IMAGE_CALLS = ["PutImage", "BatchDeleteImage", "UpdateImageStorageClass"]


def _pattern(template: Node, rule: str) -> Node:
    return template.properties(rule)["EventPattern"]


def test_members_may_put_what_cloudtrail_says_about_ecr_and_iam_and_nothing_else() -> None:
    [(name, policy)] = HUB.resources("AWS::Events::EventBusPolicy").items()
    assert name == "TrailBusPolicy"
    assert policy["Properties"]["EventBusName"] == {"Ref": "TrailBus"}
    statement = policy["Properties"]["Statement"]
    assert statement["Action"] == "events:PutEvents"
    kinds = {"events:source": FORWARDED, "events:detail-type": [API_CALL, "ECR Image Action", "Scheduled Event"]}
    assert statement["Condition"]["ForAllValues:StringEquals"] == kinds
    forwarded = {service for service, rows in BLINDING_CALLS.items() if any(row.in_members for row in rows.values())}
    assert {f"aws.{service}" for service in {*WatchedService, *forwarded}} == {*FORWARDED}


OURS, EVENT = {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, {"events:source": "aws.ecr", "events:detail-type": API_CALL}
CALLERS: dict[str, tuple[str, dict[str, str], bool]] = {
    "of the organization": ("o-a1b2c3d4e5", OURS | EVENT, True),
    "of the organization, of whom only the right is checked": ("o-a1b2c3d4e5", OURS, True),
    "of another organization": ("o-a1b2c3d4e5", EVENT | {"aws:PrincipalOrgID": "o-0000000000"}, False),
    "without an organization": ("o-a1b2c3d4e5", EVENT, False),
    "without an organization, of whom only the right is checked": ("o-a1b2c3d4e5", {}, False),
    "of the organization with an event of its own": ("o-a1b2c3d4e5", OURS | EVENT | {"events:source": "shop"}, False),
    "of the organization, with another kind": ("o-a1b2c3d4e5", OURS | EVENT | {"events:detail-type": "Order"}, False),
    "a member": ("", EVENT, True),
    "a member, of whom only the right is checked": ("", {}, True),
    "a member with an event of its own": ("", EVENT | {"events:source": "shop"}, False),
}


@pytest.mark.parametrize("case", CALLERS)
def test_who_may_put_events(case: str) -> None:
    organization, context, allowed = CALLERS[case]
    known = {"MemberAccounts": "222222222222", "OrganizationId": organization, "TrailBus.Arn": _BUS}
    policy = content_of("hub").properties("TrailBusPolicy", known | {"TrailBus": "ecr-warden-trail"})["Statement"]
    caller = parse_request_principal("arn:aws:iam::222222222222:role/ecr-warden/ecr-warden-forward")
    own = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}
    identity, resource = (parse_document({"Version": "2012-10-17", "Statement": [one]}) for one in (own, policy))
    decision = evaluate(make_request(caller, "events:PutEvents", _BUS, context), Policies((identity,), resource))
    assert isinstance(decision, Allowed) is allowed


_BUS = "arn:aws:events:eu-central-1:111111111111:event-bus/ecr-warden-trail"


def test_only_the_hub_may_put_outcomes() -> None:
    policies = HUB.resources("AWS::Events::EventBusPolicy").values()
    assert {say(p["Properties"]["EventBusName"]) for p in policies} == {"${TrailBus}"}
    assert "Policy" not in HUB.properties("OutcomesBus")
    senders = [
        s.place for s in HUB.statements() if "events:PutEvents" in s.actions and "${OutcomesBus.Arn}" in s.resources
    ]
    assert senders == [
        *(f"template.yaml {name}Role SayOutcomes" for name in ("Reconcile", "Accept", "Collect", "Audit")),
        "template.yaml AlertRole SayIncidents",
        "template.yaml ImagesRole SayOutcomes",
        "template.yaml ControlRole SayWhoPauses",
    ]


def test_the_trail_rule_matches_calls_of_members_including_failed_ones() -> None:
    assert HUB.properties("TrailRule")["EventBusName"] == {"Ref": "TrailBus"}
    assert _pattern(HUB, "TrailRule") == {
        "source": FORWARDED,
        "account": MEMBERS,
        "detail-type": [API_CALL],
        "detail": {"eventName": [{"anything-but": {"suffix": ["Image", "StorageClass"]}}]},
    }
    watched = [name for calls in WATCHED.values() for name in calls] + [*BLINDING]
    assert [name for name in (*watched, *IMAGE_CALLS) if name.endswith(("Image", "StorageClass"))] == IMAGE_CALLS


def test_what_happens_to_images_goes_past_dispatch_to_queues_of_its_own() -> None:
    every = {"source": ["aws.ecr"], "account": MEMBERS}
    assert _pattern(HUB, "ImageRule") == {**every, "detail-type": [API_CALL], "detail": {"eventName": IMAGE_CALLS}}
    assert _pattern(HUB, "ImageActionRule") == {**every, "detail-type": ["ECR Image Action"]}
    targets = {rule: [say(one["Arn"]) for one in HUB.properties(rule)["Targets"]] for rule in OF_IMAGES}
    again = "${ImagesAgainQueue.Arn}"
    assert targets == {"ImageRule": ["${ImagesQueue.Arn}", again], "ImageActionRule": [again]}
    assert HUB.properties("ImagesAgainQueue")["DelaySeconds"] == COMPLETE.total_seconds()
    forwarded = _pattern(EVENTS, "ForwardImages")
    assert forwarded["detail-type"] == [API_CALL, "ECR Image Action"]
    assert forwarded["detail"] == {"$or": [{"eventName": IMAGE_CALLS}, {"action-type": ["PUSH", "DELETE"]}]}
    [statement] = HUB.properties("ImagesQueuePolicy")["PolicyDocument"]["Statement"]
    assert {*says(statement["Condition"]["ArnEquals"]["aws:SourceArn"])} == {f"${{{rule}.Arn}}" for rule in OF_IMAGES}


def test_a_member_can_send_no_schedule_but_its_heartbeat() -> None:
    assert HUB.properties("HeartbeatRule")["EventBusName"] == {"Ref": "TrailBus"}
    assert _pattern(HUB, "HeartbeatRule") == {
        "source": ["aws.events"],
        "account": MEMBERS,
        "detail-type": ["Scheduled Event"],
        "resources": [{"suffix": f":rule/{EVENTS.properties('Heartbeat')['Name']}"}],
    }
    assert EVENTS.properties("Heartbeat")["ScheduleExpression"] == "rate(1 hour)"
    assert EVENTS.properties("Heartbeat")["State"] == "ENABLED"


def test_the_spec_rule_listens_on_the_default_bus_for_every_key_of_one_bucket() -> None:
    assert "EventBusName" not in HUB.properties("SpecRule")
    pattern = _pattern(HUB, "SpecRule")
    assert (pattern["source"], pattern["detail-type"]) == (["aws.s3"], ["Object Created", "Object Deleted"])
    assert says(pattern["detail"]["bucket"]["name"]) == [say(HUB.properties("SpecBucket")["BucketName"])]
    # What to do about a key that is not the spec's is for dispatch to say.
    assert set(pattern["detail"]) == {"bucket"}


def test_the_sweep_is_on_from_the_first_day() -> None:
    sweep = HUB.properties("SweepRule")
    assert (sweep["ScheduleExpression"], sweep["State"]) == ({"Ref": "SweepSchedule"}, "ENABLED")
    assert HUB.body["Parameters"]["SweepSchedule"]["Default"] == "rate(15 minutes)"


def test_the_outcomes_rule_matches_every_event_of_the_hub_but_what_alert_itself_may_publish() -> None:
    assert HUB.properties("OutcomesRule")["EventBusName"] == {"Ref": "OutcomesBus"}
    others = {"detail-type": [{"anything-but": [INCIDENT]}]}
    assert _pattern(HUB, "OutcomesRule") == {"account": [{"Ref": "AWS::AccountId"}], **others}
    [publishes] = [s for s in HUB.policy("AlertRole") if "events:PutEvents" in says(s["Action"])]
    assert publishes["Condition"] == {"ForAllValues:StringEquals": {"events:detail-type": INCIDENT}}


def test_rules_carry_the_names_that_people_know() -> None:
    names = [body["Properties"]["Name"] for t in ALL for body in t.resources("AWS::Events::Rule").values()]
    assert sorted(names) == sorted(EXPECTED["rules"])


@pytest.mark.parametrize("rule", RULES)
def test_a_hub_rule_has_one_target_that_permits_that_rule_and_a_standard_dlq(rule: str) -> None:
    function = f"{RULES[rule]}Function"
    [target] = HUB.properties(rule)["Targets"]
    assert say(target["Arn"]) == f"${{{function}.Arn}}"
    assert say(target["DeadLetterConfig"]["Arn"]) == "${FailuresQueue.Arn}"
    permissions = [p["Properties"] for p in HUB.resources("AWS::Lambda::Permission").values()]
    [permission] = [p for p in permissions if say(p["SourceArn"]) == f"${{{rule}.Arn}}"]
    assert permission["FunctionName"] == {"Ref": function}
    assert (permission["Principal"], permission["Action"]) == ("events.amazonaws.com", "lambda:InvokeFunction")


def test_there_is_a_permission_for_each_rule_and_no_other() -> None:
    permissions = [p["Properties"] for p in HUB.resources("AWS::Lambda::Permission").values()]
    assert {say(p["SourceArn"]) for p in permissions} == {f"${{{rule}.Arn}}" for rule in RULES}
    assert set(HUB.resources("AWS::Events::Rule")) == {*RULES, *OF_IMAGES}


def test_the_dlq_of_targets_takes_messages_of_these_rules_only() -> None:
    [statement] = HUB.properties("FailuresQueuePolicy")["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert set(says(statement["Condition"]["ArnEquals"]["aws:SourceArn"])) == {
        f"${{{rule}.Arn}}" for rule in (*RULES, *OF_IMAGES)
    }


def test_the_events_stack_has_no_iam_so_that_it_can_be_deployed_to_each_region() -> None:
    kinds = {body["Type"] for body in EVENTS.body["Resources"].values()}
    assert not {kind for kind in kinds if kind.startswith("AWS::IAM::")}
    assert "Transform" not in EVENTS.body
    assert "Transform" not in MEMBER.body


def test_iam_is_forwarded_from_the_one_region_that_reports_it() -> None:
    assert EVENTS.body["Resources"]["ForwardIam"]["Condition"] == "IamReportsHere"
    assert EVENTS.body["Conditions"]["IamReportsHere"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    assert "Condition" not in EVENTS.body["Resources"]["ForwardEcr"]


@pytest.mark.parametrize(("rule", "service"), [("ForwardEcr", "ecr"), ("ForwardIam", "iam")])
def test_a_forward_rule_matches_calls_of_one_service_including_failed_ones(rule: str, service: str) -> None:
    pattern = _pattern(EVENTS, rule)
    assert set(pattern) == {"source", "detail-type", "detail"}
    assert set(pattern["detail"]) == {"eventSource", "eventName"}
    assert (pattern["source"], pattern["detail-type"]) == ([f"aws.{service}"], [API_CALL])
    assert pattern["detail"]["eventSource"] == [f"{service}.amazonaws.com"]


@pytest.mark.parametrize(("rule", "service"), [("ForwardEcr", WatchedService.ECR), ("ForwardIam", WatchedService.IAM)])
def test_a_forward_rule_sends_exactly_the_calls_that_name_targets(rule: str, service: WatchedService) -> None:
    names = _pattern(EVENTS, rule)["detail"]["eventName"]
    assert len(names) == len(set(names))
    assert set(names) == set(WATCHED[service])


def _alternatives(template: Node, rule: str) -> dict[str, Node]:
    """What a pattern asks of the parameters of each call that it takes."""
    found: dict[str, Node] = {}
    for one in _pattern(template, rule)["detail"]["$or"]:
        for name in one["eventName"]:
            found[name["prefix"] if isinstance(name, dict) else name] = one.get("requestParameters")
    return found


def test_the_calls_that_can_blind_ecr_warden_are_sent_and_no_others() -> None:
    assert {*_alternatives(EVENTS, "ForwardOwn")} == {name for name, in_members in BLINDING.items() if in_members}
    of_hub = {*_alternatives(HUB, "OwnRule")}
    assert of_hub <= {*BLINDING}
    # The names of Lambda's calls are taken by their beginnings, one of which begins another.
    assert {*BLINDING} - of_hub == {"DeleteFunctionEventInvokeConfig"}
    assert {"prefix": "DeleteFunction"} in [
        one for each in _pattern(HUB, "OwnRule")["detail"]["$or"] for one in each["eventName"]
    ]
    hub, members = (_pattern(template, rule)["source"] for template, rule in ((HUB, "OwnRule"), (EVENTS, "ForwardOwn")))
    assert hub == sorted(f"aws.{service}" for service in BLINDING_CALLS)
    assert {*members} == {*FORWARDED} - {"aws.ecr", "aws.iam"}


def test_what_alerts_go_through_is_watched_whatever_the_call_is() -> None:
    pattern = _pattern(HUB, "SilencingRule")
    assert pattern["source"] == sorted(f"aws.{service}" for service in SILENCING)
    assert pattern["detail"]["readOnly"] == [False]
    named = {key for one in pattern["detail"]["$or"] for key in one.get("requestParameters", ())}
    assert named == {
        "topicArn",
        "subscriptionArn",
        "alarmName",
        "alarmNames",
        "muteTargets",
        "tableName",
        "resourceArn",
        "name",
        "names",
        "secretId",
    }


def test_of_rules_and_stacks_those_of_our_names_are_sent_and_of_trails_all() -> None:
    for template, rule in ((EVENTS, "ForwardOwn"), (HUB, "OwnRule")):
        wanted = _alternatives(template, rule)
        assert wanted["StopLogging"] is None
        assert wanted["DisableRule"] == {"name": [{"prefix": "ecr-warden-"}]}
        assert wanted["PutTargets"] == {"rule": [{"prefix": "ecr-warden-"}]}


@pytest.mark.parametrize("rule", ["ForwardEcr", "ForwardIam", "ForwardImages", "ForwardOwn", "Heartbeat"])
def test_a_forward_rule_sends_to_the_hub_by_its_role_and_keeps_what_did_not_arrive(rule: str) -> None:
    [target] = EVENTS.properties(rule)["Targets"]
    assert target["Arn"] == {"Ref": "HubBusArn"}
    member = MEMBER.properties("ForwardRole")
    role = f"role{member['Path']}{member['RoleName']}"
    assert say(target["RoleArn"]) == f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:{role}"
    assert say(target["DeadLetterConfig"]["Arn"]) == "${Undelivered.Arn}"
    assert "FifoQueue" not in EVENTS.properties("Undelivered")


def test_the_dlq_of_a_region_takes_messages_of_the_forward_rules_only() -> None:
    [statement] = EVENTS.properties("UndeliveredPolicy")["PolicyDocument"]["Statement"]
    prefix = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/"
    names = {EVENTS.properties(rule)["Name"] for rule in EVENTS.resources("AWS::Events::Rule")}
    assert set(says(statement["Condition"]["ArnEquals"]["aws:SourceArn"])) == {prefix + name for name in names}
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
