"""200 repositories that nobody planned, brought under the spec by the recipe of docs/how-to.md and nothing else."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from local.demo.places import REGION
from tests.e2e.house import GUESTS, House
from tests.e2e.onboarding import (
    Documents,
    Newcomer,
    Permission,
    documents,
    is_allowed,
    permissions,
    recipe,
    seed,
    who_pushes,
)

CI, REGISTRY, _ = GUESTS
TOKEN = "ecr:GetAuthorizationToken"
FRIDAY = "2026-12-04T18:00:00Z"  # of the recipe
FEW = ("billing/admin-1211", "billing/events-213", "billing/events-457")
OPENED = f"arn:aws:ecr:{REGION}:{REGISTRY}:repository/billing/admin-1211"
GRANT = f"arn:aws:iam::{CI}:user/shop-builder#ecr-warden-pull"
CUTOFF = f"arn:aws:iam::{REGISTRY}:role/shop-pusher#ecr-warden-deny-older-sessions"


@pytest.fixture
def nina(deployed: House, tmp_path: Path) -> Iterator[Newcomer]:
    """A newcomer at a hub that has never seen a spec."""
    deployed.writes("enabled")
    deployed.forget_spec()
    yield Newcomer.at(deployed, tmp_path)
    deployed.forget_spec()


def test_the_recipe_leads_from_import_to_enforcing_and_loses_nothing(nina: Newcomer) -> None:
    aws, steps = nina.house.stage.aws, recipe("Onboard the repositories that are there")
    made = seed(aws)
    before, pushed = documents(aws), who_pushes(aws, made)
    assert pushed

    importing, reviewing, planning, observing, few, every, granting, tampering, going_back = steps
    nina.types(importing)
    assert "0 would change access" in nina.said["ecr-warden import"]
    nina.types(reviewing)
    nina.types(planning)
    nina.deploys_members()
    nina.types(observing)
    assert "it says mode: observe" in " ".join(nina.said["ecr-warden apply"].split())
    assert documents(aws) == before

    for name in FEW:
        entry = f"  - name: {name}\n    account: registry\n"
        text = nina.spec.read_text()
        assert text.count(entry) == sum(at.endswith(f":repository/{name}") for at in before), "one for each region"
        nina.spec.write_text(text.replace(entry, f"{entry}    mode: enforce\n"))
    nina.types(few)
    assert "nobody gains or loses access" in nina.said["ecr-warden diff"]
    assert {name_of(at) for at in differing(before, documents(aws))} == {
        *("events-213", "events-457"),
        *("billing-dev-nodes", "billing-prod-nodes", "billing-tasks"),
    }

    nina.types(every)
    enforced = documents(aws)
    assert_nobody_gained_or_lost(before, enforced)
    assert who_pushes(aws, made) == pushed
    assert nina.said["diff before.txt"] == ""
    waiting = nina.spec.read_text().count("\n    mode: observe\n")
    assert waiting, "repositories that let in outsiders, whom nobody has named"
    planned = nina.said["ecr-warden plan"]
    observed = planned.count("not carried out for now: its mode is observe")
    assert observed >= waiting
    [(differ, held)] = re.findall(r"(\d+) differ, 0 unreadable; 0 to write, (\d+) held", planned)
    assert int(differ) == observed + int(held), "these and whoever pulls from them, as nothing is written for them"

    granting = [command.replace(FRIDAY, next_friday()) for command in granting]
    nina.types(granting[:5])
    granted = documents(aws)
    assert differing(enforced, granted) == {OPENED, GRANT}
    assert "access.yaml:" in nina.said["ecr-warden can-i"]
    nina.types(granting[5:])
    assert differing(enforced, documents(aws)) == set()

    tamper(nina.house)
    assert differing(enforced, documents(aws)) == {CUTOFF}
    nina.types(tampering)
    assert "closed after" in nina.said["ecr-warden history RUN"]

    nina.types(going_back)
    assert "ci:user/shop-builder gains pull from billing/admin-1211" in nina.said["ecr-warden rollback"]
    assert differing(granted, documents(aws)) == {CUTOFF}
    assert next_friday() in nina.spec.read_text()


def tamper(house: House) -> None:
    """Somebody lets in everybody, lets outsiders push, and takes an access away; then all is quiet again."""
    mark, (_, registry, run) = house.now().mark, (partial(house.stage.aws.client, account) for account in GUESTS)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}
    registry("ecr", REGION).set_repository_policy(repositoryName="billing/admin-1211", policyText=policy(everybody))
    outsider = {"Effect": "Allow", "Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"}
    registry("iam").update_assume_role_policy(RoleName="shop-pusher", PolicyDocument=policy(outsider))
    run("iam").delete_role_policy(RoleName="billing-dev-nodes", PolicyName="ecr-warden-pull")
    house.quiet.wait(mark)


def policy(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def name_of(at: str) -> str:
    return at.rpartition("/")[2].partition("#")[0]


def differing(before: Documents, after: Documents) -> set[str]:
    return {at for at in before.keys() | after.keys() if differs(before, after, at)}


def differs(before: Documents, after: Documents, at: str) -> bool:
    return (at in before) != (at in after) or permissions(before.get(at)) != permissions(after.get(at))


def assert_nobody_gained_or_lost(before: Documents, after: Documents) -> None:
    """By the text alone: what is gone never gave anything, and what is new was given by another policy before."""
    assert before.keys() - after.keys() == set()
    for at in before:
        lost, gained = (
            permissions(before[at]) - permissions(after[at]),
            permissions(after[at]) - permissions(before[at]),
        )
        assert gained == set(), at
        assert all(map(gives_nothing, lost)), at
        assert not lost or ":repository/" in at
    for at in after.keys() - before.keys():
        identity, _, name = at.partition("#")
        assert name == "ecr-warden-pull"
        own = set().union(*(permissions(one) for other, one in before.items() if other.startswith(f"{identity}#")))
        for effect, where, action, _ in permissions(after[at]):
            assert effect == "Allow"
            assert is_allowed(own, action, where.removeprefix("Resource ")), (at, action, where)


def gives_nothing(permission: Permission) -> bool:
    """In a repository policy: the unique ID of somebody who was deleted; a login, which acts on no repository."""
    effect, who, action, _ = permission
    return effect == "Allow" and (who.startswith("Principal AWS AIDA") or action == TOKEN)


def next_friday() -> str:
    """18:00 of a coming Friday, a day away at least."""
    now = datetime.now(UTC)
    day = now + timedelta(days=(4 - now.weekday() - 1) % 7 + 1)
    return f"{day:%Y-%m-%d}T18:00:00Z"
