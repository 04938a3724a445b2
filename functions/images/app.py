"""Notes who pushed images; it may lag or fail, and nothing else does so with it."""

import json
from typing import TYPE_CHECKING, Any

from ecr_warden.bootstrap.common import deadline
from ecr_warden.bootstrap.images import ImageAdapters
from ecr_warden.bootstrap.observability import logger
from ecr_warden.core.clock import CLOCKS
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.images.note import NoteImages
from ecr_warden.images.parse import image_events
from ecr_warden.images.push import COMPLETE, ImageEvent

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

ADAPTERS = ImageAdapters()
_AGAIN = ":ecr-warden-images-again"


@logger().inject_lambda_context
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
    """Note the events of a batch, all of a repository at once; those that fail come back, and are kept in the end."""
    deadline.begin(context.get_remaining_time_in_millis)
    failed = set[str]()
    found: dict[RepositoryTarget, list[tuple[str, ImageEvent]]] = {}
    for record in event["Records"]:
        try:
            for repository, one in image_events(json.loads(record["body"])):
                if one.by is None and ADAPTERS.clock.now() - one.at < COMPLETE + CLOCKS:
                    failed.add(record["messageId"])  # CloudTrail may yet say who it was: it comes back
                else:
                    found.setdefault(repository, []).append((record["messageId"], one))
        except Exception as error:  # the others of the batch are noted all the same
            failed |= _failed(error, {record["messageId"]})
    note = NoteImages(ADAPTERS.accepted_specs, ADAPTERS.state, ADAPTERS.image_records, ADAPTERS.alerts, ADAPTERS.clock)
    is_first = not event["Records"][0]["eventSourceARN"].endswith(_AGAIN)
    for repository, seen in found.items():
        try:
            note.note(repository, [one for _, one in seen], is_first=is_first)
        except Exception as error:
            failed |= _failed(error, {message_id for message_id, _ in seen})
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(failed)]}


def _failed(error: Exception, messages: set[str]) -> set[str]:
    logger().error("not noted", extra={"error": f"{type(error).__name__}: {error!s:.1000}"})
    return messages
