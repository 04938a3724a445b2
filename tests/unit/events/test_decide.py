"""Tables of events and identities, each case a sentence: tests/cases/triggers."""

import copy
import json
from copy import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.codec.base import to_json
from ecr_warden.core.job import (
    Actor,
    Job,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepIdentities,
    SweepRepositories,
    job_from_text,
    job_to_json,
)
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.events.decide import EventDecision, decide
from ecr_warden.events.parse import parse_trigger
from ecr_warden.events.record import actor_of
from ecr_warden.events.trigger import (
    ApiCall,
    BlindingCall,
    HeartbeatSent,
    Ignored,
    SpecChanged,
    SweepDue,
    Trigger,
    TriggerError,
)
from tests.unit.events.test_events import PLACE

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests/cases/triggers"
SCHEDULE = Actor("AWSService", invoked_by="events.amazonaws.com")


def _cases(name: str) -> list[Any]:
    cases: list[dict[str, Any]] = json.loads((CASES / name).read_text())
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", _cases("events.json"))
def test_event(case: dict[str, Any]) -> None:
    try:
        found = decide(case["event"], PLACE)
    except TriggerError as error:
        assert case["error"] in error.message
        return
    if isinstance(found, Ignored):
        assert case["ignored"] in found.why
    else:
        assert isinstance(found.trigger, ApiCall)
        assert [target.key for target in found.targets] == case["targets"]


def _kind(trigger: Trigger) -> str:
    match trigger:
        case SpecChanged(deleted=True):
            return "spec-deleted"
        case SpecChanged(key=key) if key != PLACE.key:
            return "spec-misplaced"
        case SpecChanged():
            return "spec-changed"
        case SweepDue():
            return "sweep-due"
        case HeartbeatSent():
            return "heartbeat"
        case ApiCall() | BlindingCall():
            return "api-call"


def _surveyed(job: Job) -> str:
    match job:
        case SurveyRegistry(account=account, region=region, repository=name) if name:
            return str(RepositoryTarget(account, region, name))
        case SurveyIdentities() | SurveyRegistry() | SweepIdentities() | SweepRepositories():
            return job.part
        case _:
            return ""


