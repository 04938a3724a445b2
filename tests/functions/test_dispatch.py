"""The dispatch handler: each event of events/ becomes its jobs, and what it logs."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecr_warden.core.job import (
    AcceptSpec,
    FollowClock,
    FollowSwitch,
    ReconcileTarget,
    ReportCall,
    ReportOwnChange,
    SurveyIdentities,
    SurveyRegistry,
    SweepAll,
)
from ecr_warden.events.calls import WATCHED, NamesOfCall
from ecr_warden.events.trigger import TriggerError
from tests.functions.conftest import EVENTS, Deployed, Handler

type Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def handler(handler_of: Callable[[str], Handler]) -> Handler:
    return handler_of("dispatch")


def event(stem: str) -> Any:
    return json.loads((EVENTS / f"{stem}.json").read_text())


def test_each_event_becomes_its_jobs_on_the_queue(handler: Handler, deployed: Deployed) -> None:
    stems = sorted(path.stem for path in EVENTS.glob("*.json"))
    kinds: dict[str, set[type]] = {stem: {AcceptSpec} for stem in stems if stem.startswith("s3-")}
    kinds |= {"events-ScheduledEvent": {FollowClock, FollowSwitch, AcceptSpec, SweepAll}}
    for service, rows in WATCHED.items():
        survey = SurveyRegistry if service == "ecr" else SurveyIdentities
        for name, row in rows.items():
            made: dict[NamesOfCall, set[type]] = {
                NamesOfCall.REGISTRY: set(),
                NamesOfCall.GROUP: set(),
                NamesOfCall.PROVIDER: set(),
                NamesOfCall.POLICY: {ReportOwnChange},
                NamesOfCall.CREDENTIAL: {ReportCall},
                NamesOfCall.IMAGES: {ReportCall},
                NamesOfCall.CERTIFICATE: {ReportCall},
                NamesOfCall.SETTING: {ReportCall},
                NamesOfCall.SESSIONS: {ReconcileTarget, ReportCall},
            }
            kinds[f"{service}-{name}"] = made.get(row.names, {ReconcileTarget}) | ({survey} if row.surveys else set())
    for stem in stems:
        handler(event(stem))
        assert {type(job) for job in deployed.jobs()} == kinds[stem], stem


def test_the_same_event_twice_is_one_survey_and_a_look_each_time(handler: Handler, deployed: Deployed) -> None:
    """The queue of repairs forgets nothing: a second look at what is in order costs one read."""
    handler(event("ecr-SetRepositoryPolicy"))
    handler(event("ecr-SetRepositoryPolicy"))
    assert [type(job) for job in deployed.jobs()] == [ReconcileTarget, ReconcileTarget, SurveyRegistry]


@pytest.mark.parametrize(("accepted", "jobs"), [("222222222222", 2), ("333333333333", 0)])
def test_of_an_organizations_events_those_of_the_accepted_accounts_become_jobs(
    accepted: str, jobs: int, handler: Handler, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARDEN_ORGANIZATION", "o-a1b2c3d4e5")
    row: Any = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}, "aliases": {"M": {accepted: {"S": "registry"}}}}
    deployed.dynamodb.put_item(TableName="ecr-warden", Item=row)
    handler(event("ecr-SetRepositoryPolicy"))
    assert len(deployed.jobs()) == jobs


def test_another_object_in_the_bucket_is_ignored_and_logged(
    handler: Handler, deployed: Deployed, logged: Logged
) -> None:
    other = event("s3-ObjectCreated")
    other["detail"]["object"]["key"] = "README.md"
    handler(other)
    assert deployed.jobs() == []
    assert [line["message"] for line in logged()] == ["ignored"]


def test_an_invalid_event_is_an_error_of_the_function(handler: Handler, deployed: Deployed) -> None:
    broken = event("ecr-SetRepositoryPolicy")
    del broken["detail"]
    with pytest.raises(TriggerError):
        handler(broken)
    assert deployed.jobs() == []


def test_the_log_names_the_target_and_holds_no_document(handler: Handler, logged: Logged) -> None:
    given = event("ecr-SetRepositoryPolicy")
    assert "Statement" in given["detail"]["requestParameters"]["policyText"]
    handler(given)
    (line,) = logged()
    assert line["message"] == "enqueued"
    assert {"level", "location", "timestamp", "service", "function_request_id", "cold_start", "jobs"} <= line.keys()
    assert "Statement" not in json.dumps(line)
