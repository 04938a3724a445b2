"""A hub of 2,000 repositories in five accounts that is attacked in a hundred places at once."""

import json
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from ecr_warden.core.address import Address, AddressKind
from ecr_warden.core.desired import MustNotExist
from ecr_warden.core.failures import Throttled
from ecr_warden.core.job import ReconcileTarget
from ecr_warden.core.target import RepositoryTarget
from ecr_warden.events.dispatch import Dispatch
from local.testing.seed import EVERYTHING, MALLORY, allow, compiled, document
from tests.prove.judge import swept, unjournalled, unreported, unsettled
from tests.prove.wiring import Call, Hub
from tests.template.cfn import ROOT
from tests.usecases.world import OPEN, Crash, World, bare_world

pytestmark = pytest.mark.thorough

ACCOUNTS = [f"{number}" * 12 for number in range(1, 6)]
TEAMS, REPOSITORIES = 20, 20
"""Of each account, and of each team."""
ATTACKS, LOST = 100, 10
_CALLS = {
    AddressKind.REPOSITORY_POLICY: ("ecr-SetRepositoryPolicy", "repositoryName"),
    AddressKind.TRUST_POLICY: ("iam-UpdateAssumeRolePolicy", "roleName"),
    AddressKind.IDENTITY_POLICY: ("iam-PutUserPolicy", "userName"),
}
_THEIRS = {
    AddressKind.REPOSITORY_POLICY: (OPEN, None, document(allow("ecr:*", who=MALLORY))),
    AddressKind.TRUST_POLICY: (document(allow("sts:AssumeRole", who="*")),),
    AddressKind.IDENTITY_POLICY: (EVERYTHING, None),
}


def _spec() -> str:
    accounts = [f'  a{number}: {{id: "{of}", regions: [eu-central-1]}}' for number, of in enumerate(ACCOUNTS)]
    repositories = [
        f"  - {{name: team-{team}/r-{number}, account: a{account}, pull: [a{account}:user/puller-{team}]"
        + (f", push: [{{role: pusher-{team}, by: [a{account}:user/ci]}}]}}" if number == 0 else "}")
        for account in range(len(ACCOUNTS))
        for team in range(TEAMS)
        for number in range(REPOSITORIES)
    ]
    settings = "settings: {mode: enforce}"
    return "\n".join(["version: 1", settings, "accounts:", *accounts, "repositories:", *repositories])


def _in_sync() -> World:
    world = bare_world(compiled(_spec()))
    for spec in world.accepted.targets.values():
        for address, value in spec.documents.items():
            if not isinstance(value, MustNotExist):
                world.put(address, value)
        if spec.target.key.startswith("role/"):
            world.documents.tagged.add(spec.target)
    assert not world.differing()
    return world


class _Bad:
    """A wire on which now and then a call is throttled, or the process dies before or after one."""

    def __init__(self, chance: Random) -> None:
        self.chance, self.is_on, self.happened = chance, True, 0

    def __call__(self, call: Call) -> Any:
        found = self.chance.random() if self.is_on else 1.0
        self.happened += found < 0.028
        if found < 0.02:
            raise Throttled(f"{call} is throttled", retryable=True)
        if found < 0.024:
            raise Crash
        answer = call.make()
        if found < 0.028:
            raise Crash
        return answer


def _attacked(world: World, chance: Random) -> Iterator[tuple[Address, dict[str, Any]]]:
    """Documents that mallory changes, and what CloudTrail reports of it."""
    known = [address for address in world.documents.live if address.kind in _CALLS]
    for number, address in enumerate(chance.sample(known, ATTACKS)):
        theirs = chance.choice(_THEIRS[address.kind])
        if theirs is None:
            world.documents.remove(address)
        else:
            world.put(address, theirs)
        stem, parameter = _CALLS[address.kind]
        if address.kind is AddressKind.IDENTITY_POLICY and address.target.key.startswith("role/"):
            stem, parameter = "iam-PutRolePolicy", "roleName"
        yield address, _event(stem, number, address, {parameter: address.target.name})


def _event(stem: str, number: int, address: Address, parameters: dict[str, str]) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{stem}.json").read_text())
    detail, target = event["detail"], address.target
    if isinstance(target, RepositoryTarget):
        parameters["registryId"] = target.account
    detail["requestParameters"] = {**parameters, "policyName": address.name}
    detail["eventID"] = f"00000000-0000-4000-8000-{number:012}"
    detail["recipientAccountId"] = detail["userIdentity"]["accountId"] = event["account"] = target.account
    return event


def _at_random(hub: Hub, chance: Random) -> None:
    """Deliver in any order until nothing is left, some messages twice: a standard queue promises no more."""
    for _ in range(20 * ATTACKS):
        sent, hub.world.jobs.sent[:] = [*hub.world.jobs.sent], []
        for job in sent:
            hub.send(job)
            if isinstance(job, ReconcileTarget) and chance.random() < 0.2:
                hub.send(job)
        hub.do_one()
        if not hub.waiting:
            return
        chance.shuffle(hub.waiting)
        hub.world.clock.advance(timedelta(milliseconds=chance.randrange(2000)))
    raise AssertionError(f"{len(hub.waiting)} jobs are still left")


def test_two_thousand_repositories_attacked_in_a_hundred_places_are_right_again_and_nothing_is_lost() -> None:
    chance = Random(1)
    world = _in_sync()
    bad = _Bad(chance)
    hub = Hub(world, wire=bad)
    dispatch = Dispatch(world.jobs, "bucket", "access.yaml")
    attacks = [*_attacked(world, chance)]
    assert len([key for key in world.accepted.targets if key.startswith("repository/")]) == 2000
    chance.shuffle(attacks)
    for _, event in attacks[LOST:]:
        dispatch.dispatch(event)
    _at_random(hub, chance)
    bad.is_on = False
    assert bad.happened > 20
    lost = {str(address.target) for address, _ in attacks[:LOST]}
    found = {str(job.target) for job in swept(hub)}
    assert lost <= found
    wrong: list[str] = [*unsettled(hub), *unjournalled(hub), *unreported(hub)]
    assert wrong == []
    assert {report.plan.target.key for report in world.reports if report.applied} >= {
        address.target.key for address, _ in attacks
    }
