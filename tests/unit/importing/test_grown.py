"""Accounts that nobody planned: how much of their access becomes grants, and what an import costs."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import pytest

from local.testing.grown import RUN, grown, repositories_of
from tests.counting import counted
from tests.unit.importing.imports import Json, imported

# Those that the weights of the habits were looked at with are 1 to 10.
_UNSEEN = range(11, 16)


@pytest.mark.thorough
def test_most_pull_access_of_accounts_not_seen_before_becomes_grants(tell: Callable[[str], None]) -> None:
    shares = [imported(grown(200, seed).snapshot()).pull_access for seed in _UNSEEN]
    share = 100 * sum(one.granted for one in shares) / sum(one.all for one in shares)
    tell(f"pull access of grown accounts that becomes grants: {share:.1f} %")
    assert share >= 85


def test_every_repository_is_in_the_spec_or_said_to_be_left_out() -> None:
    snapshot = grown(60, 11).snapshot()
    made = imported(snapshot)
    targets = [key for key in made.loaded.compiled.targets if key.startswith("repository/")]
    left_out = [key for key in made.left_out if key.startswith("repository/")]
    assert len(targets) + len(left_out) == len([*repositories_of(snapshot)])
    assert not {*targets} & {*left_out}


def _with_roles(number: int) -> Json:
    """Three accounts, one with many roles that have nothing to do with images."""
    snapshot = deepcopy(grown(10, 11).snapshot())
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "sts:AssumeRole"], "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    snapshot["accounts"][RUN]["iam"]["RoleDetailList"] += [
        {
            "Arn": f"arn:aws:iam::{RUN}:role/other-{index}",
            "RoleId": f"AROAOTHER{index}",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": {"Statement": [statement]}}],
        }
        for index in range(number)
    ]
    return snapshot


@pytest.mark.thorough
def test_an_account_with_thousands_of_roles_costs_no_more_for_each_of_them(tell: Callable[[str], None]) -> None:
    without, few, many = (counted(partial(imported, _with_roles(number)))[1] for number in (0, 500, 5000))
    each = (few - without) / 500, (many - without) / 5000
    tell(f"operations for each role that has nothing to do with images: {each[1]:.0f}")
    assert each[1] < 1.2 * each[0]
    assert each[1] < 2_000


@pytest.mark.thorough
def test_repositories_cost_no_more_each_when_there_are_more() -> None:
    few, many = (counted(partial(imported, grown(number, 11).snapshot()))[1] for number in (50, 400))
    assert many / 400 < 1.5 * few / 50
