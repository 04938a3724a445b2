"""State: leases, the journal, and what is remembered of targets."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from ecr_warden.aws.table import packed
from ecr_warden.core.failures import LeaseHeld
from ecr_warden.core.job import Actor
from ecr_warden.core.run import Debts
from ecr_warden.core.sessions import Sessions, TrustLook
from ecr_warden.core.target import RepositoryTarget, Target, UserTarget
from ecr_warden.state.aws_items import run_key, state_key
from ecr_warden.state.fight import OthersVersion, Repairs
from ecr_warden.state.state import Learned, TargetRecord
from local.testing.seed import CHECKOUT, CI, D1, HOME, PUSH_USER, PUSHER
from tests.contracts.hubs import Hub, MotoHub
from tests.contracts.runs import NOW, open_run, report

PULLER = f"arn:aws:iam::{CI}:user/pull-user-1"
CUTOFF = datetime(2026, 1, 1, 12, 30, 15, tzinfo=UTC)
OTHER = f"arn:aws:iam::{CI}:user/pull-user-2"


def record(hub: Hub) -> TargetRecord:
    """The record that the next run gets."""
    lease, found = hub.state.acquire(CHECKOUT, "looks")
    hub.state.release(lease, Learned(reported=found.reported))
    return replace(found, last=None)


def test_target_that_was_never_read_has_an_empty_record(hub: Hub) -> None:
    lease, found = hub.state.acquire(CHECKOUT, "r1")
    assert found == TargetRecord()
    assert (lease.target, lease.run_id) == (CHECKOUT, "r1")
    assert lease.expires_at > hub.clock.now()


def test_lease_is_exclusive_until_it_is_released(hub: Hub) -> None:
    lease, _ = hub.state.acquire(CHECKOUT, "r1")
    with pytest.raises(LeaseHeld) as caught:
        hub.state.acquire(CHECKOUT, "r2")
    assert caught.value.retryable
    assert hub.state.holds(lease)
    hub.state.release(lease, Learned(reported=None))
    assert not hub.state.holds(lease)
    later, _ = hub.state.acquire(CHECKOUT, "r2")
    assert later.fencing_token > lease.fencing_token


def test_leases_of_other_targets_are_independent(hub: Hub) -> None:
    hub.state.acquire(CHECKOUT, "r1")
    hub.state.acquire(PUSHER, "r2")
    with pytest.raises(LeaseHeld):
        hub.state.acquire(type(PUSHER)(PUSHER.account, PUSHER.name.upper()), "r3")


def test_lease_is_held_until_the_moment_it_expires_and_free_from_then_on(hub: Hub) -> None:
    lease, _ = hub.state.acquire(CHECKOUT, "r1")
    hub.clock.advance(lease.expires_at - hub.clock.now() - timedelta(milliseconds=1))
    assert hub.state.holds(lease)
    with pytest.raises(LeaseHeld):
        hub.state.acquire(CHECKOUT, "r2")
    hub.clock.advance(timedelta(milliseconds=1))
    assert not hub.state.holds(lease)
    later, _ = hub.state.acquire(CHECKOUT, "r2")
    assert later.fencing_token > lease.fencing_token
    assert hub.state.holds(later)
    assert not hub.state.holds(lease)


def test_whoever_lost_the_lease_changes_nothing(hub: Hub) -> None:
    loser, _ = hub.state.acquire(CHECKOUT, "r1")
    hub.state.open_run(loser, open_run("r1"), Debts())
    hub.clock.advance(loser.expires_at - hub.clock.now())
    holder, found = hub.state.acquire(CHECKOUT, "r2")
    assert found.open_run == "r1"
    hub.state.release(loser, Learned(reported="by the loser", unique_id="AIDALOSER"))
    assert hub.state.holds(holder)
    with pytest.raises(LeaseHeld):
        hub.state.open_run(loser, open_run("r3"), Debts(Sessions(CUTOFF)))
    with pytest.raises(LeaseHeld):
        hub.state.close_run(loser, report("r1"), Debts(Sessions(CUTOFF)))
    assert hub.state.load_run(CHECKOUT, "r3") is None
    hub.state.release(holder, Learned(reported=None))
    assert record(hub) == TargetRecord(open_run="r1")


def test_run_is_journalled_open_and_closed(hub: Hub) -> None:
    lease, _ = hub.state.acquire(CHECKOUT, "r1")
    hub.state.open_run(lease, open_run(), Debts(Sessions(CUTOFF)))
    hub.state.release(lease, Learned(reported=None))
    assert hub.state.load_run(CHECKOUT, "r1") == open_run()
    assert record(hub) == TargetRecord(open_run="r1", debts=Debts(Sessions(CUTOFF)))
    lease, _ = hub.state.acquire(CHECKOUT, "r2")
    hub.state.close_run(lease, report("r1"), Debts())
    hub.state.release(lease, Learned(reported=None))
    assert record(hub) == TargetRecord(written_at=NOW)
    assert hub.state.load_run(CHECKOUT, "r1") == open_run(), "a closed run keeps its plan"


def test_end_of_sessions_is_remembered_to_the_second_until_it_is_settled(hub: Hub) -> None:
    earlier = Debts(Sessions(CUTOFF - timedelta(hours=1)), sessions_ended=True)
    some = Debts(Sessions(CUTOFF, since=CUTOFF - timedelta(hours=1)))
    for owed in (earlier, some, Debts(Sessions(CUTOFF)), some, Debts(Sessions(CUTOFF), sessions_ended=True), Debts()):
        lease, _ = hub.state.acquire(PUSHER, "r1")
        hub.state.close_run(lease, report("r1"), owed)
        hub.state.release(lease, Learned(reported=None))
        assert hub.state.records([PUSHER])[PUSHER.key].debts == owed


def test_only_a_run_that_wrote_moves_the_time_of_the_last_write(hub: Hub) -> None:
    late = replace(report("r2"), finished_at=NOW + timedelta(minutes=1, microseconds=7))
    quiet = replace(report("r3"), outcomes=(), finished_at=NOW + timedelta(hours=1))
    lease, _ = hub.state.acquire(CHECKOUT, "looks")
    for ended, written_at in ((report("r1"), NOW), (late, late.finished_at), (quiet, late.finished_at)):
        hub.state.open_run(lease, open_run(ended.run_id), Debts())
        hub.state.close_run(lease, ended, Debts())
        assert hub.state.records([CHECKOUT])[CHECKOUT.key].written_at == written_at


def test_run_that_was_never_opened_is_none(hub: Hub) -> None:
    lease, _ = hub.state.acquire(CHECKOUT, "r1")
    hub.state.open_run(lease, open_run(), Debts())
    assert hub.state.load_run(CHECKOUT, "r2") is None
    assert hub.state.load_run(PUSHER, "r1") is None


def test_what_was_reported_is_kept_until_it_is_settled(hub: Hub) -> None:
    for reported in ("fingerprint", None):
        lease, _ = hub.state.acquire(CHECKOUT, "r1")
        hub.state.release(lease, Learned(reported=reported))
        assert record(hub).reported == reported


def test_what_was_reported_of_a_pattern_is_kept_without_a_run_and_alters_nothing_else(hub: Hub) -> None:
    pattern = RepositoryTarget(HOME, "eu-central-1", "shop/*")
    for reported in ("fingerprint", "another", None, "again"):
        hub.state.note_reported(pattern, reported)
        assert hub.state.records([pattern])[pattern.key].reported == reported
    hub.state.mark_recreated(CHECKOUT, "arn:aws:iam::111111111111:user/anna")
    hub.state.note_reported(CHECKOUT, "fingerprint")
    assert record(hub) == TargetRecord(
        debts=Debts(recreated_principals=("arn:aws:iam::111111111111:user/anna",)), reported="fingerprint"
    )


def test_what_was_revoked_is_remembered_from_then_on(hub: Hub) -> None:
    lease, _ = hub.state.acquire(CHECKOUT, "r1")
    hub.state.release(lease, Learned(reported=None, revoked="v2"))
    assert record(hub).revoked == "v2"
    assert record(hub).revoked == "v2"
    assert hub.state.records([CHECKOUT])[CHECKOUT.key].revoked == "v2"


def test_the_last_look_that_read_a_trust_policy_in_sync_is_kept_until_there_is_a_later_one(hub: Hub) -> None:
    looks = [TrustLook(NOW + timedelta(minutes=minute, microseconds=1), "a" * 64) for minute in range(2)]
    assert record(hub).trust_look is None
    for look, expected in ((looks[0], looks[0]), (None, looks[0]), (looks[1], looks[1])):
        lease, _ = hub.state.acquire(PUSHER, "r1")
        hub.state.release(lease, Learned(reported=None, trust_look=look))
        assert hub.state.records([PUSHER])[PUSHER.key].trust_look == expected


def test_the_last_revocation_ahead_of_the_clock_is_kept_until_there_is_a_later_one(hub: Hub) -> None:
    untils = [NOW + timedelta(minutes=minute) for minute in (55, 1600)]
    for until, expected in ((None, None), (untils[0], untils[0]), (None, untils[0]), (untils[1], untils[1])):
        lease, known = hub.state.acquire(PUSHER, "r1")
        hub.state.close_run(lease, report("r1"), replace(known.debts, sessions=Sessions(CUTOFF)))
        hub.state.release(lease, Learned(reported=None, revoked_until=until))
        assert hub.state.records([PUSHER])[PUSHER.key].debts.revoked_until == expected


FOUGHT = Repairs(
    D1,
    NOW,
    (
        OthersVersion(
            "a" * 64,
            NOW,
            NOW + timedelta(seconds=2, microseconds=7),
            3,
            Actor("AssumedRole", session_name="ci", user_agent='[APN/1.0 "HashiCorp/1.0"]'),
        ),
        OthersVersion("", NOW, NOW),
    ),
    narrowed=(NOW,),
    left="b" * 64,
    seen=False,
    given_back_at=NOW,
)


def test_what_is_known_of_repairs_is_kept_until_there_is_something_else(hub: Hub) -> None:
    for repairs, expected in (((FOUGHT,), (FOUGHT,)), (None, (FOUGHT,)), ((), ())):
        lease, _ = hub.state.acquire(CHECKOUT, "r1")
        hub.state.release(lease, Learned(reported=None, repairs=repairs))
        assert record(hub).repairs == expected
        assert hub.state.records([CHECKOUT])[CHECKOUT.key].repairs == expected


@pytest.mark.parametrize(
    "stored",
    [
        None,
        '{"schema":2,"documents":[]}',
        '{"schema":1,"documents":[{"address":7}]}',
        '{"schema":1,"documents":[{"address":{"kind":"role","target":"role/222222222222/x"},'
        '"writtenAt":"2026-01-01T00:00:00Z","versions":[{"digest":"","since":"2026-01-01T00:00:00Z"}]}]}',
        "7",
        "{",
    ],
    ids=["none", "another schema", "no address", "a version without its last time", "no object", "no JSON"],
)
def test_repairs_that_this_version_cannot_read_count_as_none(moto_hub: MotoHub, stored: str | None) -> None:
    """They must keep no run from repairing."""
    more = {"repairs": {"S": stored}} if stored is not None else {}
    moto_hub.table.put("storing it", {**state_key(CHECKOUT), "unique_id": {"S": "AIDA1"}, **more})
    assert record(moto_hub) == TargetRecord(unique_id="AIDA1")
    assert moto_hub.state.records([CHECKOUT])[CHECKOUT.key].repairs == ()


def test_what_another_version_wrote_of_a_target_keeps_no_run_from_repairing(moto_hub: MotoHub) -> None:
    another, result = '{"schema": 9}', "unheard-of"
    last = {"observed_at": {"S": NOW.isoformat()}, "last_result": {"S": result}}
    kept = {**state_key(CHECKOUT), "paused": {"S": another}, "open_run": {"S": "r1"}, **last}
    moto_hub.table.put("storing it", kept)
    moto_hub.table.put("storing its run", {**run_key(CHECKOUT, "r1"), "opened": packed(another)})
    assert record(moto_hub) == TargetRecord(open_run="r1")
    assert moto_hub.state.load_run(CHECKOUT, "r1") is None


def test_recreated_principals_are_owed_until_a_run_settles_them(hub: Hub) -> None:
    hub.state.mark_recreated(CHECKOUT, PULLER)
    hub.state.mark_recreated(CHECKOUT, OTHER)
    hub.state.mark_recreated(CHECKOUT, PULLER)
    lease, found = hub.state.acquire(CHECKOUT, "r1")
    assert found.debts == Debts(recreated_principals=(PULLER, OTHER))
    hub.state.open_run(lease, open_run(), found.debts)
    hub.state.close_run(lease, report(), Debts())
    hub.state.release(lease, Learned(reported=None))
    assert record(hub).debts == Debts()


def test_a_principal_recreated_during_a_run_is_still_owed_after_it(hub: Hub) -> None:
    hub.state.mark_recreated(CHECKOUT, OTHER)
    lease, found = hub.state.acquire(CHECKOUT, "r1")
    hub.state.mark_recreated(CHECKOUT, PULLER)
    hub.state.open_run(lease, open_run(), found.debts)
    hub.state.close_run(lease, report(), Debts())
    hub.state.release(lease, Learned(reported=None))
    assert record(hub).debts == Debts(recreated_principals=(PULLER,))


def test_unique_id_is_kept_until_another_is_seen(hub: Hub) -> None:
    lease, _ = hub.state.acquire(PUSH_USER, "r1")
    hub.state.release(lease, Learned(reported=None, unique_id="AIDA1"))
    lease, found = hub.state.acquire(PUSH_USER, "r2")
    assert found.unique_id == "AIDA1"
    hub.state.release(lease, Learned(reported=None))
    assert hub.state.records([PUSH_USER])[PUSH_USER.key].unique_id == "AIDA1"
    lease, _ = hub.state.acquire(PUSH_USER, "r3")
    hub.state.release(lease, Learned(reported=None, unique_id="AIDA2"))
    assert hub.state.records([PUSH_USER])[PUSH_USER.key].unique_id == "AIDA2"


def test_the_records_of_many_identities_are_read_at_once(hub: Hub) -> None:
    owners = [UserTarget(CI, f"User-{number}") for number in range(205)]
    known = owners[::34]  # among all that are asked for, more than two calls can return
    for owner in known:
        lease, _ = hub.state.acquire(owner, "r1")
        hub.state.release(lease, Learned(reported=None, unique_id=f"AIDA{owner.name}"))
    asked: list[Target] = [*owners, owners[0], CHECKOUT]
    found = {key: record.unique_id for key, record in hub.state.records(asked).items()}
    assert found == {owner.key: f"AIDA{owner.name}" for owner in known}
    assert hub.state.records([]) == {}


def test_the_records_of_many_targets_have_what_their_runs_left_to_do(hub: Hub) -> None:
    lease, _ = hub.state.acquire(PUSH_USER, "r1")
    hub.state.open_run(lease, open_run(), Debts(Sessions(CUTOFF), sessions_ended=True))
    hub.state.mark_recreated(PUSH_USER, PULLER)
    debts = Debts(Sessions(CUTOFF), sessions_ended=True, recreated_principals=(PULLER,))
    assert hub.state.records([PUSH_USER]) == {PUSH_USER.key: TargetRecord(open_run=open_run().run_id, debts=debts)}


def test_longest_repository_name_has_a_state(hub: Hub) -> None:
    target = RepositoryTarget(HOME, "ap-southeast-4", "r" * 256)
    lease, _ = hub.state.acquire(target, "r" * 59)
    assert hub.state.holds(lease)


def test_the_calls_that_events_reported_are_kept_until_a_run_brings_others(hub: Hub) -> None:
    known = {"SetRepositoryPolicy": NOW, "DeleteRepositoryPolicy": NOW - timedelta(hours=1)}
    for events in (known, None):
        lease, _ = hub.state.acquire(CHECKOUT, "r1")
        hub.state.release(lease, Learned(reported=None, events=events))
        assert hub.state.records([CHECKOUT])[CHECKOUT.key].events == known
    lease, record = hub.state.acquire(CHECKOUT, "r2")
    assert record.events == known
    hub.state.release(lease, Learned(reported=None, events={}))
    assert hub.state.records([CHECKOUT])[CHECKOUT.key].events == {}
