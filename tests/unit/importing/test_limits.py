"""What AWS's quotas and the spec's own limits leave of an import."""

from typing import Any

import pytest

from ecr_warden.access_spec.spec import PullScope
from ecr_warden_cli.importing.effects import ImportEffect
from ecr_warden_cli.importing.importing import ImportFailed
from ecr_warden_cli.importing.notes import NoteKind
from local.testing.printed import complete
from tests.unit.importing.imports import Json, imported

_BOT = "arn:aws:iam::111111111111:user/bot"
_PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def _snapshot(repositories: list[Json], *resources: str, more: str = "") -> Json:
    """A user who may pull from the resources by a managed policy, and has an inline policy of some length too."""
    arn = "arn:aws:iam::111111111111:policy/pull"
    statements = [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": _PULL, "Resource": list(resources)},
    ]
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": {"Statement": statements}}
    user: Json = {"Arn": _BOT, "UserId": "AIDABOT", "AttachedManagedPolicies": [{"PolicyArn": arn}]}
    if more:
        own = {"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": more}}
        user["UserPolicyList"] = [{"PolicyName": "own", "PolicyDocument": own}]
    iam = {"UserDetailList": [user], "Policies": [{"Arn": arn, "PolicyVersionList": [version]}]}
    registry = {"iam": {}, "ecr": {"eu-central-1": {"repositories": repositories}}}
    return complete({"schema": 1, "accounts": {"111111111111": {"iam": iam}, "222222222222": registry}})


def _pulled(number: int) -> list[Json]:
    statement = {"Effect": "Allow", "Principal": {"AWS": _BOT}, "Action": _PULL}
    return [{"repositoryName": f"shop/{index:03}", "policy": {"Statement": statement}} for index in range(number)]


@pytest.mark.parametrize(("more", "fit"), [("", 30), ("arn:aws:s3:::" + "x" * 700, 17)])
def test_repositories_for_which_a_user_has_no_room_stay_word_for_word(more: str, fit: int) -> None:
    made = imported(_snapshot(_pulled(40), "arn:aws:ecr:*:222222222222:repository/shop/*", more=more))
    spec = made.loaded.spec
    granted = [target for entry in spec.repositories for target in entry.targets if entry.pull]
    assert len(granted) == fit
    assert sum(len(entry.targets) for entry in spec.repositories) == 40
    assert sum(note.kind is NoteKind.OVER_QUOTA for notes in made.notes.values() for note in notes) == 40 - fit
    assert not [one for one in made.outcomes if one.effect is ImportEffect.CHANGE]


def test_whoever_may_pull_from_everything_gets_one_resource_for_all() -> None:
    made = imported(_snapshot(_pulled(40), "*"))
    [entry] = made.loaded.spec.repositories
    assert (entry.pull_scope, len(entry.targets)) == (PullScope.ACCOUNT, 40)
    assert not made.notes


def _large(index: int) -> Json:
    actions = [f"ecr:Future{number}{'x' * 60}" for number in range(110)]
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": actions}
    return {"repositoryName": f"shop/{index:03}", "policy": {"Statement": statement}}


@pytest.mark.thorough
def test_accounts_whose_spec_would_be_too_large_are_refused_with_a_remedy() -> None:
    with pytest.raises(ImportFailed, match=r"larger than 5 MiB; import fewer accounts at a time"):
        imported(_snapshot([_large(index) for index in range(650)], "*"))
