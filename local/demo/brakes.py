"""The step about ecr-warden's brakes: a hold, a version rolled back, a fight, and a watcher that is made blind."""

import json
import re

import boto3
from botocore.config import Config

from local.demo import truth
from local.demo.attack import Ring
from local.demo.chat import Message, as_it_looks
from local.demo.operator import Terminal
from local.demo.places import REGION, REGISTRY, REPOSITORY, SPEC
from local.demo.rewrites import LEGACY_DOCUMENT
from local.demo.tampers import ADDED_PUSH, is_pushed_to_by
from local.testing.waiting import until

ACME = "o-a1b2c3d4e5"
_BASE = SPEC.read_text() + LEGACY_DOCUMENT
OPENED = _BASE.replace("teams:\n", f"organizations:\n  acme: {{id: {ACME}}}\nteams:\n", 1).replace(
    "pull: [deployers]", "pull: [deployers, {organization: acme}]", 1
)
"""The spec of the step before, which now lets a whole organization pull."""

_TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.13.5 (+https://www.terraform.io) terraform-provider-aws/6.22.0"
_BLINDED = "ecr-warden-forward-ecr"
_HOLD_ID = re.compile(r"[0-9a-f]{12}")


def show(ring: Ring, alice: Terminal) -> None:
    """Each brake in turn; the accounts end as they were before."""
    before, heard = ring.right, len(ring.stage.chat.messages)
    _hold(ring, alice)
    _roll_back(ring, before)
    _fight(ring)
    _blind(ring)
    # Messages about versions and sweeps are collected for a while.
    for words in ("spec accepted", f"the rule {_BLINDED} of {REGISTRY} in {REGION} is disabled"):
        ring.stage.message(words, heard)
    ring.report.check("the version and the blinded watcher are reported", True, "both")


def _hold(ring: Ring, alice: Terminal) -> None:
    """A version that opens a repository to an organization waits; meanwhile the accepted one is enforced."""
    stage, report, screen = ring.stage, ring.report, ring.report.screen
    enforced, heard, mark = stage.accepted(), len(stage.chat.messages), stage.aws.mark()
    screen.progress(f"  somebody uploads a version of the spec that lets organization {ACME} pull {REPOSITORY}")
    version = stage.upload(OPENED)
    _show(ring, stage.message("waits for you", heard))
    ring.quiet.wait(mark)
    report.check("a version that lets in an organization waits", stage.accepted() == enforced, stage.accepted())
    ring.attack(ADDED_PUSH)
    held = alice.run("held")
    found = _HOLD_ID.search(held.stdout)
    report.check("held says what waits and why", found is not None and ACME in held.stdout, held.stdout + held.stderr)
    if found is None:
        return
    screen.progress(f"  $ ecr-warden accept {found[0]} --yes")
    mark = stage.aws.mark()
    accepted = alice.run("accept", found[0], "--yes")
    until(lambda: stage.accepted() == version, what="the accepted version in force")
    ring.quiet.wait(mark)
    ring.right = truth.read(stage.aws)
    opened = ACME in ring.right[f"repository policy of {REPOSITORY}"]
    report.check("once a person has accepted it, it is enforced", accepted.returncode == 0 and opened, accepted.stdout)
    screen.good(f"accepted   by alice; organization {ACME} can pull {REPOSITORY} now")


def _roll_back(ring: Ring, before: truth.Snapshot) -> None:
    """The older file again: what the newer version opened is closed."""
    stage, report, screen = ring.stage, ring.report, ring.report.screen
    mark = stage.aws.mark()
    screen.progress("  somebody uploads yesterday's file")
    stage.enforce(_BASE)
    ring.quiet.wait(mark)
    left = truth.difference(truth.read(stage.aws), before)
    report.check("what the newer version opened is closed", not left, f"differs: {left}")
    ring.right = before
    screen.good(f"closed     organization {ACME} can no longer pull {REPOSITORY}")


def _fight(ring: Ring) -> None:
    """Terraform restores its own version of a policy again and again: repaired each time, and one message says so."""
    stage, report, screen = ring.stage, ring.report, ring.report.screen
    heard = len(stage.chat.messages)
    terraform = boto3.Session(
        stage.people.registry_admin.keys.key, stage.people.registry_admin.keys.secret, region_name=REGION
    ).client("ecr", endpoint_url=stage.aws.endpoint_url, config=Config(user_agent=_TERRAFORM))
    document = json.loads(ring.right[f"repository policy of {REPOSITORY}"])
    is_pushed_to_by(f"arn:aws:iam::{REGISTRY}:root")(document)
    screen.bad("Terraform, run by mallory, applies its own version of the policy four times")
    for _ in range(4):
        terraform.set_repository_policy(repositoryName=REPOSITORY, policyText=json.dumps(document))
        until(lambda: truth.same(truth.read(stage.aws), ring.right), what="the repair of Terraform's version")
    fight = stage.message("FIGHT: ", heard)
    report.check("the fight is one message", len(stage.chat.telling_of("FIGHT: ", heard)) == 1, fight.text)
    report.check("one message names the tool that fights", "Terraform" in fight.text, fight.text)
    _show(ring, fight)


def _blind(ring: Ring) -> None:
    """A rule that forwards events is switched off: its event, and the next sweep, report it."""
    stage, report, screen = ring.stage, ring.report, ring.report.screen
    heard = len(stage.chat.messages)
    events = stage.people.registry_admin.client("events")
    screen.bad(f"{stage.people.registry_admin.words} switches off the rule {_BLINDED}")
    events.disable_rule(Name=_BLINDED)
    reported = stage.message(f"rule {_BLINDED} in {REGION} was disabled", heard)
    report.check("whoever blinds the watcher is named", "registry:user/mallory" in reported.text, reported.text)
    screen.good(f"reported   the rule {_BLINDED} was disabled by mallory")
    _sweep(ring)
    events.enable_rule(Name=_BLINDED)
    # status shows the members' rules as the last sweep found them.
    _sweep(ring)
    screen.good("seen       by the next sweep too, whether or not an event comes; the rule is on again")


def _sweep(ring: Ring) -> None:
    mark = ring.stage.aws.mark()
    ring.stage.begin_sweep()
    ring.quiet.wait(mark)


def _show(ring: Ring, message: Message) -> None:
    for line in as_it_looks(message):
        ring.report.screen.plain(f"             {line}".rstrip())
