"""Every kind of message in every state, as e-mail and chat show it: one file a page in golden/.

`.venv/bin/python -m tests.unit.notify.pages` writes the files again, so that a change of words is a diff to read.
"""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecr_warden.audit.alerts import AccessAudited, Openers
from ecr_warden.audit.finding import ANYONE, Certainty, Finding, FindingGroup, FindingKind
from ecr_warden.audit.finding_texts import details, sentence
from ecr_warden.collect.alerts import EventMissed, LeftOver, Unlisted, WiringChanged
from ecr_warden.collect.wire import HUB_PART, Wire, WireState
from ecr_warden.core.address import attached_policy, identity_policy, repository_policy, role, trust_policy
from ecr_warden.core.alert import Alert
from ecr_warden.core.drift import Drift
from ecr_warden.core.failures import BlockedByDeny
from ecr_warden.core.job import Actor, Cause, CauseKind, FollowClock, ReconcileTarget, short_name
from ecr_warden.core.judgement import WaitCode, WaitReason
from ecr_warden.core.kinds import DriftKind, HoldReason
from ecr_warden.core.pause import Pause
from ecr_warden.core.result import Result, Severity
from ecr_warden.core.run import Applied, Conflict, Failed, Outcome, Skipped
from ecr_warden.core.sessions import Sessions, denial_of, ending_sessions
from ecr_warden.core.target import UserTarget
from ecr_warden.images.alerts import ImagesPushed
from ecr_warden.images.push import ImageEvent, Right
from ecr_warden.notify.formats import to_email, to_slack
from ecr_warden.notify.kinds import digest_of, message_of, plain_message
from ecr_warden.notify.message import Message, spelled_message
from ecr_warden.notify.wording import describe_actor, describe_cause, who
from ecr_warden.notify.writers import Tool, in_tool
from ecr_warden.repair.alerts import (
    COMPILED_SPEC,
    ChannelsTested,
    EndMoment,
    FightMoment,
    FightNoticed,
    GrantsEnd,
    HarmfulCall,
    JobFailed,
    OwnChanged,
    PauseEnded,
    RunEnded,
    TargetsPaused,
    TargetsResumed,
    WritesSwitched,
)
from ecr_warden.repair.run_ended import sides_of
from ecr_warden.state.fight import Fight
from ecr_warden.state.hold import OPEN, Decision, Hold, HoldState
from ecr_warden.state.hold import Verdict as HoldVerdict
from ecr_warden.state.switch import STOPPED
from ecr_warden.versions.alerts import HoldOpened, HoldSettled, SpecAccepted, SpecRefused, SpecRestored
from iam_access.delta.relate import Interchangeable
from local.testing.holds import ground, reasons
from local.testing.memory.hub import ManualClock
from local.testing.people import People
from tests.unit.notify.reports import (
    ATTACHED,
    CI,
    DEPLOYED,
    EVENT,
    HOME,
    LOCKED_OUT,
    MALLORY,
    NOW,
    OUTSIDER,
    REOPENED,
    REOPENED_BY_A_CHANGE,
    REPOSITORY,
    ROLE,
    RUN,
    SETTLING,
    SPEC,
    SPEC_PULLS,
    SWEEP,
    UNREADABLE,
    USER,
    allows,
    also,
    change,
    pulls,
    push_drift,
    report,
    repository_drift,
    trust_drift,
    trusts,
    unexpected_drift,
)

GOLDEN = Path(__file__).parent / "golden"
VERSION = "23fa7a99-ae7a-450e-9e08-3ec7f204ba2e"
USER_1 = f"arn:aws:iam::{CI}:user/pull-user-1"
FOREIGN = repository_drift(pulls(USER_1, f"arn:aws:iam::{OUTSIDER}:user/eve"))
TRUSTING = trust_drift(also(trusts(f"arn:aws:iam::{CI}:user/push-user"), trusts(f"arn:aws:iam::{OUTSIDER}:root")))
MISSING = repository_drift(None)
LETS_IN = pulls(USER_1, f"arn:aws:iam::{OUTSIDER}:user/eve")
CHANGE = change(MISSING)
GONE = Drift(repository_policy(REPOSITORY), DriftKind.TARGET_MISSING, "it does not exist")
ROLE_GONE = Drift(role(ROLE), DriftKind.MISSING, "it is not there")
UNBOUND = Drift(role(ROLE), DriftKind.CHANGED, "permissions boundary is none")
BROKEN = replace(MISSING, kind=DriftKind.UNPARSEABLE, explain="bad JSON", access=None)
DENIED = replace(UNREADABLE, code=BlockedByDeny.code, explain="reading it: explicitly denied; remove the Deny")
ENDED = Sessions(datetime(2026, 11, 24, 10, tzinfo=UTC), since=datetime(2026, 11, 24, 9, tzinfo=UTC))
REFUSED = Failed(change(FOREIGN), "permission-missing", "AWS denied ecr:SetRepositoryPolicy", False, "deploy the stack")
ROOT_USER = Actor("Root", f"arn:aws:iam::{HOME}:root", HOME)
SET_ASIDE = Pause("c-2", MALLORY, "a migration", NOW, NOW + timedelta(hours=2))
ASKED = Cause(CauseKind.CALLER, "c-1", "reconcile", actor=MALLORY)
PAUSE = Cause(CauseKind.PAUSE, "command-1", actor=Actor("IAMUser", arn=f"arn:aws:iam::{CI}:user/alice"))
LEFT: Any = {"result": Result.REPORTED, "held": HoldReason.TARGET_MISSING}


