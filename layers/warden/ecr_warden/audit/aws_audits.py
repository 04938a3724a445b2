"""The Audits port in the state bucket, beside the estate: whoever may read the one may read the other."""

from msgspec import Struct

from ecr_warden.audit.finding import AuditRecord, audit_from_json, audit_to_json
from ecr_warden.aws.bucket import COMPRESSED, StateBucket
from ecr_warden.core.codec.base import understood
from ecr_warden.core.codec.compressed import compress, decompress

KEY = "audit/last.json.gz"


class S3Audits(Struct, frozen=True):
    """The last audit as one object."""

    bucket: StateBucket

    def last(self) -> AuditRecord | None:
        found = self.bucket.get("reading the last audit", KEY)
        return None if found is None else understood(lambda: audit_from_json(decompress(found[0])))

    def keep(self, record: AuditRecord) -> None:
        self.bucket.put("keeping the audit", KEY, compress(audit_to_json(record)), **COMPRESSED)
