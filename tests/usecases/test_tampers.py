"""Two bare accounts converge, and converge again after each tampering."""

import json
from copy import replace
from dataclasses import dataclass
from datetime import timedelta

import pytest

from ecr_warden.core.address import Address, attached_policy, identity_policy
from ecr_warden.core.observed import LiveValue, Unparseable
from ecr_warden.core.result import Result
from ecr_warden.core.run import Applied
from ecr_warden.core.sessions import Sessions, denial_of
from iam_access.document.document import Document
from local.testing.seed import (
    ADMIN,
    ANNA,
    ASSUMING,
    CI,
    CUTOFF,
    D1,
    D2,
    D3,
    D4,
    D5,
    EVERYTHING,
    HOME,
    MALLORY,
    MORE_TRUST,
    NOW,
    OPEN_TRUST,
    PUSH_USER,
    PUSHER,
    ROLE,
    SETTINGS,
    allow,
    deny,
    desired,
    document,
    unparseable,
)
from tests.usecases.world import World, bare_world, world_in_sync

PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
USER = f"arn:aws:iam::{CI}:user/push-user"
NARROWS = ("update trust-policy", "create identity-policy ecr-warden-deny-older-sessions")


@dataclass(frozen=True, slots=True)
class Tamper:
    """A change by somebody else (None deletes), and the writes that repair it."""

    name: str
    address: Address
    value: LiveValue | Unparseable | None
    writes: tuple[str, ...]
    attached: bool = False


X_USER = identity_policy(PUSH_USER, "ecr-warden-x")
X_ROLE = identity_policy(PUSHER, "extra")
TAMPERS = (
    Tamper("a foreign account pulls", D1, document(allow(*PULL, who=MALLORY)), ("update repository-policy",)),
    Tamper("everybody pulls", D1, document(allow(*PULL, who="*")), ("update repository-policy",)),
    Tamper("the repository's policy is deleted", D1, None, ("create repository-policy",)),
    Tamper("an action is removed", D1, document(allow(PULL[0], who=ANNA)), ("update repository-policy",)),
    Tamper("everybody is denied", D1, document(deny("ecr:BatchGetImage", who="*")), ("update repository-policy",)),
    Tamper("the repository's policy is no policy", D1, unparseable(), ("update repository-policy",)),
    Tamper("another account's root assumes the role", D2, MORE_TRUST, NARROWS),
    Tamper("only another account's root does", D2, OPEN_TRUST, NARROWS),
    Tamper("the trust policy is no policy", D2, unparseable(), NARROWS),
    Tamper("nobody assumes the role", D2, document(deny("sts:AssumeRole", who="*")), ("update trust-policy",)),
    Tamper("the role may do anything", D3, EVERYTHING, ("update identity-policy ecr-warden-push",)),
    Tamper("the role may do nothing", D3, None, ("create identity-policy ecr-warden-push",)),
    Tamper("a second policy on the role", X_ROLE, EVERYTHING, ("delete identity-policy extra",)),
    Tamper("a second policy that denies", X_ROLE, document(deny("ecr:*")), ("delete identity-policy extra",)),
    Tamper(
        "AdministratorAccess is attached",
        attached_policy(PUSHER, ADMIN),
        None,
        ("delete attached-policy AdministratorAccess",),
        attached=True,
    ),
    Tamper("the boundary is removed", ROLE, replace(SETTINGS, boundary=None), ("update role",)),
    Tamper("sessions last 12 hours", ROLE, replace(SETTINGS, max_session_duration=43200), ("update role",)),
    Tamper("an unknown policy of ours on the user", X_USER, EVERYTHING, ("delete identity-policy ecr-warden-x",)),
    Tamper("push-user may not assume", D4, None, ("create identity-policy ecr-warden-assume",)),
    Tamper("push-user may do anything", D4, EVERYTHING, ("update identity-policy ecr-warden-assume",)),
    Tamper("pull-user may not pull", D5, None, ("create identity-policy ecr-warden-pull",)),
    Tamper("the role is deleted", ROLE, None, ("create role", "create identity-policy ecr-warden-push")),
    Tamper(
        "everybody is locked out for good",
        CUTOFF,
        denial_of(Sessions(NOW + timedelta(days=3000))),
        ("delete identity-policy ecr-warden-deny-older-sessions",),
    ),
    Tamper(
        "our name for ending sessions hides an Allow",
        CUTOFF,
        EVERYTHING,
        ("delete identity-policy ecr-warden-deny-older-sessions",),
    ),
    Tamper(
        "that name on a user",
        identity_policy(PUSH_USER, CUTOFF.name),
        denial_of(Sessions(NOW)),
        ("delete identity-policy ecr-warden-deny-older-sessions",),
    ),
)


