"""Surveys: what is read of the estate because of an event or a sweep, and what is not read again."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.collect.estate import KnownOfAws, Needed, Reading
from ecr_warden.collect.survey import POLICIES_KEPT, SETTLED
from ecr_warden.core.address import repository_policy
from ecr_warden.core.failures import AccountUnreachable, PermissionMissing, PortError, RetryLater, Throttled
from ecr_warden.core.job import (
    FIRST_AND_LAST,
    Attempt,
    AuditAccess,
    Cause,
    CauseKind,
    ReconcileTarget,
    SurveyIdentities,
    SurveyRegistry,
)
from ecr_warden.core.plan import Change
from ecr_warden.core.target import RepositoryTarget, RoleTarget, Target
from iam_access.inventory.inventory import PolicyOfAws
from iam_access.inventory.printed import with_texts
from local.testing.memory.estate import MemoryEstateReader
from local.testing.printed import complete_iam
from local.testing.seed import CHECKOUT, CI, D1, D4, HOME, NOW, USERS
from tests.usecases.world import OPEN, World, world_in_sync

REGION = CHECKOUT.region
PART = f"{HOME}/{REGION}"
OTHER = RepositoryTarget(HOME, REGION, "lib/other")
MORE = RepositoryTarget(HOME, REGION, "lib/more")
FIRST = Attempt(number=1, is_last=False)


def estate_world() -> World:
    """Accounts that are read as is said here; besides the spec's repository two that it does not name."""
    world = world_in_sync()
    world.reader = MemoryEstateReader()
    world.reader.iam = {CI: {"UserDetailList": []}, HOME: {"UserDetailList": []}}
    world.reader.policies[PART] = {CHECKOUT.name: "checkout", OTHER.name: "other", MORE.name: None}
    return world


def reported(world: World, after: timedelta = timedelta(0)) -> Cause:
    """Somebody's call, made so long after now."""
    at = (world.clock.now() + after).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Cause(CauseKind.EVENT, f"e{next(world.ids)}", "iam:PutGroupPolicy", at)


def read(world: World) -> list[str]:
    """What was read since the last look."""
    reads, world.reader.reads[:] = list(world.reader.reads), []
    return reads


def policies(world: World) -> dict[str, Any]:
    piece = world.estate_store.pieces[PART]
    return {one["repositoryName"]: one.get("policy", "unread") for one in piece.entry["repositories"]}


def surveyed(world: World, part: str, cause: Cause | None = None, repository: str = "", **more: Any) -> str:
    account, _, region = part.partition("/")
    cause = cause or reported(world)
    job = SurveyRegistry(cause, account, region, repository) if region else SurveyIdentities(cause, account)
    return world.survey.take(job, **more)


def test_an_event_has_an_account_read_and_kept() -> None:
    world = estate_world()
    assert surveyed(world, CI) == "changed"
    assert read(world) == [CI]
    piece = world.estate_store.pieces[CI]
    assert (piece.began, piece.entry) == (NOW, {"iam": complete_iam({})})


def using(*names: str) -> dict[str, Any]:
    """A user with these policies of AWS's."""
    attached = [{"PolicyArn": f"arn:aws:iam::aws:policy/{name}"} for name in names]
    return {"UserDetailList": [{"UserName": "ann", "AttachedManagedPolicies": attached}]}


def test_a_policy_of_aws_is_read_once_for_all_accounts_and_kept_beside_the_pieces() -> None:
    world = estate_world()
    world.reader.iam[CI] = using("ReadOnlyAccess", "SecurityAudit")
    world.reader.iam[HOME] = using("SecurityAudit", "AWSBackupFullAccess")
    for _ in range(2):
        for account in (CI, HOME):
            surveyed(world, account)
    texts = [one for one in read(world) if one.startswith("arn:")]
    names = ("ReadOnlyAccess v190", "SecurityAudit v94", "AWSBackupFullAccess v30")
    assert texts == [f"arn:aws:iam::aws:policy/{name}" for name in names]
    assert len(json.dumps(world.estate_store.pieces[CI].entry)) < 1000
    assert min(map(len, world.estate_store.of_aws.values())) > 8000
    for piece in (world.estate_store.pieces[account] for account in (CI, HOME)):
        policies = with_texts(piece.entry, world.estate_store.text)["iam"]["Policies"]
        assert [len(one["PolicyVersionList"]) for one in policies] == [1, 1]


