"""Pieces of the estate: kept by part, in memory and as objects of the state bucket."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_warden.collect.aws_estate_store import PREFIX, TEXTS
from ecr_warden.collect.estate import Piece, ReportedCall
from ecr_warden.core.failures import PortError
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.target import RoleTarget
from iam_access.inventory.inventory import PolicyOfAws
from tests.contracts.hubs import OWNER, STATE_BUCKET, Hub, MotoHub

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
USERS: dict[str, Any] = {"iam": {"UserDetailList": [{"UserName": "ann"}]}}
APP = {"repositoryName": "app", "policyReadAt": NOON.isoformat(), "policy": "{}"}
REGISTRY: dict[str, Any] = {"repositories": [APP]}
EVER = datetime(2020, 1, 1, tzinfo=UTC)
TEXT = '{"Statement":[]}'
AUDIT = PolicyOfAws.of("arn:aws-cn:iam::aws:policy/job-function/Audit", "v7", TEXT)


def test_there_is_none_at_first(hub: Hub) -> None:
    assert hub.estate_store.get("111111111111") is None
    assert hub.estate_store.kept() == {}


def test_the_last_piece_of_each_part_is_kept(hub: Hub) -> None:
    pieces = [Piece("111111111111", NOON, USERS), Piece("111111111111/eu-central-1", NOON, REGISTRY)]
    for one in [Piece("111111111111", NOON, {}), *pieces]:
        hub.estate_store.put(one)
    assert [hub.estate_store.get(one.part) for one in pieces] == pieces
    assert set(hub.estate_store.kept()) == {one.part for one in pieces}
    assert hub.estate_store.get("111111111111/us-east-1") is None


def test_a_tag_changes_with_what_was_read_and_not_with_when(hub: Hub) -> None:
    tags = []
    for minute, entry in enumerate([USERS, USERS, {}]):
        piece = Piece("111111111111", NOON + timedelta(minutes=minute), entry)
        hub.estate_store.put(piece)
        assert hub.estate_store.get(piece.part) == piece
        tags.append(hub.estate_store.kept()[piece.part].tag)
    assert tags[0] == tags[1] != tags[2]


def test_the_calls_of_a_part_are_kept_and_are_no_piece(hub: Hub) -> None:
    part = "111111111111/eu-central-1"
    assert hub.estate_store.calls(part) == ()
    cause = Cause(CauseKind.EVENT, "e1", "iam:PutRolePolicy", "2026-01-01T12:00:00Z", actor=Actor("IAMUser", "arn:x"))
    calls = (ReportedCall(cause, RoleTarget("111111111111", "a")), ReportedCall(cause))
    for some in (calls[:1], calls):
        hub.estate_store.note(part, some)
        assert hub.estate_store.calls(part) == some
    assert hub.estate_store.calls("111111111111") == ()
    assert (hub.estate_store.get(part), hub.estate_store.kept()) == (None, {})


@pytest.mark.parametrize("body", [b"", b"{}", gzip.compress(b'{"schema": 99, "calls": []}'), gzip.compress(b"[]")])
def test_calls_that_this_version_cannot_read_are_none(moto_hub: MotoHub, body: bytes) -> None:
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=f"{PREFIX}111111111111.calls", Body=body)
    assert moto_hub.estate_store.calls("111111111111") == ()


def test_every_piece_is_listed(moto_hub: MotoHub) -> None:
    def shorten(params: dict[str, Any], **_: object) -> None:
        params["MaxKeys"] = 7

    moto_hub.client("s3").meta.events.register("provide-client-params.s3.ListObjectsV2", shorten)
    parts = {f"{number:012}" for number in range(16)}
    for part in parts:
        moto_hub.estate_store.put(Piece(part, NOON, {}))
    assert set(moto_hub.estate_store.kept()) == parts


def test_the_text_of_a_policy_of_aws_is_kept_by_its_arn_and_version(hub: Hub) -> None:
    assert hub.estate_store.text(AUDIT) is None
    assert hub.estate_store.texts(EVER) == {}
    newer = PolicyOfAws.of(AUDIT.arn, "v8", "{}")
    for policy, text in ((AUDIT, TEXT), (newer, "{}")):
        hub.estate_store.put_text(policy, text)
    assert hub.estate_store.texts(EVER) == {(one.arn, one.version): one.digest for one in (AUDIT, newer)}
    assert [hub.estate_store.text(one) for one in (AUDIT, newer)] == [TEXT, "{}"]
    assert hub.estate_store.texts(datetime(2200, 1, 1, tzinfo=UTC)) == {}, "kept before"
    assert hub.estate_store.kept() == {}, "it is no piece"


def test_a_text_that_is_not_the_one_that_was_read_is_none(hub: Hub) -> None:
    hub.estate_store.put_text(AUDIT, '{"Statement":[{"Effect":"Deny"}]}')
    assert hub.estate_store.text(AUDIT) is None


@pytest.mark.parametrize("body", [b"", b"{}", gzip.compress(b"{}"), gzip.compress(b'{"text": 7}')])
def test_a_text_that_cannot_be_opened_is_none(moto_hub: MotoHub, body: bytes) -> None:
    key = f"{TEXTS}{AUDIT.arn} {AUDIT.version} {AUDIT.digest}.json.gz"
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=key, Body=body)
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=f"{TEXTS}other.json.gz", Body=body)
    assert moto_hub.estate_store.text(AUDIT) is None
    assert moto_hub.estate_store.texts(EVER) == {(AUDIT.arn, AUDIT.version): AUDIT.digest}


def test_its_calls_require_that_the_bucket_is_the_hubs_own(moto_hub: MotoHub) -> None:
    moto_hub.estate_store.put(Piece("111111111111", NOON, USERS))
    moto_hub.estate_store.get("111111111111")
    moto_hub.estate_store.kept()
    moto_hub.estate_store.put_text(AUDIT, TEXT)
    moto_hub.estate_store.text(AUDIT)
    moto_hub.estate_store.texts(EVER)
    own = ["s3:PutObject", "s3:GetObject", "s3:ListObjectsV2"] * 2
    calls = [call for call in moto_hub.wire.calls if call.action in own]
    assert [call.action for call in calls] == own
    assert {call.parameters["ExpectedBucketOwner"] for call in calls} == {OWNER}


def test_a_piece_that_is_too_large_is_refused_and_the_last_one_stays(moto_hub: MotoHub) -> None:
    last = Piece("111111111111", NOON, USERS)
    moto_hub.estate_store.put(last)
    with pytest.raises(PortError, match="the estate of 111111111111 is too large"):
        moto_hub.estate_store.put(Piece("111111111111", NOON, {"iam": "x" * (64 * 1024 * 1024)}))
    assert moto_hub.estate_store.get("111111111111") == last


def body(entry: object, schema: object = 1) -> bytes:
    return gzip.compress(json.dumps({"schema": schema, "entry": entry}).encode())


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "of another schema": (body(REGISTRY, 2), NOON.isoformat()),
    "not an object": (body([]), NOON.isoformat()),
    "without repositories": (body({}), NOON.isoformat()),
    "a repository without a name": (body({"repositories": [{}]}), NOON.isoformat()),
    "a policy read at no time": (
        body({"repositories": [{"repositoryName": "app", "policyReadAt": "then"}]}),
        NOON.isoformat(),
    ),
    "notes that are no notes": (body({**REGISTRY, "unread": ["all"]}), NOON.isoformat()),
    "not compressed": (json.dumps({"schema": 1, "entry": REGISTRY}).encode(), NOON.isoformat()),
    "cut off": (body(REGISTRY)[:-9], NOON.isoformat()),
    "larger than any": (gzip.compress(b" " * (65 * 1024 * 1024)), NOON.isoformat()),
    "begun at no time": (body(REGISTRY), "then"),
    "begun at a time of no zone": (body(REGISTRY), "2026-01-01T12:00:00"),
}


@pytest.mark.parametrize(("text", "began"), UNREADABLE.values(), ids=UNREADABLE)
def test_one_that_this_version_cannot_read_is_none(moto_hub: MotoHub, text: bytes, began: str) -> None:
    key = f"{PREFIX}111111111111/eu-central-1.json.gz"
    moto_hub.s3.put_object(Bucket=STATE_BUCKET, Key=key, Body=text, Metadata={"began": began})
    assert moto_hub.estate_store.get("111111111111/eu-central-1") is None
