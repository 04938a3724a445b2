"""Callers and causes in words."""

import json
from copy import replace
from pathlib import Path

import pytest

from ecr_warden.core.job import Actor, Cause, CauseKind, short_name
from ecr_warden.events.record import actor_of
from ecr_warden.notify.wording import describe_actor, describe_cause, who
from tests.unit.notify.reports import CI, EVENT, HOME, MALLORY, OUTSIDER, RUN, SPEC, SWEEP

ADMIN = f"arn:aws:iam::{HOME}:role/Administrator"
CASES = {
    f"session mallory of role {ADMIN}, from 198.51.100.7": MALLORY,
    f"session AWSCloudFormation of role {ADMIN}, through cloudformation.amazonaws.com": Actor(
        "AssumedRole",
        issuer=ADMIN,
        session_name="AWSCloudFormation",
        invoked_by="cloudformation.amazonaws.com",
        source_ip="cloudformation.amazonaws.com",
    ),
    f"session s of role {ADMIN}, source identity alice": Actor(
        "AssumedRole", issuer=ADMIN, session_name="s", source_identity="alice"
    ),
    f"a session of a role of account {HOME}": Actor("AssumedRole", account=HOME),
    f"user arn:aws:iam::{CI}:user/mallory": Actor("IAMUser", f"arn:aws:iam::{CI}:user/mallory", CI),
    f"a user of account {CI}": Actor("IAMUser", account=CI),
    f"the root user of account {CI}": Actor("Root", f"arn:aws:iam::{CI}:root", CI),
    f"federated user Bob of account {CI} (through arn:aws:iam::{CI}:user/broker)": Actor(
        "FederatedUser", account=CI, issuer=f"arn:aws:iam::{CI}:user/broker", session_name="Bob"
    ),
    f"an identity in account {OUTSIDER} (session mallory)": Actor(
        "AWSAccount", account=OUTSIDER, session_name="mallory"
    ),
    f"an identity in account {OUTSIDER}": Actor("AWSAccount", account=OUTSIDER),
    "an anonymous caller": Actor("AWSAccount"),
    "the AWS service lambda.amazonaws.com": Actor("AWSService", invoked_by="lambda.amazonaws.com"),
    "SAMLUser bob": Actor("SAMLUser", session_name="bob"),
    f"IdentityCenterUser 5448 of account {CI}": Actor("IdentityCenterUser", account=CI, session_name="5448"),
    f"AIAgent of account {CI}": Actor("AIAgent", account=CI),
    "an unknown caller": Actor("Unknown"),
    "an unknown caller, from 198.51.100.7": Actor("Unknown", source_ip="198.51.100.7"),
}


@pytest.mark.parametrize("expected", CASES)
def test_describe_actor(expected: str) -> None:
    assert describe_actor(CASES[expected]).replace("  ", " ") == expected


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (replace(MALLORY, session_name="alice@example.com"), "alice@example.com of Administrator"),
        (Actor("AssumedRole", arn=f"arn:aws:sts::{HOME}:assumed-role/Admin/bob", session_name="bob"), "bob"),
        (Actor("IAMUser", arn=f"arn:aws:iam::{CI}:user/team/anna"), "anna"),
        (Actor("Root", account=HOME), f"root of {HOME}"),
        (Actor("AWSAccount", account=OUTSIDER), f"somebody in {OUTSIDER}"),
        (None, "an unknown caller"),
    ],
)
def test_a_title_names_a_session_with_its_role_where_that_is_known(actor: Actor | None, expected: str) -> None:
    assert short_name(actor) == expected


def test_every_identity_of_the_cases_is_described() -> None:
    path = Path(__file__).parents[2] / "cases/triggers/identities.json"
    for case in json.loads(path.read_text()):
        assert describe_actor(actor_of(case["record"])).strip()


CAUSES: dict[str, tuple[Cause, str, str]] = {
    "an event": (EVENT, describe_actor(MALLORY), "ecr:SetRepositoryPolicy by mallory of Administrator"),
    "an event without a caller": (
        replace(EVENT, actor=None),
        "an unknown caller",
        "ecr:SetRepositoryPolicy by an unknown caller",
    ),
    "an event of a write of our own": (
        Cause(CauseKind.EVENT, "e"),
        "unknown: found when ecr-warden verified what it had written",
        "found when ecr-warden verified what it had written",
    ),
    "a command": (
        Cause(CauseKind.CALLER, "c", "reconcile", actor=Actor("Root", account=HOME)),
        f"command reconcile by the root user of account {HOME}",
        f"command reconcile by root of {HOME}",
    ),
    "a sweep": (
        SWEEP,
        "unknown: found by the sweep, and no event reported it; check that the rules and the trail are on",
        "sweep",
    ),
    "a follow-up": (RUN, "unknown: found by the follow-up of run r-0", "follow-up of run r-0"),
    "a version of the spec": (
        replace(SPEC, actor=Actor("AWSAccount", account=CI, source_ip="198.51.100.7")),
        f"a new version of the spec, uploaded by an identity in account {CI}, from 198.51.100.7 "
        "(S3 does not say which)",
        "spec version v2",
    ),
}


@pytest.mark.parametrize("name", CAUSES)
def test_describe_cause(name: str) -> None:
    cause, at_length, in_short = CAUSES[name]
    assert who(cause) == at_length
    assert describe_cause(cause) == in_short
