"""Sessions that a repair ended, and attempts to reopen them."""

import json
from copy import replace
from datetime import timedelta

import pytest

from ecr_warden.core.address import AWS_REVOKE_OLDER_SESSIONS, DENY_OLDER_SESSIONS, identity_policy, trust_policy
from ecr_warden.core.desired import CompiledSpec, Mode
from ecr_warden.core.job import Cause, CauseKind, reconcile_jobs
from ecr_warden.core.plan import Change
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.sessions import Sessions, denial_of, denied_by
from ecr_warden.core.target import RoleTarget, Target
from ecr_warden.notify.kinds import message_of
from ecr_warden.repair.cutoff import LOOK_MARGIN
from iam_access.document.document import Document, parse_document
from local.testing.seed import (
    ACCEPTED,
    CUTOFF,
    D2,
    EVERYTHING,
    HOME,
    MALLORY,
    MORE_TRUST,
    NOW,
    PUSHER,
    SPEC_FILE,
    allow,
    compiled,
    document,
    unparseable,
)
from tests.usecases.hub import hub_status
from tests.usecases.test_status import codes
from tests.usecases.world import World, world_in_sync

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ENDED = Sessions(NOW + MINUTE, since=NOW - LOOK_MARGIN)


def world_after_a_repair(accepted: object = ACCEPTED) -> World:
    """The trust policy was open, it was narrowed an hour ago, and the older sessions were ended."""
    world = world_in_sync(accepted)  # type: ignore[arg-type]
    world.put(D2, MORE_TRUST)
    assert world.run(PUSHER) is Result.CONVERGED
    world.drain()
    world.clock.advance(HOUR)
    world.forget()
    return world


def cutoff(world: World) -> object:
    live = world.live(CUTOFF)
    return denied_by(live) if isinstance(live, Document) else None


