"""Whatever happens to a role, the right sessions end: by an oracle that knows when the door was open and looked at.

- No session that was opened through the door while it was open after the last good look survives the repair.
- No session issued before that look, less its margin, is ended.
- No session at all is ended of a role that AWS services alone may assume, and each repair says until when they go on.

Sessions are told apart by the documents' text (local/testing/memory/sessions.py); the oracle shares no code with the
planner.
"""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_warden.core.address import identity_policy
from ecr_warden.core.target import RoleTarget
from local.testing.memory.sessions import MemorySessions, Session
from local.testing.seed import CI, CUTOFF, D2, MORE_TRUST, OUTSIDER, PUSHER, allow, desired, document
from tests import examples
from tests.usecases.test_sessions import BUILDER, BUILDERS, LAMBDA, OPENED, of_builder
from tests.usecases.test_status import codes
from tests.usecases.world import World, world_in_sync

MINUTE = timedelta(minutes=1)
MARGIN, AFTER, LASTS = 5 * MINUTE, MINUTE, timedelta(hours=12)
OURS, MALLORY = f"arn:aws:iam::{CI}:user/push-user", f"arn:aws:iam::{OUTSIDER}:user/mallory"

SCENES = (
    ("ours assumes",),
    ("run",),
    ("sweep",),
    ("ours assumes", "sweep"),
    ("ours assumes", "sweep", "open", "mallory assumes", "run", "ours assumes"),
    ("open", "mallory assumes"),
    ("open", "mallory assumes", "run"),
    ("open", "ours assumes", "mallory assumes", "sweep"),
    ("open", "mallory assumes", "close"),
    ("open", "mallory assumes", "stale"),
    ("delete",),
    ("stop",),
    ("stop", "sweep", "stop"),
)
waits = st.integers(0, 90) | st.integers(0, 30 * 60) | st.integers(0, 4 * 3600)


@st.composite
def plays(draw: st.DrawFn) -> list[tuple[int, str]]:
    """Steps, each with the seconds before it."""
    scenes = draw(st.lists(st.sampled_from(SCENES), min_size=3, max_size=10))
    return [(draw(waits), step) for scene in scenes for step in scene]


class Oracle:
    """What may be concluded from the moments at which somebody looked."""

    def __init__(self, looked: datetime) -> None:
        self.looked = looked
        self.ended: tuple[datetime, datetime] | None = None
        self.must_end: set[Session] = set()

    def repaired(self, at: datetime, opened: list[Session]) -> None:
        """The door was found open and closed; `opened`: all sessions of somebody whom only the open door let in."""
        self.must_end |= {one for one in opened if self.looked - MARGIN <= one.issued}
        since, before = self.looked - MARGIN, at + AFTER
        if self.ended is not None and self.ended[1] >= at - LASTS:
            since, before = min(since, self.ended[0]), max(before, self.ended[1])
        self.ended = since, before

    def may_end(self, session: Session) -> bool:
        return self.ended is not None and self.ended[0] <= session.issued < self.ended[1]


@examples.of(60, 150)
@given(plays())
def test_the_sessions_of_the_open_door_end_and_older_ones_go_on(play: list[tuple[int, str]]) -> None:
    _played(play)


def _played(play: list[tuple[int, str]]) -> Counter[str]:
    """How many sessions were found ended, as they must, and going on."""
    seen: Counter[str] = Counter()
    world = world_in_sync()
    sessions = MemorySessions(world.documents, world.clock, PUSHER)
    oracle = Oracle(world.clock.now())
    opened: list[Session] = []
    door_opened = world.clock.now()
    for seconds, step in play:
        world.clock.advance(timedelta(seconds=seconds))
        now, is_open = world.clock.now(), world.live(D2) == MORE_TRUST
        match step:
            case "ours assumes" | "mallory assumes":
                got = sessions.assume(OURS if step == "ours assumes" else MALLORY)
                assert (got is not None) is (is_open or step == "ours assumes")
                opened += [got] if got is not None else []
            case "open":
                door_opened = door_opened if is_open else now
                world.put(D2, MORE_TRUST)
            case "close":
                world.put(D2, desired(D2))
            case "stale":
                # Another endpoint still shows the old state; the door has been open for less than the margin.
                if is_open and now - door_opened <= MARGIN:
                    world.put(D2, desired(D2))
                    _looks(world, by="sweep")
                    oracle.looked = now
                    world.put(D2, MORE_TRUST)
            case "delete":
                world.documents.remove(CUTOFF)
            case "stop":
                world.switch.enabled = not world.switch.enabled
            case _:
                _looks(world, by=step)
                if not is_open:
                    oracle.looked = now
                elif world.switch.enabled:
                    oracle.repaired(now, [one for one in opened if one.who == MALLORY])
                    oracle.looked = now
                if world.switch.enabled:
                    seen.update(_judged(oracle, sessions, opened))
    world.switch.enabled = True
    if world.live(D2) == MORE_TRUST:
        oracle.repaired(world.clock.now(), [one for one in opened if one.who == MALLORY])
    _looks(world, by="run")
    seen.update(_judged(oracle, sessions, opened))
    assert world.sweep() == ()
    return seen


@examples.of(25, 60)
@given(plays())
def test_no_session_ends_of_a_role_for_services_alone(play: list[tuple[int, str]]) -> None:
    world = world_in_sync(of_builder(LAMBDA))
    world.put(identity_policy(BUILDER, "own"), document(allow("ecr:PutImage")))
    sessions = MemorySessions(world.documents, world.clock, BUILDER)
    opened: list[Session] = []
    for seconds, step in play:
        world.clock.advance(timedelta(seconds=seconds))
        is_open = world.live(BUILDERS) == OPENED
        match step:
            case "mallory assumes":
                opened += [session] if (session := sessions.assume(MALLORY)) is not None else []
            case "open" | "close":
                world.put(BUILDERS, OPENED if step == "open" else document(LAMBDA))
            case "stop":
                world.switch.enabled = not world.switch.enabled
            case "run" | "sweep":
                world.forget()
                _looks(world, by=step, role=BUILDER)
                repairs = [one for one in world.reports if one.applied]
                assert len(repairs) == (is_open and world.switch.enabled)
                for repair in repairs:
                    assert repair.goes_on is not None
                    assert all(one.issued + LASTS <= repair.goes_on for one in opened)
                    assert "sessions-go-on" in codes(world)
        for one in opened:
            assert sessions.works(one) is (world.clock.now() < one.issued + LASTS)


def _looks(world: World, *, by: str, role: RoleTarget = PUSHER) -> None:
    if by == "sweep":
        world.sweep()
    else:
        world.run(role)
    world.drain()


def _judged(oracle: Oracle, sessions: MemorySessions, opened: list[Session]) -> Counter[str]:
    seen: Counter[str] = Counter()
    now = sessions.clock.now()
    for session in opened:
        works = sessions.works(session)
        if session in oracle.must_end:
            assert not works, "it came through the open door after the last good look"
            seen["ended"] += 1
        elif now < session.issued + LASTS and not oracle.may_end(session):
            assert works, "it was issued before the last good look and its margin, or after the repair"
            seen["going on after a repair"] += oracle.ended is not None
    return seen


@pytest.mark.thorough
def test_the_plays_have_sessions_of_both_kinds() -> None:
    seen = examples.seen(60, plays(), by=lambda play: examples.true(**_played(play)))
    assert seen["ended"] >= 10 and seen["going on after a repair"] >= 10, seen
