"""The files under events/: one for each watched call and other trigger, and the jobs that each makes."""

import json
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.job import (
    AcceptSpec,
    CauseKind,
    FollowClock,
    FollowSwitch,
    Job,
    ReconcileTarget,
    ReportCall,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
)
from ecr_warden.events.calls import WATCHED, NamesOfCall
from ecr_warden.events.decide import EventDecision, SpecPlace, decide
from ecr_warden.events.record import account_id
from ecr_warden.events.trigger import Ignored, SpecChanged, WatchedService

EVENTS = Path(__file__).parents[3] / "events"
BUCKET = "ecr-warden-spec-111111111111-eu-central-1"
PLACE = SpecPlace("access.yaml", BUCKET.__eq__)
REPOSITORY = "repository/222222222222/eu-central-1/shop/checkout"
ROLE = "role/222222222222/ecr-pusher"
MALLORY = "arn:aws:iam::111111111111:user/mallory"
USER = "user/111111111111/push-user"
BOUNDARY = "policy ecr-warden-boundary"
CALLS = [pytest.param(service, name, id=f"{service}:{name}") for service, rows in WATCHED.items() for name in rows]
NAMES = {
    NamesOfCall.REPOSITORY: [REPOSITORY],
    NamesOfCall.ROLE: [ROLE],
    NamesOfCall.SESSIONS: [ROLE, ROLE],
    NamesOfCall.USER: [USER],
    NamesOfCall.BOTH_USERS: [USER, f"{USER}-old"],
    NamesOfCall.POLICY: [BOUNDARY],
    NamesOfCall.CREDENTIAL: [USER],
    NamesOfCall.IMAGES: [REPOSITORY],
    NamesOfCall.GROUP: [],
    NamesOfCall.REGISTRY: [],
    NamesOfCall.PROVIDER: [],
    NamesOfCall.CERTIFICATE: ["222222222222 "],
    NamesOfCall.SETTING: ["222222222222 eu-central-1"],
}
SURVEYS = {
    NamesOfCall.REPOSITORY: "222222222222/eu-central-1 shop/checkout",
    NamesOfCall.REGISTRY: "222222222222/eu-central-1 ",
    NamesOfCall.ROLE: "222222222222",
    NamesOfCall.USER: "111111111111",
    NamesOfCall.BOTH_USERS: "111111111111",
    NamesOfCall.GROUP: "111111111111",
    NamesOfCall.POLICY: "222222222222",
    NamesOfCall.PROVIDER: "222222222222",
    NamesOfCall.CERTIFICATE: "222222222222",
}


def _event(stem: str) -> Any:
    return json.loads((EVENTS / f"{stem}.json").read_text())


def _decision(stem: str) -> EventDecision:
    decision = decide(_event(stem), PLACE)
    assert isinstance(decision, EventDecision)
    return decision


def _named(job: Job) -> str:
    match job:
        case ReportCall(target=None, account=account, region=region):
            return f"{account} {region}"
        case ReconcileTarget(target=target) | ReportCall(target=target):
            assert target is not None
            return target.key
        case ReportOwnChange(thing=thing):
            return thing
        case SurveyIdentities(account=account):
            return account
        case SurveyRegistry(account=account, region=region, repository=name):
            return f"{account}/{region} {name}"
        case _:
            raise AssertionError(job)


def test_every_watched_call_and_every_other_trigger_has_a_file() -> None:
    others = {"s3-ObjectCreated", "s3-ObjectCreated-misplaced", "s3-ObjectDeleted", "events-ScheduledEvent"}
    calls = {f"{service}-{name}" for service, rows in WATCHED.items() for name in rows}
    assert {path.stem for path in EVENTS.glob("*.json")} == calls | others


@pytest.mark.parametrize(("service", "name"), CALLS)
def test_a_call_makes_one_job_for_each_target_it_names_and_a_survey_behind_them(
    service: WatchedService, name: str
) -> None:
    jobs = _decision(f"{service}-{name}").jobs
    row = WATCHED[service][name]
    assert list(map(_named, jobs)) == [*NAMES[row.names], *([SURVEYS[row.names]] if row.surveys else [])]
    for job in jobs:
        assert job.cause.kind is CauseKind.EVENT
        assert job.cause.action == f"{service}:{name}"
        assert job.cause.at == "2026-11-24T10:15:30Z"
        assert job.cause.id.startswith("00000000-0000-4000-8000-"), "the call's own id, not the envelope's"
        assert job.cause.actor is not None
        assert job.cause.actor.arn


@pytest.mark.parametrize(
    ("sent", "is_reported"),
    [
        ({"maxSessionDuration": 43200}, True),
        ({"maxSessionDuration": 3601}, True),
        ({"maxSessionDuration": "43200"}, True),
        ({"maxSessionDuration": 3600}, False),
        ({"maxSessionDuration": None}, False),
        ({"description": "x"}, False),
        ({"roleName": "ecr-warden-read", "maxSessionDuration": 43200}, False),
    ],
)
def test_longer_sessions_are_reported(sent: dict[str, object], is_reported: bool) -> None:
    event = _event("iam-UpdateRole")
    event["detail"]["requestParameters"] = {"roleName": "ecr-pusher", **sent}
    found = decide(event, PLACE)
    assert isinstance(found, EventDecision)
    kinds = [type(job) for job in found.jobs]
    assert (ReportCall in kinds) is is_reported
    assert ReconcileTarget in kinds
    assert (ReportOwnChange in kinds) is ("roleName" in sent), "ecr-warden's own is reported once"


