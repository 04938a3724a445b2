"""Changes that are never made, roles that are not ours, and documents on which a decision fails."""

import re
from copy import replace
from pathlib import Path
from typing import Any

import pytest

from ecr_warden.core.address import Address, identity_policy, trust_policy
from ecr_warden.core.kinds import Operation
from ecr_warden.core.observed import Absent, Observation, Present, Unparseable
from ecr_warden.core.plan import Change
from ecr_warden.core.target import RoleTarget
from ecr_warden.repair.guardrails import cuts_own_access, is_not_ours
from ecr_warden.repair.hard_documents import decided
from local.testing.seed import (
    ANNA,
    CHECKOUT,
    D1,
    D2,
    D3,
    HOME,
    MALLORY,
    PUSHER,
    ROLE,
    SETTINGS,
    allow,
    deny,
    document,
    reading,
    spec_of,
)
from tests.tables import load

CUTS: dict[str, dict[str, Any]] = load((Path(__file__).parents[2] / "cases/own_access.yaml").read_text())


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, rows in CUTS.items() for name in rows])
def test_a_repository_policy_may_not_deny_what_repairs_it(kind: str, name: str) -> None:
    after = document(allow("ecr:BatchGetImage", who=ANNA), CUTS[kind][name])
    assert cuts_own_access(Change(Operation.UPDATE, D1, None, None, after)) is (kind == "cuts off")


def test_a_deny_that_the_live_policy_has_too_takes_no_access_from_us() -> None:
    of_org = deny("*", who="*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    live = reading(spec_of(CHECKOUT), {D1: document(allow("*", who=MALLORY), of_org)}).documents[D1]
    for denied, expected in (((of_org,), False), ((deny("*", who="*"),), True), ((of_org, deny("*", who="*")), True)):
        after = document(allow("ecr:BatchGetImage", who=ANNA), *denied)
        assert cuts_own_access(Change(Operation.UPDATE, D1, None, None, after), live) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ecr-warden-read", True),
        ("ECR-Warden-Write", True),
        ("ecr-warden-forward", True),
        ("ecr-warden-reader", False),
        ("ecr-pusher", False),
    ],
)
def test_our_own_roles_are_never_changed(name: str, expected: bool) -> None:
    role = RoleTarget(HOME, name)
    for address in (trust_policy(role), identity_policy(role, "x")):
        assert cuts_own_access(Change(Operation.UPDATE, address, None, None, document(allow("*")))) is expected


def test_a_deleted_repository_policy_denies_nothing() -> None:
    assert not cuts_own_access(Change(Operation.DELETE, D1, "", "d", None))


def test_a_role_under_another_path_is_not_ours() -> None:
    spec = spec_of(PUSHER)
    assert is_not_ours(spec, reading(spec, {ROLE: replace(SETTINGS, path="/team/")}))
    assert not is_not_ours(spec, reading(spec, {ROLE: replace(SETTINGS, boundary=None)}))
    assert not is_not_ours(spec, reading(spec, {ROLE: Absent()}))
    assert not is_not_ours(spec, Observation(PUSHER))
    assert not is_not_ours(spec_of(CHECKOUT), reading(spec_of(CHECKOUT)))


SEEN = reading(spec_of(PUSHER))


def _unparseable(observation: Observation) -> set[Address]:
    return {address for address, seen in observation.documents.items() if isinstance(seen, Unparseable)}


def _failing_over(*addresses: Address, error: type[Exception] = ValueError) -> object:
    """A decision that fails on parseable documents at the addresses, and else returns the unparseable ones."""

    def decide(observation: Observation) -> set[Address]:
        if any(isinstance(observation.documents[address], Present) for address in addresses):
            raise error("of an attacker's choosing")
        return _unparseable(observation)

    return decided(decide, SEEN)


def test_a_decision_that_succeeds_sees_all_documents() -> None:
    assert decided(_unparseable, SEEN) == set()


@pytest.mark.parametrize("error", [ValueError, RecursionError, MemoryError, AssertionError, KeyError])
@pytest.mark.parametrize("address", [D2, D3], ids=["trust policy", "inline policy"])
def test_only_the_failing_document_becomes_unparseable(address: Address, error: type[Exception]) -> None:
    assert _failing_over(address, error=error) == {address}


def test_all_documents_become_unparseable_if_several_fail() -> None:
    assert _failing_over(D2, D3) == {D2, D3}


def test_an_unparseable_document_keeps_its_text_and_digest() -> None:
    def decide(observation: Observation) -> Unparseable:
        seen = observation.documents[D2]
        match seen:
            case Unparseable():
                return seen
            case _:
                raise ValueError("of an attacker's choosing")

    before = SEEN.documents[D2]
    assert isinstance(before, Present)
    found = decided(decide, SEEN)
    assert found.digest == before.digest
    assert found.text == getattr(before.value, "text", None)
    assert re.fullmatch(
        r"ecr-warden failed to interpret it \(ValueError in test_guardrails\.py, line \d+\)", found.error
    )


def test_an_error_that_no_document_causes_is_raised() -> None:
    with pytest.raises(ValueError, match="of an attacker's choosing"):
        _failing_over(ROLE)
