"""The step in which somebody asks and commands: a plan, an apply, a pause that a tamper outlives, and its end."""

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

_PAUSE = timedelta(seconds=8)
_REASON = "migration, ticket 4711"
_SEEN = Tamper(
    UNSEEN.side,
    f"opens {REPOSITORY} to everybody while it is paused",
    UNSEEN.repair,
    UNSEEN.target,
    UNSEEN.actions,
    UNSEEN.do,
)


def ask(ring: Ring) -> None:
    """Alice plans and applies what no event told of, then pauses what is tampered with until the pause ends."""
    alice = terminal_of(ring.stage, "alice", OPERATOR)
    _apply(ring, alice)
    _pause(ring, alice)


def _apply(ring: Ring, alice: Terminal) -> None:
    stage, report, screen = ring.stage, ring.report, ring.report.screen
    stage.events(on=False)
    somebody = UNSEEN.side.somebody(stage.people)
    bout = Bout(ring, f"{somebody.words} {UNSEEN.what}, and alice applies", somebody, ring.right)
    bout.strike(UNSEEN)
    screen.progress("  $ ecr-warden apply --dry-run")
    plan = alice.run("apply", "--dry-run")
    for line in plan.stdout.splitlines():
        screen.plain(f"             {line}")
    told = plan.returncode == 2 and "1. update repository policy" in plan.stdout and not by_product(_calls(ring, bout))
    report.check("a plan says what differs and writes nothing", told, f"exit {plan.returncode}: {plan.stderr}")
    screen.progress("  $ ecr-warden apply")
    applied = alice.run("apply")
    screen.plain(f"             {applied.stdout.splitlines()[-1] if applied.stdout else applied.stderr}")
    report.check("apply waits until it is right", applied.returncode == 0, f"exit {applied.returncode}")
    repair = bout.undone(UNSEEN, cause="caller")
    if repair is not None:
        report.check("the run bears the name that was proved", repair.who.endswith(":user/alice"), repair.who)
        screen.good(f"repaired   {UNSEEN.repair}, because alice asked")
    stage.events(on=True)


def _pause(ring: Ring, alice: Terminal) -> None:
    stage, report, screen = ring.stage, ring.report, ring.report.screen
    until_ = datetime.now(UTC) + _PAUSE
    argv = ("pause", REPOSITORY, "--until", f"{until_:%Y-%m-%dT%H:%M:%SZ}", "--reason", _REASON)
    screen.progress(f"  $ ecr-warden {' '.join(argv[:4])} --reason '{_REASON}'")
    paused = alice.run(*argv)
    report.check("a pause is taken", paused.returncode == 0, paused.stdout + paused.stderr)
    somebody = _SEEN.side.somebody(stage.people)
    bout = Bout(ring, f"{somebody.words} {_SEEN.what}", somebody, ring.right)
    bout.strike(_SEEN)
    ring.quiet.wait(bout.mark)
    runs = [run for run in journal.runs(stage.aws, stage.hub["Table"], since=bout.began) if run.cause == "event"]
    stands = bool(truth.difference(truth.read(stage.aws), ring.right)) and not by_product(_calls(ring, bout))
    seen = [run for run in runs if run.target == REPOSITORY_TARGET and run.result == "reported"]
    is_on = datetime.now(UTC) < until_
    shown = f"runs: {[f'{run.id} {run.result}' for run in runs]}; still paused: {is_on}"
    report.check("the tamper outlives the pause: it is seen, and nothing is written", stands and bool(seen), shown)
    with suppress(NeverCame):  # what is missing is said below
        until(lambda: _are_both_told(stage), what="the word of the pause and of what it leaves")
    told = len(stage.chat.telling_of(_REASON))
    report.check("people are told of the pause and of what it leaves", _are_both_told(stage), f"{told} messages")
    screen.untouched("the tamper stands while the pause lasts; people were told of both")
    until(lambda: time.time() > until_.timestamp() + 1, _PAUSE.total_seconds() + 5, "the end of the pause")
    screen.progress("  the pause has ended; the schedule is on")
    stage.schedule(on=True)
    stage.sweep_now()
    until(lambda: truth.same(truth.read(stage.aws), ring.right), what=f"the sweep's repair of {REPOSITORY}")
    if bout.undone(_SEEN, cause="sweep") is not None:
        screen.good(f"repaired   {_SEEN.repair}, by the first sweep after the pause")
    stage.schedule(on=False)


def _are_both_told(stage: Stage) -> bool:
    told = [message.text for message in stage.chat.telling_of(_REASON)]
    return any("paused by alice" in text for text in told) and any("NOT repaired" in text for text in told)


def _calls(ring: Ring, bout: Bout) -> tuple[Call, ...]:
    return ring.stage.aws.calls(bout.mark)
