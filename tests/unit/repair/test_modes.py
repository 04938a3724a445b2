"""Documents that enforced and observed grants share."""

from collections.abc import Mapping

import pytest

from ecr_warden.access_spec.render import assume_permissions, pull_permissions
from ecr_warden.access_spec.spec import UNLIMITED
from ecr_warden.core.address import Address, identity_policy
from ecr_warden.core.desired import Extent, Mode, TargetSpec
from ecr_warden.core.kinds import HoldReason
from ecr_warden.core.observed import Absent, Observation, Observed
from ecr_warden.core.plan import Plan
from ecr_warden.core.target import UserTarget
from ecr_warden.repair.orphans import as_observed
from iam_access.document.document import Document, raw_statements
from local.testing.seed import allow, document, plan_for, present, unparseable, unreadable

ANNA = UserTarget("111111111111", "anna")
PULL, ASSUME = identity_policy(ANNA, "ecr-warden-pull"), identity_policy(ANNA, "ecr-warden-assume")
ARNS = [f"arn:aws:ecr:eu-central-1:222222222222:repository/shop/{name}" for name in "abc"]
ONE, BOTH, OTHER = (pull_permissions({UNLIMITED: some}) for some in (ARNS[:1], ARNS[:2], ARNS[2:]))
ROLE = assume_permissions({UNLIMITED: ["arn:aws:iam::222222222222:role/ecr-warden/two"]})
SHARED = TargetSpec(ANNA, Extent.OURS, {PULL: ONE}, mode=Mode.ENFORCE, observed={PULL: BOTH})
ONLY_OBSERVED = TargetSpec(ANNA, Extent.OURS, {PULL: ONE}, mode=Mode.ENFORCE, observed={ASSUME: ROLE})


def plan_of(spec: TargetSpec, live: Mapping[Address, Observed | Document], mode: Mode = Mode.ENFORCE) -> Plan:
    documents = {at: present(at, value) if isinstance(value, Document) else value for at, value in live.items()}
    seen = Observation(ANNA, documents)
    wanted = as_observed(spec, seen)
    return plan_for(wanted, seen, mode=mode)


# The spec, what is live; what is written where, and which addresses are held because they are only observed.
CASES: dict[
    str, tuple[TargetSpec, dict[Address, Observed | Document], dict[Address, Document | None], set[Address]]
] = {
    "nothing is there: only the enforced grant is written": (SHARED, {PULL: Absent()}, {PULL: ONE}, set()),
    "only the enforced grant is there: the observed one is reported": (SHARED, {PULL: ONE}, {}, {PULL}),
    "both are there: the observed one stays": (SHARED, {PULL: BOTH}, {}, set()),
    "something of the observed one is there: it stays, and what lacks is reported": (
        SHARED,
        {PULL: document(*raw_statements(ONE), allow("ecr:BatchGetImage", Resource=ARNS[1]))},
        {},
        {PULL},
    ),
    "more than both is there: it is replaced by the enforced grant": (
        SHARED,
        {PULL: pull_permissions({UNLIMITED: ARNS})},
        {PULL: ONE},
        set(),
    ),
    "the observed one alone is there: the enforced one is lacking": (
        SHARED,
        {PULL: pull_permissions({UNLIMITED: ARNS[1:2]})},
        {PULL: ONE},
        set(),
    ),
    "another repository is there": (SHARED, {PULL: OTHER}, {PULL: ONE}, set()),
    "it is not readable": (SHARED, {PULL: unreadable()}, {}, set()),
    "it is not a policy": (SHARED, {PULL: unparseable()}, {PULL: ONE}, set()),
    "a document of observed grants alone is not created": (
        ONLY_OBSERVED,
        {PULL: ONE, ASSUME: Absent()},
        {},
        {ASSUME},
    ),
    "a document of observed grants alone stays": (ONLY_OBSERVED, {PULL: ONE, ASSUME: ROLE}, {}, set()),
    "a document of observed grants alone that gives more is removed": (
        ONLY_OBSERVED,
        {PULL: ONE, ASSUME: document(allow("sts:AssumeRole"))},
        {ASSUME: None},
        set(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_only_enforced_grants_are_written(name: str) -> None:
    spec, live, written, held = CASES[name]
    plan = plan_of(spec, live)
    assert {change.address: change.after for change in plan.changes} == written
    assert {hold.drift.address for hold in plan.held if hold.reason is HoldReason.OBSERVE_MODE} == held
    assert {hold.drift for hold in plan.held} <= {*plan.drifts}
