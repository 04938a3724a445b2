"""The Proofs port: one compressed object in the state bucket."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from msgspec import Struct

from ecr_warden.adapters.aws.errors import HUB, code_of, translated
from ecr_warden.model.codec.base import CodecError
from ecr_warden.model.codec.compressed import MAX_BYTES, compress, decompress
from ecr_warden.model.codec.proof import proof_from_json, proof_to_json
from ecr_warden.model.finding import ProofRecord

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "proof/last.json.gz"


class S3Proofs(Struct, frozen=True):
    """`owner`: the account that must own the bucket, because anybody can take the name of a deleted one."""

    s3: "S3Client"
    bucket: str
    owner: str

    def last(self) -> ProofRecord | None:
        with translated(HUB, "reading the last proof"):
            try:
                answer = self.s3.get_object(Bucket=self.bucket, Key=KEY, ExpectedBucketOwner=self.owner)
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return None
                raise
            body = answer["Body"].read(MAX_BYTES + 1)
        try:
            return proof_from_json(decompress(body))
        except CodecError:
            return None

    def keep(self, record: ProofRecord) -> None:
        body = compress(proof_to_json(record))
        with translated(HUB, "keeping the proof"):
            self.s3.put_object(
                Bucket=self.bucket,
                Key=KEY,
                Body=body,
                ContentType="application/json",
                ContentEncoding="gzip",
                ExpectedBucketOwner=self.owner,
            )
