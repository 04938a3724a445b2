"""Objects of the state bucket."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated, unless
from ecr_warden.core.outside import MAX_BYTES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COMPRESSED: Mapping[str, Any] = {"ContentType": "application/json", "ContentEncoding": "gzip"}
"""How an object of compressed JSON is put."""


class StateBucket(Struct, frozen=True):
    """`what` is what a call is for, for people; a call that fails raises a PortError."""

    s3: "S3Client"
    name: str
    owner: str
    """The account that must own the bucket, because anybody can take the name of a deleted one."""

    def get(self, what: str, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        """An object and its metadata; None if there is none. One that is too long is cut off."""
        with translated(HUB, what):
            answer: Any = unless(
                ("NoSuchKey",), self.s3.get_object, Bucket=self.name, Key=key, ExpectedBucketOwner=self.owner
            )
            return None if answer is None else (answer["Body"].read(MAX_BYTES + 1), answer["Metadata"])

    def put(self, what: str, key: str, body: bytes, **how: Any) -> None:
        """Write an object in place of the one before. `how`: the call's other parameters, as boto3 spells them."""
        with translated(HUB, what):
            self.s3.put_object(Bucket=self.name, Key=key, Body=body, ExpectedBucketOwner=self.owner, **how)
