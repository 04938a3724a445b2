"""What is kept of pushes, in memory and on moto."""

import json
from copy import replace
from datetime import UTC, datetime

import pytest

from ecr_warden.core.failures import TargetNotFound
from ecr_warden.core.job import Actor
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.images.aws_images import images_in
from ecr_warden.images.push import FIRST, Day, ImageEvent, Right
from tests.contracts.aws import moto
from tests.contracts.hubs import Hub
from tests.contracts.worlds import RealisticWorld

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
HERE, THERE = (RepositoryTarget("111111111111", "us-east-1", name) for name in ("shop/a", "shop/b"))
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


def test_the_images_that_are_there_are_listed_whatever_their_status(monkeypatch: pytest.MonkeyPatch) -> None:
    with moto(monkeypatch):
        world = RealisticWorld()
        world.make(HERE)
        world.make(THERE)
        ecr = world.ecr(HERE.account, HERE.region)
        config = {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 1,
            "digest": f"sha256:{0:064x}",
        }
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
        pushed = [
            ecr.put_image(repositoryName=HERE.name, imageManifest=json.dumps(manifest | {"n": number}))
            for number in range(2)
        ]
        digests = [answer["image"]["imageId"]["imageDigest"] for answer in pushed]
        assert images_in(world.accounts, HERE) == dict.fromkeys(digests, "ACTIVE")
        assert images_in(world.accounts, THERE) == {}
        with pytest.raises(TargetNotFound):
            images_in(world.accounts, replace(HERE, name="none"))
    [filtered, *_] = [call.parameters["filter"] for call in world.wire.calls if call.operation == "DescribeImages"]
    assert filtered == {"imageStatus": "ANY"}
