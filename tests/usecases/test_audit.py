"""Proofs of access: what is announced and kept, and that nothing which is broken ends one."""

import json
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from ecr_warden.audit.alerts import AccessAudited
from ecr_warden.audit.audit import FindingsSearch, stored_estate
from ecr_warden.audit.finding import (
    AUDITED_FOR,
    AuditRecord,
    AuditResult,
    Certainty,
    Condition,
    ConditionStatus,
    Finding,
    FindingKind,
)
from ecr_warden.audit.unread import lines
from ecr_warden.collect.estate import Piece, ReportedCall
from ecr_warden.core.alert import Alert
from ecr_warden.core.desired import Mode, MustNotExist, RepositoryPattern
from ecr_warden.core.failures import PermissionMissing, Throttled
from ecr_warden.core.job import Actor, AuditAccess, Cause, CauseKind, SurveyIdentities, SurveyRegistry
from ecr_warden.core.pause import Pause
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.run import LastSeen
from ecr_warden.core.target import RoleTarget, Target, UserTarget
from ecr_warden.notify.kinds import severity
from ecr_warden.state.state import TargetRecord
from ecr_warden.state.sweeps import parts_of
from iam_access.document.document import Document
from iam_access.inventory.inventory import PolicyOfAws, Unread
from iam_access.inventory.printed import policy_of_aws
from iam_access.who_can.graph import Unfinished
from local.aws.behaviour.of_aws import PUBLISHED
from local.testing.memory.estate import MemoryEstateReader, MemoryEstateStore
from local.testing.memory.hub import MemoryAlertBus
from local.testing.printed import complete_piece
from local.testing.seed import ACCEPTED, CHECKOUT, CI, D1, D5, HOME, OUTSIDER, PULL_USER, USERS, compiled, desired
from tests.usecases.hub import ALICE
from tests.usecases.world import OPEN, World, bare_world, world_in_sync, write_session

REGISTRY = f"{HOME}/{CHECKOUT.region}"
PARTS = (CI, HOME, REGISTRY)
MINUTE = timedelta(minutes=1)
SHADOW = f"arn:aws:iam::{HOME}:role/shadow-pusher"
READ_ONLY_TEXT = PUBLISHED["arn:aws:iam::aws:policy/ReadOnlyAccess"].text("v190")
READ_ONLY = PolicyOfAws.of("arn:aws:iam::aws:policy/ReadOnlyAccess", "v190", READ_ONLY_TEXT)
ECR = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}}


def trusting(account: str) -> dict[str, Any]:
    """A role that anybody in an account may assume, and that may do everything with images."""
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {
        "Arn": SHADOW,
        "RoleId": "AROASHADOW",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust},
        "RolePolicyList": [{"PolicyName": "images", "PolicyDocument": ECR}],
    }


@dataclass(slots=True)
class Estates:
    """A world whose stored estate has what the spec gives; `put` changes a piece of it."""

    world: World = field(default_factory=world_in_sync)

    def __post_init__(self) -> None:
        self.world.audits.kept = None
        users = [{"Arn": f"arn:aws:iam::{CI}:user/{user.name}", "UserId": f"AIDA{user.name}"} for user in USERS]
        self.world.sweep()
        self.put(CI, {"iam": {"UserDetailList": users}})
        self.put(HOME, {"iam": {"UserDetailList": []}})
        self.put(REGISTRY, {"repositories": [{"repositoryName": CHECKOUT.name, "policy": None}]})
        self.world.forget()

    def put(self, part: str, entry: dict[str, Any]) -> None:
        self.world.estate_store.put(Piece(part, self.world.clock.now(), complete_piece(part, entry)))

    def sweep(self) -> None:
        """Of the documents alone: what is kept of the estate stays."""
        pieces = dict(self.world.estate_store.pieces)
        self.world.sweep()
        for piece in pieces.values():
            self.put(piece.part, dict(piece.entry))

    def open(self, account: str = OUTSIDER) -> None:
        """Somebody makes a role that may do everything with images."""
        self.put(HOME, {"iam": {"RoleDetailList": [trusting(account)]}})

    def close(self) -> None:
        self.put(HOME, {"iam": {"UserDetailList": []}})

    def audit(self, **more: Any) -> str:
        cause = Cause(CauseKind.SWEEP, f"s{next(self.world.ids)}")
        return self.world.auditor(**more).audit(AuditAccess(cause))

    @property
    def record(self) -> AuditRecord:
        assert self.world.audits.kept is not None
        return self.world.audits.kept

    @property
    def announced(self) -> list[AccessAudited]:
        """Since the last look."""
        published, self.world.alerts.published[:] = list(self.world.alerts.published), []
        return [alert for alert in published if isinstance(alert, AccessAudited)]

    @property
    def audited(self) -> Condition:
        return self.record.health[str(CHECKOUT)].audited


