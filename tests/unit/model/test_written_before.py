"""A compiled spec of an earlier version is refused, so that its text is compiled again."""

import json

import pytest
from ecr_warden.model.codec.base import CodecError
from ecr_warden.model.codec.spec import spec_from_json

from tests.template.cfn import ROOT

SAMPLES = [json.loads(line) for line in (ROOT / "tests" / "cases" / "json" / "schema-1.jsonl").read_text().splitlines()]


def test_a_compiled_spec_that_does_not_say_who_its_grants_vouch_for_is_compiled_again() -> None:
    samples = [sample["json"] for sample in SAMPLES if sample["kind"] == "spec"]
    assert samples
    for sample in samples:
        with pytest.raises(CodecError, match="organizations"):
            spec_from_json(sample)