OF_ACME: Any = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}


def denies(sessions: Sessions) -> Outcome:
    return Applied(replace(CHANGE, address=REOPENED.address, after=denial_of(sessions)))


def by(action: str) -> Cause:
    """A call of mallory's."""
    return replace(EVENT, action=action)


def on(name: str, **more: Any) -> RunEnded:
    """A run that repaired a repository of that name."""
    return report(replace(FOREIGN, address=repository_policy(replace(REPOSITORY, name=name))), **more)


def due(name: str, **more: Any) -> RunEnded:
    """A run that did on a role what had become due, without any drift."""
    return replace(report(cause=SWEEP, run_id=f"r-{name}", **more), target=replace(ROLE, name=name))


def hold(*why: str, **more: Any) -> Hold:
    return Hold(ground("v2", "v1"), f"version {VERSION} of the spec", reasons(*why), NOW, NOW, **more)


RUNS: dict[str, Alert] = {
    "an outsider could pull": report(FOREIGN),
    "an organization could pull": report(repository_drift(also(SPEC_PULLS, pulls("*", **OF_ACME)))),
    "an outsider could take the push role": report(
        TRUSTING, cause=by("iam:UpdateAssumeRolePolicy"), outcomes=(Applied(change(TRUSTING)), denies(ENDED))
    ),
    "all older sessions ended": report(TRUSTING, outcomes=(denies(Sessions(ENDED.before)),)),
    "sessions of AWS services go on": replace(
        report(TRUSTING), goes_on=NOW + timedelta(hours=12), ending=ending_sessions(ROLE, NOW)
    ),
    "a policy that was deleted": report(MISSING, cause=by("ecr:DeleteRepositoryPolicy")),
    "written differently": report(replace(FOREIGN, access=Interchangeable("the statements are split differently"))),
    "an inline policy that was added": report(unexpected_drift(allows("*")), cause=by("iam:PutUserPolicy")),
    "a policy that was attached": report(ATTACHED, cause=by("iam:AttachRolePolicy")),
    "power over policies": report(push_drift(also(allows("ecr:PutImage"), allows("iam:PutRolePolicy")))),
    "two documents": report(push_drift(allows("s3:GetObject")), TRUSTING),
    "a document that is not understood": report(BROKEN),
    "a repository that was deleted": report(GONE, cause=by("ecr:DeleteRepository"), **LEFT),
    "a repository that is gone": report(GONE, cause=SWEEP, **LEFT),
    "a role that was deleted": report(ROLE_GONE, cause=by("iam:DeleteRole")),
    "a boundary that was taken away": report(UNBOUND, cause=by("iam:DeleteRolePermissionsBoundary")),
    "a call of another kind": report(FOREIGN, cause=by("ecr:TagResource")),
    "an unknown caller": report(MISSING, cause=replace(EVENT, actor=None)),
    "found by the sweep": report(FOREIGN, cause=SWEEP),
    "found by a follow-up": report(FOREIGN, cause=RUN),
    "found by verifying": report(FOREIGN, cause=Cause(CauseKind.EVENT, "e")),
    "found by a command": report(FOREIGN, cause=ASKED),
    "what the end of a pause left": report(MISSING, cause=PAUSE),
    "a version of the spec": report(MISSING, cause=SPEC),
    "a version that lets in an outsider": report(repository_drift(SPEC_PULLS, LETS_IN), cause=SPEC),
    "a version that could not be rolled out": report(FOREIGN, cause=SPEC, result=Result.FAILED, outcomes=(REFUSED,)),
    "what was due": due("builder"),
    "observe mode": report(FOREIGN, result=Result.REPORTED, held=HoldReason.OBSERVE_MODE),
    "the stop switch": report(FOREIGN, result=Result.REPORTED, outcomes=(Skipped(change(FOREIGN), STOPPED),)),
    "a pause": report(FOREIGN, result=Result.REPORTED, outcomes=(Skipped(change(FOREIGN), str(SET_ASIDE)),)),
    "what it lacks waits after it was narrowed": report(
        FOREIGN, result=Result.WAITING, outcomes=(Applied(change(FOREIGN)),)
    ),
    "a repair that would lock itself out": report(MISSING, result=Result.REPORTED, held=HoldReason.OWN_ACCESS),
    "a role that is not ours": report(MISSING, result=Result.REPORTED, held=HoldReason.NOT_OURS),
    "what is given back later": report(MISSING, result=Result.WAITING, held=HoldReason.PACED),
    "an unreadable target": report(UNREADABLE, result=Result.UNKNOWN, outcomes=()),
    "a Deny against ecr-warden": report(DENIED, result=Result.UNKNOWN, outcomes=()),
    "a failed repair": report(FOREIGN, result=Result.FAILED, outcomes=(REFUSED,)),
    "a conflict": report(FOREIGN, result=Result.CONFLICT, outcomes=(Conflict(change(FOREIGN)),)),
    "a contested document": replace(
        report(FOREIGN, result=Result.CONFLICT, outcomes=(Conflict(change(FOREIGN)),)), contested=3
    ),
    "opened again and again": replace(report(FOREIGN), again=True),
    "a repair that AWS does not show yet": report(FOREIGN, result=Result.NOT_YET_VISIBLE),
    "a write that settles": report(SETTLING, result=Result.NOT_YET_VISIBLE),
    "a repair that did not hold": report(FOREIGN, result=Result.STILL_DRIFTED),
    "an interrupted run": report(FOREIGN, result=Result.INTERRUPTED, outcomes=()),
    "an intruder": report(result=Result.IN_SYNC, intruder=True),
    "ended sessions that work again": report(REOPENED),
    "a cut-off that was changed": report(REOPENED_BY_A_CHANGE),
    "a lock-out by our own means": report(LOCKED_OUT),
    "a long reason": report(MISSING, result=Result.REPORTED, outcomes=(Skipped(CHANGE, "paused " * 50),)),
}
FIGHT = Fight(repository_policy(REPOSITORY), NOW - timedelta(minutes=9), NOW, 4, MALLORY)
TERRAFORM = replace(MALLORY, user_agent="APN/1.0 HashiCorp/1.0 Terraform/1.9.8")
SEVERAL: dict[str, list[Alert]] = {
    "targets that were due": [due("a"), due("b")],
    "one target twice": [due("a"), due("a")],
    "what was due beside a repair": [due("a"), due("b"), on("c", cause=SWEEP)],
    "one that failed": [due("a"), due("b", result=Result.FAILED), on("c", cause=SWEEP), on("d", cause=SWEEP)],
    "nothing else is fine": [due("a"), due("b", result=Result.FAILED)],
    "a roll-out": [
        SpecAccepted(SPEC, VERSION, "v1", ("a", "b", "c")),
        on("a", cause=SPEC),
        replace(due("b"), cause=SPEC),
        report(TRUSTING, cause=SPEC, result=Result.FAILED, outcomes=(REFUSED,), run_id="r-bad"),
    ],
    "runs after a run": [on("a0", cause=RUN), on("b0", cause=RUN, run_id="r-2")],
    "a burst of one principal": [on(f"r{index}", run_id=f"r-{index}") for index in range(3)],
    "one target three times": [on("a", run_id=f"r-{index}") for index in range(3)],
    "several ways of one principal": [
        on("a"),
        HoldOpened(EVENT, hold("it drops an account")),
        HarmfulCall(by("iam:CreateAccessKey"), USER),
    ],
    "fights": [
        FightNoticed(EVENT, FightMoment.BEGAN, FIGHT, sides_of(FOREIGN, (CI, HOME)), "r-1", Severity.CRITICAL),
        FightNoticed(EVENT, FightMoment.BEGAN, replace(FIGHT, address=trust_policy(ROLE)), (), "r-2"),
    ],
}
FIGHTS: dict[str, Alert] = {
    "a fight": FightNoticed(EVENT, FightMoment.BEGAN, FIGHT, sides_of(FOREIGN, (CI, HOME)), "r-1", Severity.CRITICAL),
    "a fight with Terraform": FightNoticed(
        EVENT, FightMoment.BEGAN, replace(FIGHT, writer=TERRAFORM), sides_of(MISSING, (CI, HOME)), "r-1"
    ),
    "a fight that is over": FightNoticed(EVENT, FightMoment.ENDED, FIGHT),
}
LONG = f"it lets in organization o-a1b2c3d4e5: repository policy of {'shop/' * 15}checkout"
DECIDED = {
    HoldState.ACCEPTED: Decision("c-9", HoldVerdict.ACCEPT, MALLORY, NOW),
    HoldState.REJECTED: Decision("c-9", HoldVerdict.REJECT, MALLORY, NOW),
}
SPECS: dict[str, Alert] = {
    "accepted": SpecAccepted(EVENT, VERSION, None, ("a", "b")),
    "accepted by a person": SpecAccepted(ASKED, VERSION, "v1", ("a",)),
    "warnings": SpecAccepted(EVENT, VERSION, "v1", (), ("W1 no effect",)),
    "refused": SpecRefused(EVENT, VERSION, "v2", ("E104 a.yaml:1:2 no", "E105 a.yaml:2:2 no")),
    "nothing is enforced": SpecRefused(EVENT, VERSION, None, ("E104",)),
    "the accepted one is back": SpecRestored(SWEEP, VERSION),
    "deleted": SpecRefused(by("s3:DeleteObject"), VERSION, "v2", ("E101 the spec was deleted",)),
    "grants that end in a week": GrantsEnd(SWEEP, EndMoment.WEEK, VERSION, ("pull from repository/x: a, until ..",), 2),
    "a grant that ends in a day": GrantsEnd(SWEEP, EndMoment.DAY, VERSION, ("pull from repository/x: a, until ..",)),
    "a grant that has ended": GrantsEnd(SWEEP, EndMoment.ENDED, VERSION, ("pull from repository/x: a, until ..",)),
    "a version that lets in an outsider": HoldOpened(
        EVENT,
        hold(
            "it lets in organization o-a1b2c3d4e5: repository policy of shop/checkout",
            gains=("organization o-a1b2c3d4e5 gains pull from shop/checkout",),
            loses=("ci:user/old loses push to shop/checkout",),
        ),
    ),
    "an outsider whom a person lets in": HoldSettled(
        ASKED,
        replace(
            hold(gains=("organization o-a1b2c3d4e5 gains pull from shop/checkout",)),
            why=(WaitReason(WaitCode.OUTSIDE_GAINS, "it lets in organization o-a1b2c3d4e5: policy of shop/checkout"),),
            state=HoldState.ACCEPTED,
            decision=DECIDED[HoldState.ACCEPTED],
        ),
    ),
    "a short reason": HoldOpened(EVENT, hold("it drops 1 account: ci")),
    "a reason that is cut where its beginning ends": HoldOpened(EVENT, hold(LONG, "it drops 1 account: ci")),
    "a reason whose beginning is too long": HoldOpened(
        EVENT, hold(f"it lets in organizations {'o-a1b2c3d4e5 and ' * 8}more", "it drops 1 account: ci")
    ),
    "several reasons": HoldOpened(
        EVENT, hold("it removes 12 grants after 3 in the 24 hours before; MaxRemoved is 10", "it drops 1 account: ci")
    ),
    **{
        f"a hold that is {state}": HoldSettled(EVENT, replace(hold("it drops 1 account: ci"), state=state, decision=by))
        for state in HoldState
        if state not in (HoldState.SEEN, *OPEN)
        for by in [DECIDED.get(state)]
    },
}
PAUSED = TargetsPaused(ASKED, ("repository/x",), "a migration", NOW)
PAUSES: dict[str, Alert] = {
    "paused": PAUSED,
    "targets to come": replace(PAUSED, patterns=("shop/*", "evil`\n<b>")),
    "all targets to come": replace(PAUSED, patterns=("all",)),
    "several targets": replace(PAUSED, targets=("repository/x", "role/y")),
    "resumed": TargetsResumed(ASKED, ("repository/x",)),
    "the channels are tried": ChannelsTested(ASKED),
    "ended": PauseEnded(PAUSE, ("repository/x",), "a migration", NOW),
    "writes are stopped": WritesSwitched(by("ssm:PutParameter"), "writes are stopped by the switch"),
    "writes are still stopped": WritesSwitched(SWEEP, "writes are stopped by the switch", NOW),
    "the switch cannot be read": WritesSwitched(SWEEP, "nothing is written while the stop switch cannot be read: no"),
    "writes are on again": WritesSwitched(by("ssm:PutParameter"), ""),
}
EVES = Actor("IAMUser", arn=f"arn:aws:iam::{OUTSIDER}:user/eve", account=OUTSIDER)
PIPELINE = Actor("AssumedRole", account=HOME, issuer=f"arn:aws:iam::{HOME}:role/ecr-pusher", session_name="ci")


