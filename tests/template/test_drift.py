"""CloudFormation sees drift only of properties that a template says: each that can blind or stop ecr-warden is said.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackResourceDrift.html
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.template.cfn import ALL

SAID: Mapping[str, Mapping[str, Any]] = {
    "AWS::Events::Rule": {"State": "ENABLED"},
    "AWS::IAM::Role": {"ManagedPolicyArns": [], "Policies": []},
    "AWS::CloudWatch::Alarm": {"ActionsEnabled": True},
    "AWS::KMS::Key": {"Enabled": True},
}
"""What resources say, by type: this value, or a list that is as long as it has to be."""


@pytest.mark.parametrize("kind", SAID)
def test_what_somebody_could_switch_off_or_add_is_said(kind: str) -> None:
    found = [(template.name, name, body) for template in ALL for name, body in template.resources(kind).items()]
    assert found
    for template, name, body in found:
        for key, value in SAID[kind].items():
            given = body["Properties"].get(key)
            is_list = isinstance(value, list) and (isinstance(given, list) or "Fn::If" in (given or {}))
            assert given == value or is_list, f"{template}: {name} does not say {key}: nobody sees what becomes of it"


def test_every_mapping_of_a_queue_says_that_it_is_on() -> None:
    functions = ALL[0].resources("AWS::Serverless::Function")
    sources = [one for body in functions.values() for one in body["Properties"].get("Events", {}).values()]
    assert sources and all(one["Properties"]["Enabled"] is True for one in sources)
