"""The Specs port: the spec in its bucket, the accepted version in the table, its compiled form in the state bucket."""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from msgspec import field

from ecr_warden.aws.errors import HUB, translated, unless
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.spec_failures import (
    MAX_SPEC_BYTES,
    MAX_STRAYS,
    BaselineLost,
    SpecUnversioned,
    spec_missing,
    spec_too_large,
    version_missing,
)
from ecr_warden.state.accepted import CompiledUnusable, SpecSuperseded
from ecr_warden.state.aws_accepted import AwsAcceptedSpecs
from ecr_warden.state.aws_aliases import ACCEPTED
from ecr_warden.state.specs import KeptBaseline, SpecsInForce, SpecVersion
from ecr_warden.state.tree import Objects
from ecr_warden.state.tree_writer import KeptSpecs

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_REFUSED = {"pk": {"S": "SPEC"}, "sk": {"S": "REFUSED"}}


class AwsSpecs(AwsAcceptedSpecs, kw_only=True):
    """The spec as uploaded and as accepted; the baseline is cached until it changes."""

    s3: "S3Client"
    spec_bucket: str
    spec_key: str
    owner: str
    """The account that must own the bucket, because anybody can take the name of a deleted bucket."""
    objects: Objects
    tree: KeptSpecs
    _baseline: tuple[str, KeptBaseline] | None = field(default=None)

    def current(self) -> SpecVersion:
        place = f"s3://{self.spec_bucket}/{self.spec_key}"
        with translated(HUB, f"reading {place}"):
            # A delete marker answers like a key that never existed.
            answer = self._object("NoSuchKey", "NoSuchBucket", "404", Bucket=self.spec_bucket, Key=self.spec_key)
            if answer is None:
                raise spec_missing(place, self.spec_key, self._strays())
            version = answer.get("VersionId")
            if version is None or version == "null":
                raise SpecUnversioned(
                    f"{place} has no version", remedy="turn on versioning of the bucket and upload the spec again"
                )
            if answer["ContentLength"] > MAX_SPEC_BYTES:
                raise spec_too_large(place, answer["ContentLength"], version)
            return SpecVersion(version, answer["Body"].read(MAX_SPEC_BYTES + 1))

    def text(self, version: str) -> bytes:
        place = f"s3://{self.spec_bucket}/{self.spec_key}"
        with translated(HUB, f"reading version {version} of {place}"):
            gone = "NoSuchVersion", "NoSuchKey", "404"
            answer = self._object(*gone, Bucket=self.spec_bucket, Key=self.spec_key, VersionId=version)
            if answer is None:
                raise version_missing(place, version)
            return bytes(answer["Body"].read(MAX_SPEC_BYTES + 1))

    def _object(self, *gone: str, **which: Any) -> Any:
        """An object; None where AWS answers with one of these error codes."""
        return unless(gone, self.s3.get_object, ExpectedBucketOwner=self.owner, **which)

    def _strays(self) -> list[str]:
        """Some other keys in the bucket, one of which may be the spec."""
        try:
            answer = self.s3.list_objects_v2(
                Bucket=self.spec_bucket, MaxKeys=MAX_STRAYS, ExpectedBucketOwner=self.owner
            )
        except ClientError:
            return []  # the message is useful without them
        return [entry["Key"] for entry in answer.get("Contents", ())]

    def standing(self) -> SpecsInForce:
        item = self.accepted_item() or {}
        return SpecsInForce(*(item[name]["S"] if name in item else "" for name in ("compiled", "baseline")))

    def accept(
        self, spec: CompiledSpec, *, over: SpecsInForce, text: bytes | None = None, at: datetime | None = None
    ) -> None:
        what = f"accepting version {spec.version} of the spec"
        compiled = self.keep(spec)
        update = "SET version = :version, compiled = :compiled, aliases = :aliases"
        aliases = {account: {"S": alias} for account, alias in spec.aliases.items()}
        values = {":version": {"S": spec.version}, ":compiled": {"S": compiled}, ":aliases": {"M": aliases}}
        if text is not None:
            update += ", baseline = :compiled, baseline_version = :version, baseline_text = :text"
            values[":text"] = {"S": self.keep_text(text)}
        if at is not None:
            update += ", accepted_at = :at, replaced_since = if_not_exists(accepted_at, :at)"
            update += ", replaced = :over_compiled" if over.accepted else ""
            values[":at"] = {"S": at.isoformat()}
        stands = {"compiled": over.accepted, "baseline": over.baseline}
        values |= {f":over_{name}": {"S": digest} for name, digest in stands.items() if digest}
        condition = " AND ".join(
            f"{name} = :over_{name}" if digest else f"attribute_not_exists({name})" for name, digest in stands.items()
        )
        if self.table.update(what, ACCEPTED, update, values, ConditionExpression=condition) is None:
            raise SpecSuperseded("another version was accepted meanwhile", retryable=True)

    def baseline(self) -> KeptBaseline | None:
        item = self.accepted_item()
        if item is None or "baseline" not in item:
            return None
        digest, version = item["baseline"]["S"], item["baseline_version"]["S"]
        if self._baseline is None or self._baseline[0] != digest:
            kept_at = item["baseline_text"]["S"]
            text = self.kept_text(kept_at)
            if text is None:
                raise BaselineLost(version, self.objects.place(kept_at))
            try:
                compiled = self.tree.read(digest, version).whole
            except CompiledUnusable as error:
                if error.place:
                    raise BaselineLost(version, error.place) from error
                compiled = None
            self._baseline = digest, KeptBaseline(version, text, compiled)
        return self._baseline[1]

    def keep(self, spec: CompiledSpec) -> str:
        return self.tree.keep(spec)

    def kept(self, digest: str) -> CompiledSpec | None:
        try:
            return self.tree.read(digest, "").whole
        except CompiledUnusable:
            return None

    def keep_text(self, text: bytes) -> str:
        digest = hashlib.sha256(text).hexdigest()
        self.objects.put(digest, text)
        return digest

    def kept_text(self, digest: str) -> bytes | None:
        [text] = self.objects.get([digest])
        return None if text is None or hashlib.sha256(text).hexdigest() != digest else text

    def refused(self) -> str:
        item = self.table.get("reading which spec version was refused", _REFUSED) or {}
        return str(item.get("version", {}).get("S", ""))

    def note_refused(self, version: str) -> None:
        self.table.put("noting which spec version was refused", {**_REFUSED, "version": {"S": version}})

    def reported(self, place: str) -> str | None:
        item = self.table.get("reading what was reported of a place", _reported(place))
        return item["what"]["S"] if item else None

    def note_reported(self, place: str, what: str) -> None:
        self.table.put("noting what was reported of a place", {**_reported(place), "what": {"S": what}})


def _reported(place: str) -> dict[str, Any]:
    # An S3 key may be as long as a sort key, and the prefix comes on top.
    return {"pk": {"S": "SPEC"}, "sk": {"S": f"REPORTED#{hashlib.sha256(place.encode()).hexdigest()}"}}
