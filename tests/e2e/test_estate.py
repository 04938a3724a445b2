"""What an event reports besides targets is in the stored estate within the same run, and no target is written."""

from typing import Any

from ecr_warden.core.codec.compressed import decompress
from local.demo.places import ADMINISTRATOR, CI, REGION, REGISTRY, REPOSITORY
from local.testing.waiting import until
from tests.e2e.house import House

PART = f"{REGISTRY}/{REGION}"


def piece(house: House, part: str) -> Any:
    """A kept piece, as its object in the state bucket has it."""
    s3 = house.stage.aws.client(CI, "s3", REGION)
    body = s3.get_object(Bucket=house.stage.hub["StateBucket"], Key=f"estate/{part}.json.gz")["Body"].read()
    return decompress(body)["entry"]


def named(entries: list[Any], key: str, name: str) -> Any:
    return next((one for one in entries if one[key] == name), {})


def test_what_an_event_reports_is_in_the_kept_estate_with_the_policies_of_aws_that_it_names(house: House) -> None:
    since, iam = house.now(), house.stage.people.ci_admin.client("iam")

    def attached() -> list[str]:
        entry = piece(house, CI)
        assert "unread" not in entry, "what was not read says that AWS's text of the policy is missing"
        found = named(entry["iam"]["UserDetailList"], "UserName", "helper")
        return [one["PolicyArn"] for one in found.get("AttachedManagedPolicies", [])]

    iam.create_user(UserName="helper")
    iam.attach_user_policy(UserName="helper", PolicyArn=ADMINISTRATOR)
    try:
        until(lambda: attached() == [ADMINISTRATOR], what="the new piece")
        house.quiet.wait(since.mark)
        assert house.product_writes(since) == []
        assert house.is_right()
    finally:
        iam.detach_user_policy(UserName="helper", PolicyArn=ADMINISTRATOR)
        iam.delete_user(UserName="helper")
        until(lambda: not attached(), what="the piece without it")
        house.quiet.wait(since.mark)


def test_a_sweep_keeps_every_part_with_nothing_unread(house: House) -> None:
    for part in (CI, REGISTRY, PART):
        assert "unread" not in piece(house, part)
    names = [one["repositoryName"] for one in piece(house, PART)["repositories"]]
    assert REPOSITORY in names
