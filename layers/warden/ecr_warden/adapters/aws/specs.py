"""The Specs port: the file in its own bucket, the accepted version in the table, compiled in the state bucket."""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ecr_warden.adapters.aws.errors import HUB, code_of, translated
from ecr_warden.model.codec.base import dumps, loads
from ecr_warden.model.codec.spec import spec_from_json, spec_to_json
from ecr_warden.model.desired import CompiledSpec
from ecr_warden.ports import SpecMissing, SpecSuperseded, SpecTooLarge, SpecVersion

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

MAX_BYTES = 1024 * 1024
_ACCEPTED = {"pk": {"S": "SPEC"}, "sk": {"S": "ACCEPTED"}}
_REFUSED = {"pk": {"S": "SPEC"}, "sk": {"S": "REFUSED"}}


@dataclass(slots=True)
class AwsSpecs:
    """The spec as people write it, and as it was accepted; the accepted one is cached until its version changes."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    table: str
    spec_bucket: str
    spec_key: str
    state_bucket: str
    _cached: CompiledSpec | None = field(default=None)

    def current(self) -> SpecVersion:
        place = f"s3://{self.spec_bucket}/{self.spec_key}"
        with translated(HUB, f"reading {place}"):
            try:
                answer = self.s3.get_object(Bucket=self.spec_bucket, Key=self.spec_key)
            except ClientError as error:
                if code_of(error) in ("NoSuchKey", "NoSuchBucket", "404"):
                    raise SpecMissing(f"there is no {place}", remedy="upload the spec there") from error
                raise
            if answer["ContentLength"] > MAX_BYTES:
                remedy = f"a spec has at most {MAX_BYTES} bytes"
                raise SpecTooLarge(f"{place} has {answer['ContentLength']} bytes", remedy=remedy)
            version = answer.get("VersionId")
            if version is None or version == "null":
                raise SpecMissing(f"{place} has no version", remedy="turn on versioning of the bucket")
            return SpecVersion(version, answer["Body"].read(MAX_BYTES + 1))

    def accepted(self) -> CompiledSpec | None:
        with translated(HUB, "reading the accepted spec"):
            item = self.dynamodb.get_item(TableName=self.table, Key=_ACCEPTED, ConsistentRead=True).get("Item")
            if item is None:
                return None
            if self._cached is None or self._cached.version != item["version"]["S"]:
                answer = self.s3.get_object(Bucket=self.state_bucket, Key=item["compiled"]["S"])
                self._cached = spec_from_json(loads(answer["Body"].read()))
            return self._cached

    def accept(self, spec: CompiledSpec, *, replaces: str | None) -> None:
        body = dumps(spec_to_json(spec)).encode()
        key = f"compiled/{hashlib.sha256(body).hexdigest()}.json"
        condition = "attribute_not_exists(version)" if replaces is None else "version = :replaces"
        values = {} if replaces is None else {"ExpressionAttributeValues": {":replaces": {"S": replaces}}}
        with translated(HUB, f"accepting version {spec.version} of the spec"):
            self.s3.put_object(Bucket=self.state_bucket, Key=key, Body=body, ContentType="application/json")
            try:
                self.dynamodb.put_item(
                    TableName=self.table,
                    Item={**_ACCEPTED, "version": {"S": spec.version}, "compiled": {"S": key}},
                    ConditionExpression=condition,
                    **values,  # type: ignore[arg-type]
                )
            except ClientError as error:
                if code_of(error) == "ConditionalCheckFailedException":
                    raise SpecSuperseded("another version was accepted meanwhile", retryable=True) from error
                raise

    def refused(self) -> str | None:
        with translated(HUB, "reading the refused spec version"):
            item = self.dynamodb.get_item(TableName=self.table, Key=_REFUSED, ConsistentRead=True).get("Item")
        return item["version"]["S"] if item else None

    def refuse(self, version: str) -> None:
        with translated(HUB, "remembering the refused spec version"):
            self.dynamodb.put_item(TableName=self.table, Item={**_REFUSED, "version": {"S": version}})