@pytest.fixture
def estate() -> Estates:
    """Audited once, without findings."""
    made = Estates()
    assert made.audit() == "0 appeared, 0 ended, 0 stand"
    made.world.forget()
    return made


def test_the_first_audit_is_announced_once_even_without_findings() -> None:
    estate = Estates()
    estate.audit()
    [first] = estate.announced
    assert (first.is_first, first.appeared, first.ended) == (True, (), ())
    assert estate.record.findings == ()
    assert estate.audited.status is ConditionStatus.TRUE


def test_a_role_that_lets_in_an_outsider_is_found_although_every_document_is_as_the_spec_says(estate: Estates) -> None:
    estate.open()
    estate.audit()
    [alert] = estate.announced
    foreign = [group for group in alert.appeared if group.finding.foreign]
    assert {group.finding.kind for group in foreign} == {FindingKind.EXTRA}
    assert all(SHADOW in group.finding.chain for group in foreign)
    assert estate.audited.status is ConditionStatus.FALSE
    health = estate.record.health[str(CHECKOUT)]
    assert (health.in_sync.status, health.fresh.status) == (ConditionStatus.TRUE, ConditionStatus.TRUE)


def test_what_stands_is_announced_once_and_keeps_when_it_was_first_seen(estate: Estates) -> None:
    began = estate.world.clock.now()
    estate.open()
    estate.audit()
    assert len(estate.announced) == 1
    estate.world.clock.advance(5 * MINUTE)
    estate.put(CI, {"iam": {"UserDetailList": [{"Arn": f"arn:aws:iam::{CI}:user/new", "UserId": "AIDANEW"}]}})
    estate.audit()
    standing = {seen.finding.principal: seen.first_seen for seen in estate.record.findings if seen.finding.foreign}
    assert set(standing.values()) == {began}
    assert all(group.finding.kind is FindingKind.MISSING for alert in estate.announced for group in alert.appeared)


def test_what_ended_is_announced(estate: Estates) -> None:
    estate.open()
    estate.audit()
    opened = estate.announced[0].appeared
    estate.world.clock.advance(MINUTE)
    estate.close()
    estate.audit()
    [alert] = estate.announced
    assert (alert.appeared, alert.ended) == ((), opened)
    assert estate.audited == Condition(
        ConditionStatus.TRUE, "Audited", estate.audited.message, estate.world.clock.now()
    )


def test_nothing_is_done_while_estate_and_spec_are_the_same(estate: Estates) -> None:
    kept = estate.record
    estate.world.clock.advance(MINUTE)

    def fails(*_: object, live: object) -> AuditResult:
        raise AssertionError("audited again")

    assert estate.audit(by=fails) == "unchanged"
    assert (estate.record, estate.announced) == (kept, [])


LET_IN = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OUTSIDER}:root"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    },
}


def _pause(estate: Estates) -> None:
    now = estate.world.clock.now()
    estate.world.state.pause(CHECKOUT, Pause("p-1", ALICE, "migration", now, now + timedelta(hours=2)))


def _end(estate: Estates, result: Result) -> None:
    remembered = estate.world.state.remembered
    record = remembered.get(CHECKOUT.key, TargetRecord())
    remembered[CHECKOUT.key] = replace(record, last=LastSeen(estate.world.clock.now(), "run", result))


