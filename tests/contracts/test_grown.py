"""Grown accounts, created through boto3 and read as the command reads accounts, are imported as their snapshot is."""

from collections import Counter
from copy import replace
from typing import Any

import pytest

from ecr_warden.collect.aws_estate import AwsEstateReader
from ecr_warden.core.codec.accounts import joined
from ecr_warden_cli.importing.importing import Imported
from iam_access.equivalent.canonical import canonical
from local.testing.grown import CI, HOME, OTHER, REGISTRY, RUN, Grown, grown
from tests.contracts.aws import moto
from tests.contracts.worlds import RealisticWorld
from tests.unit.importing.imports import Json, imported


def _read(world: RealisticWorld) -> Json:
    reader = AwsEstateReader(world.accounts)
    pieces: dict[str, Any] = {}
    for account in (CI, REGISTRY, RUN):
        pieces[account] = reader.identities(account, {}).entry
        for region in (HOME, OTHER):
            pieces[f"{account}/{region}"] = reader.registry(account, region, {}).entry
    return {"schema": 1, "accounts": joined(pieces)}


def _created(made: Grown) -> Json:
    world = RealisticWorld()
    made.seed(lambda account, service, region: world.iam(account) if service == "iam" else world.ecr(account, region))
    return _read(world)


def _repositories(made: Imported) -> list[object]:
    """The entries; an embedded AWS orders the keys of the statements that stay word for word."""
    return [(replace(one, beside=None), one.beside and canonical(one.beside)) for one in made.loaded.spec.repositories]


@pytest.mark.thorough
def test_what_is_seeded_is_imported_as_the_snapshot_is(monkeypatch: pytest.MonkeyPatch) -> None:
    made = grown(40, 5)
    with moto(monkeypatch):
        read = imported(_created(made))
    expected = imported(made.snapshot())
    assert Counter(one.effect for one in read.outcomes) == Counter(one.effect for one in expected.outcomes)
    assert _repositories(read) == _repositories(expected)
    assert [one.addresses for one in read.loaded.spec.literals] == [
        one.addresses for one in expected.loaded.spec.literals
    ]
    assert read.left_out == expected.left_out
    kinds, others = (
        {key: [note.kind for note in notes] for key, notes in one.notes.items()} for one in (read, expected)
    )
    assert kinds == others
