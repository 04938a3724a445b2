"""The stop switch on a parameter that holds what nobody can mean: a stop, and why."""

from typing import Any

import pytest

from ecr_warden.state.aws_switch import SsmSwitch


class Ssm:
    """Answers with one parameter."""

    def __init__(self, **parameter: Any) -> None:
        self._parameter = parameter

    def get_parameter(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's own name
        return {"Parameter": {"Name": Name, **self._parameter}}


def switch(**parameter: Any) -> SsmSwitch:
    client: Any = Ssm(**parameter)
    return SsmSwitch(lambda: client, "/ecr-warden/writes")


@pytest.mark.parametrize(
    ("parameter", "says"),
    [
        ({"Value": ""}, "is empty"),
        ({"Value": " \n"}, "is empty"),
        ({}, "is not text"),
        ({"Value": "enab\x00led"}, "control or invisible character"),
        ({"Value": "enabled\u200bx"}, "control or invisible character"),
        ({"Value": "enabled" * 1000}, "is longer than"),
    ],
)
def test_what_cannot_be_read_is_a_stop_with_its_reason(parameter: dict[str, str], says: str) -> None:
    reason = switch(**parameter).reason_to_stop()
    assert reason is not None
    assert says in reason
    assert "/ecr-warden/writes" in reason
    assert "set it to enabled or stopped" in reason


def test_a_byte_order_mark_does_not_count_as_a_position() -> None:
    assert switch(Value="\ufeffenabled\r\n").reason_to_stop() is None