def _fail(estate: Estates) -> None:
    _end(estate, Result.FAILED)


def _hold(estate: Estates) -> None:
    _end(estate, Result.REPORTED)


def _observe(estate: Estates) -> None:
    specs = estate.world.specs
    assert specs.compiled is not None
    specs.compiled = replace(specs.compiled, mode=Mode.OBSERVE)


NOBODY_REPAIRS = {"paused": _pause, "failed": _fail, "held or stopped": _hold, "observed": _observe}


@pytest.mark.parametrize("case", NOBODY_REPAIRS)
def test_an_outsider_in_a_policy_that_nobody_repairs_is_a_finding(estate: Estates, case: str) -> None:
    """Its twin, which is being repaired, is none: the journal has it."""
    estate.put(REGISTRY, {"repositories": [{"repositoryName": CHECKOUT.name, "policy": LET_IN}]})
    assert estate.audit() == "0 appeared, 0 ended, 0 stand"
    NOBODY_REPAIRS[case](estate)
    assert estate.audit() == "1 appeared, 0 ended, 1 stand"
    [seen] = estate.record.findings
    assert (seen.finding.kind, seen.finding.ends_repaired) == (FindingKind.EXTRA, True)
    assert estate.audited.status is ConditionStatus.FALSE


def test_a_template_opens_what_a_pattern_stands_for_unless_that_is_repaired(estate: Estates) -> None:
    specs = estate.world.specs
    pattern = RepositoryPattern(CHECKOUT.account, CHECKOUT.region, "team/*", (), MustNotExist())
    template = {"prefix": "team", "repositoryPolicy": LET_IN}
    estate.put(REGISTRY, {"repositories": [{"repositoryName": CHECKOUT.name}], "creationTemplates": [template]})
    specs.compiled = replace(ACCEPTED, patterns=(pattern,))
    assert estate.audit() == "0 appeared, 0 ended, 0 stand"
    specs.compiled = replace(ACCEPTED, patterns=(replace(pattern, mode=Mode.OBSERVE),))
    assert estate.audit() == "1 appeared, 0 ended, 1 stand"


def test_an_outsiders_registry_that_fills_a_repository_of_the_spec_stands_until_its_rule_is_gone(
    estate: Estates,
) -> None:
    there, rule = [{"repositoryName": CHECKOUT.name}], {"ecrRepositoryPrefix": "shop", "upstreamRegistryUrl": "quay.io"}
    estate.put(REGISTRY, {"repositories": there, "pullThroughCacheRules": [rule]})
    assert estate.audit() == "1 appeared, 0 ended, 1 stand"
    assert (severity(estate.announced[-1]), estate.audited.status) == (Severity.CRITICAL, ConditionStatus.FALSE)
    estate.put(REGISTRY, {"repositories": there, "pullThroughCacheRules": [rule | {"ecrRepositoryPrefix": "hub"}]})
    assert estate.audit() == "1 appeared, 1 ended, 1 stand"
    assert (severity(estate.announced[-1]), estate.audited.status) == (Severity.WARNING, ConditionStatus.TRUE)


OWN = {"gives it": ("Allow", False), "denies it": ("Deny", True)}
"""What another policy of the user does, and whether the user then lacks what the spec gives."""


@pytest.mark.parametrize("case", OWN)
def test_a_run_says_what_one_policy_lacks_and_the_audit_what_the_user_lacks(estate: Estates, case: str) -> None:
    effect, is_found = OWN[case]
    _observe(estate)
    world, name = estate.world, PULL_USER.name
    world.documents.remove(D5)
    world.run(PULL_USER)
    [differs] = world.announced[-1].differences
    assert [line for line in differs.access if " cannot pull " in line]
    assert all(" by this policy, and the spec allows it" in line for line in differs.access if " cannot " in line)
    own = {"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": "ecr:*", "Resource": "*"}}
    policies = [{"PolicyName": "own", "PolicyDocument": own}]
    user = {"Arn": f"arn:aws:iam::{CI}:user/{name}", "UserId": f"AIDA{name}", "UserPolicyList": policies}
    estate.put(CI, {"iam": {"UserDetailList": [user]}})
    policy = json.loads(desired(D1).text)
    estate.put(REGISTRY, {"repositories": [{"repositoryName": CHECKOUT.name, "policy": policy}]})
    estate.audit()
    missing = {seen.finding.principal for seen in estate.record.findings if seen.finding.kind is FindingKind.MISSING}
    assert (user["Arn"] in missing) is is_found


