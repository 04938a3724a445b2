"""The Specs port: the spec in its bucket, the accepted version in the table, its compiled form in the state bucket."""

import hashlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from msgspec import Struct, field

from ecr_warden.adapters.aws.errors import HUB, translated, unless
from ecr_warden.adapters.aws.table import Table
from ecr_warden.model.codec.base import CodecError, Json, dumps, loads
from ecr_warden.model.codec.spec import (
    rest_from_json,
    spec_from_json,
    spec_to_json,
)
from ecr_warden.model.desired import CompiledSpec
from ecr_warden.ports.errors import (
    MAX_SPEC_BYTES,
    MAX_STRAYS,
    CompiledUnusable,
    SpecSuperseded,
    SpecTampered,
    SpecUnversioned,
    spec_missing,
    spec_too_large,
    version_missing,
)
from ecr_warden.ports.store import SpecVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ACCEPTED = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}
_REFUSED = {"pk": {"S": "SPEC"}, "sk": {"S": "REFUSED"}}


class AwsSpecs(Struct):
    """The spec as uploaded and as accepted; the accepted one is cached until its version changes.

    `owner`: the account that must own the buckets, because anybody can take the name of a deleted bucket.
    """

    s3: "S3Client"
    table: Table
    spec_bucket: str
    spec_key: str
    state_bucket: str
    owner: str
    _cached: CompiledSpec | None = field(default=None)

    def current(self) -> SpecVersion:
        place = f"s3://{self.spec_bucket}/{self.spec_key}"
        with translated(HUB, f"reading {place}"):
            # A delete marker answers like a key that never existed.
            answer = self._object("NoSuchKey", "NoSuchBucket", "404", Bucket=self.spec_bucket, Key=self.spec_key)
            if answer is None:
                raise spec_missing(place, self.spec_key, self._strays())
            version = answer.get("VersionId")
            if version is None or version == "null":
                remedy = "turn on versioning of the bucket and upload the spec again"
                raise SpecUnversioned(f"{place} has no version", remedy=remedy)
            if answer["ContentLength"] > MAX_SPEC_BYTES:
                raise spec_too_large(place, answer["ContentLength"], version)
            return SpecVersion(version, answer["Body"].read(MAX_SPEC_BYTES + 1))

    def text(self, version: str) -> bytes:
        place = f"s3://{self.spec_bucket}/{self.spec_key}"
        with translated(HUB, f"reading version {version} of {place}"):
            gone = "NoSuchVersion", "NoSuchKey", "404"
            answer = self._object(*gone, Bucket=self.spec_bucket, Key=self.spec_key, VersionId=version)
            if answer is None:
                raise version_missing(place, version)
            return bytes(answer["Body"].read(MAX_SPEC_BYTES + 1))

    def _object(self, *gone: str, **which: Any) -> Any:
        """An object; None where AWS answers with one of these error codes."""
        return unless(gone, self.s3.get_object, ExpectedBucketOwner=self.owner, **which)

    def _strays(self) -> list[str]:
        """Some other keys in the bucket, one of which may be the spec."""
        try:
            answer = self.s3.list_objects_v2(
                Bucket=self.spec_bucket, MaxKeys=MAX_STRAYS, ExpectedBucketOwner=self.owner
            )
        except ClientError:
            return []  # the message is useful without them
        return [entry["Key"] for entry in answer.get("Contents", ())]

    def accepted(self) -> CompiledSpec | None:
        item = self.table.get("reading the accepted spec", _ACCEPTED)
        if item is None:
            return None
        if self._cached is None or self._cached.version != item["version"]["S"]:
            with translated(HUB, "reading the accepted spec"):
                self._cached = self._compiled(item["version"]["S"], item["compiled"]["S"])
        return self._cached

    def _compiled(self, version: str, key: str) -> CompiledSpec:
        answer = self._object("NoSuchKey", Bucket=self.state_bucket, Key=key)
        if answer is None:
            raise CompiledUnusable(f"there is no s3://{self.state_bucket}/{key}", rest=rest_from_json(version, {}))
        body = answer["Body"].read()
        # The table has the content's digest: write access to the bucket alone changes nothing.
        if key != _compiled_key(body):
            raise SpecTampered(f"s3://{self.state_bucket}/{key}")
        value: Json = {}
        try:
            value = loads(body)
            return spec_from_json(value)
        except CodecError as error:
            raise CompiledUnusable(error.message, rest=rest_from_json(version, value)) from error

    def accept(self, spec: CompiledSpec, *, replaces: str | None) -> None:
        body = dumps(spec_to_json(spec)).encode()
        key = _compiled_key(body)
        what = f"accepting version {spec.version} of the spec"
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(version)"}
        if replaces is not None:
            values = {":replaces": {"S": replaces}}
            condition = {"ConditionExpression": "version = :replaces", "ExpressionAttributeValues": values}
        with translated(HUB, what):
            self.s3.put_object(
                Bucket=self.state_bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                ExpectedBucketOwner=self.owner,
            )
        if not self.table.put(what, {**_ACCEPTED, "version": {"S": spec.version}, "compiled": {"S": key}}, **condition):
            raise SpecSuperseded("another version was accepted meanwhile", retryable=True)

    def refused(self) -> str | None:
        item = self.table.get("reading the refused spec version", _REFUSED)
        return item["version"]["S"] if item else None

    def refuse(self, version: str) -> None:
        self.table.put("recording the refused spec version", {**_REFUSED, "version": {"S": version}})

    def misplaced(self, key: str) -> str | None:
        item = self.table.get("reading what was reported about an object under another key", _misplaced(key))
        return item["version"]["S"] if item else None

    def note_misplaced(self, key: str, version: str) -> None:
        item = {**_misplaced(key), "version": {"S": version}}
        self.table.put("recording that an object under another key was reported", item)


def _compiled_key(body: bytes) -> str:
    return f"compiled/{hashlib.sha256(body).hexdigest()}.json"


def _misplaced(key: str) -> dict[str, Any]:
    # An S3 key may be as long as a sort key, and the prefix comes on top.
    return {"pk": {"S": "SPEC"}, "sk": {"S": f"MISPLACED#{hashlib.sha256(key.encode()).hexdigest()}"}}