def pushed(by: Actor | None, right: Right, tag: str = "v1", last: ImageEvent | None = None) -> ImagesPushed:
    image = ImageEvent(
        "pushed", NOW, "push-1", f"sha256:{'9f86d081' * 8}", tag, by, NOW - timedelta(hours=1), right, last
    )
    return ImagesPushed(
        Cause(CauseKind.EVENT, "push-1", "ecr:PutImage", NOW.isoformat(), actor=by), REPOSITORY, (image,)
    )


IMAGES: dict[str, Alert] = {
    "an image of an outsider": pushed(EVES, Right.OUTSIDE),
    "an image through an open door": pushed(PIPELINE, Right.DOOR, ""),
    "an image of nobody known": pushed(None, Right.UNKNOWN),
    "an image that is archived": pushed(EVES, Right.OUTSIDE, last=ImageEvent("archived", NOW, "2", "", by=EVES)),
    "an image that is deleted": pushed(EVES, Right.OUTSIDE, last=ImageEvent("deleted", NOW, "3", "", by=EVES)),
}
UNREAD = ("repository/2/eu-central-1/shop/*: denied; allow it", "user/1/*: closed")
WIRE = Wire("rule ecr-warden-sweep", "the schedule", WireState.MISSING)
WATCHING: dict[str, Alert] = {
    "a role of ours": OwnChanged(EVENT, HOME, "role ecr-warden-read"),
    "a trail that was stopped": OwnChanged(by("cloudtrail:StopLogging"), HOME, "trail main in eu-central-1"),
    "a trail that was deleted": OwnChanged(by("cloudtrail:DeleteTrail"), HOME, "trail main in eu-central-1"),
    "a trail after another call": OwnChanged(by("cloudtrail:PutInsightSelectors"), HOME, "trail main in eu-central-1"),
    "a key that was disabled": OwnChanged(by("kms:DisableKey"), HOME, "key 1234abcd-12ab in eu-central-1"),
    "a rule that was disabled": OwnChanged(by("events:DisableRule"), HOME, "rule ecr-warden-forward-iam in us-east-1"),
    "a deployment": OwnChanged(DEPLOYED, HOME, "role ecr-warden-read"),
    "the webhook": OwnChanged(EVENT, "", "webhook /ecr-warden/hook"),
    "the compiled spec": OwnChanged(EVENT, "", f"{COMPILED_SPEC} compiled/abc"),
    "an access key": HarmfulCall(by("iam:CreateAccessKey"), USER),
    "a password": HarmfulCall(by("iam:CreateLoginProfile"), UserTarget(CI, "push-user")),
    "longer sessions": HarmfulCall(by("iam:UpdateRole"), ROLE),
    "how long images last": HarmfulCall(by("ecr:PutLifecyclePolicy"), REPOSITORY),
    "moving tags": HarmfulCall(by("ecr:PutImageTagMutability"), REPOSITORY),
    "signing": HarmfulCall(by("ecr:DeleteSigningConfiguration"), None, HOME, "eu-central-1"),
    "a provider": HarmfulCall(by("iam:UpdateSAMLProvider"), None, CI),
    "a provider of tokens": HarmfulCall(by("iam:UpdateOpenIDConnectProvider"), None, CI),
    "a call without parameters": HarmfulCall(by("iam:PutRolePolicy"), None, CI),
    "a repair that failed for good": JobFailed(EVENT, ReconcileTarget(EVENT, REPOSITORY)),
    "what has come due failed": JobFailed(EVENT, FollowClock(SWEEP)),
    "a job that cannot be read": JobFailed(EVENT, None, "not JSON"),
    "places that cannot be listed": Unlisted(SWEEP, VERSION, UNREAD, ("account-unreachable", "permission-missing")),
    "a rule that is gone": WiringChanged(SWEEP, HUB_PART, (WIRE,)),
    "two that are off": WiringChanged(SWEEP, f"{HOME}/eu-central-1", (WIRE, replace(WIRE, name="rule b"))),
    "a rule that is back": WiringChanged(SWEEP, HUB_PART, ended=(replace(WIRE, state=WireState.ON),)),
    "an event that was missed": EventMissed(SWEEP, REPOSITORY, ("ecr:SetRepositoryPolicy",), NOW),
    "targets that wait": LeftOver(SWEEP, f"{HOME}/eu-central-1", 3),
}
SHADOW, EVE = f"arn:aws:iam::{HOME}:role/team/shadow-pusher", f"arn:aws:iam::{OUTSIDER}:user/eve"
FINDING = Finding(
    FindingKind.EXTRA,
    str(REPOSITORY),
    "push",
    EVE,
    (EVE, SHADOW),
    because=("statement 1 of trust policy of shadow-pusher allows sts:AssumeRole",),
    remedy="remove statement 1 of the trust policy of shadow-pusher",
    foreign=True,
)
GROUP = FindingGroup(FINDING, ("pull", "push"), (str(REPOSITORY),), NOW)
OURS = replace(GROUP, finding=replace(FINDING, principal=SHADOW, chain=(SHADOW,), foreign=False))
LACKS = replace(GROUP, finding=Finding(FindingKind.MISSING, str(REPOSITORY), "pull", USER_1, remedy="allow it"))
MAY = replace(GROUP, finding=replace(FINDING, certainty=Certainty.UNKNOWN))
ANYBODY = replace(FINDING, principal=ANYONE, chain=(ANYONE,), certainty=Certainty.CONDITIONAL)
MEMBERS_OF_ACME = replace(GROUP, finding=replace(ANYBODY, conditions=('aws:PrincipalOrgID is "o-a1b2c3d4e5"',)))
KEYS = Cause(CauseKind.EVENT, "e9", "iam:PutRolePolicy", "2026-11-24T10:15:30Z", actor=ROOT_USER)


