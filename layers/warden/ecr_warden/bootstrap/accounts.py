"""The accounts, entered by their roles."""

from functools import cache

from ecr_warden.aws.accounts import HubAccounts
from ecr_warden.bootstrap import common
from ecr_warden.repair.aws_documents import AwsDocuments


@cache
def documents() -> AwsDocuments:
    """The accounts' documents."""
    external_id = common.environment.required("WARDEN_EXTERNAL_ID")
    # Of sweeps alone: a repair takes what it needs.
    percent = common.environment.optional("WARDEN_SWEEP_SHARE")
    share = int(percent) / 100 if percent else None
    accounts = HubAccounts(common.session(), external_id, common.clock, common.deadline, share)
    return AwsDocuments(accounts)
