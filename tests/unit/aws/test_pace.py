"""A sweep leaves repairs their part of what AWS answers, whatever that is."""

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError
from urllib3 import HTTPResponse

from bench.pace import REPAIRS, SERVERS, Kind, sweep
from ecr_warden.aws.pace import Pace, keep_pace
from ecr_warden_cli.terminal.profiles import SHARE
from local.testing.memory.hub import ManualClock
from tests.contracts.aws import REGION, new_session


@pytest.mark.parametrize(("rate", "burst"), SERVERS)
def test_a_sweep_gets_nine_tenths_of_its_share_and_no_call_fails(rate: int, burst: int) -> None:
    swept = sweep(Kind.PACE, rate, burst, repairs=0.0)
    assert swept.rate >= 0.9 * SHARE * rate
    assert swept.failed == 0


@pytest.mark.parametrize(("rate", "burst"), SERVERS)
def test_repairs_beside_a_sweep_are_answered_which_they_are_not_without_a_pace(rate: int, burst: int) -> None:
    assert REPAIRS < 1 - SHARE
    paced, unpaced = sweep(Kind.PACE, rate, burst), sweep(Kind.STANDARD, rate, burst)
    assert paced.rate >= 0.9 * SHARE * rate
    assert paced.repairs_failed <= 0.02 * paced.repairs
    assert unpaced.repairs_failed >= 0.05 * unpaced.repairs


def test_calls_that_are_not_throttled_wait_for_nothing() -> None:
    pace = Pace(SHARE)
    for number in range(1000):
        pace.ends(number / 1000, throttled=False)
        assert pace.begins(number / 1000) == number / 1000


def test_after_a_second_of_answers_the_first_that_is_throttled_sets_the_pace() -> None:
    pace = Pace(SHARE)
    for number in range(11):
        pace.ends(number / 10, throttled=False)
    pace.ends(1.0, throttled=True)
    assert [round(pace.begins(1.0) - 1.0, 2) for _ in range(3)] == [0.0, 0.12, 0.25], "eight a second of ten"
    pace.ends(1.5, throttled=True)
    assert [round(pace.begins(1.5) - 1.5, 2) for _ in range(2)] == [0.0, 0.12], "calls under way say nothing new"


def test_each_api_of_a_client_has_a_pace() -> None:
    """`DescribeRegistry` is throttled for ever, `DescribeRepositories` never."""
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    client = new_session().client("ecr", REGION, aws_access_key_id="a", aws_secret_access_key="s", config=once)
    clock, slept = ManualClock(), list[float]()

    def answer(event_name: str, **_: object) -> AWSResponse:
        throttled = event_name.endswith(".DescribeRegistry")
        body: dict[str, object] = {"__type": "ThrottlingException"} if throttled else {"repositories": []}
        raw = HTTPResponse(BytesIO(json.dumps(body).encode()), preload_content=False)
        return AWSResponse("https://aws.invalid", 400 if throttled else 200, HTTPHeaders(), raw)

    hooks: Any = client.meta.events
    hooks.register_last("before-send", answer)
    keep_pace(client, SHARE, now=lambda: clock.now().timestamp(), sleep=slept.append)
    for _ in range(4):
        with pytest.raises(ClientError, match="ThrottlingException"):
            client.describe_registry()
        clock.advance(timedelta(seconds=0.5))
    client.describe_repositories()
    assert slept == [0.0, 0.0, 0.0, 0.0, 0.0]
    with pytest.raises(ClientError, match="ThrottlingException"):
        client.describe_registry()
    assert slept[-1] == pytest.approx(0.5, abs=0.01), "one call a second, the last half a second ago"