def audited(*groups: FindingGroup, ended: tuple[FindingGroup, ...] = (), **more: Any) -> AccessAudited:
    return AccessAudited(EVENT, VERSION, groups, ended, **more)


AUDITS: dict[str, Alert] = {
    "an outsider": audited(GROUP),
    "an outsider after a known call": audited(GROUP, openers=(Openers((KEYS,)),)),
    "after one of many calls": audited(GROUP, openers=(Openers((KEYS, EVENT), 8),)),
    "one of ours": audited(OURS),
    "what somebody lacks": audited(LACKS),
    "what may be": audited(MAY),
    "an organization": audited(MEMBERS_OF_ACME),
    "several": audited(GROUP, OURS, LACKS),
    "the first audit": audited(GROUP, OURS, is_first=True, left_out=(3, 0)),
    "one that ended": audited(ended=(GROUP,)),
    "an audit that failed": audited(failure="ValueError in graph.py:12", unread=("users of 1: denied",)),
}
ADMIN = f"arn:aws:iam::{HOME}:role/Administrator"
CALLERS = (
    MALLORY,
    replace(MALLORY, source_identity="alice"),
    Actor(
        "AssumedRole",
        issuer=ADMIN,
        session_name="AWSCloudFormation",
        invoked_by="cloudformation.amazonaws.com",
        source_ip="cloudformation.amazonaws.com",
    ),
    Actor("AssumedRole", account=HOME),
    Actor("AssumedRole", arn=f"arn:aws:sts::{HOME}:assumed-role/Admin/bob", session_name="bob"),
    Actor("IAMUser", f"arn:aws:iam::{CI}:user/team/anna", CI),
    Actor("IAMUser", account=CI),
    ROOT_USER,
    Actor("FederatedUser", account=CI, issuer=f"arn:aws:iam::{CI}:user/broker", session_name="Bob"),
    Actor("AWSAccount", account=OUTSIDER, session_name="mallory"),
    Actor("AWSAccount", account=OUTSIDER),
    Actor("AWSAccount"),
    Actor("AWSService", invoked_by="lambda.amazonaws.com"),
    Actor("SAMLUser", session_name="bob"),
    Actor("IdentityCenterUser", account=CI, session_name="5448"),
    Actor("AIAgent", account=CI),
    Actor("Unknown", source_ip="198.51.100.7"),
    None,
)
UPLOADED = replace(SPEC, actor=Actor("AWSAccount", account=CI, source_ip="198.51.100.7"))
CAUSES = (EVENT, replace(EVENT, actor=None), Cause(CauseKind.EVENT, "e"), ASKED, SWEEP, RUN, PAUSE, UPLOADED)
WHERE = {FindingKind.EXTRA: str(REPOSITORY), FindingKind.MISSING: str(REPOSITORY), FindingKind.ADMINISTRATOR: HOME}
WHOM = {FindingKind.REPLICATION: "account 999999999999 in eu-west-1", FindingKind.UPSTREAM: "docker.io"}
GITHUB = "token.actions.githubusercontent.com"
TOKENS = replace(
    FINDING,
    principal=f"whoever has a token of arn:aws:iam::{HOME}:oidc-provider/{GITHUB}",
    conditions=(f'{GITHUB}:sub is "repo:acme/shop:ref:refs/heads/main"',),
)


