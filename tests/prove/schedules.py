"""Who moves at each call of a port: a deterministic scheduler, and the systematic exploration of what it may choose.

Actors are threads of which one runs at a time, and each hands over before every call of a port: nothing depends on
time. Exploring is stateless, as in CHESS (Musuvathi and others, OSDI 2008): a run follows a prefix of choices and then
never interrupts anybody; each choice that was left open becomes a prefix, up to a number of interruptions.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

type Moves = Callable[[Callable[[], None]], None]
"""What an actor does; it calls the function that it is given before each step that others may interrupt."""


class Step(NamedTuple):
    """Who could move, and who did."""

    able: tuple[str, ...]
    chosen: str


@dataclass(slots=True)
class _Actor:
    moves: Moves
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    is_done: bool = False
    error: BaseException | None = None


def played(actors: Mapping[str, Moves], prefix: tuple[str, ...]) -> tuple[Step, ...]:
    """Let the actors move as the prefix says, then each to its end in turn; raises what an actor raised."""
    table = {name: _Actor(moves) for name, moves in actors.items()}
    back = threading.Semaphore(0)

    def run(actor: _Actor) -> None:
        def hand_over() -> None:
            back.release()
            actor.go.acquire()

        actor.go.acquire()
        try:
            actor.moves(hand_over)
        except BaseException as error:
            actor.error = error
        actor.is_done = True
        back.release()

    threads = [threading.Thread(target=run, args=(actor,), daemon=True) for actor in table.values()]
    for thread in threads:
        thread.start()
    steps: list[Step] = []
    last = ""
    while able := tuple(name for name, actor in table.items() if not actor.is_done):
        number = len(steps)
        chosen = prefix[number] if number < len(prefix) else last if last in able else able[0]
        steps.append(Step(able, chosen))
        table[chosen].go.release()
        back.acquire()
        last = chosen
    for thread in threads:
        thread.join()
    for actor in table.values():
        if actor.error is not None:
            raise actor.error
    return tuple(steps)


def _interruptions(chosen: tuple[str, ...], steps: tuple[Step, ...]) -> int:
    """How often somebody who could have gone on was interrupted."""
    return sum(
        before != after and before in step.able
        for before, after, step in zip(chosen, chosen[1:], steps[1:], strict=False)
    )


def explored(play: Callable[[tuple[str, ...]], tuple[Step, ...]], *, interruptions: int) -> Iterator[tuple[str, ...]]:
    """Every order of moves with at most so many interruptions, each once, those with the fewest first.

    `play` lets one happen, which begins as it is given, and judges it.
    """
    waiting: deque[tuple[str, ...]] = deque([()])
    while waiting:
        prefix = waiting.popleft()
        steps = play(prefix)
        chosen = tuple(step.chosen for step in steps)
        yield chosen
        for number in range(len(prefix), len(steps)):
            for other in steps[number].able:
                tried = (*chosen[:number], other)
                if other != chosen[number] and _interruptions(tried, steps[: number + 1]) <= interruptions:
                    waiting.append(tried)