RECORDS = [json.loads(line) for line in (CASES / "records.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in RECORDS])
def test_record(case: dict[str, Any]) -> None:
    expected = case["line"]
    try:
        found = decide(case["event"], PLACE)
    except TriggerError as error:
        assert expected["message"] in error.message
        return
    if isinstance(found, Ignored):
        assert expected["ignored"] in found.why
        return
    trigger = found.trigger
    assert [str(target) for target in found.targets] == expected["targets"]
    assert [job.thing for job in found.jobs if isinstance(job, ReportOwnChange)] == expected.get("reports", [])
    assert [*filter(None, map(_surveyed, found.jobs))] == expected.get("surveys", [])
    assert _kind(trigger) == expected.get("kind", "api-call")
    assert getattr(trigger, "action", None) == expected.get("action")
    actor = SCHEDULE if isinstance(trigger, SweepDue | HeartbeatSent) else trigger.actor
    assert to_json(actor) == expected["actor"]


def test_a_record_without_an_id_has_the_same_one_in_any_order_of_its_keys() -> None:
    record = {
        "eventVersion": "1.0",
        "eventSource": "iam.amazonaws.com",
        "eventName": "PutRolePolicy",
        "requestParameters": {"roleName": "ecr-pusher"},
        "recipientAccountId": "222222222222",
    }
    other = dict(reversed(record.items()))
    found = [decide(one, PLACE) for one in (record, other, record | {"eventName": "DeleteRolePolicy"})]
    ids = [one.trigger.event_id for one in found if isinstance(one, EventDecision) and isinstance(one.trigger, ApiCall)]
    assert ids[0] == ids[1] != ids[2]


SURVEYED: dict[str, tuple[str, dict[str, str], str | None]] = {
    "a role": ("UpdateAssumeRolePolicy", {"roleName": "door"}, "role/222222222222/door"),
    "a user": ("PutUserPolicy", {"userName": "bob"}, "user/222222222222/bob"),
    "a renamed user": ("UpdateUser", {"userName": "bob", "newUserName": "eve"}, "user/222222222222/eve"),
    "a group": ("PutGroupPolicy", {"groupName": "team"}, None),
}


@pytest.mark.parametrize("name", SURVEYED)
def test_a_survey_of_an_account_says_what_the_call_names(name: str) -> None:
    call, parameters, key = SURVEYED[name]
    record = {
        "eventVersion": "1.0",
        "eventSource": "iam.amazonaws.com",
        "eventName": call,
        "requestParameters": parameters,
        "recipientAccountId": "222222222222",
    }
    found = decide(record, PLACE)
    assert isinstance(found, EventDecision)
    [survey] = [job for job in found.jobs if isinstance(job, SurveyIdentities)]
    assert (survey.target and survey.target.key) == key
    assert job_from_text(json.dumps(job_to_json(survey))) == survey
    older = {name: value for name, value in job_to_json(survey).items() if name != "target"}
    assert job_from_text(json.dumps(older)) == replace(survey, target=None)


@pytest.mark.parametrize("case", _cases("identities.json"))
def test_identity(case: dict[str, Any]) -> None:
    assert actor_of(case["record"]) == Actor(**case["actor"])


def test_every_text_taken_from_an_event_is_bounded() -> None:
    long = "x" * 1_000_000
    identity = {
        "type": long,
        "arn": long,
        "principalId": f"AROA:{long}",
        "invokedBy": long,
        "sessionContext": {"sourceIdentity": long, "sessionIssuer": {"arn": long}},
    }
    actor = actor_of({"userIdentity": identity, "sourceIPAddress": long, "userAgent": long})
    found = {name: len(value) for name, value in to_json(actor).items()}
    assert found == {
        "type": 32,
        "arn": 512,
        "issuer": 512,
        "invokedBy": 128,
        "sourceIdentity": 256,
        "sourceIp": 128,
        "userAgent": 256,
    }


def test_a_key_of_s3_is_as_long_as_s3_lets_it_be() -> None:
    """Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html."""
    uploaded = json.loads((ROOT / "events/s3-ObjectCreated.json").read_text())
    uploaded["detail"]["object"] |= {"key": "k" * 1024, "version-id": "v" * 1025}
    found = parse_trigger(uploaded)
    assert isinstance(found, SpecChanged)
    assert (len(found.key), len(found.version_id)) == (1024, 1024)
    uploaded["detail"]["object"]["key"] += "k"
    with pytest.raises(TriggerError, match="1 to 1024"):
        parse_trigger(uploaded)


def test_a_blinding_call_is_of_the_account_that_its_record_names_or_else_its_envelope_or_its_caller() -> None:
    record: dict[str, Any] = {
        "eventVersion": "1.0",
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": "StopLogging",
        "eventID": "e-1",
        "requestParameters": {"name": "main"},
        "userIdentity": {"type": "IAMUser", "accountId": "111111111111"},
    }
    envelope = {"version": "0", "id": "e-2", "detail-type": "AWS API Call via CloudTrail", "source": "aws.cloudtrail"}
    made = (
        record,
        envelope | {"account": "222222222222", "detail": record},
        record | {"recipientAccountId": "333333333333"},
    )
    found = [decide(one, PLACE) for one in made]
    calls = [one.trigger for one in found if isinstance(one, EventDecision) and isinstance(one.trigger, BlindingCall)]
    assert [call.account for call in calls] == ["111111111111", "222222222222", "333333333333"]


def _events() -> list[Path]:
    return sorted((ROOT / "events").glob("*.json"))


type _Where = tuple[str | int, ...]


def _places(value: Any, where: _Where = ()) -> list[_Where]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [where] + [place for key, item in inner for place in _places(item, (*where, key))]


_MISSING = object()


def _with(event: Any, where: _Where, value: object) -> Any:
    if not where:
        return value
    changed = copy.deepcopy(event)
    holder = changed
    for key in where[:-1]:
        holder = holder[key]
    if value is _MISSING:
        del holder[where[-1]]
    else:
        holder[where[-1]] = value
    return changed


@pytest.mark.parametrize("path", _events(), ids=lambda path: path.stem)
def test_an_event_with_any_part_missing_or_of_another_type_makes_no_traceback(path: Path) -> None:
    event = json.loads(path.read_text())
    for where in _places(event):
        for value in (_MISSING, None, 1e400, "", "\ud800\x00", "x" * 5000, [None], {"": None}):
            if value is _MISSING and not where:
                continue
            try:
                assert decide(_with(event, where, value), PLACE) is not None
            except TriggerError as error:
                assert error.message.isprintable()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["version", "id", "detail-type", "source", "detail", "eventName", "eventSource", "eventID"]),
        _JSON | st.sampled_from(["0", "aws.iam", "iam.amazonaws.com", "AWS API Call via CloudTrail", "PutRolePolicy"]),
    )
)
def test_no_object_makes_a_traceback(event: dict[str, Any]) -> None:
    try:
        assert decide(event, PLACE) is not None
    except TriggerError as error:
        assert error.code == "trigger"
