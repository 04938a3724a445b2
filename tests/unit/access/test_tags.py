"""Tags of requests, and repositories that their tags tell apart; what tags decide, the published questions ask."""

from datetime import UTC, datetime

import pytest

from ecr_warden.access.graph import RepositoryGraph, permission
from ecr_warden_cli.asking.access import can_i, find_subject, question
from ecr_warden_cli.asking.snapshot import estate_of
from iam_access.who_can.decide import Answer, Resource
from tests.unit.access.snapshots import HOME, TOKEN, allow, snapshot, user

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ME = f"arn:aws:iam::{HOME}:user/me"
PROD = allow(
    ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Condition={"StringEquals": {"aws:ResourceTag/Stage": "prod"}}
)
SETTING = {
    "creating a repository sets tags": ("ecr:CreateRepository", Answer.CONDITIONAL),
    "tagging sets tags": ("ecr:TagResource", Answer.CONDITIONAL),
    "pulling sets none": ("ecr:BatchGetImage", Answer.NO),
}


@pytest.mark.parametrize("case", SETTING)
def test_tags_of_a_request_are_there_where_the_action_sets_them(case: str) -> None:
    action, answer = SETTING[case]
    setting = allow(action, Condition={"StringEquals": {"aws:RequestTag/team": "shop"}})
    asked = RepositoryGraph(estate_of(snapshot(user("me", setting)), at=NOW))
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


TAGGING = {
    "the session that it opens": (f"arn:aws:sts::{HOME}:federated-user/*", Answer.CONDITIONAL),
    "itself": (ME, Answer.CONDITIONAL),
    "another user": (f"arn:aws:iam::{HOME}:user/other", Answer.NO),
}


@pytest.mark.parametrize("what", TAGGING)
def test_a_federated_session_has_the_tags_that_its_user_may_set_on_it_or_on_itself(what: str) -> None:
    on, answer = TAGGING[what]
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "shop"}}
    pulls = allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Condition=tagged)
    opens = allow("sts:GetFederationToken"), allow("sts:TagSession", on), TOKEN
    asked = RepositoryGraph(estate_of(snapshot(user("me", pulls, *opens)), at=NOW))
    assert can_i(asked, find_subject(asked, ME), question(asked, "pull", "app")).answer is answer
