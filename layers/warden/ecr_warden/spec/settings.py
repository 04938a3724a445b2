"""`settings:`: how ecr-warden behaves, and what waits for a person."""

from ecr_warden.model.desired import EndSessions, HoldLimits, Mode, Widening
from ecr_warden.spec.check_shape import Fields
from ecr_warden.spec.parse import Scalar
from ecr_warden.spec.problems import Code, Report
from ecr_warden.spec.spec import MAX_LIMIT, Settings


def build_settings(settings: Fields, report: Report) -> Settings:
    """The settings, with defaults for those that are not given."""
    mode, ended = settings.text("mode"), settings.text("end_sessions")
    return Settings(
        Mode.OBSERVE if mode is None else Mode(mode.text),
        settings.flag("exact"),
        EndSessions.SINCE_IN_SYNC if ended is None else EndSessions(ended.text),
        _limits(settings, report),
    )


def _limits(settings: Fields, report: Report) -> HoldLimits:
    widening = settings.text("widening")
    return HoldLimits(
        Widening.HOLD if widening is None else Widening(widening.text),
        _limit(settings.text("max_removed"), report),
    )


def _limit(text: Scalar | None, report: Report) -> int | None:
    if text is None:
        return None
    if int(text.text) <= MAX_LIMIT:
        return int(text.text)
    report.add(Code.LIMIT, text.place, f"a limit of {text.text}")
    return None
