"""Tags of repositories that policies ask for: known and unknown."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_warden.access.graph import RepositoryGraph, permission
from ecr_warden.core.codec.snapshot import estate_of
from ecr_warden_cli.access import can_i, find_subject, question
from iam_access.who_can.decide import Answer, Resource
from tests.unit.access.snapshots import HOME, allow, snapshot, user

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ME = f"arn:aws:iam::{HOME}:user/me"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def when(operator: str, key: str, value: str) -> dict[str, Any]:
    return allow(PULL, Condition={operator: {key: value}})


def graph(statements: list[dict[str, Any]], tags: dict[str, str] | None) -> RepositoryGraph:
    given = snapshot(user("me", *statements, Tags=[{"Key": "team", "Value": "shop"}]))
    (app,) = given["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"]
    if tags is not None:
        app["tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return RepositoryGraph(estate_of(given, at=NOW))


PROD = when("StringEquals", "aws:ResourceTag/Stage", "prod")
CASES: dict[str, tuple[dict[str, Any], dict[str, str] | None, Answer]] = {
    "the tag has the value": (PROD, {"stage": "prod"}, Answer.YES),
    "the tag has another value": (PROD, {"stage": "test"}, Answer.NO),
    "the tag is not there": (PROD, {"team": "prod"}, Answer.NO),
    "the tags were not read": (PROD, None, Answer.CONDITIONAL),
    "by ECR's own key": (when("StringEquals", "ecr:ResourceTag/stage", "prod"), {"Stage": "prod"}, Answer.YES),
    "a tag that must not have the value is not there": (
        when("StringNotEquals", "aws:ResourceTag/stage", "prod"),
        {},
        Answer.YES,
    ),
    "a tag that must be absent is there": (when("Null", "aws:ResourceTag/stage", "true"), {"stage": "x"}, Answer.NO),
    "the tag is that of the caller": (
        when("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}"),
        {"team": "shop"},
        Answer.YES,
    ),
    "the caller's tag is that of the repository": (
        when("StringEquals", "aws:PrincipalTag/team", "${aws:ResourceTag/team}"),
        {"team": "other"},
        Answer.NO,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_tags_decide_where_they_are_known(case: str) -> None:
    statement, tags, answer = CASES[case]
    asked = graph([statement], tags)
    assert can_i(asked, find_subject(asked, ME), question(asked, "pull", "app")).answer is answer


SETTING = {
    "creating a repository sets tags": ("ecr:CreateRepository", Answer.CONDITIONAL),
    "tagging sets tags": ("ecr:TagResource", Answer.CONDITIONAL),
    "pulling sets none": ("ecr:BatchGetImage", Answer.NO),
}


@pytest.mark.parametrize("case", SETTING)
def test_tags_of_a_request_are_there_where_the_action_sets_them(case: str) -> None:
    action, answer = SETTING[case]
    asked = graph([allow(action, Condition={"StringEquals": {"aws:RequestTag/team": "shop"}})], {})
    (app,) = asked.estate.repositories()
    resource = Resource(app.arn, HOME)
    assert asked.ask(find_subject(asked, ME), (permission(action, resource),)).answer is answer


def test_repositories_with_other_tags_are_not_alike() -> None:
    given = snapshot(user("me", PROD))
    names = {"app": "prod", "web": "prod", "old": "test", "unread": None}
    given["accounts"][HOME]["ecr"]["eu-central-1"]["repositories"] = [
        {"repositoryName": name, "policy": None, **({"tags": [{"Key": "stage", "Value": value}]} if value else {})}
        for name, value in names.items()
    ]
    asked = RepositoryGraph(estate_of(given, at=NOW))
    app, web, old, unread = (asked.kind_of(one) for one in asked.estate.repositories())
    assert app == web
    assert len({app, old, unread}) == 3
