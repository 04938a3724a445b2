"""What is kept under the digest of its content, in the state bucket."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from ecr_warden.aws.bucket import StateBucket

_CALLS_AT_ONCE = 10  # botocore's connections


class S3Objects(Struct, frozen=True):
    """Objects under `compiled/`."""

    bucket: StateBucket

    def place(self, digest: str) -> str:
        return f"s3://{self.bucket.name}/compiled/{digest}"

    def get(self, digests: Sequence[str]) -> Iterable[bytes | None]:
        if len(digests) == 1:
            return [self._get(digests[0])]
        with ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="objects") as pool:
            return list(pool.map(self._get, digests))

    def _get(self, digest: str) -> bytes | None:
        found = self.bucket.get(f"reading {self.place(digest)}", f"compiled/{digest}")
        return found and found[0]

    def put(self, digest: str, body: bytes) -> None:
        self.bucket.put(f"writing {self.place(digest)}", f"compiled/{digest}", body)
