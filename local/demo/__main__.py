"""`python -m local.demo`: exits 0 if every check passed, else 1. KEEP=1 leaves the accounts running."""

import os
import sys

from local.demo.screen import Screen

_SCREEN = Screen()
_SCREEN.progress("ecr-warden demo: two AWS accounts on this machine, attacked and repaired")  # before boto3 is imported

from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402

from local.aws.deploy import DeploymentFailed  # noqa: E402
from local.aws.launcher import ControlRefused, EmulatorDied  # noqa: E402
from local.demo import alerts, asking, brakes, play, shadow, steps  # noqa: E402
from local.demo.attack import Ring  # noqa: E402
from local.demo.places import RESULT  # noqa: E402
from local.demo.pushing import Doors  # noqa: E402
from local.demo.quiet import Quiet  # noqa: E402
from local.demo.report import Report  # noqa: E402
from local.demo.stage import Stage, standing  # noqa: E402
from local.testing.waiting import NeverCame  # noqa: E402


def main() -> int:
    """Run the demo; returns the exit code."""
    RESULT.unlink(missing_ok=True)
    report = Report(_SCREEN)
    keeps = os.environ.get("KEEP", "") not in ("", "0")
    try:
        with standing(_SCREEN.progress) as stage:
            _run(stage, report)
            report.write(RESULT)
            _verdict(report)
            if keeps:
                play.keep(stage, _SCREEN)
    except (DeploymentFailed, EmulatorDied, ControlRefused, NeverCame, ClientError, BotoCoreError) as error:
        report.check("the demo runs to its end", False, f"{type(error).__name__}: {error}")
        report.write(RESULT)
        return 1
    except KeyboardInterrupt:
        _SCREEN.plain("\nstopped")
        return 130
    return 0 if report.fine else 1


def _run(stage: Stage, report: Report) -> None:
    ring = Ring(stage, Quiet.of(stage), report)
    _SCREEN.step("1  Two bare accounts, and a spec that says who may push and pull")
    first = steps.become_right(ring)
    ring.events_come_late()
    _SCREEN.step("2  Tampering; no sweep is due, so only CloudTrail's events report it")
    report.check("no sweep has begun", stage.sweeps() == 0, "jobs of sweeps, before")
    doors = Doors.of(stage)
    felt = steps.open_the_door(ring, doors)
    steps.reopen_sessions(ring, doors)
    stage.let_time_pass()
    steps.tamper(ring)
    stage.let_time_pass()
    _SCREEN.step("3  Rewrites that AWS treats as equivalent, each next to one that differs by one action")
    second = steps.rewrite(ring)
    report.check("no sweep has begun all the time", stage.sweeps() == 0, "jobs of sweeps, after")
    stage.let_time_pass()
    _SCREEN.step("4  Events get lost: the sweep finds what they did not report")
    steps.sweep(ring, _SCREEN.progress)
    stage.let_time_pass()
    _SCREEN.step("5  An operator plans, reconciles and pauses")
    alice = asking.ask(ring)
    stage.let_time_pass()
    _SCREEN.step("6  Every document is right, and somebody else gets in: an audit of access finds the way")
    shadow.find(ring)
    stage.let_time_pass()
    _SCREEN.step("7  The brakes: a version waits for a person, one is rolled back, a fight, a blinded watcher")
    brakes.show(ring, alice)
    if felt is not None:
        _SCREEN.step("The alert about the first attack")
        alerts.show(ring, felt)
    _SCREEN.progress("waiting for the last alert: outcomes of one cause are collected for up to 20 s")
    alerts.judge(ring, (first, second))


def _verdict(report: Report) -> None:
    failed = [check for check in report.checks if not check.ok]
    text = f"{report.repaired} of {report.tampers} tampers repaired, {report.false_writes} false writes, "
    text += f"{report.alerts} alerts, {len(report.checks)} checks"
    if report.fine:
        _SCREEN.good(f"{text}: all passed (build/demo.json)")
    else:
        _SCREEN.bad(f"{text}, {len(failed)} FAILED (build/demo.json)")


if __name__ == "__main__":
    sys.exit(main())
