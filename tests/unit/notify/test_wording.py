"""Callers as CloudTrail names them are all described; the words are in golden/words.txt."""

import json
from pathlib import Path

from ecr_warden.events.record import actor_of
from ecr_warden.notify.wording import describe_actor


def test_every_identity_of_the_cases_is_described() -> None:
    path = Path(__file__).parents[2] / "cases/triggers/identities.json"
    for case in json.loads(path.read_text()):
        assert describe_actor(actor_of(case["record"])).strip()