def _of_kind(kind: FindingKind, scope: str, certainty: Certainty) -> FindingGroup:
    access = "iam:PutUserPolicy" if kind is FindingKind.ADMINISTRATOR else "pull"
    place, whom = WHERE.get(kind, f"{HOME}/eu-central-1"), WHOM.get(kind, EVE)
    return FindingGroup(Finding(kind, place, access, whom, certainty=certainty, scope=scope), (access,), (place,), NOW)


FILLED = _of_kind(FindingKind.UPSTREAM, "shop/*", Certainty.YES)
GROUPS = (
    *(_of_kind(kind, "" if kind in WHERE else "team/*", certainty) for kind in FindingKind for certainty in Certainty),
    *(_of_kind(kind, "", Certainty.YES) for kind in (FindingKind.REGISTRY, FindingKind.REPLICATION)),
    _of_kind(FindingKind.UPSTREAM, "*", Certainty.YES),
    replace(FILLED, finding=replace(FILLED.finding, access="push", foreign=True)),
    replace(GROUP, finding=Finding(FindingKind.MISSING, str(REPOSITORY), because=("the repository does not exist",))),
    replace(
        GROUP,
        accesses=("push", "ecr:DeleteRepository"),
        places=tuple(f"repository/{HOME}/eu-central-1/shop/r{number}" for number in range(5)),
        left_out=95,
    ),
    replace(GROUP, places=(str(REPOSITORY), str(REPOSITORY).replace("eu-central-1", "us-east-1"))),
    *(
        replace(GROUP, finding=replace(FINDING, principal=principal))
        for principal in (
            *(SHADOW, f"arn:aws:sts::{CI}:assumed-role/Admin/alice", f"arn:aws:iam::{OUTSIDER}:root"),
            *("anyone on the internet with an AWS account", "arn:aws:s3:::bucket"),
        )
    ),
    MEMBERS_OF_ACME,
    replace(
        GROUP,
        finding=replace(ANYBODY, conditions=('aws:PrincipalOrgID is "o-a1b2c3d4e5"', 'aws:SourceVpc is "vpc-1"')),
    ),
    replace(GROUP, finding=TOKENS),
    replace(GROUP, finding=replace(TOKENS, conditions=('aws:x is "1"',))),
    replace(GROUP, finding=replace(TOKENS, kind=FindingKind.MISSING)),
)
ADDRESSES = (
    repository_policy(REPOSITORY),
    role(ROLE),
    trust_policy(ROLE),
    *(identity_policy(one, "p") for one in (ROLE, USER)),
    *(attached_policy(one, "arn:aws:iam::aws:policy/P") for one in (ROLE, USER)),
)