def make(world: World, tamper: Tamper) -> None:
    if tamper.value is None and not tamper.attached:
        world.documents.remove(tamper.address)
    else:
        world.put(tamper.address, tamper.value)


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.name)
def test_each_tampering_is_repaired_by_these_writes_and_reported_once(tamper: Tamper) -> None:
    world = world_in_sync()
    make(world, tamper)
    assert world.run(tamper.address.target) is Result.CONVERGED
    assert tuple(world.written) == tamper.writes
    left = [line for line in world.differing() if not line.endswith(CUTOFF.name)]
    assert left == []
    [report] = world.reports
    assert (report.result, report.cause.actor and report.cause.actor.arn) == (
        Result.CONVERGED,
        f"arn:aws:iam::{HOME}:user/mallory",
    )
    assert [outcome.change for outcome in report.outcomes if isinstance(outcome, Applied)] == world.writes
    world.drain()
    assert world.run(tamper.address.target) is Result.IN_SYNC
    assert len(world.reports) == 1
    assert len(world.writes) == len(tamper.writes)


def test_two_bare_accounts_converge() -> None:
    world = bare_world()
    for spec in world.accepted.targets.values():
        world.run(spec.target, actor=None)
    world.drain()
    assert world.differing() == []
    assert world.sweep() == ()


def test_the_role_is_created_before_the_user_may_assume_it_in_any_order_of_jobs() -> None:
    world = bare_world()
    assert world.run(PUSH_USER) is Result.WAITING
    assert (world.writes, world.reports) == ([], [])
    assert world.run(PUSHER) is Result.CONVERGED
    assert world.live(D4) is None
    world.drain()
    assert world.live(D4) == desired(D4)
    assert world.written == [
        "create role",
        "create identity-policy ecr-warden-push",
        "create identity-policy ecr-warden-assume",
    ]


EQUAL: dict[str, tuple[Address, Document]] = {
    "the actions in another order": (
        D1,
        document(allow(*reversed(PULL), who="x", Principal={"AWS": [f"arn:aws:iam::{CI}:user/pull-user-2", ANNA]})),
    ),
    "the actions in another case": (
        D2,
        document(allow(*(action.replace("sts:A", "STS:a") for action in ASSUMING), who=USER)),
    ),
    "lists for scalars": (D2, document(allow(*ASSUMING, who="x", Principal={"AWS": [USER]}))),
    "another Sid": (D2, document(allow(*ASSUMING, who=USER, Sid="Other"))),
    "an action twice": (D2, document(allow("sts:AssumeRole", *ASSUMING, who=USER))),
    "a resource in a list": (
        D4,
        document(allow(*ASSUMING, Resource=[f"arn:aws:iam::{HOME}:role/ecr-warden/ecr-pusher"])),
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_an_equivalent_rewrite_costs_one_read_and_nothing_else(name: str) -> None:
    address, value = EQUAL[name]
    world = world_in_sync()
    assert value != desired(address)
    world.put(address, value)
    assert world.run(address.target) is Result.IN_SYNC
    assert (world.documents.reads, world.writes, world.alerts.published, world.jobs.sent) == (1, [], [], [])
    assert world.live(address) == value
    assert world.sweep() == ()


@pytest.mark.parametrize("name", EQUAL)
def test_the_same_rewrite_with_one_more_action_is_repaired(name: str) -> None:
    address, value = EQUAL[name]
    world = world_in_sync()
    more = document(*[{"Sid": "A", "Effect": "Allow"} | entry for entry in _with_action(value)])
    world.put(address, more)
    assert world.run(address.target) is Result.CONVERGED
    assert world.live(address) == desired(address)
    assert len(world.writes) == (2 if address == D2 else 1)


def _with_action(value: Document) -> list[dict[str, object]]:
    [statement] = json.loads(value.text)["Statement"]
    service = "sts:SetContext" if "ecr" not in value.text.split("Action")[1][:12] else "ecr:ListImages"
    return [statement | {"Action": [*statement["Action"], service]}]
