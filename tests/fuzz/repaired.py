"""Whatever somebody writes into a document, one run repairs it and people hear of it."""

import json
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

from ecr_warden.aws.table import packed
from ecr_warden.core.address import Address, identity_policy
from ecr_warden.core.alert import alert_to_json
from ecr_warden.core.codec.base import dumps
from ecr_warden.core.codec.runs import open_run_to_json, report_to_json
from ecr_warden.core.failures import Refused
from ecr_warden.core.observed import Present, Unparseable
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result
from ecr_warden.core.run import OpenRun
from ecr_warden.core.target import Target
from ecr_warden.notify.aws_bus import detail_of
from ecr_warden.notify.kinds import alert_from_json
from ecr_warden.notify.message import Message
from ecr_warden.notify.notify import SendAlerts
from ecr_warden.repair.aws_reading import observed_document
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document, policy_size
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import is_unique_id
from local.testing.memory.hub import ManualClock, MemoryIncidents
from local.testing.seed import D1, D2, D3, D4, PUSHER, spec_of
from tests.fuzz import stored
from tests.usecases.world import world_in_sync

_ITEM = 390_000
"""Bytes of a run in the journal: a table takes items of 400 KB, and what it does not take ends the run."""
_OTHER = identity_policy(PUSHER, "other")


class Tamper(NamedTuple):
    """A document and what somebody makes of it."""

    address: Address
    text: str


def _tampers(address: Address) -> st.SearchStrategy[Tamper]:
    assert address.document_kind is not None
    return stored.documents(address.document_kind).map(lambda text: Tamper(address, text))


_several = st.tuples(_tampers(D2), _tampers(D3), _tampers(_OTHER))
tampers = st.sampled_from((D1, D2, D3, D4, _OTHER)).flatmap(_tampers).map(lambda one: (one,)) | _several
"""One document, or those of the role together: then some are cut down before others are written."""


@dataclass(slots=True)
class _Inbox:
    messages: list[Message] = field(default_factory=list)

    def notify(self, message: Message) -> None:
        self.messages.append(message)


def _as_aws_refuses(_target: Target, change: Change | None) -> None:
    """What AWS does not take, whatever it shows: principals by their unique ids, and what is over the quota."""
    if change is None or not isinstance(change.after, Document):
        return
    names = [one.value for given in change.after.statements if given.principals for one in given.principals.values]
    if any(map(is_unique_id, names)):
        raise Refused("Invalid principal in policy")
    if policy_size(change.after) > stored.MAX_CHARACTERS[change.address.document_kind or DocumentKind.IDENTITY]:
        raise Refused("Cannot exceed quota")


def is_repaired_and_reported(tampered: tuple[Tamper, ...]) -> None:
    """The documents stand again as the spec says, and a message names their target; or nothing had to be done."""
    world, target = world_in_sync(), tampered[0].address.target
    desired = spec_of(target).documents
    for address, text in tampered:
        assert address.document_kind is not None
        seen = observed_document(text, address.document_kind)
        assert isinstance(seen, Present | Unparseable)
        world.documents.live[address] = seen
    before = dict(world.documents.live)
    world.documents.faults = _as_aws_refuses
    result = world.run(target)
    if result is Result.IN_SYNC:
        for address, _ in tampered:
            found, wanted = before[address], desired.get(address)
            assert isinstance(found, Present)
            assert isinstance(found.value, Document)
            assert isinstance(wanted, Document)
            assert address.document_kind is not None
            assert not isinstance(relate(found.value, wanted, kind=address.document_kind), Differs)
        assert world.writes == []
        return
    assert result is Result.CONVERGED
    for address, _ in tampered:
        live, wanted = world.live(address), desired.get(address)
        if live != wanted:
            assert isinstance(live, Document)
            assert isinstance(wanted, Document)
            assert address.document_kind is not None
            assert not isinstance(relate(live, wanted, kind=address.document_kind), Differs)
    [report] = world.reports
    opened = OpenRun(report.run_id, report.cause, report.mode, report.plan, report.started_at)
    items = open_run_to_json(opened), report_to_json(report)
    assert sum(len(packed(dumps(item))["B"]) for item in items) < _ITEM
    [announced] = world.announced
    assert len(detail_of(announced)) <= 250_000
    inbox = _Inbox()
    people = SendAlerts(MemoryIncidents(), {"chat": inbox}, print, ManualClock())
    people.announce(alert_from_json(json.loads(json.dumps(alert_to_json(announced)))), ManualClock().now())
    [message] = inbox.messages
    assert target.name in str(message.fields)
    assert message.lines
