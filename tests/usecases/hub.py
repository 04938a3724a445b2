"""The use cases of the functions `answer` and `control`, with callers who need no signature."""

from collections.abc import Callable
from copy import replace
from dataclasses import dataclass, field

from ecr_warden.bootstrap import answer, control
from ecr_warden.core.failures import CallerUnauthenticated
from ecr_warden.core.job import Actor
from ecr_warden.hub.codec_replies import reply_from_json, reply_to_json
from ecr_warden.hub.commands import Commands
from ecr_warden.hub.queries import Queries
from ecr_warden.hub.reply import QuestionReply, StatusReply
from ecr_warden.hub.request import AskStatus, Question, question_from_text, request_to_text
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
    return replace(answer.queries(world.adapters), reply_bytes=reply_bytes, is_out_of_time=is_out_of_time)


def commands_of(world: World, callers: Callers | None = None) -> Commands:
    return replace(control.commands(world.adapters), callers=callers or Callers())
