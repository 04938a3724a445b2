"""The deployed product while AWS does what it does now and then: late reads, new principals, rates, short pages."""

from collections.abc import Iterator

import pytest

from local.aws.behaviour.switches import Rate, Switches
from local.aws.faults import EventLate, Fault
from local.testing.waiting import until
from tests.e2e.house import House
from tests.e2e.roles import refused
from tests.e2e.steps import REPOSITORY_STEP, SWEEP_STEP, TRUST_STEP, USER_STEP, Step

LAG = 0.3
LATE = Switches(read_lag=LAG)
BUSY = Switches(rates={name: Rate(4.0, 2) for name in ("ecr:GetRepositoryPolicy", "iam:GetRole", "iam:GetUser")})
WAYS = (
    ("reads lag a write", LATE, REPOSITORY_STEP),
    ("reads lag a write", LATE, TRUST_STEP),
    ("reads lag a write", LATE, USER_STEP),
    ("lists come in short pages", Switches(short_pages=1), SWEEP_STEP),
    ("account ids are not expanded", Switches(expands_account_ids=False), REPOSITORY_STEP),
    ("ECR and IAM are asked too often", BUSY, TRUST_STEP),
    ("ECR and IAM are asked too often", BUSY, SWEEP_STEP),
)


@pytest.fixture
def settled(house: House) -> Iterator[House]:
    """CloudTrail is slower than reads are late, as on AWS; no switch outlives its test."""
    for service in ("ecr", "iam"):
        house.stage.aws.add_fault(Fault(service, "*", EventLate(int(LAG * 2000)), times=1_000_000))
    yield house
    house.stage.aws.set_switches(Switches())
    house.stage.aws.clear_faults()


@pytest.mark.parametrize(("way", "switches", "step"), WAYS, ids=lambda one: getattr(one, "name", None))
def test_a_step_still_ends(settled: House, way: str, switches: Switches, step: Step) -> None:
    settled.stage.aws.set_switches(switches)
    since = step.begin(settled)
    until(lambda: settled.product_writes(since), what=f"{step.name}, while {way}")
    settled.quiet.wait(since.mark)
    settled.stage.aws.set_switches(Switches())
    assert settled.is_right()
    assert refused(settled, since) == []
    # One repair, and of a trust policy the end of older sessions too: nobody writes again what he does not see yet.
    assert len(settled.product_writes(since)) <= (2 if step is TRUST_STEP else 1)
