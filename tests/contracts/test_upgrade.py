"""The accepted version was compiled by another version of ecr-warden: it is compiled again from its text."""

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.aws.table import packed, unpacked
from ecr_warden.bootstrap.accept import accept_versions
from ecr_warden.core.address import repository_policy
from ecr_warden.core.desired import (
    CompiledSpec,
    Mode,
    Removal,
    Removed,
    RemovedPattern,
    RepositoryPattern,
)
from ecr_warden.core.drift import Drift
from ecr_warden.core.job import AcceptSpec, Actor, Cause, CauseKind, Job, ReconcileTarget
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.plan import Held
from ecr_warden.core.run import Debts
from ecr_warden.core.target import RepositoryTarget, UserTarget
from ecr_warden.state.accepted import CompiledUnusable
from ecr_warden.state.aws_items import run_key
from ecr_warden.state.hold import HOLD_LASTS, Decision, Hold, HoldState, OfVersion, Verdict
from ecr_warden.versions.accept import AcceptVersions
from ecr_warden.versions.alerts import HoldSettled, SpecAccepted, SpecRefused
from local.testing.memory.hub import MemoryAlertBus
from local.testing.seed import CHECKOUT, CI, HOME, allow, compiled, document
from tests.contracts.hubs import STATE_BUCKET, TABLE, Hub, MotoHub
from tests.contracts.runs import open_run, report
from tests.template.cfn import ROOT

TEXT = (ROOT / "examples" / "seed" / "access.yaml").read_bytes()
ALICE = Actor("IAMUser", arn="arn:aws:iam::111111111111:user/alice", account="111111111111")
ACCEPT = AcceptSpec(Cause(CauseKind.SWEEP, "s-1"))
REMOVED = {
    target.key: Removed(target, "v0")
    for target in (RepositoryTarget(HOME, "eu-central-1", "shop/old"), UserTarget("333333333333", "gone"))
}

GIVEN = document(allow("ecr:BatchGetImage", who=CI))
PATTERNS = (RemovedPattern(RepositoryPattern(HOME, "eu-central-1", "old/*", ("old/x",), GIVEN), "v0"),)


def accept(hub: Hub, alerts: MemoryAlertBus | None = None) -> AcceptVersions:
    on: Any = hub
    on.alerts = alerts or MemoryAlertBus()
    return replace(accept_versions(on), patience=timedelta(0))


def accept_held(hub: Hub) -> SpecAccepted:
    """A person accepts the current version before it was judged."""
    assert not isinstance(accept(hub).process(ACCEPT), SpecAccepted)
    [hold] = hub.holds.waiting()
    hub.holds.decide(hold, Decision("command-1", Verdict.ACCEPT, ALICE, hub.clock.now()))
    alert = accept(hub).process(ACCEPT)
    assert isinstance(alert, SpecAccepted)
    return alert


def accepted(hub: Hub, text: bytes = TEXT) -> CompiledSpec:
    """A version is uploaded and accepted, its jobs are done; two targets still have to lose what they held."""
    hub.upload(text)
    accept_held(hub)
    hub.sent().clear()
    compiled = hub.specs.accepted()
    assert compiled is not None
    removals = (Removal(hub.clock.now(), 3),)
    compiled = replace(compiled, removed=REMOVED, removed_patterns=PATTERNS, removals=removals)
    hub.specs.accept(compiled, over=hub.specs.standing())
    return compiled


def targets(jobs: list[Job]) -> list[str]:
    return [job.target.key for job in jobs if isinstance(job, ReconcileTarget)]


def test_it_cannot_be_used_and_names_its_version_and_what_was_removed(hub: Hub) -> None:
    compiled = accepted(hub)
    hub.outdate()
    with pytest.raises(CompiledUnusable, match=compiled.version) as caught:
        hub.specs.accepted()
    rest = caught.value.rest()
    assert (rest.version, rest.removed) == (compiled.version, REMOVED)
    assert rest.removed_patterns == PATTERNS
    assert rest.removals == compiled.removals
    assert (rest.targets, rest.overall_mode) == ({}, Mode.OBSERVE)
    assert not caught.value.retryable


PUSH_ROLE = f"role/{HOME}/ecr-pusher"
"""What this release may write otherwise."""


def test_checking_the_spec_has_it_compiled_again_and_only_trust_policies_are_looked_at(hub: Hub) -> None:
    compiled = accepted(hub)
    hub.outdate()
    alerts = MemoryAlertBus()
    assert accept(hub, alerts).process(ACCEPT) is None
    assert hub.specs.accepted() == compiled
    jobs = hub.sent()
    assert (alerts.published, targets(jobs)) == ([], [PUSH_ROLE])
    assert [job.cause for job in jobs] == [Cause(CauseKind.SPEC, compiled.version)]


