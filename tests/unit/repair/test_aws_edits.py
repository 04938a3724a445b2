"""Foreign statements are recognised by shape and kept by a repair; unique IDs in place of ARNs are given time."""

import json
from copy import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.desired import ForeignStatement, MustNotExist, TargetSpec
from ecr_warden.core.ecr import REPOSITORY_POLICY_QUOTA
from ecr_warden.core.kinds import DriftKind, Operation
from ecr_warden.core.plan import Plan
from ecr_warden.repair.aws_edits import is_settling
from ecr_warden.repair.orphans import as_observed
from iam_access.document.document import Document, parse_document, policy_size
from iam_access.equivalent.canonical import equivalent
from local.testing.seed import (
    ANNA,
    CHECKOUT,
    D1,
    D2,
    HOME,
    NOW,
    allow,
    desired,
    document,
    plan_for,
    present,
    reading,
    spec_of,
    unparseable,
)
from tests.tables import load

TABLES: dict[str, dict[str, dict[str, Any]]] = load((Path(__file__).parents[2] / "cases/aws_edits.yaml").read_text())
ALLOWING = replace(spec_of(CHECKOUT), foreign=(ForeignStatement.LAMBDA_IMAGE_RETRIEVAL,))
NOBODY_PULLS = replace(ALLOWING, documents={D1: MustNotExist()})
OWN = json.loads(desired(D1).text)["Statement"][0]


def of_lambda(**changed: Any) -> dict[str, Any]:
    """The statement as Lambda adds it, with changes; None removes an element."""
    statement = {
        "Sid": "LambdaECRImageRetrievalPolicy",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:eu-central-1:{HOME}:function:*"}},
    }
    return {key: value for key, value in (statement | changed).items() if value is not None}


def source(arn: str, operator: str = "StringLike", key: str = "aws:sourceArn") -> dict[str, Any]:
    return {"Condition": {operator: {key: arn}}}


def plan_of(spec: TargetSpec, live: Document) -> Plan:
    observation = reading(spec, {D1: live})
    return plan_for(as_observed(spec, observation), observation)


@pytest.mark.parametrize("name", TABLES["foreign"])
@pytest.mark.parametrize("spec", [ALLOWING, NOBODY_PULLS], ids=["beside a pull grant", "alone"])
def test_a_foreign_statement_is_not_drift(name: str, spec: TargetSpec) -> None:
    live = document(of_lambda(**TABLES["foreign"][name]), *([OWN] if spec is ALLOWING else []))
    assert plan_of(spec, live).is_empty


@pytest.mark.parametrize("name", TABLES["not foreign"])
def test_a_statement_that_only_shares_the_sid_is_drift_and_removed(name: str) -> None:
    live = document(OWN, of_lambda(**TABLES["not foreign"][name]))
    (drift,) = plan_of(ALLOWING, live).drifts
    assert drift.kind is DriftKind.CHANGED
    (change,) = plan_of(ALLOWING, live).changes
    assert change.after == desired(D1)


def test_it_is_removed_unless_the_spec_allows_it() -> None:
    live = document(OWN, of_lambda())
    (change,) = plan_of(spec_of(CHECKOUT), live).changes
    assert change.after == desired(D1)


def test_a_repair_keeps_it_and_removes_the_rest() -> None:
    open_to_all = allow("ecr:*", who="*")
    for own, spec in ((OWN, ALLOWING), (None, NOBODY_PULLS)):
        (change,) = plan_of(spec, document(open_to_all, of_lambda(Sid="x"), of_lambda())).changes
        assert change.operation is Operation.UPDATE
        assert isinstance(change.after, Document)
        expected = document(*([own] if own else []), of_lambda(Sid="x"))
        assert equivalent(change.after, expected)
        assert change.after.text.count("lambda.amazonaws.com") == 1
        assert change.access is not None and change.access.lost
        if spec is NOBODY_PULLS:
            assert change.access.gained == ()


SIDS = {
    "one as the spec's": (OWN["Sid"], "x", [OWN["Sid"], None, "x"]),
    "two alike": ("x", "x", [OWN["Sid"], "x", None]),
    "all alike": (OWN["Sid"], OWN["Sid"], [OWN["Sid"], None, None]),
    "each its own": ("x", "y", [OWN["Sid"], "x", "y"]),
    "none": (None, None, [OWN["Sid"], None, None]),
}


