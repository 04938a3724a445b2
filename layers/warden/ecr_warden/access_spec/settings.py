"""`settings:`: how ecr-warden behaves, and what waits for a person."""

from ecr_warden.access_spec.check_shape import Fields
from ecr_warden.access_spec.spec import Settings
from ecr_warden.core.desired import HoldLimits, Mode, Widening


def build_settings(settings: Fields) -> Settings:
    """The settings, with defaults for those that are not given."""
    mode, widening, most = (settings.text(name) for name in ("mode", "widening", "max_removed"))
    return Settings(
        Mode.OBSERVE if mode is None else Mode(mode.text),
        HoldLimits(
            Widening.HOLD if widening is None else Widening(widening.text),
            None if most is None else int(most.text),
        ),
    )
