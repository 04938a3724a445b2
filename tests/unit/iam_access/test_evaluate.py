"""The table of requests: verdicts, and the statements or the missing sides that they rest on."""

import pytest

from iam_access.evaluate.actions import is_plain
from iam_access.evaluate.evaluate import evaluate
from iam_access.evaluate.policies import Policies
from tests.unit.iam_access.evaluations import (
    REPOSITORY,
    USER,
    conditions,
    document,
    evaluations,
    policies,
    request,
    requested,
)
from tests.unit.iam_access.tables import Case, name_of


@pytest.mark.parametrize("case", evaluations(), ids=name_of)
def test_evaluation(case: Case) -> None:
    verdict = evaluate(request(case), policies(case))
    assert type(verdict).__name__ == case["verdict"], verdict
    assert verdict.because, "a verdict has its reasons"
    if "because" in case:
        assert [reason.text for reason in verdict.because] == case["because"]


@pytest.mark.parametrize("case", conditions(), ids=name_of)
def test_condition(case: Case) -> None:
    made = requested(USER, "ecr:PutImage", REPOSITORY, case["in"])
    given = document({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": case["when"]})
    denied = document({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": case["when"]})
    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    verdict = evaluate(made, Policies(identity=(given,)))
    assert type(verdict).__name__ == ("Allowed" if case["holds"] else "ImplicitlyDenied")
    verdict = evaluate(made, Policies(identity=(everything, denied)))
    assert type(verdict).__name__ == ("ExplicitlyDenied" if case["holds"] else "Allowed")


def test_the_table_is_large() -> None:
    assert len(evaluations()) + len(conditions()) >= 300


def test_reasons_say_where_a_statement_stands() -> None:
    allow = document([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, _ALLOW | {"Sid": "Push"}])
    verdict = evaluate(requested(USER, "ecr:PutImage", REPOSITORY), Policies(identity=(allow, allow)))
    found = [(reason.policy, reason.statement, reason.sid) for reason in verdict.because]
    assert found == [("identityPolicies[0]", 1, "Push"), ("identityPolicies[1]", 1, "Push")]


_ALLOW = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("action", "plain"),
    [
        ("ecr:BatchGetImage", True),
        ("ecr:GetAuthorizationToken", False),
        ("IAM:PassRole", False),
        ("kms:Decrypt", False),
        ("sts:AssumeRole", False),
    ],
)
def test_policies_alone_decide_on_actions_without_rules_of_their_own(action: str, plain: bool) -> None:
    assert is_plain(action) is plain
