"""The accounts, entered by their roles."""

from functools import cache

from ecr_warden.aws.accounts import HubAccounts
from ecr_warden.bootstrap import common
from ecr_warden.repair.aws_documents import AwsDocuments


@cache
def documents() -> AwsDocuments:
    """The accounts' documents."""
    external_id = common.environment.required("WARDEN_EXTERNAL_ID")
    accounts = HubAccounts(common.session(), external_id, common.clock, deadline=common.deadline)
    return AwsDocuments(accounts, common.deadline)
