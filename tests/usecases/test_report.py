"""The report of the day: made beside an audit, once a day, and never in its way."""

from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.audit.audit import REPORT_AGAIN, REPORT_EVERY
from ecr_warden.audit.finding import ReportNote
from ecr_warden.audit.report.report import Origin, Report
from ecr_warden.core.failures import Throttled
from ecr_warden.core.pause import Pause
from ecr_warden.hub.queries import NoReport
from ecr_warden.hub.reply import ReportReply, StatusReply
from ecr_warden.hub.request import AskReport, AskStatus
from ecr_warden.state.hold import HOLD_LASTS, Decision, Hold, Verdict
from ecr_warden.state.specs import SpecVersion
from iam_access.who_can.graph import Unfinished
from local.testing.holds import ground, reasons
from local.testing.seed import CHECKOUT, CI, D1, HOME, SPEC_FILE
from tests.usecases.hub import ask
from tests.usecases.test_audit import REGISTRY, Estates
from tests.usecases.world import MALLORY, OPEN, Crash, expect, present

MINUTE = timedelta(minutes=1)


def audited() -> Estates:
    """An estate whose first audit has been made, and with it the first report."""
    estates = Estates()
    estates.world.specs.file = SpecVersion(estates.world.accepted.version, SPEC_FILE.read_bytes())
    estates.audit()
    return estates


def report_of(estates: Estates) -> Report:
    return present(estates.world.report_store.kept)


def note_of(estates: Estates) -> ReportNote:
    record = present(estates.world.audits.kept)
    return record.report


def test_a_report_says_who_can_pull_what_was_read_when_and_what_happened() -> None:
    estates = audited()
    report = report_of(estates)
    assert (report.origin, report.version) == (Origin.HUB, estates.world.accepted.version)
    assert [row.target for row in report.matrix.rows] == [str(CHECKOUT)]
    assert {(one.part, one.alias) for one in report.parts} == {(CI, "ci"), (HOME, "registry"), (REGISTRY, "")}
    assert all(one.read_at is not None and one.swept_at is not None for one in report.parts)
    assert report.history is not None
    assert len(report.history.days) == 30
    assert report.unread == ()


def test_the_first_report_waits_for_a_sweep_because_what_a_verdict_reads_is_older_than_the_roll_out() -> None:
    estates = Estates()
    swept = dict(estates.world.sweep_records.noted)
    estates.world.sweep_records.noted.clear()
    estates.audit()
    assert estates.world.report_store.kept is None
    assert note_of(estates) == ReportNote()
    estates.world.sweep_records.noted |= swept
    estates.audit()
    assert report_of(estates).made_at == estates.world.clock.now()


def test_runs_and_pauses_are_in_it() -> None:
    estates = Estates()
    world = estates.world
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    pause = Pause("c-1", MALLORY, "migration", world.clock.now(), world.clock.now() + timedelta(hours=1))
    world.state.pause(CHECKOUT, pause)
    estates.audit()
    report = report_of(estates)
    assert report.history is not None
    assert [one.who for one in report.history.incidents] == ["mallory"]
    assert report.history.days[-1].repaired == 1
    assert [(one.target, one.pause.reason) for one in report.paused] == [(str(CHECKOUT), "migration")]


def test_what_waits_for_a_person_is_in_it_until_somebody_decides() -> None:
    estates = audited()
    world = estates.world
    now = world.clock.now()
    hold = Hold(ground("v8", "v7"), "version v8", reasons("it opens all"), now, now + HOLD_LASTS, ("a",) * 12)
    other = replace(hold, ground=ground("v9", "v7"))
    world.holds.open(hold)
    world.holds.open(other)
    world.holds.decide(other, Decision("c-1", Verdict.REJECT, MALLORY, now))
    world.clock.advance(REPORT_EVERY)
    estates.audit()
    (waiting,) = report_of(estates).waiting
    assert (waiting.id, waiting.what, waiting.why) == (hold.id, "version v8", ("it opens all",))
    assert (len(waiting.gains), waiting.gains[-1]) == (10, "and 3 more")


def test_it_is_made_once_a_day() -> None:
    estates = audited()
    first = report_of(estates)
    for _ in range(4):
        estates.world.clock.advance(REPORT_EVERY / 4 - MINUTE)
        estates.audit()
        assert report_of(estates) is first
    estates.world.clock.advance(4 * MINUTE)
    estates.audit()
    assert report_of(estates).made_at == first.made_at + REPORT_EVERY
    assert note_of(estates) == ReportNote(report_of(estates).made_at, report_of(estates).made_at)


FAILURES = {
    "there was no time": (Unfinished("there was not enough time"), "there was not enough time"),
    "it cannot be kept": (Throttled("S3 throttles", retryable=True), "S3 throttles"),
    "it crashes": (RuntimeError("secret"), "ecr-warden failed (RuntimeError in tests/usecases/test_report.py"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_report_leaves_the_audit_and_is_said(name: str) -> None:
    error, why = FAILURES[name]
    estates = Estates()

    def make(*_: object) -> Report:
        raise error

    assert "stand" in estates.audit(make=make)
    assert estates.world.report_store.kept is None
    note = note_of(estates)
    assert note.made_at is None
    assert note.tried_at == estates.world.clock.now()
    assert note.failure.startswith(why.partition("(")[0])
    assert "secret" not in note.failure
    status = expect(StatusReply, ask(estates.world, AskStatus()))
    (trouble,) = (one for one in status.troubles if one.code == "report-failed")
    assert trouble.message.endswith("there is none")


def test_a_failed_report_is_tried_again_after_an_hour_and_said_no_more_once_it_is_made() -> None:
    estates = Estates()
    estates.world.report_store.error = Throttled("S3 throttles", retryable=True)
    estates.audit()
    estates.world.report_store.error = None
    estates.world.clock.advance(REPORT_AGAIN - MINUTE)
    estates.audit()
    assert estates.world.report_store.kept is None
    estates.world.clock.advance(MINUTE)
    estates.audit()
    assert report_of(estates).made_at == estates.world.clock.now()
    assert note_of(estates).failure == ""


def test_a_report_that_kills_its_process_is_not_tried_with_every_audit() -> None:
    estates = Estates()

    def make(*_: object) -> Report:
        raise Crash

    with pytest.raises(Crash):
        estates.audit(make=make)
    assert note_of(estates).failure == "it was begun, and did not end"
    estates.world.clock.advance(MINUTE)
    estates.audit(make=make)
    assert estates.world.report_store.kept is None


def test_a_spec_whose_text_is_gone_is_said_to_lack_teams_and_ends() -> None:
    estates = Estates()
    estates.audit()
    report = report_of(estates)
    assert any("teams and the ends" in one for one in report.unread)
    assert report.matrix.rows


def test_a_broken_piece_of_the_estate_is_said() -> None:
    estates = audited()
    estates.put(HOME, {"iam": {"UserDetailList": "nonsense"}})
    estates.world.clock.advance(REPORT_EVERY)
    estates.audit()
    assert any(line.startswith(f"{HOME}: what was kept of it") for line in report_of(estates).unread)


def test_the_hub_answers_with_the_last_report() -> None:
    estates = Estates()
    with pytest.raises(NoReport, match="no report yet"):
        ask(estates.world, AskReport())
    estates.audit()
    assert isinstance(ask(estates.world, AskReport()), ReportReply)
