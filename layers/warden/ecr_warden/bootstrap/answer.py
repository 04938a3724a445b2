"""The function `answer`."""

from collections.abc import Mapping
from functools import cache, partial

from ecr_warden.audit.aws_audits import S3Audits
from ecr_warden.aws.deadline import MEMBER_RESERVE
from ecr_warden.aws.progress import SqsQueues
from ecr_warden.bootstrap import accounts, common, holding, inventory, queues, stores
from ecr_warden.bootstrap.common import table
from ecr_warden.bootstrap.specs import specs
from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.core.failures import PortError
from ecr_warden.hub.queries import Queries
from ecr_warden.hub.status import StatusQuery
from ecr_warden.notify.aws_outbox import waiting
from ecr_warden.state.aws_aliases import accepted_aliases
from ecr_warden.state.aws_journal import DynamoJournal


def aliases() -> Mapping[str, str]:
    """The aliases of accounts by their IDs; none where the table does not answer: an answer does without them."""
    try:
        return accepted_aliases(table())
    except PortError:
        return {}


@cache
def queries() -> Queries:
    """Its use cases."""
    return Queries(
        reader=AwsEstateReader(accounts.documents().accounts, common.deadline),
        journal=DynamoJournal(table()),
        command_records=stores.command_records(),
        status=StatusQuery(
            specs=specs(),
            documents=accounts.documents(),
            state=stores.state(),
            sweep_records=stores.sweep_records(),
            switch=stores.switch(),
            wiring=inventory.wiring(),
            queues=SqsQueues(common.client("sqs"), queues.jobs().urls, table()),
            watch_records=inventory.watch_records(),
            log=holding.history_log(),
            estate=inventory.estate_store(),
            audits=S3Audits(inventory.state_bucket()),
            holds=holding.holds(),
            waiting=partial(waiting, table()),
            clock=common.clock,
        ),
        is_out_of_time=lambda: common.deadline.is_within(MEMBER_RESERVE),
    )