def _words() -> str:
    """Callers, causes, sentences of findings, and what to change in each tool, a line each."""
    others = [f"arn:aws:iam::{CI}:user/u{number}" for number in range(19)]
    parts = {
        "callers": [f"{describe_actor(actor)} | {short_name(actor)}" for actor in CALLERS],
        "causes": [f"{who(cause)} | {describe_cause(cause)}" for cause in CAUSES],
        "findings": [
            *map(sentence, GROUPS),
            sentence(GROUP, 19),
            *(one.text for one in details(GROUP, others).entries),
        ],
        "tools": list(dict.fromkeys(line for tool in Tool for address in ADDRESSES for line in in_tool(tool, address))),
    }
    return "\n".join(f"===== {title}\n" + "\n".join(lines) + "\n" for title, lines in parts.items())


PAGES: Mapping[str, Mapping[str, list[Alert]]] = {
    "runs": {name: [alert] for name, alert in RUNS.items()},
    "incidents": SEVERAL,
    "fights": {name: [alert] for name, alert in FIGHTS.items()},
    "specs": {name: [alert] for name, alert in SPECS.items()},
    "pauses": {name: [alert] for name, alert in PAUSES.items()},
    "watching": {name: [alert] for name, alert in WATCHING.items()},
    "images": {name: [alert] for name, alert in IMAGES.items()},
    "findings": {name: [alert] for name, alert in AUDITS.items()},
}


