"""Proofs: the last audit, in memory and as an object of the state bucket."""

import gzip
from copy import replace
from datetime import UTC, datetime

import pytest

from ecr_warden.audit.aws_audits import KEY
from ecr_warden.audit.finding import (
    WHOLE,
    AuditBegun,
    AuditFailed,
    AuditRecord,
    Condition,
    ConditionStatus,
    Finding,
    FindingKind,
    RepositoryHealth,
    SeenFinding,
    UnreadCause,
    UnreadDocument,
    audit_to_json,
)
from ecr_warden.core.codec.base import dumps
from tests.contracts.hubs import OWNER, STATE_BUCKET, Hub, MotoHub

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CHECKOUT = "repository/222222222222/eu-central-1/shop/checkout"
MALLORY = "arn:aws:iam::999999999999:user/mallory"
FINE = Condition(ConditionStatus.TRUE, "Fine", "it is", NOON)


def record(version: str, findings: int = 1) -> AuditRecord:
    return AuditRecord(
        NOON,
        version,
        {"111111111111": '"etag"'},
        tuple(
            SeenFinding(Finding(FindingKind.EXTRA, CHECKOUT, "push", f"{MALLORY}{number}", foreign=True), NOON)
            for number in range(findings)
        ),
        administrators={"111111111111": ("arn:aws:iam::111111111111:role/admin",)},
        upstreams={"222222222222/eu-central-1": ("docker-hub: registry-1.docker.io",)},
        health={CHECKOUT: RepositoryHealth(FINE, FINE, FINE)},
        unread=(UnreadDocument("333333333333", WHOLE, "users", UnreadCause.REFUSED, "permission-missing", since=NOON),),
    )


def test_there_is_none_at_first(hub: Hub) -> None:
    assert hub.audits.last() is None


def test_the_last_one_is_kept(hub: Hub) -> None:
    for one in (record("v1"), record("v2", findings=10_000)):
        hub.audits.keep(one)
        assert hub.audits.last() == one


def test_an_audit_is_one_call_whose_object_must_be_in_the_hubs_own_bucket(moto_hub: MotoHub) -> None:
    moto_hub.audits.keep(record("v1"))
    moto_hub.audits.last()
    calls = [call for call in moto_hub.wire.calls if call.action in ("s3:PutObject", "s3:GetObject")]
    assert [call.action for call in calls] == ["s3:PutObject", "s3:GetObject"]
    assert {call.parameters["ExpectedBucketOwner"] for call in calls} == {OWNER}


ANOTHER = {**audit_to_json(record("v1")), "schema": 2}
UNREADABLE = {
    "of another schema": gzip.compress(dumps(ANOTHER).encode()),
    "without its findings' kind": gzip.compress(dumps({**ANOTHER, "schema": 1, "findings": [{}]}).encode()),
    "not compressed": dumps(audit_to_json(record("v1"))).encode(),
    "cut off": gzip.compress(dumps(audit_to_json(record("v1"))).encode())[:-9],
    "larger than any": gzip.compress(b" " * (65 * 1024 * 1024)),
}


@pytest.mark.parametrize(
    ("failure", "read"),
    [
        ("it took too long", AuditFailed("it took too long")),
        ("", None),
        ({"kind": "begun", "times": 2}, AuditBegun(2)),
    ],
    ids=["failed as text", "whole as text", "begun"],
)
def test_how_one_ended_is_read_also_as_a_text(
    moto_hub: MotoHub, failure: object, read: AuditFailed | AuditBegun | None
) -> None:
    body = dumps(audit_to_json(record("v1")) | {"failure": failure}).encode()
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=KEY, Body=gzip.compress(body))
    assert moto_hub.audits.last() == replace(record("v1"), failure=read)


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_one_that_this_version_cannot_read_is_none(moto_hub: MotoHub, body: bytes) -> None:
    moto_hub.audits.keep(record("v1"))
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=KEY, Body=body)
    assert moto_hub.audits.last() is None
