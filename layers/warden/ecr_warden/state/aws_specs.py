"""The Specs port: the spec in its bucket, the accepted version in the table, its compiled form in the state bucket."""

import hashlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from msgspec import Struct, field

from ecr_warden.aws.errors import HUB, translated, unless
from ecr_warden.aws.table import Table
from ecr_warden.core.codec.base import CodecError, Json, loads
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.failures import (
    MAX_SPEC_BYTES,
    MAX_STRAYS,
    BaselineLost,
    CompiledUnusable,
    SpecSuperseded,
    SpecTampered,
    SpecUnversioned,
    spec_missing,
    spec_too_large,
    version_missing,
)
from ecr_warden.state.codec_spec import rest_from_json, spec_body, spec_from_json
from ecr_warden.state.specs import KeptBaseline, SpecsInForce, SpecVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ACCEPTED = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}
_REFUSED = {"pk": {"S": "SPEC"}, "sk": {"S": "REFUSED"}}


class AwsSpecs(Struct):
    """The spec as uploaded and as accepted; the accepted one and the baseline are cached until they change.

    `owner`: the account that must own the buckets, because anybody can take the name of a deleted bucket.
    """

    s3: "S3Client"
    table: Table
    spec_bucket: str
    spec_key: str
    state_bucket: str
    owner: str
    _cached: tuple[str, CompiledSpec] | None = field(default=None)
    _baseline: tuple[str, KeptBaseline] | None = field(default=None)

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

    def standing(self) -> SpecsInForce:
        item = self._accepted_item()
        return (
            SpecsInForce() if item is None else SpecsInForce(_digest_in(item, "compiled"), _digest_in(item, "baseline"))
        )

    def accepted(self) -> CompiledSpec | None:
        item = self._accepted_item()
        if item is None:
            return None
        key, version = item["compiled"]["S"], item["version"]["S"]
        if self._cached is None or self._cached[0] != key:
            with translated(HUB, "reading the accepted spec"):
                self._cached = key, self._compiled(version, key)
        return self._cached[1]

    def _accepted_item(self) -> Any:
        return self.table.get("reading the accepted spec", _ACCEPTED)

    def _compiled(self, version: str, key: str) -> CompiledSpec:
        body = self._object_at(key)
        if body is None:
            raise CompiledUnusable(f"there is no s3://{self.state_bucket}/{key}", rest=rest_from_json(version, {}))
        # The table has the content's digest: write access to the bucket alone changes nothing.
        if not _is_content(key, body):
            raise SpecTampered(f"s3://{self.state_bucket}/{key}")
        value: Json = {}
        try:
            value = loads(body)
            return spec_from_json(value)
        except CodecError as error:
            raise CompiledUnusable(error.message, rest=rest_from_json(version, value)) from error

    def accept(self, spec: CompiledSpec, *, over: SpecsInForce, text: bytes | None = None) -> None:
        what = f"accepting version {spec.version} of the spec"
        compiled = _compiled_key(self.keep(spec))
        update = "SET version = :version, compiled = :compiled"
        values = {":version": {"S": spec.version}, ":compiled": {"S": compiled}}
        if text is not None:
            update += ", baseline = :compiled, baseline_version = :version, baseline_text = :text"
            values[":text"] = {"S": _text_key(self.keep_text(text))}
        conditions = []
        for name, digest in (("compiled", over.accepted), ("baseline", over.baseline)):
            conditions.append(f"{name} = :over_{name}" if digest else f"attribute_not_exists({name})")
            values |= {f":over_{name}": {"S": _compiled_key(digest)}} if digest else {}
        condition = " AND ".join(conditions)
        if self.table.update(what, _ACCEPTED, update, values, ConditionExpression=condition) is None:
            raise SpecSuperseded("another version was accepted meanwhile", retryable=True)

    def baseline(self) -> KeptBaseline | None:
        item = self._accepted_item()
        if item is None or "baseline" not in item:
            return None
        key, version = item["baseline"]["S"], item["baseline_version"]["S"]
        if self._baseline is None or self._baseline[0] != key:
            text, body = self._content(version, item["baseline_text"]["S"]), self._content(version, key)
            try:
                self._baseline = key, KeptBaseline(version, text, spec_from_json(loads(body)))
            except CodecError:
                self._baseline = key, KeptBaseline(version, text, None)
        return self._baseline[1]

    def _content(self, version: str, key: str) -> bytes:
        """Something that was kept of the baseline; raises BaselineLost."""
        body = self._object_at(key)
        if body is None or not _is_content(key, body):
            raise BaselineLost(version, f"s3://{self.state_bucket}/{key}")
        return body

    def keep(self, spec: CompiledSpec) -> str:
        digest, body = spec_body(spec)
        self._keep(_compiled_key(digest), body, "application/json")
        return digest

    def kept(self, digest: str) -> CompiledSpec | None:
        body = self._object_at(_compiled_key(digest))
        try:
            return None if body is None or not _is_content(digest, body) else spec_from_json(loads(body))
        except CodecError:
            return None

    def keep_text(self, text: bytes) -> str:
        digest = hashlib.sha256(text).hexdigest()
        self._keep(_text_key(digest), text, "application/yaml")
        return digest

    def kept_text(self, digest: str) -> bytes | None:
        text = self._object_at(_text_key(digest))
        return None if text is None or not _is_content(digest, text) else text

    def _object_at(self, key: str) -> bytes | None:
        with translated(HUB, f"reading s3://{self.state_bucket}/{key}"):
            answer = self._object("NoSuchKey", Bucket=self.state_bucket, Key=key)
            return None if answer is None else bytes(answer["Body"].read())

    def _keep(self, key: str, body: bytes, content_type: str) -> None:
        with translated(HUB, f"writing s3://{self.state_bucket}/{key}"):
            self.s3.put_object(
                Bucket=self.state_bucket, Key=key, Body=body, ContentType=content_type, ExpectedBucketOwner=self.owner
            )

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


def _compiled_key(digest: str) -> str:
    return f"compiled/{digest}.json"


def _text_key(digest: str) -> str:
    return f"compiled/{digest}.yaml"


def _digest_in(item: Any, name: str) -> str:
    """The digest in the name of an object that the item names."""
    return str(item[name]["S"]).removeprefix("compiled/").removesuffix(".json") if name in item else ""


def _is_content(key: str, body: bytes) -> bool:
    """Whether an object is the one whose digest its key says."""
    return hashlib.sha256(body).hexdigest() in key


def _misplaced(key: str) -> dict[str, Any]:
    # An S3 key may be as long as a sort key, and the prefix comes on top.
    return {"pk": {"S": "SPEC"}, "sk": {"S": f"MISPLACED#{hashlib.sha256(key.encode()).hexdigest()}"}}
