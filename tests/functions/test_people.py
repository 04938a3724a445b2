"""The two handlers that people call: answer, and control with a proof that a stand-in for STS confirms."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials

from ecr_warden import __version__
from ecr_warden.core.job import CauseKind, ReconcileTarget
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.hub.aws_callers import make_proof
from ecr_warden.hub.request import AskPlan, AskStatus, request_to_text
from ecr_warden.state.commands import Accept, Command, PauseUntil, ReconcileTargets, Upload
from local.testing.messages import Message, batch
from tests.contracts.sts import ALICE, Sts, serving
from tests.functions.conftest import Context, Deployed, Handler
from tests.template.cfn import ROOT

SPEC = (ROOT / "examples" / "seed" / "access.yaml").read_bytes()
CHECKOUT = RepositoryTarget("222222222222", "eu-central-1", "shop/checkout")
SOON = datetime.now(UTC) + timedelta(hours=1)
PAUSE = PauseUntil("command-1", (CHECKOUT,), "a migration", SOON)


@pytest.fixture
def sts(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    """STS for the function alone, and the seed's file accepted."""
    with serving() as (server, url):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        monkeypatch.setenv("AWS_REGION", "eu-central-1")
        deployed.s3.put_object(Bucket=deployed.environment["WARDEN_SPEC_BUCKET"], Key="access.yaml", Body=SPEC)
        yield server


@pytest.fixture
def accepted(sts: Sts, handler_of: Callable[[str], Handler], deployed: Deployed) -> Sts:
    job = {"schema": 1, "kind": "accept-spec", "cause": {"kind": "event", "id": "e-1"}}
    for _ in range(2):
        assert handler_of("accept")(batch(Message(json.dumps(job)))) == {"batchItemFailures": []}
        deployed.accept_held()
    deployed.purge()
    return sts


def command(given: Command) -> dict[str, Any]:
    text = request_to_text(given)
    proof = make_proof(
        Credentials("AKIDEXAMPLE12345", "secret"),
        region="eu-central-1",
        hub=Context().invoked_function_arn,
        request=text,
    )
    return {"request": text, "proof": dict(proof)}


def test_a_command_runs_in_the_name_that_sts_confirms(
    accepted: Sts, handler_of: Callable[[str], Handler], deployed: Deployed
) -> None:
    reply = handler_of("control")(command(ReconcileTargets("command-1", (CHECKOUT,))))
    assert (reply["kind"], reply["caller"], reply["enqueued"]) == ("command", ALICE, True)
    [job] = deployed.jobs()
    assert isinstance(job, ReconcileTarget)
    assert (job.target, job.cause.kind) == (CHECKOUT, CauseKind.CALLER)
    assert job.cause.actor is not None
    assert job.cause.actor.arn == ALICE


@pytest.mark.parametrize(
    "given", [Accept("command-2", "0123456789ab"), PAUSE, ReconcileTargets("command-2", (CHECKOUT,))]
)
def test_whoever_may_publish_has_an_upload_recorded_and_nothing_else_done(
    accepted: Sts, handler_of: Callable[[str], Handler], deployed: Deployed, given: Command
) -> None:
    handler = handler_of("control")
    deployed.context.invoked_function_arn += ":upload"
    assert handler(command(given))["error"]["code"] == "only-uploads"
    assert deployed.jobs() == []
    version = deployed.s3.head_object(Bucket=deployed.environment["WARDEN_SPEC_BUCKET"], Key="access.yaml")["VersionId"]
    assert handler(command(Upload("command-3", version)))["caller"] == ALICE


def test_a_pause_shows_in_the_next_answer(accepted: Sts, handler_of: Callable[[str], Handler]) -> None:
    assert handler_of("control")(command(PAUSE))["targets"] == [str(CHECKOUT)]
    reply = handler_of("answer")({"request": request_to_text(AskStatus((str(CHECKOUT),)))})
    [status] = reply["targets"]
    assert (status["pause"]["reason"], status["pause"]["by"]["arn"]) == ("a migration", ALICE)


def test_an_unconfirmed_caller_gets_a_named_error_and_nothing_is_done(
    accepted: Sts, handler_of: Callable[[str], Handler], deployed: Deployed
) -> None:
    accepted.status = 403
    reply = handler_of("control")(command(ReconcileTargets("command-1", (CHECKOUT,))))
    assert reply["error"]["code"] == "caller-unproved"
    assert deployed.jobs() == []


def test_a_plan_of_unreadable_accounts_is_an_answer(accepted: Sts, handler_of: Callable[[str], Handler]) -> None:
    accepted.status = 403  # the member's roles cannot be assumed
    reply = handler_of("answer")({"request": request_to_text(AskPlan())})
    assert {plan["drifts"][0]["kind"] for plan in reply["plans"]} == {"unreadable"}


INVALID: list[Any] = [None, [], "x", {}, {"request": 7}, {"request": "{"}, {"request": "x" * 2_000_000}]


def test_an_invalid_request_is_a_named_error(sts: Sts, handler_of: Callable[[str], Handler]) -> None:
    for name in ("answer", "control"):
        for event in INVALID:
            reply = handler_of(name)(event)
            assert (reply["kind"], reply["error"]["code"]) == ("error", "bad-request"), (name, event)
            assert reply["hubVersion"] == __version__


def test_without_an_accepted_spec_the_answer_says_what_to_do(sts: Sts, handler_of: Callable[[str], Handler]) -> None:
    reply = handler_of("answer")({"request": request_to_text(AskStatus())})
    assert reply["error"] == {
        "code": "nothing-accepted",
        "message": "no spec is accepted yet",
        "remedy": "upload one: ecr-warden apply FILE",
    }
