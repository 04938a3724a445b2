"""New versions of the file, at the deployed product."""

from local.demo.places import CI, REPOSITORY_TARGET, user_target
from local.testing.waiting import until
from tests.e2e.house import SEED, House

MEMBERS = "[ci:user/pull-user-1, ci:user/pull-user-2]"
LEAVER = "pull-user-2"


def test_a_spec_with_problems_is_refused_and_all_are_reported_while_the_accepted_one_stays(house: House) -> None:
    enforced, moment = house.accepted(), house.now()
    refused = house.put(
        SEED.replace("pull: [deployers]", "pull: [deployrs]").replace("mode: enforce", "mode: enforced")
    )
    until(lambda: house.messages(moment, f"Version: {refused}"), what="the refusal")
    [message] = house.messages(moment, f"Version: {refused}")
    assert "spec refused: 2 problems" in message.text
    assert 'access.yaml:11:12 unknown team "deployrs" (did you mean "deployers"?)' in message.text
    assert "access.yaml:15:18" in message.text
    assert f"Still enforced: version {enforced}" in message.text
    house.quiet.wait(moment.mark)
    assert house.accepted() == enforced
    assert house.product_writes(moment) == []

    house.tamper()
    assert house.is_right()
    assert len(house.product_writes(moment)) == 1


def test_an_object_under_another_key_is_reported_while_the_accepted_spec_stays(house: House) -> None:
    enforced, moment = house.accepted(), house.now()
    s3 = house.stage.aws.client(CI, "s3")
    for key in ("README.md", "acces.yaml"):
        s3.put_object(Bucket=house.stage.hub["SpecBucket"], Key=key, Body=SEED.encode())
    until(lambda: house.messages(moment, "'acces.yaml' is not read, only access.yaml is"), what="the misplaced file")
    house.quiet.wait(moment.mark)
    assert house.messages(moment, "README.md") == []
    assert house.accepted() == enforced
    assert house.product_writes(moment) == []


def test_a_user_who_leaves_and_comes_back_concerns_its_own_documents_alone(house: House) -> None:
    concerned = {REPOSITORY_TARGET, user_target(LEAVER)}
    without, leaves = SEED.replace(MEMBERS, "[ci:user/pull-user-1]"), house.now()
    house.upload(without)
    documents = house.documents()
    assert {*house.right} - {*documents} == {f"inline policy ecr-warden-pull of {LEAVER}"}
    assert LEAVER not in documents["repository policy of shop/checkout"]
    assert house.looked_at(leaves, "spec") == concerned
    assert {call.action for call in house.product_writes(leaves)} == {"SetRepositoryPolicy", "DeleteUserPolicy"}

    returns = house.now()
    house.upload(SEED)
    assert house.is_right()
    assert house.looked_at(returns, "spec") == concerned
    assert len(house.product_writes(returns)) == 2
