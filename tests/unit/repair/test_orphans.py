"""What ecr-warden reads and deletes of a target that the spec does not name."""

from copy import replace

import pytest

from ecr_warden.core.address import role
from ecr_warden.core.desired import Extent, MustNotExist, RoleSettings
from ecr_warden.core.observed import Absent, Observation, Observed, Present
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target, UserTarget
from ecr_warden.repair.orphans import as_observed
from ecr_warden.repair.targets import orphan_spec
from local.testing.seed import ACCEPTED, CI, HOME, OUTSIDER, PUSHER, ROLE, SETTINGS, spec_of, unreadable

OLD = RoleTarget(HOME, "old-pusher")


@pytest.mark.parametrize(
    "target",
    [
        RepositoryTarget(HOME, "eu-central-1", "old/app"),
        UserTarget(OUTSIDER, "u"),
        RoleTarget(OUTSIDER, "r"),
        RoleTarget(HOME, "ecr-warden-write"),
        RoleTarget(CI, "ECR-WARDEN-FORWARD"),
    ],
    ids=str,
)
def test_targets_that_are_left_alone(target: Target) -> None:
    assert orphan_spec(target, ACCEPTED) is None


def test_our_policies_of_a_user_are_read() -> None:
    spec = orphan_spec(UserTarget(CI, "gone"), ACCEPTED)
    assert spec is not None
    assert (spec.extent, dict(spec.documents)) == (Extent.OURS, {})
    assert as_observed(spec, Observation(spec.target)) == spec


ROLES = {
    "a role that we made": (Present(SETTINGS, "d"), True, True),
    "a role under our path that we did not make": (Present(SETTINGS, "d"), False, False),
    "a role elsewhere with our tag": (Present(RoleSettings("/", 3600, None), "d"), True, False),
    "a role below our path": (Present(RoleSettings("/ecr-warden/sub/", 3600, None), "d"), True, False),
    "no role": (Absent(), False, False),
    "a role that cannot be read": (unreadable(), False, True),
}


@pytest.mark.parametrize(("found", "tagged", "whole"), ROLES.values(), ids=ROLES)
def test_only_a_role_that_we_created_is_deleted(found: Observed, tagged: bool, whole: bool) -> None:
    spec = orphan_spec(OLD, ACCEPTED)
    assert spec is not None
    decided = as_observed(spec, Observation(OLD, {role(OLD): found}, tagged_ours=tagged))
    assert (decided.extent is Extent.WHOLE) is whole
    assert dict(decided.documents) == ({role(OLD): MustNotExist()} if whole else {})


def test_a_named_role_is_not_an_orphan() -> None:
    spec = spec_of(PUSHER)
    assert as_observed(spec, Observation(PUSHER, {ROLE: Present(replace(SETTINGS, path="/"), "d")})) == spec
