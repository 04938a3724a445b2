"""Stories of a role whose trust policy is opened and repaired, or whose grants end: whose sessions go on or end."""

import json
from collections.abc import Callable, Mapping
from copy import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.address import Address
from ecr_warden.core.desired import CompiledSpec, DesiredValue
from ecr_warden.core.failures import PortError, Refused
from ecr_warden.core.job import ReconcileTarget
from ecr_warden.core.result import Severity
from ecr_warden.core.sessions import Sessions, denial_of
from ecr_warden.notify.kinds import message_of
from iam_access.document.document import Document
from local.testing.memory.sessions import MemorySessions, Session
from local.testing.seed import (
    ACCEPTED,
    CI,
    CUTOFF,
    D2,
    MORE_TRUST,
    NOW,
    OUTSIDER,
    PUSHER,
    SPEC_FILE,
    allow,
    compiled,
    desired,
    document,
)
from tests.tables import load
from tests.usecases.world import Crash, Fuse, World, expect, failing, world_in_sync

_ROLE = ACCEPTED.targets[PUSHER.key]
_OPEN_ROLE = replace(_ROLE, documents={**_ROLE.documents, D2: MORE_TRUST})
WIDER = replace(ACCEPTED, version="v0", targets={**ACCEPTED.targets, PUSHER.key: _OPEN_ROLE})
WHO = {
    "push-user": f"arn:aws:iam::{CI}:user/push-user",
    "dora": f"arn:aws:iam::{CI}:user/dora",
    "mallory": f"arn:aws:iam::{OUTSIDER}:user/mallory",
}
LAST_SECOND = "9999-12-31T23:59:59Z"


def _ending(
    *, dora: int | str, push_user: int | None = None, mode: str = "enforce", version: str = "v1"
) -> CompiledSpec:
    """The seed's spec, in which dora pushes until a minute or a time, and push-user until another, or for ever."""
    return _pushing({"push-user": push_user, "dora": dora}, mode, version)


def _pushing(ends: Mapping[str, int | str | None], mode: str = "enforce", version: str = "v1") -> CompiledSpec:
    """The seed's spec with these pushers, each until a minute or a time, or for ever."""
    grants = ""
    for user, end in ends.items():
        until = "" if end is None else f", until: {end if isinstance(end, str) else _minute(end)}"
        grants += f"      - {{role: ecr-pusher, by: [ci:user/{user}]{until}}}\n"
    head, _, rest = SPEC_FILE.read_text().partition("      - role: ecr-pusher\n")
    _, _, tail = rest.partition("\n")
    return compiled(f"{head}{grants}{tail}".replace("mode: enforce", f"mode: {mode}").encode(), version)


def _minute(number: int) -> str:
    return (NOW + timedelta(minutes=number)).isoformat()


ENDING = _ending(dora=20)
PUT_OFF = _ending(dora=60, version="v2")
ENDLESS = _pushing({"push-user": None, "dora": None})
ALL_END = _pushing({"push-user": 60}, version="v2")


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


def _opens_until_the_last_second(play: "Play") -> None:
    condition = {"DateLessThan": {"aws:CurrentTime": LAST_SECOND}}
    statement = allow("sts:AssumeRole", who=WHO["mallory"]) | {"Condition": condition}
    wanted = expect(Document, play.desired(D2))
    play.world.put(D2, document(*json.loads(wanted.text)["Statement"], statement))


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
    "opened until the last second": _opens_until_the_last_second,
    "opened": lambda play: play.world.put(D2, MORE_TRUST),
    "closed": lambda play: play.world.put(D2, desired(D2)),
    "sweep": _sweeps,
    "run": _runs,
    "writes stop": lambda play: setattr(play.world.switch, "enabled", False),
    "writes go on": lambda play: setattr(play.world.switch, "enabled", True),
    "records are lost": _forgets,
    "dora assumes": _assumes("dora"),
    "mallory is removed from the spec": lambda play: setattr(play.world.specs, "compiled", ACCEPTED),
    "dora is removed from the spec": lambda play: setattr(play.world.specs, "compiled", ACCEPTED),
    "dora's end is put off": lambda play: setattr(play.world.specs, "compiled", PUT_OFF),
    "dora's end is set to 60": lambda play: setattr(play.world.specs, "compiled", PUT_OFF),
    "mallory is removed from the spec, push-user ends at 60": lambda play: setattr(
        play.world.specs, "compiled", ALL_END
    ),
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

    def desired(self, address: Address) -> DesiredValue:
        """What the accepted spec says."""
        assert self.world.specs.compiled is not None
        return self.world.specs.compiled.targets[address.target.key].documents[address]


