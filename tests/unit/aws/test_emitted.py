"""A line of metrics, read as CloudWatch reads it."""

import json
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from ecr_warden.bootstrap.observability import emit
from ecr_warden.core.metrics import UNITS, Metric, Values

# Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
_UNITS = {"Seconds", "Count", "None"}
_NAMESPACE, _DIMENSIONS = "ecr-warden", {"service": "ecr-warden"}

type Point = tuple[str, tuple[tuple[str, str], ...], str, str, float]
"""Namespace, dimensions, name, unit, value."""


def points(line: str) -> list[Point]:
    """What CloudWatch makes of a line; fails where it would drop the line or a value."""
    record = json.loads(line)
    assert len(line.encode()) < 1_000_000
    stamp = datetime.fromtimestamp(record["_aws"]["Timestamp"] / 1000, UTC)
    assert abs(datetime.now(UTC) - stamp) < timedelta(hours=1)
    found: list[Point] = []
    for directive in record["_aws"]["CloudWatchMetrics"]:
        assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
        assert 0 < len(directive["Metrics"]) <= 100
        for names in directive["Dimensions"]:
            dimensions = tuple((name, record[name]) for name in names)
            assert all(isinstance(value, str) and value for _, value in dimensions)
            for metric in directive["Metrics"]:
                assert metric.keys() == {"Name", "Unit"}
                values = record[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    assert isinstance(value, int | float)
                    assert not isinstance(value, bool)
                    found.append((directive["Namespace"], dimensions, metric["Name"], metric["Unit"], value))
    return found


LINES: dict[str, Values] = {
    "a repair": {"Repairs": 1, "SecondsToRepair": 41},
    "a sweep": {"SweepsFinished": 1},
    "none of anything": {"OutsidersIn": 0, "FindingsCritical": 0, "FindingsOther": 0, "TargetsDiffer": 0},
    "all that there are": dict.fromkeys(UNITS, 1.5),
}


@pytest.mark.parametrize("name", LINES)
def test_each_value_is_a_point_of_our_namespace_whose_only_dimension_is_the_service(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "another")
    emit(LINES[name])
    [line] = capsys.readouterr().out.splitlines()
    assert points(line) == [
        (_NAMESPACE, tuple(_DIMENSIONS.items()), metric, UNITS[metric], value) for metric, value in LINES[name].items()
    ]


def test_what_is_not_known_makes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    emit({})
    assert capsys.readouterr().out == ""


def test_no_line_has_what_the_one_before_it_had(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"Repairs": 1})
    emit({"NotDelivered": 2})
    first, second = capsys.readouterr().out.splitlines()
    assert [one[2:] for one in points(first)] == [("Repairs", "Count", 1)]
    assert [one[2:] for one in points(second)] == [("NotDelivered", "Count", 2)]


def test_each_metric_has_a_unit_that_cloudwatch_knows() -> None:
    assert {*get_args(Metric.__value__)} == {*UNITS}
    assert {*UNITS.values()} <= _UNITS
    assert {name for name, unit in UNITS.items() if "Seconds" in name or unit == "Seconds"} == {
        *("SecondsToRepair", "OldestLookSeconds")
    }