def tampered(number: int, **more: Any) -> RunEnded:
    """A role that somebody outside could take, repaired."""
    drift = replace(TRUSTING, address=trust_policy(replace(ROLE, name=f"deploy-{number}")))
    return report(drift, cause=by("iam:UpdateAssumeRolePolicy"), run_id=f"r-{number}", **more)


def tampered_by_three(number: int) -> RunEnded:
    eve = replace(MALLORY, issuer=f"{MALLORY.issuer}-{number % 3}", session_name=f"eve-{number % 3}")
    return report(FOREIGN, cause=replace(EVENT, id=f"e-{number}", actor=eve), run_id=f"r-{number}")


SAME = report(result=Result.IN_SYNC, cause=SWEEP, run_id="r-2")
AGAIN = replace(report(FOREIGN, cause=SWEEP, run_id="r-2"), opened=report(FOREIGN).opened)
DELETED = ImageEvent("deleted", NOW + timedelta(hours=3), "3", "", by=PIPELINE)
THREADS: dict[str, list[tuple[int, Alert]]] = {
    "an outsider, repaired": [(0, report(FOREIGN))],
    "an outsider whom the audit alone sees": [(0, audited(GROUP)), (1200, audited(ended=(GROUP,)))],
    "a pushed image": [
        (0, pushed(EVES, Right.OUTSIDE)),
        (10800, replace(pushed(EVES, Right.OUTSIDE, last=DELETED), cause=by("ecr:BatchDeleteImage"))),
    ],
    "an outsider who leaves an image": [
        (0, report(FOREIGN, result=Result.FAILED, outcomes=(REFUSED,))),
        (60, pushed(MALLORY, Right.DOOR)),
        (900, AGAIN),
        (10800, replace(pushed(MALLORY, Right.DOOR, last=DELETED), cause=by("ecr:BatchDeleteImage"))),
    ],
    "30 roles in a minute": [(2 * number, tampered(number)) for number in range(30)],
    "a fight": [(0, FIGHTS["a fight"]), (1200, FIGHTS["a fight that is over"])],
    "a deleted repository": [(0, RUNS["a repository that was deleted"]), (7200, SAME)],
    "a stopped trail": [(0, WATCHING["a trail that was stopped"])],
    "a stopped trail beside a failed repair": [
        (0, RUNS["a failed repair"]),
        (30, replace(WATCHING["a trail that was stopped"], cause=by("cloudtrail:StopLogging"))),
        (900, AGAIN),
    ],
    "a failed repair": [(0, RUNS["a failed repair"]), (900, AGAIN)],
    "a pause": [(0, PAUSED), (3000, PAUSES["resumed"])],
    "a tamper while it is paused": [
        (0, RUNS["a pause"]),
        (3000, replace(AGAIN, cause=PAUSE)),
    ],
    "200 tampers by three": [(3 * number, tampered_by_three(number)) for number in range(200)],
}
"""After how many seconds what comes."""