type Story = Mapping[str, Any]

STORIES: list[Story] = load((Path(__file__).parents[1] / "cases" / "sessions.yaml").read_text())
SPECS = {
    "mallory pushes too": WIDER,
    "dora pushes too": ENDLESS,
    "dora pushes until 20": ENDING,
    "dora pushes until 20, observed": _ending(dora=20, mode="observe"),
    "dora pushes until 300": _ending(dora=300),
    "dora pushes until the last second": _ending(dora=LAST_SECOND),
    "dora pushes until 20, push-user until 40": _ending(dora=20, push_user=40),
    "dora and push-user push until 20": _ending(dora=20, push_user=20),
    "push-user pushes until 60": ALL_END,
}


def played(story: Story) -> Play:
    play = Play(SPECS[story["accepted"]] if "accepted" in story else ACCEPTED)
    for line in story["events"].split(";"):
        minute, _, step = line.strip().partition(" ")
        play.world.clock.time = NOW + timedelta(minutes=int(minute))
        STEPS[step](play)
    return play


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story["name"])
def test_these_sessions_go_on_and_the_others_end(story: Story) -> None:
    play = played(story)
    assert play.world.live(D2) == play.desired(D2)
    working = [session.issued for session in play.opened if play.sessions.works(session)]
    assert working == [NOW + timedelta(minutes=minute) for minute in story.get("go_on", ())]
    play.world.sweep()
    play.world.drain()
    assert play.world.sweep() == ()


def test_sessions_end_with_a_grant_once_and_the_message_says_why() -> None:
    play = Play(ENDING)
    world = play.world
    written: dict[int, list[str]] = {}
    for minute in (15, 30, 45, 60, 700, 721 + 60, 800):
        world.clock.time = NOW + timedelta(minutes=minute)
        _sweeps(play)
        if world.writes:
            written[minute] = world.written
            world.documents.writes.clear()
    name = "identity-policy ecr-warden-deny-older-sessions"
    assert written == {30: [f"create {name}"], 781: [f"delete {name}"]}
    ends, expires = [message_of([run]) for run in world.announced]
    issued = "sessions issued before 2026-11-24T10:21:00Z"
    assert ends.title == f"role/222222222222/ecr-pusher: a grant has ended: denies {issued}"
    assert ends.severity is Severity.INFO
    assert f"{issued} denied (run" in str(ends.fields)
    assert "Whoever uses a session that was ended has to assume the role again." in ends.lines
    assert expires.title == "role/222222222222/ecr-pusher: the sessions that were denied have expired"


def test_the_first_tick_after_an_end_brings_the_role_without_a_sweep() -> None:
    play = Play(ENDING)
    world = play.world
    brought: list[int] = []
    for minute in (0, 15, 30, 45, 60):
        world.clock.time = NOW + timedelta(minutes=minute)
        world.jobs.sent.clear()
        world.tick()
        brought += [minute for job in world.jobs.sent if isinstance(job, ReconcileTarget) and job.target == PUSHER]
        world.drain()
    assert brought == [30]
    assert world.written == ["create identity-policy ecr-warden-deny-older-sessions"]


def test_an_end_is_carried_out_once_wherever_the_process_dies() -> None:
    at = 0
    while True:
        at += 1
        play = Play(ENDING)
        world = play.world
        world.clock.time = NOW + timedelta(minutes=30)
        fuse = Fuse(at, after=at % 2 == 0)
        try:
            world.run(PUSHER, fuse=fuse)
        except Crash:
            world.clock.advance(timedelta(minutes=15))
            _sweeps(play)
        else:
            break
        assert world.live(CUTOFF) == denial_of(Sessions(NOW + timedelta(minutes=21))), at
        assert len(world.writes) == 1
        assert world.state.remembered[PUSHER.key].debts.sessions_ended
        assert world.sweep() == ()
    assert at > 8


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
