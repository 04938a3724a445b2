"""Everything on two cores, and its figures in build/faults.json."""

import json
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from tests.prove.faults import Report, of_scene
from tests.prove.life import live
from tests.prove.plays import PLAYS, Explored, explore
from tests.prove.scenes import SCENES

_REPORT = Path(__file__).parents[2] / "build" / "faults.json"
_PAIRS = 120
"""Of faults, in each scene."""
_ORDERS = 1000
"""Of each play, at most."""
_LIVES, _STEPS = 260, 50
_SHOWN = 20


def _faults(scene: str) -> Report:
    return of_scene(scene, number_of_pairs=_PAIRS)


def _orders(play: str) -> Explored:
    found = explore(PLAYS[play], at_most=_ORDERS)
    return found._replace(wrong=tuple(f"{play}, {what}" for what in found.wrong))


def _lives(number: int) -> tuple[int, str]:
    try:
        return live(number, _STEPS), ""
    except Exception as error:
        return 0, f"{type(error).__name__}: {error}\n{'\n'.join(getattr(error, '__notes__', ()))}"


def main() -> int:
    """Each scene, each play and the lives, whatever comes out of the others; 1 if anything is wrong."""
    with get_context("spawn").Pool(2) as pool:
        lives = pool.apply_async(_lives, (_LIVES,))
        orders = pool.map_async(_orders, PLAYS, chunksize=1)
        report = Report()
        for found in pool.imap(_faults, SCENES):
            report = report.joined(found)
        explored, (steps, failure) = orders.get(), lives.get()
    figures = report._asdict() | {"interleavings": sum(one.orders for one in explored), "random_steps": steps}
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(json.dumps(figures, indent=2) + "\n")
    print(
        f"{report.calls} calls, {report.cases} cases, {report.fired} faults; {figures['interleavings']} orders; ",
        end="",
    )
    print(f"{steps} random steps; {report.extra_writes} writes too many")
    wrong = [*report.diverged, *report.silent, *(what for one in explored for what in one.wrong)]
    _show(wrong)
    if failure:
        print(failure)
    return 1 if wrong or failure or report.extra_writes else 0


def _show(wrong: Sequence[str]) -> None:
    for line in wrong[:_SHOWN]:
        print(line)
    if len(wrong) > _SHOWN:
        print(f"and {len(wrong) - _SHOWN} more")
