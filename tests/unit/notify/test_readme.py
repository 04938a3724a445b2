"""The alert that README shows is the one that people get, as a chat shows it."""

from datetime import UTC, datetime
from pathlib import Path

from ecr_warden.core.desired import Mode
from ecr_warden.core.job import Actor, Cause, CauseKind
from ecr_warden.core.lasting import Opened
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied, RunReport
from ecr_warden.notify.formats import to_slack
from ecr_warden.notify.kinds import message_of
from ecr_warden.notify.message import spelled_message
from ecr_warden.repair.planner import Facts
from ecr_warden.repair.role_use import uses_of
from ecr_warden.repair.run_ended import run_ended
from local.demo.chat import Message, as_it_looks
from local.testing.seed import ACCEPTED, CI, D2, HOME, MORE_TRUST, PUSHER, plan_for, reading, spec_of

README = Path(__file__).parents[3] / "README.md"
MALLORY = Actor("IAMUser", f"arn:aws:iam::{HOME}:user/mallory", HOME, source_ip="198.51.100.7")
EVENT = "3f2a1c64-0d5e-4b8e-9f3e-1f2d7b0c5a11"
CALLED = "2026-11-24T19:48:56Z"
DONE = datetime(2026, 11, 24, 19, 49, 0, tzinfo=UTC)
SWEPT = datetime(2026, 11, 24, 19, 45, 0, tzinfo=UTC)


def test_the_alert_of_the_readme_is_what_people_get() -> None:
    spec = spec_of(PUSHER)
    seen = reading(spec, {D2: MORE_TRUST})
    plan = plan_for(spec, seen, Facts(DONE), looked=SWEPT)
    cause = Cause(CauseKind.EVENT, EVENT, "iam:UpdateAssumeRolePolicy", CALLED, actor=MALLORY)
    report = RunReport(
        run_id="20261124T194859Z3a4a8d44cffb",
        cause=cause,
        mode=Mode.ENFORCE,
        result=Result.CONVERGED,
        plan=plan,
        outcomes=tuple(map(Applied, plan.changes)),
        started_at=DONE,
        finished_at=DONE,
        accounts=(CI, HOME),
        uses=uses_of(spec, ACCEPTED),
        opened=Opened(cause, cause.time),
    )
    posted = to_slack(spelled_message(message_of([run_ended(report)]), {CI: "ci", HOME: "registry"}))
    blocks = posted["blocks"]
    assert isinstance(blocks, list)
    shown = "\n".join(as_it_looks(Message(str(posted["text"]), tuple(blocks))))
    assert f"```\n{shown}\n```\n" in README.read_text(), shown
