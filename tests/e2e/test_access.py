"""Access that no document of the spec gives: found by the deployed functions, reported, and never touched."""

import json
from pathlib import Path

import pytest

from local.demo import shadow
from local.demo.edits import allow, policy
from local.demo.operator import READER, terminal_of
from local.demo.places import OUTSIDE, REGION, REGISTRY, REPOSITORY, REPOSITORY_TARGET
from tests.cli.command import unfolded
from tests.e2e.house import SEED, House


@pytest.mark.journey
def test_a_new_role_that_lets_in_an_outsider_is_found_and_not_touched_while_every_document_is_right(
    house: House,
) -> None:
    since, mallory = house.now(), house.stage.people.registry_admin
    reader = terminal_of(house.stage, "trudy", READER)
    before = reader.run("check")
    assert before.returncode == 0, before.stdout
    shadow.make(mallory)
    try:
        house.hears(since, shadow.FOUND)
        house.quiet.wait(since.mark)
        [message] = house.messages(since, shadow.FOUND)[:1]
        assert f"through registry:role/{shadow.SHADOW}" in message.text
        assert "remedy: " in message.text
        assert house.is_right()
        assert house.product_writes(since) == []
        status = reader.run("status")
        assert status.returncode == 2
        assert f"anybody in account {OUTSIDE} can" in unfolded(status.stdout).splitlines()[0]
        verified = reader.run("check")
        assert verified.returncode == 2, verified.stdout
        assert f"differs     {REPOSITORY_TARGET}: anybody in account {OUTSIDE} can" in unfolded(verified.stdout)
    finally:
        shadow.remove(mallory)
    house.hears(since, f"no longer: {shadow.FOUND}")
    house.quiet.wait(since.mark)
    assert reader.run("check").returncode == 0
    # That it has ended may stand in one message with what an earlier test opened, which is collected for 20 s.
    lines = [line for message in house.messages(since, shadow.FOUND) for line in message.text.splitlines()]
    assert len([line for line in lines if line.startswith(shadow.FOUND)]) == 1
    _find_one_that_is_named_like_ours(house)


def _find_one_that_is_named_like_ours(house: House) -> None:
    """Where nothing is repaired, the name of a policy hides nobody."""
    mallory, name = house.stage.people.registry_admin, "ecr-warden-x"
    house.upload(SEED.replace("regions: [eu-central-1]}", "regions: [eu-central-1], mode: observe}"))
    house.forget_repairs()
    since = house.now()
    shadow.make(mallory, name)
    try:
        house.hears(since, shadow.FOUND)
        assert house.product_writes(since) == []
    finally:
        shadow.remove(mallory, name)


def test_a_reader_makes_the_report_of_what_the_deployed_functions_know(house: House, tmp_path: Path) -> None:
    house.sweep()
    reader = terminal_of(house.stage, "rita", READER)
    page = tmp_path / "report.html"
    ran = reader.run("report", "--hub", "-o", str(page), "--json")
    assert ran.stderr == ""
    report = json.loads(ran.stdout)
    assert (report["origin"], report["failure"], report["unread"]) == ("hub", "", [])
    assert REPOSITORY_TARGET in {one["repository"] for one in report["repositories"]}
    assert {(one["access"], one["ground"]) for one in report["accesses"]} >= {("pull", "spec"), ("push", "spec")}
    assert "Made by the deployed hub" in page.read_text()


_ACME = SEED.replace("teams:", "organizations: {acme: {id: o-a1b2c3d4e5}}\nteams:", 1).replace(
    "pull: [deployers]", "pull: [deployers, {organization: acme}]", 1
)
_ANY_USER = "anyone on the internet with an AWS account can under conditions pull"


@pytest.mark.journey
def test_a_registry_policy_that_lets_in_any_iam_user_behind_an_organizations_grant_is_found(house: House) -> None:
    house.upload(_ACME)
    since, ecr = house.now(), house.stage.people.registry_admin.client("ecr")
    users = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}
    actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    repository = f"arn:aws:ecr:{REGION}:{REGISTRY}:repository/{REPOSITORY}"
    opening = allow(actions, Principal="*", Resource=repository, Condition=users)
    ecr.put_registry_policy(policyText=policy(opening))
    try:
        house.hears(since, _ANY_USER)
        house.quiet.wait(since.mark)
        [message] = house.messages(since, _ANY_USER)[:1]
        assert "because statement 1 of registry policy of 222222222222" in message.text
        assert house.product_writes(since) == []
    finally:
        ecr.delete_registry_policy()
    house.hears(since, f"no longer: {_ANY_USER}")
    house.quiet.wait(since.mark)
