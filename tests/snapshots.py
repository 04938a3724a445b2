"""Snapshots as estates, for tests and benchmarks; the command looks at the JSON in between."""

from datetime import datetime

from ecr_warden.core.estate import Estate
from ecr_warden_cli.asking.snapshot import estate_of, load_snapshot


def estate_from_text(text: str | bytes, *, at: datetime) -> Estate:
    """Read the text of a snapshot; see `estate_of`."""
    return estate_of(load_snapshot(text), at=at)