def test_a_policy_of_aws_is_read_again_after_a_day_in_case_somebody_wrote_another_text() -> None:
    world = estate_world()
    world.reader.iam[CI] = using("SecurityAudit")
    surveyed(world, CI)
    [policy] = world.estate_store.of_aws
    lie = PolicyOfAws.of(policy.arn, policy.version, "{}")
    world.clock.advance(timedelta(minutes=1))
    world.estate_store.put_text(lie, "{}")
    read(world)
    for hours, again, digest in ((23, [], lie.digest), (2, [f"{policy.arn} v94"], policy.digest)):
        world.clock.advance(timedelta(hours=hours))
        surveyed(world, CI)
        assert read(world) == [CI, *again]
        assert world.estate_store.pieces[CI].entry["iam"]["Policies"][0]["Digest"] == digest


def test_a_text_that_cannot_be_kept_leaves_the_last_piece() -> None:
    world = estate_world()
    surveyed(world, CI)
    before = world.estate_store.pieces[CI]
    world.reader.iam[CI] = using("ReadOnlyAccess")
    world.estate_store.error = Throttled("slow down", retryable=True)
    with pytest.raises(PortError, match="slow down"):
        surveyed(world, CI)
    assert (world.estate_store.pieces[CI], world.estate_store.of_aws) == (before, {})


def test_the_same_account_again_is_no_change() -> None:
    world = estate_world()
    surveyed(world, CI)
    tag = world.estate_store.kept()[CI].tag
    world.clock.advance(timedelta(hours=1))
    assert surveyed(world, CI) == "unchanged"
    kept = world.estate_store.kept()[CI]
    assert (kept.tag, kept.at) == (tag, world.clock.now())
    world.reader.iam[CI] = {"UserDetailList": [{"UserName": "new"}]}
    assert surveyed(world, CI, reported(world, SETTLED)) == "changed"


@pytest.mark.parametrize("part", ["333333333333", f"{HOME}/us-east-1", f"{CI}/{REGION}"])
def test_what_the_spec_does_not_name_is_not_read(part: str) -> None:
    world = estate_world()
    assert surveyed(world, part) == "not in the spec"
    assert read(world) == []
    assert world.estate_store.pieces == {}


def test_without_an_accepted_spec_nothing_is_read() -> None:
    world = estate_world()
    world.specs.compiled = None
    assert surveyed(world, CI) == "not in the spec"
    assert read(world) == []


@pytest.mark.parametrize(
    ("later", "done"),
    [(SETTLED + timedelta(seconds=1), "surveyed since"), (SETTLED, "unchanged"), (-timedelta(hours=1), "unchanged")],
)
def test_one_survey_serves_all_events_that_it_can_have_seen(later: timedelta, done: str) -> None:
    world = estate_world()
    cause = reported(world)
    world.clock.advance(later)
    surveyed(world, CI, reported(world))
    read(world)
    assert surveyed(world, CI, cause) == done
    assert read(world) == ([] if done == "surveyed since" else [CI])


@pytest.mark.parametrize("at", ["", "then", "2026-01-01T00:00:00"])
def test_an_event_of_no_known_time_is_always_looked_into(at: str) -> None:
    world = estate_world()
    surveyed(world, CI)
    assert surveyed(world, CI, Cause(CauseKind.EVENT, "e", "iam:PutGroupPolicy", at)) == "unchanged"


def test_a_call_on_the_registry_reads_no_policy_of_a_repository_again() -> None:
    world = estate_world()
    surveyed(world, PART)
    assert sorted(read(world)) == sorted([PART, str(CHECKOUT), str(OTHER), str(MORE)])
    world.reader.policies[PART]["lib/new"] = "new"
    del world.reader.policies[PART][MORE.name]
    world.reader.over_all[PART] = {"registryPolicy": "open"}
    assert surveyed(world, PART) == "changed"
    assert read(world) == [PART, f"repository/{PART}/lib/new"]
    assert policies(world) == {CHECKOUT.name: "checkout", OTHER.name: "other", "lib/new": "new"}
    assert world.estate_store.pieces[PART].entry["registryPolicy"] == "open"


def test_a_policy_is_read_again_after_a_day() -> None:
    world = estate_world()
    surveyed(world, PART)
    for _ in range(3):  # whatever is read in between
        world.clock.advance(POLICIES_KEPT / 4)
        surveyed(world, PART)
    world.reader.policies[PART][OTHER.name] = "opened unseen"
    read(world)
    world.clock.advance(POLICIES_KEPT / 4)
    surveyed(world, PART)
    assert sorted(read(world)) == sorted([PART, str(CHECKOUT), str(OTHER), str(MORE)])
    assert policies(world)[OTHER.name] == "opened unseen"


