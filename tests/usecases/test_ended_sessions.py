"""Stories of a role whose trust policy is opened and repaired: whose sessions go on, and whose end."""

from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from ecr_warden.model.desired import CompiledSpec, EndSessions
from ecr_warden.model.sessions import Sessions, denial_of
from ecr_warden.ports.errors import PortError, Refused

from local.testing.memory.sessions import MemorySessions, Session
from local.testing.seed import ACCEPTED, CI, CUTOFF, D2, MORE_TRUST, NOW, OUTSIDER, PUSHER, allow, desired, document
from tests.usecases.world import World, failing, world_in_sync

ALL = replace(ACCEPTED, end_sessions=EndSessions.ALL)
_ROLE = ACCEPTED.targets[PUSHER.key]
_OPEN_ROLE = replace(_ROLE, documents={**_ROLE.documents, D2: MORE_TRUST})
WIDER = replace(ACCEPTED, version="v0", targets={**ACCEPTED.targets, PUSHER.key: _OPEN_ROLE})
WHO = {"push-user": f"arn:aws:iam::{CI}:user/push-user", "mallory": f"arn:aws:iam::{OUTSIDER}:user/mallory"}


def _assumes(name: str) -> Callable[["Play"], None]:
    def assume(play: "Play") -> None:
        session = play.sessions.assume(WHO[name])
        assert session is not None, f"{name} is not let in"
        play.opened.append(session)

    return assume


def _sweeps(play: "Play") -> None:
    play.world.sweep()
    play.world.drain()


def _runs(play: "Play") -> None:
    play.world.run(PUSHER)
    play.world.drain()


def _forgets(play: "Play") -> None:
    remembered = play.world.state.remembered
    remembered[PUSHER.key] = replace(remembered[PUSHER.key], trust_look=None)
    play.world.sweep_records.noted.clear()


def _deletes_a_user(play: "Play") -> None:
    shown = allow("sts:AssumeRole", who="AIDAEXAMPLEEXAMPLE01")
    play.world.put(D2, document(shown))


def _runs_without_a_cut_off(play: "Play") -> None:
    failing(play.world, Refused("no"), of=lambda change: change.address == CUTOFF)
    play.world.run(PUSHER)
    play.world.recover()


STEPS: dict[str, Callable[["Play"], None]] = {
    "push-user assumes": _assumes("push-user"),
    "mallory assumes": _assumes("mallory"),
    "opened": lambda play: play.world.put(D2, MORE_TRUST),
    "closed": lambda play: play.world.put(D2, desired(D2)),
    "sweep": _sweeps,
    "run": _runs,
    "writes stop": lambda play: setattr(play.world.switch, "enabled", False),
    "writes go on": lambda play: setattr(play.world.switch, "enabled", True),
    "records are lost": _forgets,
    "mallory is removed from the spec": lambda play: setattr(play.world.specs, "compiled", ACCEPTED),
    "user is deleted": _deletes_a_user,
    "run cannot write the cut-off": _runs_without_a_cut_off,
    "cut-off is deleted": lambda play: play.world.documents.remove(CUTOFF),
    "cut-off is set to start later": lambda play: play.world.put(CUTOFF, denial_of(Sessions(play.now, play.now))),
}


class Play:
    """A world in which sessions are opened; minute 0 is a run that reads everything in sync."""

    def __init__(self, accepted: CompiledSpec) -> None:
        self.world: World = world_in_sync(accepted)
        self.sessions = MemorySessions(self.world.documents, self.world.clock, PUSHER)
        self.opened: list[Session] = []

    @property
    def now(self) -> datetime:
        return self.world.clock.now()


@dataclass(frozen=True, slots=True)
class Story:
    """`events`: what happens, each at a minute; `go_on`: when the sessions were issued that work in the end."""

    name: str
    events: str
    go_on: tuple[int, ...] = ()
    accepted: CompiledSpec = ACCEPTED