def thread(name: str) -> Sequence[tuple[int, Message]]:
    """What people hear of a thread, and after how many seconds, within four hours."""
    people = People(ManualClock(NOW))
    for second, alert in THREADS[name]:
        people.wait((NOW - people.clock.now()).total_seconds() + second)
        now = people.clock.now()
        people.announce(replace(alert, finished_at=now) if isinstance(alert, RunEnded) else alert)
    people.wait(4 * 3600)
    return [(round((at - NOW).total_seconds()), message) for at, message in people.chat.got]


def _threads() -> str:
    """Of each thread when people hear what, and what they are asked to do."""
    shown = []
    for name in THREADS:
        shown.append(f"===== {name}")
        for second, message in thread(name):
            spelled = spelled_message(message, ALIASES)
            shown.append(f"{second} s, {message.transition}: {spelled.first_line}")
            shown += [f"    {one.label}: {one.text}" for one in spelled.shown if one.label in _SHOWN_OF_THREADS]
    return "\n".join(shown) + "\n"


_SHOWN_OF_THREADS = ("In full", "In all", "To do", "Command")
ALIASES = {"111111111111": "ci", "222222222222": "registry", "o-a1b2c3d4e5": "acme"}


def page(name: str) -> str:
    """A page as its golden file has it."""
    if name == "words":
        return _words()
    if name == "threads":
        return _threads()
    if name == "digests":
        alerts = [RUNS["an outsider could pull"], PAUSED, SPECS["refused"], *WATCHING.values()]
        messages = {
            "a digest": digest_of([message_of([alert]) for alert in alerts]),
            "a message that could not be described": plain_message([report(FOREIGN), PAUSED], "KeyError in x.py:1"),
        }
    else:
        messages = {title: message_of(alerts) for title, alerts in PAGES[name].items()}
    messages = {title: spelled_message(message, ALIASES) for title, message in messages.items()}
    shown = []
    for title, message in messages.items():
        subject, body = to_email(message)
        shown.append(f"===== {title}\nSubject: {subject}\n\n{body}")
    first = next(iter(messages.values()))
    shown.append(f"===== the first one in chat\n{to_slack(first)['text']}\n")
    return "\n".join(shown)


NAMES = (*PAGES, "threads", "digests", "words")

if __name__ == "__main__":
    for name in NAMES:
        (GOLDEN / f"{name}.txt").write_text(page(name))
