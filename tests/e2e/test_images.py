"""What nobody had a right to push is announced and listed, until somebody deletes it; and who works on it."""

import json

from local.demo.operator import OPERATOR, READER, terminal_of
from local.demo.places import REGION, REPOSITORY
from local.demo.pushing import upload
from tests.cli.command import unfolded
from tests.e2e.house import House

TAG = "not-ours"


def test_a_foreign_image_is_announced_and_listed_and_so_is_that_it_is_deleted(house: House) -> None:
    mallory, since = house.stage.people.registry_admin.client("ecr"), house.now()
    upload(mallory, TAG)
    house.hears(since, f"image {REPOSITORY}:{TAG} pushed without a right")
    iris = terminal_of(house.stage, "iris", READER)
    ran = iris.run("pushed", REPOSITORY, "--by", "mallory", "--hub-region", REGION)
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert f"{REPOSITORY}:{TAG} pushed without a right, there now" in unfolded(ran.stdout)
    olga, hub = terminal_of(house.stage, "olga", OPERATOR), ("--hub-region", REGION)
    [incident] = [
        one
        for one in json.loads(iris.run("incidents", "--open", "--json", *hub).stdout)["incidents"]
        if any(f"{REPOSITORY}:{TAG}" in fact["title"] for fact in one["facts"])
    ]
    refused = iris.run("ack", incident["id"], "--reason", "mine", *hub)
    assert (refused.returncode, "ecr-warden-operator" in refused.stderr) == (1, True)
    ran = olga.run("ack", incident["id"], "--reason", "deleting it", *hub)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "olga works on it since" in iris.run("incidents", incident["id"], *hub).stdout
    ran = olga.run("test-alert", *hub)
    assert (ran.returncode, "sent by every channel" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    mallory.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": TAG}])
    house.hears(since, f"image {REPOSITORY}:{TAG} pushed without a right, deleted since")
    ran = iris.run("pushed", REPOSITORY, "--by", "mallory", "--hub-region", REGION)
    assert f"{REPOSITORY}:{TAG} pushed without a right, not there now" in unfolded(ran.stdout)
