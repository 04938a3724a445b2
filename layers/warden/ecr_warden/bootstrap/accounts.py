"""The accounts, entered by their roles."""

from functools import cached_property

from ecr_warden.aws.accounts import HubAccounts
from ecr_warden.aws.system import new_run_id
from ecr_warden.bootstrap import common
from ecr_warden.bootstrap.stores import StateAdapters
from ecr_warden.repair.aws_documents import AwsDocuments


class AccountAdapters(StateAdapters):
    """Of functions that enter accounts."""

    new_run_id = staticmethod(new_run_id)

    @cached_property
    def documents(self) -> AwsDocuments:
        """The accounts' documents."""
        # Of sweeps alone: a repair takes what it needs.
        percent = self.environment.optional("WARDEN_SWEEP_SHARE")
        return AwsDocuments(
            HubAccounts(
                common.session(),
                self.environment.required("WARDEN_EXTERNAL_ID"),
                self.clock,
                common.deadline,
                int(percent) / 100 if percent else None,
            )
        )
