"""The one rule for what waits, in the rows that define it."""

from datetime import UTC, datetime

from ecr_warden.model.judgement import Code, Judgement
from ecr_warden.versions.judge import Versions, judge, needs

from tests.unit.versions.test_digest import SPEC, compiled

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_version_that_only_observes_needs_no_verdict() -> None:
    observing = compiled(SPEC.split("also_allowed")[0] + "settings: {mode: observe}")
    versions = Versions(None, None, observing)
    assert not needs(versions).verdict
    assert judge(versions, None, removed_before=0, now=NOW) == Judgement()


def test_a_version_that_names_nothing_any_more_waits() -> None:
    accepted = compiled(SPEC)
    empty = compiled(SPEC[: SPEC.index("repositories:")] + "settings: {mode: enforce}")
    found = judge(Versions(accepted, accepted, empty), None, removed_before=0, now=NOW)
    assert Code.EMPTIES in [one.code for one in found.held]
