"""The Reports port in the state bucket, beside the estate: whoever may read the one may read the other."""

from typing import TYPE_CHECKING

from ecr_warden.adapters.aws.last import S3Last
from ecr_warden.report.report import report_from_json, report_to_json

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from ecr_warden.report.report import Report

KEY = "report/last.json.gz"


def s3_reports(s3: "S3Client", bucket: str, owner: str) -> "S3Last[Report]":
    """The reports that a hub keeps."""
    return S3Last(s3, bucket, owner, KEY, "report", report_to_json, report_from_json)
