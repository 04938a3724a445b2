"""The Last ports in the state bucket, beside the estate: whoever may read the one may read the others."""

from collections.abc import Callable

from msgspec import Struct

from ecr_warden.audit.codec_audit import audit_from_json, audit_to_json
from ecr_warden.audit.finding import AuditRecord
from ecr_warden.audit.report.report import Report, report_from_json, report_to_json
from ecr_warden.aws.bucket import StateBucket
from ecr_warden.core.codec.base import CodecError, Json
from ecr_warden.core.codec.compressed import compress, decompress

AUDIT_KEY, REPORT_KEY = "audit/last.json.gz", "report/last.json.gz"


class S3Last[T](Struct, frozen=True):
    """`what`: for messages, such as `audit`; `write` and `read`: its JSON."""

    bucket: StateBucket
    key: str
    what: str
    write: Callable[[T], Json]
    read: Callable[[Json], T]

    def last(self) -> T | None:
        found = self.bucket.get(f"reading the last {self.what}", self.key)
        try:
            return None if found is None else self.read(decompress(found[0]))
        except CodecError:
            return None

    def keep(self, value: T) -> None:
        self.bucket.put(f"keeping the {self.what}", self.key, compress(self.write(value)))


def s3_audits(bucket: StateBucket) -> S3Last[AuditRecord]:
    """The audits that a hub keeps."""
    return S3Last(bucket, AUDIT_KEY, "audit", audit_to_json, audit_from_json)


def s3_reports(bucket: StateBucket) -> S3Last[Report]:
    """The reports that a hub keeps."""
    return S3Last(bucket, REPORT_KEY, "report", report_to_json, report_from_json)
