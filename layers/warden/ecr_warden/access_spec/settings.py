"""`settings:`: how ecr-warden behaves, and what waits for a person."""

from ecr_warden.access_spec.check_shape import Fields
from ecr_warden.access_spec.spec import Settings
from ecr_warden.core.desired import EndSessions, HoldLimits, Mode, Widening


def build_settings(settings: Fields) -> Settings:
    """The settings, with defaults for those that are not given."""
    mode, ended = settings.text("mode"), settings.text("end_sessions")
    widening, most = settings.text("widening"), settings.text("max_removed")
    return Settings(
        Mode.OBSERVE if mode is None else Mode(mode.text),
        EndSessions.SINCE_IN_SYNC if ended is None else EndSessions(ended.text),
        HoldLimits(
            Widening.HOLD if widening is None else Widening(widening.text),
            None if most is None else int(most.text),
        ),
    )
