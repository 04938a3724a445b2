"""The AcceptedSpecs port: which version is accepted in the table, its compiled form in the state bucket."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from ecr_warden.aws.table import Table
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.state.accepted import CompiledUnusable, ReplacedSpec
from ecr_warden.state.aws_aliases import ACCEPTED
from ecr_warden.state.tree import SpecTree


class AwsAcceptedSpecs(Struct, kw_only=True):
    """The accepted version, cached until it changes."""

    table: Table
    tree: SpecTree
    _accepted: tuple[str, CompiledSpec] | None = field(default=None)
    _whole: tuple[str, CompiledSpec] | None = field(default=None)

    def accepted(self) -> CompiledSpec | None:
        item = self.accepted_item()
        if item is None:
            return None
        digest = item["compiled"]["S"]
        if self._accepted is None or self._accepted[0] != digest:
            # The table has the digest of the manifest: write access to the bucket alone changes nothing.
            self._accepted = digest, self.tree.read(digest, item["version"]["S"])
        return self._accepted[1]

    def whole(self) -> CompiledSpec | None:
        if self.accepted() is None or self._accepted is None:
            return None
        digest, accepted = self._accepted
        if self._whole is None or self._whole[0] != digest:
            self._whole = digest, accepted.whole
        return self._whole[1]

    def replaced(self) -> ReplacedSpec | None:
        item = self.accepted_item() or {}
        with suppress(KeyError, CompiledUnusable):
            since, at = (datetime.fromisoformat(item[name]["S"]) for name in ("replaced_since", "accepted_at"))
            return ReplacedSpec(self.tree.read(item["replaced"]["S"], ""), since, at)
        return None

    def accepted_item(self) -> Any:
        """What the table has of the accepted version; None before the first."""
        return self.table.get("reading the accepted spec", ACCEPTED)
