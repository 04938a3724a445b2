"""What ECR makes of a repository policy: the rule alone, without an emulator."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.aws.behaviour.ecr_policy import GHOST, INVALID, LIMIT, TOO_LONG, set_repository_policy
from local.aws.behaviour.outcome import Stored
from tests import tables
from tests.local.support import AUSER, BUSER, StubWorld

WORLD = StubWorld({AUSER: "AIDAAAAAAAAAAAAAAAAAA", BUSER: "AIDABBBBBBBBBBBBBBBBB"}, roles={("222222222222", "reader")})
CASES = Path(__file__).parents[1] / "cases" / "aws"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def stored(*statements: dict[str, Any], **top: Any) -> str:
    outcome = set_repository_policy(json.dumps({"Version": "2012-10-17", "Statement": [*statements], **top}), WORLD)
    assert isinstance(outcome, Stored), outcome
    return outcome.text


def outcome_of(**changes: Any) -> Any:
    statement = {"Effect": "Allow", "Principal": {"AWS": AUSER}, "Action": PULL, **changes}
    return set_repository_policy(json.dumps({"Statement": [statement]}), WORLD)


def test_principals_come_back_in_one_order_whatever_order_was_sent() -> None:
    one, other = (
        stored({"Effect": "Allow", "Principal": {"AWS": principals}, "Action": PULL})
        for principals in ([AUSER, BUSER, "333333333333"], ["333333333333", BUSER, AUSER])
    )
    assert one == other


def test_what_was_read_can_be_written_and_is_the_same() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": ["1", "2"]}, "Null": {"aws:SourceArn": False}}
    first = stored(
        {"Condition": condition, "Action": PULL, "Principal": {"AWS": [AUSER, BUSER]}, "Effect": "Allow"},
        {"Effect": "Deny", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "ecr:*", "Sid": "two words"},
        Id="one",
    )
    again = set_repository_policy(first, WORLD)
    assert again == Stored(first)
    assert list(json.loads(first)) == ["Version", "Id", "Statement"]
    assert list(json.loads(first)["Statement"][0]) == ["Effect", "Principal", "Action", "Condition"]


RULES: dict[str, list[Any]] = tables.load((CASES / "repository_policies.yaml").read_text())
OUTCOMES = {"principals that are not there": GHOST, "no statement of ECR": INVALID}


@pytest.mark.parametrize("changes", RULES["taken"], ids=str)
def test_a_principal_that_can_exist_is_accepted(changes: dict[str, Any]) -> None:
    assert isinstance(outcome_of(**changes), Stored)


@pytest.mark.parametrize(
    ("kind", "changes"), [(kind, changes) for kind in OUTCOMES for changes in RULES[kind]], ids=str
)
def test_another_statement_is_refused(kind: str, changes: dict[str, Any]) -> None:
    assert outcome_of(**changes) == OUTCOMES[kind]


@pytest.mark.parametrize("text", RULES["no policy"])
def test_a_text_that_is_not_a_policy_is_refused(text: str) -> None:
    assert set_repository_policy(text, WORLD) == INVALID


def test_a_repeated_key_is_refused() -> None:
    text = '{"Statement": [{"Effect": "Allow", "Effect": "Deny", "Principal": "*", "Action": "ecr:*"}]}'
    assert set_repository_policy(text, WORLD) == INVALID


def test_the_limit_is_10240_characters() -> None:
    frame = json.dumps({"Statement": [{"Sid": "", "Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]})
    fits = frame.replace('"Sid": ""', f'"Sid": "{"x" * (LIMIT - len(frame))}"')
    assert len(fits) == LIMIT
    assert isinstance(set_repository_policy(fits, WORLD), Stored)
    assert set_repository_policy(fits + " ", WORLD) == TOO_LONG
