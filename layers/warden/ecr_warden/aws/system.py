"""The machine's clock, and run IDs."""

import secrets
from datetime import UTC, datetime


class SystemClock:
    """The time in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def new_run_id() -> str:
    """A run ID: letters and digits, sortable by time, fits a session name: `20261124T145000Z1f2e3d4c5b6a`."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}{secrets.token_hex(6)}"
