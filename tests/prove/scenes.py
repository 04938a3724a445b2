"""Worlds in which there is something to do, each with the job that it begins with."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache

from ecr_warden.core.address import identity_policy
from ecr_warden.core.desired import CompiledSpec
from ecr_warden.core.job import (
    AcceptSpec,
    Cause,
    CauseKind,
    FollowClock,
    ReconcileTarget,
    SurveyIdentities,
    SweepAll,
    SweepIdentities,
    SweepRepositories,
)
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target
from ecr_warden.hub.request import request_to_text
from ecr_warden.state.commands import Accept, PauseUntil, ReconcileTargets, Reject
from ecr_warden.state.hold import Hold
from ecr_warden.state.specs import SpecVersion
from local.testing.seed import (
    CHECKOUT,
    D1,
    D2,
    D3,
    D4,
    D5,
    EVERYTHING,
    HOME,
    MORE_TRUST,
    NOW,
    OPEN_TRUST,
    OUTSIDER,
    PULL_USER,
    PUSH_USER,
    PUSHER,
    ROLE,
    allow,
    compiled,
    document,
    identity_document,
)
from tests.prove.wiring import Hub
from tests.usecases.hub import HUB, commands_of
from tests.usecases.uploads import TEXT
from tests.usecases.world import MALLORY, OPEN, World, world_in_sync

EVENT = Cause(CauseKind.EVENT, "event", "iam:PutRolePolicy", actor=MALLORY)
SWEEP = Cause(CauseKind.SWEEP, "a-sweep")
LEFT = TEXT.replace("shop/checkout", "shop/basket")
USERS_OF_TEAM, USERS_LEFT = "[ci:user/pull-user-1, ci:user/pull-user-2]", "[ci:user/pull-user-2]"
FEWER = TEXT.replace(USERS_OF_TEAM, USERS_LEFT)
PAUSE = PauseUntil("the-pause", (CHECKOUT, PUSHER), "a migration", NOW + timedelta(hours=1))
_ECR = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}}


@cache
def _spec(text: str) -> CompiledSpec:
    return compiled(text.encode())


def spec_in_sync(text: str) -> World:
    """A world that is as this spec says."""
    return world_in_sync(_spec(text))


def _hub(text: str = TEXT, max_removed: int | None = None) -> Hub:
    world = spec_in_sync(text)
    world.max_removed = max_removed
    return Hub(world)


def _proved() -> Hub:
    """All parts have been surveyed and proved."""
    hub = _hub()
    world = hub.world
    world.audits.kept = None
    hub.send(SweepAll(Cause(CauseKind.SWEEP, "the-first-sweep")))
    hub.settle()
    world.forget()
    return hub


def _event(hub: Hub, target: Target) -> Hub:
    hub.send(ReconcileTarget(EVENT, target))
    return hub


def _repository() -> Hub:
    hub = _hub()
    hub.world.put(D1, OPEN)
    return _event(hub, CHECKOUT)


def _role() -> Hub:
    hub = _hub()
    hub.world.put(D2, MORE_TRUST)
    hub.world.put(D3, document(allow("ecr:PutImage", "iam:*")))
    hub.world.put(identity_policy(PUSHER, "extra"), EVERYTHING)
    return _event(hub, PUSHER)


def _role_turned_over() -> Hub:
    hub = _hub()
    hub.world.put(D2, OPEN_TRUST)
    return _event(hub, PUSHER)


def _deleted_role() -> Hub:
    hub = _hub()
    hub.world.documents.remove(ROLE)
    return _event(hub, PUSHER)


def _user() -> Hub:
    hub = _hub()
    hub.world.put(D4, EVERYTHING)
    hub.world.put(identity_policy(PUSH_USER, "ecr-warden-more"), EVERYTHING)
    hub.world.documents.remove(D5)
    return _event(_event(hub, PUSH_USER), PULL_USER)


def _recreated_user() -> Hub:
    hub = _hub()
    hub.world.documents.unmake(PUSH_USER)
    hub.world.documents.make(PUSH_USER)
    return _event(hub, PUSH_USER)


def upload(hub: Hub, text: str, version: str) -> AcceptSpec:
    """Upload a version of the spec; the job that its event leads to."""
    hub.world.specs.file = SpecVersion(version, text.encode())
    return AcceptSpec(Cause(CauseKind.EVENT, f"upload-{version}", "s3:PutObject"))


def _uploaded(text: str, before: str = TEXT, max_removed: int | None = None) -> Hub:
    hub = _hub(before, max_removed)
    hub.world.specs.older = (SpecVersion("v1", before.encode()),)
    hub.send(upload(hub, text, "v2"))
    return hub


def _new_spec() -> Hub:
    return _uploaded(FEWER)


def _refused_spec() -> Hub:
    return _uploaded(TEXT.replace("[deployers]", "[deplyers]"))


def _removed() -> Hub:
    hub = _uploaded(LEFT, before=TEXT)
    hub.world.documents.make(RepositoryTarget(HOME, CHECKOUT.region, "shop/basket"))
    return hub


def held_spec() -> tuple[Hub, Hold]:
    """A version of the spec waits for a person, as each that removes anything; and its hold."""
    hub = _careful_spec()
    hub.settle()
    [hold] = hub.world.holds.waiting()
    hub.world.forget()
    return hub, hold


def _accepted_by_a_person() -> Hub:
    hub, hold = held_spec()
    commands_of(hub.world).carry_out(request_to_text(Accept("the-command", hold.id)), "alice", HUB)
    return hub


def _rejected_by_a_person() -> Hub:
    hub, hold = held_spec()
    commands_of(hub.world).carry_out(request_to_text(Reject("the-command", hold.id)), "alice", HUB)
    return hub


def _careful_spec() -> Hub:
    return _uploaded(FEWER, max_removed=0)


def _grant_ended() -> Hub:
    """One of two grants of the role has ended, and its sessions go on."""
    until = NOW + timedelta(minutes=10)
    grant = f"      - {{role: ecr-pusher, by: [ci:user/dora], until: {until.isoformat()}}}\n"
    hub = _hub(TEXT.replace("settings:", f"{grant}settings:"))
    hub.world.clock.time = until + timedelta(minutes=10)
    return _event(hub, PUSHER)


def _swept_registry() -> Hub:
    hub = _proved()
    hub.world.put(D1, OPEN)
    hub.send(SweepRepositories(SWEEP, HOME, CHECKOUT.region))
    return hub


def _swept_account() -> Hub:
    hub = _proved()
    hub.world.put(D3, EVERYTHING)
    orphan = RoleTarget(HOME, "nobody-knows")
    hub.world.put(identity_policy(orphan, "ecr-warden-pull"), identity_document())
    hub.send(SweepIdentities(SWEEP, HOME))
    return hub


def _surveyed() -> Hub:
    """Somebody makes a role that lets an outsider in."""
    hub = _proved()
    principal = {"AWS": f"arn:aws:iam::{OUTSIDER}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    role = {
        "Arn": f"arn:aws:iam::{HOME}:role/shadow-pusher",
        "RoleId": "AROASHADOW",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust},
        "RolePolicyList": [{"PolicyName": "images", "PolicyDocument": _ECR}],
    }
    hub.world.reader.others[HOME] = {"RoleDetailList": [role]}
    hub.send(SurveyIdentities(EVENT, HOME))
    return hub


def _pause_ends() -> Hub:
    hub = _hub()
    hub.world.tick()
    commands_of(hub.world).carry_out(request_to_text(PAUSE), "alice", HUB)
    hub.world.put(D1, OPEN)
    hub.world.put(D3, EVERYTHING)
    hub.world.clock.advance(timedelta(hours=1))
    hub.world.alerts.published.clear()
    hub.send(FollowClock(Cause(CauseKind.SWEEP, "the-tick")))
    return hub


def _applied() -> Hub:
    """A command asked for two runs."""
    hub = _hub()
    hub.world.put(D1, OPEN)
    hub.world.put(D4, EVERYTHING)
    commands_of(hub.world).carry_out(
        request_to_text(ReconcileTargets("the-command", (CHECKOUT, PUSH_USER))), "alice", HUB
    )
    return hub


SCENES: Mapping[str, Callable[[], Hub]] = {
    "a repository is repaired": _repository,
    "a role with its trust policy and permissions": _role,
    "a role that only others may take": _role_turned_over,
    "a deleted role": _deleted_role,
    "the policies of two users": _user,
    "a recreated user": _recreated_user,
    "a new spec is accepted": _new_spec,
    "a new spec is refused": _refused_spec,
    "a new spec waits for a person": _careful_spec,
    "a person accepts a spec that waits": _accepted_by_a_person,
    "a person rejects a spec that waits": _rejected_by_a_person,
    "a removed repository": _removed,
    "a registry is swept": _swept_registry,
    "an account is swept": _swept_account,
    "a survey and its proof": _surveyed,
    "a pause ends": _pause_ends,
    "a grant of a role has ended": _grant_ended,
    "targets are applied": _applied,
}
