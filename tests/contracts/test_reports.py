"""Reports: the last report, in memory and as an object of the state bucket."""

import gzip

import pytest

from ecr_warden.audit.aws_last import REPORT_KEY
from ecr_warden.audit.report.report import report_to_json
from ecr_warden.core.codec.base import dumps
from local.testing.reports import example
from tests.contracts.hubs import OWNER, STATE_BUCKET, Hub, MotoHub

REPORT = example()


def test_there_is_none_at_first(hub: Hub) -> None:
    assert hub.reports.last() is None


def test_the_last_one_that_was_kept_is_the_last(hub: Hub) -> None:
    hub.reports.keep(REPORT)
    hub.reports.keep(example())
    assert hub.reports.last() == REPORT


BODIES = {
    "not compressed": b"{}",
    "no report": gzip.compress(b"{}"),
    "another version's": gzip.compress(dumps(report_to_json(REPORT) | {"schema": 2}).encode()),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_is_no_report_of_this_version_is_none(moto_hub: MotoHub, name: str) -> None:
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=REPORT_KEY, Body=BODIES[name], ExpectedBucketOwner=OWNER)
    assert moto_hub.reports.last() is None
