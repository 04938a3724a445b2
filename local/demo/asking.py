"""The step in which an operator uses the command: a plan, a repair, a pause in which a tamper stays, and its end."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from local.aws.calls import Call
from local.demo import journal, truth
from local.demo.attack import Bout, Ring
from local.demo.operator import OPERATOR, Terminal, terminal_of
from local.demo.places import REPOSITORY, REPOSITORY_TARGET
from local.demo.quiet import by_product
from local.demo.stage import Stage
from local.demo.tampers import UNSEEN, Tamper
from local.testing.waiting import NeverCame, until

_SHORTEST_PAUSE = 8.0
"""Seconds; a slow machine needs a longer one, in which the pause and the tamper are seen."""
_REASON = "migration, ticket 4711"
_SEEN = Tamper(
    UNSEEN.side,
    f"opens {REPOSITORY} to everybody while it is paused",
    UNSEEN.repair,
    UNSEEN.target,
    UNSEEN.actions,
    UNSEEN.do,
)


def ask(ring: Ring) -> Terminal:
    """Alice has something repaired that no event reported, then pauses a target that is tampered with; returns hers."""
    alice = terminal_of(ring.stage, "alice", OPERATOR)
    began = time.monotonic()
    _reconcile(ring, alice)
    # What the step before collected is sent only now, and counts among the ten messages.
    ring.stage.let_time_pass()
    _pause(ring, alice, timedelta(seconds=max(_SHORTEST_PAUSE, 2 * (time.monotonic() - began))))
    return alice


def _reconcile(ring: Ring, alice: Terminal) -> None:
    stage, report, screen = ring.stage, ring.report, ring.report.screen
    stage.events(on=False)
    somebody = UNSEEN.side.somebody(stage.people)
    bout = Bout(ring, f"{somebody.words} {UNSEEN.what}, and alice has it repaired", somebody, ring.right)
    bout.strike(UNSEEN)
    screen.progress("  $ ecr-warden plan")
    plan = alice.run("plan")
    for line in plan.stdout.splitlines():
        screen.plain(f"             {line}")
    is_plan = (
        plan.returncode == 2 and "1. update repository policy" in plan.stdout and not by_product(_calls(ring, bout))
    )
    report.check("a plan says what differs and writes nothing", is_plan, f"exit {plan.returncode}: {plan.stderr}")
    screen.progress("  $ ecr-warden reconcile")
    reconciled = alice.run("reconcile")
    # The last line is folded: the target with its result, and the run.
    for line in reconciled.stdout.splitlines()[-2:] or [reconciled.stderr]:
        screen.plain(f"             {line}")
    report.check("reconcile waits for the repair", reconciled.returncode == 0, f"exit {reconciled.returncode}")
    repair = bout.undone(UNSEEN, cause="caller")
    if repair is not None:
        report.check("the run names the verified caller", repair.who.endswith(":user/alice"), repair.who)
        screen.good(f"repaired   {UNSEEN.repair}, because alice asked for it")
    stage.events(on=True)


def _pause(ring: Ring, alice: Terminal, lasts: timedelta) -> None:
    stage, report, screen = ring.stage, ring.report, ring.report.screen
    until_ = datetime.now(UTC) + lasts
    argv = ("pause", REPOSITORY, "--until", f"{until_:%Y-%m-%dT%H:%M:%SZ}", "--reason", _REASON)
    screen.progress(f"  $ ecr-warden {' '.join(argv[:4])} --reason '{_REASON}'")
    paused = alice.run(*argv)
    report.check("the pause is accepted", paused.returncode == 0, paused.stdout + paused.stderr)
    somebody = _SEEN.side.somebody(stage.people)
    bout = Bout(ring, f"{somebody.words} {_SEEN.what}", somebody, ring.right)
    bout.strike(_SEEN)
    ring.quiet.wait(bout.mark)
    runs = [run for run in journal.runs(stage.aws, stage.hub["Table"], since=bout.began) if run.cause == "event"]
    stands = bool(truth.difference(truth.read(stage.aws), ring.right)) and not by_product(_calls(ring, bout))
    seen = [run for run in runs if run.target == REPOSITORY_TARGET and run.result == "reported"]
    is_on = datetime.now(UTC) < until_
    shown = f"runs: {[f'{run.id} {run.result}' for run in runs]}; still paused: {is_on}"
    report.check("while paused, the tamper is reported and not repaired", stands and bool(seen), shown)
    with suppress(NeverCame):  # reported below
        until(lambda: _are_both_reported(stage), what="the messages about the pause and the tamper")
    texts = [message.text for message in stage.chat.telling_of(_REASON)]
    report.check("the pause and the tamper are reported", _are_both_reported(stage), f"{texts}")
    screen.untouched("the tamper stays while the pause lasts; both are reported")
    until(lambda: time.time() > until_.timestamp() + 1, lasts.total_seconds() + 5, "the end of the pause")
    screen.progress("  the pause has ended; the schedule ticks")
    stage.begin_sweep()
    until(lambda: truth.same(truth.read(stage.aws), ring.right), what=f"the repair of {REPOSITORY} after the pause")
    # The clock of the repairs sees that the pause has ended; it waits for no sweep.
    if bout.undone(_SEEN, cause="pause") is not None:
        screen.good(f"repaired   {_SEEN.repair}, at the first tick after the pause")


def _are_both_reported(stage: Stage) -> bool:
    texts = [message.text for message in stage.chat.telling_of(_REASON)]
    return any("not repaired until" in text for text in texts) and any("nothing: paused by" in text for text in texts)


def _calls(ring: Ring, bout: Bout) -> tuple[Call, ...]:
    return ring.stage.aws.calls(bout.mark)
