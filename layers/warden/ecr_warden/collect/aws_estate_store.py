"""The EstateStore port: a compressed object of the state bucket for each part.

When reading began is metadata of the object and not in it: S3's ETag is the digest of an object's bytes (for the
bucket's encryption, SSE-S3), so a piece that was read again and has not changed keeps its tag.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, convert

from ecr_warden.aws.bucket import COMPRESSED, StateBucket
from ecr_warden.aws.errors import HUB, translated
from ecr_warden.collect.estate import KnownOfAws, Piece, ReportedCall, StoredPiece
from ecr_warden.core.codec.base import CodecError, Json, check_schema, forms, reading, understood
from ecr_warden.core.codec.compressed import compress, decompress
from ecr_warden.core.failures import PortError
from ecr_warden.core.value import Value
from iam_access.inventory.inventory import PolicyOfAws

PREFIX = "estate/"
TEXTS = "policies-of-aws/"
"""By ARN, version and digest."""
_END = ".json.gz"
SCHEMA = 1
_BEGAN = "began"


class Calls(Value, frozen=True):
    """The calls of a part, as they are kept."""

    calls: tuple[ReportedCall, ...]


_to_json, _from_json = forms("calls", Calls)


class S3EstateStore(Struct, frozen=True):
    """An object for each part, with the time of its reading."""

    bucket: StateBucket

    def put(self, piece: Piece) -> None:
        try:
            body = compress({"schema": SCHEMA, "entry": piece.entry})
        except CodecError as error:
            raise PortError(
                f"the estate of {piece.part} is too large: {error.message}",
                remedy="what was kept of it before stays, and status says how old it is",
            ) from error
        began = {_BEGAN: piece.began.isoformat()}
        self.bucket.put(f"keeping the estate of {piece.part}", _key(piece.part), body, Metadata=began, **COMPRESSED)

    def get(self, part: str) -> Piece | None:
        found = self.bucket.get(f"reading the stored estate of {part}", _key(part))
        return None if found is None else understood(piece_of, part, *found)

    def kept(self) -> Mapping[str, StoredPiece]:
        listed = self._listed(PREFIX, "listing the stored estate")
        return {name: StoredPiece(entry["ETag"], entry["LastModified"]) for name, entry in listed}

    def note(self, part: str, calls: Sequence[ReportedCall]) -> None:
        body = compress(_to_json(Calls(tuple(calls))))
        self.bucket.put(f"keeping the calls in {part}", _calls_key(part), body, **COMPRESSED)

    def calls(self, part: str) -> Sequence[ReportedCall]:
        found = self.bucket.get(f"reading the calls in {part}", _calls_key(part))
        kept = None if found is None else understood(lambda: _from_json(decompress(found[0])))
        return () if kept is None else kept.calls

    def put_text(self, policy: PolicyOfAws, text: str) -> None:
        body = compress({"schema": SCHEMA, "text": text})
        self.bucket.put(f"keeping {policy.arn}", _text_key(policy), body, **COMPRESSED)

    def text(self, policy: PolicyOfAws) -> str | None:
        found = self.bucket.get(f"reading the stored {policy.arn}", _text_key(policy))
        text = None if found is None else understood(lambda: text_from_json(decompress(found[0])))
        return text if text is not None and PolicyOfAws.of(policy.arn, policy.version, text) == policy else None

    def texts(self, since: datetime) -> KnownOfAws:
        listed = self._listed(TEXTS, "listing the stored policies of AWS")
        found = sorted((entry["LastModified"], name.rsplit(" ", 2)) for name, entry in listed)
        return {(name[0], name[1]): name[2] for at, name in found if at >= since and len(name) == 3}

    def _listed(self, prefix: str, what: str) -> Iterator[tuple[str, Any]]:
        with translated(HUB, what):
            pages = self.bucket.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket.name, Prefix=prefix, ExpectedBucketOwner=self.bucket.owner
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    if entry["Key"].endswith(_END):
                        yield entry["Key"].removeprefix(prefix).removesuffix(_END), entry


def _key(part: str) -> str:
    return f"{PREFIX}{part}{_END}"


def _calls_key(part: str) -> str:
    return f"{PREFIX}{part}.calls"


def _text_key(policy: PolicyOfAws) -> str:
    return f"{TEXTS}{policy.arn} {policy.version} {policy.digest}{_END}"


def piece_of(part: str, body: bytes, metadata: Mapping[str, str]) -> Piece:
    """The piece in an object; raises CodecError for one that this version did not write."""

    def made(value: Json) -> Piece:
        check_schema(value, SCHEMA)
        convert(value["entry"], _Registry if "/" in part else _Account)
        return Piece(part, convert(metadata[_BEGAN], _Moment), value["entry"])

    return reading("piece", made)(decompress(body))


def _text(value: Json) -> str:
    check_schema(value, SCHEMA)
    return convert(value["text"], str)


text_from_json = reading("policy of AWS", _text)

type _Moment = Annotated[datetime, Meta(tz=True)]


class _Repository(Struct, frozen=True):
    """What the hub itself takes from a repository's entry; whatever else is there the reader of snapshots judges."""

    repositoryName: str  # noqa: N815 - as AWS spells it
    policyReadAt: _Moment | None = None  # noqa: N815


class _Registry(Struct, frozen=True):
    repositories: tuple[_Repository, ...]
    unread: tuple[dict[str, str], ...] = ()


class _Account(Struct, frozen=True):
    unread: tuple[dict[str, str], ...] = ()