def test_a_call_on_a_repository_reads_that_one_alone() -> None:
    world = estate_world()
    surveyed(world, PART)
    began = world.clock.now()
    read(world)
    world.clock.advance(timedelta(hours=1))
    world.reader.policies[PART] |= {OTHER.name: "opened", MORE.name: "unseen"}
    assert surveyed(world, PART, repository=OTHER.name) == "changed"
    assert read(world) == [str(OTHER)]
    assert policies(world) == {CHECKOUT.name: "checkout", OTHER.name: "opened", MORE.name: None}
    assert world.estate_store.pieces[PART].began == began


def test_a_late_event_reads_a_policy_that_the_sweep_since_did_not_read_again() -> None:
    world = estate_world()
    surveyed(world, PART)
    world.clock.advance(timedelta(hours=1))
    cause = reported(world)
    world.reader.policies[PART][OTHER.name] = "open"
    world.clock.advance(timedelta(minutes=1))
    surveyed(world, PART, Cause(CauseKind.SWEEP, "sweep"))
    assert policies(world)[OTHER.name] == "other"
    world.clock.advance(timedelta(minutes=1))
    assert surveyed(world, PART, cause, OTHER.name) == "changed"
    assert policies(world)[OTHER.name] == "open"


def test_a_repository_that_was_made_or_deleted_enters_or_leaves_the_piece() -> None:
    world = estate_world()
    surveyed(world, PART)
    world.reader.policies[PART]["lib/new"] = "new"
    surveyed(world, PART, repository="lib/new")
    assert policies(world)["lib/new"] == "new"
    del world.reader.policies[PART]["lib/new"]
    surveyed(world, PART, repository="lib/new")
    assert "lib/new" not in policies(world)


def test_before_the_first_piece_a_call_on_a_repository_reads_the_whole_registry() -> None:
    world = estate_world()
    surveyed(world, PART, repository=OTHER.name)
    assert set(policies(world)) == {CHECKOUT.name, OTHER.name, MORE.name}


def test_a_repository_whose_policy_cannot_be_read_says_so_and_the_others_stay() -> None:
    world = estate_world()
    surveyed(world, PART)
    world.reader.errors[str(OTHER)] = PermissionMissing("denied")
    for _ in range(2):
        surveyed(world, PART, repository=OTHER.name)
    assert policies(world) == {CHECKOUT.name: "checkout", OTHER.name: "unread", MORE.name: None}
    note = {"what": "ecr:GetRepositoryPolicy", "region": REGION, "code": "permission-missing"}
    assert world.estate_store.pieces[PART].entry["unread"] == [note]
    del world.reader.errors[str(OTHER)]
    surveyed(world, PART)
    assert policies(world)[OTHER.name] == "other", "what was not read is not carried on"
    assert "unread" not in world.estate_store.pieces[PART].entry


@dataclass(slots=True)
class Slow:
    """A reader during whose reads something else happens; it has read by then."""

    reader: MemoryEstateReader
    meanwhile: Callable[[], object]

    def identities(self, account: str, known: KnownOfAws) -> Reading:
        return self._after(self.reader.identities(account, known))

    def registry(self, account: str, region: str, known: Mapping[str, object], named: Collection[str] = ()) -> Reading:
        return self._after(self.reader.registry(account, region, known, named))

    def some(self, asked: Needed) -> Iterator[tuple[str, Reading]]:
        for part, reading in self.reader.some(asked):
            yield part, self._after(reading)

    def tags(self, targets: Collection[RepositoryTarget]) -> Mapping[Target, Mapping[str, str] | PortError]:
        return self.reader.tags(targets)

    def _after(self, reading: Reading) -> Reading:
        self.meanwhile()
        return reading


def test_a_survey_that_began_first_and_ends_last_hides_nothing() -> None:
    world = estate_world()
    surveyed(world, CI)

    def opened() -> None:
        world.clock.advance(timedelta(seconds=30))
        world.reader.iam[CI] = {"UserDetailList": [{"UserName": "new"}]}
        assert surveyed(world, CI) == "changed"

    cause = Cause(CauseKind.SWEEP, "sweep")
    assert (
        replace(world.survey, reader=Slow(world.reader, opened)).take(SurveyIdentities(cause, CI)) == "surveyed since"
    )
    assert world.estate_store.pieces[CI].entry == {"iam": complete_iam(world.reader.iam[CI])}