WAYS = {
    "deleted": None,
    "back-dated": denial_of(Sessions(ENDED.before - timedelta(seconds=1))),
    "back-dated so far that it is spent": denial_of(Sessions(NOW - 99 * HOUR)),
    "replaced": EVERYTHING,
    "made something that is no policy": unparseable(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("swept", [False, True], ids=["by an event", "by the sweep"])
def test_ended_sessions_stay_ended_when_somebody_tampers_with_the_cut_off(way: str, swept: bool) -> None:
    world, value = world_after_a_repair(), WAYS[way]
    if value is None:
        world.documents.remove(CUTOFF)
    else:
        world.put(CUTOFF, value)
    if swept:
        assert world.sweep() == (PUSHER,)
        world.drain()
    else:
        assert world.run(PUSHER) is Result.CONVERGED
    assert cutoff(world) == ENDED, "sessions opened by the spec's own principals since then go on"
    [run] = world.announced
    message = message_of([run])
    assert message.severity is Severity.CRITICAL
    assert any("were ended and work again" in line for line in message.lines), message
    assert (world.sweep(), world.run(PUSHER)) == ((), Result.IN_SYNC)


def test_removing_the_cut_off_again_and_again_gains_nothing_until_all_sessions_expired() -> None:
    world = world_after_a_repair()
    while world.clock.now() <= ENDED.before + 12 * HOUR:
        world.documents.remove(CUTOFF)
        world.run(PUSHER)
        assert cutoff(world) == ENDED
        world.clock.advance(HOUR)
    world.documents.remove(CUTOFF)
    world.forget()
    assert world.run(PUSHER) is Result.IN_SYNC
    assert (world.writes, world.sweep(), world.live(CUTOFF)) == ([], (), None)


def test_in_observe_mode_reopened_sessions_are_reported_once_and_left() -> None:
    world = world_after_a_repair()
    world.specs.compiled = replace(ACCEPTED, mode=Mode.OBSERVE)
    world.documents.remove(CUTOFF)
    for _ in range(3):
        assert world.sweep() == (PUSHER,)
        world.drain()
    assert (world.writes, len(world.reports)) == ([], 1)
    assert message_of(world.announced).severity is Severity.CRITICAL
    world.specs.compiled = ACCEPTED
    world.run(PUSHER)
    assert cutoff(world) == ENDED


def slow(world: World, by: timedelta) -> None:
    """AWS takes the trust policy so much later."""

    def wait(_: Target, change: Change | None) -> None:
        if change is not None and change.address == D2:
            world.clock.advance(by)

    world.documents.faults = wait


@pytest.mark.parametrize("late", [timedelta(seconds=1), timedelta(milliseconds=1)], ids=str)
def test_sessions_opened_between_the_cut_off_and_a_late_write_end_too(late: timedelta) -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    slow(world, MINUTE + late)
    assert world.run(PUSHER) is Result.CONVERGED
    assert cutoff(world) == ENDED
    world.drain()
    assert cutoff(world) == replace(ENDED, before=ENDED.before + timedelta(seconds=1))
    _, second = world.reports
    assert second.plan.drifts == (), "nobody reopened anything"
    assert world.sweep() == ()


def test_a_write_within_the_margin_needs_no_second_one() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)
    slow(world, MINUTE)
    assert world.run(PUSHER) is Result.CONVERGED
    world.drain()
    assert (cutoff(world), len(world.reports), world.sweep()) == (ENDED, 1, ())


def test_a_repair_is_not_done_before_its_cut_off_is_visible() -> None:
    world = world_in_sync()
    world.put(D2, MORE_TRUST)

    def undo(_: Target, change: Change | None) -> None:
        if change is None and len(world.writes) == 2:
            world.documents.live.pop(CUTOFF, None)

    world.documents.faults = undo
    assert world.run(PUSHER) is not Result.CONVERGED
    world.recover()
    assert world.sweep() == (PUSHER,)
    world.drain()
    assert cutoff(world) == ENDED


def test_sessions_of_a_removed_role_stay_ended_until_they_have_expired() -> None:
    literal = compiled((SPEC_FILE.parent / "literal.yaml").read_bytes())
    world = world_after_a_repair(literal)
    left = {key: spec for key, spec in literal.targets.items() if key != PUSHER.key}
    world.specs.compiled = replace(literal, targets=left)
    assert (world.sweep(), world.run(PUSHER)) == ((), Result.IN_SYNC)
    assert cutoff(world) == ENDED
    world.clock.advance(12 * HOUR)
    assert world.sweep() == (PUSHER,)
    world.drain()
    assert (world.live(CUTOFF), world.sweep()) == (None, ())


REVOKED = identity_policy(PUSHER, AWS_REVOKE_OLDER_SESSIONS)


def test_moving_the_cut_off_forward_locks_nobody_out() -> None:
    world = world_after_a_repair()
    for _ in range(3):
        world.forget()
        world.put(CUTOFF, denial_of(Sessions(world.clock.now() + 59 * MINUTE)))
        assert world.sweep() == (PUSHER,)
        world.drain()
        assert cutoff(world) == ENDED
        [run] = world.announced
        assert any("denies all access until" in line for line in message_of([run]).lines)
        world.clock.advance(HOUR)
    assert world.sweep() == ()


@pytest.mark.parametrize("way", ["by an event", "by the sweep"])
def test_a_lock_out_under_the_name_of_a_responders_policy_is_removed(way: str) -> None:
    world = world_in_sync()
    world.put(REVOKED, denial_of(Sessions(NOW + 24 * 3650 * HOUR)))
    if way == "by the sweep":
        assert world.sweep() == (PUSHER,)
        world.drain()
    else:
        assert world.run(PUSHER) is Result.CONVERGED
    assert world.written == ["delete identity-policy AWSRevokeOlderSessions"]
    assert any("denies all access until" in line for line in message_of(world.announced).lines)
    assert (world.differing(), world.sweep()) == ([], ())


@pytest.mark.parametrize("way", ["by events", "by sweeps"])
def test_a_responders_clock_may_be_ahead_once_a_day(way: str) -> None:
    world = world_in_sync()

    def revoke(ahead: timedelta) -> Result | None:
        world.put(REVOKED, denial_of(Sessions(world.clock.now() + ahead)))
        if way == "by sweeps":
            world.sweep()
            world.drain()
            return None
        return world.run(PUSHER)

    revoke(55 * MINUTE)
    assert (world.writes, world.sweep(), world.run(PUSHER)) == ([], (), Result.IN_SYNC)
    for minutes in range(50, 24 * 60, 50):  # before it is over, and once it is
        world.clock.advance(NOW + minutes * MINUTE - world.clock.now())
        world.forget()
        revoke(55 * MINUTE)
        assert world.written == ["delete identity-policy AWSRevokeOlderSessions"]
        assert any("denies all access until" in line for line in message_of(world.announced).lines)
        revoke(timedelta())
        assert isinstance(world.live(REVOKED), Document)
    world.clock.advance(NOW + 25 * HOUR - world.clock.now())
    world.forget()
    revoke(55 * MINUTE)
    assert (world.writes, isinstance(world.live(REVOKED), Document)) == ([], True)


@pytest.mark.parametrize("ago", [timedelta(), HOUR, 24 * HOUR], ids=["now", "an hour ago", "yesterday"])
def test_a_cut_off_of_an_incident_responder_stays(ago: timedelta) -> None:
    world = world_in_sync()
    world.put(REVOKED, denial_of(Sessions(NOW - ago)))
    assert (world.sweep(), world.run(PUSHER), world.writes) == ((), Result.IN_SYNC, [])


BUILDER = RoleTarget(HOME, "builder")
BUILDERS = trust_policy(BUILDER)
CUT = identity_policy(BUILDER, DENY_OLDER_SESSIONS)
LAMBDA = allow("sts:AssumeRole", who="x", Principal={"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]})
OPENED = document(LAMBDA, allow("sts:AssumeRole", who=MALLORY))


def of_builder(*trusted: dict[str, object]) -> CompiledSpec:
    """A spec with one literal document: the trust policy of the role."""
    account = {"registry": {"id": HOME, "regions": ["eu-central-1"]}}
    literal = {"kind": "trust-policy", "account": "registry", "role": BUILDER.name}
    statements = {"Version": "2012-10-17", "Statement": list(trusted)}
    spec = {"version": 1, "accounts": account, "settings": {"mode": "enforce"}}
    return compiled(json.dumps(spec | {"documents": [literal | {"document": statements}]}).encode())


def test_a_repair_ends_no_sessions_of_a_role_for_services_alone_and_says_so_first() -> None:
    world = world_in_sync(of_builder(LAMBDA))
    world.put(BUILDERS, OPENED)
    assert world.run(BUILDER) is Result.CONVERGED
    world.drain()
    assert (world.written, world.live(CUT)) == (["update trust-policy"], None)
    [run] = world.announced
    message = message_of([run])
    assert message.title.startswith("sessions go on: ")
    until, command = message.lines[0], message.fields[-1].text
    assert until.startswith(
        "Sessions that were opened through it meanwhile go on, until 2026-11-24T22:00:00Z at the latest"
    )
    assert "aws iam put-role-policy --profile ... --role-name builder --policy-name AWSRevokeOlderSessions" in command
    policy = parse_document(json.loads(command.partition("--policy-document '")[2].rstrip("'")))
    assert denied_by(policy) == Sessions(NOW)
    assert (
        message_of([*world.announced, *world.announced])
        .lines[0]
        .startswith("role/222222222222/builder: open, repaired")
    )


def test_status_lists_sessions_that_outlive_a_repair_until_they_have_expired() -> None:
    world = world_in_sync(of_builder(LAMBDA))
    world.put(BUILDERS, OPENED)
    world.run(BUILDER)
    [trouble] = hub_status(world).troubles
    assert (trouble.code, "AWSRevokeOlderSessions" in trouble.remedy) == ("sessions-go-on", True)
    assert trouble.message.startswith(f"sessions of role/{HOME}/builder issued between ")
    assert (world.sweep(), world.run(BUILDER)) == ((), Result.IN_SYNC)
    world.put(identity_policy(BUILDER, AWS_REVOKE_OLDER_SESSIONS), denial_of(Sessions(world.clock.now())))
    assert (world.sweep(), world.run(BUILDER)) == ((), Result.IN_SYNC)
    world.clock.advance(13 * HOUR)
    world.sweep()
    assert "sessions-go-on" not in codes(world)


OTHERS: dict[str, tuple[dict[str, object], ...]] = {
    "a user too": (LAMBDA, allow("sts:AssumeRole", who=f"arn:aws:iam::{HOME}:user/anna")),
    "whoever has a token": (
        allow(
            "sts:AssumeRoleWithWebIdentity",
            who="x",
            Principal={"Federated": f"arn:aws:iam::{HOME}:oidc-provider/gitlab.com"},
            Condition={"StringEquals": {"gitlab.com:sub": "project_path:acme/shop:ref_type:branch:ref:main"}},
        ),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_repair_ends_sessions_of_a_role_that_somebody_else_may_assume(name: str) -> None:
    trusted = OTHERS[name]
    world = world_in_sync(of_builder(*trusted))
    world.put(BUILDERS, document(*trusted, allow("sts:AssumeRole", who=MALLORY)))
    assert world.run(BUILDER) is Result.CONVERGED
    assert isinstance(world.live(CUT), Document)
    assert "go on" not in message_of(world.announced).title
    assert codes(world) == []


def test_a_cut_off_on_a_role_for_services_stays_and_goes_once_it_is_spent() -> None:
    world = world_in_sync(of_builder(LAMBDA))
    world.put(CUT, denial_of(Sessions(NOW)))
    assert (world.sweep(), world.run(BUILDER)) == ((), Result.IN_SYNC)
    world.documents.remove(CUT)
    assert (world.sweep(), world.run(BUILDER)) == ((), Result.IN_SYNC)
    world.put(CUT, denial_of(Sessions(NOW)))
    world.clock.advance(13 * HOUR)
    assert world.sweep() == (BUILDER,)
    world.drain()
    assert world.live(CUT) is None


GITHUB = "token.actions.githubusercontent.com"
JOBS = trust_policy(PUSHER)


def of_jobs(names: str) -> CompiledSpec:
    """Jobs of GitHub repositories of one letter push, and two users."""
    by = ", ".join(f"{{github: acme/{name}, owner_id: 12, repository_id: {ord(name)}, branch: main}}" for name in names)
    accounts = f'{{registry: {{id: "{HOME}", regions: [eu-central-1]}}}}'
    push = f"[{{role: {PUSHER.name}, by: [{by}, registry:user/push-user, registry:user/dora]}}]"
    return compiled(
        f"""
version: 1
accounts: {accounts}
repositories: [{{name: shop/checkout, account: registry, push: {push}}}]
settings: {{mode: enforce}}
""",
        version=names,
    )


def one_by_one(names: str) -> Document:
    """The trust policy with a statement for each repository, in a form of its own."""
    tagging = ["sts:TagSession", "sts:SetSourceIdentity"]
    users = allow("sts:AssumeRole", *tagging, who="")
    users["Principal"] = {"AWS": [f"arn:aws:iam::{HOME}:user/{name}" for name in ("push-user", "dora")]}
    jobs = [
        allow("sts:AssumeRoleWithWebIdentity", *tagging, who="")
        | {
            "Principal": {"Federated": f"arn:aws:iam::{HOME}:oidc-provider/{GITHUB}"},
            "Condition": {
                "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:repository_id": f"{ord(name)}"},
                "StringLike": {
                    f"{GITHUB}:sub": [
                        f"repo:acme@12/*@{ord(name)}:ref:refs/heads/main",
                        f"repo:acme/{name}:ref:refs/heads/main",
                    ]
                },
            },
        }
        for name in names
    ]
    return document(*jobs, users)


def test_an_upgrade_finds_the_trust_policy_of_a_few_repositories_as_it_is_written() -> None:
    world = world_in_sync(of_jobs("abc"))
    world.put(JOBS, one_by_one("abc"))
    assert (world.sweep(), world.run(PUSHER)) == ((), Result.IN_SYNC)
    assert (world.writes, world.announced) == ([], [])


# Before and after, how many statements there are then, and whether older sessions end.
CHANGED_JOBS = {
    "another, with a statement of its own": ("ab", "abc", 4, False),
    "another, for which the statements are merged": ("abc", "abcd", 2, False),
    "another, in the merged statement": ("abcd", "abcde", 2, False),
    "one goes from the merged statement": ("abcde", "abcd", 2, True),
    "one goes, and there is room for statements of their own": ("abcd", "abc", 4, True),
}


@pytest.mark.parametrize("name", CHANGED_JOBS)
def test_sessions_end_only_if_a_repository_goes_however_statements_are_merged(name: str) -> None:
    before, after, statements, ends = CHANGED_JOBS[name]
    world = world_in_sync(of_jobs(before))
    world.specs.compiled = of_jobs(after)
    assert world.run(PUSHER, actor=None) is Result.CONVERGED
    live = world.live(JOBS)
    assert isinstance(live, Document)
    assert len(live.statements) == statements
    assert isinstance(world.live(CUTOFF), Document) is ends
    assert world.written[0] == "update trust-policy"
    assert world.run(PUSHER, actor=None) is Result.IN_SYNC


@pytest.mark.parametrize("names", ["abc", "abcdef"], ids=["each with a statement", "merged"])
@pytest.mark.parametrize("is_swept", [False, True], ids=["by the roll-out", "by a sweep that was first"])
def test_an_upgrade_that_names_owners_ends_no_session_from_before_the_last_look(names: str, is_swept: bool) -> None:
    world = world_in_sync(of_jobs(names))
    new = of_jobs(names)
    desired = new.targets[PUSHER.key].documents[JOBS]
    assert isinstance(desired, Document)
    old = parse_document(desired.text.replace("repo:acme@12/", "repo:*@12/"))
    entry = replace(new.targets[PUSHER.key], documents={**new.targets[PUSHER.key].documents, JOBS: old})
    world.specs.compiled = replace(new, targets={**new.targets, PUSHER.key: entry})
    world.put(JOBS, old)
    assert (world.sweep(), world.run(PUSHER)) == ((), Result.IN_SYNC)
    world.clock.advance(15 * MINUTE)
    world.specs.compiled = new
    world.jobs.enqueue(() if is_swept else reconcile_jobs(Cause(CauseKind.SPEC, new.version), [PUSHER]))
    assert not is_swept or world.sweep() == (PUSHER,)
    world.drain()
    assert world.live(JOBS) == desired
    assert cutoff(world) == Sessions(NOW + 16 * MINUTE, since=NOW - LOOK_MARGIN)
    [run] = world.announced
    assert message_of([run]).severity is (Severity.CRITICAL if is_swept else Severity.INFO)
    # Whoever brings the earlier form back later opens a door, which older looks at it do not excuse.
    world.clock.advance(13 * HOUR)
    world.sweep()
    world.drain()
    world.put(JOBS, old)
    assert world.run(PUSHER) is Result.CONVERGED
    assert cutoff(world) == Sessions(world.clock.now() + MINUTE, since=world.clock.now() - LOOK_MARGIN)
