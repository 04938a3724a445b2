"""Sizes against quotas, and the small words of messages."""

import pytest
from ecr_warden.policy.action import ActionGroup, group_of, spelled
from ecr_warden.policy.document import parse_document
from ecr_warden.policy.shown import shown
from ecr_warden.policy.size import policy_size


def test_white_space_is_not_counted() -> None:
    text = '{"Statement":{"Sid":"ECR Repository Policy","Effect":"Deny","Action":"*"}}'
    assert policy_size(parse_document(f" \n{text}\t")) == len(text) - 2


@pytest.mark.parametrize(
    ("action", "group"),
    [
        ("ecr:batchgetimage", ActionGroup.PULL),
        ("ECR:PutImage", ActionGroup.PUSH),
        ("ecr:BatchDeleteImage", ActionGroup.DELETE),
        ("ecr:SetRepositoryPolicy", ActionGroup.ADMIN),
        ("sts:AssumeRole", ActionGroup.ASSUME),
        ("ecr:*", ActionGroup.EVERYTHING),
        ("*", ActionGroup.EVERYTHING),
        ("ecr:GetAuthorizationToken", ActionGroup.OTHER),
        ("s3:GetObject", ActionGroup.OTHER),
    ],
)
def test_groups_of_actions(action: str, group: ActionGroup) -> None:
    assert group_of(action) is group


def test_actions_are_spelled_as_aws_does() -> None:
    assert [spelled(action) for action in ("ecr:putimage", "STS:ASSUMEROLE", "s3:getobject")] == [
        "ecr:PutImage",
        "sts:AssumeRole",
        "s3:getobject",
    ]


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("plain", 10, "plain"),
        ("line\nbreak", 20, "line\\nbreak"),
        ("\u202eevil", 20, "\\u202eevil"),
        ("x" * 100, 10, "xxxxxxx..."),
        ("\x00" * 10, 10, "\\x00\\x0..."),
    ],
)
def test_text_from_outside_is_escaped_and_bounded(text: str, limit: int, expected: str) -> None:
    assert shown(text, limit) == expected