STORIES = (
    Story(
        "a push under way since before the last sweep goes on",
        "4 push-user assumes; 10 sweep; 16 opened; 17 mallory assumes; 18 run",
        (4,),
    ),
    Story(
        "a session from within the margin before the sweep ends, whoever has it",
        "5 push-user assumes; 10 sweep; 16 opened; 17 mallory assumes; 18 run",
    ),
    Story(
        "so does one from between the sweep and the repair",
        "10 sweep; 12 push-user assumes; 16 opened; 18 run",
    ),
    Story(
        "a session opened after the repair and its margin goes on",
        "10 sweep; 16 opened; 17 mallory assumes; 18 run; 19 push-user assumes",
        (19,),
    ),
    Story(
        "the sweep that finds the door open counts from the sweep before it",
        "4 push-user assumes; 10 sweep; 16 opened; 17 mallory assumes; 25 sweep",
        (4,),
    ),
    Story(
        "sweeps that find it open do not count however many there are",
        "10 sweep; 16 opened; 17 mallory assumes; 20 writes stop; 25 sweep; 40 sweep; 60 writes go on; 61 run",
    ),
    Story(
        "a run counts as a sweep does",
        "4 push-user assumes; 10 run; 16 opened; 17 mallory assumes; 18 run",
        (4,),
    ),
    Story(
        "all older sessions end where no look is known",
        "4 push-user assumes; 10 sweep; 12 records are lost; 16 opened; 17 mallory assumes; 18 run",
    ),
    Story(
        "all older sessions end if a user was deleted, for its own live on",
        "4 push-user assumes; 30 sweep; 40 user is deleted; 45 sweep",
    ),
    Story(
        "the setting ends them all",
        "4 push-user assumes; 10 sweep; 16 opened; 17 mallory assumes; 18 run",
        accepted=ALL,
    ),
    Story(
        "all older sessions end after a spec that takes a right to push away",
        "4 push-user assumes; 5 mallory assumes; 20 sweep; 25 mallory is removed from the spec; 26 run",
        accepted=WIDER,
    ),
    Story(
        "looks under the new spec count from then on",
        "4 mallory assumes; 20 sweep; 25 mallory is removed from the spec; 26 run; 800 push-user assumes; 810 sweep;"
        "811 opened; 812 mallory assumes; 813 run",
        (800,),
        accepted=WIDER,
    ),
    Story(
        "a door opened and closed before the last look gives its sessions away",
        "10 sweep; 12 opened; 13 mallory assumes; 14 closed; 25 sweep; 30 opened; 31 run",
        (13,),
    ),
    Story(
        "the setting ends those too, once the door is opened again",
        "10 sweep; 12 opened; 13 mallory assumes; 14 closed; 25 sweep; 30 opened; 31 run",
        accepted=ALL,
    ),
    Story(
        "two repairs in a row end what lies between them",
        "4 push-user assumes; 10 sweep; 12 opened; 13 mallory assumes; 14 run; 20 push-user assumes; 30 opened;"
        "31 mallory assumes; 32 run; 40 push-user assumes",
        (4, 40),
    ),
    Story(
        "a cut-off that could not be written is written for the same sessions",
        "4 push-user assumes; 10 sweep; 12 opened; 13 mallory assumes; 14 run cannot write the cut-off;"
        "30 push-user assumes; 45 sweep",
        (4, 30),
    ),
    Story(
        "a cut-off that was deleted is written again for the same sessions",
        "4 push-user assumes; 10 sweep; 12 opened; 13 mallory assumes; 14 run; 30 push-user assumes;"
        "35 cut-off is deleted; 45 sweep",
        (4, 30),
    ),
    Story(
        "a cut-off that was set to start later is set back",
        "4 push-user assumes; 10 sweep; 12 opened; 13 mallory assumes; 14 run; 30 push-user assumes;"
        "35 cut-off is set to start later; 45 sweep",
        (4, 30),
    ),
)


def played(story: Story) -> Play:
    play = Play(story.accepted)
    for line in story.events.split(";"):
        minute, _, step = line.strip().partition(" ")
        play.world.clock.time = NOW + timedelta(minutes=int(minute))
        STEPS[step](play)
    return play


@pytest.mark.parametrize("case", STORIES, ids=lambda case: case.name)
def test_these_sessions_go_on_and_the_others_end(case: Story) -> None:
    play = played(case)
    assert play.world.live(D2) == desired(D2)
    working = [session.issued for session in play.opened if play.sessions.works(session)]
    assert working == [NOW + timedelta(minutes=minute) for minute in case.go_on]
    play.world.sweep()
    play.world.drain()
    assert play.world.sweep() == ()


def test_a_sweep_record_that_cannot_be_read_delays_no_repair() -> None:
    play = Play(ACCEPTED)
    _forgets(play)
    _assumes("push-user")(play)
    play.world.clock.advance(timedelta(minutes=10))
    _sweeps(play)

    class Down:
        def of(self, part: str) -> None:
            raise PortError(f"no record of {part}")

    play.world.sweep_records = Down()  # type: ignore[assignment]
    play.world.put(D2, MORE_TRUST)
    play.world.run(PUSHER)
    assert play.world.live(D2) == desired(D2)
    assert not play.sessions.works(play.opened[0]), "all older sessions end"
