"""The spec's versions, for those who do more than compare with the accepted one."""

from functools import cache

from ecr_warden.bootstrap import common, stores
from ecr_warden.bootstrap.common import table
from ecr_warden.state.aws_specs import AwsSpecs
from ecr_warden.state.tree_writer import KeptSpecs


@cache
def specs() -> AwsSpecs:
    """The spec's versions."""
    return AwsSpecs(
        s3=common.client("s3"),
        table=table(),
        spec_bucket=common.environment.required("WARDEN_SPEC_BUCKET"),
        spec_key=common.environment.required("WARDEN_SPEC_KEY"),
        owner=common.environment.required("WARDEN_HUB_ACCOUNT"),
        objects=stores.objects(),
        tree=KeptSpecs(stores.objects()),
    )
