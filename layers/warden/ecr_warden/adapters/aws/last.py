"""The last value of a kind, which replaces the one before: one compressed object in the state bucket."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from msgspec import Struct

from ecr_warden.adapters.aws.errors import HUB, code_of, translated
from ecr_warden.model.codec.base import CodecError, Json
from ecr_warden.model.codec.compressed import MAX_BYTES, compress, decompress

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Last[T](Struct, frozen=True):
    """`owner`: the account that must own the bucket, because anybody can take the name of a deleted one.

    `what`: for messages, such as `proof`; `write` and `read`: its JSON.
    """

    s3: "S3Client"
    bucket: str
    owner: str
    key: str
    what: str
    write: Callable[[T], Json]
    read: Callable[[Json], T]

    def last(self) -> T | None:
        with translated(HUB, f"reading the last {self.what}"):
            try:
                answer = self.s3.get_object(Bucket=self.bucket, Key=self.key, ExpectedBucketOwner=self.owner)
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return None
                raise
            body = answer["Body"].read(MAX_BYTES + 1)
        try:
            return self.read(decompress(body))
        except CodecError:
            return None

    def keep(self, value: T) -> None:
        body = compress(self.write(value))
        with translated(HUB, f"keeping the {self.what}"):
            self.s3.put_object(
                Bucket=self.bucket,
                Key=self.key,
                Body=body,
                ContentType="application/json",
                ContentEncoding="gzip",
                ExpectedBucketOwner=self.owner,
            )
