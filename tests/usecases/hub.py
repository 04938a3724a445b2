"""The use cases of the functions `answer` and `control`, with callers who need no signature."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ecr_warden.core.failures import CallerUnauthenticated
from ecr_warden.core.job import Actor
from ecr_warden.hub.codec_replies import reply_from_json, reply_to_json
from ecr_warden.hub.commands import Commands
from ecr_warden.hub.queries import Queries
from ecr_warden.hub.reply import QuestionReply, StatusReply
from ecr_warden.hub.request import AskStatus, Question, question_from_text, request_to_text
from ecr_warden.hub.status import StatusQuery
from tests.usecases.world import World, expect

ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
HUB = "arn:aws:lambda:eu-central-1:111111111111:function:ecr-warden-control"


@dataclass(slots=True)
class Callers:
    """The proof `alice` proves alice; what had to be proven is kept."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def authenticate(self, proof: object, request: str, hub: str) -> Actor:
        self.asked.append((request, hub))
        if proof != "alice":
            raise CallerUnauthenticated("no proof")
        return ALICE


def ask(world: World, question: Question, reply_bytes: int = 4_000_000) -> QuestionReply:
    """The reply, having gone through both texts."""
    reply = queries_of(world, reply_bytes).answer(question_from_text(request_to_text(question)))
    assert reply_from_json(reply_to_json(reply)) == reply
    return reply


def hub_status(world: World) -> StatusReply:
    """The status of everything."""
    return expect(StatusReply, ask(world, AskStatus()))


def queries_of(
    world: World, reply_bytes: int = 4_000_000, is_out_of_time: Callable[[], bool] = lambda: False
) -> Queries:
    return Queries(
        reader=world.estate,
        journal=world.journal,
        command_records=world.command_records,
        status=StatusQuery(
            specs=world.specs,
            documents=world.documents,
            state=world.state,
            sweep_records=world.sweep_records,
            switch=world.switch,
            wiring=world.wiring,
            queues=world.queues,
            watch_records=world.watch_records,
            log=world.log,
            estate=world.estate_store,
            audits=world.audits,
            holds=world.holds,
            waiting=world.incidents.waiting,
            clock=world.clock,
        ),
        reply_bytes=reply_bytes,
        is_out_of_time=is_out_of_time,
    )


def commands_of(world: World, callers: Callers | None = None) -> Commands:
    return Commands(
        specs=world.specs,
        state=world.state,
        command_records=world.command_records,
        jobs=world.jobs,
        alerts=world.alerts,
        callers=callers or Callers(),
        log=world.log,
        holds=world.holds,
        clock=world.clock,
    )
