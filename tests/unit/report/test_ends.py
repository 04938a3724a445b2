"""The ends of grants in a report."""

from datetime import timedelta

import pytest

from ecr_warden_cli.report.grant import Grant, GrantedAccess
from ecr_warden_cli.report.make import ends_of
from tests.reports import CI, REGION, REGISTRY, UNTIL, example

CHECKOUT = f"repository/{REGISTRY}/{REGION}/shop/checkout"
REPORT = example()
BUILDER = f"arn:aws:iam::{CI}:user/build-billing"


def test_the_end_of_a_grant_is_that_of_an_access() -> None:
    found = {end.repository: end for end in REPORT.ends}
    ledger = found[f"repository/{REGISTRY}/{REGION}/billing/ledger"]
    assert ledger.principal is not None
    assert REPORT.matrix.principals[ledger.principal].name == BUILDER
    assert [REPORT.matrix.rows[place].target for place in ledger.rows] == [ledger.repository]
    assert {end.until for end in REPORT.ends} == {UNTIL}


ROWS = {
    "a name": (f"repository/{REGISTRY}/{REGION}/billing/ledger", (), ["billing/ledger"]),
    "a pattern": (f"repository/{REGISTRY}/{REGION}/billing/*", (), ["billing/invoices", "billing/ledger"]),
    "a pattern but": (f"repository/{REGISTRY}/{REGION}/billing/*", ("billing/ledger",), ["billing/invoices"]),
    "another region": (f"repository/{REGISTRY}/eu-west-1/billing/*", (), []),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_grant_concerns_the_repositories_that_it_names(name: str) -> None:
    repository, excluded, names = ROWS[name]
    grants = [
        Grant(GrantedAccess.PUSH, repository, BUILDER, until=UNTIL, excluded=excluded),
        Grant(GrantedAccess.PULL, repository, "nobody"),
    ]
    (end,) = ends_of(grants, REPORT.matrix)
    assert [REPORT.matrix.rows[place].target.split("/", 3)[3] for place in end.rows] == names


def test_the_next_end_is_the_first() -> None:
    later = Grant(GrantedAccess.PUSH, CHECKOUT, "a", until=UNTIL + timedelta(days=1))
    sooner = Grant(GrantedAccess.PUSH, CHECKOUT, "b", until=UNTIL)
    assert [end.who for end in ends_of([later, sooner], REPORT.matrix)] == ["b", "a"]
