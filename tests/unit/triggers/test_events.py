"""The files under events/: one for each kind handled, and what each of them yields."""

import json
from pathlib import Path

import pytest
from ecr_warden.model.job import AcceptSpec, CauseKind, Job, SweepAll, TellOwnChange
from ecr_warden.triggers.calls import WATCHED
from ecr_warden.triggers.decide import jobs_of, targets_of
from ecr_warden.triggers.parse import parse_trigger
from ecr_warden.triggers.trigger import ApiCall, Ignored, Service, SpecChanged, SweepDue

EVENTS = Path(__file__).parents[3] / "events"
REPOSITORY = "repository/222222222222/eu-central-1/shop/checkout"
ROLE = "role/222222222222/ecr-pusher"
USER = "user/111111111111/push-user"
CALLS = [(service, name) for service, rows in WATCHED.items() for name in rows]


def _jobs(stem: str) -> tuple[Job, ...]:
    trigger = parse_trigger(json.loads((EVENTS / f"{stem}.json").read_text()))
    assert not isinstance(trigger, Ignored)
    return jobs_of(trigger)


def test_every_handled_kind_has_a_file_and_every_file_is_handled() -> None:
    others = {"s3-ObjectCreated", "s3-ObjectCreated-misplaced", "s3-ObjectDeleted", "events-ScheduledEvent"}
    assert {path.stem for path in EVENTS.glob("*.json")} == {f"{service}-{name}" for service, name in CALLS} | others


def test_the_readme_lists_every_file() -> None:
    readme = (EVENTS / "README.md").read_text()
    assert [path.name for path in EVENTS.glob("*.json") if f"`{path.name}`" not in readme] == []


BOUNDARY = "policy ecr-warden-boundary"


def _expected(service: Service, name: str) -> list[str]:
    if service is Service.ECR:
        return [REPOSITORY]
    if name == "UpdateUser":
        return [USER, f"{USER}-old"]
    if "Policy" in name and "Role" not in name and "User" not in name and "Assume" not in name:
        return [BOUNDARY]
    return [ROLE] if "Role" in name or "Assume" in name else [USER]


@pytest.mark.parametrize(("service", "name"), CALLS, ids=[f"{service}:{name}" for service, name in CALLS])
def test_a_call_makes_one_job_for_each_target_it_names(service: Service, name: str) -> None:
    jobs = _jobs(f"{service}-{name}")
    named = [job.thing if isinstance(job, TellOwnChange) else getattr(job, "target").key for job in jobs]  # noqa: B009
    assert named == _expected(service, name)
    assert len(jobs) == len(_expected(service, name))
    for job in jobs:
        assert job.cause.kind is CauseKind.EVENT
        assert job.cause.action == f"{service}:{name}"
        assert job.cause.at == "2026-11-24T10:15:30Z"
        assert job.cause.id.startswith("00000000-0000-4000-8000-"), "the call's own id, not the envelope's"
        assert job.cause.actor is not None
        assert job.cause.actor.arn


@pytest.mark.parametrize(("service", "name"), CALLS, ids=[f"{service}:{name}" for service, name in CALLS])
def test_a_refused_call_makes_no_job(service: Service, name: str) -> None:
    event = json.loads((EVENTS / f"{service}-{name}.json").read_text())
    event["detail"] |= {"errorCode": "AccessDenied", "errorMessage": "no", "responseElements": None}
    trigger = parse_trigger(event)
    assert isinstance(trigger, ApiCall)
    assert trigger.error == "AccessDenied"
    assert jobs_of(trigger) == ()


@pytest.mark.parametrize(
    ("stem", "number", "action"),
    [("s3-ObjectCreated", 101, "s3:PutObject"), ("s3-ObjectDeleted", 103, "s3:DeleteObject")],
)
def test_a_new_or_deleted_spec_object_makes_an_accept_job_that_says_whose_doing_it_was(
    stem: str, number: int, action: str
) -> None:
    (job,) = _jobs(stem)
    assert isinstance(job, AcceptSpec)
    assert (job.cause.id, job.cause.action) == (f"00000000-0000-4000-a000-000000000{number}", action)
    assert job.cause.actor is not None
    assert (job.cause.actor.account, job.cause.actor.source_ip) == ("111111111111", "198.51.100.7")


def test_the_spec_trigger_has_bucket_key_and_version() -> None:
    trigger = parse_trigger(json.loads((EVENTS / "s3-ObjectCreated.json").read_text()))
    assert isinstance(trigger, SpecChanged)
    assert (trigger.bucket, trigger.key) == ("ecr-warden-spec-111111111111-eu-central-1", "access.yaml")
    assert trigger.version_id == "uhggCJ2_B6gU2JaXWXebnXFDstO0ID6G"
    assert targets_of(trigger) == ()


def test_the_schedule_makes_a_look_at_the_spec_and_a_sweep_of_everything() -> None:
    accept, job = _jobs("events-ScheduledEvent")
    assert isinstance(accept, AcceptSpec)
    assert isinstance(job, SweepAll)
    assert job.cause.kind is CauseKind.SWEEP
    assert targets_of(SweepDue("x", "")) == ()
