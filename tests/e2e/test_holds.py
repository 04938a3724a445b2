"""A version of the spec that waits for a person, at the deployed product."""

import json
from contextlib import suppress
from typing import Any

import pytest
from botocore.credentials import Credentials

from ecr_warden.hub.aws_callers import make_proof
from ecr_warden.hub.request import request_to_text
from ecr_warden.state.commands import Accept
from local.demo.operator import OPERATOR, Terminal, terminal_of
from local.demo.places import CI, REGION, REGISTRY
from local.testing.accepting import versions_held
from local.testing.waiting import until
from tests.e2e.house import SEED, House

# As the first version of a spec may have been: accounts, and nobody who may do anything.
OLDER = SEED[: SEED.index("teams:")] + "settings: {mode: enforce}\n"
TOLERANT = SEED.replace(
    "settings:",
    "  - {name: shop/test, account: registry, push: [{role: tester, by: [\n"
    "      {github: evil/x, owner_id: 666, repository_id: 777, branch: main}]}]}\nsettings:",
)
NEW = "shop/new"
EVERYDAY = {
    "an own user joins a team": SEED.replace("ci:user/pull-user-2]", "ci:user/pull-user-2, ci:user/push-user]"),
    "a leaver vanishes": SEED.replace(", ci:user/pull-user-2]", "]"),
    "a new repository": SEED.replace(
        "repositories:\n", f"repositories:\n  - {{name: {NEW}, account: registry, pull: [deployers]}}\n"
    ),
}
CONTROL = f"arn:aws:lambda:{REGION}:{CI}:function:ecr-warden-control"


@pytest.fixture(scope="session")
def olga(deployed: House) -> Terminal:
    """An operator."""
    return terminal_of(deployed.stage, "olga", OPERATOR)


def signed(person: Terminal, hold: str) -> tuple[dict[str, Any], str]:
    """An acceptance as the command sends it, but for its text, which follows."""
    text = request_to_text(Accept(f"signed-{hold}", hold))
    keys = Credentials(person.person.keys.key, person.person.keys.secret)
    return dict(make_proof(keys, region=REGION, hub=CONTROL, request=text)), text


def send(person: Terminal, event: dict[str, Any]) -> Any:
    answer = person.person.client("lambda").invoke(FunctionName="ecr-warden-control", Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer
    return json.loads(answer["Payload"].read())


WAITS = "waits for you: a new version of the spec"


@pytest.mark.journey
def test_an_older_version_waits_while_the_accepted_one_repairs_and_is_enforced_once_a_person_accepts_it(
    house: House, olga: Terminal
) -> None:
    enforced, moment = house.accepted(), house.now()
    tolerant = house.put(TOLERANT)
    house.hears(moment, WAITS)
    [hold] = json.loads(olga.run("held", "--json").stdout)["holds"]
    assert (hold["ground"]["version"], {one["code"] for one in hold["why"]}) == (tolerant, {"outside-gains"})

    older = house.put(OLDER)
    house.hears(moment, "it names no repository, role or user any more")
    house.quiet.wait(moment.mark)
    assert (house.accepted(), house.product_writes(moment), house.is_right()) == (enforced, [], True)
    house.tamper()
    assert house.is_right()
    assert len(house.product_writes(moment)) == 1, "the accepted version repairs meanwhile"

    [hold] = json.loads(olga.run("held", "--json").stdout)["holds"]
    ground = hold["ground"]
    assert (ground["version"], ground["accepted"], len(ground["digests"])) == (older, enforced, 3)
    assert [line for line in hold["loses"] if "pull-user-1" in line]
    proof, text = signed(olga, hold["id"])
    for forged in (
        {"request": text.replace("signed-", "forged-"), "proof": proof},
        {"request": text[:-1] + ',"by":"dave"}', "proof": proof},
        {"request": text, "caller": f"arn:aws:iam::{CI}:user/dave"},
    ):
        assert send(olga, forged)["error"]["code"] == "caller-unproved"
    assert house.accepted() == enforced

    decided = olga.run("accept", hold["id"], "--yes")
    assert decided.returncode == 0, decided.stdout + decided.stderr
    assert "accepted by olga" in decided.stdout
    until(lambda: house.accepted() == older, what="the older version in force")
    house.quiet.wait(moment.mark)
    assert not house.is_right()
    house.hears(moment, "Accepted by: ci:user/olga")
    again = olga.run("accept", hold["id"], "--yes")
    assert (again.returncode, "was accepted by olga" in again.stderr) == (1, True), again.stderr


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.journey] if "leaver" in name else []) for name in EVERYDAY]
)
def test_an_everyday_change_takes_effect_by_itself(house: House, name: str) -> None:
    aws, moment = house.stage.aws, house.now()
    ecr = aws.client(REGISTRY, "ecr")
    with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName=NEW)
    assert EVERYDAY[name] != SEED
    version = house.put(EVERYDAY[name])
    until(lambda: house.accepted() == version, what="the version in force")
    house.quiet.wait(moment.mark)
    assert versions_held(aws, CI, REGION) == {}
    assert house.product_writes(moment) != []
