"""Whom a statement lets in who is not shown to be ours: a table of principals and conditions in every form."""

import pytest

from iam_access.delta.delta import gained_and_lost
from iam_access.document.kind import DocumentKind
from iam_access.equivalent.canonical import canonical_statements
from iam_access.who_can.ours import Ours, Owner, outsiders, owners_in
from local.testing.seed import CI, HOME, document
from tests.unit.iam_access.tables import Case, name_of, tables

OTHER = "999999999999"
ORGANIZATION = "o-a1b2c3d4e5"
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
TRACKER = "oidc.tracker.example/org"
OURS = Ours(
    frozenset({CI, HOME}),
    frozenset({ORGANIZATION}),
    frozenset(
        {
            Owner(GITHUB, "repo:acme", "1"),
            Owner(GITHUB, "repo:legacy"),
            Owner(GITHUB, "repo:beta", "8"),
            Owner(GITLAB, "project_path:shop/web"),
            Owner(TRACKER, "org:7:project:*"),
        }
    ),
)
TABLES = tables("ours")


def found(statement: Case, ours: Ours = OURS) -> tuple[str, ...]:
    gained = gained_and_lost(None, document(statement)).gained
    return tuple(dict.fromkeys(who for one in gained for who in outsiders(one, ours, home=HOME)))


@pytest.mark.parametrize("case", TABLES["everybody is ours"], ids=name_of)
def test_everybody_is_ours(case: Case) -> None:
    assert found(case["statement"]) == ()
    assert bool(found(case["statement"], OURS.in_literal)) is not (case.get("literal") == "ours")
    assert found(case["statement"], Ours()), "nobody is ours without a baseline"


@pytest.mark.parametrize("case", TABLES["somebody is outside"], ids=name_of)
def test_somebody_is_outside(case: Case) -> None:
    assert found(case["statement"]) == tuple(case["outside"])


@pytest.mark.parametrize("case", TABLES["another owner is outside"], ids=name_of)
def test_another_owner_at_a_provider_is_outside(case: Case) -> None:
    provider = f"identity provider arn:aws:iam::{HOME}:oidc-provider/{GITHUB}"
    assert {*found(case["statement"])} == {f"{provider}, {one}" for one in case["outside"]}


@pytest.mark.parametrize("case", TABLES["owners"], ids=name_of)
def test_a_grant_names_owners(case: Case) -> None:
    written = canonical_statements(document(case["statement"]), kind=DocumentKind.TRUST)
    assert {owner for one in written for owner in owners_in(one)} == {Owner(*owner) for owner in case["owners"]}


def test_an_identity_of_a_new_account_is_outside() -> None:
    (gained,) = gained_and_lost(
        None, document({"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"})
    ).gained
    assert outsiders(gained, OURS, home=OTHER) == (f"account {OTHER}",)
    assert outsiders(gained, OURS, home=CI) == ()