def test_a_policy_that_was_opened_while_a_sweep_reads_the_registry_stays_in_the_piece() -> None:
    world = estate_world()
    surveyed(world, PART)
    world.clock.advance(timedelta(minutes=15))

    def opened() -> None:
        world.clock.advance(timedelta(seconds=1))
        world.reader.policies[PART] |= {OTHER.name: "open", "lib/new": "open"}
        for name in (OTHER.name, "lib/new"):
            assert surveyed(world, PART, repository=name) == "changed"

    job = SurveyRegistry(Cause(CauseKind.SWEEP, "sweep"), HOME, REGION)
    replace(world.survey, reader=Slow(world.reader, opened)).take(job)
    assert policies(world) == {CHECKOUT.name: "checkout", OTHER.name: "open", MORE.name: None, "lib/new": "open"}


def test_a_policy_that_is_read_while_a_sweep_reads_the_registry_leaves_the_rest_as_the_sweep_found_it() -> None:
    world = estate_world()
    surveyed(world, PART)
    world.clock.advance(timedelta(minutes=15))

    def swept() -> None:
        world.clock.advance(timedelta(seconds=1))
        world.reader.over_all[PART] = {"registryPolicy": "open"}
        assert surveyed(world, PART) == "changed"

    world.reader.policies[PART][OTHER.name] = "open"
    job = SurveyRegistry(reported(world), HOME, REGION, OTHER.name)
    replace(world.survey, reader=Slow(world.reader, swept)).take(job)
    assert policies(world)[OTHER.name] == "open"
    assert world.estate_store.pieces[PART].entry["registryPolicy"] == "open"


def audits(world: World) -> list[tuple[str, str]]:
    """The audits that were asked for since the last look: by whose cause, because of which part."""
    made = [(job.cause.id, job.part) for job in world.jobs.sent if isinstance(job, AuditAccess)]
    world.jobs.sent.clear()
    return made


def test_what_a_survey_changed_is_audited_by_the_events_cause() -> None:
    world = estate_world()
    for part, repository in ((CI, ""), (PART, ""), (PART, OTHER.name)):
        cause = reported(world)
        surveyed(world, part, cause, repository)
        assert audits(world) == [(cause.id, part)]
    surveyed(world, CI)
    surveyed(world, "333333333333")
    assert audits(world) == [], "nothing changed"


def test_a_sweep_is_audited_at_its_start_and_after_each_part_that_changed() -> None:
    world = estate_world()
    world.sweep()
    assert [job.part for job in world.to_audit] == [CI, HOME, PART, ""]
    world.to_audit.clear()
    world.sweep()
    assert [job.part for job in world.to_audit] == [PART, ""], "now it says when the others' policies were read"
    world.to_audit.clear()
    world.reader.iam[HOME] = {"UserDetailList": [{"UserName": "new"}]}
    world.sweep()
    assert [job.part for job in world.to_audit] == [HOME, ""]


PARTS: dict[str, tuple[str, str, str]] = {
    "an account": (CI, CI, ""),
    "a registry": (PART, PART, ""),
    "a repository": (PART, str(OTHER), OTHER.name),
}


@pytest.mark.parametrize(("part", "fails", "repository"), PARTS.values(), ids=PARTS)
def test_transient_errors_are_retried_and_recorded_as_unread_in_the_end(part: str, fails: str, repository: str) -> None:
    world = estate_world()
    surveyed(world, part)
    before = world.estate_store.pieces[part]
    world.reader.errors[fails] = Throttled("slow down", retryable=True)
    with pytest.raises(RetryLater, match="slow down"):
        surveyed(world, part, repository=repository, attempt=FIRST)
    assert world.estate_store.pieces[part] is before
    assert surveyed(world, part, repository=repository, attempt=FIRST_AND_LAST) == "changed"
    assert [one["code"] for one in world.estate_store.pieces[part].entry["unread"]] == ["throttled"]


def test_lasting_denials_are_recorded_as_unread_at_once() -> None:
    world = estate_world()
    world.reader.errors[CI] = AccountUnreachable("closed")
    assert surveyed(world, CI, attempt=FIRST) == "changed"
    assert [one["code"] for one in world.estate_store.pieces[CI].entry["unread"]] == ["account-unreachable"]


