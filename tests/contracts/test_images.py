"""What is kept of pushes, in memory and on moto."""

from copy import replace
from datetime import UTC, datetime

from ecr_warden.core.job import Actor
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.images.note import FIRST
from ecr_warden.images.push import Day, ImageEvent, Right
from tests.contracts.hubs import Hub

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
HERE, THERE = (RepositoryTarget("111111111111", "us-east-1", name) for name in ("a", "b"))
GONE = ImageEvent("deleted", AT, "2", "sha256:1")
PUSHED = ImageEvent("pushed", AT, "1", "sha256:1", "v1", Actor("Root"), AT, Right.OUTSIDE, GONE)
DAY = Day((PUSHED,), left_out=3, revision=1)


def test_a_day_is_read_as_it_was_kept_and_is_no_other_repositorys(hub: Hub) -> None:
    records = hub.image_records
    assert records.days(HERE, FIRST) == {}
    assert records.keep(HERE, "2026-01-01", DAY)
    assert records.keep(HERE, "2025-12-31", Day(revision=1))
    assert records.days(HERE, FIRST) == {"2025-12-31": Day(revision=1), "2026-01-01": DAY}
    assert records.days(HERE, "2026-01-01") == {"2026-01-01": DAY}
    assert records.days(THERE, FIRST) == {}


def test_of_two_who_keep_the_same_day_one_has_to_look_again(hub: Hub) -> None:
    records = hub.image_records
    assert records.keep(HERE, "2026-01-01", DAY)
    assert not records.keep(HERE, "2026-01-01", Day(revision=1))
    assert records.keep(HERE, "2026-01-01", replace(DAY, revision=2))
