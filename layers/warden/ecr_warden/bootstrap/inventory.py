"""The inventory as it is kept, and what is known of the wiring."""

from functools import cache

from ecr_warden.aws.bucket import StateBucket
from ecr_warden.bootstrap import common
from ecr_warden.bootstrap.accounts import documents
from ecr_warden.bootstrap.common import table
from ecr_warden.collect.aws_estate_store import S3EstateStore
from ecr_warden.collect.aws_watch_records import DynamoWatchRecords
from ecr_warden.collect.aws_wiring import AwsWiring
from ecr_warden.collect.wiring import HubPlace


@cache
def state_bucket() -> StateBucket:
    """The bucket of compiled specs, of the estate, and of the last audit and report."""
    bucket, owner = (
        common.environment.required("WARDEN_STATE_BUCKET"),
        common.environment.required("WARDEN_HUB_ACCOUNT"),
    )
    return StateBucket(common.client("s3"), bucket, owner)


@cache
def estate_store() -> S3EstateStore:
    """The pieces of the estate."""
    return S3EstateStore(state_bucket())


@cache
def wiring() -> AwsWiring:
    """What can blind or stop ecr-warden."""
    return AwsWiring(
        events=common.client("events"),
        s3=common.client("s3"),
        functions=common.client("lambda"),
        sns=common.client("sns"),
        cloudformation=common.client("cloudformation"),
        accounts=documents().accounts,
        place=HubPlace(
            account=common.environment.required("WARDEN_HUB_ACCOUNT"),
            region=common.environment.required("AWS_REGION"),
            bucket=common.environment.required("WARDEN_SPEC_BUCKET"),
            external_id=common.environment.required("WARDEN_EXTERNAL_ID"),
            stack=common.environment.required("WARDEN_STACK"),
            email=common.environment.optional("WARDEN_ALERT_EMAIL"),
        ),
    )


@cache
def watch_records() -> DynamoWatchRecords:
    """What the last sweeps found of the wiring."""
    return DynamoWatchRecords(table())
