"""Whatever somebody writes into a document, one run repairs it and people hear of it."""

import json
from dataclasses import dataclass, field
from typing import NamedTuple

from ecr_warden.adapters.aws.items import packed
from ecr_warden.adapters.aws.live_value import document
from ecr_warden.adapters.aws.outcomes import detail_of
from ecr_warden.adapters.notify.fanout import FanOut
from ecr_warden.model.address import Address, identity_policy
from ecr_warden.model.alert import Message
from ecr_warden.model.codec.alerts import alert_from_json, alert_to_json
from ecr_warden.model.codec.base import dumps
from ecr_warden.model.codec.runs import open_run_to_json, report_to_json
from ecr_warden.model.observed import Present, Unparseable
from ecr_warden.model.outcome import Result
from ecr_warden.model.run import OpenRun
from ecr_warden.policy.document import Document
from ecr_warden.policy.interchangeable import interchangeable
from ecr_warden.usecases.alert import TellPeople
from hypothesis import strategies as st

from local.memory.hub import MemoryIncidents
from tests.fuzz import stored
from tests.unit.planning.seed import D1, D2, D3, D4, PUSHER, spec_of
from tests.usecases.world import world_at_spec

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


tampers = st.sampled_from((D1, D2, D3, D4, _OTHER)).flatmap(_tampers)


@dataclass(slots=True)
class _Inbox:
    messages: list[Message] = field(default_factory=list)

    def notify(self, message: Message) -> None:
        self.messages.append(message)


def is_repaired_and_reported(tamper: Tamper) -> None:
    """The document stands again as the spec says, and a message names its target; or nothing had to be done."""
    world, (address, text) = world_at_spec(), tamper
    kind = address.document_kind
    assert kind is not None
    desired = spec_of(address.target).documents.get(address)
    seen = document(text, kind)
    assert isinstance(seen, Present | Unparseable)
    world.documents.live[address] = seen
    result = world.run(address.target)
    if result is Result.IN_SYNC:
        assert isinstance(seen, Present)
        assert isinstance(seen.value, Document)
        assert isinstance(desired, Document)
        assert interchangeable(seen.value, desired, kind=kind)
        assert world.writes == []
        return
    assert result is Result.CONVERGED
    assert world.live(address) == desired
    [report] = world.reports
    opened = OpenRun(report.run_id, report.cause, report.mode, report.plan, report.started_at)
    items = open_run_to_json(opened), report_to_json(report)
    assert sum(len(packed(dumps(item))["B"]) for item in items) < _ITEM
    assert len(detail_of(report)) <= 250_000
    inbox = _Inbox()
    people = TellPeople(MemoryIncidents(), FanOut({"chat": inbox}))
    people.announce(alert_from_json(json.loads(json.dumps(alert_to_json(report)))))
    [message] = inbox.messages
    assert address.target.name in message.title
    assert message.lines