def test_one_that_says_what_a_new_version_must_not_is_compiled_again_and_goes_on(hub: Hub) -> None:
    text = TEXT.replace(b"mode: enforce", b"mode: enforce, widening: approve, max_removed: 0")
    hub.upload(text)
    enforced = compiled(text, hub.specs.current().version, accepted=True)
    hub.specs.accept(enforced, over=hub.specs.standing())
    hub.outdate()
    alerts = MemoryAlertBus()
    assert accept(hub, alerts).process(ACCEPT) is None
    assert (hub.specs.whole(), alerts.published) == (enforced, [])
    assert enforced.overall_mode is Mode.ENFORCE


BEFORE: dict[str, tuple[HoldState, Verdict | None, HoldState]] = {
    "it waits": (HoldState.WAITING, None, HoldState.VOID),
    "a person accepted it": (HoldState.WAITING, Verdict.ACCEPT, HoldState.VOID),
    "a person rejected it": (HoldState.WAITING, Verdict.REJECT, HoldState.REJECTED),
    "it is judged": (HoldState.JUDGING, None, HoldState.VOID),
}
"""What the rules before had made of a version, and what becomes of that."""


@pytest.mark.parametrize("case", BEFORE)
def test_what_the_rules_before_held_is_settled_by_name_and_judged_again_and_no_decision_on_it_counts(
    hub: Hub, case: str
) -> None:
    state, verdict, becomes = BEFORE[case]
    in_force = accepted(hub)
    hub.upload(TEXT.replace(b", ci:user/pull-user-2]", b"]"))
    now, version = hub.clock.now(), hub.specs.current().version
    # Of what they compiled, which this one compiles otherwise.
    ground = OfVersion(version, in_force.version, ("baseline", "accepted", "new"))
    why = () if state is HoldState.JUDGING else (WaitReason(WaitCode("ours-grows"), "it adds 1 account"),)
    hold = Hold(ground, "version v2 of the spec", why, now, now + HOLD_LASTS, state=state)
    hub.holds.open(hold)
    if verdict is not None:
        hub.holds.decide(hold, Decision("command-0", verdict, ALICE, now))
    hub.outdate()
    alerts = MemoryAlertBus()
    assert accept(hub, alerts).process(ACCEPT) is None
    [held], settled = hub.holds.waiting(), hub.holds.find(hold.id)
    assert settled is not None and settled.state is becomes
    settlements = [(alert.hold.id, alert.hold.instead) for alert in alerts.published if isinstance(alert, HoldSettled)]
    assert settlements == ([(hold.id, held.id)] if why and becomes is HoldState.VOID else [])
    assert (held.state, held.ground.version, held.decision) == (HoldState.JUDGING, version, None)
    assert hub.specs.whole() == in_force


def test_what_the_release_before_accepted_and_had_not_announced_is_announced_once(hub: Hub) -> None:
    in_force = accepted(hub)
    ground = OfVersion(in_force.version, "v0", ("baseline", "accepted", "new"))
    now = hub.clock.now()
    hold = Hold(ground, "version v1 of the spec", (), now, now + HOLD_LASTS, state=HoldState.BEGUN)
    hub.holds.open(hold)
    hub.outdate()
    seen = accept(hub).process(ACCEPT)
    assert isinstance(seen, SpecAccepted) and seen.version == in_force.version
    assert accept(hub).process(ACCEPT) is None


def test_a_newer_version_that_came_meanwhile_is_compared_with_it(hub: Hub) -> None:
    compiled = accepted(hub)
    hub.upload(TEXT.replace(b", ci:user/pull-user-2]", b"]"))
    hub.outdate()
    alert = accept_held(hub)
    assert alert.replaces == compiled.version
    enqueued = targets(hub.sent())
    assert enqueued == [PUSH_ROLE, f"repository/{HOME}/eu-central-1/shop/checkout", f"user/{CI}/pull-user-2"]
    now = hub.specs.accepted()
    assert now is not None and now.removed == REMOVED


def test_a_version_that_is_no_longer_valid_is_reported_once_and_every_job_names_the_remedy(hub: Hub) -> None:
    compiled = accepted(hub)
    hub.upload(TEXT)
    hub.specs.accept(replace(compiled, version="kept-no-longer"), over=hub.specs.standing())
    hub.upload(b"version: 7")
    hub.outdate()
    alerts = MemoryAlertBus()
    refused = accept(hub, alerts).process(ACCEPT)
    assert isinstance(refused, SpecRefused)
    assert refused.enforced is None
    assert accept(hub, alerts).process(ACCEPT) is None
    assert alerts.published == [refused]
    with pytest.raises(CompiledUnusable, match="upload the spec again"):
        hub.specs.accepted()
    hub.upload(TEXT + b"# again\n")
    assert accept_held(hub).replaces == "kept-no-longer", "what that gave is unknown, so enforcing begins anew"
    assert set(targets(hub.sent())) == compiled.targets.keys()
    now = hub.specs.accepted()
    assert now is not None and now.removed == REMOVED


