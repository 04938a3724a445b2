"""Who did it, in words."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ecr_warden.alerting.who import describe_actor, short_name, who
from ecr_warden.model.job import Actor, Cause, CauseKind
from ecr_warden.triggers.actor import actor_of

from tests.unit.alerting.reports import CI, EVENT, HOME, MALLORY, OUTSIDER, RUN, SPEC, SWEEP

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
    f"somebody of account {OUTSIDER} (session mallory)": Actor("AWSAccount", account=OUTSIDER, session_name="mallory"),
    f"somebody of account {OUTSIDER}": Actor("AWSAccount", account=OUTSIDER),
    "somebody who is anonymous": Actor("AWSAccount"),
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
        (Actor("AWSAccount", account=OUTSIDER), f"somebody of {OUTSIDER}"),
        (None, "an unknown caller"),
    ],
)
def test_a_title_names_a_session_with_its_role_where_that_is_known(actor: Actor | None, expected: str) -> None:
    assert short_name(actor) == expected


def test_every_identity_of_the_cases_has_words() -> None:
    path = Path(__file__).parents[2] / "cases/triggers/identities.json"
    for case in json.loads(path.read_text()):
        assert describe_actor(actor_of(case["record"])).strip()


def test_what_is_not_an_event_says_what_made_us_look() -> None:
    assert who(EVENT) == describe_actor(MALLORY)
    assert who(Cause(CauseKind.EVENT, "e")) == "an unknown caller"
    assert who(Cause(CauseKind.CALLER, "c", actor=MALLORY)).endswith("who asked for this run")
    assert "sweep" in who(SWEEP)
    assert "r-0" in who(RUN)
    assert "version v2" in who(SPEC)