@pytest.mark.parametrize(("first", "second", "expected"), SIDS.values(), ids=SIDS)
def test_a_repair_writes_no_sid_twice(first: str | None, second: str | None, expected: list[str | None]) -> None:
    two = of_lambda(Sid=first), of_lambda(Sid=second, **source(f"arn:aws:lambda:eu-central-1:{HOME}:function:resize"))
    (change,) = plan_of(ALLOWING, document(allow("ecr:*", who="*"), *two)).changes
    assert isinstance(change.after, Document)
    assert [statement.sid for statement in change.after.statements] == expected
    assert change.after.text.count("lambda.amazonaws.com") == 2
    assert plan_of(ALLOWING, change.after).is_empty


@pytest.mark.parametrize("count", [1, 40], ids=["one that fills the policy", "many that fill the policy"])
def test_statements_beyond_the_quota_are_not_kept(count: int) -> None:
    open_to_all = allow("ecr:*", who="*")
    room = REPOSITORY_POLICY_QUOTA - policy_size(document(open_to_all))
    arn = f"arn:aws:lambda:eu-central-1:{HOME}:function:"
    each = room // count - len(json.dumps(of_lambda(Sid=None, **source(arn)), separators=(",", ":"))) - 1
    live = document(open_to_all, *(of_lambda(Sid=None, **source(arn + str(n).zfill(each))) for n in range(count)))
    assert policy_size(live) <= REPOSITORY_POLICY_QUOTA
    (change,) = plan_of(ALLOWING, live).changes
    assert isinstance(change.after, Document)
    assert policy_size(change.after) <= REPOSITORY_POLICY_QUOTA
    assert change.after.text.count("lambda.amazonaws.com") == count - 1
    assert plan_of(ALLOWING, change.after).is_empty


def test_a_missing_grant_is_repaired_beside_it() -> None:
    (change,) = plan_of(ALLOWING, document(of_lambda())).changes
    assert isinstance(change.after, Document)
    assert equivalent(change.after, document(OWN, of_lambda()))
    assert change.before is not None and change.expect is not None


def test_a_repository_without_a_policy_gets_the_desired_one() -> None:
    observation = reading(replace(ALLOWING, documents={}))
    assert as_observed(ALLOWING, observation).documents == ALLOWING.documents


def test_a_statement_that_the_spec_also_has_is_written_once() -> None:
    granted = replace(ALLOWING, documents={D1: document(OWN, of_lambda(Sid="AllowPullByService"))})
    (change,) = plan_of(granted, document(allow("ecr:*", who="*"), of_lambda())).changes
    assert isinstance(change.after, Document)
    assert change.after.text.count("lambda.amazonaws.com") == 1
    assert plan_of(granted, change.after).is_empty


ID_A = "AIDAQWERTYUIOPASDFGHJ"


def trust(*who: str, **more: Any) -> dict[str, Any]:
    return allow("sts:AssumeRole", who="x", **more) | {"Principal": {"AWS": list(who)}}


def settling(wanted: Document, live: Document, seconds: int | None = 5) -> bool:
    written = None if seconds is None else NOW - timedelta(seconds=seconds)
    return is_settling(D2, wanted, present(D2, live), written, NOW)


def documents(table: str, name: str) -> tuple[Document, Document]:
    row = TABLES[table][name]
    return document(*row["desired"]), document(*row["live"])


@pytest.mark.parametrize("name", TABLES["settling"])
def test_as_many_unique_ids_as_arns_are_settling(name: str) -> None:
    wanted, live = documents("settling", name)
    assert settling(wanted, live)
    assert not settling(live, wanted)


@pytest.mark.parametrize("name", TABLES["drift"])
def test_any_other_difference_is_drift(name: str) -> None:
    wanted, live = documents("drift", name)
    assert not settling(wanted, live)


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (120, True), (121, False), (None, False)])
def test_it_settles_within_two_minutes_of_a_write(seconds: int | None, expected: bool) -> None:
    assert settling(*documents("settling", "a user"), seconds) is expected


def test_an_unparseable_document_is_not_settling() -> None:
    assert not is_settling(D2, document(trust(ANNA)), unparseable(), NOW, NOW)


def test_a_single_statement_without_a_list_is_settling_too() -> None:
    live = parse_document({"Version": "2012-10-17", "Statement": trust(ID_A)})
    assert isinstance(json.loads(live.text)["Statement"], dict)
    assert settling(document(trust(ANNA)), live)
