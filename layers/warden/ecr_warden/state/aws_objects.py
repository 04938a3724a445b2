"""What is kept under the digest of its content, in the state bucket."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec import Struct

from ecr_warden.aws.errors import HUB, translated, unless

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CALLS_AT_ONCE = 10  # botocore's connections


class S3Objects(Struct, frozen=True):
    """Objects under `compiled/`."""

    s3: "S3Client"
    bucket: str
    owner: str
    """The account that must own the bucket, because anybody can take the name of a deleted bucket."""

    def place(self, digest: str) -> str:
        return f"s3://{self.bucket}/compiled/{digest}"

    def get(self, digests: Sequence[str]) -> Iterable[bytes | None]:
        if len(digests) == 1:
            return [self._get(digests[0])]
        with ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="objects") as pool:
            return list(pool.map(self._get, digests))

    def _get(self, digest: str) -> bytes | None:
        with translated(HUB, f"reading {self.place(digest)}"):
            key = f"compiled/{digest}"
            answer = unless(
                ("NoSuchKey",), self.s3.get_object, Bucket=self.bucket, Key=key, ExpectedBucketOwner=self.owner
            )
            return None if answer is None else answer["Body"].read()

    def put(self, digest: str, body: bytes) -> None:
        with translated(HUB, f"writing {self.place(digest)}"):
            key = f"compiled/{digest}"
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ExpectedBucketOwner=self.owner)
