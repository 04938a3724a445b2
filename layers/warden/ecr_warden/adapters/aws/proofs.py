"""The Proofs port in the state bucket."""

from typing import TYPE_CHECKING

from ecr_warden.adapters.aws.last import S3Last
from ecr_warden.model.codec.proof import proof_from_json, proof_to_json

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from ecr_warden.model.finding import ProofRecord

KEY = "proof/last.json.gz"


def s3_proofs(s3: "S3Client", bucket: str, owner: str) -> "S3Last[ProofRecord]":
    """The proofs that a hub keeps."""
    return S3Last(s3, bucket, owner, KEY, "proof", proof_to_json, proof_from_json)
