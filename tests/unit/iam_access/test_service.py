"""Groups of actions of a service; without one iam_access knows none, and answers in general words."""

import re
from pathlib import Path

import pytest

import iam_access
from ecr_warden.core.ecr import ADMIN, DELETE, ECR, PULL, PUSH
from iam_access.delta.delta import gained_and_lost
from iam_access.delta.describe import describe_change
from iam_access.delta.service import ASSUME, EVERYTHING, OTHER, ActionGroup, group_of
from iam_access.document.document import parse_document
from iam_access.document.kind import DocumentKind
from iam_access.lint import lint

_OF_ECR = re.compile(r"\becr|\bECR|Ecr|[Ii]mage|[Rr]egistr|[Rr]epositor(?!y_id|ies)|ContainerRegistry")
_OF_GITHUB = "who_can/ours.py"  # a repository's ID in GitHub's tokens


def test_no_module_mentions_ecr() -> None:
    folder = Path(iam_access.__file__).parent
    lines = (
        f"{path.relative_to(folder)}: {line}"
        for path in sorted(folder.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if _OF_ECR.search(line)
    )
    assert [line for line in lines if not line.startswith(_OF_GITHUB)] == []


def test_without_a_service_the_answers_are_general() -> None:
    let = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::papers/*"}
    document = parse_document({"Statement": [let]})
    sentence = "anyone (*) can now act on papers as arn:aws:s3:::papers/* (s3:getobject)"
    assert describe_change(gained_and_lost(None, document), subject="papers") == (sentence,)
    assert [found.code for found in lint(document, DocumentKind.RESOURCE)] == ["principal-anyone"]


@pytest.mark.parametrize(
    ("action", "group"),
    [
        ("ecr:batchgetimage", PULL),
        ("ECR:PutImage", PUSH),
        ("ecr:BatchDeleteImage", DELETE),
        ("ecr:SetRepositoryPolicy", ADMIN),
        ("sts:AssumeRole", ASSUME),
        ("ecr:*", EVERYTHING),
        ("*", EVERYTHING),
        ("ecr:GetAuthorizationToken", OTHER),
        ("s3:GetObject", OTHER),
    ],
)
def test_groups_of_actions(action: str, group: ActionGroup) -> None:
    assert group_of(action, ECR) is group


def test_without_a_service_only_the_actions_on_roles_have_a_group() -> None:
    assert [group_of(action, None) for action in ("sts:AssumeRole", "ecr:PutImage", "ecr:*")] == [ASSUME, OTHER, OTHER]
