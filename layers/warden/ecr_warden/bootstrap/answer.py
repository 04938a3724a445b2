"""The function `answer`."""

from functools import cache

from ecr_warden.audit.aws_last import s3_proofs, s3_reports
from ecr_warden.aws.deadline import MEMBER_RESERVE
from ecr_warden.aws.progress import SqsQueues
from ecr_warden.bootstrap import common
from ecr_warden.hub.queries import Queries
from ecr_warden.hub.status import StatusQuery


@cache
def queries() -> Queries:
    """Its use cases."""
    return Queries(
        specs=common.specs(),
        documents=common.documents(),
        state=common.state(),
        journal=common.journal(),
        command_records=common.command_records(),
        switch=common.switch(),
        clock=common.clock,
        status=StatusQuery(
            specs=common.specs(),
            documents=common.documents(),
            state=common.state(),
            sweep_records=common.sweep_records(),
            switch=common.switch(),
            wiring=common.wiring(),
            queues=SqsQueues(common.client("sqs"), common.jobs().urls, common.table()),
            watch_records=common.watch_records(),
            audit=common.audit_log(),
            estate=common.estate_store(),
            proofs=s3_proofs(common.state_bucket()),
            holds=common.holds(),
            clock=common.clock,
        ),
        audit=common.audit_log(),
        holds=common.holds(),
        estate=common.estate_store(),
        reports=s3_reports(common.state_bucket()),
        is_out_of_time=lambda: common.deadline.is_within(MEMBER_RESERVE),
    )
