"""The spec's versions, for those who do more than compare with the accepted one."""

from functools import cached_property

from ecr_warden.bootstrap.holding import HoldAdapters
from ecr_warden.bootstrap.stores import StateAdapters
from ecr_warden.state.aws_specs import AwsSpecs
from ecr_warden.state.tree_writer import KeptSpecs


class SpecAdapters(StateAdapters, HoldAdapters):
    """Of functions that have to do with several versions."""

    @property
    def max_removed(self) -> int | None:
        """How many grants versions may remove in 24 hours before one waits; None for a share of what there is."""
        given = self.environment.optional("WARDEN_MAX_REMOVED")
        return int(given) if given else None

    @cached_property
    def specs(self) -> AwsSpecs:
        """The spec's versions."""
        return AwsSpecs(
            s3=self.client("s3"),
            table=self.table,
            spec_bucket=self.environment.required("WARDEN_SPEC_BUCKET"),
            spec_key=self.environment.required("WARDEN_SPEC_KEY"),
            owner=self.environment.required("WARDEN_HUB_ACCOUNT"),
            objects=self.objects,
            tree=KeptSpecs(self.objects),
        )