@pytest.mark.parametrize(
    ("stem", "place"),
    [
        ("ecr-PutRegistryPolicy", {"awsRegion": "mars"}),
        ("ecr-DeletePullThroughCacheRule", {"registryId": "a registry"}),
    ],
)
def test_a_call_on_a_registry_that_cannot_be_is_ignored(stem: str, place: dict[str, str]) -> None:
    event = _event(stem)
    sent = event["detail"] if "awsRegion" in place else event["detail"]["requestParameters"]
    sent |= place
    event["region"] = "mars"
    found = decide(event, PLACE)
    assert isinstance(found, Ignored)
    assert found.why.endswith("names no valid registry")


def test_a_managed_policy_of_anybody_has_its_account_surveyed() -> None:
    event = _event("iam-SetDefaultPolicyVersion")
    event["detail"]["requestParameters"]["policyArn"] = "arn:aws:iam::222222222222:policy/team"
    decision = decide(event, PLACE)
    assert isinstance(decision, EventDecision)
    assert list(map(_named, decision.jobs)) == ["222222222222"]
    deleted = _event("iam-DeletePolicy")
    deleted["detail"]["requestParameters"]["policyArn"] = "arn:aws:iam::222222222222:policy/team"
    assert isinstance(decide(deleted, PLACE), Ignored), "it was detached before"


@pytest.mark.parametrize(("service", "name"), CALLS)
def test_a_refused_call_makes_no_job(service: WatchedService, name: str) -> None:
    event = _event(f"{service}-{name}")
    event["detail"] |= {"errorCode": "AccessDenied", "errorMessage": "no", "responseElements": None}
    assert decide(event, PLACE) == Ignored(f"{service}:{name} failed (AccessDenied) and changed nothing")


@pytest.mark.parametrize(
    ("stem", "number", "action"),
    [("s3-ObjectCreated", 101, "s3:PutObject"), ("s3-ObjectDeleted", 103, "s3:DeleteObject")],
)
def test_a_new_or_deleted_spec_object_makes_an_accept_job_with_its_actor(stem: str, number: int, action: str) -> None:
    (job,) = _decision(stem).jobs
    assert isinstance(job, AcceptSpec)
    assert (job.cause.id, job.cause.action) == (f"00000000-0000-4000-a000-000000000{number}", action)
    assert job.cause.actor is not None
    assert (job.cause.actor.account, job.cause.actor.source_ip) == ("111111111111", "198.51.100.7")


def test_the_spec_trigger_has_bucket_key_and_version() -> None:
    trigger = _decision("s3-ObjectCreated").trigger
    assert isinstance(trigger, SpecChanged)
    assert (trigger.bucket, trigger.key) == (BUCKET, "access.yaml")
    assert trigger.version_id == "uhggCJ2_B6gU2JaXWXebnXFDstO0ID6G"


def test_the_schedule_checks_the_spec_and_starts_a_sweep_of_everything() -> None:
    decision = _decision("events-ScheduledEvent")
    assert list(map(type, decision.jobs)) == [FollowClock, FollowSwitch, AcceptSpec, SweepAll]
    assert {job.cause.kind for job in decision.jobs} == {CauseKind.SWEEP}
    assert decision.targets == ()


def _call_of_ssm(name: str, parameter: str, **more: Any) -> dict[str, Any]:
    """What CloudTrail reports of a call on a parameter."""
    record = {
        "eventVersion": "1.08",
        "eventID": "e-1",
        "eventSource": "ssm.amazonaws.com",
        "eventName": name,
        "eventTime": "2026-11-24T10:15:30Z",
        "awsRegion": "eu-central-1",
        "recipientAccountId": "111111111111",
        "userIdentity": {"type": "IAMUser", "arn": MALLORY, "accountId": "111111111111"},
        "requestParameters": {"names": ["/x", parameter]} if name.endswith("s") else {"name": parameter},
    }
    return {"source": "aws.ssm", "detail-type": "AWS API Call via CloudTrail", "detail": record | more}


@pytest.mark.parametrize("name", ["PutParameter", "DeleteParameter", "DeleteParameters"])
@pytest.mark.parametrize(
    "parameter", ["/ecr-warden/writes", "arn:aws:ssm:eu-central-1:111111111111:parameter/ecr-warden/writes"]
)
def test_a_change_of_the_stop_switch_has_it_looked_at(name: str, parameter: str) -> None:
    decision = decide(_call_of_ssm(name, parameter), PLACE)
    assert isinstance(decision, EventDecision)
    [follow] = decision.jobs
    assert isinstance(follow, FollowSwitch)
    assert (follow.cause.action, follow.cause.at) == (f"ssm:{name}", "2026-11-24T10:15:30Z")
    assert follow.cause.actor is not None
    assert follow.cause.actor.arn == MALLORY


NOT_THE_SWITCH: dict[str, dict[str, Any]] = {
    "another parameter": _call_of_ssm("PutParameter", "/other/ecr-warden/writes"),
    "a call that failed": _call_of_ssm("PutParameter", "/ecr-warden/writes", errorCode="AccessDenied"),
    "a call that reads": _call_of_ssm("GetParameter", "/ecr-warden/writes"),
    "other parameters": _call_of_ssm("DeleteParameters", "/other"),
    "no name": _call_of_ssm("PutParameter", "/ecr-warden/writes", requestParameters=None),
}


@pytest.mark.parametrize("name", NOT_THE_SWITCH)
def test_other_calls_of_its_service_are_ignored(name: str) -> None:
    assert isinstance(decide(NOT_THE_SWITCH[name], PLACE), Ignored)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(111111111111, "111111111111"), ("111111111111", "111111111111"), (1, ""), (True, ""), (10**5000, ""), (None, "")],
    ids=["a number", "a text", "too short", "no number", "a number with more digits than Python prints", "nothing"],
)
def test_an_account_id_may_be_a_number(value: object, expected: str) -> None:
    assert account_id({"accountId": value}, "accountId") == expected