def swept_world() -> World:
    """In sync; besides the spec's repository two that it does not name."""
    world = world_in_sync()
    world.put(repository_policy(OTHER), OPEN)
    world.documents.make(MORE)
    return world


def test_a_sweep_reads_each_part_once_compares_it_and_keeps_it() -> None:
    world = swept_world()
    world.documents.remove(D1)
    assert world.sweep() == (CHECKOUT,)
    assert read(world) == [CI, HOME, PART, str(MORE), str(OTHER), str(CHECKOUT)]
    assert set(world.estate_store.pieces) == {CI, HOME, PART}
    assert policies(world)[CHECKOUT.name] is None, "what was compared is what is kept"
    assert {user["UserName"] for user in world.estate_store.pieces[CI].entry["iam"]["UserDetailList"]} == {
        user.name for user in USERS
    }


def test_a_sweep_compares_no_policy_of_an_earlier_reading_and_keeps_those_of_others_for_a_day() -> None:
    world = swept_world()
    world.sweep()
    read(world)
    world.clock.advance(timedelta(minutes=15))
    world.put(D1, OPEN)
    assert world.sweep() == (CHECKOUT,)
    assert read(world) == [CI, HOME, PART, str(CHECKOUT)]
    assert policies(world)[OTHER.name] == OPEN.text
    before = world.estate_store.kept()
    world.clock.advance(timedelta(minutes=15))
    world.sweep()
    assert {part: kept.tag for part, kept in world.estate_store.kept().items()} == {
        part: kept.tag for part, kept in before.items()
    }


def test_a_part_that_cannot_be_kept_is_read_again_by_a_job_of_its_own_and_keeps_no_repair_waiting() -> None:
    world = swept_world()
    world.put(D1, OPEN)
    world.documents.remove(D4)
    world.estate_store.error = PortError("no bucket")
    assert {target.key for target in world.sweep()} == {CHECKOUT.key, D4.target.key}
    [begun, *_] = [job for job in world.jobs.sent if isinstance(job, SurveyIdentities)]
    assert (begun.cause.kind, begun.account) == (CauseKind.SWEEP, CI)
    assert world.sweep_records.noted.keys() == {CI, HOME, PART}, "the comparison itself is done"
    assert [job for job in world.jobs.sent if isinstance(job, ReconcileTarget)]


def test_what_may_be_readable_in_a_minute_is_not_kept_as_unread() -> None:
    world = swept_world()
    world.sweep()
    before = dict(world.estate_store.pieces)

    def fault(target: Target, _: Change | None) -> None:
        if target == OTHER:
            raise Throttled("slow down", retryable=True)

    world.clock.advance(POLICIES_KEPT)
    world.documents.faults = fault
    world.jobs.sent.clear()
    assert world.sweep() == ()
    assert [job.part for job in world.jobs.sent if isinstance(job, SurveyRegistry)] == [PART]
    assert world.estate_store.pieces[PART] == before[PART]


def test_who_called_what_is_kept_also_where_nothing_is_read_again() -> None:
    world = estate_world()
    role = RoleTarget(CI, "build")
    for target in (role, None):
        world.survey.take(SurveyIdentities(reported(world, -2 * SETTLED), CI, target))
    assert read(world) == [CI], "the second call was made before that reading"
    assert [call.target for call in world.estate_store.calls(CI)] == [role, None]
    surveyed(world, PART, repository=OTHER.name)
    assert [call.target for call in world.estate_store.calls(PART)] == [OTHER]


def test_of_equal_calls_the_last_is_kept_for_an_hour_and_of_others_a_hundred() -> None:
    world = estate_world()
    world.survey.take(SurveyIdentities(reported(world), CI, RoleTarget(CI, "door")))
    for number in range(150):
        world.survey.take(SurveyIdentities(reported(world), CI, RoleTarget(CI, f"r{number % 99}")))
    kept = world.estate_store.calls(CI)
    assert len(kept) == 100
    assert kept[0].target == RoleTarget(CI, "door"), "nobody pushes it out by making the same calls again"
    world.clock.advance(timedelta(minutes=61))
    last = reported(world)
    surveyed(world, CI, last)
    assert [call.cause for call in world.estate_store.calls(CI)] == [last]


def test_a_sweep_and_an_account_without_a_part_keep_no_call() -> None:
    world = estate_world()
    surveyed(world, CI, Cause(CauseKind.SWEEP, "s1"))
    surveyed(world, "999999999999")
    assert not world.estate_store.noted
