"""The function `answer`."""

from collections.abc import Mapping
from functools import cached_property

from ecr_warden.audit.aws_audits import S3Audits
from ecr_warden.aws.progress import SqsQueues
from ecr_warden.bootstrap.estate import EstateAdapters
from ecr_warden.bootstrap.images import ImageAdapters
from ecr_warden.bootstrap.incidents import IncidentAdapters
from ecr_warden.bootstrap.specs import SpecAdapters
from ecr_warden.core.failures import PortError
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.hub.queries import Queries
from ecr_warden.hub.status import StatusQuery
from ecr_warden.images.aws_images import images_in
from ecr_warden.state.aws_aliases import accepted_aliases
from ecr_warden.state.aws_journal import DynamoJournal


class AnswerAdapters(SpecAdapters, EstateAdapters, ImageAdapters, IncidentAdapters):
    """All that it is made of."""

    @cached_property
    def journal(self) -> DynamoJournal:
        """The journal of runs."""
        return DynamoJournal(self.table)

    @cached_property
    def queues(self) -> SqsQueues:
        """What waits in the queues."""
        return SqsQueues(self.client("sqs"), self.jobs.urls, self.table)

    @cached_property
    def audits(self) -> S3Audits:
        """The last audits."""
        return S3Audits(self.state_bucket)

    def images_in(self, repository: RepositoryTarget) -> Mapping[str, str]:
        """The status of each image that is in a repository, by digest."""
        return images_in(self.documents.accounts, repository)

    def aliases(self) -> Mapping[str, str]:
        """The aliases of accounts by their IDs; none where the table does not answer: an answer does without them."""
        try:
            return accepted_aliases(self.table)
        except PortError:
            return {}


def queries(on: AnswerAdapters) -> Queries:
    """Its use cases."""
    return Queries(
        reader=on.reader,
        journal=on.journal,
        command_records=on.command_records,
        image_records=on.image_records,
        incident_records=on.incident_records,
        images_in=on.images_in,
        status=StatusQuery(
            specs=on.specs,
            documents=on.documents,
            state=on.state,
            sweep_records=on.sweep_records,
            switch=on.switch,
            wiring=on.wiring,
            queues=on.queues,
            watch_records=on.watch_records,
            log=on.log,
            estate=on.estate_store,
            audits=on.audits,
            holds=on.holds,
            waiting=on.waiting,
            clock=on.clock,
        ),
        max_removed=on.max_removed,
        is_out_of_time=lambda: not on.has_time(),
    )
