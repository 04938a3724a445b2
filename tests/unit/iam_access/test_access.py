"""The table of who gains and loses what, in sentences."""

import pytest

from ecr_warden.core.ecr import ECR
from iam_access.delta.delta import AccessDelta, AnyOf, PermissionDelta, gained_and_lost, intersection
from iam_access.delta.describe import describe_change
from iam_access.delta.relate import Differs, relate
from iam_access.document.document import Document, Effect, parse_document
from iam_access.document.kind import DocumentKind
from iam_access.document.principal import Principal
from tests.unit.iam_access.tables import Case, cases, kind, name_of


def _document(case: Case, side: str) -> Document | None:
    return parse_document({"Version": "2012-10-17", "Statement": case[side]}) if side in case else None


def _sentences(permissions: tuple[PermissionDelta, ...], *, gained: bool) -> list[str]:
    change = AccessDelta(gained=permissions) if gained else AccessDelta(lost=permissions)
    return list(describe_change(change, ECR, subject="shop"))


@pytest.mark.parametrize("case", cases("access"), ids=name_of)
def test_access(case: Case) -> None:
    change = gained_and_lost(_document(case, "before"), _document(case, "after"), kind=kind(case))
    assert _sentences(change.gained, gained=True) == case.get("gained", [])
    assert _sentences(change.lost, gained=False) == case.get("lost", [])


@pytest.mark.parametrize("case", cases("access"), ids=name_of)
def test_the_reverse_change_gains_what_was_lost(case: Case) -> None:
    before, after = _document(case, "before"), _document(case, "after")
    there = gained_and_lost(before, after, kind=kind(case))
    back = gained_and_lost(after, before, kind=kind(case))
    assert (there.gained, there.lost) == (back.lost, back.gained)


@pytest.mark.parametrize("case", [case for case in cases("access") if "intersection" in case], ids=name_of)
def test_the_intersection_gains_nothing(case: Case) -> None:
    before, after = _document(case, "before"), _document(case, "after")
    assert before is not None
    assert after is not None
    between = intersection(before, after, kind=kind(case))
    assert (len(between.statements) if between else 0) == case["intersection"]
    if between:
        assert gained_and_lost(before, between, kind=kind(case)).gained == ()
        assert gained_and_lost(after, between, kind=kind(case)).gained == ()


def test_the_intersection_spells_actions_as_aws_does() -> None:
    document = parse_document({"Statement": {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}})
    between = intersection(document, document)
    assert between is not None
    assert between.statements[0].actions.values == ("ecr:PutImage",)


def test_access_is_one_permission_per_principal_action_and_resource() -> None:
    document = parse_document(
        {
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": "111111111111", "Service": "lambda.amazonaws.com"},
                "Action": ["ecr:PutImage", "ecr:*"],
            }
        }
    )
    principals = (Principal("AWS", "arn:aws:iam::111111111111:root"), Principal("Service", "lambda.amazonaws.com"))
    assert {*gained_and_lost(None, document).gained} == {
        PermissionDelta(Effect.ALLOW, principal, action, None)
        for principal in principals
        for action in ("ecr:putimage", "ecr:*")
    }


def test_a_permission_of_somebody_deleted_names_them_by_their_unique_id() -> None:
    names = {"AWS": ["111111111111", "AIDAQHBJ5XEXAMPLE0001"], "Service": "lambda.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": names, "Action": "ecr:PutImage"}
    gained = gained_and_lost(None, parse_document({"Statement": statement})).gained
    assert [one.principal for one in gained if one.is_of_deleted] == [Principal("AWS", "AIDAQHBJ5XEXAMPLE0001")]
    anybody = gained_and_lost(None, parse_document({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}))
    assert [one.is_of_deleted for one in anybody.gained] == [False]


def test_a_huge_statement_keeps_its_longest_element_whole() -> None:
    actions = [f"ecr:Do{index}" for index in range(300)]
    resources = [f"arn:aws:ecr:::repository/{index}" for index in range(301)]
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    change = gained_and_lost(None, parse_document({"Statement": statement}))
    assert len(change.gained) == 300
    assert all(isinstance(permission.resource, AnyOf) for permission in change.gained)
    narrowed = gained_and_lost(
        parse_document({"Statement": {**statement, "Action": "ecr:Do*"}}), parse_document({"Statement": statement})
    )
    assert narrowed.gained == ()


def test_documents_that_are_too_hard_to_compare_are_assumed_to_gain_and_to_lose() -> None:
    def nasty(letter: str) -> Document:
        patterns = [f"*{letter}*{index}*a*?*b*" for index in range(300)]
        statements = [
            {"Effect": "Allow", "NotAction": patterns[:20], "Resource": patterns[20:40], "Sid": letter + str(index)}
            | {"Condition": {"StringLike": {f"aws:key{index}": patterns[40:50]}}}
            for index in range(20)
        ]
        return parse_document(
            {"Version": "2012-10-17", "Statement": [*statements, {"Effect": "Deny", "Action": patterns}]}
        )

    change = gained_and_lost(nasty("x"), nasty("y"))
    assert change.assumed
    # Each whole statement that differs counts: what allows and what no longer denies.
    for permissions in (change.gained, change.lost):
        assert {permission.effect for permission in permissions} == {Effect.ALLOW, Effect.DENY}
    between = intersection(nasty("x"), nasty("y"))
    assert between is not None
    assert {statement.effect for statement in between.statements} == {Effect.DENY}
    assert isinstance(relate(nasty("x"), nasty("y"), kind=DocumentKind.IDENTITY), Differs)


def test_long_plain_documents_are_compared() -> None:
    actions = [f"ecr:Do{index}" for index in range(400)]
    before, after = (
        parse_document({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": given, "Resource": "*"}})
        for given in (actions, actions[1:])
    )
    change = gained_and_lost(before, after)
    assert not change.assumed
    assert change.gained == ()
    assert [permission.action for permission in change.lost] == ["ecr:do0"]


def test_sentences_are_escaped_and_bounded() -> None:
    statements = [
        {"Effect": "Allow", "Action": f"ecr:Do{index}", "Resource": f"\u202e\u2066{'x' * 2000}{index}"}
        for index in range(50)
    ]
    change = gained_and_lost(None, parse_document({"Version": "2012-10-17", "Statement": statements}))
    sentences = describe_change(change, ECR, subject="shop\x1b[2J")
    assert sentences
    assert all(line.isascii() and line.isprintable() and len(line) < 600 for line in sentences)