def test_a_door_that_a_condition_opens_later_is_found_before_it_opens(estate: Estates) -> None:
    role = trusting(OUTSIDER)
    after = (estate.world.clock.now() + 2 * AUDITED_FOR).strftime("%Y-%m-%dT%H:%M:%SZ")
    role["AssumeRolePolicyDocument"]["Statement"]["Condition"] = {"DateGreaterThan": {"aws:CurrentTime": after}}
    estate.put(HOME, {"iam": {"RoleDetailList": [role]}})
    estate.audit()
    found = [group.finding for alert in estate.announced for group in alert.appeared if group.finding.foreign]
    assert {one.conditions for one in found} == {(f'aws:CurrentTime is more than "{after}"',)}


def test_another_version_of_the_spec_is_audited(estate: Estates) -> None:
    estate.world.specs.compiled = replace(ACCEPTED, version="v2")
    assert estate.audit() == "0 appeared, 0 ended, 0 stand"
    assert (estate.record.version, estate.announced) == ("v2", [])


def test_a_condition_that_turned_is_kept_without_another_audit(estate: Estates) -> None:
    estate.world.put(D1, OPEN)
    estate.world.clock.advance(MINUTE)
    estate.sweep()
    assert estate.audit() == "unchanged"
    in_sync = estate.record.health[str(CHECKOUT)].in_sync
    assert (in_sync.status, in_sync.reason, in_sync.since) == (
        ConditionStatus.FALSE,
        "Drifted",
        estate.world.clock.now(),
    )
    assert str(CHECKOUT) in in_sync.message
    estate.world.drain()
    estate.world.clock.advance(MINUTE)
    estate.audit()
    assert estate.record.health[str(CHECKOUT)].in_sync.status is ConditionStatus.TRUE


def test_without_a_spec_or_a_survey_there_is_no_audit() -> None:
    world = bare_world()
    world.audits.kept = None
    assert world.auditor().audit(AuditAccess(Cause(CauseKind.SWEEP, "s"))) == "no survey yet"
    world.specs.compiled = None
    assert world.auditor().audit(AuditAccess(Cause(CauseKind.SWEEP, "s"))) == "no spec"
    assert (world.audits.kept, world.alerts.published) == (None, [])


def test_the_first_audit_waits_until_every_part_was_surveyed() -> None:
    world = bare_world()
    world.audits.kept = None
    answers = []
    for part in sorted(parts_of(ACCEPTED)):
        world.estate_store.put(Piece(part, world.clock.now(), {"repositories": []} if "/" in part else {"iam": {}}))
        answers.append(world.auditor().audit(AuditAccess(Cause(CauseKind.EVENT, "e"), part)))
    *before, last = answers
    assert before == ["not every part has been surveyed yet"] * 2
    assert "appeared" in last
    assert world.audits.kept is not None


