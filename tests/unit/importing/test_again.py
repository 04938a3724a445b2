"""A spec that is enforced and imported again is the same spec."""

from pathlib import Path
from typing import Any

import pytest

from ecr_warden.access_spec import Valid, load_spec
from ecr_warden_cli.importing.effects import ImportEffect
from tests.tables import load
from tests.unit.importing.imports import EVERYBODY, NOW, Json, enforced, imported

TABLE: dict[str, Any] = load((Path(__file__).parents[2] / "cases/imported_again.yaml").read_text())
SPECS = {name: TABLE["head"] + spec for name, spec in TABLE["specs"].items()}


def _snapshot() -> Json:
    people = {"111111111111": ("user/bot", "user/builder", "role/k8s/node"), "222222222222": ("role/node",)}
    accounts: Json = {account: {"iam": {}} for account in people}
    for account, resources in people.items():
        for kind in ("User", "Role"):
            entries = [
                {"Arn": f"arn:aws:iam::{account}:{one}", f"{kind}Id": ""}
                for one in resources
                if one.startswith(kind.lower())
            ]
            accounts[account]["iam"][f"{kind}DetailList"] = entries
    accounts["222222222222"]["ecr"] = {
        region: {"repositories": [{"repositoryName": name, "policy": None} for name in ("shop/app", "shop/web")]}
        for region in ("eu-central-1", "us-east-1")
    }
    return {"schema": 1, "accounts": accounts}


def _pushers(loaded: Valid) -> set[Any]:
    """Who pushes where, and under which limits; an ID and a name of GitHub's are a pair."""
    return {
        (target, push.role, push.limits, pusher)
        for repository in loaded.spec.repositories
        for target in repository.targets
        for push in repository.push
        for pusher in push.by
    }


def _documents(loaded: Valid) -> dict[str, Any]:
    return {key: (spec.documents, spec.extent) for key, spec in loaded.compiled.targets.items()}


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_that_is_in_force_is_imported_as_it_is(name: str) -> None:
    loaded = load_spec(SPECS[name].encode(), now=NOW)
    assert isinstance(loaded, Valid)
    again = imported(enforced(_snapshot(), loaded.compiled), ours=EVERYBODY)
    assert {one.effect for one in again.outcomes} == {ImportEffect.EQUAL}
    assert _documents(again.loaded).items() >= _documents(loaded).items()
    assert _pushers(again.loaded) == _pushers(loaded)
    beyond = _documents(again.loaded).keys() - _documents(loaded).keys()
    assert all(key.startswith("repository/") for key in beyond)
    assert not again.left_out


def test_a_policy_that_does_not_say_which_repository_has_which_id_has_a_comment() -> None:
    doubtful = "doubtful: the trust policy of shop does not say which"
    for name, spec in SPECS.items():
        loaded = load_spec(spec.encode(), now=NOW)
        assert isinstance(loaded, Valid)
        assert (doubtful in imported(enforced(_snapshot(), loaded.compiled), ours=EVERYBODY).text) is ("room" in name)
