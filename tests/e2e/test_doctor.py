"""`doctor` on a deployment by the command: as released, and code that CloudFormation does not read."""

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_warden_cli.deployment.aws_accounts import AwsEntered
from ecr_warden_cli.terminal.aws_sessions import AccountSession
from local.aws.deploy import built_release
from local.demo.places import CI, REGION, REGISTRY
from local.demo.quiet import Quiet
from local.demo.stage import DEPLOYMENT, standing
from local.testing.memory.hub import ManualClock
from tests.cli.command import Command, Ran
from tests.e2e.house import SEED, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two accounts to which the command has deployed, with the seed's file accepted."""
    with standing(lambda _: None) as stage:
        made = House(stage, Quiet.of(stage), {})
        made.upload(SEED)
        made.sweep()
        yield House(stage, made.quiet, made.documents())


@pytest.fixture
def types(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """To type a command of the deployment."""
    aws = house.stage.aws
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    opened = {account: AccountSession(aws.session(account, REGION), account, "") for account in (CI, REGISTRY)}
    (tmp_path / "ecr-warden.yaml").write_text(DEPLOYMENT)
    environment = {"ECR_WARDEN_RELEASE": str(built_release(tmp_path / "release"))}

    def run(verb: str, *words: str) -> Ran:
        entered = AwsEntered(opened, lambda _: time.sleep(0.05))
        at = ManualClock(datetime.now(UTC))
        command = Command(entered=entered, environment=environment, clock=at, sleep=lambda _: time.sleep(0.05))
        return command(verb, str(tmp_path / "ecr-warden.yaml"), *words)

    return run


def found(ran: Ran) -> list[dict[str, Any]]:
    return [one for group in ran.json["groups"] for one in group["diagnoses"]]


def test_a_deployment_that_nobody_touched_is_as_released(types: Callable[..., Ran]) -> None:
    ran = types("doctor")
    assert (ran.code, "by change sets, and the code of 8 functions" in ran.out) == (0, True), ran.out


def test_code_that_cloudformation_does_not_read_is_named_and_the_command_ends_it(
    house: House, types: Callable[..., Ran]
) -> None:
    client, packed = house.stage.aws.client(CI, "lambda"), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return {}")
    client.update_function_code(FunctionName="ecr-warden-collect", ZipFile=packed.getvalue())
    client.put_function_concurrency(FunctionName="ecr-warden-accept", ReservedConcurrentExecutions=0)
    commands = {one["code"]: one["command"] for one in found(types("doctor", "--json"))}
    assert commands.keys() == {"code-differs", "function-limited"}
    *words, file = commands["code-differs"].split()
    right = ["aws", "lambda", "update-function-code", "--region", REGION, "--function-name", "ecr-warden-collect"]
    assert words == [*right, "--zip-file"]
    client.update_function_code(FunctionName=words[6], ZipFile=Path(file.removeprefix("fileb://")).read_bytes())
    assert commands["function-limited"].endswith(
        f"delete-function-concurrency --region {REGION} --function-name ecr-warden-accept"
    )
    client.delete_function_concurrency(FunctionName="ecr-warden-accept")
    assert found(types("doctor", "--json")) == []