@pytest.mark.parametrize("has_waited", [False, True], ids=["judging", "waiting"])
@pytest.mark.parametrize("is_in_force", [False, True], ids=["not accepted yet", "accepted and not announced"])
def test_what_the_release_before_left_of_a_version_goes_on(
    moto_hub: MotoHub, *, has_waited: bool, is_in_force: bool
) -> None:
    """It kept a note beside the row of a version that began to take effect, and no state of its own for it."""
    before = accepted(moto_hub)
    moto_hub.upload(TEXT.replace(b", ci:user/pull-user-2]", b"]"))
    assert not isinstance(accept(moto_hub).process(ACCEPT), SpecAccepted)
    [hold] = moto_hub.holds.waiting()
    if has_waited:
        hold = replace(hold, state=HoldState.WAITING, why=(WaitReason(WaitCode.NOT_JUDGED, "unread"),))
        moto_hub.holds.open(hold)
    moto_hub.holds.decide(hold, Decision("command-1", Verdict.ACCEPT, ALICE, moto_hub.clock.now()))
    moto_hub.sent().clear()
    if is_in_force:
        new = moto_hub.specs.kept(hold.ground.digests[2])
        assert new is not None
        noted = f'{{"schema":1,"kind":"begun","version":"{new.version}","replaces":"{before.version}"}}'
        moto_hub.table.put("a test", {"pk": {"S": "SPEC"}, "sk": {"S": "REFUSED"}, "noted": {"S": noted}})
        new = replace(new, version=hold.ground.version)
        moto_hub.specs.accept(new, over=moto_hub.specs.standing(), text=TEXT)
    alerts = MemoryAlertBus()
    announced = accept(moto_hub, alerts).process(ACCEPT)
    assert isinstance(announced, SpecAccepted)
    assert (announced.version, announced.replaces, announced.cause.actor) == (
        hold.ground.version,
        before.version,
        ALICE,
    )
    assert targets(moto_hub.sent()) == [f"repository/{HOME}/eu-central-1/shop/checkout", f"user/{CI}/pull-user-2"]
    assert (accept(moto_hub, alerts).process(ACCEPT), alerts.published) == (None, [announced])
    now = moto_hub.holds.find(hold.id)
    assert now is not None and now.state is HoldState.ACCEPTED


WORDS_BEFORE = {
    "owner-missing": (DriftKind.TARGET_MISSING, HoldReason.TARGET_MISSING),
    "role-not-at-spec": (DriftKind.MISSING, HoldReason.ROLE_NOT_IN_SYNC),
}
"""What the release before wrote."""


@pytest.mark.parametrize(("before", "now"), WORDS_BEFORE.items(), ids=WORDS_BEFORE)
def test_a_run_that_the_release_before_journalled_is_read(
    moto_hub: MotoHub, before: str, now: tuple[DriftKind, HoldReason]
) -> None:
    kind, reason = now
    drift = Drift(repository_policy(CHECKOUT), kind, "why")
    run = report("20260101T000000Z1b")
    run = replace(run, plan=replace(run.plan, drifts=(*run.plan.drifts, drift), held=(Held(drift, reason, "why"),)))
    lease, _ = moto_hub.state.acquire(CHECKOUT, run.run_id)
    moto_hub.state.open_run(lease, open_run(run.run_id), Debts())
    moto_hub.state.close_run(lease, run, Debts())
    key = run_key(CHECKOUT, run.run_id)
    row = moto_hub.client("dynamodb").get_item(TableName=TABLE, Key=key)["Item"]
    text = unpacked(row["report"]).decode()
    assert (before in text, reason in text) == (False, True)
    row["report"] = packed(text.replace(reason, before))
    moto_hub.client("dynamodb").put_item(TableName=TABLE, Item=row)
    assert moto_hub.journal.find(run.run_id) == run


def test_a_leaf_that_is_gone_is_compiled_again_and_nothing_else_is_lost(moto_hub: MotoHub) -> None:
    compiled = accepted(moto_hub)
    for stored in moto_hub.s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]:
        body = moto_hub.s3.get_object(Bucket=STATE_BUCKET, Key=stored["Key"])["Body"].read()
        if body.startswith(b'{"role/222222222222/ecr-pusher":{"target"'):
            moto_hub.s3.delete_object(Bucket=STATE_BUCKET, Key=stored["Key"])
    moto_hub.specs = moto_hub.specs_of_another_container()
    with pytest.raises(CompiledUnusable, match="there is no s3://"):
        moto_hub.specs.whole()
    assert accept(moto_hub).process(ACCEPT) is None
    assert moto_hub.specs_of_another_container().whole() == compiled


def test_a_compiled_form_that_is_gone_is_compiled_again(moto_hub: MotoHub) -> None:
    compiled = accepted(moto_hub)
    for stored in moto_hub.s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]:
        moto_hub.s3.delete_object(Bucket=STATE_BUCKET, Key=stored["Key"])
    moto_hub.specs = moto_hub.specs_of_another_container()
    with pytest.raises(CompiledUnusable, match="there is no s3://"):
        moto_hub.specs.accepted()
    assert accept(moto_hub).process(ACCEPT) is None
    again = moto_hub.specs.accepted()
    assert again == replace(compiled, removals=(), removed={}, removed_patterns=())