def test_a_part_that_was_not_surveyed_makes_unknown_what_rests_on_it(estate: Estates) -> None:
    del estate.world.estate_store.pieces[CI], estate.world.estate_store._put[CI]
    estate.audit()
    assert (estate.audited.status, estate.audited.reason) == (ConditionStatus.UNKNOWN, "Unread")
    assert [one.place for one in estate.record.unread] == [CI]
    assert estate.record.health[str(CHECKOUT)].fresh.reason == "NeverRead"


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "users that are no list": (CI, {"iam": {"UserDetailList": 7}}),
    "a repository that is no object": (REGISTRY, {"repositories": ["x"]}),
    "nested without end": (HOME, {"iam": {"RoleDetailList": [{"Arn": SHADOW, "Tags": [[]]}]}}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_piece_that_cannot_be_parsed_is_named_and_the_rest_is_audited(estate: Estates, name: str) -> None:
    estate.open()
    estate.audit()
    before = len(estate.record.findings)
    part, entry = BROKEN[name]
    estate.put(part, entry)
    estate.audit()
    assert [one.place for one in estate.record.unread if one.what == "what was kept of it"] == [part]
    assert (len(estate.record.findings), estate.record.failure) == (before, None)
    assert not any(alert.ended for alert in estate.announced)


def _user(account: str) -> dict[str, Any]:
    attached = [{"PolicyArn": READ_ONLY.arn}]
    return {"Arn": f"arn:aws:iam::{account}:user/ann", "UserId": "AIDAANN", "AttachedManagedPolicies": attached}


def _reading(estate: Estates) -> list[Document | Unread]:
    """What the stored estate has of the policy that a user of each account has."""
    for account in (CI, HOME):
        estate.put(account, {"iam": {"UserDetailList": [_user(account)], "Policies": [policy_of_aws(READ_ONLY)]}})
    made, broken, _ = stored_estate(estate.world.estate_store, PARTS, estate.world.clock.now())
    assert broken == ()
    return [policy.document for identity in made.identities() for policy in identity.policies]


def test_a_policy_of_aws_is_parsed_once_for_all_accounts(estate: Estates) -> None:
    estate.world.estate_store.put_text(READ_ONLY, READ_ONLY_TEXT)
    first, second = _reading(estate)
    assert isinstance(first, Document)
    assert first is second


@pytest.mark.parametrize("text", [None, '{"Statement":[]}', "{"])
def test_a_policy_of_aws_whose_text_is_not_kept_as_it_was_read_is_unread(estate: Estates, text: str | None) -> None:
    if text is not None:
        estate.world.estate_store.put_text(READ_ONLY, text)
    assert [isinstance(one, Unread) for one in _reading(estate)] == [True, True]
    estate.audit()
    findings = [seen.finding for seen in estate.record.findings if seen.finding.principal.endswith("user/ann")]
    assert {(one.access, one.certainty) for one in findings} >= {(one, Certainty.UNKNOWN) for one in ("pull", "push")}


def test_a_piece_of_another_version_is_unread(estate: Estates) -> None:
    estate.world.estate_store._put[HOME] = replace(estate.world.estate_store._put[HOME], tag="newer")
    del estate.world.estate_store.pieces[HOME]
    estate.audit()
    assert f"{HOME}: what was kept of it: another version wrote it" in lines(estate.record.unread)
    assert estate.audited.status is ConditionStatus.UNKNOWN


def crash(*_: object, live: object) -> AuditResult:
    return [].pop()


def too_slow(*_: object, live: object) -> AuditResult:
    raise Unfinished("there was not enough time to prove who has access")


@pytest.mark.parametrize(
    ("by", "reason"), [(crash, "IndexError in test_audit.py"), (too_slow, "not enough time")], ids=["crash", "too slow"]
)
def test_an_audit_that_fails_is_reported_once_and_everything_is_unknown(
    estate: Estates, by: FindingsSearch, reason: str
) -> None:
    estate.open()
    estate.audit()
    stood = estate.record.findings
    assert estate.announced
    for _ in range(2):
        estate.put(HOME, {"iam": {"RoleDetailList": [trusting(CI)]}})
        estate.world.clock.advance(AUDITED_FOR)
        assert reason in estate.audit(by=by)
    [alert] = estate.announced
    assert reason in alert.failure
    assert (estate.audited.status, estate.audited.reason) == (ConditionStatus.UNKNOWN, "AuditFailed")
    assert estate.record.findings == stood
    estate.world.clock.advance(AUDITED_FOR)
    estate.audit()
    assert (estate.record.failure, estate.audited.status) == (None, ConditionStatus.FALSE)


def test_what_an_audit_without_time_for_everything_found_is_kept_and_nothing_has_ended(estate: Estates) -> None:
    estate.open()
    estate.audit()
    [stood] = estate.announced
    before = [seen.finding for seen in estate.record.findings]
    found = Finding(FindingKind.REGISTRY, REGISTRY, "pull", f"account {OUTSIDER}", foreign=True)

    def unfinished(*_: object, live: object) -> AuditResult:
        return AuditResult((found,), {}, {}, (), "there was not enough time")

    for _ in range(2):
        estate.close()
        estate.world.clock.advance(AUDITED_FOR)
        assert estate.audit(by=unfinished) == "there was not enough time"
    [alert] = estate.announced
    assert ([group.finding for group in alert.appeared], alert.ended) == ([found], ())
    assert (alert.failure, severity(alert)) == ("there was not enough time", Severity.CRITICAL)
    assert {seen.finding for seen in estate.record.findings} == {found, *before}
    assert (estate.audited.status, estate.audited.reason) == (ConditionStatus.UNKNOWN, "AuditFailed")
    estate.world.clock.advance(AUDITED_FOR)
    estate.audit()
    [alert] = estate.announced
    assert len(alert.ended) == len(stood.appeared) + 1
    assert (estate.record.failure, estate.record.findings) == (None, ())


def test_an_audit_that_failed_is_tried_again_once_an_hour_or_once_something_changed(estate: Estates) -> None:
    estate.open()
    assert "IndexError" in estate.audit(by=crash)
    assert [estate.audit(), estate.audit()] == ["unchanged"] * 2
    assert estate.audited.status is ConditionStatus.UNKNOWN
    estate.put(HOME, {"iam": {"RoleDetailList": [trusting(CI)]}})
    assert "appeared" in estate.audit()


def test_an_audit_that_kills_its_process_twice_is_not_tried_by_the_next_job(estate: Estates) -> None:
    def killed(*_: object, **__: object) -> AuditResult:
        raise SystemExit

    estate.open()
    for _ in range(2):
        with pytest.raises(SystemExit):
            estate.audit(by=killed)
    assert [estate.audit(), estate.audit()] == ["the audit was begun twice, and did not end", "unchanged"]
    [alert] = estate.announced
    assert (alert.failure, severity(alert)) == ("the audit was begun twice, and did not end", Severity.CRITICAL)
    estate.world.clock.advance(AUDITED_FOR)
    assert "appeared" in estate.audit()


def test_a_first_audit_that_fails_is_reported_and_the_next_is_the_first() -> None:
    estate = Estates()
    estate.audit(by=crash)
    [failed] = estate.announced
    assert "IndexError" in failed.failure
    estate.world.clock.advance(AUDITED_FOR)
    estate.audit()
    assert [alert.is_first for alert in estate.announced] == [True]


def test_a_store_that_does_not_answer_has_the_job_tried_again(estate: Estates) -> None:
    estate.open()
    kept = estate.record

    class Unanswering(MemoryEstateStore):
        def get(self, part: str) -> Piece:
            raise Throttled("slow down", retryable=True)

    store = estate.world.estate_store
    estate.world.estate_store = Unanswering(store.clock, store.pieces, _put=store._put)
    with pytest.raises(Throttled):
        estate.audit()
    assert (estate.record, estate.announced) == (kept, [])


def test_an_announcement_that_fails_counts_as_no_audit_that_was_begun(estate: Estates) -> None:
    estate.open()
    kept = estate.record

    class Unanswering(MemoryAlertBus):
        def publish(self, alert: Alert) -> None:
            raise Throttled("slow down", retryable=True)

    alerts, estate.world.alerts = estate.world.alerts, Unanswering()
    for _ in range(3):
        with pytest.raises(Throttled):
            estate.audit()
    assert estate.record == kept
    estate.world.alerts = alerts
    assert "appeared" in estate.audit()


def test_administrators_known_before_something_was_not_read_are_not_new_afterwards(estate: Estates) -> None:
    estate.open(CI)
    estate.audit()
    known = estate.record.administrators
    assert SHADOW in known[HOME]
    fine = {"repositories": [{"repositoryName": CHECKOUT.name, "policy": None}]}
    for entry in ({"repositories": ["x"]}, fine):
        estate.put(REGISTRY, entry)
        estate.audit()
        assert estate.record.administrators == known
    assert [alert.appeared for alert in estate.announced[1:]] == [(), ()]


# Identity providers


GITHUB = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"
JOBS = """
version: 1
accounts: {registry: {id: "222222222222", regions: [eu-central-1]}}
repositories:
  - name: shop/checkout
    account: registry
    push: [{role: ecr-pusher, by: [{github: acme/shop, owner_id: 12, repository_id: 34, branch: main}]}]
"""


def surveyed_with(
    world: World, *, providers: list[dict[str, Any]] | None, sweep: str = "s1"
) -> tuple[AccessAudited | None, AuditRecord]:
    """A survey of the push role's account, and its audit; `providers`: None if its stack does not let them be read."""
    reader = world.reader
    reader.no_providers = {} if providers is not None else {HOME: PermissionMissing("AWS denied it", remedy="deploy")}
    reader.providers = {HOME: providers or []}
    world.clock.advance(AUDITED_FOR)
    cause = Cause(CauseKind.SWEEP, sweep)
    world.survey.take(SurveyIdentities(cause, HOME))
    world.survey.take(SurveyRegistry(cause, HOME, CHECKOUT.region))
    world.auditor().audit(AuditAccess(cause))
    alerts = [alert for alert in world.alerts.published if isinstance(alert, AccessAudited)]
    world.alerts.published.clear()
    assert world.audits.kept is not None
    return (alerts[-1] if alerts else None), world.audits.kept


@pytest.fixture
def jobs_push() -> World:
    """A world whose accepted spec lets jobs of GitHub push."""
    world = world_in_sync()
    world.specs.compiled = compiled(JOBS)
    world.audits.kept = None
    world.reader = MemoryEstateReader(policies={REGISTRY: {CHECKOUT.name: None}})
    return world


def test_a_push_role_without_its_identity_provider_is_found_until_somebody_creates_it(jobs_push: World) -> None:
    alert, record = surveyed_with(jobs_push, providers=[])
    [seen] = record.findings
    assert seen.finding.kind is FindingKind.MISSING
    assert seen.finding.principal == GITHUB
    assert "does not exist in account 222222222222" in seen.finding.because[0]
    assert "aws iam create-open-id-connect-provider" in seen.finding.remedy
    assert record.health[str(CHECKOUT)].audited.status is ConditionStatus.FALSE
    assert alert is not None
    assert severity(alert) is Severity.WARNING

    audiences = [{"Arn": GITHUB, "ClientIDList": ["sts.amazonaws.com"]}]
    alert, record = surveyed_with(jobs_push, providers=audiences, sweep="s2")
    assert record.findings == ()
    assert record.health[str(CHECKOUT)].audited.status is ConditionStatus.TRUE
    assert alert is not None
    assert [group.finding.principal for group in alert.ended] == [GITHUB]


def test_what_was_missing_does_not_end_because_it_is_not_seen_any_more(jobs_push: World) -> None:
    surveyed_with(jobs_push, providers=[])
    alert, record = surveyed_with(jobs_push, providers=None, sweep="s2")
    assert [seen.finding.principal for seen in record.findings] == [GITHUB]
    assert alert is None or alert.ended == ()


# Whose call it was


def called(estate: Estates, who: str, action: str, target: Target | None, part: str = HOME) -> Cause:
    """Somebody's call, which an event reports and for which a part was surveyed."""
    at = estate.world.clock.now().isoformat()
    actor = Actor("IAMUser", f"arn:aws:iam::{HOME}:user/{who}", HOME)
    cause = Cause(CauseKind.EVENT, f"e{next(estate.world.ids)}", action, at, actor=actor)
    noted(estate, cause, target, part)
    return cause


def noted(estate: Estates, cause: Cause, target: Target | None, part: str = HOME) -> None:
    calls = [*estate.world.estate_store.calls(part), ReportedCall(cause, target)]
    estate.world.estate_store.note(part, calls)


def openers_after(estate: Estates, cause: Cause) -> tuple[Cause, list[Cause]]:
    """The cause of the one announcement, and the calls that may have opened what it found."""
    estate.world.auditor().audit(AuditAccess(cause, HOME))
    [alert] = estate.announced
    [opened] = {*alert.openers}
    assert opened.left_out == 0
    return alert.cause, list(opened.calls)


DOOR = RoleTarget(HOME, "shadow-pusher")
OTHER_ROLE = RoleTarget(HOME, "billing")


def test_a_finding_names_the_call_that_opened_the_door_and_not_the_first_of_its_batch(estate: Estates) -> None:
    first = called(estate, "alice", "iam:TagRole", OTHER_ROLE)
    opened = called(estate, "mallory", "iam:UpdateAssumeRolePolicy", DOOR)
    called(estate, "bob", "iam:PutUserPolicy", UserTarget(HOME, "bob"))
    estate.open()
    assert openers_after(estate, first) == (first, [opened])


def test_all_calls_that_may_have_opened_it_are_named_the_latest_first(estate: Estates) -> None:
    made = called(estate, "alice", "iam:CreateRole", DOOR)
    of_group = called(estate, "bob", "iam:PutGroupPolicy", None)
    opened = called(estate, "mallory", "iam:UpdateAssumeRolePolicy", DOOR)
    estate.open()
    assert openers_after(estate, made) == (made, [opened, of_group, made])


def test_where_no_call_on_the_way_is_known_none_is_named(estate: Estates) -> None:
    first = called(estate, "alice", "iam:TagRole", OTHER_ROLE)
    elsewhere = called(estate, "bob", "iam:PutGroupPolicy", None, CI)
    estate.open()
    assert openers_after(estate, first) == (first, [])
    assert elsewhere.id not in str(estate.record)


def test_a_call_whose_target_the_event_hides_may_have_opened_anything(estate: Estates) -> None:
    hidden = Cause(CauseKind.EVENT, "hidden", "iam:UpdateAssumeRolePolicy", estate.world.clock.now().isoformat())
    estate.open()
    assert openers_after(estate, hidden) == (hidden, [hidden])


def test_calls_of_a_part_that_did_not_change_opened_nothing(estate: Estates) -> None:
    called(estate, "bob", "iam:PutGroupPolicy", None, CI)
    opened = called(estate, "mallory", "iam:UpdateAssumeRolePolicy", DOOR)
    estate.open()
    assert openers_after(estate, opened)[1] == [opened]


def test_our_own_repair_is_called_ours_by_its_run_and_a_session_that_no_run_opened_is_not(
    estate: Estates,
) -> None:
    world = estate.world
    world.put(D1, OPEN)
    world.run(CHECKOUT)
    [run] = [report.run_id for report in world.reports if report.applied]
    at = world.clock.now().isoformat()
    ours, theirs = (
        Cause(
            CauseKind.EVENT, f"w{number}", "ecr:SetRepositoryPolicy", at, actor=write_session(f"ecrw-{name}", CHECKOUT)
        )
        for number, name in enumerate((run, "nobody"))
    )
    world.forget()
    noted(estate, ours, CHECKOUT, REGISTRY)
    noted(estate, theirs, CHECKOUT, REGISTRY)
    estate.put(
        REGISTRY, {"repositories": [{"repositoryName": CHECKOUT.name, "policy": None}], "registryPolicy": LET_IN}
    )
    world.auditor().audit(AuditAccess(ours, REGISTRY))
    [alert] = estate.announced
    assert (alert.cause.kind, alert.cause.id) == (CauseKind.RUN, run)
    found = {(one.kind, one.id) for opened in alert.openers for one in opened.calls}
    assert found == {(CauseKind.RUN, run), (CauseKind.EVENT, theirs.id)}


def test_the_first_audit_looks_for_no_calls() -> None:
    estate = Estates()
    called(estate, "mallory", "iam:UpdateAssumeRolePolicy", DOOR)
    estate.open()
    estate.audit()
    [alert] = estate.announced
    assert (alert.is_first, alert.openers) == (True, ())
