"""The baseline: the last version of the spec that a person accepted, by which the hub knows who is ours."""

from ecr_warden.core.desired import CompiledSpec
from ecr_warden.state.specs import Specs


def baseline_of(specs: Specs) -> CompiledSpec | None:
    """The baseline, compiled again from its text if another ecr-warden compiled it; None before the first.

    Raises BaselineLost, or another PortError.
    """
    kept_baseline = specs.baseline()
    if kept_baseline is None or kept_baseline.compiled is not None:
        return None if kept_baseline is None else kept_baseline.compiled
    from ecr_warden.access_spec import Valid, load_spec  # noqa: PLC0415 - once, after an upgrade

    loaded = load_spec(kept_baseline.text, version=kept_baseline.version, accepted=True)
    return loaded.compiled if isinstance(loaded, Valid) else None
